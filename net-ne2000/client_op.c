/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of the owner, and the EOIs that travel among them. */
#include "net-ne2000/client_parts.h"

/*
 * Two conditions: the link's (the server keeps so many answers) and our own (an answer that is held
 * back for an event still occupies its slot).
 */
bool client_has_room(const struct client *c)
{
	return c->state == CLIENT_LEASED && link_can_send(&c->requests) &&
	       c->requests.next - c->complete < c->requests.window;
}

struct proto_writer *client_begin(struct client *c)
{
	if (!client_has_room(c))
		return NULL;
	proto_begin(&c->writer, c->slot[c->requests.next % LINK_WINDOW].request, PROTO_OPS_MAX);
	return &c->writer;
}

static bool answer_fits(const struct proto_writer *w)
{
	struct proto_header h = {.length = (u16)w->len};
	struct proto_op op;
	u32 at = 0, need = 0;
	int more;

	while ((more = proto_next(proto_body(w->buf), &h, false, &at, &op)) == 1)
		need += proto_op_len(op.opcode, op.width, op.count, true);
	return more == 0 && w->ops > 0 && need <= PROTO_OPS_MAX;
}

static void send(struct client *c, u32 cookie, bool own, u64 now)
{
	unsigned index = link_send(&c->requests, now);
	struct client_slot *slot = &c->slot[index];

	slot->cookie = cookie;
	slot->own = own;
	slot->answered = slot->cancelled = false;
	slot->len = c->writer.len;
	slot->ops = c->writer.ops;
	c->writer.buf = NULL;
	c->operations += slot->ops;
	client_send_slot(c, index);
}

bool client_submit(struct client *c, u32 cookie, u64 now)
{
	/* The request must still be where client_begin() put it: no EOI went in between. */
	if (!client_has_room(c) || c->writer.buf != c->slot[c->requests.next % LINK_WINDOW].request ||
	    !answer_fits(&c->writer))
		return false;
	send(c, cookie, false, now);
	return true;
}

void client_cancel(struct client *c, u32 cookie, u64 now)
{
	(void)now;
	for (u32 seq = c->complete; seq != c->requests.next; seq++) {
		unsigned index = seq % LINK_WINDOW;
		struct client_slot *slot = &c->slot[index];

		if (c->state != CLIENT_LEASED || slot->own || slot->cookie != cookie ||
		    slot->answered)
			continue;
		slot->cancelled = true;
		client_say_cancel(c, index);
		return;
	}
}

void client_send_eois(struct client *c, u64 now)
{
	if (!c->eoi_due)
		return;
	for (unsigned line = 0; line < CLIENT_LINES; line++) {
		struct proto_op op = {.opcode = PROTO_IRQ_EOI,
				      .width = 1,
				      .count = c->eoi_generation[line],
				      .addr = line};

		if (!(c->eoi_due & BIT(line)) || !client_begin(c))
			continue;
		c->eoi_due &= (u16)~BIT(line);
		proto_add(&c->writer, &op);
		send(c, 0, true, now);
	}
}

void client_eoi(struct client *c, unsigned line, u16 generation, u64 now)
{
	if (c->state != CLIENT_LEASED || line >= CLIENT_LINES)
		return;
	c->eoi_due |= (u16)BIT(line);
	c->eoi_generation[line] = generation;
	client_send_eois(c, now);
}
