/* SPDX-License-Identifier: BSD-2-Clause */
/* A terminal as small as the mirror's output needs: what it shows, and what has scrolled off. */
#ifndef FARBUS_TESTS_SUPPORT_TERMINAL_H
#define FARBUS_TESTS_SUPPORT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMINAL_ROWS	 60
#define TERMINAL_COLUMNS 132

struct terminal {
	int rows, columns; /* of the scrolling region */
	int row, column;
	bool cursor_on;
	uint16_t code[TERMINAL_ROWS][TERMINAL_COLUMNS]; /* Unicode; 0: never written */
	uint8_t attr[TERMINAL_ROWS][TERMINAL_COLUMNS];	/* as a VGA attribute */
	uint8_t now;
	char log[65536]; /* the lines that have scrolled off, as text without trailing blanks */
	size_t log_len;
	unsigned bad; /* what was not understood, or went outside */
};

void terminal_feed(struct terminal *t, const uint8_t *bytes, size_t n);
/* Row `row` as UTF-8 without trailing blanks. */
void terminal_row(const struct terminal *t, int row, char *text, size_t size);

#endif
