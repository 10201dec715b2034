/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/trace_decode.h"

#include <string.h>
#include <time.h>

#include "devices/bus.h"

static u32 get16(const u8 *p)
{
	return p[0] | (u32)p[1] << 8;
}

static u32 get32(const u8 *p)
{
	return get16(p) | get16(p + 2) << 16;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

const char *trace_kind_name(unsigned kind)
{
	static const char *const names[] = {
		[TRACE_IN] = "in",     [TRACE_OUT] = "out", [TRACE_INS] = "ins",
		[TRACE_OUTS] = "outs", [TRACE_IRQ] = "irq", [TRACE_RESET] = "reset",
		[TRACE_LOST] = "lost"};

	return kind < ARRAY_SIZE(names) && names[kind] ? names[kind] : "?";
}

const char *trace_route_name(unsigned route)
{
	static const char *const names[] = {[ROUTE_ABSENT] = "absent",
					    [ROUTE_VIRTUAL] = "virtual",
					    [ROUTE_LOCAL] = "local",
					    [ROUTE_REMOTE] = "remote"};

	return route < ARRAY_SIZE(names) ? names[route] : "?";
}

static u64 real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

void trace_decoder_init(struct trace_decoder *d, trace_event_fn event, void *ctx)
{
	memset(d, 0, sizeof(*d));
	d->event = event;
	d->ctx = ctx;
	d->real_ns = real_ns;
}

/* --- items --- */

/* Stamps before the first greeting's are of what the ring held already. */
static u64 stamp_ns(const struct trace_decoder *d, u64 stamp)
{
	bool before = stamp < d->first_stamp;
	u64 ticks = before ? d->first_stamp - stamp : stamp - d->first_stamp;
	u64 ns = ticks / d->khz * 1000000 + ticks % d->khz * 1000000 / d->khz;

	return before ? d->first_ns - ns : d->first_ns + ns;
}

static void take_greeting(struct trace_decoder *d, const u8 *item)
{
	u32 khz = get32(item + 8);

	if (get32(item + 12) != TRACE_VERSION || !khz) {
		d->damaged++;
		return;
	}
	/* One that comes again is for others; after a reset of the PC its counter starts anew. */
	if (d->greeted && khz == d->khz && get64(item) >= d->first_stamp)
		return;
	d->greeted = true;
	d->khz = khz;
	d->first_stamp = get64(item);
	d->first_ns = d->real_ns();
}

static void take_name(struct trace_decoder *d, const u8 *item, u32 what)
{
	memcpy(d->name[TRACE_HANDLER(what)], item, TRACE_NAME_MAX);
	d->route[TRACE_HANDLER(what)] = (u8)TRACE_PORT(what);
}

static void tell(struct trace_decoder *d, struct trace_event *e)
{
	d->records++;
	d->event(d->ctx, e);
}

static void tell_lost(struct trace_decoder *d, u64 ns, u32 count)
{
	struct trace_event e = {.ns = ns, .kind = TRACE_LOST, .value = count};

	d->lost += count;
	d->event(d->ctx, &e);
}

static void take_record(struct trace_decoder *d, const u8 *item, u32 what, u32 len)
{
	u8 handler = TRACE_HANDLER(what), kind = TRACE_KIND(what);
	struct trace_event e = {.ns = stamp_ns(d, get64(item)),
				.kind = kind,
				.width = TRACE_WIDTH(what),
				.port = TRACE_PORT(what),
				.cs = (u16)get16(item + 20),
				.eip = get32(item + 8),
				.value = get32(item + 12),
				.data = item + TRACE_ITEM,
				.len = len};

	if (kind < TRACE_IRQ) {
		e.route = d->route[handler];
		memcpy(e.name, d->name[handler], sizeof(e.name));
	}
	tell(d, &e);
}

/* Bytes behind an item; larger than TRACE_BLOCK_MAX: there is no such item. */
static u32 block_bytes(const u8 *item)
{
	u32 what = get32(item + 16), kind = TRACE_KIND(what);

	if ((kind != TRACE_INS && kind != TRACE_OUTS) || what & TRACE_CUT)
		return 0;
	return get16(item + 22) * TRACE_WIDTH(what);
}

static void take_item(struct trace_decoder *d, const u8 *item, u32 len)
{
	u32 what = get32(item + 16), kind = TRACE_KIND(what);

	if (kind == TRACE_HELLO)
		take_greeting(d, item);
	else if (kind == TRACE_NAME)
		take_name(d, item, what);
	else if (!d->greeted)
		return; /* the greeting comes again within seconds */
	else if (kind == TRACE_LOST)
		tell_lost(d, stamp_ns(d, get64(item)), get32(item + 12));
	else if (kind < TRACE_KINDS)
		take_record(d, item, what, len);
	else
		d->damaged++;
}

/* Adds bytes up to `wanted` of the item; returns how many it took. */
static u32 collect(struct trace_decoder *d, const u8 *bytes, u32 len, u32 wanted)
{
	u32 need = d->have < wanted ? wanted - d->have : 0;

	if (need > len)
		need = len;
	memcpy(d->item + d->have, bytes, need);
	d->have += need;
	return need;
}

void trace_decode(struct trace_decoder *d, const u8 *bytes, u32 len)
{
	while (len) {
		u32 took = collect(d, bytes, len, TRACE_ITEM), more = 0;

		bytes += took;
		len -= took;
		if (d->have < TRACE_ITEM)
			return;
		more = block_bytes(d->item);
		if (more > TRACE_BLOCK_MAX) {
			d->damaged++;
			d->have = 0;
			continue;
		}
		took = collect(d, bytes, len, TRACE_ITEM + more);
		bytes += took;
		len -= took;
		if (d->have < TRACE_ITEM + more)
			return;
		take_item(d, d->item, more);
		d->have = 0;
	}
}

/* --- packets --- */

/* The line may have been opened in the midst of one: that one was never there for us. */
static void take_packet(struct trace_decoder *d)
{
	s32 len = d->too_long ? -1 : trace_frame_unpack(d->line, d->line_len);

	if (len >= 0) {
		d->have = 0;
		trace_decode(d, d->line, (u32)len);
	} else if (d->synchronous && d->line_len) {
		d->damaged++;
		if (d->greeted)
			tell_lost(d, d->real_ns(), 0);
	}
	d->synchronous = true;
	d->too_long = false;
	d->line_len = 0;
}

void trace_decode_line(struct trace_decoder *d, const u8 *bytes, u32 len)
{
	for (u32 i = 0; i < len; i++) {
		if (!bytes[i])
			take_packet(d);
		else if (d->line_len < sizeof(d->line))
			d->line[d->line_len++] = bytes[i];
		else
			d->too_long = true;
	}
}
