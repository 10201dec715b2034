/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA DMA. The channel moves bytes between its device and a buffer; the client sends ahead what the
 * device will take, and is told how far it has come or sent what it gave. A device that would take
 * what is not there yet, or give what there is no room for, is held up by the channel's mask. Who
 * fell behind all the same skips: the client's bytes have their place, so nothing shifts.
 */
#include "net-ne2000/server_parts.h"

#define MODE_TYPE      0x0cu
#define MODE_GIVES     0x04u /* the 8237's write transfer: device to memory */
#define MODE_TAKES     0x08u
#define MODE_AUTO_INIT 0x10u
#define MODE_CASCADE   0xc0u

static bool takes(const struct server_dma *d)
{
	return (d->mode & MODE_TYPE) == MODE_TAKES;
}

static bool gives(const struct server_dma *d)
{
	return (d->mode & MODE_TYPE) == MODE_GIVES;
}

static bool goes_round(const struct server_dma *d)
{
	return (d->mode & MODE_AUTO_INIT) != 0;
}

static u32 margin(const struct server_dma *d)
{
	return d->block / 8 < SERVER_DMA_MARGIN ? d->block / 8 : SERVER_DMA_MARGIN;
}

static void set_running(struct server *s, unsigned channel, bool run)
{
	struct server_dma *d = &s->dma[channel];

	if (d->running == run)
		return;
	d->running = run;
	s->backend->dma_run(s->ctx, channel, run);
}

/* Whether the device may go on. */
static bool may_run(struct server *s, unsigned i, unsigned channel)
{
	struct server_dma *d = &s->dma[channel];
	u64 unsent = d->moved - d->told + server_events_open(&s->lease[i], channel);

	if (takes(d) && (goes_round(d) || d->filled < d->block))
		return d->filled > d->moved + margin(d);
	if (gives(d) && goes_round(d))
		return unsent + margin(d) < d->block;
	return true;
}

static void govern(struct server *s, unsigned i, unsigned channel)
{
	struct server_dma *d = &s->dma[channel];
	bool run = d->armed && may_run(s, i, channel);

	if (d->running && d->armed && !run)
		d->held_up++;
	set_running(s, channel, run);
}

static void look(struct server *s, unsigned channel)
{
	struct server_dma *d = &s->dma[channel];
	u32 place = (u32)(d->moved % d->block), at;

	at = s->backend->dma_position(s->ctx, channel);
	if (at > d->block)
		return;
	if (goes_round(d))
		d->moved += (at + d->block - place) % d->block;
	else
		/* Back at the start: some 8237s reload after the last byte (QEMU's does). */
		d->moved = at < d->moved ? d->block : at;
	if (d->filled < d->moved)
		d->filled = d->moved;
	if (!goes_round(d) && d->moved == d->block)
		d->armed = false;
}

static void tell(struct server *s, unsigned i, unsigned channel, u64 now)
{
	struct server_dma *d = &s->dma[channel];
	struct server_event e = {.opcode = gives(d) ? PROTO_DMA_GIVEN : PROTO_DMA_TAKEN,
				 .unit = (u8)channel,
				 .number = d->arming,
				 .len = (u32)(d->moved - d->told),
				 .at = (u32)(d->told % d->block)};

	if (e.len == 0)
		return;
	d->told = d->moved;
	d->told_at = now;
	server_queue(s, i, &e, now);
}

static bool worth_telling(const struct server_dma *d, u64 now)
{
	u64 news = d->moved - d->told;

	return !d->armed || news >= SERVER_DMA_TELL || news >= d->block / 8 ||
	       now - d->told_at >= SERVER_DMA_TELL_NS;
}

static void follow(struct server *s, unsigned i, unsigned channel, bool all, u64 now)
{
	struct server_dma *d = &s->dma[channel];

	if (!d->armed)
		return;
	d->poll_at = now + SERVER_DMA_POLL_NS;
	look(s, channel);
	if (all || worth_telling(d, now))
		tell(s, i, channel, now);
	govern(s, i, channel);
}

static void follow_all(struct server *s, unsigned i, bool all, u64 now)
{
	for (unsigned channel = 0; channel < SERVER_CHANNELS; channel++)
		if (s->export[i].dma & BIT(channel) && (all || s->dma[channel].poll_at <= now))
			follow(s, i, channel, all, now);
}

void server_dma_poll(struct server *s, unsigned i, u64 now)
{
	follow_all(s, i, false, now);
}

void server_dma_sync(struct server *s, unsigned i, u64 now)
{
	follow_all(s, i, true, now);
}

u64 server_dma_deadline(const struct server *s, unsigned i)
{
	u64 first = ~0ull;

	for (unsigned channel = 0; channel < SERVER_CHANNELS; channel++) {
		const struct server_dma *d = &s->dma[channel];

		if (s->export[i].dma & BIT(channel) && d->armed && d->poll_at < first)
			first = d->poll_at;
	}
	return first;
}

void server_dma_end(struct server *s, unsigned i)
{
	for (unsigned channel = 0; channel < SERVER_CHANNELS; channel++) {
		if (!(s->export[i].dma & BIT(channel)))
			continue;
		s->dma[channel].armed = false;
		set_running(s, channel, false);
	}
}

/* --- operations --- */

static void stop(struct server *s, unsigned i, unsigned channel, u64 now)
{
	struct server_dma *d = &s->dma[channel];

	set_running(s, channel, false);
	if (!d->armed)
		return;
	look(s, channel);
	tell(s, i, channel, now);
	d->armed = false;
}

static bool good_arming(unsigned channel, u32 bytes, u32 mode)
{
	u32 most = channel < 4 ? 0x10000u : 0x20000u;

	return bytes > 0 && bytes <= most && (channel < 4 || bytes % 2 == 0) && mode <= 0xff &&
	       (mode & MODE_TYPE) != MODE_TYPE && (mode & MODE_CASCADE) != MODE_CASCADE;
}

static unsigned arm(struct server *s, unsigned i, unsigned channel, u64 now)
{
	struct server_run *run = &s->lease[i].run;
	struct server_dma *d = &s->dma[channel];
	u32 bytes = proto_get32(run->op.data), mode = proto_get32(run->op.data + 4);

	if (!good_arming(channel, bytes, mode))
		return PROTO_REFUSED;
	stop(s, i, channel, now);
	/* The buffer still holds what the client has not got. */
	if (server_events_open(&s->lease[i], channel)) {
		run->next_step = ~0ull;
		return SERVER_WAIT;
	}
	*d = (struct server_dma){.armed = true,
				 .arming = (u16)(run->op.addr >> 16),
				 .mode = (u8)(mode & 0xfc),
				 .block = bytes,
				 .poll_at = now + SERVER_DMA_POLL_NS,
				 .told_at = now};
	if (!s->backend->dma_arm(s->ctx, channel, bytes, d->mode)) {
		d->armed = false;
		return PROTO_FAULT;
	}
	govern(s, i, channel);
	return PROTO_OK;
}

static unsigned fill(struct server *s, unsigned i, unsigned channel, u64 now)
{
	const struct proto_op *op = &s->lease[i].run.op;
	struct server_dma *d = &s->dma[channel];
	/* The client's count of bytes, which has 32 bits, near our own. */
	u64 from = d->filled + (u64)(s64)(s32)(proto_get32(op->data) - (u32)d->filled);
	u64 to = from + op->count;
	const u8 *bytes = op->data + 4;

	if (!d->armed || d->arming != op->addr >> 16)
		return PROTO_OK; /* it ended while these bytes were on their way */
	follow(s, i, channel, false, now);
	if (!takes(d) || to > (goes_round(d) ? d->moved : 0) + d->block || from > d->filled)
		return PROTO_REFUSED;
	if (from < d->moved) { /* too late for some of them */
		bytes += d->moved - from < op->count ? d->moved - from : op->count;
		from = d->moved < to ? d->moved : to;
	}
	while (from < to) {
		u32 at = (u32)(from % d->block), len = d->block - at;

		if (len > to - from)
			len = (u32)(to - from);
		s->backend->dma_put(s->ctx, channel, at, bytes, len);
		bytes += len;
		from += len;
	}
	if (d->filled < to)
		d->filled = to;
	govern(s, i, channel);
	return PROTO_OK;
}

unsigned server_dma_op(struct server *s, unsigned i, u64 now)
{
	const struct proto_op *op = &s->lease[i].run.op;
	unsigned channel = op->addr & 0xffff;

	if (channel >= SERVER_CHANNELS || !(s->export[i].dma & BIT(channel)))
		return PROTO_REFUSED;
	switch (op->opcode) {
	case PROTO_DMA_ARM:
		return arm(s, i, channel, now);
	case PROTO_DMA_DATA:
		return fill(s, i, channel, now);
	default:
		stop(s, i, channel, now);
		return PROTO_OK;
	}
}

void server_dma_acked(struct server *s, unsigned i, u64 now)
{
	struct server_lease *l = &s->lease[i];

	for (unsigned channel = 0; channel < SERVER_CHANNELS; channel++)
		if (s->export[i].dma & BIT(channel))
			govern(s, i, channel);
	if (!l->requests.running || !l->run.in_op || l->run.op.opcode != PROTO_DMA_ARM)
		return;
	l->run.next_step = now;
	server_run_poll(s, i, now);
}
