/* SPDX-License-Identifier: BSD-2-Clause */
/* What the console's mirror sends makes the same screen again; any bytes do no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/console_grid.h"

#define COLUMNS 80u
#define ROWS	25u
#define CELLS	4096u

static u16 cells[CELLS] __attribute__((aligned(4)));
static struct screen_mirror mirror;
static struct grid grid;
static u32 lines_left; /* that have left the screen at its top */

static u32 number(void)
{
	static u64 state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)(state >> 16);
}

static void leaves(void *ctx, const u16 *line)
{
	(void)ctx;
	assert_true(grid_line_length(line) <= SCREEN_COLUMNS_MAX);
	lines_left++;
}

static void start(void)
{
	for (unsigned i = 0; i < CELLS; i++)
		cells[i] = 0x0720;
	screen_init(&mirror);
	grid_init(&grid, leaves, NULL);
	lines_left = 0;
}

/* In parts of any length: a sequence may be cut anywhere. */
static void carry(void)
{
	u8 bytes[64];
	u32 n;

	while ((n = ansi_take(&mirror.ansi, bytes, 1 + number() % sizeof(bytes))) > 0)
		grid_feed(&grid, bytes, n);
}

static void show(unsigned rows, u16 first, u16 cursor)
{
	struct screen_view v = {.text = true,
				.cursor_on = true,
				.columns = COLUMNS,
				.rows = (u8)rows,
				.pitch = COLUMNS,
				.start = first,
				.cursor = cursor,
				.cells = cells,
				.cell_mask = CELLS - 1};

	while (screen_update(&mirror, &v))
		carry();
	carry();
}

/* Spaces in any colour on black look the same; of the rest, all that is seen. */
static bool alike(u16 a, u16 b)
{
	u8 x = (u8)a, y = (u8)b;
	bool blank_a = x == ' ' || !x || x == 0xff, blank_b = y == ' ' || !y || y == 0xff;

	if (blank_a || blank_b)
		return blank_a && blank_b && !((a ^ b) & 0xf000);
	return a == b;
}

static void assert_same(unsigned rows, u16 first)
{
	for (unsigned row = 0; row < rows; row++)
		for (unsigned i = 0; i < COLUMNS; i++) {
			u16 wanted = cells[(first + row * COLUMNS + i) % CELLS];

			if (!alike(grid.cell[row * SCREEN_COLUMNS_MAX + i], wanted))
				fail_msg("row %u column %u: %04x instead of %04x", row, i,
					 grid.cell[row * SCREEN_COLUMNS_MAX + i], wanted);
		}
}

static void same_screen(void **state)
{
	(void)state;
	start();
	for (unsigned turn = 0; turn < 500; turn++) {
		unsigned rows = turn % 100 < 50 ? ROWS : 50, changes = number() % 200;

		for (unsigned i = 0; i < changes; i++)
			cells[number() % CELLS] = (u16)number();
		show(rows, 0, (u16)(number() % (rows * COLUMNS)));
		assert_same(rows, 0);
		assert_int_equal(grid.rows, rows);
	}
}

static void cursor_stands_there(void **state)
{
	(void)state;
	start();
	show(ROWS, 0, 7 * COLUMNS + 12);
	assert_int_equal(grid.row, 7);
	assert_int_equal(grid.column, 12);
	assert_true(grid.cursor_on);
}

/* The start address moves on: each line leaves once. */
static void lines_scroll(void **state)
{
	(void)state;
	start();
	show(ROWS, 0, 0);
	lines_left = 0;
	for (u16 line = 1; line <= 20; line++) {
		u16 first = (u16)(line * COLUMNS);

		cells[(first + (ROWS - 1) * COLUMNS) % CELLS] = (u16)(0x0700 | ('A' + line));
		show(ROWS, first, first);
		assert_same(ROWS, first);
		assert_int_equal(lines_left, line);
	}
}

static void any_bytes(void **state)
{
	static const char likely[] = "\033[;?0123456789HJKmrhl\r\n\b\xe2\x94\x80\xc3";

	(void)state;
	start();
	for (unsigned i = 0; i < 2000000; i++) {
		u8 byte = number() % 3 ? (u8)likely[number() % (sizeof(likely) - 1)] : (u8)number();

		grid_feed(&grid, &byte, 1);
		assert_true(grid.rows >= 1 && grid.rows <= SCREEN_ROWS_MAX);
		assert_true(grid.row < grid.rows && grid.column <= SCREEN_COLUMNS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_screen),
		cmocka_unit_test(cursor_stands_there),
		cmocka_unit_test(lines_scroll),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
