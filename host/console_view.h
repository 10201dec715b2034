/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `farbus console` shows: on a terminal the machine's screen, or the part of it around the
 * cursor that has room there; else its text, line by line as the lines leave the screen.
 */
#ifndef FARBUS_HOST_CONSOLE_VIEW_H
#define FARBUS_HOST_CONSOLE_VIEW_H

#include "host/console_grid.h"

struct console_view {
	struct grid grid;
	bool terminal;
	unsigned columns, rows; /* the terminal's */
	unsigned top, left;	/* of the part that is shown */
	bool drawn;		/* the terminal shows the machine's screen */
	struct screen_mirror mirror;
	char status[160]; /* below the screen, where there is room */
	bool held;	  /* a line of ours is to be read first */
	bool failed;	  /* standard output is gone */
};

void view_init(struct console_view *v, bool terminal);
/* The terminal's size is another one. */
void view_resize(struct console_view *v);
/* Bytes of the service. */
void view_feed(struct console_view *v, const u8 *data, u32 len);
/* Brings the terminal up to date. */
void view_draw(struct console_view *v);
void view_redraw(struct console_view *v);
void view_set_status(struct console_view *v, const char *text);
/* A line of ours below the screen, until there is something new or view_go_on(). */
void view_message(struct console_view *v, const char *text);
void view_go_on(struct console_view *v);
void view_bell(struct console_view *v);
/* Another session's screen begins. */
void view_restart(struct console_view *v);
/* The terminal as it was; without one, the lines that are on the screen. */
void view_end(struct console_view *v);

#endif
