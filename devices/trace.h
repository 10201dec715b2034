/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port trace: what crossed the bus, with when and from where, in a ring that overwrites its
 * oldest records. Whoever writes never waits and never looks at who reads; whoever reads counts
 * what was overwritten before. Bytes of block transfers are in a second ring beside it, so that all
 * records have one size. docs/trace.md.
 */
#ifndef FARBUS_DEVICES_TRACE_H
#define FARBUS_DEVICES_TRACE_H

#include "devices/bus.h"

enum trace_kind {
	TRACE_IN,
	TRACE_OUT,
	TRACE_INS, /* a REP's elements, all of one access to the bus */
	TRACE_OUTS,
	TRACE_IRQ,   /* the CPU takes an interrupt; port: its vector */
	TRACE_RESET, /* of the guest's PC */
	TRACE_KINDS
};

/* The word that says what was done: port, width (1, 2 or 4) and kind; the handler is added. */
#define TRACE_WHAT(kind, width, port) ((u32)(kind) << 20 | (u32)(width) << 16 | (port))
#define TRACE_PORT(what)	      ((u16)(what))
#define TRACE_WIDTH(what)	      ((what) >> 16 & 7)
#define TRACE_KIND(what)	      ((what) >> 20 & 15)
#define TRACE_HANDLER(what)	      ((u8)((what) >> 24)) /* its index on the bus */
#define TRACE_COUNT(r)		      ((r)->cs_count >> 16)
#define TRACE_WRITE(what)	      ((what) >> 20 & 1)

struct trace_record {
	u64 stamp; /* time-stamp counter */
	u32 eip;
	u32 value; /* of a block: the place of its bytes, as trace_data() takes it */
	u32 what;
	u32 cs_count; /* CS, and in the upper half the elements of a block */
};

#define TRACE_RANGES	8
#define TRACE_BLOCK_MAX 4096u /* bytes in one record; a longer block becomes several */

struct trace_filter {
	struct {
		u16 first, last;
	} range[TRACE_RANGES];
	u8 ranges;   /* 0: all ports */
	u8 writes;   /* 1: only IN, 2: only OUT, 0 or 3: both */
	u8 routes;   /* a bit for each enum route_kind, 0: all */
	bool events; /* interrupts and resets are kept even with ports or routes named */
};

struct trace {
	struct trace_record *record, *last;
	u32 mask; /* records - 1 */
	struct trace_record *next;
	u32 rounds; /* through record[] so far */
	u8 *data;
	u32 data_mask, data_head;
	bool filtered;
	struct trace_filter filter;
	u8 wanted[65536]; /* what the filter says of each port: 1: IN, 2: OUT */
};

/* Both sizes are powers of two; bytes of data: at least TRACE_BLOCK_MAX. */
void trace_init(struct trace *t, struct trace_record *record, u32 records, u8 *data, u32 bytes);
void trace_set_filter(struct trace *t, const struct trace_filter *f);
/* Takes one word of a filter. False: it is none. docs/trace.md lists them. */
bool trace_filter_word(struct trace_filter *f, const char *word);
#define TRACE_FILTER_EXPECTED                                                                      \
	"all, events, in, out, virtual, local, remote, absent or ports as in '0x3f8-0x3ff,0x61'"
/* What a filter says of an access by that route, or of an event. */
bool trace_filter_wants(const struct trace_filter *f, u32 what, unsigned route);
bool trace_wants_event(const struct trace *t);
/* The same of an access on the bus, as fast as can be. */
static inline bool trace_wants(const struct trace *t, const struct bus *b, u32 what)
{
	u16 port = TRACE_PORT(what);

	if (!(t->wanted[port] >> TRACE_WRITE(what) & 1))
		return false;
	return likely(!t->filter.routes) || t->filter.routes & BIT(b->handler[b->route[port]].kind);
}

/* The place of a new record; what it held before is lost. */
static inline struct trace_record *trace_next(struct trace *t)
{
	struct trace_record *r = t->next;

	t->next = r + 1;
	if (unlikely(r == t->last)) {
		t->next = t->record;
		t->rounds++;
	}
	return r;
}

/* The number of the record to come; they are counted from 0, modulo 2^32. */
static inline u32 trace_head(const struct trace *t)
{
	return t->rounds * (t->mask + 1) + (u32)(t->next - t->record);
}

/* Keeps bytes, at most TRACE_BLOCK_MAX; returns their place. */
u32 trace_keep(struct trace *t, const void *bytes, u32 len);
/* Copies them out. False: they have been overwritten. */
bool trace_data(const struct trace *t, u32 place, void *bytes, u32 len);

#endif
