/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 against its datasheet, and channel 0 as a clock that loses no ticks. */
#include "tests/unit/devices/support.h"
#include "devices/pic.h"
#include "devices/pit.h"

struct fixture {
	struct board *b;
	struct pit pit;
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->b = board_new();
	pit_init(&f->pit, &f->b->bus, &f->b->clock, board_pin(f->b, 0));
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

/* Just past the moment n ticks of 1.193182 MHz after the last whole one. */
static void ticks(struct fixture *f, u32 n)
{
	u64 tick = f->b->now * 21 / 17600 + n;

	board_run(f->b, (tick * 17600 + 20) / 21 + 1 - f->b->now);
}

static void program(struct fixture *f, unsigned channel, u8 mode, u16 count)
{
	out8(f->b, 0x43, (u8)(channel << 6 | 0x30 | mode));
	out8(f->b, (u16)(0x40 + channel), (u8)count);
	out8(f->b, (u16)(0x40 + channel), (u8)(count >> 8));
}

static u16 count_of(struct fixture *f, unsigned channel)
{
	u8 low;

	out8(f->b, 0x43, (u8)(channel << 6));
	low = in8(f->b, (u16)(0x40 + channel));
	return (u16)(low | in8(f->b, (u16)(0x40 + channel)) << 8);
}

static u8 status_of(struct fixture *f, unsigned channel)
{
	out8(f->b, 0x43, (u8)(0xe0 | 2 << channel));
	return in8(f->b, (u16)(0x40 + channel));
}

static bool out_of(struct fixture *f, unsigned channel)
{
	return status_of(f, channel) & 0x80;
}

static void mode_0(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 0x0, 100);
	assert_int_equal(status_of(f, 0), 0x70);
	ticks(f, 1);
	assert_int_equal(status_of(f, 0), 0x30);
	assert_int_equal(count_of(f, 0), 100);
	ticks(f, 99);
	assert_int_equal(count_of(f, 0), 1);
	assert_false(f->b->irq[0]);
	ticks(f, 1);
	assert_true(f->b->irq[0]);
	assert_int_equal(status_of(f, 0), 0xb0);
	ticks(f, 1);
	assert_int_equal(count_of(f, 0), 0xffff);
	out8(f->b, 0x43, 0x30);
	assert_false(f->b->irq[0]);
	assert_int_equal(f->b->rises[0], 1);
}

static void mode_1(void **state)
{
	struct fixture *f = *state;

	program(f, 2, 0x2, 50);
	ticks(f, 10);
	assert_true(out_of(f, 2));
	out8(f->b, 0x61, 1);
	ticks(f, 1);
	assert_false(out_of(f, 2));
	assert_int_equal(count_of(f, 2), 50);
	ticks(f, 30);
	out8(f->b, 0x61, 0);
	out8(f->b, 0x61, 1); /* retriggered */
	ticks(f, 1);
	ticks(f, 49);
	assert_false(out_of(f, 2));
	ticks(f, 1);
	assert_true(out_of(f, 2));
}

static void mode_2(void **state)
{
	struct fixture *f = *state;
	u32 before;

	program(f, 0, 0x4, 1000);
	before = f->b->rises[0];
	ticks(f, 1);
	assert_int_equal(count_of(f, 0), 1000);
	ticks(f, 999);
	assert_int_equal(count_of(f, 0), 1);
	assert_false(out_of(f, 0));
	ticks(f, 1);
	assert_int_equal(count_of(f, 0), 1000);
	assert_true(out_of(f, 0));
	assert_int_equal(f->b->rises[0], before + 1);
	ticks(f, 5000);
	assert_int_equal(f->b->rises[0], before + 6);
	/* A new count takes over when the period has ended. */
	out8(f->b, 0x40, 0xf4);
	out8(f->b, 0x40, 0x01);
	ticks(f, 400);
	assert_int_equal(count_of(f, 0), 600);
	ticks(f, 601);
	assert_int_equal(count_of(f, 0), 499);
}

static void mode_3(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 0x6, 1000);
	ticks(f, 1);
	assert_int_equal(count_of(f, 0), 1000);
	ticks(f, 499);
	assert_int_equal(count_of(f, 0), 2);
	assert_true(out_of(f, 0));
	assert_true(f->b->irq[0]);
	ticks(f, 1);
	assert_int_equal(count_of(f, 0), 1000);
	assert_false(out_of(f, 0));
	assert_false(f->b->irq[0]);
	ticks(f, 500);
	assert_true(f->b->irq[0]);
	program(f, 0, 0x6, 5); /* odd: high for three clocks, low for two */
	ticks(f, 1);
	assert_true(out_of(f, 0));
	assert_int_equal(count_of(f, 0), 4);
	ticks(f, 2);
	assert_true(out_of(f, 0));
	ticks(f, 1);
	assert_false(out_of(f, 0));
	ticks(f, 1);
	assert_false(out_of(f, 0));
	ticks(f, 1);
	assert_true(out_of(f, 0));
}

static void mode_3_new_count_takes_over_at_the_half(void **state)
{
	struct fixture *f = *state;

	program(f, 2, 0x6, 1000);
	out8(f->b, 0x61, 1);
	ticks(f, 101);
	out8(f->b, 0x42, 200);
	out8(f->b, 0x42, 0);
	assert_int_equal(status_of(f, 2) & 0x40, 0x40);
	ticks(f, 399);
	assert_true(out_of(f, 2));
	ticks(f, 1);
	assert_false(out_of(f, 2));
	assert_int_equal(status_of(f, 2) & 0x40, 0);
	ticks(f, 99);
	assert_false(out_of(f, 2));
	ticks(f, 1);
	assert_true(out_of(f, 2));
}

static void mode_4(void **state)
{
	struct fixture *f = *state;

	program(f, 2, 0x8, 20);
	out8(f->b, 0x61, 1);
	ticks(f, 20);
	assert_true(out_of(f, 2));
	ticks(f, 1);
	assert_false(out_of(f, 2));
	ticks(f, 1);
	assert_true(out_of(f, 2));
}

static void mode_5(void **state)
{
	struct fixture *f = *state;

	program(f, 2, 0xa, 20);
	ticks(f, 40);
	assert_true(out_of(f, 2));
	out8(f->b, 0x61, 1);
	ticks(f, 1);
	ticks(f, 20);
	assert_false(out_of(f, 2));
	ticks(f, 1);
	assert_true(out_of(f, 2));
}

static void gate_stops_mode_0(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0x61, 1);
	program(f, 2, 0x0, 1000);
	ticks(f, 101);
	out8(f->b, 0x61, 0);
	assert_int_equal(count_of(f, 2), 900);
	ticks(f, 500);
	assert_int_equal(count_of(f, 2), 900);
	out8(f->b, 0x61, 1);
	ticks(f, 899);
	assert_int_equal(in8(f->b, 0x61) & 0x20, 0);
	ticks(f, 1);
	assert_int_equal(in8(f->b, 0x61) & 0x20, 0x20);
}

static void gate_restarts_mode_3(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0x61, 1);
	program(f, 2, 0x6, 1000);
	ticks(f, 601);
	assert_false(out_of(f, 2));
	out8(f->b, 0x61, 0);
	assert_true(out_of(f, 2));
	ticks(f, 5000);
	out8(f->b, 0x61, 1);
	ticks(f, 1);
	assert_int_equal(count_of(f, 2), 1000);
}

static void bcd(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 0x5, 0x0100);
	ticks(f, 2);
	assert_int_equal(count_of(f, 0), 0x0099);
	program(f, 0, 0x5, 0x0000);
	ticks(f, 2);
	assert_int_equal(count_of(f, 0), 0x9999);
}

static void zero_means_65536(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 0x4, 0);
	ticks(f, 2);
	assert_int_equal(count_of(f, 0), 0xffff);
	ticks(f, 65535);
	assert_int_equal(count_of(f, 0), 0);
}

static void one_byte_access(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0x43, 0x90); /* channel 2, low byte only, mode 0 */
	out8(f->b, 0x42, 0x20);
	assert_int_equal(status_of(f, 2) & 0x3f, 0x10);
	assert_int_equal(in8(f->b, 0x42), 0x20);
	out8(f->b, 0x43, 0xa0);
	out8(f->b, 0x42, 0x12);
	out8(f->b, 0x43, 0x80);
	assert_int_equal(in8(f->b, 0x42), 0x12);
	assert_int_equal(count_of(f, 2) >> 8, 0x12);
}

static void latches(void **state)
{
	struct fixture *f = *state;
	u8 low, high;

	program(f, 0, 0x4, 0x8000);
	ticks(f, 0x101);
	out8(f->b, 0x43, 0x00);
	ticks(f, 0x100);
	out8(f->b, 0x43, 0x00); /* ignored: not read yet */
	low = in8(f->b, 0x40);
	high = in8(f->b, 0x40);
	assert_int_equal(low | high << 8, 0x7f00);
	out8(f->b, 0x43, 0xc2); /* read back count and status */
	assert_int_equal(in8(f->b, 0x40), 0xb4);
	low = in8(f->b, 0x40);
	high = in8(f->b, 0x40);
	assert_int_equal(low | high << 8, 0x7e00);
	assert_int_equal(in8(f->b, 0x43), 0xff);
}

/* A program that read one byte of two and no more: the next latch begins with the low byte. */
static void a_latch_begins_with_the_low_byte(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 0x4, 0x8000);
	ticks(f, 0x101);
	assert_int_equal(in8(f->b, 0x40), 0x00);
	assert_int_equal(count_of(f, 0), 0x7f00);
	assert_int_equal(in8(f->b, 0x40), 0x00);
	assert_int_equal(in8(f->b, 0x40), 0x7f);
}

/* Two counts within one clock: the first is never loaded, so there is no half for it to end. */
static void a_count_replaced_before_it_is_loaded(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0x61, 1);
	for (u16 first = 2; first < 40; first++) {
		program(f, 2, 0x6, first);
		out8(f->b, 0x42, 9);
		out8(f->b, 0x42, 0);
		assert_int_equal(status_of(f, 2) & 0x40, 0x40);
		ticks(f, 1);
		assert_int_equal(status_of(f, 2) & 0x40, 0);
		assert_int_equal(count_of(f, 2), 8);
		assert_true(out_of(f, 2));
		ticks(f, 4);
		assert_true(out_of(f, 2));
		ticks(f, 1);
		assert_false(out_of(f, 2));
	}
}

static void refresh_bit(void **state)
{
	struct fixture *f = *state;
	unsigned changes = 0;
	u8 last = in8(f->b, 0x61);

	for (unsigned i = 0; i < 1000; i++) {
		u8 now;

		board_run(f->b, 1 * US);
		now = in8(f->b, 0x61);
		changes += (now ^ last) >> 4 & 1;
		last = now;
	}
	assert_in_range(changes, 65, 67);
	out8(f->b, 0x61, 0xff);
	assert_int_equal(in8(f->b, 0x61) & 0x8f, 0x0f);
}

/* A machine with a PIC, whose CPU takes interrupts when the test says so. */
struct machine {
	struct board *b;
	struct pic pic;
	struct pit pit;
	bool intr;
	unsigned ticks;
};

static void intr(void *ctx, bool level)
{
	((struct machine *)ctx)->intr = level;
}

static void taken(void *ctx, unsigned line)
{
	if (line == 0)
		pit_irq_taken(&((struct machine *)ctx)->pit);
}

static void take_all(struct machine *m)
{
	while (m->intr) {
		assert_int_equal(pic_intack(&m->pic), 8);
		out8(m->b, 0x20, 0x20);
		m->ticks++;
	}
}

static struct machine *machine_new(void)
{
	struct machine *m = test_calloc(1, sizeof(*m));

	m->b = board_new();
	pic_init(&m->pic, &m->b->bus, &m->b->irqs, intr, taken, m);
	pit_init(&m->pit, &m->b->bus, &m->b->clock, board_pin(m->b, 0));
	out8(m->b, 0x20, 0x11);
	out8(m->b, 0x21, 0x08);
	out8(m->b, 0x21, 0x04);
	out8(m->b, 0x21, 0x01);
	out8(m->b, 0x21, 0xfe);
	return m;
}

static void machine_free(struct machine *m)
{
	board_free(m->b);
	test_free(m);
}

static void a_second_has_100_ticks(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	for (u8 mode = 0x34; mode <= 0x36; mode += 2) {
		out8(m->b, 0x43, mode);
		out8(m->b, 0x40, 11932 & 0xff);
		out8(m->b, 0x40, 11932 >> 8);
		take_all(m);
		m->ticks = 0;
		for (unsigned i = 0; i < 10000; i++) {
			board_run(m->b, 1 * MS);
			take_all(m);
		}
		assert_in_range(m->ticks, 999, 1000);
	}
	machine_free(m);
}

/* Farbus is away for 70 ms: the guest gets the seven ticks afterwards, one by one. */
static void late_ticks_come_later(void **state)
{
	struct machine *m = machine_new();
	unsigned now;

	(void)state;
	out8(m->b, 0x43, 0x34);
	out8(m->b, 0x40, 11932 & 0xff);
	out8(m->b, 0x40, 11932 >> 8);
	take_all(m);
	m->ticks = 0;
	m->b->now += 75 * MS;
	clock_run(&m->b->clock);
	take_all(m);
	assert_int_equal(m->ticks, 1);
	for (unsigned i = 0; i < 100; i++) {
		board_run(m->b, 1 * MS);
		now = m->ticks;
		take_all(m);
		assert_true(m->ticks <= now + 1);
	}
	assert_int_equal(m->ticks, 17);
	m->b->now += 3600ull * NS_PER_SEC; /* an hour in the monitor: no hour's worth of ticks */
	clock_run(&m->b->clock);
	m->ticks = 0;
	for (unsigned i = 0; i < 1000; i++) {
		board_run(m->b, 1 * MS);
		take_all(m);
	}
	assert_in_range(m->ticks, 100, 130);
	machine_free(m);
}

/* A guest that asks for a tick every microsecond must not keep Farbus from its other work. */
static void fast_ticks_are_bounded(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	out8(m->b, 0x43, 0x14);
	out8(m->b, 0x40, 2);
	m->ticks = 0;
	for (unsigned i = 0; i < 100000; i++) {
		board_run(m->b, 1 * US);
		take_all(m);
	}
	assert_in_range(m->ticks, 1000, 5000);
	machine_free(m);
}

/* What the status register says of OUT and what the PIC sees agree without the run loop's help. */
static void reading_serves_due_edges(void **state)
{
	struct fixture *f = *state;

	program(f, 0, 0x0, 10);
	f->b->now += 20 * US;
	assert_true(out_of(f, 0));
	assert_true(f->b->irq[0]);
}

static void random_accesses(void **state)
{
	struct fixture *f = *state;
	u32 seed = 7;

	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1664525 + 1013904223;
		if (seed >> 31)
			out8(f->b, (u16)(0x40 + (seed >> 24 & 3)), (u8)(seed >> 8));
		else if (seed >> 30 & 1)
			in8(f->b, (u16)(0x40 + (seed >> 24 & 3)));
		else
			out8(f->b, 0x61, (u8)(seed >> 8));
		board_run(f->b, seed >> 12 & 0xfff);
	}
}

/* What one PC's port 61h says against another's status of channel 2, which are asked and written
 * the same at the same times. */
static void port61_shows_channel_2(void **state)
{
	struct fixture *pc[2] = {*state};
	void *other;
	u32 seed = 5;

	setup(&other);
	pc[1] = other;
	for (unsigned i = 0; i < 20000; i++) {
		seed = seed * 1664525 + 1013904223;
		for (unsigned n = 0; n < 2; n++) {
			struct board *b = pc[n]->b;

			if (seed >> 30 == 0)
				out8(b, 0x61, seed >> 29 & 1);
			else if (seed >> 30 == 1)
				out8(b, 0x43, (u8)(0xb0 | (seed >> 26 & 7) << 1));
			else
				out8(b, 0x42, seed >> 30 == 2 ? (seed >> 20 & 15) : 0);
		}
		for (unsigned k = seed >> 16 & 7; k; k--) {
			u32 wait = (seed >> 8 & 0xfff) / k;

			board_run(pc[0]->b, wait);
			board_run(pc[1]->b, wait);
			assert_int_equal(in8(pc[0]->b, 0x61) >> 5 & 1, status_of(pc[1], 2) >> 7);
		}
	}
	teardown(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mode_0),
		TEST(mode_1),
		TEST(mode_2),
		TEST(mode_3),
		TEST(mode_3_new_count_takes_over_at_the_half),
		TEST(mode_4),
		TEST(mode_5),
		TEST(gate_stops_mode_0),
		TEST(gate_restarts_mode_3),
		TEST(bcd),
		TEST(zero_means_65536),
		TEST(one_byte_access),
		TEST(latches),
		TEST(a_latch_begins_with_the_low_byte),
		TEST(a_count_replaced_before_it_is_loaded),
		TEST(refresh_bit),
		TEST(port61_shows_channel_2),
		cmocka_unit_test(a_second_has_100_ticks),
		cmocka_unit_test(late_ticks_come_later),
		cmocka_unit_test(fast_ticks_are_bounded),
		TEST(reading_serves_due_edges),
		TEST(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
