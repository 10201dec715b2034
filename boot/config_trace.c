/* SPDX-License-Identifier: BSD-2-Clause */
/* The word `trace`: what of the guest's port accesses is kept, and where it goes. */
#include "boot/config_parse.h"
#include "lib/str.h"

#define RING_MIN (64 * KB)
#define RING_MAX (64 * MB)

static int take_com(struct parse *p)
{
	const char *word = config_take(p);

	if (strcmp(word, "com1") && strcmp(word, "com2"))
		return config_fail(p, config_shown(p, word), "'com1' or 'com2'");
	p->c->trace.com = (u8)(word[3] - '0');
	return 0;
}

static int take_ring(struct parse *p)
{
	static const char expected[] = "a size from 64K to 64M, as in 'ring 1M'";
	const char *word = config_take(p), *s = word;
	u32 n, unit;

	if (!config_number_at(&s, 65536, &n) || (*s != 'K' && *s != 'M') || s[1])
		return config_fail(p, config_shown(p, word), expected);
	unit = *s == 'K' ? KB : MB;
	if (n > RING_MAX / unit || n * unit < RING_MIN)
		return config_fail(p, word, expected);
	p->c->trace.ring = n * unit;
	return 0;
}

static int take_one(struct parse *p)
{
	struct config_trace *t = &p->c->trace;

	const char *word = config_take(p);

	if (!strcmp(word, "to"))
		return take_com(p);
	if (!strcmp(word, "ring"))
		return take_ring(p);
	if (!strcmp(word, "off"))
		t->on = false;
	else if (!trace_filter_word(&t->filter, word))
		return config_fail(p, config_shown(p, word),
				   "off, to comN, ring SIZE, " TRACE_FILTER_EXPECTED);
	return 0;
}

int config_set_trace(struct parse *p, unsigned index)
{
	u32 ring = p->c->trace.ring;

	(void)index;
	p->c->trace = (struct config_trace){
		.on = true, .ring = ring, .line = p->line, .origin = p->origin};
	do {
		if (take_one(p))
			return -1;
	} while (p->next < p->words);
	return 0;
}

int config_check_trace(struct config *c)
{
	const struct config_trace *t = &c->trace;
	bool used = t->com == c->console_com;

	for (unsigned i = 0; i < CONFIG_SERIALS; i++)
		used |= t->com == c->serial_com[i];
	if (!t->com || !used)
		return 0;
	return config_fail_at(c, t->origin, t->line, t->com == 1 ? "com1" : "com2",
			      "a port that neither the console nor a serialN uses");
}
