/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/trace.h"

#include "lib/str.h"

void trace_init(struct trace *t, struct trace_record *record, u32 records, u8 *data, u32 bytes)
{
	memset(t, 0, sizeof(*t));
	t->record = t->next = record;
	t->last = record + records - 1;
	t->mask = records - 1;
	t->data = data;
	t->data_mask = bytes - 1;
}

/* --- filters --- */

static bool wants_port(const struct trace_filter *f, u16 port)
{
	for (unsigned i = 0; i < f->ranges; i++)
		if (port >= f->range[i].first && port <= f->range[i].last)
			return true;
	return !f->ranges;
}

static bool wants_event(const struct trace_filter *f)
{
	return f->events || (!f->ranges && !f->routes && !f->writes);
}

static u8 ways(const struct trace_filter *f)
{
	return f->writes ? f->writes : 3;
}

void trace_set_filter(struct trace *t, const struct trace_filter *f)
{
	t->filter = *f;
	for (u32 port = 0; port < sizeof(t->wanted); port++)
		t->wanted[port] = wants_port(f, (u16)port) ? ways(f) : 0;
	t->filtered = f->ranges || f->routes || ways(f) != 3;
}

bool trace_wants_event(const struct trace *t)
{
	return wants_event(&t->filter);
}

bool trace_filter_wants(const struct trace_filter *f, u32 what, unsigned route)
{
	if (TRACE_KIND(what) >= TRACE_IRQ)
		return wants_event(f);
	return wants_port(f, TRACE_PORT(what)) && ways(f) >> TRACE_WRITE(what) & 1 &&
	       (!f->routes || f->routes & BIT(route));
}

/* --- a filter's words --- */

static u32 digit(char ch)
{
	char small = (char)(ch | 0x20);

	return ch >= '0' && ch <= '9'	      ? (u32)(ch - '0')
	       : small >= 'a' && small <= 'f' ? (u32)(small - 'a' + 10)
					      : 99;
}

/* A port at *s, decimal or with 0x; moves *s behind it. */
static bool take_port(const char **s, u16 *port)
{
	u32 base = 10, n = 0;

	if ((*s)[0] == '0' && ((*s)[1] | 0x20) == 'x') {
		base = 16;
		*s += 2;
	}
	if (digit(**s) >= base)
		return false;
	for (; digit(**s) < base; (*s)++) {
		n = n * base + digit(**s);
		if (n > 0xffff)
			return false;
	}
	*port = (u16)n;
	return true;
}

static bool take_ranges(struct trace_filter *f, const char *s)
{
	struct trace_filter all = *f;

	do {
		u16 first, last;

		if (all.ranges == TRACE_RANGES || !take_port(&s, &first))
			return false;
		last = first;
		if (*s == '-') {
			s++;
			if (!take_port(&s, &last) || last < first)
				return false;
		}
		all.range[all.ranges].first = first;
		all.range[all.ranges++].last = last;
	} while (*s++ == ',');
	if (s[-1])
		return false;
	*f = all;
	return true;
}

bool trace_filter_word(struct trace_filter *f, const char *word)
{
	static const char *const routes[] = {[ROUTE_ABSENT] = "absent",
					     [ROUTE_VIRTUAL] = "virtual",
					     [ROUTE_LOCAL] = "local",
					     [ROUTE_REMOTE] = "remote"};

	for (unsigned i = 0; i < ARRAY_SIZE(routes); i++) {
		if (strcmp(word, routes[i]))
			continue;
		f->routes |= (u8)BIT(i);
		return true;
	}
	if (!strcmp(word, "in"))
		f->writes |= 1;
	else if (!strcmp(word, "out"))
		f->writes |= 2;
	else if (!strcmp(word, "events"))
		f->events = true;
	else if (strcmp(word, "all"))
		return take_ranges(f, word);
	return true;
}

/* --- bytes of blocks --- */

u32 trace_keep(struct trace *t, const void *bytes, u32 len)
{
	u32 place = t->data_head, at = place & t->data_mask, room = t->data_mask + 1 - at;
	u32 first = len < room ? len : room;

	memcpy(t->data + at, bytes, first);
	memcpy(t->data, (const u8 *)bytes + first, len - first);
	t->data_head = place + len;
	return place;
}

bool trace_data(const struct trace *t, u32 place, void *bytes, u32 len)
{
	u32 at = place & t->data_mask, room = t->data_mask + 1 - at;
	u32 first = len < room ? len : room;

	if (t->data_head - place > t->data_mask + 1)
		return false;
	memcpy(bytes, t->data + at, first);
	memcpy((u8 *)bytes + first, t->data, len - first);
	return true;
}
