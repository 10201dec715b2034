/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/serve_config.h"

#include <string.h>

#include "host/key.h"
#include "host/serve_config_parts.h"
#include "lib/log.h"

#define NAME_EXPECTED "a name of at most 16 letters, digits, '-', '_' and '.'"

bool config_name(struct words *w, char name[EXPORT_NAME + 1])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	const char *word = words_take(w);
	size_t len = strlen(word);

	if (!len || len > EXPORT_NAME || strspn(word, letters) != len)
		return words_fail(w, word, NAME_EXPECTED);
	memcpy(name, word, len + 1);
	return true;
}

/* What does not fit has no end. */
bool config_text(struct words *w, char *text, size_t size, const char *expected)
{
	const char *word = words_take(w);
	size_t len = strlen(word);

	if (!len || len >= size)
		return words_fail(w, word, expected);
	memcpy(text, word, len + 1);
	return true;
}

static bool take_name(struct serve_config *c, struct words *w)
{
	return config_name(w, c->name);
}

static bool take_interface(struct serve_config *c, struct words *w)
{
	return config_text(w, c->interface, sizeof(c->interface), "an interface's name");
}

static bool take_user(struct serve_config *c, struct words *w)
{
	return config_text(w, c->user, sizeof(c->user), "a user's name");
}

static bool take_frames(struct serve_config *c, struct words *w)
{
	const char *word = words_take(w);

	if (!strcmp(word, "snap"))
		c->form = FRAME_SNAP_FORM;
	else if (!strcmp(word, "raw"))
		c->form = FRAME_RAW_FORM;
	else if (!strcmp(word, "ether2"))
		c->form = FRAME_ETHER_II;
	else
		return words_fail(w, word, "'snap', 'raw' or 'ether2'");
	return true;
}

/* --- keys --- */

/* may NAME,NAME,... */
static bool key_exports(struct server_access *a, struct words *w)
{
	const char *word = words_take(w), *s = word;

	do {
		size_t len = strcspn(s, ",");

		if (!len || len > EXPORT_NAME || a->names == SERVER_EXPORTS)
			return words_fail(w, word, "up to 24 names of exports, as in 'ide1,com2'");
		memcpy(a->name[a->names++], s, len);
		s += len;
	} while (*s++ == ',');
	return true;
}

static bool key_limits(struct server_access *a, struct words *w)
{
	if (words_take_if(w, "may") && !key_exports(a, w))
		return false;
	a->read_only = words_take_if(w, "read-only");
	if (!words_take_if(w, "rate"))
		return true;
	return words_number(w, 1, 1000000000, &a->rate, "accesses a second, 1 to 1000000000");
}

static bool key_bytes(struct serve_config *c, struct words *w, u8 key[SESSION_KEY])
{
	const char *word = words_take(w);

	if (!strcmp(word, "insecure")) {
		c->insecure = true;
		return true;
	}
	if (!strcmp(word, "file")) {
		word = words_take(w);
		if (!*word)
			return words_fail(w, word, "a file's name");
		return key_from_file(word, key);
	}
	/* What was meant as a key is not shown: messages end up in logs. */
	return key_from_hex(word, key) ||
	       words_fail(w, "key",
			  "'file FILE', 64 hexadecimal digits that are not all 0, or "
			  "'insecure'");
}

static bool take_key(struct serve_config *c, struct words *w)
{
	struct server_access *a = &c->key[c->keys];

	if (c->keys == SERVER_KEYS)
		return words_fail(w, "key", "at most 4 keys");
	if (!key_bytes(c, w, a->shared) || !key_limits(a, w))
		return false;
	for (unsigned i = 0; i < c->keys; i++)
		if (!memcmp(c->key[i].shared, a->shared, SESSION_KEY))
			return words_fail(w, "key", "another key than that of a line before");
	c->keys++;
	return true;
}

/* --- the file --- */

static const struct {
	const char *word;
	bool (*take)(struct serve_config *c, struct words *w);
} lines[] = {
	{"name", take_name}, {"interface", take_interface}, {"user", take_user},
	{"key", take_key},   {"frames", take_frames},	    {"export", config_export},
};

static bool take_line(struct serve_config *c, struct words *w)
{
	const char *word = words_take(w);

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		if (strcmp(word, lines[i].word))
			continue;
		if (!lines[i].take(c, w))
			return false;
		return w->next == w->count ||
		       words_fail(w, w->word[w->next], "the end of the line");
	}
	return words_fail(w, word, "name, interface, user, key, frames or export");
}

/* What a single line cannot know. */
static bool check(const struct serve_config *c, const char *path)
{
	if (!c->keys)
		log_error("%s: no key: expected a line 'key file FILE', or 'key insecure'", path);
	else if (c->insecure && c->keys > 1)
		log_error("%s: 'key insecure' beside other keys: expected one or the other", path);
	else if (!c->devices)
		log_error("%s: no export: expected at least one", path);
	else
		return true;
	return false;
}

bool serve_config_read(struct serve_config *c, const char *path)
{
	struct words w;
	int got = -1;

	/* All of it, gaps too: a reload compares device by device. */
	memset(c, 0, sizeof(*c));
	memcpy(c->name, "farbus", sizeof("farbus"));
	if (!words_open(&w, path))
		return false;
	while ((got = words_line(&w)) > 0)
		if (!take_line(c, &w)) {
			got = -1;
			break;
		}
	words_close(&w);
	return got == 0 && check(c, path);
}
