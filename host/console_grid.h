/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen of a Farbus machine as its console service draws it (boot/console_ansi.c): cells of
 * characters and colours, from the control sequences that are used there.
 */
#ifndef FARBUS_HOST_CONSOLE_GRID_H
#define FARBUS_HOST_CONSOLE_GRID_H

#include "boot/console_screen.h"

#define GRID_CELLS 8192u /* a power of two, for SCREEN_CELLS_MAX */

struct grid {
	/* Of code page 437 | attribute << 8, rows of SCREEN_COLUMNS_MAX. */
	u16 cell[GRID_CELLS] __attribute__((aligned(4)));
	unsigned rows, row, column;
	u8 attr;
	bool cursor_on, blink;
	/* A line is about to leave the screen at its top. */
	void (*leaves)(void *ctx, const u16 *line);
	void *ctx;
	/* A sequence or character that is not complete yet. */
	unsigned len;
	u8 part[32];
};

void grid_init(struct grid *g, void (*leaves)(void *ctx, const u16 *line), void *ctx);
void grid_feed(struct grid *g, const u8 *data, u32 len);
/* The cells that are not blank at the end of a line. */
unsigned grid_line_length(const u16 *line);
/* A character as UTF-8; returns its bytes, 1 to 3. */
unsigned grid_utf8(u16 cell, char out[4]);

#endif
