/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/serve_config.h"

#include <string.h>

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

/* --- the file --- */

static const struct {
	const char *word;
	bool (*take)(struct serve_config *c, struct words *w);
} lines[] = {
	{"name", take_name}, {"interface", take_interface}, {"user", take_user},
	{"key", config_key}, {"frames", take_frames},	    {"export", config_export},
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

static bool has_export(const struct serve_config *c, const char *name)
{
	for (unsigned i = 0; i < c->devices; i++)
		if (!strcmp(c->device[i].name, name))
			return true;
	return false;
}

/* A name that is mistyped would be a device that nobody gets. */
static bool check_names(const struct serve_config *c, const char *path)
{
	for (unsigned i = 0; i < c->keys; i++)
		for (unsigned k = 0; k < c->key[i].names; k++)
			if (!has_export(c, c->key[i].name[k])) {
				log_error("%s: key: may '%s': expected an export's name", path,
					  c->key[i].name[k]);
				return false;
			}
	return true;
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
		return check_names(c, path);
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
