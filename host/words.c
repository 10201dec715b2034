/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define BLANKS " \t"

bool words_open(struct words *w, const char *path)
{
	memset(w, 0, sizeof(*w));
	w->path = path;
	w->file = fopen(path, "re");
	if (!w->file)
		log_error("%s: %s", path, strerror(errno));
	return w->file != NULL;
}

void words_close(struct words *w)
{
	if (w->file)
		fclose(w->file);
	w->file = NULL;
}

/* The word that begins at s, cut off in place. Returns what follows, NULL: a '"' without its end.
 */
static char *cut(char *s, char **word)
{
	char *end;

	if (*s == '"') {
		*word = s + 1;
		end = strchr(s + 1, '"');
		if (!end)
			return NULL;
	} else {
		*word = s;
		end = s + strcspn(s, BLANKS "#");
		if (*end == '#') {
			*end = 0;
			return end;
		}
	}
	if (*end)
		*end++ = 0;
	return end;
}

static bool split(struct words *w)
{
	char *s = w->text;

	w->count = w->next = 0;
	for (;;) {
		s += strspn(s, BLANKS);
		if (!*s || *s == '#')
			return true;
		if (w->count == WORDS_MAX)
			return words_fail(w, s, "at most 32 words in a line");
		s = cut(s, &w->word[w->count]);
		if (!s)
			return words_fail(w, w->word[w->count], "a second '\"'");
		w->count++;
	}
}

int words_line(struct words *w)
{
	while (fgets(w->text, sizeof(w->text), w->file)) {
		w->line++;
		if (!strchr(w->text, '\n') && !feof(w->file))
			return words_fail(w, "line", "at most 4094 characters") ? 1 : -1;
		w->text[strcspn(w->text, "\r\n")] = 0;
		if (!split(w))
			return -1;
		if (w->count)
			return 1;
	}
	if (!ferror(w->file))
		return 0;
	log_error("%s: %s", w->path, strerror(errno));
	return -1;
}

const char *words_take(struct words *w)
{
	return w->next < w->count ? w->word[w->next++] : "";
}

bool words_take_if(struct words *w, const char *word)
{
	if (w->next == w->count || strcmp(w->word[w->next], word))
		return false;
	w->next++;
	return true;
}

bool words_fail(const struct words *w, const char *word, const char *expected)
{
	if (*word)
		log_error("%s:%u: '%s': expected %s", w->path, w->line, word, expected);
	else
		log_error("%s:%u: end of line: expected %s", w->path, w->line, expected);
	return false;
}

bool words_number(struct words *w, u32 min, u32 max, u32 *value, const char *expected)
{
	const char *word = words_take(w);
	bool hex = !strncmp(word, "0x", 2);
	const char *digits = hex ? word + 2 : word;
	size_t len = strlen(digits);
	unsigned long long v;

	/* strtoull() would take signs and blanks, too. */
	if (!len || len > 10 ||
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != len)
		return words_fail(w, word, expected);
	v = strtoull(digits, NULL, hex ? 16 : 10);
	if (v < min || v > max)
		return words_fail(w, word, expected);
	*value = (u32)v;
	return true;
}
