/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard controller with both devices, port 92h, and the A20 gate they share. */
#include "tests/unit/devices/support.h"
#include "devices/i8042.h"
#include "devices/port92.h"

#define CABLE (2 * MS) /* more than a byte takes */

struct fixture {
	struct board *b;
	struct i8042 c;
	struct port92 p92;
	unsigned resets;
};

static void reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->b = board_new();
	i8042_init(&f->c, &f->b->bus, &f->b->clock, &f->b->mem, board_pin(f->b, 1),
		   board_pin(f->b, 12), reset, f);
	port92_init(&f->p92, &f->b->bus, &f->b->mem, reset, f);
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

static void mode(struct fixture *f, u8 value)
{
	out8(f->b, 0x64, 0x60);
	out8(f->b, 0x60, value);
}

/* The next byte, or -1 when none comes. */
static int next(struct fixture *f)
{
	board_run(f->b, CABLE);
	return in8(f->b, 0x64) & 1 ? in8(f->b, 0x60) : -1;
}

#define expect(f, ...)                                                                             \
	do {                                                                                       \
		const int bytes[] = {__VA_ARGS__};                                                 \
		for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++)                                   \
			assert_int_equal(next(f), bytes[i]);                                       \
		assert_int_equal(next(f), -1);                                                     \
	} while (0)

static void keys(struct fixture *f, const char *set1, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		i8042_key(&f->c, (u8)set1[i]);
}

static void controller(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in8(f->b, 0x64) & 0x15, 0x10);
	out8(f->b, 0x64, 0xaa);
	assert_int_equal(in8(f->b, 0x64) & 0x05, 0x05); /* the controller answers at once */
	assert_int_equal(in8(f->b, 0x60), 0x55);
	out8(f->b, 0x64, 0xab);
	assert_int_equal(in8(f->b, 0x60), 0x00);
	out8(f->b, 0x64, 0xa9);
	assert_int_equal(in8(f->b, 0x60), 0x00);
	mode(f, 0x65);
	out8(f->b, 0x64, 0x20);
	assert_int_equal(in8(f->b, 0x60), 0x65);
	out8(f->b, 0x64, 0xad);
	out8(f->b, 0x64, 0xa7);
	out8(f->b, 0x64, 0x20);
	assert_int_equal(in8(f->b, 0x60), 0x75);
	out8(f->b, 0x64, 0x65);
	out8(f->b, 0x60, 0x99);
	out8(f->b, 0x64, 0x25);
	assert_int_equal(in8(f->b, 0x60), 0x99);
	out8(f->b, 0x64, 0xd2);
	out8(f->b, 0x60, 0x42);
	assert_int_equal(in8(f->b, 0x64) & 0x21, 0x01);
	assert_int_equal(in8(f->b, 0x60), 0x42);
	out8(f->b, 0x64, 0xd3);
	out8(f->b, 0x60, 0x43);
	assert_int_equal(in8(f->b, 0x64) & 0x21, 0x21);
	assert_int_equal(in8(f->b, 0x60), 0x43);
}

static void translated_keys(void **state)
{
	struct fixture *f = *state;

	mode(f, 0x41);
	keys(f, "\x1e\x9e\xe0\x48\xe0\xc8\x41\x58\xd8", 9);
	expect(f, 0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8, 0x41, 0x58, 0xd8);
	keys(f, "\xe1\x1d\x45\xe1\x9d\xc5", 6);
	expect(f, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
	keys(f, "\xe0\x2a\xe0\x37\x54\xd4", 6);
	expect(f, 0xe0, 0x2a, 0xe0, 0x37, 0x54, 0xd4);
}

/* Every key comes back as what went in: set 1 to set 2 in the keyboard, and back in the 8042. */
static void translation_is_the_identity(void **state)
{
	struct fixture *f = *state;

	mode(f, 0x41);
	for (unsigned code = 1; code < 0x59; code++) {
		i8042_key(&f->c, (u8)code);
		i8042_key(&f->c, (u8)(code | 0x80));
		expect(f, (int)code, (int)code | 0x80);
	}
}

static void raw_sets(void **state)
{
	struct fixture *f = *state;

	mode(f, 0x01);
	keys(f, "\x1e\x9e\xe0\x48\xe0\xc8", 6);
	expect(f, 0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75);
	out8(f->b, 0x60, 0xf0);
	expect(f, 0xfa);
	out8(f->b, 0x60, 0x01);
	expect(f, 0xfa);
	keys(f, "\x1e\x9e\xe0\x48", 4);
	expect(f, 0x1e, 0x9e, 0xe0, 0x48);
	out8(f->b, 0x60, 0xf0);
	expect(f, 0xfa);
	out8(f->b, 0x60, 0x03);
	expect(f, 0xfa);
	keys(f, "\x1e\x9e\xe0\x48\xe0\xc8\xe1\x1d\x45\xe1\x9d\xc5", 12);
	expect(f, 0x1c, 0xf0, 0x1c, 0x63, 0xf0, 0x63, 0x62);
	out8(f->b, 0x60, 0xf0);
	expect(f, 0xfa);
	out8(f->b, 0x60, 0x00);
	expect(f, 0xfa, 0x03);
}

static void keyboard_commands(void **state)
{
	struct fixture *f = *state;

	mode(f, 0x41);
	out8(f->b, 0x60, 0xff);
	expect(f, 0xfa, 0xaa);
	out8(f->b, 0x60, 0xee);
	expect(f, 0xee);
	out8(f->b, 0x60, 0xf2);
	expect(f, 0xfa, 0xab, 0x41); /* 83h, translated */
	out8(f->b, 0x60, 0xed);
	expect(f, 0xfa);
	out8(f->b, 0x60, 0x02);
	expect(f, 0xfa);
	assert_int_equal(f->c.keyboard.leds, 2);
	out8(f->b, 0x60, 0xf5);
	expect(f, 0xfa);
	keys(f, "\x1e", 1);
	expect(f, -1);
	out8(f->b, 0x60, 0xf4);
	expect(f, 0xfa);
	keys(f, "\x1e", 1);
	expect(f, 0x1e);
	out8(f->b, 0x60, 0x07);
	expect(f, 0xfe);
	out8(f->b, 0x60, 0xfe);
	expect(f, 0xfe);
	out8(f->b, 0x60, 0xed); /* a command in place of the parameter */
	expect(f, 0xfa);
	out8(f->b, 0x60, 0xee);
	expect(f, 0xee);
}

/* The guest switches the keyboard off between a key's two bytes: both are gone, no other key's. */
static void a_prefix_goes_with_its_key(void **state)
{
	struct fixture *f = *state;

	mode(f, 0x41);
	keys(f, "\xe0", 1);
	out8(f->b, 0x60, 0xf5);
	expect(f, 0xfa);
	keys(f, "\x48", 1);
	out8(f->b, 0x60, 0xf4);
	expect(f, 0xfa);
	keys(f, "\x1e\x9e", 2);
	expect(f, 0x1e, 0x9e);
	out8(f->b, 0x60, 0xf5);
	expect(f, 0xfa);
	keys(f, "\xe0", 1);
	out8(f->b, 0x60, 0xf4);
	expect(f, 0xfa);
	keys(f, "\x48", 1);
	expect(f, 0xe0, 0x48);
	out8(f->b, 0x60, 0xf5);
	expect(f, 0xfa);
	keys(f, "\xe1\x1d\x45\xe1\x9d\xc5", 6);
	out8(f->b, 0x60, 0xf4);
	expect(f, 0xfa);
	keys(f, "\x1e", 1);
	expect(f, 0x1e);
}

/* In set 3, no two keys have the same code. */
static void set_3_tells_all_keys_apart(void **state)
{
	struct fixture *f = *state;
	bool seen[256] = {false};
	int code;

	mode(f, 0x01);
	out8(f->b, 0x60, 0xf0);
	expect(f, 0xfa);
	out8(f->b, 0x60, 0x03);
	expect(f, 0xfa);
	keys(f, "\xe0\x35", 2);
	expect(f, 0x77);
	for (unsigned key = 1; key < 0xdd; key++) {
		if (key == 0x54 || (key >= 0x59 && key < 0x80)) /* SysRq is Print Screen's key */
			continue;
		if (key & 0x80)
			i8042_key(&f->c, 0xe0);
		i8042_key(&f->c, key & 0x7f);
		code = next(f);
		if (code < 0)
			continue;
		assert_false(seen[code]);
		seen[code] = true;
	}
}

static void interrupts_and_pace(void **state)
{
	struct fixture *f = *state;

	mode(f, 0x41);
	keys(f, "\x1e\x9e", 2);
	board_run(f->b, CABLE);
	assert_true(f->b->irq[1]);
	assert_int_equal(in8(f->b, 0x60), 0x1e);
	assert_false(f->b->irq[1]);
	assert_int_equal(in8(f->b, 0x64) & 1, 0);
	assert_int_equal(in8(f->b, 0x60), 0x1e); /* the same byte, for whoever reads it twice */
	board_run(f->b, CABLE);
	assert_true(f->b->irq[1]);
	assert_int_equal(f->b->rises[1], 2);
	mode(f, 0x40);
	assert_false(f->b->irq[1]);
	mode(f, 0x51); /* keyboard off: the byte in the buffer stays, others wait */
	assert_int_equal(in8(f->b, 0x60), 0x9e);
	keys(f, "\x1f", 1);
	expect(f, -1);
	out8(f->b, 0x64, 0xae);
	expect(f, 0x1f);
}

/* DOS reads port 60h, then its BIOS does: the key's byte must still be there, however late. */
static void a_handler_reads_twice(void **state)
{
	struct fixture *f = *state;

	mode(f, 0x41);
	keys(f, "\x1e\x9e", 2);
	board_run(f->b, CABLE);
	f->b->in_service[1] = true;
	assert_int_equal(in8(f->b, 0x60), 0x1e);
	board_run(f->b, 20 * MS);
	assert_int_equal(in8(f->b, 0x64) & 1, 0);
	assert_int_equal(in8(f->b, 0x60), 0x1e);
	f->b->in_service[1] = false;
	expect(f, 0x9e);
	/* Without an EOI the bytes come all the same. */
	f->b->in_service[1] = true;
	keys(f, "\x1f", 1);
	board_run(f->b, 20 * MS);
	assert_int_equal(in8(f->b, 0x64) & 1, 0);
	board_run(f->b, 80 * MS);
	assert_int_equal(in8(f->b, 0x60), 0x1f);
}

static void a_burst_of_keys(void **state)
{
	struct fixture *f = *state;
	unsigned room = ps2_keyboard_space(&f->c.keyboard);

	mode(f, 0x41);
	assert_true(room >= 80);
	for (unsigned i = 0; i < room; i++)
		i8042_key(&f->c, 0x9e);
	for (unsigned i = 0; i < room; i++)
		assert_int_equal(next(f), 0x9e);
	assert_int_equal(next(f), -1);
	for (unsigned i = 0; i < 1000; i++) /* more than fits: dropped, and nothing worse */
		i8042_key(&f->c, 0x9e);
	assert_int_equal(next(f), 0x9e);
}

static void mouse(void **state)
{
	struct fixture *f = *state;

	mode(f, 0x43);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xff);
	expect(f, 0xfa, 0xaa, 0x00);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xf2);
	expect(f, 0xfa, 0x00);
	i8042_mouse(&f->c, 5, 5, 1);
	expect(f, -1);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xf4);
	board_run(f->b, CABLE);
	assert_true(f->b->irq[12]);
	assert_false(f->b->irq[1]);
	assert_int_equal(in8(f->b, 0x64) & 0x21, 0x21);
	expect(f, 0xfa);
	i8042_mouse(&f->c, 3, -2, 1);
	expect(f, 0x29, 0x03, 0xfe);
	for (unsigned i = 0; i < 4; i++)
		i8042_mouse(&f->c, 100, 0, 0);
	expect(f, 0x08, 100, 0x00, 0x08, 255, 0x00, 0x08, 45, 0x00);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xe9);
	expect(f, 0xfa, 0x20, 0x02, 100);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xf0); /* remote mode */
	expect(f, 0xfa);
	i8042_mouse(&f->c, 1, 1, 4);
	expect(f, -1);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xeb);
	expect(f, 0xfa, 0x0c, 0x01, 0x01);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xee); /* wrap mode */
	expect(f, 0xfa);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0x42);
	expect(f, 0x42);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xec);
	expect(f, 0xfa);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xea); /* stream mode again, and wrap mode in it */
	expect(f, 0xfa);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xee);
	expect(f, 0xfa);
	i8042_mouse(&f->c, 2, 0, 0);
	expect(f, -1);
	out8(f->b, 0x64, 0xd4);
	out8(f->b, 0x60, 0xec);
	assert_int_equal(next(f), 0xfa);
}

static void a20(void **state)
{
	struct fixture *f = *state;

	assert_true(physmem_a20(&f->b->mem));
	out8(f->b, 0x64, 0xd1);
	out8(f->b, 0x60, 0xdd);
	assert_false(physmem_a20(&f->b->mem));
	assert_int_equal(in8(f->b, 0x92) & 2, 0);
	out8(f->b, 0x64, 0xd0);
	assert_int_equal(in8(f->b, 0x60) & 3, 1);
	out8(f->b, 0x92, 0x02);
	assert_true(physmem_a20(&f->b->mem));
	out8(f->b, 0x64, 0xd0);
	assert_int_equal(in8(f->b, 0x60) & 3, 3);
	out8(f->b, 0x64, 0xdd);
	assert_false(physmem_a20(&f->b->mem));
	out8(f->b, 0x64, 0xdf);
	assert_true(physmem_a20(&f->b->mem));
	out8(f->b, 0x64, 0xff); /* pulses no line: what HIMEM.SYS sends after a change */
	assert_int_equal(f->resets, 0);
}

static void resets(void **state)
{
	struct fixture *f = *state;

	out8(f->b, 0x64, 0xfe);
	assert_int_equal(f->resets, 1);
	out8(f->b, 0x64, 0xd1);
	out8(f->b, 0x60, 0xde);
	assert_int_equal(f->resets, 2);
	out8(f->b, 0x92, 0x03);
	out8(f->b, 0x92, 0x03);
	assert_int_equal(f->resets, 3);
	out8(f->b, 0x92, 0x02);
	out8(f->b, 0x92, 0x03);
	assert_int_equal(f->resets, 4);
}

static void random_accesses(void **state)
{
	static const u16 ports[4] = {0x60, 0x60, 0x64, 0x92};
	struct fixture *f = *state;
	u32 seed = 11;

	for (unsigned i = 0; i < 300000; i++) {
		seed = seed * 1664525 + 1013904223;
		switch (seed >> 29) {
		case 0:
			i8042_key(&f->c, (u8)(seed >> 8));
			break;
		case 1:
			i8042_mouse(&f->c, (s8)(seed >> 8), (s8)(seed >> 16), seed >> 24 & 7);
			break;
		case 2:
		case 3:
			in8(f->b, ports[seed >> 24 & 3]);
			break;
		default:
			out8(f->b, ports[seed >> 24 & 3], (u8)(seed >> 8));
			break;
		}
		board_run(f->b, seed >> 8 & 0xfffff);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(controller),
		TEST(translated_keys),
		TEST(translation_is_the_identity),
		TEST(raw_sets),
		TEST(keyboard_commands),
		TEST(a_prefix_goes_with_its_key),
		TEST(set_3_tells_all_keys_apart),
		TEST(interrupts_and_pace),
		TEST(a_handler_reads_twice),
		TEST(a_burst_of_keys),
		TEST(mouse),
		TEST(a20),
		TEST(resets),
		TEST(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
