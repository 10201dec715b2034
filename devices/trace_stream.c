/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/trace_stream.h"

#include "devices/bus.h"
#include "lib/str.h"

/* Where the items' fields are; those of a name begin with the name. */
enum { AT_STAMP = 0, AT_EIP = 8, AT_VALUE = 12, AT_WHAT = 16, AT_CS = 20, AT_COUNT = 22 };

static void put32(u8 *p, u32 value)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (u8)(value >> (i * 8));
}

static void put_item(u8 *p, u64 stamp, u32 eip, u32 value, u32 what, u32 cs_count)
{
	put32(p + AT_STAMP, (u32)stamp);
	put32(p + AT_STAMP + 4, (u32)(stamp >> 32));
	put32(p + AT_EIP, eip);
	put32(p + AT_VALUE, value);
	put32(p + AT_WHAT, what);
	put32(p + AT_CS, cs_count);
}

void trace_stream_init(struct trace_stream *s, const struct trace *t, const struct bus *b, u32 khz)
{
	*s = (struct trace_stream){.trace = t, .bus = b, .khz = khz, .next = trace_head(t)};
}

void trace_stream_rewind(struct trace_stream *s)
{
	const struct trace *t = s->trace;

	s->next = t->rounds ? trace_head(t) - (t->mask + 1) : 0;
}

void trace_stream_greet(struct trace_stream *s)
{
	s->greeted = false;
	s->names = 0;
}

static void skip_lost(struct trace_stream *s)
{
	u32 behind = trace_head(s->trace) - s->next, kept = s->trace->mask + 1;

	if (behind <= kept)
		return;
	s->lost += behind - kept;
	s->untold += behind - kept;
	s->next = trace_head(s->trace) - kept;
}

static u32 fill_name(struct trace_stream *s, u8 *buf)
{
	const struct bus_handler *h = &s->bus->handler[s->names];
	size_t len = strlen(h->name);

	memset(buf, 0, TRACE_ITEM);
	memcpy(buf, h->name, len < TRACE_NAME_MAX ? len : TRACE_NAME_MAX);
	put32(buf + AT_WHAT, TRACE_WHAT(TRACE_NAME, 0, h->kind) | (u32)s->names << 24);
	s->names++;
	return TRACE_ITEM;
}

static u32 fill_record(struct trace_stream *s, u8 *buf)
{
	const struct trace_record *r = &s->trace->record[s->next++ & s->trace->mask];
	u32 len = TRACE_COUNT(r) * TRACE_WIDTH(r->what), what = r->what;

	if (len && !trace_data(s->trace, r->value, buf + TRACE_ITEM, len)) {
		what |= TRACE_CUT;
		len = 0;
	}
	put_item(buf, r->stamp, r->eip, TRACE_COUNT(r) ? TRACE_COUNT(r) : r->value, what,
		 r->cs_count);
	return TRACE_ITEM + len;
}

/* The next item; 0: there is none. */
static u32 fill_one(struct trace_stream *s, u8 *buf, u64 stamp)
{
	skip_lost(s);
	if (!s->greeted) {
		put_item(buf, stamp, s->khz, TRACE_VERSION, TRACE_WHAT(TRACE_HELLO, 0, 0), 0);
		s->greeted = true;
		return TRACE_ITEM;
	}
	if (s->names < s->bus->handler_count)
		return fill_name(s, buf);
	if (s->untold) {
		put_item(buf, stamp, 0, s->untold, TRACE_WHAT(TRACE_LOST, 0, 0), 0);
		s->untold = 0;
		return TRACE_ITEM;
	}
	return s->next != trace_head(s->trace) ? fill_record(s, buf) : 0;
}

u32 trace_stream_fill(struct trace_stream *s, u8 *buf, u32 room, u64 stamp)
{
	u32 len = 0, more;

	while (room - len >= TRACE_ITEM_MAX) {
		more = fill_one(s, buf + len, stamp);
		if (!more)
			break;
		len += more;
	}
	return len;
}

bool trace_stream_pending(const struct trace_stream *s)
{
	return !s->greeted || s->names < s->bus->handler_count || s->next != trace_head(s->trace);
}
