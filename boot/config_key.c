/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration's word `key`: the key of this PC, and those of others that have limits. */
#include "boot/config_parse.h"
#include "lib/str.h"

#define KEY_HEX	   (2 * CONFIG_KEY)
#define RATE_MAX   1000000000u
#define IRQ_LINES  16u
#define CHANNELS   8u
#define KEY_WANTED "'file NAME', 64 hexadecimal digits that are not all 0, or 'insecure'"

static bool hex_key(const char *text, u8 key[CONFIG_KEY])
{
	for (unsigned i = 0; i < CONFIG_KEY; i++) {
		int high = config_digit(text[2 * i]), low = config_digit(text[2 * i + 1]);

		if (high > 15 || low > 15)
			return false;
		key[i] = (u8)(high << 4 | low);
	}
	return true;
}

/* A key of zeros would be `insecure` without anyone having said so. */
static bool is_zero(const u8 key[CONFIG_KEY])
{
	u8 any = 0;

	for (unsigned i = 0; i < CONFIG_KEY; i++)
		any |= key[i];
	return !any;
}

/* --- where it comes from --- */

static int take_module(struct parse *p, struct config_medium *m)
{
	const char *word = config_take(p);

	if (!*word || strlen(word) >= CONFIG_NAME_MAX)
		return config_fail(p, config_shown(p, word),
				   "a module's name of at most 47 characters");
	m->source = CONFIG_MODULE;
	m->line = p->line;
	m->origin = p->origin;
	memcpy(m->module, word, strlen(word) + 1);
	return 0;
}

static int take_source(struct parse *p, struct config_access *a)
{
	const char *word = config_take(p);

	if (!strcmp(word, "file")) {
		a->source = CONFIG_KEY_MODULE;
		return take_module(p, &a->module);
	}
	if (!strcmp(word, "insecure")) {
		a->source = CONFIG_KEY_INSECURE;
		return 0;
	}
	/* What was meant as a key is not shown: messages end up on screens. */
	if (strlen(word) != KEY_HEX || !hex_key(word, a->bytes) || is_zero(a->bytes))
		return config_fail(p, "key", KEY_WANTED);
	a->source = CONFIG_KEY_HEX;
	return 0;
}

/* --- its limits --- */

static int take_names(struct parse *p, struct config_access *a)
{
	const char *word = config_take(p), *s = word;

	do {
		char *name = a->name[a->names];
		unsigned len = 0;

		while (s[len] && s[len] != ',')
			len++;
		if (a->names == CONFIG_ACCESS_NAMES || len >= CONFIG_PEER_MAX)
			return config_fail(p, config_shown(p, word),
					   "up to 8 names of exports, as in 'ide1,com2'");
		memcpy(name, s, len);
		name[len] = 0;
		if (!config_is_name(name))
			return config_fail(p, config_shown(p, word), CONFIG_NAME_EXPECTED);
		a->names++;
		s += len;
	} while (*s++ == ',');
	return 0;
}

static bool take_range(const char **s, struct config_range *r)
{
	u32 first, last;

	if (!config_number_at(s, 0xffff, &first))
		return false;
	last = first;
	if (**s == '-') {
		++*s;
		if (!config_number_at(s, 0xffff, &last) || last < first)
			return false;
	}
	*r = (struct config_range){(u16)first, (u16)last};
	return true;
}

static int take_ports(struct parse *p, struct config_access *a)
{
	const char *word = config_take(p), *s = word;
	bool good;

	do
		good = a->ranges < CONFIG_ACCESS_RANGES && take_range(&s, &a->range[a->ranges++]);
	while (good && *s++ == ',');
	if (good && !s[-1])
		return 0;
	return config_fail(p, config_shown(p, word),
			   "up to 4 port ranges, as in '0x170-0x177,0x376'");
}

/* N,N,... or none: the bits of those that are not there. */
static int take_missing(struct parse *p, u32 count, u32 *missing, const char *expected)
{
	const char *word = config_take(p), *s = word;
	u32 number;
	bool good;

	*missing = ~0u;
	if (!strcmp(word, "none"))
		return 0;
	do {
		good = config_number_at(&s, count - 1, &number);
		if (good)
			*missing &= ~BIT(number);
	} while (good && *s++ == ',');
	return good && !s[-1] ? 0 : config_fail(p, config_shown(p, word), expected);
}

static int take_irqs(struct parse *p, struct config_access *a)
{
	u32 missing;

	if (take_missing(p, IRQ_LINES, &missing, "interrupt lines as in '3,7', or 'none'"))
		return -1;
	a->no_irqs = (u16)missing;
	return 0;
}

static int take_dma(struct parse *p, struct config_access *a)
{
	u32 missing;

	if (take_missing(p, CHANNELS, &missing, "DMA channels as in '1,5', or 'none'"))
		return -1;
	a->no_dma = (u8)missing;
	return 0;
}

static int take_read_only(struct parse *p, struct config_access *a)
{
	(void)p;
	a->read_only = true;
	return 0;
}

static int take_rate(struct parse *p, struct config_access *a)
{
	const char *word = config_take(p);

	if (config_number(word, 1, RATE_MAX, &a->rate))
		return 0;
	return config_fail(p, config_shown(p, word), "accesses a second, 1 to 1000000000");
}

static const struct {
	const char *word;
	int (*take)(struct parse *p, struct config_access *a);
} limits[] = {{"may", take_names}, {"ports", take_ports},	  {"irqs", take_irqs},
	      {"dma", take_dma},   {"read-only", take_read_only}, {"rate", take_rate}};

/* Each once, in any order. */
static int take_limits(struct parse *p, struct config_access *a)
{
	u32 seen = 0;

	while (p->next < p->words) {
		const char *word = config_take(p);
		unsigned i = 0;

		while (i < ARRAY_SIZE(limits) && strcmp(word, limits[i].word))
			i++;
		if (i == ARRAY_SIZE(limits) || seen & BIT(i))
			return config_fail(p, word,
					   "'may', 'ports', 'irqs', 'dma', 'read-only' or 'rate', "
					   "each once");
		seen |= BIT(i);
		if (limits[i].take(p, a))
			return -1;
	}
	return 0;
}

/* --- the word --- */

/* This PC's own key, which has no limits: the last line counts. */
static void set_own(struct config *c, const struct config_access *a)
{
	c->key = a->source;
	c->key_module = a->module;
	memcpy(c->key_bytes, a->bytes, CONFIG_KEY);
}

int config_set_key(struct parse *p, unsigned index)
{
	struct config_access a = {.line = p->line, .origin = p->origin};
	struct config *c = p->c;

	(void)index;
	if (take_source(p, &a))
		return -1;
	if (p->next == p->words) {
		set_own(c, &a);
		return 0;
	}
	if (take_limits(p, &a))
		return -1;
	if (a.source == CONFIG_KEY_INSECURE)
		return config_fail(p, "key insecure", "no limits: whoever is there has no key");
	if (c->access_count == CONFIG_ACCESSES)
		return config_fail(p, "key", "at most 3 keys with limits");
	c->access[c->access_count++] = a;
	return 0;
}

/* --- what only the modules know --- */

static int take_bytes(struct config *c, const struct config_medium *m, u8 key[CONFIG_KEY],
		      const void *data, size_t size)
{
	const char *text = data;
	size_t len = size;
	bool good;

	while (len > KEY_HEX && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (size == CONFIG_KEY) {
		memcpy(key, data, CONFIG_KEY);
		good = true;
	} else {
		good = len == KEY_HEX && hex_key(text, key);
	}
	if (good && !is_zero(key))
		return 0;
	return config_fail_at(c, m->origin, m->line, m->module,
			      "a file of 32 bytes or 64 hexadecimal digits, not all 0");
}

int config_take_key(struct config *c, const void *data, size_t size)
{
	return take_bytes(c, &c->key_module, c->key_bytes, data, size);
}

int config_take_access_key(struct config *c, unsigned i, const void *data, size_t size)
{
	return take_bytes(c, &c->access[i].module, c->access[i].bytes, data, size);
}

int config_settle_keys(struct config *c)
{
	for (unsigned i = 0; i < c->access_count; i++) {
		const struct config_access *a = &c->access[i];
		bool twice =
			c->key != CONFIG_KEY_NONE && !memcmp(c->key_bytes, a->bytes, CONFIG_KEY);

		for (unsigned k = 0; k < i; k++)
			twice |= !memcmp(c->access[k].bytes, a->bytes, CONFIG_KEY);
		if (twice)
			return config_fail_at(c, a->origin, a->line, "key",
					      "another key than that of another line");
	}
	/* A server always has a key of its own; this one keeps its limits (boot/access.c). */
	if (c->key == CONFIG_KEY_NONE && c->access_count)
		memcpy(c->key_bytes, c->access[0].bytes, CONFIG_KEY);
	return 0;
}
