/* SPDX-License-Identifier: BSD-2-Clause */
/* Control functions by ECMA-48: CR, LF, BS, CUP, ED, EL, SGR, DECSTBM, DECTCEM. */
#include "host/console_grid.h"

#include <stdio.h>
#include <string.h>

#define BLANK	0x0720u
#define NUMBERS 8u
#define ESC	0x1b
#define NOT_437 '?'

static u16 *line_of(struct grid *g, unsigned row)
{
	return g->cell + row * SCREEN_COLUMNS_MAX;
}

static void blank(u16 *cell, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		cell[i] = BLANK;
}

void grid_init(struct grid *g, void (*leaves)(void *ctx, const u16 *line), void *ctx)
{
	memset(g, 0, sizeof(*g));
	g->rows = 25;
	g->attr = 0x07;
	g->cursor_on = true;
	g->leaves = leaves;
	g->ctx = ctx;
	blank(g->cell, GRID_CELLS);
}

unsigned grid_line_length(const u16 *line)
{
	unsigned end = SCREEN_COLUMNS_MAX;

	while (end && ((line[end - 1] & 0xff) == ' ' || !(line[end - 1] & 0xff)))
		end--;
	return end;
}

unsigned grid_utf8(u16 cell, char out[4])
{
	u16 code = cp437_unicode[cell & 0xff];

	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | code >> 12);
	out[1] = (char)(0x80 | (code >> 6 & 0x3f));
	out[2] = (char)(0x80 | (code & 0x3f));
	return 3;
}

/* --- characters --- */

static u8 cp437_of(u16 code)
{
	if (code >= ' ' && code < 0x7f)
		return (u8)code;
	for (unsigned i = 0; i < 256; i++)
		if (cp437_unicode[i] == code)
			return (u8)i;
	return NOT_437;
}

static void put(struct grid *g, u16 code)
{
	if (g->column < SCREEN_COLUMNS_MAX)
		line_of(g, g->row)[g->column] = (u16)(g->attr << 8 | cp437_of(code));
	if (g->column < SCREEN_COLUMNS_MAX)
		g->column++;
}

static void line_feed(struct grid *g)
{
	if (g->row + 1 < g->rows) {
		g->row++;
		return;
	}
	g->leaves(g->ctx, g->cell);
	memmove(g->cell, g->cell + SCREEN_COLUMNS_MAX,
		(g->rows - 1) * SCREEN_COLUMNS_MAX * sizeof(u16));
	blank(line_of(g, g->rows - 1), SCREEN_COLUMNS_MAX);
}

/* --- control sequences --- */

/* IBM's colour bits are blue 0, green 1, red 2; ECMA-48's are red 0, green 1, blue 2. */
static u8 vga_colour(unsigned ansi)
{
	return (u8)((ansi & 2) | (ansi & 1) << 2 | (ansi >> 2 & 1));
}

static void set_attribute(struct grid *g, unsigned n)
{
	if (n == 0) {
		g->attr = 0x07;
	} else if (n == 5) {
		g->attr |= 0x80;
		g->blink = true;
	} else if (n >= 30 && n < 38) {
		g->attr = (u8)((g->attr & 0xf0) | vga_colour(n - 30));
	} else if (n >= 90 && n < 98) {
		g->attr = (u8)((g->attr & 0xf0) | 8 | vga_colour(n - 90));
	} else if (n >= 40 && n < 48) {
		g->attr = (u8)((g->attr & 0x8f) | vga_colour(n - 40) << 4);
	} else if (n >= 100 && n < 108) {
		g->attr = (u8)((g->attr & 0x0f) | 0x80 | vga_colour(n - 100) << 4);
		g->blink = false;
	}
}

static unsigned limit(unsigned n, unsigned most)
{
	return n < 1 ? 0 : n > most ? most - 1 : n - 1;
}

/* A screen of other size begins: what the old one had below is gone with the clearing behind it. */
static void set_rows(struct grid *g, unsigned rows)
{
	g->rows = rows >= 1 && rows <= SCREEN_ROWS_MAX ? rows : 25;
	g->row = g->column = 0;
}

/*
 * A screen that is cleared for another picture would be lost to a log. Empty lines at its end are
 * none of it.
 */
static void erase_all(struct grid *g)
{
	unsigned rows = g->rows;

	while (rows && !grid_line_length(line_of(g, rows - 1)))
		rows--;
	for (unsigned row = 0; row < rows; row++)
		g->leaves(g->ctx, line_of(g, row));
	blank(g->cell, GRID_CELLS);
}

static void control(struct grid *g, u8 final, bool private, const unsigned *n, unsigned count)
{
	switch (final) {
	case 'H':
		g->row = limit(n[0], g->rows);
		g->column = limit(n[1], SCREEN_COLUMNS_MAX);
		break;
	case 'J':
		erase_all(g);
		break;
	case 'K':
		blank(line_of(g, g->row) + g->column, SCREEN_COLUMNS_MAX - g->column);
		break;
	case 'm':
		for (unsigned i = 0; i < count; i++)
			set_attribute(g, n[i]);
		break;
	case 'r':
		if (n[1])
			set_rows(g, n[1]);
		break;
	case 'h':
	case 'l':
		if (private && n[0] == 25)
			g->cursor_on = final == 'h';
		break;
	default: /* none of ours */
		break;
	}
}

/* ESC [ parameters final, complete in part. */
static void sequence(struct grid *g)
{
	unsigned n[NUMBERS] = {0}, count = 1;
	bool private = g->part[2] == '?';

	for (unsigned i = private ? 3 : 2; i + 1 < g->len; i++) {
		if (g->part[i] == ';' && count < NUMBERS)
			count++;
		else if (g->part[i] >= '0' && g->part[i] <= '9' && n[count - 1] < 10000)
			n[count - 1] = n[count - 1] * 10 + (unsigned)(g->part[i] - '0');
	}
	control(g, g->part[g->len - 1], private, n, count);
}

/* --- bytes --- */

/* Bytes that the character takes which begins with this one. */
static unsigned utf8_length(u8 first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static u16 utf8_code(const u8 *p, unsigned len)
{
	if (len == 2)
		return (u16)((p[0] & 0x1f) << 6 | (p[1] & 0x3f));
	return (u16)((p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f));
}

static void plain(struct grid *g, u8 byte)
{
	if (byte == '\r')
		g->column = 0;
	else if (byte == '\n')
		line_feed(g);
	else if (byte == '\b' && g->column)
		g->column--;
	else if (byte >= ' ')
		put(g, byte);
}

/* Whether part holds all of what it began with. */
static bool complete(const struct grid *g)
{
	if (g->len == sizeof(g->part))
		return true;
	if (g->part[0] != ESC)
		return g->len == utf8_length(g->part[0]);
	if (g->len == 2)
		return g->part[1] != '[';
	return g->len > 2 && g->part[g->len - 1] >= 0x40;
}

void grid_feed(struct grid *g, const u8 *data, u32 len)
{
	for (u32 i = 0; i < len; i++) {
		if (!g->len && data[i] != ESC && data[i] < 0x80) {
			plain(g, data[i]);
			continue;
		}
		g->part[g->len++] = data[i];
		if (!complete(g))
			continue;
		if (g->part[0] != ESC && g->len < 4)
			put(g, utf8_code(g->part, g->len));
		else if (g->part[0] == ESC && g->part[1] == '[')
			sequence(g);
		g->len = 0;
	}
}
