/* SPDX-License-Identifier: BSD-2-Clause */
/* The CD-ROM drive: signature, packets in PIO with byte count limits and by DMA, sense data. */
#include "tests/unit/devices/support.h"
#include "devices/block.h"
#include "devices/bmdma.h"
#include "devices/ide.h"
#include <stdlib.h>
#include <string.h>

#define BASE	0x170
#define CONTROL 0x376
#define BM	0xc008
#define IRQ	15
#define SECTORS 400u

#define READY 0x50
#define DRQ   0x58
#define CHECK 0x51

struct rig {
	struct board *board;
	struct ide_channel first, ide;
	struct bmdma bmdma;
	struct block block;
	u8 *data;
};

static int make(void **state, bool disc)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct ide_config empty = {.name = "ide0", .command_base = 0x1f0, .control_port = 0x3f6};
	struct ide_config config = {.name = "ide1", .command_base = BASE, .control_port = CONTROL};

	r->board = board_new();
	config.bus = empty.bus = &r->board->bus;
	config.clock = empty.clock = &r->board->clock;
	empty.irq = board_pin(r->board, 14);
	config.irq = board_pin(r->board, IRQ);
	r->data = calloc(SECTORS, 2048);
	for (u32 s = 0; s < SECTORS; s++)
		memcpy(r->data + s * 2048, &s, 4);
	assert_int_equal(block_from_memory(&r->block, "x.iso", r->data, SECTORS * 2048, 2048), 0);
	config.drive[0].kind = IDE_CDROM;
	config.drive[0].block = disc ? &r->block : NULL;
	assert_int_equal(ide_init(&r->first, &empty), 0);
	assert_int_equal(ide_init(&r->ide, &config), 0);
	assert_int_equal(bmdma_init(&r->bmdma, &r->board->bus, &r->board->mem, &r->first, &r->ide),
			 0);
	bmdma_map(&r->bmdma, 0xc000, true);
	*state = r;
	return 0;
}

static int setup(void **state)
{
	return make(state, true);
}

static int setup_empty(void **state)
{
	return make(state, false);
}

static int teardown(void **state)
{
	struct rig *r = *state;

	board_free(r->board);
	free(r->data);
	free(r);
	return 0;
}

static u8 status(struct rig *r)
{
	return in8(r->board, BASE + 7);
}

static u8 reason(struct rig *r)
{
	return in8(r->board, BASE + 2);
}

static u32 byte_count(struct rig *r)
{
	return in8(r->board, BASE + 4) | in8(r->board, BASE + 5) << 8;
}

static void send_packet(struct rig *r, const u8 *packet, u32 limit, bool dma)
{
	out8(r->board, BASE + 1, dma);
	out8(r->board, BASE + 4, (u8)limit);
	out8(r->board, BASE + 5, (u8)(limit >> 8));
	out8(r->board, BASE + 7, 0xa0);
	board_run(r->board, MS);
	assert_int_equal(status(r), DRQ);
	assert_int_equal(reason(r), 1);
	assert_false(r->board->irq[IRQ]);
	bus_outs(&r->board->bus, BASE, 2, packet, 6);
	board_run(r->board, MS);
}

/* Runs a packet in PIO to its end; returns the bytes that came, the status stays to be read. */
static u32 run_packet(struct rig *r, const u8 *packet, u32 limit, u8 *reply)
{
	u32 total = 0;

	send_packet(r, packet, limit, false);
	for (;;) {
		u32 count;

		assert_true(r->board->irq[IRQ]);
		if (!(status(r) & 8))
			break;
		assert_int_equal(reason(r), 2);
		count = byte_count(r);
		assert_in_range(count, 1, limit);
		bus_ins(&r->board->bus, BASE, 2, reply + total, (count + 1) / 2);
		total += count;
		board_run(r->board, MS);
	}
	assert_int_equal(reason(r), 3);
	return total;
}

static void expect_sense(struct rig *r, u8 key, u8 asc)
{
	const u8 request[12] = {0x03, 0, 0, 0, 18};
	u8 sense[18];

	assert_int_equal(status(r), CHECK);
	assert_int_equal(in8(r->board, BASE + 1) >> 4, key);
	assert_int_equal(run_packet(r, request, 64, sense), 18);
	assert_int_equal(sense[0], 0x70);
	assert_int_equal(sense[2], key);
	assert_int_equal(sense[12], asc);
}

static void signature_after_reset_and_identify(void **state)
{
	struct rig *r = *state;
	u16 id[256];

	assert_int_equal(byte_count(r), 0xeb14);
	assert_int_equal(status(r), 0);
	out8(r->board, BASE + 7, 0xec);
	board_run(r->board, MS);
	assert_int_equal(status(r), CHECK);
	assert_int_equal(in8(r->board, BASE + 1), 4);
	assert_int_equal(byte_count(r), 0xeb14);
	out8(r->board, BASE + 7, 0xa1);
	board_run(r->board, MS);
	assert_int_equal(status(r), DRQ);
	bus_ins(&r->board->bus, BASE, 2, id, 256);
	assert_int_equal(id[0], 0x85c0);
	out8(r->board, BASE + 4, 0);
	out8(r->board, BASE + 7, 0x08);
	board_run(r->board, MS);
	assert_int_equal(status(r), 0);
	assert_int_equal(byte_count(r), 0xeb14);
}

static void inquiry_and_capacity(void **state)
{
	struct rig *r = *state;
	const u8 inquiry[12] = {0x12, 0, 0, 0, 36}, capacity[12] = {0x25}, ready[12] = {0};
	u8 reply[64];

	assert_int_equal(run_packet(r, ready, 8, reply), 0);
	assert_int_equal(status(r), READY);
	assert_int_equal(run_packet(r, inquiry, 64, reply), 36);
	assert_int_equal(reply[0], 5);
	assert_memory_equal(reply + 8, "FARBUS  CD-ROM", 14);
	assert_int_equal(run_packet(r, capacity, 8, reply), 8);
	assert_memory_equal(reply, "\0\0\x01\x8f\0\0\x08\0", 8);
}

static void replies_are_cut_to_the_limits(void **state)
{
	struct rig *r = *state;
	const u8 inquiry[12] = {0x12, 0, 0, 0, 5};
	const u8 whole[12] = {0x12, 0, 0, 0, 36};
	const u8 nothing[12] = {0x12};
	u8 reply[64];

	assert_int_equal(run_packet(r, inquiry, 64, reply), 5);
	assert_int_equal(run_packet(r, whole, 10, reply), 36); /* in four blocks */
	assert_memory_equal(reply + 8, "FARBUS  CD-ROM", 14);
	assert_int_equal(run_packet(r, nothing, 64, reply), 0);
}

static void read_in_pio(void **state)
{
	struct rig *r = *state;
	const u8 read10[12] = {0x28, 0, 0, 0, 1, 0, 0, 0, 20};
	const u8 read12[12] = {0xa8, 0, 0, 0, 0, 10, 0, 0, 0, 2};
	static const u32 limits[] = {0xfffe, 2048, 4096, 3000, 512, 7};
	u8 *reply = calloc(20, 2048);

	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		memset(reply, 0, 20 * 2048);
		assert_int_equal(run_packet(r, read10, limits[i], reply), 20 * 2048);
		assert_int_equal(status(r), READY);
		assert_memory_equal(reply, r->data + 256 * 2048, 20 * 2048);
	}
	assert_int_equal(run_packet(r, read12, 2048, reply), 2 * 2048);
	assert_memory_equal(reply, r->data + 10 * 2048, 2 * 2048);
	free(reply);
}

static void read_by_dma(void **state)
{
	struct rig *r = *state;
	const u8 read10[12] = {0x28, 0, 0, 0, 0, 3, 0, 0, 30};
	u32 prd[2] = {0x10000, 30 * 2048 | 0x80000000u};

	memcpy(r->board->ram + 0x1000, prd, 8);
	out32(r->board, BM + 4, 0x1000);
	send_packet(r, read10, 0, true);
	assert_false(r->board->irq[IRQ]);
	out8(r->board, BM, 0x09);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, BM + 2) & 7, 4);
	assert_int_equal(status(r), READY);
	assert_int_equal(reason(r), 3);
	assert_memory_equal(r->board->ram + 0x10000, r->data + 3 * 2048, 30 * 2048);
}

static void errors_have_sense(void **state)
{
	struct rig *r = *state;
	const u8 far[12] = {0x28, 0, 0, 0, 1, 0x8f, 0, 0, 2};
	const u8 wild[12] = {0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const u8 unknown[12] = {0x2a}, saved[12] = {0x5a, 0, 0xea, 0, 0, 0, 0, 0, 64};
	u8 reply[64];

	assert_int_equal(run_packet(r, far, 2048, reply), 0);
	expect_sense(r, 5, 0x21);
	assert_int_equal(run_packet(r, wild, 2048, reply), 0);
	expect_sense(r, 5, 0x21);
	assert_int_equal(run_packet(r, unknown, 2048, reply), 0);
	expect_sense(r, 5, 0x20);
	assert_int_equal(run_packet(r, saved, 2048, reply), 0);
	expect_sense(r, 5, 0x39);
}

static void table_of_contents(void **state)
{
	struct rig *r = *state;
	const u8 lba[12] = {0x43, 0, 0, 0, 0, 0, 0, 0, 100};
	const u8 msf[12] = {0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100};
	const u8 raw[12] = {0x43, 0, 2, 0, 0, 0, 0, 0, 100};
	u8 reply[128];

	assert_int_equal(run_packet(r, lba, 128, reply), 20);
	assert_memory_equal(reply, "\0\x12\x01\x01\0\x14\x01\0\0\0\0\0\0\x14\xaa\0\0\0\x01\x90",
			    20);
	assert_int_equal(run_packet(r, msf, 128, reply), 12);
	assert_memory_equal(reply + 4, "\0\x14\xaa\0\0\0\x07\x19", 8); /* 550 frames */
	assert_int_equal(run_packet(r, raw, 128, reply), 48);
}

static void descriptions(void **state)
{
	struct rig *r = *state;
	const u8 mode[12] = {0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 128};
	const u8 configuration[12] = {0x46, 0, 0, 0, 0, 0, 0, 0, 128};
	const u8 event[12] = {0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8};
	const u8 mechanism[12] = {0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8};
	u8 reply[256];

	assert_int_equal(run_packet(r, mode, 256, reply), 28);
	assert_int_equal(reply[8], 0x2a);
	assert_int_equal(run_packet(r, configuration, 256, reply), 52);
	assert_int_equal(reply[3], 48);
	assert_int_equal(reply[7], 8);
	assert_int_equal(run_packet(r, event, 256, reply), 8);
	assert_int_equal(reply[5], 2);
	assert_int_equal(run_packet(r, mechanism, 256, reply), 8);
}

static void subchannel(void **state)
{
	struct rig *r = *state;
	u8 packet[12] = {0x42, 0, 0x40, 1, 0, 0, 0, 0, 24}, reply[64];

	assert_int_equal(run_packet(r, packet, 64, reply), 16);
	assert_memory_equal(reply, "\0\x15\0\x0c\x01\x14\x01\x01", 8);
	packet[3] = 2; /* media catalogue number: none */
	assert_int_equal(run_packet(r, packet, 64, reply), 24);
	assert_memory_equal(reply, "\0\x15\0\x14\x02\0\0\0\0", 9);
	packet[3] = 3; /* ISRC: none */
	packet[6] = 1;
	assert_int_equal(run_packet(r, packet, 64, reply), 24);
	assert_memory_equal(reply, "\0\x15\0\x14\x03\x14\x01\0\0", 9);
	packet[3] = 0;
	run_packet(r, packet, 64, reply);
	expect_sense(r, 5, 0x24);
	packet[2] = 0; /* the header alone, whatever the format */
	assert_int_equal(run_packet(r, packet, 64, reply), 4);
	assert_memory_equal(reply, "\0\x15\0\0", 4);
}

static void tray_and_lock(void **state)
{
	struct rig *r = *state;
	const u8 lock[12] = {0x1e, 0, 0, 0, 1}, unlock[12] = {0x1e};
	const u8 eject[12] = {0x1b, 0, 0, 0, 2}, load[12] = {0x1b, 0, 0, 0, 3}, ready[12] = {0};
	u8 reply[32];

	run_packet(r, lock, 32, reply);
	run_packet(r, eject, 32, reply);
	expect_sense(r, 5, 0x53);
	run_packet(r, unlock, 32, reply);
	run_packet(r, eject, 32, reply);
	assert_int_equal(status(r), READY);
	run_packet(r, ready, 32, reply);
	expect_sense(r, 2, 0x3a);
	run_packet(r, load, 32, reply);
	run_packet(r, ready, 32, reply);
	expect_sense(r, 6, 0x28);
	run_packet(r, ready, 32, reply);
	assert_int_equal(status(r), READY);
}

static void without_a_disc(void **state)
{
	struct rig *r = *state;
	const u8 ready[12] = {0}, inquiry[12] = {0x12, 0, 0, 0, 36}, capacity[12] = {0x25};
	const u8 unknown[12] = {0x55};
	u8 reply[64];

	run_packet(r, ready, 8, reply);
	expect_sense(r, 2, 0x3a);
	run_packet(r, unknown, 8, reply); /* what it does not know needs no disc */
	expect_sense(r, 5, 0x20);
	run_packet(r, capacity, 8, reply);
	expect_sense(r, 2, 0x3a);
	assert_int_equal(run_packet(r, inquiry, 64, reply), 36);
}

static void random_packets(void **state)
{
	static const u8 codes[] = {0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x42, 0x43, 0x46,
				   0x4a, 0x4e, 0x51, 0x5a, 0xa8, 0xbb, 0xbd, 0xbe, 0x55, 0xff};
	struct rig *r = *state;
	u32 prd[2] = {0x10000, 0x80000000u};
	u8 buf[512];

	memcpy(r->board->ram + 0x1000, prd, 8);
	out32(r->board, BM + 4, 0x1000);
	srand(2);
	for (unsigned i = 0; i < 20000; i++) {
		u8 packet[12];

		for (unsigned n = 0; n < 12; n++)
			packet[n] = rand() % 3 ? 0 : (u8)rand();
		packet[0] = codes[(unsigned)rand() % sizeof(codes)];
		out8(r->board, BASE + 1, rand() % 4 == 0);
		out8(r->board, BASE + 4, (u8)rand());
		out8(r->board, BASE + 5, (u8)(rand() % 64));
		out8(r->board, BM, rand() % 2 ? 9 : 0);
		out8(r->board, BASE + 7, 0xa0);
		board_run(r->board, 20000);
		bus_outs(&r->board->bus, BASE, 2, packet, 6);
		for (unsigned n = 0; n < 20; n++) {
			board_run(r->board, 20000);
			status(r);
			bus_ins(&r->board->bus, BASE, 2, buf, (u32)rand() % 256);
		}
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(signature_after_reset_and_identify),
		TEST(inquiry_and_capacity),
		TEST(replies_are_cut_to_the_limits),
		TEST(read_in_pio),
		TEST(read_by_dma),
		TEST(errors_have_sense),
		TEST(table_of_contents),
		TEST(descriptions),
		TEST(subchannel),
		TEST(tray_and_lock),
		cmocka_unit_test_setup_teardown(without_a_disc, setup_empty, teardown),
		TEST(random_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
