/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration: port ranges, interrupt lines and DMA channels, and the word `route`. */
#include "boot/config_parse.h"
#include "lib/str.h"

/* Ranges of ports: "0x3f8-0x3ff,0x3e8". 0, or -1 where one is malformed or there are too many. */
static int parse_ranges(const char *s, struct config_route *r)
{
	do {
		u32 first, last;

		if (r->range_count == CONFIG_RANGES || !config_number_at(&s, 0xffff, &first))
			return -1;
		last = first;
		if (*s == '-') {
			s++;
			if (!config_number_at(&s, 0xffff, &last) || last < first)
				return -1;
		}
		r->range[r->range_count++] = (struct config_range){(u16)first, (u16)last};
	} while (*s++ == ',');
	return s[-1] ? -1 : 0;
}

int config_parse_ranges(const char *word, struct config_route *r)
{
	r->range_count = 0;
	return parse_ranges(word, r);
}

int config_take_irq(struct parse *p, s8 *irq)
{
	const char *word;
	u32 line;

	if (!config_take_if(p, "irq"))
		return 0;
	word = config_take(p);
	if (!config_number(word, 0, 15, &line))
		return config_fail(p, config_shown(p, word), "an interrupt line, 0 to 15");
	*irq = (s8)line;
	return 0;
}

int config_take_dma(struct parse *p, u8 *channels)
{
	const char *word;
	u32 channel;

	while (config_take_if(p, "dma")) {
		word = config_take(p);
		if (!config_number(word, 0, 7, &channel) || channel == 4)
			return config_fail(p, config_shown(p, word),
					   "a DMA channel, 0 to 3 or 5 to 7");
		*channels |= (u8)BIT(channel);
	}
	return 0;
}

static int refuse_dma(struct parse *p, const struct config_route *r)
{
	return !r->dma ? 0 : config_fail(p, "dma", "it only in a remote route");
}

int config_take_route(struct parse *p, struct config_route *r)
{
	static const char *const kinds[] = {"virtual", "local", "absent", "remote"};
	const char *word = config_take(p);

	*r = (struct config_route){.irq = -1, .line = p->line, .origin = p->origin};
	if (config_parse_ranges(word, r))
		return config_fail(
			p, config_shown(p, word),
			"up to 8 port ranges from 0 to 0xffff, as in '0x3f8-0x3ff,0x3e8'");
	if (config_take_irq(p, &r->irq) || config_take_dma(p, &r->dma))
		return -1;
	word = config_take(p);
	for (r->kind = 0; r->kind < ARRAY_SIZE(kinds); r->kind++)
		if (!strcmp(word, kinds[r->kind]))
			break;
	if (r->kind == ARRAY_SIZE(kinds))
		return config_fail(p, config_shown(p, word),
				   "'irq N', 'virtual', 'local', 'absent' or 'remote'");
	return r->kind == CONFIG_ROUTE_REMOTE ? config_set_remote(p, r) : refuse_dma(p, r);
}

int config_set_route(struct parse *p, unsigned index)
{
	struct config_route r;

	(void)index;
	if (config_take_route(p, &r))
		return -1;
	if (p->c->route_count == CONFIG_ROUTES)
		return config_fail(p, p->word[0], "at most 16 routes");
	p->c->route[p->c->route_count++] = r;
	return 0;
}
