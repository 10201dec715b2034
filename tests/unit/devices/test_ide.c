/* SPDX-License-Identifier: BSD-2-Clause */
/* The IDE channel and its disks: PIO, multiple, DMA, missing drives, errors, interrupts. */
#include "tests/unit/devices/support.h"
#include "devices/block.h"
#include "devices/bmdma.h"
#include "devices/ide.h"
#include <stdlib.h>
#include <string.h>

#define DATA	0x1f0
#define ERROR	0x1f1
#define COUNT	0x1f2
#define LOW	0x1f3
#define MID	0x1f4
#define HIGH	0x1f5
#define DEVICE	0x1f6
#define STATUS	0x1f7
#define CONTROL 0x3f6
#define BM	0xc000
#define IRQ	14

#define READY 0x50
#define DRQ   0x58
#define BSY   0x80

#define SECTORS 20808u

struct rig {
	struct board *board;
	struct ide_channel ide, second;
	struct bmdma bmdma;
	struct block block[2];
	u8 *data[2];
};

static struct rig *rig_new(bool master, bool slave)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct ide_config config = {.name = "ide0", .command_base = 0x1f0, .control_port = CONTROL};
	struct ide_config empty = {.name = "ide1", .command_base = 0x170, .control_port = 0x376};
	bool have[2] = {master, slave};

	r->board = board_new();
	config.bus = empty.bus = &r->board->bus;
	config.clock = empty.clock = &r->board->clock;
	config.irq = board_pin(r->board, IRQ);
	empty.irq = board_pin(r->board, 15);
	for (unsigned i = 0; i < 2; i++) {
		if (!have[i])
			continue;
		r->data[i] = calloc(SECTORS, 512);
		for (u32 s = 0; s < SECTORS; s++)
			memcpy(r->data[i] + s * 512, &s, 4);
		block_from_memory(&r->block[i], "disk", r->data[i], SECTORS * 512, 512);
		config.drive[i] = (struct ide_drive_config){IDE_DISK, &r->block[i], {306, 4, 17}};
	}
	assert_int_equal(ide_init(&r->ide, &config), 0);
	assert_int_equal(ide_init(&r->second, &empty), 0);
	assert_int_equal(bmdma_init(&r->bmdma, &r->board->bus, &r->board->mem, &r->ide, &r->second),
			 0);
	bmdma_map(&r->bmdma, BM | 1, true);
	return r;
}

static int setup(void **state)
{
	*state = rig_new(true, false);
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	board_free(r->board);
	free(r->data[0]);
	free(r->data[1]);
	free(r);
	return 0;
}

static void command_lba(struct rig *r, u8 command, u32 lba, u8 count)
{
	out8(r->board, DEVICE, 0xe0 | (lba >> 24));
	out8(r->board, COUNT, count);
	out8(r->board, LOW, (u8)lba);
	out8(r->board, MID, (u8)(lba >> 8));
	out8(r->board, HIGH, (u8)(lba >> 16));
	out8(r->board, STATUS, command);
}

static void command_chs(struct rig *r, u8 command, u32 c, u8 h, u8 s, u8 count)
{
	out8(r->board, DEVICE, 0xa0 | h);
	out8(r->board, COUNT, count);
	out8(r->board, LOW, s);
	out8(r->board, MID, (u8)c);
	out8(r->board, HIGH, (u8)(c >> 8));
	out8(r->board, STATUS, command);
}

static void simple(struct rig *r, u8 command)
{
	out8(r->board, STATUS, command);
	board_run(r->board, MS);
}

static u32 read_tag(struct rig *r)
{
	u16 words[256];
	u32 tag;

	assert_int_equal(bus_ins(&r->board->bus, DATA, 2, words, 256), 256);
	memcpy(&tag, words, 4);
	return tag;
}

static void read_by_lba_interrupts_for_each_sector(void **state)
{
	struct rig *r = *state;

	command_lba(r, 0x20, 1000, 3);
	assert_int_equal(in8(r->board, CONTROL) & BSY, BSY);
	assert_false(r->board->irq[IRQ]);
	for (u32 i = 0; i < 3; i++) {
		board_run(r->board, MS);
		assert_true(r->board->irq[IRQ]);
		assert_int_equal(in8(r->board, STATUS), DRQ);
		assert_false(r->board->irq[IRQ]);
		assert_int_equal(read_tag(r), 1000 + i);
	}
	board_run(r->board, MS);
	assert_false(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, STATUS), READY);
	assert_int_equal(in8(r->board, COUNT), 0);
	assert_int_equal(in8(r->board, LOW), (u8)1002);
	assert_int_equal(r->board->rises[IRQ], 3);
}

/* Polling must work even where the run loop gets to its timers late. */
static void busy_ends_without_the_timer(void **state)
{
	struct rig *r = *state;

	command_lba(r, 0x20, 5, 1);
	assert_int_equal(in8(r->board, STATUS) & BSY, BSY);
	r->board->now += MS;
	assert_int_equal(in8(r->board, STATUS), DRQ);
	assert_int_equal(read_tag(r), 5);
}

static void read_by_chs_crosses_tracks(void **state)
{
	struct rig *r = *state;

	command_chs(r, 0x20, 305, 2, 17, 2);
	board_run(r->board, MS);
	assert_int_equal(read_tag(r), (305 * 4 + 2) * 17 + 16);
	board_run(r->board, MS);
	assert_int_equal(read_tag(r), (305 * 4 + 3) * 17);
	assert_int_equal(in8(r->board, DEVICE), 0xa3);
	assert_int_equal(in8(r->board, LOW), 1);
	assert_int_equal(in8(r->board, MID) | in8(r->board, HIGH) << 8, 305);
}

static void write_interrupts_after_each_sector(void **state)
{
	struct rig *r = *state;
	u8 sector[512];

	command_lba(r, 0x30, 7, 2);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, CONTROL), DRQ);
	assert_false(r->board->irq[IRQ]);
	memset(sector, 0xa5, 512);
	assert_int_equal(bus_outs(&r->board->bus, DATA, 2, sector, 256), 256);
	assert_int_equal(in8(r->board, CONTROL) & BSY, BSY);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, STATUS), DRQ);
	memset(sector, 0x5a, 512);
	assert_int_equal(bus_outs(&r->board->bus, DATA, 4, sector, 128), 128);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, STATUS), READY);
	assert_int_equal(r->data[0][7 * 512 + 511], 0xa5);
	assert_int_equal(r->data[0][8 * 512], 0x5a);
	assert_int_equal(r->data[0][9 * 512], 9);
}

static void data_port_takes_every_width(void **state)
{
	struct rig *r = *state;
	u8 rest[512];

	command_lba(r, 0x20, 0x12345 % SECTORS, 1);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, DATA), (u8)(0x12345 % SECTORS));
	assert_int_equal(in8(r->board, DATA), (u8)((0x12345 % SECTORS) >> 8));
	assert_int_equal(in16(r->board, DATA), 0);
	assert_int_equal(in32(r->board, DATA), 0);
	assert_int_equal(bus_ins(&r->board->bus, DATA, 1, rest, 512), 504);
	assert_int_equal(in8(r->board, CONTROL), READY);
	/* Nothing is left: the bus floats, and a block transfer ends all the same. */
	assert_int_equal(in16(r->board, DATA), 0xffff);
	assert_int_equal(bus_ins(&r->board->bus, DATA, 2, rest, 8), 8);
	assert_int_equal(rest[0], 0xff);
}

static void multiple_mode(void **state)
{
	struct rig *r = *state;
	u8 buf[8 * 512];

	command_lba(r, 0xc4, 10, 8); /* not set up yet */
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), 0x51);
	assert_int_equal(in8(r->board, ERROR), 0x04);
	out8(r->board, COUNT, 3); /* no power of two */
	simple(r, 0xc6);
	assert_int_equal(in8(r->board, STATUS), 0x51);
	out8(r->board, COUNT, 8);
	simple(r, 0xc6);
	assert_int_equal(in8(r->board, STATUS), READY);

	command_lba(r, 0xc4, 10, 12);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), DRQ);
	assert_int_equal(bus_ins(&r->board->bus, DATA, 2, buf, 8 * 256), 8 * 256);
	assert_int_equal(buf[7 * 512], 17);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, STATUS), DRQ);
	assert_int_equal(bus_ins(&r->board->bus, DATA, 2, buf, 8 * 256), 4 * 256);
	assert_int_equal(buf[3 * 512], 21);
	assert_int_equal(in8(r->board, STATUS), READY);

	memset(buf, 0x77, sizeof(buf));
	command_lba(r, 0xc5, 100, 8);
	board_run(r->board, MS);
	assert_int_equal(bus_outs(&r->board->bus, DATA, 2, buf, 8 * 256), 8 * 256);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(r->data[0][107 * 512], 0x77);
	assert_int_equal(r->data[0][108 * 512], 108);
}

static void addresses_outside_are_not_found(void **state)
{
	struct rig *r = *state;

	command_lba(r, 0x20, SECTORS, 1);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), 0x51);
	assert_int_equal(in8(r->board, ERROR), 0x10);
	command_chs(r, 0x20, 0, 0, 0, 1);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, ERROR), 0x10);
	command_chs(r, 0x20, 0, 4, 1, 1);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, ERROR), 0x10);
	command_chs(r, 0x20, 0, 0, 18, 1);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, ERROR), 0x10);

	/* A transfer that runs over the end delivers what there is. */
	command_lba(r, 0x20, SECTORS - 1, 2);
	board_run(r->board, MS);
	assert_int_equal(read_tag(r), SECTORS - 1);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), 0x51);
	assert_int_equal(in8(r->board, ERROR), 0x10);
}

static void initialize_parameters_changes_the_translation(void **state)
{
	struct rig *r = *state;
	u16 id[256];

	out8(r->board, DEVICE, 0xa7); /* 8 heads */
	out8(r->board, COUNT, 34);
	simple(r, 0x91);
	assert_int_equal(in8(r->board, STATUS), READY);
	command_chs(r, 0x20, 2, 7, 34, 1);
	board_run(r->board, MS);
	assert_int_equal(read_tag(r), (2 * 8 + 7) * 34 + 33);
	simple(r, 0xec);
	bus_ins(&r->board->bus, DATA, 2, id, 256);
	assert_int_equal(id[1], 306);
	assert_int_equal(id[3], 4);
	assert_int_equal(id[6], 17);
	assert_int_equal(id[54], SECTORS / (8 * 34));
	assert_int_equal(id[55], 8);
	assert_int_equal(id[56], 34);
}

static void identify_describes_the_disk(void **state)
{
	struct rig *r = *state;
	u16 id[256];

	simple(r, 0xec);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, STATUS), DRQ);
	bus_ins(&r->board->bus, DATA, 2, id, 256);
	assert_int_equal(id[0], 0x40);
	assert_int_equal(id[60] | id[61] << 16, SECTORS);
	assert_int_equal(id[100], SECTORS);
	assert_memory_equal((u8 *)id + 54, "AFBRSUD SI K ", 13);
	assert_int_equal(id[49] & 0x0300, 0x0300);
	assert_int_equal(id[59], 0);
	out8(r->board, COUNT, 16);
	simple(r, 0xc6);
	simple(r, 0xec);
	bus_ins(&r->board->bus, DATA, 2, id, 256);
	assert_int_equal(id[59], 0x0110);
}

static void lba48(void **state)
{
	struct rig *r = *state;
	struct board *b = r->board;

	out8(b, DEVICE, 0xe0);
	out8(b, COUNT, 0x01);
	out8(b, COUNT, 0x00); /* 256 sectors */
	out8(b, LOW, 0);
	out8(b, LOW, 0x34);
	out8(b, MID, 0);
	out8(b, MID, 0x12);
	out8(b, HIGH, 0);
	out8(b, HIGH, 0);
	out8(b, STATUS, 0x24);
	for (u32 i = 0; i < 256; i++) {
		board_run(b, MS);
		assert_int_equal(read_tag(r), 0x1234 + i);
	}
	assert_int_equal(in8(b, STATUS), READY);
	out8(b, CONTROL, 0x80);
	assert_int_equal(in8(b, LOW), 0); /* bits 24-31 */
	out8(b, CONTROL, 0);
	assert_int_equal(in8(b, LOW), 0x33);
}

static void commands_without_data(void **state)
{
	struct rig *r = *state;

	simple(r, 0x10);
	assert_int_equal(in8(r->board, STATUS), READY);
	simple(r, 0x1f);
	assert_int_equal(in8(r->board, STATUS), READY);
	command_chs(r, 0x70, 305, 3, 17, 0);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), READY);
	command_chs(r, 0x70, 307, 3, 17, 0);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), 0x51);
	command_lba(r, 0x40, 0, 0);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), READY);
	simple(r, 0xe5);
	assert_int_equal(in8(r->board, COUNT), 0xff);
	simple(r, 0xe0);
	simple(r, 0xe5);
	assert_int_equal(in8(r->board, COUNT), 0x00);
	simple(r, 0xe7);
	assert_int_equal(in8(r->board, STATUS), READY);
	/* The commands a disk does not have. */
	static const u8 unknown[] = {0x00, 0x08, 0xa0, 0xa1, 0xb0, 0xf5, 0xff};

	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		simple(r, unknown[i]);
		assert_int_equal(in8(r->board, STATUS), 0x51);
		assert_int_equal(in8(r->board, ERROR), 0x04);
	}
}

static void set_features(void **state)
{
	struct rig *r = *state;
	u16 id[256];

	out8(r->board, ERROR, 0x03);
	out8(r->board, COUNT, 0x22);
	simple(r, 0xef);
	assert_int_equal(in8(r->board, STATUS), READY);
	simple(r, 0xec);
	bus_ins(&r->board->bus, DATA, 2, id, 256);
	assert_int_equal(id[63], 0x0407);
	out8(r->board, ERROR, 0x03);
	out8(r->board, COUNT, 0x47); /* a mode the drive does not have */
	simple(r, 0xef);
	assert_int_equal(in8(r->board, STATUS), 0x51);
	out8(r->board, ERROR, 0x99);
	simple(r, 0xef);
	assert_int_equal(in8(r->board, STATUS), 0x51);
}

static void nien_masks_the_line(void **state)
{
	struct rig *r = *state;

	out8(r->board, CONTROL, 0x02);
	simple(r, 0x10);
	assert_false(r->board->irq[IRQ]);
	out8(r->board, CONTROL, 0x00);
	assert_true(r->board->irq[IRQ]);
	in8(r->board, CONTROL); /* the alternate status leaves it alone */
	assert_true(r->board->irq[IRQ]);
	in8(r->board, STATUS);
	assert_false(r->board->irq[IRQ]);
}

static void software_reset(void **state)
{
	struct rig *r = *state;

	command_lba(r, 0x20, 5, 1);
	board_run(r->board, MS);
	out8(r->board, CONTROL, 0x04);
	assert_false(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, STATUS), BSY);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), BSY);
	out8(r->board, CONTROL, 0x00);
	assert_int_equal(in8(r->board, STATUS), BSY);
	board_run(r->board, 2 * MS);
	assert_int_equal(in8(r->board, STATUS), READY);
	assert_int_equal(in8(r->board, ERROR), 1);
	assert_int_equal(in8(r->board, COUNT), 1);
	assert_int_equal(in8(r->board, LOW), 1);
	assert_int_equal(in8(r->board, MID), 0);
	assert_int_equal(in8(r->board, HIGH), 0);
	assert_false(r->board->irq[IRQ]);
}

static void diagnostic(void **state)
{
	struct rig *r = *state;

	out8(r->board, DEVICE, 0xb0); /* works for a missing slave too */
	simple(r, 0x90);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, DEVICE) & 0x10, 0);
	assert_int_equal(in8(r->board, ERROR), 1);
	assert_int_equal(in8(r->board, STATUS), READY);
}

static void a_missing_slave_has_no_status(void **state)
{
	struct rig *r = *state;

	out8(r->board, DEVICE, 0xb0);
	assert_int_equal(in8(r->board, DEVICE), 0xb0);
	assert_int_equal(in8(r->board, STATUS), 0);
	out8(r->board, STATUS, 0xec);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), 0);
	assert_false(r->board->irq[IRQ]);
	out8(r->board, DEVICE, 0xa0);
	assert_int_equal(in8(r->board, STATUS), READY);
}

static void an_empty_channel_floats(void **state)
{
	struct rig *r = *state;

	for (u16 port = 0x170; port < 0x178; port++)
		assert_int_equal(in8(r->board, port), 0xff);
	out8(r->board, 0x177, 0xec);
	assert_int_equal(in8(r->board, 0x376), 0xff);
	assert_int_equal(in16(r->board, 0x170), 0xffff);
}

static void master_and_slave(void **state)
{
	struct rig *r = rig_new(true, true);

	(void)state;
	r->data[1][0] = 0xee;
	out8(r->board, DEVICE, 0xf0);
	out8(r->board, COUNT, 1);
	out8(r->board, LOW, 0);
	out8(r->board, MID, 0);
	out8(r->board, HIGH, 0);
	out8(r->board, STATUS, 0x20);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	out8(r->board, DEVICE, 0xe0); /* the line follows the selected drive */
	assert_false(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, STATUS), READY);
	out8(r->board, DEVICE, 0xf0);
	assert_int_equal(in8(r->board, STATUS), DRQ);
	assert_int_equal(read_tag(r), 0xee);
	teardown((void **)&r);
}

static void put_prd(struct rig *r, u32 at, u32 address, u32 count, bool last)
{
	u32 entry[2] = {address, count | (last ? 0x80000000u : 0)};

	memcpy(r->board->ram + at, entry, 8);
}

static void dma_read_and_write(void **state)
{
	struct rig *r = *state;
	u32 tag;

	put_prd(r, 0x1000, 0x2000, 512 + 256, false);
	put_prd(r, 0x1008, 0x8000, 3 * 512 - 256, true);
	out32(r->board, BM + 4, 0x1000);
	out8(r->board, BM, 0x08);
	out8(r->board, BM + 2, 0x06);
	command_lba(r, 0xc8, 50, 4);
	out8(r->board, BM, 0x09);
	assert_int_equal(in8(r->board, BM + 2) & 7, 1);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, BM + 2) & 7, 4);
	assert_int_equal(in8(r->board, STATUS), READY);
	memcpy(&tag, r->board->ram + 0x2000, 4);
	assert_int_equal(tag, 50);
	memcpy(&tag, r->board->ram + 0x8000 + 256, 4);
	assert_int_equal(tag, 52);
	out8(r->board, BM, 0);
	out8(r->board, BM + 2, 0x04);
	assert_int_equal(in8(r->board, BM + 2) & 7, 0);

	/* Started before the command; to the disk this time. */
	memset(r->board->ram + 0x2000, 0x99, 512);
	put_prd(r, 0x1000, 0x2000, 512, true);
	out8(r->board, BM, 0x01);
	command_lba(r, 0xca, 60, 1);
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), READY);
	assert_int_equal(r->data[0][60 * 512 + 100], 0x99);
}

static void dma_with_a_short_table_waits_for_a_reset(void **state)
{
	struct rig *r = *state;

	put_prd(r, 0x1000, 0x2000, 512, true);
	out32(r->board, BM + 4, 0x1000);
	command_lba(r, 0xc8, 50, 2);
	out8(r->board, BM, 0x09);
	board_run(r->board, 100 * MS);
	assert_int_equal(in8(r->board, STATUS) & BSY, BSY);
	assert_int_equal(in8(r->board, BM + 2) & 7, 0);
	assert_false(r->board->irq[IRQ]);
	out8(r->board, CONTROL, 0x04);
	out8(r->board, CONTROL, 0x00);
	board_run(r->board, 2 * MS);
	assert_int_equal(in8(r->board, STATUS), READY);
}

static void dma_into_nowhere_is_harmless(void **state)
{
	struct rig *r = *state;

	put_prd(r, 0x1000, 0xfffffff0, 0, true); /* 64 KB past the end of everything */
	out32(r->board, BM + 4, 0x1000);
	command_lba(r, 0xc8, 0, 128);
	out8(r->board, BM, 0x09);
	board_run(r->board, MS);
	out32(r->board, BM + 4, 0xfffffffc); /* a table outside memory */
	command_lba(r, 0xc8, 0, 128);
	out8(r->board, BM, 0x00);
	out8(r->board, BM, 0x09);
	board_run(r->board, MS);
}

static void bus_master_ports_move(void **state)
{
	struct rig *r = *state;

	bmdma_map(&r->bmdma, 0xd001, true);
	assert_int_equal(in8(r->board, BM + 2), 0xff);
	assert_int_equal(in8(r->board, 0xd002) & 7, 0);
	bmdma_map(&r->bmdma, 0xd001, false);
	assert_int_equal(in8(r->board, 0xd002), 0xff);
	bmdma_map(&r->bmdma, 0xfffffff1, true);
}

/* Whatever a guest does at these ports, nothing but its own disk and memory changes. */
static void random_accesses(void **state)
{
	static const unsigned widths[3] = {1, 2, 4};
	struct rig *r = rig_new(true, true);
	u8 buf[64];
	u32 value;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 300000; i++) {
		u16 port = rand() % 4 ? 0x1f0 + rand() % 8 : rand() % 2 ? 0x3f6 : BM + rand() % 16;
		unsigned width = widths[rand() % 3];

		if (rand() % 4 == 0)
			bus_ins(&r->board->bus, DATA, width, buf, rand() % 16);
		else if (rand() % 4 == 0)
			bus_outs(&r->board->bus, DATA, width, buf, rand() % 16);
		else if (rand() % 3 == 0)
			bus_in(&r->board->bus, port, width, &value);
		else
			bus_out(&r->board->bus, port, width, (u32)rand());
		if (rand() % 4 == 0)
			board_run(r->board, 5000);
	}
	teardown((void **)&r);
}

/* A write of the command register ends INTRQ, also that of command 90h. */
static void diagnostic_has_an_edge_of_its_own(void **state)
{
	struct rig *r = *state;

	simple(r, 0xe5);
	assert_true(r->board->irq[IRQ]);
	out8(r->board, STATUS, 0x90);
	assert_false(r->board->irq[IRQ]);
	board_run(r->board, MS);
	assert_int_equal(r->board->rises[IRQ], 2);
	assert_int_equal(in8(r->board, STATUS), READY);
}

/* ATA-6, 7.8: every register of the command block, these two as well. */
static void device_and_command_end_hob(void **state)
{
	struct rig *r = *state;

	out8(r->board, COUNT, 0x12);
	out8(r->board, COUNT, 0x34);
	out8(r->board, CONTROL, 0x80);
	assert_int_equal(in8(r->board, COUNT), 0x12);
	out8(r->board, DEVICE, 0xa0);
	assert_int_equal(in8(r->board, COUNT), 0x34);
	out8(r->board, CONTROL, 0x80);
	assert_int_equal(in8(r->board, COUNT), 0x12);
	simple(r, 0x00);
	assert_int_equal(in8(r->board, COUNT), 0x34);
}

static void expect_both_ready(struct rig *r)
{
	board_run(r->board, MS);
	assert_int_equal(in8(r->board, STATUS), READY);
	out8(r->board, DEVICE, 0xb0);
	assert_int_equal(in8(r->board, STATUS), READY);
	assert_int_equal(in8(r->board, LOW), 1);
	out8(r->board, DEVICE, 0xa0);
}

/* Both drives are busy then: one command must not leave the other drive so for good. */
static void a_self_test_takes_no_command(void **state)
{
	struct rig *r = rig_new(true, true);

	(void)state;
	out8(r->board, CONTROL, 0x04);
	out8(r->board, CONTROL, 0x00);
	out8(r->board, STATUS, 0xe5);
	expect_both_ready(r);
	out8(r->board, STATUS, 0x90);
	out8(r->board, STATUS, 0xe5);
	expect_both_ready(r);
	teardown((void **)&r);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(read_by_lba_interrupts_for_each_sector),
		TEST(busy_ends_without_the_timer),
		TEST(read_by_chs_crosses_tracks),
		TEST(write_interrupts_after_each_sector),
		TEST(data_port_takes_every_width),
		TEST(multiple_mode),
		TEST(addresses_outside_are_not_found),
		TEST(initialize_parameters_changes_the_translation),
		TEST(identify_describes_the_disk),
		TEST(lba48),
		TEST(commands_without_data),
		TEST(set_features),
		TEST(nien_masks_the_line),
		TEST(software_reset),
		TEST(diagnostic),
		TEST(a_missing_slave_has_no_status),
		TEST(an_empty_channel_floats),
		cmocka_unit_test(master_and_slave),
		TEST(dma_read_and_write),
		TEST(dma_with_a_short_table_waits_for_a_reset),
		TEST(dma_into_nowhere_is_harmless),
		TEST(bus_master_ports_move),
		cmocka_unit_test(random_accesses),
		TEST(diagnostic_has_an_edge_of_its_own),
		TEST(device_and_command_end_hob),
		cmocka_unit_test(a_self_test_takes_no_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
