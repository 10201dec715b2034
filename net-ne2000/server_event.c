/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: what the device did without being asked, in the order in which it did it. They are queued
 * as descriptions, not as frames: bytes from a DMA channel stay in the channel's buffer until the
 * client has them, also for repetitions.
 */
#include "net-ne2000/server_parts.h"

/* What one frame carries: whole words, so that no event ends within one. */
#define GIVEN_MAX (PROTO_OPS_MAX - PROTO_OP)
#define TAKEN_MAX 0xfffcu

static u32 piece(const struct server_event *e)
{
	u32 max = e->opcode == PROTO_DMA_GIVEN ? GIVEN_MAX : TAKEN_MAX;

	return e->len < max ? e->len : max;
}

static struct server_event *queued(struct server_lease *l, unsigned n)
{
	return &l->queue[(l->queue_first + n) % SERVER_QUEUE];
}

/* Bytes in the channel's buffer, which goes round. */
static void get_bytes(struct server *s, const struct server_event *e, u8 *data)
{
	u32 block = s->dma[e->unit].block;
	u32 first = e->len < block - e->at ? e->len : block - e->at;

	s->backend->dma_get(s->ctx, e->unit, e->at, data, first);
	if (first < e->len)
		s->backend->dma_get(s->ctx, e->unit, 0, data + first, e->len - first);
}

static void send_event(struct server *s, unsigned i, unsigned slot)
{
	struct server_lease *l = &s->lease[i];
	const struct link_slot *number = &l->events.slot[slot];
	const struct server_event *e = &l->event[slot];
	struct proto_header h = {.type = PROTO_EVT,
				 .session = l->session,
				 .seq = number->seq,
				 .irq = l->unended,
				 .tries = number->tries};
	struct proto_op op = {.opcode = e->opcode, .width = 1};
	struct proto_writer w;
	u8 *data;

	if (e->opcode == PROTO_IRQ_MASK) {
		op.count = e->number;
		op.addr = e->unit;
	} else {
		op.count = (u16)e->len;
		op.addr = proto_dma_addr(e->unit, e->number);
		op.data_len = proto_data_len(op.opcode, 1, op.count, false);
	}
	endpoint_begin(&s->e, &w);
	data = proto_add(&w, &op);
	if (e->opcode == PROTO_DMA_GIVEN)
		get_bytes(s, e, data);
	endpoint_send(&s->e, &w, &h, l->keys.to_client, l->mac);
}

/* The first of the queue, or as much of it as a frame holds, becomes an event under way. */
static void send_first(struct server *s, unsigned i, u64 now)
{
	struct server_lease *l = &s->lease[i];
	struct server_event *first = queued(l, 0);
	unsigned slot = link_send(&l->events, now);
	u32 len = piece(first);

	l->event[slot] = *first;
	l->event[slot].len = len;
	first->len -= len;
	if (first->len > 0) {
		first->at = (first->at + len) % s->dma[first->unit].block;
	} else {
		if (first->opcode == PROTO_IRQ_MASK)
			l->waiting &= (u16)~BIT(first->unit);
		l->queue_first = (u16)((l->queue_first + 1) % SERVER_QUEUE);
		l->queued--;
	}
	send_event(s, i, slot);
}

static void send_waiting(struct server *s, unsigned i, u64 now)
{
	while (s->lease[i].queued > 0 && link_can_send(&s->lease[i].events))
		send_first(s, i, now);
}

u32 server_events_due(struct server_lease *l)
{
	u32 count = 0;

	for (unsigned n = 0; n < l->queued; n++) {
		const struct server_event *e = queued(l, n);
		u32 max = e->opcode == PROTO_DMA_GIVEN ? GIVEN_MAX : TAKEN_MAX;

		count += e->len > max ? (e->len + max - 1) / max : 1;
	}
	return count;
}

u32 server_events_open(struct server_lease *l, unsigned channel)
{
	u32 len = 0;

	for (unsigned slot = 0; slot < LINK_WINDOW; slot++) {
		const struct server_event *e = &l->event[slot];

		if (l->events.slot[slot].open && e->opcode != PROTO_IRQ_MASK && e->unit == channel)
			len += e->len;
	}
	for (unsigned n = 0; n < l->queued; n++) {
		const struct server_event *e = queued(l, n);

		if (e->opcode != PROTO_IRQ_MASK && e->unit == channel)
			len += e->len;
	}
	return len;
}

/* Bytes may join those of the same arming that still wait, but not overtake an interrupt. */
static struct server_event *joined(struct server_lease *l, const struct server_event *e)
{
	for (unsigned n = l->queued; n > 0; n--) {
		struct server_event *q = queued(l, n - 1);

		if (q->opcode == PROTO_IRQ_MASK)
			return NULL;
		if (q->opcode == e->opcode && q->unit == e->unit && q->number == e->number)
			return q;
	}
	return NULL;
}

void server_queue(struct server *s, unsigned i, const struct server_event *e, u64 now)
{
	struct server_lease *l = &s->lease[i];
	struct server_event *q = e->opcode == PROTO_IRQ_MASK ? NULL : joined(l, e);

	if (q)
		q->len += e->len;
	else
		*queued(l, l->queued++) = *e;
	send_waiting(s, i, now);
}

void server_events(struct server *s, unsigned i, u64 now)
{
	int slot;

	while ((slot = link_due(&s->lease[i].events, now)) >= 0)
		send_event(s, i, (unsigned)slot);
	send_waiting(s, i, now);
}

void server_event_ack(struct server *s, unsigned i, const struct packet *p, u64 now)
{
	if (link_answered(&s->lease[i].events, p->h.seq, p->h.tries, now) < 0) {
		endpoint_drop(&s->e, DROP_STALE);
		return;
	}
	send_waiting(s, i, now);
	server_dma_acked(s, i, now);
}
