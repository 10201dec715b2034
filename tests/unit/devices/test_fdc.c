/* SPDX-License-Identifier: BSD-2-Clause */
/* The floppy controller: reset, seeks, DMA and non-DMA transfers, status bytes, the change line. */
#include "tests/unit/devices/support.h"
#include "devices/block.h"
#include "devices/dma8237.h"
#include "devices/fdc.h"
#include <stdlib.h>
#include <string.h>

#define DOR  0x3f2
#define MSR  0x3f4
#define FIFO 0x3f5
#define DIR  0x3f7
#define IRQ  6

#define SECTORS 2880u
#define BUFFER	0x4000u

struct rig {
	struct board *board;
	struct dma dma;
	struct fdc fdc;
	struct block block;
	u8 *data;
	u8 result[16];
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct fdc_config config = {.dma = &r->dma};

	r->board = board_new();
	r->data = calloc(SECTORS, 512);
	for (u32 s = 0; s < SECTORS; s++)
		memcpy(r->data + s * 512, &s, 4);
	block_from_memory(&r->block, "floppy", r->data, SECTORS * 512, 512);
	dma_init(&r->dma, &r->board->bus, &r->board->mem);
	config.bus = &r->board->bus;
	config.clock = &r->board->clock;
	config.irq = board_pin(r->board, IRQ);
	config.drive[0] = &r->block;
	assert_int_equal(fdc_init(&r->fdc, &config), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	board_free(r->board);
	free(r->data);
	free(r);
	return 0;
}

static void send(struct rig *r, const u8 *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(in8(r->board, MSR) & 0xc0, 0x80);
		out8(r->board, FIFO, bytes[i]);
	}
}

static unsigned fetch(struct rig *r)
{
	unsigned n = 0;

	while ((in8(r->board, MSR) & 0xd0) == 0xd0) {
		assert_in_range(n, 0, 15);
		r->result[n++] = in8(r->board, FIFO);
	}
	return n;
}

static void sense(struct rig *r, u8 st0, u8 cylinder)
{
	send(r, (const u8[]){0x08}, 1);
	assert_int_equal(fetch(r), 2);
	assert_int_equal(r->result[0], st0);
	assert_int_equal(r->result[1], cylinder);
}

static void reset(struct rig *r)
{
	out8(r->board, DOR, 0x08);
	out8(r->board, DOR, 0x1c);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	for (u8 i = 0; i < 4; i++)
		sense(r, 0xc0 | i, 0);
	assert_false(r->board->irq[IRQ]);
	out8(r->board, DIR, 0);	    /* 500 kbit/s */
	out8(r->board, 0xd6, 0xc0); /* the cascade, as a BIOS sets it up */
	out8(r->board, 0xd4, 0);
	send(r, (const u8[]){0x03, 0xdf, 0x02}, 3);
}

static void seek(struct rig *r, u8 cylinder)
{
	send(r, (const u8[]){0x0f, 0, cylinder}, 3);
	board_run(r->board, 10 * MS);
	assert_true(r->board->irq[IRQ]);
	sense(r, 0x20, cylinder);
}

/* Channel 2, single mode; to_memory: a read of the disk. */
static void program_dma(struct rig *r, bool to_memory, u32 address, u32 bytes)
{
	out8(r->board, 0x0a, 6);
	out8(r->board, 0x0c, 0);
	out8(r->board, 0x0b, to_memory ? 0x46 : 0x4a);
	out8(r->board, 0x04, (u8)address);
	out8(r->board, 0x04, (u8)(address >> 8));
	out8(r->board, 0x81, (u8)(address >> 16));
	out8(r->board, 0x05, (u8)(bytes - 1));
	out8(r->board, 0x05, (u8)((bytes - 1) >> 8));
	out8(r->board, 0x0a, 2);
}

/* READ or WRITE with these C H R and EOT; the result bytes are in r->result. */
static void transfer(struct rig *r, u8 code, u8 c, u8 h, u8 s, u8 eot)
{
	const u8 command[9] = {code, (u8)(h << 2), c, h, s, 2, eot, 0x1b, 0xff};

	send(r, command, 9);
	assert_int_equal(in8(r->board, MSR), 0x10);
	board_run(r->board, 100 * MS);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, MSR), 0xd0);
	assert_int_equal(fetch(r), 7);
	assert_false(r->board->irq[IRQ]);
}

static void expect_result(struct rig *r, u8 st0, u8 st1, u8 st2, u8 c, u8 h, u8 s)
{
	const u8 expected[7] = {st0, st1, st2, c, h, s, 2};

	assert_memory_equal(r->result, expected, 7);
}

static u32 tag(struct rig *r, u32 at)
{
	u32 value;

	memcpy(&value, r->board->ram + at, 4);
	return value;
}

static void reset_polls_the_drives(void **state)
{
	struct rig *r = *state;

	assert_int_equal(in8(r->board, MSR), 0);
	reset(r);
	send(r, (const u8[]){0x08}, 1); /* nothing more to say */
	assert_int_equal(fetch(r), 1);
	assert_int_equal(r->result[0], 0x80);
	out8(r->board, MSR, 0x80); /* by DSR */
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	sense(r, 0xc0, 0);
}

/* Linux 0.12 senses a reset once and goes on; the rest must not get into its next interrupt. */
static void one_sense_after_reset_is_enough(void **state)
{
	struct rig *r = *state;

	out8(r->board, DOR, 0x08);
	out8(r->board, DOR, 0x1c);
	board_run(r->board, MS);
	sense(r, 0xc0, 0);
	send(r, (const u8[]){0x07, 0}, 2);
	board_run(r->board, 10 * MS);
	sense(r, 0x20, 0);
}

static void gate_keeps_the_interrupt_in(void **state)
{
	struct rig *r = *state;

	out8(r->board, DOR, 0x00);
	out8(r->board, DOR, 0x04);
	board_run(r->board, MS);
	assert_false(r->board->irq[IRQ]);
	out8(r->board, DOR, 0x0c);
	assert_true(r->board->irq[IRQ]);
}

static void seek_and_recalibrate(void **state)
{
	struct rig *r = *state;

	reset(r);
	send(r, (const u8[]){0x0f, 0, 40}, 3);
	assert_int_equal(in8(r->board, MSR), 0x81);
	board_run(r->board, 10 * MS);
	assert_int_equal(in8(r->board, MSR), 0x80);
	sense(r, 0x20, 40);
	send(r, (const u8[]){0x04, 0}, 2);
	fetch(r);
	assert_int_equal(r->result[0], 0x28);
	send(r, (const u8[]){0x07, 0}, 2);
	board_run(r->board, 10 * MS);
	sense(r, 0x20, 0);
	send(r, (const u8[]){0x04, 0}, 2);
	fetch(r);
	assert_int_equal(r->result[0], 0x38);
	send(r, (const u8[]){0xcf, 0, 5}, 3);
	board_run(r->board, 10 * MS);
	sense(r, 0x20, 5);
	/* The second drive is not there. */
	send(r, (const u8[]){0x07, 1}, 2);
	board_run(r->board, 10 * MS);
	sense(r, 0x71, 0);
}

static void change_line_until_a_step(void **state)
{
	struct rig *r = *state;

	reset(r);
	assert_int_equal(in8(r->board, DIR) & 0x80, 0x80);
	out8(r->board, DOR, 0x0c); /* motor off: the drive does not answer */
	assert_int_equal(in8(r->board, DIR) & 0x80, 0);
	out8(r->board, DOR, 0x1c);
	seek(r, 1);
	assert_int_equal(in8(r->board, DIR) & 0x80, 0);
}

static void read_by_dma(void **state)
{
	struct rig *r = *state;

	reset(r);
	seek(r, 3);
	program_dma(r, true, BUFFER, 4 * 512);
	transfer(r, 0xe6, 3, 0, 17, 18); /* two on side 0, two on side 1 */
	expect_result(r, 0x04, 0, 0, 3, 1, 3);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(tag(r, BUFFER + i * 512), 3 * 36 + 16 + i);
	program_dma(r, true, BUFFER, 512);
	transfer(r, 0x46, 3, 1, 18, 18); /* the last one: C H R of the next cylinder */
	expect_result(r, 0x04, 0, 0, 4, 1, 1);
}

static void terminal_count_in_mid_sector(void **state)
{
	struct rig *r = *state;

	reset(r);
	r->board->ram[BUFFER + 100] = 0xcc;
	program_dma(r, true, BUFFER, 100);
	transfer(r, 0xe6, 0, 0, 1, 18);
	expect_result(r, 0, 0, 0, 0, 0, 2);
	assert_int_equal(r->board->ram[BUFFER + 100], 0xcc);
}

static void end_of_cylinder(void **state)
{
	struct rig *r = *state;

	reset(r);
	program_dma(r, true, BUFFER, 8 * 512);
	transfer(r, 0x46, 0, 0, 17, 18);
	expect_result(r, 0x40, 0x80, 0, 1, 0, 1);
}

static void write_by_dma(void **state)
{
	struct rig *r = *state;

	reset(r);
	seek(r, 79);
	memset(r->board->ram + BUFFER, 0xab, 512);
	program_dma(r, false, BUFFER, 512);
	transfer(r, 0xc5, 79, 1, 18, 18);
	expect_result(r, 0x04, 0, 0, 80, 0, 1);
	assert_int_equal(r->data[2879 * 512], 0xab);
	assert_int_equal(r->data[2879 * 512 + 511], 0xab);
	r->block.read_only = true;
	transfer(r, 0xc5, 79, 1, 18, 18);
	assert_int_equal(r->result[0], 0x44);
	assert_int_equal(r->result[1], 0x02);
}

static void ids_that_are_not_there(void **state)
{
	struct rig *r = *state;

	reset(r);
	program_dma(r, true, BUFFER, 512);
	transfer(r, 0x46, 0, 0, 19, 19);
	expect_result(r, 0x40, 0x04, 0, 0, 0, 19);
	transfer(r, 0x46, 1, 0, 1, 18); /* the head is at cylinder 0 */
	expect_result(r, 0x40, 0x04, 0x10, 1, 0, 1);
	transfer(r, 0x06, 0, 0, 1, 18); /* FM */
	expect_result(r, 0x40, 0x01, 0, 0, 0, 1);
	seek(r, 82);
	transfer(r, 0x46, 82, 0, 1, 18);
	expect_result(r, 0x40, 0x01, 0, 82, 0, 1);
	seek(r, 0);
	out8(r->board, DIR, 2); /* 250 kbit/s */
	transfer(r, 0x46, 0, 0, 1, 18);
	expect_result(r, 0x40, 0x01, 0, 0, 0, 1);
}

static void a_masked_channel_overruns(void **state)
{
	struct rig *r = *state;

	reset(r);
	out8(r->board, 0x0a, 6);
	transfer(r, 0x46, 0, 0, 1, 18);
	expect_result(r, 0x40, 0x10, 0, 0, 0, 1);
}

static void no_drive_does_not_hang(void **state)
{
	struct rig *r = *state;
	const u8 command[9] = {0x46, 1, 0, 0, 1, 2, 18, 0x1b, 0xff};

	reset(r);
	program_dma(r, true, BUFFER, 512);
	send(r, command, 9);
	board_run(r->board, 1000 * MS);
	assert_int_equal(fetch(r), 7);
	assert_int_equal(r->result[0], 0x41);
	assert_int_equal(r->result[1], 0x01);
}

static void read_id_goes_round(void **state)
{
	struct rig *r = *state;

	reset(r);
	seek(r, 2);
	for (unsigned i = 0; i < 20; i++) {
		send(r, (const u8[]){0x4a, 0x04}, 2);
		board_run(r->board, 10 * MS);
		assert_int_equal(fetch(r), 7);
		expect_result(r, 0x04, 0, 0, 2, 1, i % 18 + 1);
	}
}

static void non_dma_read(void **state)
{
	struct rig *r = *state;
	const u8 command[9] = {0x46, 0, 0, 0, 17, 2, 18, 0x1b, 0xff};
	u8 data[1024];

	reset(r);
	send(r, (const u8[]){0x03, 0xdf, 0x03}, 3);
	send(r, command, 9);
	board_run(r->board, MS);
	for (unsigned i = 0; i < 1024; i++) {
		assert_true(r->board->irq[IRQ]);
		assert_int_equal(in8(r->board, MSR), 0xf0);
		data[i] = in8(r->board, FIFO);
	}
	assert_memory_equal(data, r->data + 16 * 512, 1024);
	assert_int_equal(fetch(r), 7);
	expect_result(r, 0x40, 0x80, 0, 1, 0, 1);
}

static void non_dma_write(void **state)
{
	struct rig *r = *state;
	const u8 command[9] = {0x45, 0, 0, 0, 18, 2, 18, 0x1b, 0xff};

	reset(r);
	send(r, (const u8[]){0x03, 0xdf, 0x03}, 3);
	send(r, command, 9);
	board_run(r->board, MS);
	for (unsigned i = 0; i < 512; i++) {
		assert_int_equal(in8(r->board, MSR), 0xb0);
		out8(r->board, FIFO, (u8)i);
	}
	assert_int_equal(fetch(r), 7);
	assert_int_equal(r->data[17 * 512 + 255], 255);
}

/* Linux takes the sectors it wants and leaves the rest to the overrun. */
static void non_dma_overrun(void **state)
{
	struct rig *r = *state;
	const u8 command[9] = {0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff};
	unsigned rises;

	reset(r);
	send(r, (const u8[]){0x03, 0xdf, 0x03}, 3);
	send(r, command, 9);
	board_run(r->board, MS);
	for (unsigned i = 0; i < 8 * 512; i++)
		in8(r->board, FIFO);
	assert_int_equal(in8(r->board, MSR), 0xf0);
	rises = r->board->rises[IRQ];
	board_run(r->board, 100 * MS);
	assert_int_equal(r->board->rises[IRQ], rises + 1);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(fetch(r), 7);
	expect_result(r, 0x40, 0x10, 0, 0, 0, 9);
}

static void format_track(void **state)
{
	struct rig *r = *state;
	const u8 command[6] = {0x4d, 0x04, 2, 18, 0x54, 0xf6};

	reset(r);
	seek(r, 5);
	for (u8 i = 0; i < 18; i++) {
		const u8 id[4] = {5, 1, i + 1, 2};

		memcpy(r->board->ram + BUFFER + i * 4, id, 4);
	}
	program_dma(r, false, BUFFER, 72);
	send(r, command, 6);
	board_run(r->board, 10 * MS);
	assert_int_equal(fetch(r), 7);
	assert_int_equal(r->result[0], 0x04);
	assert_int_equal(r->data[(5 * 36 + 18) * 512], 0xf6);
	assert_int_equal(r->data[(5 * 36 + 35) * 512 + 511], 0xf6);
	assert_int_not_equal(r->data[(5 * 36 + 17) * 512], 0xf6);
}

static void verify_and_scan(void **state)
{
	struct rig *r = *state;

	reset(r);
	transfer(r, 0x56, 0, 0, 1, 18);
	assert_int_equal(r->result[0], 0);
	memcpy(r->board->ram + BUFFER, r->data + 2 * 512, 512);
	program_dma(r, false, BUFFER, 512);
	transfer(r, 0x51, 0, 0, 3, 18);
	assert_int_equal(r->result[0], 0);
	assert_int_equal(r->result[2], 0x08);
	r->board->ram[BUFFER] = 9;
	program_dma(r, false, BUFFER, 512);
	transfer(r, 0x51, 0, 0, 3, 18);
	assert_int_equal(r->result[2], 0x04);
	program_dma(r, false, BUFFER, 512);
	transfer(r, 0x59, 0, 0, 3, 18);
	assert_int_equal(r->result[2], 0x00);
}

static void controller_commands(void **state)
{
	struct rig *r = *state;

	reset(r);
	send(r, (const u8[]){0x10}, 1);
	assert_int_equal(fetch(r), 1);
	assert_int_equal(r->result[0], 0x90);
	send(r, (const u8[]){0x13, 0, 0x1a, 7}, 4);
	send(r, (const u8[]){0x94}, 1);
	assert_int_equal(fetch(r), 1);
	assert_int_equal(r->result[0], 0x10);
	send(r, (const u8[]){0x12, 0x84}, 2);
	send(r, (const u8[]){0x0e}, 1);
	assert_int_equal(fetch(r), 10);
	assert_int_equal(r->result[4], 0xdf);
	assert_int_equal(r->result[7], 0x84);
	assert_int_equal(r->result[8], 0x1a);
	assert_int_equal(r->result[9], 7);
	send(r, (const u8[]){0x14}, 1);
	assert_int_equal(fetch(r), 1);
	assert_int_equal(r->result[0], 0);
	/* PART ID came with the 82078: its absence is how a 82077 is told. */
	send(r, (const u8[]){0x18}, 1);
	assert_int_equal(fetch(r), 1);
	assert_int_equal(r->result[0], 0x80);
}

static void sizes(void **state)
{
	static const struct {
		u32 sectors;
		u8 cmos;
	} size[] = {{720, 1}, {2400, 2}, {1440, 3}, {2880, 4}, {5760, 5}, {3360, 4}};
	struct rig *r = *state;
	struct board *b = board_new();
	struct fdc_config config = {.bus = &b->bus, .clock = &b->clock, .dma = &r->dma};
	struct block block = r->block;

	config.drive[1] = &block;
	for (unsigned i = 0; i < ARRAY_SIZE(size); i++) {
		struct fdc *f = calloc(1, sizeof(*f));

		bus_init(&b->bus);
		block.sectors = size[i].sectors;
		assert_int_equal(fdc_init(f, &config), 0);
		assert_int_equal(fdc_cmos_type(f, 0), 0);
		assert_int_equal(fdc_cmos_type(f, 1), size[i].cmos);
		free(f);
	}
	logged_errors();
	block.sectors = 2881;
	assert_int_equal(fdc_init(&r->fdc, &config), -1);
	assert_int_equal(logged_errors(), 1);
	board_free(b);
}

static void random_accesses(void **state)
{
	static const u8 codes[] = {0x46, 0xe6, 0x4c, 0x45, 0x49, 0x42, 0x56, 0x51, 0x59,
				   0x5d, 0x4d, 0x4a, 0x07, 0x08, 0x03, 0x04, 0x0f, 0x8f,
				   0xcf, 0x0e, 0x10, 0x12, 0x13, 0x94, 0x18, 0xff};
	struct rig *r = *state;

	srand(3);
	for (unsigned i = 0; i < 400000; i++) {
		switch (rand() % 12) {
		case 0:
			out8(r->board, DOR, rand() % 8 ? 0x1c : (u8)rand());
			break;
		case 1:
			if (rand() % 50 == 0)
				out8(r->board, MSR, (u8)rand());
			break;
		case 2:
			out8(r->board, DIR, 0);
			break;
		case 3:
			program_dma(r, rand() % 2, BUFFER, 1 + (u32)rand() % 20000);
			break;
		case 4:
		case 5:
			in8(r->board, FIFO);
			break;
		case 6:
			board_run(r->board, (u64)(rand() % 1000) * US);
			break;
		case 7:
			out8(r->board, FIFO, codes[(unsigned)rand() % sizeof(codes)]);
			break;
		default:
			out8(r->board, FIFO, rand() % 2 ? (u8)(rand() % 4) : (u8)rand());
			break;
		}
	}
}

/* INT stays until SENSE INTERRUPT STATUS has told of each seek. */
static void each_seek_has_its_interrupt(void **state)
{
	struct rig *r = *state;

	reset(r);
	send(r, (const u8[]){0x0f, 0, 5}, 3);
	send(r, (const u8[]){0x0f, 1, 7}, 3);
	board_run(r->board, 10 * MS);
	assert_true(r->board->irq[IRQ]);
	sense(r, 0x20, 5);
	assert_true(r->board->irq[IRQ]);
	sense(r, 0x21, 0); /* no drive there */
	assert_false(r->board->irq[IRQ]);
	send(r, (const u8[]){0x08}, 1);
	assert_int_equal(fetch(r), 1);
	assert_int_equal(r->result[0], 0x80);
}

static void a_seek_ends_behind_another_drives_command(void **state)
{
	struct rig *r = *state;

	reset(r);
	send(r, (const u8[]){0x0f, 1, 7}, 3);
	send(r, (const u8[]){0x4a, 0}, 2); /* READ ID */
	board_run(r->board, 100 * MS);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(fetch(r), 7);
	assert_true(r->board->irq[IRQ]);
	sense(r, 0x21, 0);
	assert_false(r->board->irq[IRQ]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(reset_polls_the_drives),
		TEST(one_sense_after_reset_is_enough),
		TEST(gate_keeps_the_interrupt_in),
		TEST(seek_and_recalibrate),
		TEST(change_line_until_a_step),
		TEST(read_by_dma),
		TEST(terminal_count_in_mid_sector),
		TEST(end_of_cylinder),
		TEST(write_by_dma),
		TEST(ids_that_are_not_there),
		TEST(a_masked_channel_overruns),
		TEST(no_drive_does_not_hang),
		TEST(read_id_goes_round),
		TEST(non_dma_read),
		TEST(non_dma_write),
		TEST(non_dma_overrun),
		TEST(format_track),
		TEST(verify_and_scan),
		TEST(controller_commands),
		TEST(sizes),
		TEST(random_accesses),
		TEST(each_seek_has_its_interrupt),
		TEST(a_seek_ends_behind_another_drives_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
