/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ANSI terminal seen from the host's side: what it shows is known, so that only what changes is
 * sent. Bytes collect in a ring until somebody takes them; a caller asks ansi_space() first and
 * leaves its changes for later when the line is slow.
 */
#ifndef FARBUS_BOOT_CONSOLE_ANSI_H
#define FARBUS_BOOT_CONSOLE_ANSI_H

#include "lib/types.h"

#define ANSI_RING 16384u /* a power of two */

/* The most bytes one cell can take: a full SGR sequence and three bytes of UTF-8. */
#define ANSI_CELL_MAX 18u

struct ansi {
	u8 ring[ANSI_RING];
	u32 head, tail;	 /* free-running: written, taken */
	int row, column; /* the terminal's cursor; column may be `columns` after the last cell */
	u8 columns, rows;
	int attr; /* the VGA attribute in force, -1: unknown */
	bool cursor_on, blink;
};

/* Characters of code page 437 as Unicode, 00h and FFh as spaces. */
extern const u16 cp437_unicode[256];

static inline u32 ansi_space(const struct ansi *a)
{
	return ANSI_RING - (a->head - a->tail);
}

/* Takes up to n bytes out of the ring; returns how many. */
u32 ansi_take(struct ansi *a, u8 *buf, u32 n);

/* Empties the terminal and limits its scrolling to the top `rows` lines. */
void ansi_clear(struct ansi *a, u8 columns, u8 rows);
/* Plain text; no control characters but CR and LF. */
void ansi_text(struct ansi *a, const char *text);
/* Cursor to (row, column), both from 0, by the shortest way. */
void ansi_move(struct ansi *a, int row, int column);
/* One cell (character, attribute << 8) at the cursor, which moves on. */
void ansi_cell(struct ansi *a, u16 cell);
/* Empties the rest of the cursor's line. */
void ansi_erase_line(struct ansi *a);
/* A line feed on the last line: the terminal scrolls up by one. */
void ansi_scroll(struct ansi *a);
void ansi_show_cursor(struct ansi *a, bool on);
/* The whole terminal again, cursor on an empty line below everything: for other text than ours. */
void ansi_release(struct ansi *a);

#endif
