/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mirror of the text screen: a terminal that gets its output shows what the screen shows, and
 * what has scrolled off reads as a log. And key strokes from bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/console_keys.h"
#include "boot/console_screen.h"
#include "tests/unit/boot/support_terminal.h"

#define CELLS 16384u

static u16 memory[CELLS] __attribute__((aligned(4)));
static struct screen_view view;
static struct screen_mirror mirror;
static struct terminal terminal;
static unsigned bytes_sent;

static void flush(void)
{
	static u8 buf[ANSI_RING];
	u32 n = ansi_take(&mirror.ansi, buf, sizeof(buf));

	bytes_sent += n;
	terminal_feed(&terminal, buf, n);
	assert_int_equal(terminal.bad, 0);
}

static void update(void)
{
	screen_update(&mirror, &view);
	flush();
}

static void clear_row(unsigned start, unsigned row)
{
	for (unsigned i = 0; i < view.pitch; i++)
		memory[(start + row * view.pitch + i) % CELLS] = 0x0720;
}

static void start(u8 columns, u8 rows)
{
	for (unsigned i = 0; i < CELLS; i++)
		memory[i] = 0x0720;
	memset(&view, 0, sizeof(view));
	view.text = view.cursor_on = view.blink = true;
	view.columns = columns;
	view.rows = rows;
	view.pitch = columns;
	view.cells = memory;
	view.cell_mask = CELLS - 1;
	memset(&terminal, 0, sizeof(terminal));
	terminal.columns = columns;
	screen_init(&mirror);
	update();
	bytes_sent = 0;
}

/* Writes text at (row, column) of the screen, as a guest does. */
static void put(unsigned row, unsigned column, const char *text, u8 attr)
{
	for (; *text; text++, column++)
		memory[(view.start + row * view.pitch + column) % CELLS] =
			(u16)((u8)*text | attr << 8);
}

static void check_row(int row, const char *expected)
{
	char text[512];

	terminal_row(&terminal, row, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* Each cell of the terminal is the screen's, in character and in what of the colours can be seen.
 */
static void check_screen(void)
{
	for (unsigned row = 0; row < view.rows; row++)
		for (unsigned i = 0; i < view.columns; i++) {
			u16 cell = memory[(view.start + row * view.pitch + i) % CELLS];
			u16 code = cp437_unicode[cell & 0xff];
			u8 attr = (u8)(cell >> 8), mask = code == ' ' ? 0xf0 : 0xff;

			assert_int_equal(terminal.code[row][i], code);
			assert_int_equal(terminal.attr[row][i] & mask, attr & mask);
		}
}

static void draws_and_follows(void **state)
{
	(void)state;
	start(80, 25);
	put(0, 0, "LILO boot:", 0x07);
	put(3, 10, "in colour", 0x1e);
	put(24, 79, "X", 0x70);
	view.cursor = 10;
	update();
	check_row(0, "LILO boot:");
	check_screen();
	assert_int_equal(terminal.row, 0);
	assert_int_equal(terminal.column, 10);
	bytes_sent = 0;
	update();
	assert_int_equal(bytes_sent, 0);
}

static void typing_is_cheap(void **state)
{
	(void)state;
	start(80, 25);
	for (unsigned i = 0; i < 20; i++) {
		put(5, i, "a", 0x07);
		view.cursor = (u16)(5 * 80 + i + 1);
		update();
	}
	/* One cursor movement to the line, then one byte a character. */
	assert_true(bytes_sent < 20 + 10);
	put(5, 19, " ", 0x07);
	view.cursor--;
	update();
	check_screen();
	assert_int_equal(terminal.column, 19);
}

static void cursor_hides(void **state)
{
	(void)state;
	start(80, 25);
	view.cursor_on = false;
	update();
	assert_true(terminal.cursor_on); /* perhaps only while the guest draws */
	for (unsigned i = 0; i < 4; i++)
		update();
	assert_false(terminal.cursor_on);
	view.cursor_on = true;
	update();
	assert_true(terminal.cursor_on);
	view.cursor = 80 * 25; /* off the screen: how DOS programs hide it */
	for (unsigned i = 0; i < 4; i++)
		update();
	assert_false(terminal.cursor_on);
	view.cursor = 81;
	update();
	assert_true(terminal.cursor_on);
	assert_int_equal(terminal.row, 1);
}

/* Prints a line at the bottom of the screen, moving memory up as a BIOS does. */
static void print_by_moving(const char *text)
{
	memmove(memory, memory + view.pitch, (size_t)(view.rows - 1) * view.pitch * 2);
	clear_row(0, view.rows - 1u);
	put(view.rows - 1u, 0, text, 0x07);
	view.cursor = (u16)((view.rows - 1u) * view.pitch + strlen(text));
}

/* The same by the start address, as Linux does; at the end of memory the screen goes to its start.
 */
static void print_by_start(const char *text)
{
	unsigned screen = (unsigned)view.rows * view.pitch;

	if (view.start + screen + view.pitch > CELLS) {
		memmove(memory, memory + view.start, screen * 2);
		view.start = 0;
	}
	view.start = (u16)(view.start + view.pitch);
	clear_row(view.start, view.rows - 1u);
	put(view.rows - 1u, 0, text, 0x07);
	view.cursor = (u16)(view.start + (view.rows - 1u) * view.pitch + strlen(text));
}

/* Lines 0 to n, looked at after every `per_look` lines: all have to be in the log or on the screen.
 */
static void check_log(unsigned n, unsigned per_look, void (*print)(const char *text))
{
	char line[40], all[65536];
	size_t len;

	for (unsigned i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "line %u of the kernel's log", i);
		print(line);
		if (i % per_look == per_look - 1) {
			update();
			check_screen();
		}
	}
	update();
	check_screen();
	len = terminal.log_len;
	memcpy(all, terminal.log, len);
	for (int row = 0; row < view.rows; row++) {
		terminal_row(&terminal, row, line, sizeof(line));
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s\n", line);
	}
	for (unsigned i = 0; i < n; i++) {
		char *first, text[48];

		snprintf(text, sizeof(text), "line %u of the kernel's log\n", i);
		first = strstr(all, text);
		assert_non_null(first);
		assert_null(strstr(first + 1, text));
	}
}

static void scrolls_by_moving(void **state)
{
	(void)state;
	for (unsigned per_look = 1; per_look < 20; per_look += 6) {
		start(80, 25);
		check_log(300, per_look, print_by_moving);
	}
}

static void scrolls_by_start(void **state)
{
	(void)state;
	for (unsigned per_look = 1; per_look < 24; per_look += 7) {
		start(80, 25);
		check_log(300, per_look, print_by_start);
	}
	start(80, 50);
	check_log(120, 1, print_by_start);
	/* More lines between two looks than a screen has: memory still holds them. */
	start(80, 25);
	check_log(150, 150, print_by_start);
}

static void page_flip_is_no_scroll(void **state)
{
	(void)state;
	start(80, 25);
	put(0, 0, "page 0", 0x07);
	update();
	view.start = 2048;
	put(0, 0, "page 1", 0x07);
	update();
	check_row(0, "page 1");
	check_screen();
	assert_int_equal(terminal.log_len, 0);
}

static void other_geometries(void **state)
{
	static const u8 shape[][2] = {{40, 25}, {80, 43}, {80, 50}, {132, 25}, {132, 60}, {80, 25}};

	(void)state;
	start(80, 25);
	for (unsigned i = 0; i < ARRAY_SIZE(shape); i++) {
		view.columns = shape[i][0];
		view.pitch = view.columns;
		view.rows = shape[i][1];
		terminal.columns = view.columns;
		put(view.rows - 1u, view.columns - 1u, "Z", 0x4f);
		put(0, 0, "top", 0x07);
		update();
		assert_int_equal(terminal.rows, view.rows);
		check_screen();
	}
	/* What a wild CRTC asks for is not drawn. */
	view.columns = 200;
	update();
	view.columns = 0;
	update();
	view.pitch = 0;
	update();
}

static void graphics_are_said_once(void **state)
{
	(void)state;
	start(80, 25);
	put(0, 0, "text", 0x07);
	update();
	view.text = false;
	view.width = 1024;
	view.height = 768;
	view.depth = 32;
	update();
	check_row(0, "[graphics mode 1024x768, 32 bits]");
	bytes_sent = 0;
	update();
	assert_int_equal(bytes_sent, 0);
	view.text = true;
	update();
	check_screen();
}

static void all_characters(void **state)
{
	(void)state;
	start(80, 25);
	for (unsigned i = 0; i < 256; i++)
		memory[i] = (u16)(i | 0x0700);
	for (unsigned i = 0; i < 256; i++)
		memory[400 + i] = (u16)('A' | i << 8);
	update();
	check_screen();
	view.blink = false; /* bit 7 is a bright background now */
	screen_redraw(&mirror);
	update();
	check_screen();
}

/* Nobody takes the bytes for a while: nothing is overwritten, and the picture is right again later.
 */
static void slow_line(void **state)
{
	(void)state;
	start(80, 25);
	srand(5);
	for (unsigned turn = 0; turn < 200; turn++) {
		for (unsigned i = 0; i < 2000; i++)
			memory[i] = (u16)(rand() >> 8);
		screen_update(&mirror, &view);
		assert_true(mirror.ansi.head - mirror.ansi.tail <= ANSI_RING);
		if (turn % 7 == 0)
			flush();
	}
	for (unsigned i = 0; i < 20; i++)
		update();
	check_screen();
}

static void random_changes(void **state)
{
	(void)state;
	start(80, 25);
	srand(9);
	for (unsigned turn = 0; turn < 3000; turn++) {
		unsigned what = (unsigned)rand() % 8;

		if (what == 0)
			print_by_moving("moved");
		else if (what == 1)
			view.start = (u16)((view.start + 80u * ((unsigned)rand() % 5)) % CELLS);
		else if (what == 2)
			view.start = (u16)(rand() % (int)CELLS);
		else
			put((unsigned)rand() % 25, (unsigned)rand() % 70, "change", (u8)rand());
		view.cursor = (u16)rand();
		update();
		check_screen();
	}
}

/* --- keys --- */

/* Long after the bytes came in. */
#define LATER_NS 1000000000ull

static struct keys keys;

/* All strokes of some bytes, as hexadecimal text. */
static const char *strokes_of(const char *bytes, size_t n)
{
	static char text[512];
	struct key_stroke s;
	size_t len = 0;

	keys_init(&keys);
	for (size_t i = 0; i < n; i++)
		keys_add(&keys, (u8)bytes[i], 0);
	text[0] = 0;
	while (keys_next(&keys, LATER_NS, &s)) {
		for (unsigned i = 0; i < s.count; i++)
			len += (size_t)sprintf(text + len, "%02x ", s.code[i]);
		len += (size_t)sprintf(text + len, "| ");
	}
	return text;
}

#define STROKES(bytes, expected) assert_string_equal(strokes_of(bytes, sizeof(bytes) - 1), expected)

static void characters(void **state)
{
	(void)state;
	STROKES("a", "1e 9e | ");
	STROKES("A", "2a 1e 9e aa | ");
	STROKES("1!", "02 82 | 2a 02 82 aa | ");
	STROKES("/?", "35 b5 | 2a 35 b5 aa | ");
	STROKES("\\|", "2b ab | 2a 2b ab aa | ");
	STROKES("`~", "29 a9 | 2a 29 a9 aa | ");
	STROKES("*", "2a 09 89 aa | ");
	STROKES("\r", "1c 9c | ");
	STROKES("\n", "1c 9c | ");
	STROKES("\r\n\n", "1c 9c | 1c 9c | ");
	STROKES("\x03", "1d 2e ae 9d | ");
	STROKES("\x7f\b\t ", "0e 8e | 0e 8e | 0f 8f | 39 b9 | ");
	STROKES("\x1d", "1d 1b 9b 9d | ");
	STROKES("\xc3\xa4x", "2d ad | ");
}

static void sequences(void **state)
{
	(void)state;
	STROKES("\033[A", "e0 48 e0 c8 | ");
	STROKES("\033OA", "e0 48 e0 c8 | ");
	STROKES("\033[1;5C", "1d e0 4d e0 cd 9d | ");
	STROKES("\033OP\033[15~\033[24~\033[[A", "3b bb | 3f bf | 58 d8 | 3b bb | ");
	STROKES("\033[3~", "e0 53 e0 d3 | ");
	STROKES("\033[Z", "2a 0f 8f aa | ");
	STROKES("\033x", "38 2d ad b8 | ");
	STROKES("\033", "01 81 | ");
	STROKES("\033\033", "01 81 | 01 81 | ");
	STROKES("\033[99q", "");
}

static void escape_waits_for_the_rest(void **state)
{
	struct key_stroke s;

	(void)state;
	keys_init(&keys);
	keys_add(&keys, 27, 1000);
	assert_false(keys_next(&keys, 2000, &s));
	keys_add(&keys, '[', 3000);
	assert_false(keys_next(&keys, 4000, &s));
	keys_add(&keys, 'B', 5000);
	assert_true(keys_next(&keys, 6000, &s));
	assert_int_equal(s.code[1], 0x50);
	keys_add(&keys, 27, 10000);
	assert_true(keys_next(&keys, 10000 + 100000000, &s));
	assert_int_equal(s.code[0], 1);
}

static void every_character_comes_back(void **state)
{
	(void)state;
	for (char ch = ' '; ch < 127; ch++) {
		const char *text = strokes_of(&ch, 1);

		assert_true(strlen(text) >= 8);
	}
	keys_init(&keys);
	for (unsigned i = 0; i < KEYS_RING + 10; i++)
		keys_add(&keys, 'x', 0);
	assert_int_equal(keys_space(&keys), 0);
}

static void named_keys(void **state)
{
	struct key_stroke s;

	(void)state;
	assert_true(keys_named("ctrl-alt-del", &s));
	assert_int_equal(s.count, 8);
	assert_int_equal(s.code[0], 0x1d);
	assert_int_equal(s.code[1], 0x38);
	assert_int_equal(s.code[3], 0x53);
	assert_true(keys_named("f12", &s));
	assert_true(keys_named("shift-a", &s));
	assert_true(keys_named("ctrl--", &s));
	assert_false(keys_named("nokey", &s));
	assert_false(keys_named("", &s));
	assert_false(keys_named("ctrl-", &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_and_follows),
		cmocka_unit_test(typing_is_cheap),
		cmocka_unit_test(cursor_hides),
		cmocka_unit_test(scrolls_by_moving),
		cmocka_unit_test(scrolls_by_start),
		cmocka_unit_test(page_flip_is_no_scroll),
		cmocka_unit_test(other_geometries),
		cmocka_unit_test(graphics_are_said_once),
		cmocka_unit_test(all_characters),
		cmocka_unit_test(slow_line),
		cmocka_unit_test(random_changes),
		cmocka_unit_test(characters),
		cmocka_unit_test(sequences),
		cmocka_unit_test(escape_waits_for_the_rest),
		cmocka_unit_test(every_character_comes_back),
		cmocka_unit_test(named_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
