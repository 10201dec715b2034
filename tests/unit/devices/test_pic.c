/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259A pair against its datasheet. */
#include "tests/unit/devices/support.h"
#include "devices/pic.h"
#include <string.h>

struct fixture {
	struct board *b;
	struct pic pic;
	bool intr;
	unsigned eois[16], taken[16];
};

static void intr(void *ctx, bool level)
{
	((struct fixture *)ctx)->intr = level;
}

static void taken(void *ctx, unsigned line)
{
	((struct fixture *)ctx)->taken[line]++;
}

static void eoi(void *ctx, unsigned line)
{
	((struct fixture *)ctx)->eois[line]++;
}

static void init_chips(struct board *b, u8 icw4)
{
	out8(b, 0x20, 0x11);
	out8(b, 0x21, 0x08);
	out8(b, 0x21, 0x04);
	out8(b, 0x21, icw4);
	out8(b, 0xa0, 0x11);
	out8(b, 0xa1, 0x70);
	out8(b, 0xa1, 0x02);
	out8(b, 0xa1, icw4);
	out8(b, 0x21, 0);
	out8(b, 0xa1, 0);
}

static void forget_counts(struct fixture *f)
{
	memset(f->eois, 0, sizeof(f->eois));
	memset(f->taken, 0, sizeof(f->taken));
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->b = board_new();
	pic_init(&f->pic, &f->b->bus, &f->b->irqs, intr, taken, f);
	f->b->irqs.eoi = eoi;
	f->b->irqs.eoi_ctx = f;
	init_chips(f->b, 1);
	forget_counts(f);
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

static void line(struct fixture *f, u8 n, bool level)
{
	struct irq_pin p = board_pin(f->b, n);

	irq_set(&p, level);
}

static void edge(struct fixture *f, u8 n)
{
	line(f, n, false);
	line(f, n, true);
}

static u8 isr(struct fixture *f, u16 port)
{
	out8(f->b, port, 0x0b);
	return in8(f->b, port);
}

static u8 irr(struct fixture *f, u16 port)
{
	out8(f->b, port, 0x0a);
	return in8(f->b, port);
}

static void nested(void **state)
{
	struct fixture *f = *state;

	assert_false(f->intr);
	edge(f, 4);
	assert_true(f->intr);
	assert_int_equal(irr(f, 0x20), 0x10);
	assert_int_equal(pic_intack(&f->pic), 0x0c);
	assert_false(f->intr);
	assert_int_equal(isr(f, 0x20), 0x10);
	edge(f, 5);
	assert_false(f->intr);
	edge(f, 1);
	assert_true(f->intr);
	assert_int_equal(pic_intack(&f->pic), 0x09);
	out8(f->b, 0x20, 0x20);
	assert_int_equal(isr(f, 0x20), 0x10);
	assert_int_equal(f->eois[1], 1);
	out8(f->b, 0x20, 0x64);
	assert_int_equal(f->eois[4], 1);
	assert_true(f->intr);
	assert_int_equal(pic_intack(&f->pic), 0x0d);
	assert_int_equal(f->taken[5], 1);
}

static void masks(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0x21, 0xfe);
	edge(f, 3);
	assert_false(f->intr);
	assert_int_equal(in8(f->b, 0x21), 0xfe);
	assert_int_equal(irr(f, 0x20), 0x08);
	out8(f->b, 0x21, 0xf6);
	assert_true(f->intr);
	out8(f->b, 0x21, 0xff);
	assert_false(f->intr);
}

static void edges_are_taken_once(void **state)
{
	struct fixture *f = *state;

	edge(f, 6);
	pic_intack(&f->pic);
	out8(f->b, 0x20, 0x20);
	assert_false(f->intr);
	line(f, 6, false);
	assert_false(f->intr);
	line(f, 6, true);
	assert_true(f->intr);
}

static void a_request_that_went_away_is_spurious(void **state)
{
	struct fixture *f = *state;

	edge(f, 3);
	line(f, 3, false);
	assert_int_equal(irr(f, 0x20), 0);
	assert_true(f->intr); /* INT lasts until it is acknowledged or the chip is written */
	assert_int_equal(pic_intack(&f->pic), 0x0f);
	assert_int_equal(isr(f, 0x20), 0);
	assert_false(f->intr);
	edge(f, 3);
	line(f, 3, false);
	out8(f->b, 0x21, 0x08);
	assert_false(f->intr);
	edge(f, 12);
	line(f, 12, false);
	assert_int_equal(pic_intack(&f->pic), 0x77);
	assert_int_equal(isr(f, 0xa0), 0);
	assert_int_equal(isr(f, 0x20), 0x04);
}

static void cascade(void **state)
{
	struct fixture *f = *state;

	edge(f, 14);
	edge(f, 8);
	edge(f, 3);
	assert_int_equal(irr(f, 0x20), 0x0c);
	assert_int_equal(pic_intack(&f->pic), 0x70);
	assert_int_equal(isr(f, 0xa0), 0x01);
	assert_int_equal(isr(f, 0x20), 0x04);
	assert_false(f->intr);
	out8(f->b, 0xa0, 0x20);
	assert_false(f->intr); /* the master still has the slave in service */
	out8(f->b, 0x20, 0x20);
	assert_int_equal(pic_intack(&f->pic), 0x76);
	out8(f->b, 0xa0, 0x20);
	out8(f->b, 0x20, 0x20);
	assert_int_equal(pic_intack(&f->pic), 0x0b);
}

static void irq_2_is_the_slaves_input_1(void **state)
{
	struct fixture *f = *state;

	edge(f, 2);
	assert_false(f->intr);
	edge(f, 9);
	assert_int_equal(pic_intack(&f->pic), 0x71);
}

static void special_fully_nested(void **state)
{
	struct fixture *f = *state;

	edge(f, 14);
	pic_intack(&f->pic);
	edge(f, 8); /* above 14 in the slave, but the master holds the slave in service */
	assert_false(f->intr);
	init_chips(f->b, 1);
	line(f, 14, false);
	line(f, 8, false);
	out8(f->b, 0x20, 0x11);
	out8(f->b, 0x21, 0x08);
	out8(f->b, 0x21, 0x04);
	out8(f->b, 0x21, 0x11);
	edge(f, 14);
	pic_intack(&f->pic);
	edge(f, 8);
	assert_true(f->intr);
	assert_int_equal(pic_intack(&f->pic), 0x70);
	edge(f, 5);
	assert_false(f->intr); /* input 2 in service still holds 3 to 7 back */
}

static void automatic_eoi(void **state)
{
	struct fixture *f = *state;

	init_chips(f->b, 3);
	forget_counts(f);
	edge(f, 1);
	edge(f, 4);
	assert_int_equal(pic_intack(&f->pic), 0x09);
	assert_int_equal(isr(f, 0x20), 0);
	assert_int_equal(f->eois[1], 1);
	assert_int_equal(pic_intack(&f->pic), 0x0c);
	edge(f, 10);
	edge(f, 11);
	assert_int_equal(pic_intack(&f->pic), 0x72);
	assert_true(f->intr); /* the slave's second request is a new edge for the master */
	assert_int_equal(pic_intack(&f->pic), 0x73);
	assert_false(f->intr);
	out8(f->b, 0x20, 0x80); /* rotate in automatic EOI mode */
	edge(f, 1);
	pic_intack(&f->pic);
	edge(f, 0);
	edge(f, 3);
	assert_int_equal(pic_intack(&f->pic), 0x0b);
}

static void rotation(void **state)
{
	struct fixture *f = *state;

	edge(f, 4);
	pic_intack(&f->pic);
	out8(f->b, 0x20, 0xa0); /* 4 becomes the lowest */
	edge(f, 3);
	edge(f, 5);
	assert_int_equal(pic_intack(&f->pic), 0x0d);
	out8(f->b, 0x20, 0xe5); /* rotate on specific EOI: 5 the lowest */
	edge(f, 6);
	assert_int_equal(pic_intack(&f->pic), 0x0e);
	out8(f->b, 0x20, 0x20);
	out8(f->b, 0x20, 0xc2); /* set priority: 2 the lowest, 3 the highest */
	edge(f, 0);
	assert_int_equal(pic_intack(&f->pic), 0x0b);
}

static void special_mask(void **state)
{
	struct fixture *f = *state;

	edge(f, 1);
	pic_intack(&f->pic);
	edge(f, 6);
	assert_false(f->intr);
	out8(f->b, 0x21, 0x02);
	assert_false(f->intr);
	out8(f->b, 0x20, 0x68);
	assert_true(f->intr);
	assert_int_equal(pic_intack(&f->pic), 0x0e);
	out8(f->b, 0x20, 0x20); /* ends 6: 1 is masked, so a non-specific EOI passes over it */
	assert_int_equal(isr(f, 0x20), 0x02);
	out8(f->b, 0x20, 0x61);
	assert_int_equal(isr(f, 0x20), 0x00);
	out8(f->b, 0x20, 0x48);
}

static void polling(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0x20, 0x0c);
	assert_int_equal(in8(f->b, 0x20), 0x07);
	edge(f, 5);
	out8(f->b, 0x20, 0x0c);
	assert_int_equal(in8(f->b, 0x20), 0x85);
	assert_int_equal(isr(f, 0x20), 0x20);
	assert_false(f->intr);
	edge(f, 15);
	out8(f->b, 0xa0, 0x0c);
	assert_int_equal(in8(f->b, 0xa1), 0x87);
	assert_int_equal(isr(f, 0xa0), 0x80);
}

static void level_triggered(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0x4d0, 0xff);
	out8(f->b, 0x4d1, 0xff);
	assert_int_equal(in8(f->b, 0x4d0), 0xf8);
	assert_int_equal(in8(f->b, 0x4d1), 0xde);
	assert_int_equal(in16(f->b, 0x4d0), 0xdef8);
	line(f, 11, true);
	assert_int_equal(pic_intack(&f->pic), 0x73);
	out8(f->b, 0xa0, 0x20);
	out8(f->b, 0x20, 0x20);
	assert_true(f->intr);
	assert_int_equal(pic_intack(&f->pic), 0x73);
	line(f, 11, false);
	out8(f->b, 0xa0, 0x20);
	out8(f->b, 0x20, 0x20);
	assert_false(f->intr);
}

static void initialisation(void **state)
{
	struct fixture *f = *state;

	edge(f, 3);
	out8(f->b, 0x21, 0x5a);
	out8(f->b, 0x20, 0x11);
	assert_int_equal(irr(f, 0x20), 0);
	out8(f->b, 0x21, 0x40);
	out8(f->b, 0x21, 0x04);
	out8(f->b, 0x21, 0x01);
	assert_int_equal(in8(f->b, 0x21), 0);
	edge(f, 7);
	assert_int_equal(pic_intack(&f->pic), 0x47);
	out8(f->b, 0x20, 0x12); /* one chip, no ICW4: ICW2 is the last */
	out8(f->b, 0x21, 0x50);
	out8(f->b, 0x21, 0xa5);
	assert_int_equal(in8(f->b, 0x21), 0xa5);
}

/* Whatever is written in whatever order: no access may hang, and INTA always gives a vector. */
static void random_writes(void **state)
{
	static const u16 ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
	struct fixture *f = *state;
	u32 seed = 1;

	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1664525 + 1013904223;
		switch (seed >> 28 & 3) {
		case 0:
			line(f, seed >> 24 & 15, seed >> 20 & 1);
			break;
		case 1:
			in8(f->b, ports[(seed >> 16) % 6]);
			break;
		case 2:
			out8(f->b, ports[(seed >> 16) % 6], (u8)(seed >> 8));
			break;
		default:
			assert_in_range(pic_intack(&f->pic), 0, 255);
			break;
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nested),
		TEST(masks),
		TEST(edges_are_taken_once),
		TEST(a_request_that_went_away_is_spurious),
		TEST(cascade),
		TEST(irq_2_is_the_slaves_input_1),
		TEST(special_fully_nested),
		TEST(automatic_eoi),
		TEST(rotation),
		TEST(special_mask),
		TEST(polling),
		TEST(level_triggered),
		TEST(initialisation),
		TEST(random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
