/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drivers at a disk and a CD-ROM drive behind a remote route, and at the same drives in their own
 * PC: the same data, the same number of interrupts, the same contents of the disk afterwards.
 */
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_drives.h"

#define BYTES (128 * 512)

static const struct profile *const profiles[] = {NULL, &profile_strict, &profile_ata};

/* What a driver's run left, compared with that of the drives in the same PC. */
struct outcome {
	u32 interrupts;
	u8 data[BYTES];
};

typedef void (*job)(struct drives *d, u8 *data);

static void compare_on(job run, unsigned loss, u64 delay, bool slow)
{
	static struct outcome local, other;
	u8 *disk = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(profiles); i++) {
		struct drives *d = drives_new(profiles[i]);
		struct outcome *o = i ? &other : &local;

		d->r->loss = loss;
		d->r->delay = delay;
		if (slow) /* against all else */
			d->r->wire_ns = d->r->access_ns = d->r->instruction_ns = 30;
		memset(o, 0, sizeof(*o));
		run(d, o->data);
		/* what is posted, and an interrupt too many */
		route_run(d->r, 100 * MS);
		assert_false(d->r->pending);
		o->interrupts = d->r->interrupts;
		if (i == 0) {
			disk = malloc(DISK_SECTORS * 512);
			memcpy(disk, d->disk, DISK_SECTORS * 512);
		}
		assert_int_equal(o->interrupts, local.interrupts);
		assert_memory_equal(o->data, local.data, BYTES);
		assert_memory_equal(d->disk, disk, DISK_SECTORS * 512);
		drives_free(d);
	}
	free(disk);
}

static void compare(job run)
{
	compare_on(run, 0, 0, false);
}

static void linux13_single(struct drives *d, u8 *data)
{
	struct guest *g = drives_guest(d, 0);

	assert_true(linux13_read(g, 77, 5, 0, data));
	assert_memory_equal(data, d->disk + 77 * 512, 5 * 512);
	assert_true(linux13_read(g, 0, 128, 0, data));
	assert_memory_equal(data, d->disk, 128 * 512);
	assert_true(linux13_write(g, 1000, 7, 0, data + 100));
	assert_memory_equal(d->disk + 1000 * 512, data + 100, 7 * 512);
	assert_true(linux13_read(g, 1001, 7, 0, data));
}

static void linux13_multiple(struct drives *d, u8 *data)
{
	struct guest *g = drives_guest(d, 0);

	for (u8 unit = 2; unit <= 16; unit *= 2) {
		assert_true(linux13_set_multiple(g, unit));
		assert_true(linux13_read(g, 300, 128, unit, data));
		assert_memory_equal(data, d->disk + 300 * 512, 128 * 512);
		assert_true(linux13_read(g, 5, 21, unit, data));
		assert_memory_equal(data, d->disk + 5 * 512, 21 * 512);
		assert_true(linux13_write(g, 2000, 37, unit, data));
		assert_memory_equal(d->disk + 2000 * 512, data, 37 * 512);
	}
	assert_false(linux13_set_multiple(g, 32)); /* more than the drive can */
}

static void libata(struct drives *d, u8 *data)
{
	struct guest *g = drives_guest(d, 0);

	for (u32 unit = 0; unit <= 16; unit += 8) {
		if (unit)
			assert_true(linux13_set_multiple(g, (u8)unit));
		for (unsigned ext = 0; ext < 2; ext++) {
			assert_true(libata_read(g, 40, 33, unit, ext, data));
			assert_memory_equal(data, d->disk + 40 * 512, 33 * 512);
			assert_true(libata_write(g, 3000, 20, unit, ext, data));
			assert_memory_equal(d->disk + 3000 * 512, data, 20 * 512);
			assert_true(libata_read(g, 3001, 128, unit, ext, data));
		}
	}
	assert_false(libata_read(g, DISK_SECTORS - 1, 2, 0, false, data)); /* beyond the end */
	assert_true(libata_read(g, DISK_SECTORS - 2, 2, 0, false, data));
}

static void cd(struct drives *d, u8 *data)
{
	struct guest *g = drives_guest(d, 1);

	for (u32 n = 1; n <= 32; n += 5) {
		assert_true(libata_cd_read(g, n, n, data));
		assert_memory_equal(data, d->cd + n * CD_SECTOR_SIZE, n * CD_SECTOR_SIZE);
	}
	/* the two drives in turn */
	for (u32 n = 0; n < 4; n++) {
		assert_true(libata_read(drives_guest(d, 0), n, 4, 0, false, data));
		assert_true(libata_cd_read(drives_guest(d, 1), n, 2, data + 4 * 512));
	}
}

static void polled(struct drives *d, u8 *data)
{
	struct guest *g = drives_guest(d, 0);

	assert_true(seabios_read(g, 9, 12, data));
	assert_memory_equal(data, d->disk + 9 * 512, 12 * 512);
	assert_true(naive_read(g, 30, 3, data + 12 * 512));
	assert_memory_equal(data + 12 * 512, d->disk + 30 * 512, 3 * 512);
	assert_true(seabios_read(g, 100, 1, data + 15 * 512));
}

static u32 seed;

static u32 pick(u32 n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* A block of data in any pieces, with looks at the status in between. */
static void read_in_pieces(struct drives *d, struct guest *g, u8 *buf, u32 bytes)
{
	while (bytes) {
		/* The next block's interrupt comes after this one's last word. */
		assert_false(d->r->pending);
		u32 words = 1 + pick(bytes / 2 < 600 ? bytes / 2 : 600), value;

		switch (pick(4)) {
		case 0:
			guest_ins16(g, 0x170, buf, words);
			break;
		case 1:
			g->ins(g, 1, 0x170, 4, buf, words /= 2);
			words *= 2;
			break;
		case 2:
			words = 1;
			value = guest_in16(g, 0x170);
			memcpy(buf, &value, 2);
			break;
		default:
			words = 0;
			assert_int_equal(guest_in8(g, pick(2) ? 0x177 : 0x376), 0x58);
			break;
		}
		buf += words * 2;
		bytes -= words * 2;
	}
}

/*
 * Until the next block is there; polled, or by the interrupt and one of the two registers first. As
 * many random numbers each time, however long it takes.
 */
static void await_block(struct guest *g, bool polled)
{
	u32 pause = pick(3000), way = pick(3);
	u8 status;

	if (!polled) {
		assert_true(g->irq(g));
		if (way)
			assert_int_equal(guest_in8(g, 0x376), 0x58);
		assert_int_equal(guest_in8(g, 0x177), 0x58);
		return;
	}
	do {
		g->pause(g, pause);
		status = guest_in8(g, way ? 0x177 : 0x376);
	} while (status & 0x80);
	assert_int_equal(status, 0x58);
}

static void any_way(struct drives *d, u8 *data)
{
	struct guest *g = drives_guest(d, 0);
	static const u8 units[] = {1, 2, 4, 8, 16};

	seed = 1;
	for (unsigned round = 0; round < 300; round++) {
		u32 unit = units[pick(ARRAY_SIZE(units))], sectors = 1 + pick(64);
		u32 lba = pick(DISK_SECTORS - 64);
		bool polled = pick(2), multiple = pick(2);

		assert_true(linux13_set_multiple(g, (u8)unit));
		guest_out8(g, 0x376, polled ? 0x0a : 0x08);
		guest_out8(g, 0x172, (u8)sectors);
		guest_out8(g, 0x173, (u8)lba);
		guest_out8(g, 0x174, (u8)(lba >> 8));
		guest_out8(g, 0x175, 0);
		guest_out8(g, 0x176, 0xe0);
		guest_out8(g, 0x177, multiple ? 0xc4 : 0x20);
		if (pick(2)) /* a pause */
			guest_in8(g, 0x376);
		for (u32 at = 0; at < sectors;) {
			u32 block = multiple ? unit : 1;

			block = block < sectors - at ? block : sectors - at;
			await_block(g, polled);
			read_in_pieces(d, g, data + at * 512, block * 512);
			at += block;
		}
		assert_memory_equal(data, d->disk + lba * 512, sectors * 512);
		assert_int_equal(guest_in8(g, 0x177), 0x50);
	}
}

#define SAME(name, run)                                                                            \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		compare(run);                                                                      \
	}

SAME(same_for_linux13, linux13_single)
SAME(same_for_linux13_multiple, linux13_multiple)
SAME(same_for_libata, libata)
SAME(same_for_a_cd, cd)
SAME(same_for_polling, polled)
SAME(same_in_any_way, any_way)

static void same_on_a_bad_segment(void **state)
{
	(void)state;
	compare_on(linux13_single, 50, 3 * MS, false);
	compare_on(linux13_multiple, 50, 3 * MS, false);
	compare_on(libata, 50, 3 * MS, false);
	compare_on(cd, 50, 3 * MS, false);
	compare_on(any_way, 20, 1 * MS, false);
}

/* The drive is busy for many accesses, as one with heads to move is. */
static void same_with_a_slow_drive(void **state)
{
	(void)state;
	compare_on(linux13_single, 0, 0, true);
	compare_on(linux13_multiple, 0, 0, true);
	compare_on(libata, 0, 0, true);
	compare_on(cd, 0, 0, true);
	compare_on(polled, 0, 0, true);
	compare_on(any_way, 0, 0, true);
}

/* IDENTIFY: what the drive says, but for DMA. */
static void identify(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(profiles); i++) {
		struct drives *d = drives_new(profiles[i]);
		u8 disk[512], again[512], rom[512];

		assert_true(libata_identify(drives_guest(d, 0), 0xec, disk));
		assert_true(linux13_identify(drives_guest(d, 0), again));
		assert_true(libata_identify(drives_guest(d, 1), 0xa1, rom));
		assert_memory_equal(disk, again, 512);
		assert_memory_equal(disk + 54, "AFBRSUD SI K", 12);
		assert_memory_equal(rom + 54, "AFBRSUC -DOR", 12);
		assert_int_equal(disk[94], 16);
		drives_free(d);
	}
}

/* Eight sectors, without interrupts; until the first block is there. */
static void begin(struct guest *g, u8 command, u8 lba)
{
	guest_out8(g, 0x376, 2);
	guest_out8(g, 0x176, 0xe0);
	guest_out8(g, 0x172, 8);
	guest_out8(g, 0x173, lba);
	guest_out8(g, 0x174, 0);
	guest_out8(g, 0x175, 0);
	guest_out8(g, 0x177, command);
	while (guest_in8(g, 0x177) & 0x80)
		;
}

static void reset(struct guest *g)
{
	guest_out8(g, 0x376, 6);
	g->pause(g, 20000);
	guest_out8(g, 0x376, 2);
	g->pause(g, 2 * MS);
	while (guest_in8(g, 0x376) & 0x80)
		;
	guest_out8(g, 0x176, 0xe0);
	guest_out8(g, 0x172, 8);
	guest_out8(g, 0x177, 0xc6);
	while (guest_in8(g, 0x177) & 0x80)
		;
}

/* The guest gives up in mid-block, resets, and reads something else. */
static void dropped_in_a_block(void **state)
{
	struct drives *d = drives_new(&profile_ata);
	struct guest *g = drives_guest(d, 0);
	u8 data[512 * 8];

	(void)state;
	for (u8 round = 0; round < 16; round++) {
		u8 lba = (u8)(100 + 3 * round);
		u32 sectors = round & 4 ? 8 : 1;

		reset(g); /* which sets multiple mode, too */
		begin(g, round & 1 ? 0xc4 : 0x20, round);
		guest_ins16(g, 0x170, data, 10 + round);
		assert_memory_equal(data, d->disk + round * 512, 20 + 2 * round);
		reset(g);
		begin(g, round & 4 ? 0xc4 : 0x20, lba);
		guest_ins16(g, 0x170, data, sectors * 256);
		assert_memory_equal(data, d->disk + lba * 512, sectors * 512);
	}
	assert_false(d->r->pending);
	drives_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_for_linux13),
		cmocka_unit_test(same_for_linux13_multiple),
		cmocka_unit_test(same_for_libata),
		cmocka_unit_test(same_for_a_cd),
		cmocka_unit_test(same_for_polling),
		cmocka_unit_test(same_in_any_way),
		cmocka_unit_test(same_on_a_bad_segment),
		cmocka_unit_test(same_with_a_slow_drive),
		cmocka_unit_test(identify),
		cmocka_unit_test(dropped_in_a_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
