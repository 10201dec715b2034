/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/console_screen.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define BLANK 0x0720

/*
 * How far the start address may run ahead for the lines between to still stand in the 32 KB of text
 * memory (204 lines of 80 columns).
 */
#define SCROLL_LINES_MAX 180

/* Unchanged cells between two changes: up to this many are cheaper to repeat than to skip. */
#define REPEAT_MAX 12

/* Looks in a row without a cursor until the terminal's goes. */
#define CURSOR_OFF_LOOKS 4

void screen_init(struct screen_mirror *m)
{
	memset(m, 0, sizeof(*m));
}

void screen_redraw(struct screen_mirror *m)
{
	m->text = false;
	m->width = m->height = m->depth = 0;
}

/* Spaces in any colour on black look the same. */
static u16 normal(u16 cell)
{
	u8 ch = (u8)cell;

	return (ch == ' ' || ch == 0 || ch == 0xff) && !(cell & 0xf000) ? BLANK : cell;
}

static void read_row(const struct screen_view *v, u16 start, unsigned row, u16 *to)
{
	unsigned at = start + row * v->pitch;

	if ((at | v->columns) & 1) {
		for (unsigned i = 0; i < v->columns; i++)
			to[i] = normal(v->cells[(at + i) & v->cell_mask]);
		return;
	}
	/* Display memory is slow to read: two cells at a time. */
	for (unsigned i = 0; i < v->columns; i += 2) {
		u32 two = *(const volatile u32 *)&v->cells[(at + i) & v->cell_mask];

		to[i] = normal((u16)two);
		to[i + 1] = normal((u16)(two >> 16));
	}
}

static u16 *shown_row(struct screen_mirror *m, unsigned row)
{
	return m->shown + row * m->ansi.columns;
}

static u16 *now_row(struct screen_mirror *m, unsigned row)
{
	return m->now + row * m->ansi.columns;
}

static bool row_blank(const struct screen_mirror *m, const u16 *row)
{
	for (unsigned i = 0; i < m->ansi.columns; i++)
		if (row[i] != BLANK)
			return false;
	return true;
}

static bool rows_equal(const struct screen_mirror *m, const u16 *a, const u16 *b)
{
	return !memcmp(a, b, m->ansi.columns * sizeof(u16));
}

/* The first cell of the blank rest of a row. */
static unsigned row_end(const struct screen_mirror *m, const u16 *row)
{
	unsigned end = m->ansi.columns;

	while (end && row[end - 1] == BLANK)
		end--;
	return end;
}

/* The cursor to (row, column): over a few cells by repeating them, which reads better in a log. */
static void move_to(struct screen_mirror *m, unsigned row, unsigned column)
{
	struct ansi *a = &m->ansi;
	const u16 *old = shown_row(m, row);

	if (a->row == (int)row && a->column >= 0 && a->column < (int)column &&
	    (int)column - a->column <= REPEAT_MAX)
		while (a->column < (int)column)
			ansi_cell(a, old[a->column]);
	ansi_move(a, (int)row, (int)column);
}

/* Changed cells of one row up to `to`; what stays the same is passed over. */
static void draw_cells(struct screen_mirror *m, unsigned row, const u16 *now, unsigned to)
{
	u16 *old = shown_row(m, row);

	for (unsigned i = 0; i < to; i++) {
		if (now[i] == old[i])
			continue;
		move_to(m, row, i);
		ansi_cell(&m->ansi, now[i]);
		old[i] = now[i];
	}
}

/* false: the ring has no space for it now. */
static bool draw_row(struct screen_mirror *m, unsigned row, const u16 *now)
{
	struct ansi *a = &m->ansi;
	u16 *old = shown_row(m, row);
	unsigned first = 0, to = a->columns, end = row_end(m, now);

	if (rows_equal(m, now, old))
		return true;
	if (ansi_space(a) < (a->columns + 4u) * ANSI_CELL_MAX)
		return false;
	while (now[first] == old[first])
		first++;
	while (now[to - 1] == old[to - 1])
		to--;
	/* A line of its own begins with a line feed and its indent. */
	if (a->row + 1 == (int)row && first <= REPEAT_MAX)
		ansi_move(a, (int)row, 0);
	draw_cells(m, row, now, to < end ? to : end);
	if (to > end) {
		move_to(m, row, first > end ? first : end);
		ansi_erase_line(a);
	}
	memcpy(old, now, a->columns * sizeof(u16));
	return true;
}

/* The terminal moves up by one line, and so does what we know of it. false: no space. */
static bool scroll_one(struct screen_mirror *m)
{
	unsigned columns = m->ansi.columns, rows = m->ansi.rows;

	if (ansi_space(&m->ansi) < 64)
		return false;
	ansi_scroll(&m->ansi);
	memmove(m->shown, m->shown + columns, (rows - 1) * columns * sizeof(u16));
	for (unsigned i = 0; i < columns; i++)
		m->shown[(rows - 1) * columns + i] = BLANK;
	m->scrolled++;
	return true;
}

/*
 * The start address went forward by whole lines: what stood on the screen before is still in
 * memory, and so is each line that has passed since. false: no space for all of it yet.
 */
static bool follow_start(struct screen_mirror *m, const struct screen_view *v)
{
	unsigned ahead = (v->start - m->start) & v->cell_mask;

	if (!ahead || ahead % v->pitch || ahead / v->pitch > SCROLL_LINES_MAX) {
		m->start = v->start;
		return true;
	}
	for (unsigned row = 0; row < v->rows; row++) {
		read_row(v, m->start, row, now_row(m, row));
		if (!draw_row(m, row, now_row(m, row)))
			return false;
	}
	while (m->start != v->start) {
		if (ansi_space(&m->ansi) < (m->ansi.columns + 8u) * ANSI_CELL_MAX)
			return false;
		scroll_one(m);
		m->start = (m->start + v->pitch) & v->cell_mask;
		read_row(v, m->start, v->rows - 1u, now_row(m, 0));
		draw_row(m, v->rows - 1u, now_row(m, 0));
	}
	return true;
}

/*
 * Whether the screen is what the terminal shows, moved up by `by` lines: most lines with something
 * on them must be found again. A line that was being written when it moved may differ.
 */
static unsigned lines_found(struct screen_mirror *m, unsigned by)
{
	unsigned found = 0, lost = 0;

	for (unsigned row = 0; row + by < m->ansi.rows; row++) {
		const u16 *old = shown_row(m, row + by);

		if (!rows_equal(m, now_row(m, row), old))
			lost++;
		else if (!row_blank(m, old))
			found++;
	}
	return lost <= 1 + found / 4 ? found : 0;
}

/* The number of lines by which memory was moved up, 0 for none. */
static unsigned moved_by(struct screen_mirror *m)
{
	unsigned same = 0, changed = 0, best = 0, by = 0;

	for (unsigned row = 0; row < m->ansi.rows; row++) {
		if (!rows_equal(m, now_row(m, row), shown_row(m, row)))
			changed++;
		else if (!row_blank(m, now_row(m, row)))
			same++;
	}
	if (changed < 2)
		return 0;
	for (unsigned n = 1; n < m->ansi.rows; n++) {
		unsigned found = lines_found(m, n);

		if (found > best) {
			best = found;
			by = n;
		}
	}
	return best > same ? by : 0;
}

static void draw_cursor(struct screen_mirror *m, const struct screen_view *v)
{
	unsigned at = (v->cursor - v->start) & v->cell_mask;
	unsigned row = at / v->pitch, column = at % v->pitch;
	bool on = v->cursor_on && row < v->rows && column < v->columns;

	if (ansi_space(&m->ansi) < (REPEAT_MAX + 4) * ANSI_CELL_MAX)
		return;
	m->cursor_off = on ? 0 : m->cursor_off + 1;
	if (on)
		move_to(m, row, column);
	/* Some guests take the cursor away while they draw. */
	if (on || m->cursor_off >= CURSOR_OFF_LOOKS)
		ansi_show_cursor(&m->ansi, on);
}

static void start_text(struct screen_mirror *m, const struct screen_view *v)
{
	ansi_clear(&m->ansi, v->columns, v->rows);
	for (unsigned i = 0; i < (unsigned)v->columns * v->rows; i++)
		m->shown[i] = BLANK;
	m->text = true;
	m->complete = m->known = false;
	m->start = v->start;
}

/* The cells of a row, of which `seen` has the words; odd: it begins with a word's second cell. */
static void take_row(const u32 *seen, unsigned odd, unsigned columns, u16 *to)
{
	for (unsigned i = 0; i < columns; i++)
		to[i] = normal((u16)(seen[(i + odd) / 2] >> ((i + odd) & 1) * 16));
}

/* Whether the words of display memory from cell `at` on, an even one, are others than those seen.
 */
static bool words_changed(const struct screen_view *v, unsigned at, u32 *seen, unsigned words)
{
	const volatile u32 *now = (const volatile u32 *)&v->cells[at];
	u32 changed = 0;

	if (at + 2 * words > v->cell_mask + 1u) {
		for (unsigned i = 0; i < words; i++)
			changed |= seen[i] ^
				   *(const volatile u32 *)&v->cells[(at + 2 * i) & v->cell_mask];
		return changed;
	}
#pragma GCC unroll 8
	for (unsigned i = 0; i < words; i++)
		changed |= seen[i] ^ now[i];
	return changed;
}

/*
 * Reads the rows of which display memory is other than at the last look, and says whether there are
 * any. Most looks find nothing new, and ought to cost the guest next to nothing. What changes
 * behind the look is new to the next one.
 */
static bool look(struct screen_mirror *m, const struct screen_view *v)
{
	unsigned words = v->columns / 2u + 1;
	bool changed = false;

	for (unsigned row = 0; row < v->rows; row++) {
		unsigned at = (v->start + row * v->pitch) & v->cell_mask & ~1u;
		u32 *seen = m->seen + row * words;

		if (m->known && !words_changed(v, at, seen, words))
			continue;
		for (unsigned i = 0; i < words; i++)
			seen[i] = *(const volatile u32 *)&v->cells[(at + 2 * i) & v->cell_mask];
		take_row(seen, (v->start + row * v->pitch) & 1, v->columns, now_row(m, row));
		changed = true;
	}
	m->known = true;
	return changed;
}

static bool report_graphics(struct screen_mirror *m, const struct screen_view *v)
{
	char s[80];

	if (!m->text && m->width == v->width && m->height == v->height && m->depth == v->depth)
		return false;
	if (ansi_space(&m->ansi) < 256)
		return true;
	ansi_clear(&m->ansi, 80, 25);
	if (v->depth)
		fmt(s, sizeof(s), "[graphics mode %ux%u, %u bits]\r\n", v->width, v->height,
		    v->depth);
	else
		fmt(s, sizeof(s), "[graphics mode %ux%u]\r\n", v->width, v->height);
	ansi_text(&m->ansi, s);
	m->text = false;
	m->width = v->width;
	m->height = v->height;
	m->depth = v->depth;
	return true;
}

static bool view_usable(const struct screen_view *v)
{
	return v->columns && v->rows && v->columns <= SCREEN_COLUMNS_MAX &&
	       v->rows <= SCREEN_ROWS_MAX && v->pitch >= v->columns;
}

bool screen_update(struct screen_mirror *m, const struct screen_view *v)
{
	u32 head = m->ansi.head;
	unsigned by;

	m->scrolled = 0;
	if (v->unstable)
		return false;
	if (!v->text)
		return report_graphics(m, v);
	if (!view_usable(v) || ansi_space(&m->ansi) < 256)
		return true;
	if (!m->text || m->ansi.columns != v->columns || m->ansi.rows != v->rows)
		start_text(m, v);
	m->ansi.blink = v->blink;
	if (v->start != m->start || v->pitch != m->pitch)
		m->known = false;
	m->pitch = v->pitch;
	if (!follow_start(m, v))
		return true;
	if (!look(m, v) && m->complete) {
		draw_cursor(m, v);
		return m->ansi.head != head;
	}
	m->complete = false;
	for (by = moved_by(m); by; by--)
		if (!scroll_one(m))
			return true;
	for (unsigned row = 0; row < v->rows; row++)
		if (!draw_row(m, row, now_row(m, row)))
			return true;
	m->complete = true;
	draw_cursor(m, v);
	return m->ansi.head != head;
}
