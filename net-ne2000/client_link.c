/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of a session: requests out, answers and events in. An answer is reported when every
 * earlier one was, and when the events that the server sent before it have been delivered, as a
 * read over PCI pushes the writes before it.
 */
#include "lib/str.h"
#include "net-ne2000/client_parts.h"

void client_link_start(struct client *c, unsigned window, u64 now)
{
	link_sender_init(&c->requests, window, now);
	link_receiver_init(&c->events);
	for (unsigned i = 0; i < LINK_WINDOW; i++)
		c->slot[i].answered = false;
	c->complete = 0;
	c->eoi_due = 0;
	c->levels = 0;
}

void client_send_slot(struct client *c, unsigned slot)
{
	struct client_slot *out = &c->slot[slot];
	const struct link_slot *number = &c->requests.slot[slot];
	struct proto_header h = {.type = PROTO_REQ,
				 .session = c->session,
				 .seq = number->seq,
				 .ack = c->events.expected,
				 .irq = (u16)c->requests.window,
				 .tries = number->tries};
	struct proto_writer w;

	endpoint_begin(c->e, &w);
	proto_add_bytes(&w, out->request + PROTO_HEADER, out->len);
	w.ops = out->ops;
	endpoint_send(c->e, &w, &h, c->keys.to_server, c->secrets.server_mac);
	memcpy(out->tag, c->e->tag, PROTO_TAG);
}

void client_say_cancel(struct client *c, unsigned slot)
{
	client_say(c, PROTO_CANCEL, c->requests.slot[slot].seq, 0);
}

bool client_awaits(const struct client *c, const u8 *tag)
{
	if ((c->silent_since || c->state == CLIENT_RELEASING) &&
	    !memcmp(tag, c->renew_tag, PROTO_TAG))
		return true;
	for (unsigned i = 0; i < LINK_WINDOW; i++)
		if (c->requests.slot[i].open && !memcmp(tag, c->slot[i].tag, PROTO_TAG))
			return true;
	return false;
}

static void report(struct client *c, enum client_outcome outcome)
{
	struct client_slot *slot = &c->slot[c->complete % LINK_WINDOW];

	/* Before the hook, which may submit the next request into this slot. */
	c->complete++;
	slot->answered = false;
	if (outcome == CLIENT_UNKNOWN && !slot->own)
		c->unknown++;
	if (slot->own)
		return;
	if (outcome == CLIENT_DONE)
		c->hooks->done(c->ctx, slot->cookie, outcome, &slot->answer, slot->reply);
	else
		c->hooks->done(c->ctx, slot->cookie, outcome, NULL, NULL);
}

static void report_ready(struct client *c)
{
	while (c->complete != c->requests.next) {
		struct client_slot *slot = &c->slot[c->complete % LINK_WINDOW];

		if (!slot->answered || (s32)(c->events.expected - slot->answer.ack) < 0)
			return;
		report(c, CLIENT_DONE);
	}
}

void client_report_rest(struct client *c)
{
	while (c->complete != c->requests.next)
		report(c,
		       c->slot[c->complete % LINK_WINDOW].answered ? CLIENT_DONE : CLIENT_UNKNOWN);
}

static bool well_formed(const struct packet *p, bool reply)
{
	struct proto_op op;
	u32 at = 0;
	unsigned count = 0;
	int more;

	while ((more = proto_next(p->body, &p->h, reply, &at, &op)) == 1)
		count++;
	return more == 0 && count == p->h.ops && count > 0;
}

void client_reply(struct client *c, const struct packet *p, u64 now)
{
	struct client_slot *slot;
	int index;

	if (!well_formed(p, true)) {
		endpoint_drop(c->e, DROP_MALFORMED);
		return;
	}
	index = link_answered(&c->requests, p->h.seq, p->h.tries, now);
	if (index < 0) {
		endpoint_drop(c->e, DROP_STALE);
		return;
	}
	slot = &c->slot[index];
	slot->answered = true;
	slot->answer = p->h;
	memcpy(slot->reply, p->body, p->h.length);
	c->levels = p->h.irq;
	report_ready(c);
	client_send_eois(c, now);
}

void client_pending(struct client *c, const struct packet *p, u64 now)
{
	unsigned index = p->h.seq % LINK_WINDOW;

	if (!link_is_pending(&c->requests, p->h.seq, now)) {
		endpoint_drop(c->e, DROP_STALE);
		return;
	}
	if (c->slot[index].cancelled)
		client_say_cancel(c, index);
}

static bool good_event_op(const struct client *c, const struct proto_op *op)
{
	switch (op->opcode) {
	case PROTO_IRQ_MASK:
		return op->addr < CLIENT_LINES && c->export.irqs & BIT(op->addr);
	case PROTO_DMA_TAKEN:
	case PROTO_DMA_GIVEN:
		return (op->addr & 0xffff) < 8 && c->export.dma & BIT(op->addr & 0xffff);
	default:
		return false;
	}
}

static bool good_event(const struct client *c, const struct packet *p)
{
	struct proto_op op;
	u32 at = 0;

	if (!well_formed(p, false))
		return false;
	while (proto_next(p->body, &p->h, false, &at, &op) == 1)
		if (!good_event_op(c, &op))
			return false;
	return true;
}

static void deliver(struct client *c, const struct proto_header *h, const u8 *body)
{
	struct proto_op op;
	u32 at = 0;

	c->levels = h->irq;
	client_say(c, PROTO_EVACK, h->seq, h->tries);
	while (proto_next(body, h, false, &at, &op) == 1) {
		if (op.opcode == PROTO_IRQ_MASK) {
			c->interrupts++;
			c->hooks->irq(c->ctx, op.addr, op.count);
		} else if (c->hooks->dma) {
			c->hooks->dma(c->ctx, op.addr & 0xffff, (u16)(op.addr >> 16),
				      op.opcode == PROTO_DMA_GIVEN ? op.data : NULL, op.count);
		}
	}
	link_done(&c->events);
}

static void keep_event(struct client *c, const struct packet *p)
{
	struct client_event *kept = &c->event[p->h.seq % LINK_WINDOW];

	kept->h = p->h;
	memcpy(kept->body, p->body, p->h.length);
}

static void deliver_kept(struct client *c)
{
	u32 seq;

	while (link_next(&c->events, &seq)) {
		const struct client_event *kept = &c->event[seq % LINK_WINDOW];

		deliver(c, &kept->h, kept->body);
	}
}

void client_event(struct client *c, const struct packet *p, u64 now)
{
	if (!good_event(c, p)) {
		endpoint_drop(c->e, DROP_MALFORMED);
		return;
	}
	switch (link_received(&c->events, p->h.seq)) {
	case LINK_RUN:
		link_heard(&c->requests, now);
		deliver(c, &p->h, p->body);
		deliver_kept(c);
		report_ready(c);
		client_send_eois(c, now);
		break;
	case LINK_KEEP:
		keep_event(c, p);
		break;
	case LINK_REPEAT:
		client_say(c, PROTO_EVACK, p->h.seq, p->h.tries);
		endpoint_drop(c->e, DROP_STALE);
		break;
	default:
		endpoint_drop(c->e, DROP_STALE);
		break;
	}
}
