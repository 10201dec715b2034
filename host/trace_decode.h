/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace as it comes from a PC (devices/trace_stream.h), any bytes, into what happened there. */
#ifndef FARBUS_HOST_TRACE_DECODE_H
#define FARBUS_HOST_TRACE_DECODE_H

#include "devices/trace_frame.h"
#include "devices/trace_stream.h"

#define TRACE_HANDLERS 256u

/* One record, also as it stands in a file (docs/trace.md). */
struct trace_event {
	u64 ns;	  /* since 1970 */
	u8 kind;  /* enum trace_kind, or TRACE_LOST */
	u8 width; /* bytes; 0 for events */
	u8 route; /* enum route_kind */
	u16 port; /* of TRACE_IRQ: the vector */
	u16 cs;
	u32 eip;
	u32 value; /* of a block: its elements; of TRACE_LOST: how many were, 0: nobody knows */
	char name[TRACE_NAME_MAX + 1]; /* of the device behind the port */
	const u8 *data;		       /* of a block */
	u32 len;		       /* bytes there; less than elements * width: they were lost */
};

typedef void (*trace_event_fn)(void *ctx, const struct trace_event *e);

struct trace_decoder {
	trace_event_fn event;
	void *ctx;
	u64 (*real_ns)(void); /* now, since 1970 */
	bool greeted;
	u64 first_stamp, first_ns; /* one moment on both clocks */
	u32 khz;
	char name[TRACE_HANDLERS][TRACE_NAME_MAX + 1];
	u8 route[TRACE_HANDLERS];
	u64 records, lost, damaged;
	u32 have;
	u8 item[TRACE_ITEM_MAX]; /* the beginning of one */
	u32 line_len;
	bool synchronous, too_long; /* of the line: a packet's beginning was seen */
	u8 line[TRACE_FRAME_SIZE(2 * TRACE_ITEM_MAX)]; /* a packet's beginning, on a line */
};

void trace_decoder_init(struct trace_decoder *d, trace_event_fn event, void *ctx);
/* The next bytes of a stream that loses none. */
void trace_decode(struct trace_decoder *d, const u8 *bytes, u32 len);
/* The next bytes of a line with packets (devices/trace_frame.h). */
void trace_decode_line(struct trace_decoder *d, const u8 *bytes, u32 len);

/* "in", "outs", "irq", ...; "?" for a kind that there is not. */
const char *trace_kind_name(unsigned kind);
const char *trace_route_name(unsigned route);

#endif
