/* SPDX-License-Identifier: BSD-2-Clause */
/* The word `key`: a shared key, and what its holders may do. */
#include <stdlib.h>
#include <string.h>

#include "host/key.h"
#include "host/serve_config_parts.h"

/* --- the lists --- */

/* may NAME,NAME,... */
static bool take_exports(struct server_access *a, struct words *w)
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

/* Decimal, or hexadecimal with 0x. False: none is there, or it is above max. */
static bool number_at(const char **s, u32 max, u32 *value)
{
	char *end;
	unsigned long v;

	if (**s < '0' || **s > '9')
		return false;
	v = strtoul(*s, &end, (*s)[1] == 'x' ? 16 : 10);
	*s = end;
	*value = (u32)v;
	return v <= max;
}

static bool range_at(const char **s, struct port_range *r)
{
	u32 first, last;

	if (!number_at(s, 0xffff, &first))
		return false;
	last = first;
	if (**s == '-') {
		++*s;
		if (!number_at(s, 0xffff, &last) || last < first)
			return false;
	}
	*r = (struct port_range){(u16)first, (u16)last};
	return true;
}

/* ports A-B,C,... */
static bool take_ports(struct server_access *a, struct words *w)
{
	const char *word = words_take(w), *s = word;
	bool good;

	do {
		good = a->ranges < SERVER_KEY_RANGES && range_at(&s, &a->range[a->ranges]);
		a->ranges++;
	} while (good && *s++ == ',');
	return (good && !s[-1]) ||
	       words_fail(w, word, "up to 4 port ranges, as in '0x170-0x177,0x376'");
}

/* N,N,... or none: the bits of those that are not there. */
static bool take_numbers(struct words *w, u32 max, u32 *missing, const char *expected)
{
	const char *word = words_take(w), *s = word;
	u32 number;

	*missing = ~0u;
	if (!strcmp(word, "none"))
		return true;
	do {
		if (!number_at(&s, max, &number))
			return words_fail(w, word, expected);
		*missing &= ~BIT(number);
	} while (*s++ == ',');
	return !s[-1] || words_fail(w, word, expected);
}

static bool take_irqs(struct server_access *a, struct words *w)
{
	u32 missing;

	if (!take_numbers(w, SERVER_LINES - 1, &missing, "interrupt lines as in '3,7', or 'none'"))
		return false;
	a->no_irqs = (u16)missing;
	return true;
}

static bool take_dma(struct server_access *a, struct words *w)
{
	u32 missing;

	if (!take_numbers(w, SERVER_CHANNELS - 1, &missing, "DMA channels as in '1,5', or 'none'"))
		return false;
	a->no_dma = (u8)missing;
	return true;
}

static bool take_read_only(struct server_access *a, struct words *w)
{
	(void)w;
	a->read_only = true;
	return true;
}

static bool take_rate(struct server_access *a, struct words *w)
{
	return words_number(w, 1, 1000000000, &a->rate, "accesses a second, 1 to 1000000000");
}

static const struct {
	const char *word;
	bool (*take)(struct server_access *a, struct words *w);
} limits[] = {{"may", take_exports}, {"ports", take_ports},	    {"irqs", take_irqs},
	      {"dma", take_dma},     {"read-only", take_read_only}, {"rate", take_rate}};

/* Each once, in any order. */
static bool take_limits(struct server_access *a, struct words *w)
{
	u32 seen = 0;

	while (w->next < w->count) {
		const char *word = words_take(w);
		unsigned i = 0;

		while (i < ARRAY_SIZE(limits) && strcmp(word, limits[i].word))
			i++;
		if (i == ARRAY_SIZE(limits) || seen & BIT(i))
			return words_fail(w, word,
					  "'may', 'ports', 'irqs', 'dma', 'read-only' or 'rate', "
					  "each once");
		seen |= BIT(i);
		if (!limits[i].take(a, w))
			return false;
	}
	return true;
}

/* --- the key --- */

static bool take_bytes(struct serve_config *c, struct words *w, u8 key[SESSION_KEY])
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

bool config_key(struct serve_config *c, struct words *w)
{
	struct server_access *a = &c->key[c->keys];

	if (c->keys == SERVER_KEYS)
		return words_fail(w, "key", "at most 4 keys");
	if (!take_bytes(c, w, a->shared) || !take_limits(a, w))
		return false;
	for (unsigned i = 0; i < c->keys; i++)
		if (!memcmp(c->key[i].shared, a->shared, SESSION_KEY))
			return words_fail(w, "key", "another key than that of a line before");
	c->keys++;
	return true;
}
