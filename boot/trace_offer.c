/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/trace_offer.h"

#include "boot/host.h"
#include "boot/offer.h"
#include "boot/port.h"
#include "boot/trace.h"
#include "devices/timer.h"
#include "lib/log.h"
#include "lib/str.h"

#define BUFFER	(2 * TRACE_ITEM_MAX)
#define LINE	256u
#define LOOK_NS 10000000ull /* between two looks at a ring that was empty */
/*
 * After what was sent, the guest has so many times the time that it took: with what the card and
 * its interrupts take, which is not measured, sending costs no more than 3 %.
 */
#define GUEST_SHARE 64u
#define REST_NS	    2000000ull /* at least: looking for more costs, too */

static struct {
	struct trace_stream stream;
	const struct trace *trace;
	const struct bus *bus;
	bool (*idle)(void *ctx);
	void *ctx;
	bool leased;
	/* What was recorded before whoever listens asked for something else. */
	bool was_on, changed;
	struct trace_filter before;
	u64 spent, due;
	u64 now;     /* at the run loop's last turn */
	u32 at, len; /* of buffer */
	u32 line_len;
	u8 buffer[BUFFER];
	char line[LINE];
} wire;

/* --- what is sent --- */

/*
 * All of the buffer has been taken: the time for that is over now, and the guest has its own. The
 * run loop comes here at every turn, so the clock is read only when it has to be.
 */
static void refill(void)
{
	u64 began;

	if (wire.len) {
		u64 rest = wire.spent * GUEST_SHARE;

		wire.due = host_ns() + (rest > REST_NS ? rest : REST_NS);
		wire.at = wire.len = 0;
	}
	if (wire.now < wire.due && !wire.idle(wire.ctx))
		return;
	began = host_ns();
	wire.len = trace_stream_fill(&wire.stream, wire.buffer, BUFFER, rdtsc());
	wire.spent = host_ns() - began;
}

static u32 waiting(void *ctx)
{
	(void)ctx;
	if (!wire.leased)
		return 0;
	if (wire.at == wire.len)
		refill();
	return wire.len - wire.at;
}

static void take(void *ctx, u8 *buf, u32 len)
{
	(void)ctx;
	memcpy(buf, wire.buffer + wire.at, len);
	wire.at += len;
}

void trace_offer_spent(u64 ns)
{
	if (wire.leased)
		wire.spent += ns;
}

u64 trace_offer_due(u64 now)
{
	u64 soon = now + REST_NS;

	if (!wire.leased)
		return TIMER_NEVER;
	wire.now = now;
	if (wire.at != wire.len || !trace_stream_pending(&wire.stream))
		return now + LOOK_NS;
	return wire.due > soon ? wire.due : soon;
}

/* --- what is asked for: a filter's words in a line --- */

static void keep_before(void)
{
	if (wire.changed)
		return;
	wire.changed = true;
	wire.was_on = vm_trace_is_on();
	wire.before = wire.trace->filter;
}

static void restore(void)
{
	if (wire.changed && wire.was_on)
		vm_trace_on(&wire.before);
	else if (wire.changed)
		vm_trace_off();
	wire.changed = false;
}

static void take_line(void)
{
	struct trace_filter f = {.ranges = 0};
	char *word = wire.line;

	wire.line[wire.line_len] = 0;
	while (*word) {
		char *end = strchr(word, ' ');

		if (end)
			*end = 0;
		if (*word && !trace_filter_word(&f, word)) {
			log_warn("trace: a filter with '%.40s': expected " TRACE_FILTER_EXPECTED,
				 word);
			return;
		}
		word = end ? end + 1 : word + strlen(word);
	}
	keep_before();
	vm_trace_on(&f);
}

static u32 room(void *ctx)
{
	(void)ctx;
	return LINE - 1;
}

/* A line that is too long is cut off, and said to be wrong then. */
static void give(void *ctx, const u8 *buf, u32 len)
{
	(void)ctx;
	for (u32 i = 0; i < len; i++) {
		if (buf[i] == '\n') {
			take_line();
			wire.line_len = 0;
		} else if (wire.line_len < LINE - 1) {
			wire.line[wire.line_len++] = (char)buf[i];
		}
	}
}

/* --- coming and going --- */

static u32 state(void *ctx)
{
	(void)ctx;
	return vm_trace_is_on();
}

static void end(void *ctx)
{
	(void)ctx;
	wire.leased = false;
	restore();
}

static void begin(void *ctx)
{
	end(ctx);
	wire.leased = true;
	wire.at = wire.len = wire.line_len = 0;
	wire.spent = wire.due = 0;
	trace_stream_init(&wire.stream, wire.trace, wire.bus, host_tsc_khz());
	if (vm_trace_is_on())
		trace_stream_rewind(&wire.stream);
	host_wake();
}

static const struct service_ops service = {
	.name = "trace",
	.begin = begin,
	.waiting = waiting,
	.take = take,
	.room = room,
	.give = give,
	.state = state,
	.end = end,
};

void trace_offer_start(const struct trace *t, const struct bus *b, bool (*idle)(void *ctx),
		       void *ctx)
{
	wire.trace = t;
	wire.bus = b;
	wire.idle = idle;
	wire.ctx = ctx;
	offer_add(&service, NULL);
}
