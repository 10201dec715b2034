/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts. A line that fires is masked and told to the holder of its lease under a new
 * generation; the EOI of that generation unmasks it. So a line has at most one event under way, and
 * what waits for a place in the window is a bit per line.
 */
#include "net-ne2000/server_parts.h"

static void send_event(struct server *s, unsigned i, unsigned slot)
{
	struct server_lease *l = &s->lease[i];
	const struct link_slot *number = &l->events.slot[slot];
	struct proto_header h = {.type = PROTO_EVT,
				 .session = l->session,
				 .seq = number->seq,
				 .irq = l->unended,
				 .tries = number->tries};
	struct proto_op op = {.opcode = PROTO_IRQ_MASK,
			      .width = 1,
			      .count = l->event[slot].generation,
			      .addr = l->event[slot].line};
	struct proto_writer w;

	endpoint_begin(&s->e, &w);
	proto_add(&w, &op);
	endpoint_send(&s->e, &w, &h, l->keys.to_client, l->mac);
}

static void send_waiting(struct server *s, unsigned i, u64 now)
{
	struct server_lease *l = &s->lease[i];

	for (unsigned line = 0; line < SERVER_LINES; line++) {
		unsigned slot;

		if (!(l->waiting & BIT(line)) || !link_can_send(&l->events))
			continue;
		l->waiting &= (u16)~BIT(line);
		slot = link_send(&l->events, now);
		l->event[slot].line = (u8)line;
		l->event[slot].generation = l->generation[line];
		send_event(s, i, slot);
	}
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
}

void server_irq(struct server *s, unsigned line, u64 now)
{
	if (line >= SERVER_LINES)
		return;
	s->backend->irq_mask(s->ctx, line, true);
	for (unsigned i = 0; i < s->exports; i++) {
		struct server_lease *l = &s->lease[i];

		if (!l->active || !(s->export[i].irqs & BIT(line)))
			continue;
		if ((l->unended | l->masked) & BIT(line))
			break;
		l->generation[line]++;
		l->unended |= (u16)BIT(line);
		l->waiting |= (u16)BIT(line);
		send_waiting(s, i, now);
		return;
	}
	s->spurious++;
}

/* State first: the backend may call server_irq() as soon as a line is unmasked. */
static void set_mask(struct server *s, unsigned i, unsigned line)
{
	struct server_lease *l = &s->lease[i];

	s->backend->irq_mask(s->ctx, line, ((l->unended | l->masked) & BIT(line)) != 0);
}

unsigned server_irq_op(struct server *s, unsigned i, const struct proto_op *op)
{
	struct server_lease *l = &s->lease[i];
	u16 bit;

	if (op->addr >= SERVER_LINES || !(s->export[i].irqs & BIT(op->addr)))
		return PROTO_REFUSED;
	bit = (u16)BIT(op->addr);
	switch (op->opcode) {
	case PROTO_IRQ_MASK:
		l->masked |= bit;
		break;
	case PROTO_IRQ_UNMASK:
		l->masked &= (u16)~bit;
		break;
	default: /* the end of an older generation ends nothing */
		if (!(l->unended & bit) || l->waiting & bit || op->count != l->generation[op->addr])
			return PROTO_OK;
		l->unended &= (u16)~bit;
		break;
	}
	set_mask(s, i, op->addr);
	return PROTO_OK;
}

void server_irq_end(struct server *s, unsigned i)
{
	for (unsigned line = 0; line < SERVER_LINES; line++)
		if (s->export[i].irqs & BIT(line))
			s->backend->irq_mask(s->ctx, line, true);
}
