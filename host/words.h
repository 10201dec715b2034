/* SPDX-License-Identifier: BSD-2-Clause */
/* A text file of lines of words; "..." holds a word with spaces together, # begins a comment. */
#ifndef FARBUS_HOST_WORDS_H
#define FARBUS_HOST_WORDS_H

#include <stdio.h>

#include "lib/types.h"

#define WORDS_MAX 32u

struct words {
	const char *path;
	FILE *file;
	unsigned line; /* of the words below, from 1 */
	char *word[WORDS_MAX];
	unsigned count, next;
	char text[4096];
};

/* False with a line in the log. */
bool words_open(struct words *w, const char *path);
void words_close(struct words *w);
/* The next line with words. 1: there is one, 0: the end, -1: one that makes no sense (logged). */
int words_line(struct words *w);

/* The next word, "" at the end of the line. */
const char *words_take(struct words *w);
/* Takes the next word only if it is this one. */
bool words_take_if(struct words *w, const char *word);
/* Logs FILE:LINE: 'WORD': expected EXPECTED, and returns false. */
bool words_fail(const struct words *w, const char *word, const char *expected);
/* The next word as a number from min to max; decimal, or hexadecimal with 0x. False: logged. */
bool words_number(struct words *w, u32 min, u32 max, u32 *value, const char *expected);

#endif
