/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/boot/support_terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t put_utf8(char *to, uint16_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 63));
		return 2;
	}
	to[0] = (char)(0xe0 | code >> 12);
	to[1] = (char)(0x80 | (code >> 6 & 63));
	to[2] = (char)(0x80 | (code & 63));
	return 3;
}

void terminal_row(const struct terminal *t, int row, char *text, size_t size)
{
	size_t len = 0, end = 0;

	for (int i = 0; i < t->columns && len + 4 < size; i++) {
		uint16_t code = t->code[row][i] ? t->code[row][i] : ' ';

		len += put_utf8(text + len, code);
		if (code != ' ')
			end = len;
	}
	text[end] = 0;
}

static void erase(struct terminal *t, int row, int from)
{
	for (int i = from; i < TERMINAL_COLUMNS; i++) {
		t->code[row][i] = ' ';
		t->attr[row][i] = 0x07;
	}
}

static void line_feed(struct terminal *t)
{
	char text[512];

	if (t->row < t->rows - 1) {
		t->row++;
		return;
	}
	terminal_row(t, 0, text, sizeof(text));
	if (t->log_len + strlen(text) + 2 < sizeof(t->log))
		t->log_len += (size_t)sprintf(t->log + t->log_len, "%s\n", text);
	memmove(t->code[0], t->code[1], sizeof(t->code[0]) * (size_t)(t->rows - 1));
	memmove(t->attr[0], t->attr[1], sizeof(t->attr[0]) * (size_t)(t->rows - 1));
	erase(t, t->rows - 1, 0);
}

static uint8_t vga_colour(int ansi)
{
	return (uint8_t)((ansi & 2) | (ansi & 1) << 2 | (ansi >> 2 & 1));
}

static void select_attr(struct terminal *t, int n)
{
	if (n == 0)
		t->now = 0x07;
	else if (n == 5)
		t->now |= 0x80;
	else if (n >= 30 && n <= 37)
		t->now = (uint8_t)((t->now & 0xf0) | vga_colour(n - 30));
	else if (n >= 90 && n <= 97)
		t->now = (uint8_t)((t->now & 0xf0) | 8 | vga_colour(n - 90));
	else if (n >= 40 && n <= 47)
		t->now = (uint8_t)((t->now & 0x8f) | vga_colour(n - 40) << 4);
	else if (n >= 100 && n <= 107)
		t->now = (uint8_t)((t->now & 0x0f) | 0x80 | vga_colour(n - 100) << 4);
	else
		t->bad++;
}

static void control(struct terminal *t, char final, const int *n, int count, bool private)
{
	if (private) {
		if (n[0] == 25)
			t->cursor_on = final == 'h';
		else if (n[0] != 7)
			t->bad++;
	} else if (final == 'm') {
		for (int i = 0; i < count; i++)
			select_attr(t, n[i]);
	} else if (final == 'H') {
		t->row = n[0] ? n[0] - 1 : 0;
		t->column = count > 1 && n[1] ? n[1] - 1 : 0;
	} else if (final == 'K') {
		erase(t, t->row, t->column);
		t->bad += (t->now & 0xf0) != 0;
	} else if (final == 'J') {
		for (int i = 0; i < TERMINAL_ROWS; i++)
			erase(t, i, 0);
	} else if (final == 'r') {
		t->rows = count > 1 ? n[1] : TERMINAL_ROWS;
		t->row = t->column = 0;
	} else {
		t->bad++;
	}
}

static size_t sequence(struct terminal *t, const uint8_t *b, size_t n)
{
	int number[8] = {0}, count = 1;
	bool private = n > 2 && b[2] == '?';
	size_t i = private ? 3 : 2;

	for (; i < n && (b[i] < 0x40); i++) {
		if (b[i] == ';' && count < 8)
			count++;
		else
			number[count - 1] = number[count - 1] * 10 + b[i] - '0';
	}
	control(t, (char)b[i], number, count, private);
	return i + 1;
}

static size_t glyph(struct terminal *t, const uint8_t *b)
{
	size_t len = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : 3;
	uint16_t code = len == 1   ? b[0]
			: len == 2 ? (uint16_t)((b[0] & 31) << 6 | (b[1] & 63))
				   : (uint16_t)(b[0] << 12 | (b[1] & 63) << 6 | (b[2] & 63));

	if (t->row < 0 || t->row >= t->rows || t->column >= t->columns) {
		t->bad++;
		return len;
	}
	t->code[t->row][t->column] = code;
	t->attr[t->row][t->column++] = t->now;
	return len;
}

void terminal_feed(struct terminal *t, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n;) {
		if (b[i] == 27 && i + 1 < n && b[i + 1] == '[') {
			i += sequence(t, b + i, n - i);
			continue;
		}
		if (b[i] >= ' ') {
			i += glyph(t, b + i);
			continue;
		}
		if (b[i] == '\r')
			t->column = 0;
		else if (b[i] == '\n')
			line_feed(t);
		else if (b[i] == '\b')
			t->column--;
		else
			t->bad++;
		i++;
	}
}
