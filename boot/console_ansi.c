/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal's side of the mirror: ECMA-48 control functions, VGA attributes as SGR. */
#include "boot/console_ansi.h"
#include "lib/fmt.h"
#include "lib/str.h"

static void put(struct ansi *a, u8 byte)
{
	if (a->head - a->tail < ANSI_RING)
		a->ring[a->head++ & (ANSI_RING - 1)] = byte;
}

static void put_text(struct ansi *a, const char *s)
{
	while (*s)
		put(a, (u8)*s++);
}

static void put_unicode(struct ansi *a, u16 code)
{
	if (code < 0x80) {
		put(a, (u8)code);
	} else if (code < 0x800) {
		put(a, (u8)(0xc0 | code >> 6));
		put(a, (u8)(0x80 | (code & 0x3f)));
	} else {
		put(a, (u8)(0xe0 | code >> 12));
		put(a, (u8)(0x80 | (code >> 6 & 0x3f)));
		put(a, (u8)(0x80 | (code & 0x3f)));
	}
}

u32 ansi_take(struct ansi *a, u8 *buf, u32 n)
{
	u32 i;

	for (i = 0; i < n && a->tail != a->head; i++)
		buf[i] = a->ring[a->tail++ & (ANSI_RING - 1)];
	return i;
}

void ansi_clear(struct ansi *a, u8 columns, u8 rows)
{
	char s[48];

	a->columns = columns;
	a->rows = rows;
	/* DECSTBM puts the cursor home; DECAWM off keeps the last column from wrapping. */
	fmt(s, sizeof(s), "\033[0m\033[?7l\033[?25h\033[1;%ur\033[2J\033[H", rows);
	put_text(a, s);
	a->row = a->column = 0;
	a->attr = 0x07;
	a->cursor_on = true;
}

void ansi_text(struct ansi *a, const char *text)
{
	if (a->attr != 0x07)
		put_text(a, "\033[0m");
	a->attr = 0x07;
	put_text(a, text);
	a->row = a->column = -1;
}

/*
 * Moves that a log file can take without control sequences (CR, LF, BS) are preferred: what scrolls
 * by on the screen then reads as text.
 */
void ansi_move(struct ansi *a, int row, int column)
{
	char s[24];

	if (a->row == row && a->column == column)
		return;
	if (a->row >= 0 && row == a->row + 1 && column == 0) {
		put_text(a, "\r\n");
	} else if (a->row == row && column == 0) {
		put(a, '\r');
	} else if (a->row == row && column < a->column && a->column - column <= 3 &&
		   a->column < a->columns) {
		for (int i = a->column; i > column; i--)
			put(a, '\b');
	} else {
		fmt(s, sizeof(s), "\033[%d;%dH", row + 1, column + 1);
		put_text(a, s);
	}
	a->row = row;
	a->column = column;
}

/* IBM's colour bits are blue 0, green 1, red 2; ECMA-48's are red 0, green 1, blue 2. */
static unsigned ansi_colour(unsigned vga)
{
	return (vga & 2) | (vga & 1) << 2 | (vga >> 2 & 1);
}

/* Attribute byte: foreground 0-3, background 4-6, 7 blink or bright background. */
static void set_attr(struct ansi *a, u8 attr)
{
	char s[24];
	int n;

	if (a->attr == attr)
		return;
	a->attr = attr;
	n = fmt(s, sizeof(s), "\033[0");
	if ((attr & 0x80) && a->blink)
		n += fmt(s + n, sizeof(s) - (size_t)n, ";5");
	if ((attr & 0x0f) != 7)
		n += fmt(s + n, sizeof(s) - (size_t)n, ";%u",
			 (attr & 8 ? 90 : 30) + ansi_colour(attr & 7));
	if ((attr & 0x80) && !a->blink)
		n += fmt(s + n, sizeof(s) - (size_t)n, ";%u", 100 + ansi_colour(attr >> 4 & 7));
	else if (attr & 0x70)
		n += fmt(s + n, sizeof(s) - (size_t)n, ";%u", 40 + ansi_colour(attr >> 4 & 7));
	put_text(a, s);
	put(a, 'm');
}

void ansi_cell(struct ansi *a, u16 cell)
{
	u16 code = cp437_unicode[cell & 0xff];
	u8 attr = (u8)(cell >> 8);

	/* A space shows only its background: the foreground in force may stay. */
	if (code == ' ' && a->attr >= 0 && !((a->attr ^ attr) & 0xf0))
		attr = (u8)a->attr;
	set_attr(a, attr);
	put_unicode(a, code);
	a->column++;
}

void ansi_erase_line(struct ansi *a)
{
	/* Terminals fill with the background in force, or with the default one: let both agree. */
	if (a->attr & 0xf0)
		set_attr(a, 0x07);
	put_text(a, "\033[K");
}

void ansi_scroll(struct ansi *a)
{
	if (a->attr & 0xf0)
		set_attr(a, 0x07);
	if (a->row != a->rows - 1)
		ansi_move(a, a->rows - 1, 0);
	put_text(a, "\r\n");
	a->column = 0;
}

void ansi_show_cursor(struct ansi *a, bool on)
{
	if (a->cursor_on == on)
		return;
	a->cursor_on = on;
	put_text(a, on ? "\033[?25h" : "\033[?25l");
}

void ansi_release(struct ansi *a)
{
	put_text(a, "\033[0m\033[r\033[?7h\033[?25h\033[999;1H\r\n");
	a->row = a->column = -1;
	a->attr = 0x07;
	a->cursor_on = true;
}
