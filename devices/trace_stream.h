/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace on its way out: records as items of 24 bytes, little-endian, those of blocks with their
 * bytes behind them. docs/trace.md has the layout.
 */
#ifndef FARBUS_DEVICES_TRACE_STREAM_H
#define FARBUS_DEVICES_TRACE_STREAM_H

#include "devices/trace.h"

#define TRACE_VERSION  1u
#define TRACE_ITEM     24u
#define TRACE_ITEM_MAX (TRACE_ITEM + TRACE_BLOCK_MAX)
#define TRACE_NAME_MAX 15u

/* Items that are no records, in the place of their kind. */
enum trace_item { TRACE_HELLO = 8, TRACE_NAME, TRACE_LOST };

/* In the place of the width's bit 3: a block whose bytes are not there any more. */
#define TRACE_CUT BIT(19)

struct trace_stream {
	const struct trace *trace;
	const struct bus *bus;
	u32 khz;      /* of the time-stamp counter */
	u32 next;     /* the record that comes next */
	u64 lost;     /* overwritten before they were read, in all */
	u32 untold;   /* of these, not said in the stream yet */
	bool greeted; /* the greeting is in the stream */
	u8 names;     /* handlers whose names are, too */
};

/* From the records to come on. */
void trace_stream_init(struct trace_stream *s, const struct trace *t, const struct bus *b, u32 khz);
/* From the oldest record that is there. */
void trace_stream_rewind(struct trace_stream *s);
/* The greeting and the names come again, for whoever begins to listen now. */
void trace_stream_greet(struct trace_stream *s);
/* As many whole items as there are, up to room bytes (at least TRACE_ITEM_MAX). stamp: now. */
u32 trace_stream_fill(struct trace_stream *s, u8 *buf, u32 room, u64 stamp);
/* Whether trace_stream_fill() would give any. */
bool trace_stream_pending(const struct trace_stream *s);

#endif
