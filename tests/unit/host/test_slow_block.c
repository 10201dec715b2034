/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk whose accesses end when the test lets them: nobody waits for it, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/bus.h"
#include "devices/ide.h"
#include "devices/timer.h"
#include "host/slow_block.h"

#define SECTORS	   64u
#define BASE	   0x170u
#define CONTROL	   0x376u
#define STATUS	   (BASE + 7)
#define BSY	   0x80u
#define DRQ	   0x08u
#define ERR	   0x01u
#define TIMEOUT_MS 60000

/* The disk: each access takes a byte out of the pipe, and so waits for release(). */
struct disk {
	struct block block;
	int gate[2];
	unsigned reads, writes, flushes;
	bool bad;
	u8 data[SECTORS * 512];
};

static int pass(struct disk *d, unsigned *count)
{
	char byte;

	if (read(d->gate[0], &byte, 1) != 1)
		return BLOCK_FAILED;
	(*count)++;
	return d->bad ? BLOCK_FAILED : BLOCK_DONE;
}

static int disk_read(struct block *b, u64 lba, u32 count, void *buf)
{
	struct disk *d = b->ctx;
	int outcome = pass(d, &d->reads);

	memcpy(buf, d->data + lba * 512, (size_t)count * 512);
	return outcome;
}

static int disk_write(struct block *b, u64 lba, u32 count, const void *buf)
{
	struct disk *d = b->ctx;
	int outcome = pass(d, &d->writes);

	memcpy(d->data + lba * 512, buf, (size_t)count * 512);
	return outcome;
}

static int disk_flush(struct block *b)
{
	struct disk *d = b->ctx;

	return pass(d, &d->flushes);
}

static const struct block_ops disk_ops = {disk_read, disk_write, disk_flush};

struct rig {
	struct disk disk;
	struct slow_block slow;
	int event;
	struct bus bus;
	struct clock clock;
	struct ide_channel ide;
};

static u64 time_now;

static u64 read_clock(void *ctx)
{
	(void)ctx;
	return time_now;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct ide_config config = {.name = "ide",
				    .bus = &r->bus,
				    .clock = &r->clock,
				    .command_base = BASE,
				    .control_port = CONTROL};

	for (u32 i = 0; i < SECTORS; i++)
		memset(r->disk.data + (size_t)i * 512, (int)i + 1, 512);
	r->disk.block = (struct block){.ops = &disk_ops,
				       .name = "slow",
				       .sectors = SECTORS,
				       .sector_size = 512,
				       .ctx = &r->disk};
	assert_int_equal(pipe(r->disk.gate), 0);
	r->event = eventfd(0, EFD_NONBLOCK);
	slow_block_init(&r->slow, &r->disk.block, r->event);
	bus_init(&r->bus);
	r->clock.read = read_clock;
	config.drive[0] = (struct ide_drive_config){IDE_DISK, &r->slow.block, {4, 1, 16}};
	assert_int_equal(ide_init(&r->ide, &config), 0);
	slow_block_begin(&r->slow);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	slow_block_end(&r->slow);
	close(r->disk.gate[0]);
	close(r->disk.gate[1]);
	close(r->event);
	free(r);
	return 0;
}

static void release(struct rig *r, unsigned accesses)
{
	while (accesses--)
		assert_int_equal(write(r->disk.gate[1], "x", 1), 1);
}

/* Until an outcome is there. */
static void await(struct rig *r)
{
	struct pollfd fd = {.fd = r->event, .events = POLLIN};
	u64 count;

	assert_int_equal(poll(&fd, 1, TIMEOUT_MS), 1);
	assert_int_equal(read(r->event, &count, sizeof(count)), sizeof(count));
}

static void out(struct rig *r, u16 port, u8 value)
{
	bus_out(&r->bus, port, 1, value);
}

static u8 status(struct rig *r)
{
	u32 value;

	bus_in(&r->bus, STATUS, 1, &value);
	return (u8)value;
}

static void pass_time(struct rig *r)
{
	time_now += 1000000;
	clock_run(&r->clock);
}

static void command(struct rig *r, u8 lba, u8 count, u8 code)
{
	out(r, BASE + 6, 0xe0);
	out(r, BASE + 2, count);
	out(r, BASE + 3, lba);
	out(r, BASE + 4, 0);
	out(r, BASE + 5, 0);
	out(r, STATUS, code);
	pass_time(r);
}

/* Lets the access under way end, and tells the chip. */
static void end_access(struct rig *r)
{
	release(r, 1);
	await(r);
	ide_block_ready(&r->ide);
}

static void read_data(struct rig *r, u8 *sector)
{
	assert_int_equal(bus_ins(&r->bus, BASE, 2, sector, 256), 256);
}

/* --- the block alone --- */

static void test_order(void **state)
{
	struct rig *r = *state;
	struct block *b = &r->slow.block;
	u8 data[512], other[512];

	memset(data, 0xaa, sizeof(data));
	assert_int_equal(b->ops->write(b, 3, 1, data), BLOCK_LATER);
	/* Another one while it runs is not begun; it is asked for again. */
	assert_int_equal(b->ops->read(b, 3, 1, other), BLOCK_LATER);
	assert_true(slow_block_busy(&r->slow));
	release(r, 1);
	await(r);
	assert_false(slow_block_busy(&r->slow));
	assert_int_equal(b->ops->write(b, 3, 1, data), BLOCK_DONE);
	assert_int_equal(b->ops->read(b, 3, 1, other), BLOCK_LATER);
	release(r, 1);
	await(r);
	assert_int_equal(b->ops->read(b, 3, 1, other), BLOCK_DONE);
	assert_memory_equal(other, data, sizeof(data));
	assert_int_equal(r->disk.writes, 1);
	assert_int_equal(r->disk.reads, 1);
}

/* The outcome of an access is nobody else's: not of one elsewhere, nor with other bytes. */
static void test_forgotten(void **state)
{
	struct rig *r = *state;
	struct block *b = &r->slow.block;
	u8 one[512], two[512];

	memset(one, 1, sizeof(one));
	memset(two, 2, sizeof(two));
	assert_int_equal(b->ops->write(b, 5, 1, one), BLOCK_LATER);
	release(r, 1);
	await(r);
	assert_int_equal(b->ops->write(b, 5, 1, two), BLOCK_LATER);
	release(r, 1);
	await(r);
	assert_int_equal(b->ops->read(b, 5, 1, one), BLOCK_LATER);
	release(r, 1);
	await(r);
	assert_int_equal(b->ops->read(b, 6, 1, one), BLOCK_LATER);
	release(r, 1);
	await(r);
	assert_int_equal(b->ops->read(b, 6, 1, one), BLOCK_DONE);
	assert_int_equal(one[0], 7);
	assert_int_equal(r->disk.data[5 * 512], 2);
	assert_int_equal(r->disk.writes, 2);
}

/* A flush that nobody waits for comes behind the write, and before what is asked for next. */
static void test_flush(void **state)
{
	struct rig *r = *state;
	struct block *b = &r->slow.block;
	u8 data[512] = {9};

	assert_int_equal(b->ops->write(b, 0, 1, data), BLOCK_LATER);
	slow_block_flush(&r->slow);
	assert_int_equal(b->ops->read(b, 1, 1, data), BLOCK_LATER);
	release(r, 2);
	while (slow_block_busy(&r->slow))
		await(r);
	assert_int_equal(r->disk.writes, 1);
	assert_int_equal(r->disk.flushes, 1);
	assert_int_equal(r->disk.reads, 0);
	assert_int_equal(b->ops->read(b, 1, 1, data), BLOCK_LATER);
	release(r, 1);
	await(r);
	assert_int_equal(b->ops->read(b, 1, 1, data), BLOCK_DONE);
	assert_int_equal(data[0], 2);
}

/* What was asked for is carried out before the thread ends; afterwards accesses wait again. */
static void test_end(void **state)
{
	struct rig *r = *state;
	struct block *b = &r->slow.block;
	u8 data[512] = {9};

	assert_int_equal(b->ops->write(b, 7, 1, data), BLOCK_LATER);
	slow_block_flush(&r->slow);
	release(r, 3);
	slow_block_end(&r->slow);
	assert_int_equal(r->disk.writes, 1);
	assert_int_equal(r->disk.flushes, 1);
	assert_int_equal(b->ops->read(b, 7, 1, data), BLOCK_DONE);
	assert_int_equal(data[0], 9);
}

static int never(struct block *inner, u64 lba, u32 count, void *buf)
{
	(void)inner, (void)lba, (void)count, (void)buf;
	return BLOCK_LATER;
}

static int always(struct block *inner, u64 lba, u32 count, void *buf)
{
	const struct disk *d = inner->ctx;

	memcpy(buf, d->data + lba * 512, (size_t)count * 512);
	return BLOCK_DONE;
}

static void test_at_once(void **state)
{
	struct rig *r = *state;
	struct block *b = &r->slow.block;
	u8 data[512];

	r->slow.at_once = always;
	assert_int_equal(b->ops->read(b, 8, 1, data), BLOCK_DONE);
	assert_int_equal(data[0], 9);
	assert_int_equal(b->ops->write(b, 8, 1, data), BLOCK_LATER);
	/* Not past a write that runs. */
	assert_int_equal(b->ops->read(b, 8, 1, data), BLOCK_LATER);
	release(r, 1);
	await(r);
	r->slow.at_once = never;
	assert_int_equal(b->ops->read(b, 8, 1, data), BLOCK_LATER);
	release(r, 1);
	await(r);
	assert_int_equal(b->ops->read(b, 8, 1, data), BLOCK_DONE);
}

/* --- behind the chip --- */

static void test_chip_reads(void **state)
{
	struct rig *r = *state;
	u8 sector[512];

	command(r, 10, 2, 0x20);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(status(r) & (BSY | DRQ), BSY);
		pass_time(r); /* however long it takes */
		assert_int_equal(status(r) & (BSY | DRQ), BSY);
		ide_block_ready(&r->ide); /* woken for something else */
		assert_int_equal(status(r) & (BSY | DRQ), BSY);
		end_access(r);
		assert_int_equal(status(r) & (BSY | DRQ), DRQ);
		read_data(r, sector);
		assert_int_equal(sector[0], 11 + i);
		pass_time(r);
	}
	assert_int_equal(status(r) & (BSY | DRQ | ERR), 0);
	assert_int_equal(r->disk.reads, 2);
}

static void test_chip_writes(void **state)
{
	struct rig *r = *state;
	u8 sector[512];

	memset(sector, 0x77, sizeof(sector));
	command(r, 20, 1, 0x30);
	assert_int_equal(status(r) & (BSY | DRQ), DRQ);
	bus_outs(&r->bus, BASE, 2, sector, 256);
	pass_time(r);
	assert_int_equal(status(r) & BSY, BSY);
	end_access(r);
	assert_int_equal(status(r) & (BSY | DRQ | ERR), 0);
	command(r, 0, 0, 0xe7); /* FLUSH CACHE */
	assert_int_equal(status(r) & BSY, BSY);
	end_access(r);
	assert_int_equal(status(r) & (BSY | DRQ | ERR), 0);
	assert_int_equal(r->disk.data[20 * 512 + 511], 0x77);
	assert_int_equal(r->disk.writes, 1);
	assert_int_equal(r->disk.flushes, 1);
}

static void test_chip_fails(void **state)
{
	struct rig *r = *state;

	r->disk.bad = true;
	command(r, 10, 1, 0x20);
	end_access(r);
	assert_int_equal(status(r) & (BSY | DRQ | ERR), ERR);
	command(r, 10, 1, 0x40); /* READ VERIFY */
	end_access(r);
	assert_int_equal(status(r) & (BSY | DRQ | ERR), ERR);
}

/* A reset in the midst: what the disk gives later is not the next command's. */
static void test_chip_reset(void **state)
{
	struct rig *r = *state;
	u8 sector[512];

	command(r, 10, 1, 0x20);
	out(r, CONTROL, 4);
	out(r, CONTROL, 0);
	pass_time(r);
	command(r, 30, 1, 0x20);
	assert_int_equal(status(r) & BSY, BSY);
	end_access(r); /* of the first one; now the second is begun */
	assert_int_equal(status(r) & (BSY | DRQ), BSY);
	end_access(r);
	assert_int_equal(status(r) & (BSY | DRQ), DRQ);
	read_data(r, sector);
	assert_int_equal(sector[0], 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flush, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chip_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chip_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chip_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chip_reset, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
