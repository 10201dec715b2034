/* SPDX-License-Identifier: BSD-2-Clause */
/* The real-time clock, and what set-up leaves in CMOS. */
#include "tests/unit/devices/support.h"
#include "devices/cmos.h"
#include "devices/rtc.h"

struct fixture {
	struct board *b;
	struct rtc rtc;
};

static int setup(void **state)
{
	static const struct rtc_time time = {1996, 2, 28, 23, 59, 57};
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->b = board_new();
	rtc_init(&f->rtc, &f->b->bus, &f->b->clock, board_pin(f->b, 8));
	rtc_set_time(&f->rtc, &time);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	board_free(f->b);
	test_free(f);
	return 0;
}

static u8 get(struct fixture *f, u8 index)
{
	out8(f->b, 0x70, index);
	return in8(f->b, 0x71);
}

static void set(struct fixture *f, u8 index, u8 value)
{
	out8(f->b, 0x70, index);
	out8(f->b, 0x71, value);
}

static void assert_time(struct fixture *f, u32 date, u32 time)
{
	assert_int_equal((u32)get(f, 0x32) << 24 | get(f, 9) << 16 | get(f, 8) << 8 | get(f, 7),
			 date);
	assert_int_equal((u32)get(f, 4) << 16 | get(f, 2) << 8 | get(f, 0), time);
}

static void seconds(struct fixture *f, u64 n)
{
	board_run(f->b, n * NS_PER_SEC);
}

static void calendar(void **state)
{
	static const struct rtc_time end = {1999, 12, 31, 23, 59, 59};
	struct fixture *f = *state;

	assert_time(f, 0x19960228, 0x235957);
	assert_int_equal(get(f, 6), 4); /* a Wednesday */
	seconds(f, 3);
	assert_time(f, 0x19960229, 0x000000);
	assert_int_equal(get(f, 6), 5);
	seconds(f, 86400);
	assert_time(f, 0x19960301, 0x000000);
	rtc_set_time(&f->rtc, &end);
	seconds(f, 1);
	assert_time(f, 0x20000101, 0x000000);
}

#define UIP 0x80u

/* A look at register A; false: it has to wait for its answer. */
static bool looks(struct fixture *f, u32 *value)
{
	out8(f->b, 0x70, 0x0a);
	return bus_in(&f->b->bus, 0x71, 1, value);
}

static u32 looks_until_held(struct fixture *f, u64 between)
{
	u32 value, looked = 0;

	while (looked < 1000 && looks(f, &value)) {
		assert_int_equal(value & UIP, 0);
		looked++;
		board_run(f->b, between);
	}
	return looked;
}

/* A loop that waits for the update: its accesses take long after a while, and end with UIP. */
static void waits_for_the_update(void **state)
{
	struct fixture *f = *state;
	u32 value, held = 0;

	assert_int_equal(looks_until_held(f, 10 * US), 255);
	while (f->b->now < NS_PER_SEC - 3 * MS) {
		u64 since = f->b->now;

		held++;
		while (!looks(f, &value))
			board_run(f->b, 100 * US);
		assert_int_equal(value & UIP, 0);
		assert_true(f->b->now - since >= 1 * MS);
		assert_true(f->b->now - since <= 2 * MS);
		assert_false(looks(f, &value));
	}
	assert_true(held > 500);
	/* Whoever sleeps until something is due wakes up in time. */
	assert_true(clock_run(&f->b->clock) < NS_PER_SEC - 2 * MS);
	board_run(f->b, clock_run(&f->b->clock) - f->b->now);
	assert_true(looks(f, &value));
	assert_int_equal(value & UIP, UIP);
	board_run(f->b, 5 * MS);
	assert_int_equal(get(f, 0), 0x58);
}

/* No loop, other registers meanwhile, or a clock that stands still: each access is answered. */
static void looks_now_and_then(void **state)
{
	struct fixture *f = *state;
	u32 value;

	for (u32 n = 0; n < 600; n++) {
		assert_true(looks(f, &value));
		board_run(f->b, 300 * US);
	}
	for (u32 n = 0; n < 600; n++) {
		assert_true(looks(f, &value));
		get(f, 0);
	}
	set(f, 0x0b, 0x82); /* SET */
	assert_int_equal(looks_until_held(f, 10 * US), 1000);
}

static void binary_and_12_hours(void **state)
{
	struct fixture *f = *state;

	set(f, 0x0b, 0x84); /* SET, binary, 12 hours */
	set(f, 4, 0x8b);    /* 11 p.m. */
	set(f, 7, 28);
	set(f, 8, 2);
	set(f, 9, 96);
	set(f, 2, 59);
	set(f, 0, 59);
	set(f, 0x0b, 0x04);
	seconds(f, 1);
	assert_int_equal(get(f, 4), 12); /* midnight is 12 a.m. */
	assert_int_equal(get(f, 2), 0);
	assert_int_equal(get(f, 7), 29);
	set(f, 0x0b, 0x00); /* BCD, 12 hours */
	set(f, 4, 0x11);
	set(f, 2, 0x59);
	set(f, 0, 0x59);
	seconds(f, 1);
	assert_int_equal(get(f, 4), 0x92); /* noon is 12 p.m. */
	seconds(f, 3600);
	assert_int_equal(get(f, 4), 0x81);
}

static void set_stops_the_clock(void **state)
{
	struct fixture *f = *state;

	set(f, 0x0b, 0x92);
	assert_int_equal(get(f, 0x0b), 0x82); /* SET clears the update interrupt's enable */
	seconds(f, 100);
	assert_time(f, 0x19960228, 0x235957);
	set(f, 0x0b, 0x02);
	seconds(f, 1);
	assert_time(f, 0x19960228, 0x235958);
	set(f, 0x0a, 0x76); /* the divider held */
	seconds(f, 100);
	assert_time(f, 0x19960228, 0x235958);
	board_run(f->b, 300 * MS);
	set(f, 0x0a, 0x26);
	board_run(f->b, 499 * MS);
	assert_time(f, 0x19960228, 0x235958);
	board_run(f->b, 2 * MS);
	assert_time(f, 0x19960228, 0x235959);
}

static void update_in_progress(void **state)
{
	struct fixture *f = *state;
	unsigned up = 0;

	for (unsigned i = 0; i < 10000; i++) {
		board_run(f->b, 100 * US);
		up += get(f, 0x0a) >> 7;
	}
	assert_in_range(up, 21, 24); /* 2228 us of a second */
}

static void update_interrupt(void **state)
{
	struct fixture *f = *state;

	get(f, 0x0c);
	seconds(f, 1);
	assert_int_equal(get(f, 0x0c) & 0x90, 0x10); /* the flag comes without the interrupt */
	set(f, 0x0b, 0x12);
	assert_false(f->b->irq[8]);
	seconds(f, 1);
	assert_true(f->b->irq[8]);
	assert_int_equal(get(f, 0x0c) & 0x90, 0x90);
	assert_false(f->b->irq[8]);
	assert_int_equal(get(f, 0x0c), 0);
}

static void alarm_interrupt(void **state)
{
	struct fixture *f = *state;

	set(f, 1, 0x05);
	set(f, 3, 0x00);
	set(f, 5, 0xff); /* any hour */
	set(f, 0x0b, 0x22);
	seconds(f, 7);
	assert_false(f->b->irq[8]);
	seconds(f, 1);
	assert_true(f->b->irq[8]);
	assert_int_equal(get(f, 0x0c) & 0xa0, 0xa0);
	seconds(f, 3599);
	assert_false(f->b->irq[8]);
	seconds(f, 1);
	assert_true(f->b->irq[8]);
}

static void periodic_interrupt(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	set(f, 0x0a, 0x26); /* 1024 Hz */
	set(f, 0x0b, 0x42);
	get(f, 0x0c);
	for (unsigned i = 0; i < 20000; i++) {
		board_run(f->b, 50 * US);
		if (f->b->irq[8]) {
			assert_int_equal(get(f, 0x0c) & 0xc0, 0xc0);
			n++;
		}
	}
	assert_in_range(n, 1023, 1025);
	set(f, 0x0a, 0x2f); /* 2 Hz, polled */
	set(f, 0x0b, 0x02);
	get(f, 0x0c);
	n = 0;
	for (unsigned i = 0; i < 1000; i++) {
		board_run(f->b, 10 * MS);
		n += get(f, 0x0c) >> 6 & 1;
		assert_false(f->b->irq[8]);
	}
	assert_in_range(n, 19, 21);
}

/* An interrupt that nobody acknowledges: the timer does not go on running for nothing. */
static void unread_flag_stops_the_periodic_timer(void **state)
{
	struct fixture *f = *state;

	set(f, 0x0a, 0x23); /* 8192 Hz */
	set(f, 0x0b, 0x42);
	seconds(f, 1);
	assert_int_equal(f->b->rises[8], 1);
	assert_true(f->rtc.periodic.deadline == TIMER_NEVER);
}

static void a_long_absence(void **state)
{
	struct fixture *f = *state;

	f->b->now += 3600ull * NS_PER_SEC;
	assert_time(f, 0x19960229, 0x005957);
	f->b->now += 1000ull * 86400 * NS_PER_SEC;
	clock_run(&f->b->clock);
	get(f, 0);
	assert_true(f->rtc.next_update > f->b->now);
}

static void memory(void **state)
{
	struct fixture *f = *state;

	set(f, 0x7f, 0x5a);
	set(f, 0xff, 0xa5); /* bit 7 masks NMI and does not address */
	assert_int_equal(get(f, 0x7f), 0xa5);
	set(f, 0x0d, 0x00);
	assert_int_equal(get(f, 0x0d), 0x80);
	set(f, 0x0c, 0xff);
	assert_int_equal(get(f, 0x0c), 0);
	rtc_reset(&f->rtc);
	assert_int_equal(get(f, 0x7f), 0xa5);
}

static void set_up(void **state)
{
	struct fixture *f = *state;
	struct disk_geometry disk = {306, 4, 17};
	struct cmos_setup s = {
		.ram_size = 64 * MB,
		.floppy_type = {4, 2},
		.disk = {&disk, NULL, NULL, NULL},
		.translation = {GEOMETRY_LARGE},
		.boot_order = {'c', 'a', 'd'},
	};
	u32 sum = 0;

	cmos_fill(&f->rtc, &s);
	assert_int_equal(get(f, 0x10), 0x42);
	assert_int_equal(get(f, 0x12), 0xf0);
	assert_int_equal(get(f, 0x14), 0x47);
	assert_int_equal(get(f, 0x15) | get(f, 0x16) << 8, 640);
	assert_int_equal(get(f, 0x17) | get(f, 0x18) << 8, 63 * 1024);
	assert_int_equal(get(f, 0x34) | get(f, 0x35) << 8, 48 * 16);
	assert_int_equal(get(f, 0x1b) | get(f, 0x1c) << 8, 306);
	assert_int_equal(get(f, 0x1d), 4);
	assert_int_equal(get(f, 0x23), 17);
	assert_int_equal(get(f, 0x39), 2);
	assert_int_equal(get(f, 0x3d), 0x12);
	assert_int_equal(get(f, 0x38), 0x30);
	for (u8 i = 0x10; i <= 0x2d; i++)
		sum += get(f, i);
	assert_int_equal(get(f, 0x2e) << 8 | get(f, 0x2f), sum);
	s.ram_size = 1024 * MB;
	cmos_fill(&f->rtc, &s);
	assert_int_equal(get(f, 0x30) | get(f, 0x31) << 8, 0xffff);
	assert_int_equal(get(f, 0x34) | get(f, 0x35) << 8, 1008 * 16);
}

/* Datasheet, RESET: the enables of the interrupts and of the square wave go, the modes stay. */
static void reset_clears_the_enables(void **state)
{
	struct fixture *f = *state;

	set(f, 0x0b, 0x7e);
	rtc_reset(&f->rtc);
	assert_int_equal(get(f, 0x0b), 0x06);
	assert_int_equal(get(f, 0x0c), 0);
}

static void random_accesses(void **state)
{
	struct fixture *f = *state;
	u32 seed = 3;

	for (unsigned i = 0; i < 100000; i++) {
		seed = seed * 1664525 + 1013904223;
		if (seed >> 31)
			set(f, (u8)(seed >> 24 & 15), (u8)(seed >> 8));
		else
			get(f, (u8)(seed >> 24 & 15));
		board_run(f->b, (u64)(seed >> 12 & 0xff) * MS);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calendar),
		TEST(waits_for_the_update),
		TEST(looks_now_and_then),
		TEST(binary_and_12_hours),
		TEST(set_stops_the_clock),
		TEST(update_in_progress),
		TEST(update_interrupt),
		TEST(alarm_interrupt),
		TEST(periodic_interrupt),
		TEST(unread_flag_stops_the_periodic_timer),
		TEST(a_long_absence),
		TEST(memory),
		TEST(reset_clears_the_enables),
		TEST(set_up),
		TEST(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
