/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/console_view.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TURNS_MAX 16u /* of drawing, each as much as the mirror's ring holds */

/* --- out --- */

static void out(struct console_view *v, const void *data, size_t len)
{
	const char *p = data;

	while (len && !v->failed) {
		struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};
		ssize_t n = write(STDOUT_FILENO, p, len);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			poll(&fd, 1, -1);
		} else if (errno != EINTR) {
			v->failed = true;
		}
	}
}

static void out_text(struct console_view *v, const char *text)
{
	out(v, text, strlen(text));
}

/* A line that leaves the screen is printed once, where nobody can scroll back. */
static void print_line(void *ctx, const u16 *line)
{
	struct console_view *v = ctx;
	char text[SCREEN_COLUMNS_MAX * 3 + 1];
	unsigned len = 0;

	if (v->terminal)
		return;
	for (unsigned i = 0, end = grid_line_length(line); i < end; i++)
		len += grid_utf8(line[i], text + len);
	text[len++] = '\n';
	out(v, text, len);
}

static void drain(struct console_view *v)
{
	u8 bytes[4096];
	u32 n;

	while ((n = ansi_take(&v->mirror.ansi, bytes, sizeof(bytes))) > 0)
		out(v, bytes, n);
}

/* --- the part that is shown --- */

/* The first of `room` places, moved no more than the cursor asks for. */
static unsigned window(unsigned first, unsigned cursor, unsigned room, unsigned all)
{
	if (room >= all)
		return 0;
	if (cursor < first)
		first = cursor;
	if (cursor >= first + room)
		first = cursor - room + 1;
	return first + room > all ? all - room : first;
}

static unsigned at_most(unsigned n, unsigned most)
{
	return n < most ? n : most;
}

/* The columns that are in use, for a terminal that has fewer. */
static unsigned used_columns(const struct grid *g)
{
	unsigned used = g->column + 1;

	for (unsigned row = 0; row < g->rows; row++) {
		unsigned end = grid_line_length(g->cell + row * SCREEN_COLUMNS_MAX);

		used = end > used ? end : used;
	}
	return at_most(used, SCREEN_COLUMNS_MAX);
}

static void look(struct console_view *v, struct screen_view *s)
{
	const struct grid *g = &v->grid;

	v->top = window(v->top, g->row, v->rows, g->rows);
	v->left = window(v->left, g->column, v->columns, used_columns(g));
	*s = (struct screen_view){
		.text = true,
		.cursor_on = g->cursor_on,
		.blink = g->blink,
		.columns = (u8)at_most(v->columns, SCREEN_COLUMNS_MAX - v->left),
		.rows = (u8)at_most(v->rows, g->rows),
		.pitch = SCREEN_COLUMNS_MAX,
		.start = (u16)(v->top * SCREEN_COLUMNS_MAX + v->left),
		.cursor = (u16)(g->row * SCREEN_COLUMNS_MAX + g->column),
		.cells = g->cell,
		.cell_mask = GRID_CELLS - 1,
	};
}

/* Below the screen, outside of the lines that scroll. */
static void draw_status(struct console_view *v)
{
	char text[256];
	int len;

	if (!v->mirror.text || v->rows <= v->mirror.ansi.rows)
		return;
	len = snprintf(text, sizeof(text), "\0337\033[%u;1H\033[0;2m\033[K%.*s\033[0m\0338",
		       v->mirror.ansi.rows + 1u, (int)v->columns - 1, v->status);
	out(v, text, at_most((unsigned)len, sizeof(text) - 1));
}

/* --- what the command calls --- */

void view_init(struct console_view *v, bool terminal)
{
	memset(v, 0, sizeof(*v));
	v->terminal = terminal;
	grid_init(&v->grid, print_line, v);
	screen_init(&v->mirror);
	view_resize(v);
}

void view_resize(struct console_view *v)
{
	struct winsize size = {0};

	v->columns = 80;
	v->rows = 25;
	if (v->terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col && size.ws_row) {
		v->columns = size.ws_col;
		v->rows = size.ws_row;
	}
	view_redraw(v);
}

void view_feed(struct console_view *v, const u8 *data, u32 len)
{
	grid_feed(&v->grid, data, len);
	v->held = false;
}

void view_go_on(struct console_view *v)
{
	v->held = false;
}

void view_draw(struct console_view *v)
{
	struct screen_view s;
	bool more = true, whole = !v->drawn;

	if (!v->terminal || v->failed || v->held)
		return;
	look(v, &s);
	for (unsigned turn = 0; turn < TURNS_MAX && more; turn++) {
		more = screen_update(&v->mirror, &s);
		drain(v);
	}
	v->drawn = true;
	if (whole)
		draw_status(v);
}

void view_redraw(struct console_view *v)
{
	screen_redraw(&v->mirror);
	v->drawn = false;
}

void view_set_status(struct console_view *v, const char *text)
{
	snprintf(v->status, sizeof(v->status), "%s", text);
	if (v->drawn)
		draw_status(v);
}

void view_message(struct console_view *v, const char *text)
{
	if (!v->terminal)
		return;
	ansi_release(&v->mirror.ansi);
	drain(v);
	out_text(v, text);
	out_text(v, "\r\n");
	view_redraw(v);
	v->held = true;
}

void view_bell(struct console_view *v)
{
	if (v->terminal)
		out_text(v, "\a");
}

void view_restart(struct console_view *v)
{
	view_end(v);
	grid_init(&v->grid, print_line, v);
	view_redraw(v);
	v->held = false;
}

void view_end(struct console_view *v)
{
	static const u8 clear[] = "\033[2J";

	if (v->terminal && v->mirror.ansi.rows) {
		ansi_release(&v->mirror.ansi);
		drain(v);
	}
	grid_feed(&v->grid, clear, sizeof(clear) - 1);
}
