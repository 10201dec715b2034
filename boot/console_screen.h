/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mirror of a VGA text screen on an ANSI terminal: compares what the screen shows with what the
 * terminal shows and sends the difference. Where the screen has scrolled, by its start address or
 * by moved memory, the terminal scrolls too, so that its output reads as a log.
 */
#ifndef FARBUS_BOOT_CONSOLE_SCREEN_H
#define FARBUS_BOOT_CONSOLE_SCREEN_H

#include "boot/console_ansi.h"
#include "lib/types.h"

#define SCREEN_COLUMNS_MAX 132
#define SCREEN_ROWS_MAX	   60
#define SCREEN_CELLS_MAX   (SCREEN_COLUMNS_MAX * SCREEN_ROWS_MAX)

/* What a display shows. Cells are character | attribute << 8; addresses count cells. */
struct screen_view {
	bool text; /* false: a graphics mode of width x height x depth bits, 0 where not known */
	bool unstable; /* the picture is being set up (fonts, start address): look again later */
	bool cursor_on, blink;
	u16 width, height;
	u8 depth;
	u8 columns, rows;
	u16 pitch;		   /* cells from one row to the next */
	u16 start, cursor;	   /* cells from the start of memory */
	const volatile u16 *cells; /* display memory: 4-byte aligned, cell_mask + 1 cells */
	u16 cell_mask;		   /* a power of two less 1 */
};

struct screen_mirror {
	struct ansi ansi;
	bool text;	   /* the terminal shows a text screen */
	u16 width, height; /* the graphics mode that was reported, 0: none */
	u8 depth;
	u16 start;		     /* the start address that `shown` was taken at */
	u16 shown[SCREEN_CELLS_MAX]; /* what the terminal shows, rows of ansi.columns */
	u16 now[SCREEN_CELLS_MAX];   /* what the screen showed at the last look */
	/* Display memory at the last look, two cells each, and one more for each odd row. */
	u32 seen[SCREEN_CELLS_MAX / 2 + SCREEN_ROWS_MAX];
	u16 pitch;	     /* of the last look */
	bool known;	     /* `now` and `seen` are of this screen */
	bool complete;	     /* the terminal shows all of it */
	unsigned cursor_off; /* looks in a row that saw no cursor */
	unsigned scrolled;   /* lines that the last update scrolled by */
};

void screen_init(struct screen_mirror *m);
/* Forgets what the terminal shows: the next update draws everything. */
void screen_redraw(struct screen_mirror *m);
/*
 * Brings the terminal up to date, as far as its ring has space; the rest follows with later calls.
 * Returns true when anything was different.
 */
bool screen_update(struct screen_mirror *m, const struct screen_view *view);

#endif
