/* SPDX-License-Identifier: BSD-2-Clause */
/* Round trips and frames of an ATA channel, with their limits. */
#include "lib/str.h"
#include "tests/unit/net/support_counts.h"
#include "tests/unit/net/support_drives.h"

#define LOOPS	 10u
#define ACCESSES 100u
#define SECTORS	 256u

static u8 data[SECTORS * 512];

typedef void (*ata_job)(struct drives *d, struct guest *g);

static struct cost ata_cost(ata_job job, ata_job before, const struct profile *profile,
			    double units)
{
	struct drives *d = drives_new(profile);
	struct guest *g = drives_guest(d, 0);
	struct cost c;

	if (before)
		before(d, g);
	route_reset_counts(d->r);
	job(d, g);
	c = cost_of(d->r, units);
	drives_free(d);
	return c;
}

static struct cost ata(const char *what, const char *unit, double units, ata_job job,
		       ata_job before)
{
	struct cost strict = ata_cost(job, before, &profile_strict, units);
	struct cost profile = ata_cost(job, before, &profile_ata, units);

	cost_show(what, unit, strict, profile);
	return profile;
}

static void ins(struct drives *d, struct guest *g)
{
	(void)d;
	for (u32 i = 0; i < ACCESSES; i++)
		guest_in8(g, 0x171);
}

static void outs(struct drives *d, struct guest *g)
{
	for (u32 i = 0; i < ACCESSES; i++)
		guest_out8(g, 0x173, (u8)i);
	route_run(d->r, MS);
}

static void check_read(const struct drives *d, u32 lba)
{
	assert_memory_equal(data, d->disk + lba * 512, sizeof(data));
}

static void linux13_single(struct drives *d, struct guest *g)
{
	assert_true(linux13_read(g, 3, SECTORS, 0, data));
	check_read(d, 3);
}

static void multiple_2(struct drives *d, struct guest *g)
{
	(void)d;
	assert_true(linux13_set_multiple(g, 2));
}

static void multiple_16(struct drives *d, struct guest *g)
{
	(void)d;
	assert_true(linux13_set_multiple(g, 16));
}

static void linux13_by_2(struct drives *d, struct guest *g)
{
	assert_true(linux13_read(g, 3, SECTORS, 2, data));
	check_read(d, 3);
}

static void linux13_by_16(struct drives *d, struct guest *g)
{
	assert_true(linux13_read(g, 3, SECTORS, 16, data));
	check_read(d, 3);
}

static void linux13_writes(struct drives *d, struct guest *g)
{
	assert_true(linux13_write(g, 3, SECTORS, 0, data));
	check_read(d, 3);
}

static void linux13_writes_16(struct drives *d, struct guest *g)
{
	assert_true(linux13_write(g, 3, SECTORS, 16, data));
	check_read(d, 3);
}

static void libata_single(struct drives *d, struct guest *g)
{
	assert_true(libata_read(g, 3, SECTORS, 0, false, data));
	check_read(d, 3);
}

static void libata_16(struct drives *d, struct guest *g)
{
	assert_true(libata_read(g, 3, SECTORS, 16, false, data));
	check_read(d, 3);
}

static void libata_pages(struct drives *d, struct guest *g)
{
	for (u32 at = 0; at < SECTORS; at += 8)
		assert_true(libata_read(g, 3 + at, 8, 16, true, data + at * 512));
	check_read(d, 3);
}

static void seabios(struct drives *d, struct guest *g)
{
	assert_true(seabios_read(g, 3, SECTORS, data));
	check_read(d, 3);
}

static void naive(struct drives *d, struct guest *g)
{
	assert_true(naive_read(g, 3, SECTORS, data));
	check_read(d, 3);
}

static void cd(struct drives *d, struct guest *g)
{
	g->drive = 1;
	for (u32 i = 0; i < 10; i++)
		assert_true(libata_cd_read(g, 30 + i, 32, data));
	assert_memory_equal(data, d->cd + 39 * CD_SECTOR_SIZE, 32 * CD_SECTOR_SIZE);
}

static void ata_costs(void **state)
{
	struct cost c;

	(void)state;
	c = ata("IN", "access", ACCESSES, ins, NULL);
	assert_true(c.trips == 1 && c.frames <= 2);
	c = ata("OUT to the task file", "access", ACCESSES, outs, NULL);
	assert_true(c.trips == 0 && c.frames < 0.1);
	c = ata("ATA read, Linux 1.3, single sectors", "sector", SECTORS, linux13_single, NULL);
	assert_true(c.trips <= 2);
	c = ata("ATA read, Linux 1.3, multiple 2", "sector", SECTORS, linux13_by_2, multiple_2);
	assert_true(c.trips <= 0.5 + 2.0 / SECTORS); /* and the command */
	c = ata("ATA read, Linux 1.3, multiple 16", "sector", SECTORS, linux13_by_16, multiple_16);
	assert_true(c.trips <= 0.5);
	c = ata("ATA read, Linux 6, single sectors", "sector", SECTORS, libata_single, NULL);
	assert_true(c.trips <= 2);
	c = ata("ATA read, Linux 6, multiple 16", "sector", SECTORS, libata_16, multiple_16);
	assert_true(c.trips <= 0.5);
	c = ata("ATA read, Linux 6, multiple 16, 8 a command", "sector", SECTORS, libata_pages,
		multiple_16);
	assert_true(c.trips <= 1);
	c = ata("ATA read, SeaBIOS (polled)", "sector", SECTORS, seabios, NULL);
	assert_true(c.trips <= 2);
	c = ata("ATA read, polled, 256 single INWs", "sector", SECTORS, naive, NULL);
	assert_true(c.trips <= 2);
	c = ata("ATA write, Linux 1.3, single sectors", "sector", SECTORS, linux13_writes, NULL);
	assert_true(c.trips <= 2);
	c = ata("ATA write, Linux 1.3, multiple 16", "sector", SECTORS, linux13_writes_16,
		multiple_16);
	assert_true(c.trips <= 0.5);
	c = ata("CD read, Linux 6, 32 a command", "2 KB", 320, cd, NULL);
	assert_true(c.trips <= 2);
}

/* --- a status that takes its time --- */

struct slow {
	struct route *r;
	u64 ready_at;
};

static u32 slow_in(void *dev, u16 port, unsigned width)
{
	struct slow *s = dev;

	(void)port;
	(void)width;
	return s->r->board->now < s->ready_at ? 0x80 : 0x50;
}

static void slow_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct slow *s = dev;

	(void)width;
	(void)value;
	if (port == 0x177)
		s->ready_at = s->r->board->now + 40 * MS;
}

static const struct port_ops slow_ops = {.in = slow_in, .out = slow_out, .widths = 1};

/* 40 ms each, without and with the drive's interrupt turned on. */
static struct cost loop_cost(const struct profile *profile, u8 control)
{
	static const struct port_export export = {.name = "slow",
						  .range = {{0x170, 0x177}, {0x376, 0x376}},
						  .ranges = 2,
						  .irqs = BIT(DRIVES_LINE)};
	struct slow s = {.r = route_new(&export, DRIVES_LINE, profile)};
	struct guest *g = &s.r->guest;
	struct cost c;

	bus_register(&s.r->board->bus, 0x170, 0x177, ROUTE_VIRTUAL, &slow_ops, &s, "slow");
	bus_register(&s.r->board->bus, 0x376, 0x376, ROUTE_VIRTUAL, &slow_ops, &s, "slow");
	route_start(s.r);
	guest_out8(g, 0x376, control);
	for (u32 i = 0; i < LOOPS; i++) {
		guest_out8(g, 0x177, 0xe7);
		while (guest_in8(g, 0x177) & 0x80)
			;
	}
	c = cost_of(s.r, LOOPS);
	route_free(s.r);
	return c;
}

static void loop_costs(void **state)
{
	struct cost c = loop_cost(&profile_ata, 0x0a);

	(void)state;
	cost_show("ATA status loop of 40 ms, polled", "loop", loop_cost(&profile_strict, 0x0a), c);
	assert_true(c.trips <= 1);
	c = loop_cost(&profile_ata, 0x08);
	cost_show("ATA status loop of 40 ms, interrupts on", "loop",
		  loop_cost(&profile_strict, 0x08), c);
	assert_true(c.trips <= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ata_costs),
		cmocka_unit_test(loop_costs),
	};

	cost_heading();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
