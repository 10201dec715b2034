/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading ahead: what a profile knows that the device will give is fetched before the guest asks,
 * with several requests under way, and waits in a FIFO.
 */
#include "lib/str.h"
#include "net-ne2000/remote_parts.h"

#define WIDTH	   2u  /* of reads ahead: data ports are 16 bits wide */
#define KEPT_FREE  2u  /* places in the window for everything else */
#define FOLLOW_MAX 96u /* bytes of a read with what follows it, in a request and in its answer */

u32 remote_buffered(const struct remote *r)
{
	return r->ahead.put - r->ahead.get + r->ahead.in_flight;
}

/* The guest itself is reading from the port: bytes that it will take are not counted yet. */
static bool guest_reads(const struct remote *r, u16 port)
{
	for (unsigned i = 0; i < REMOTE_ACCESSES; i++) {
		const struct remote_access *a = &r->access[i];

		if (a->state != ACCESS_FREE && a->port == port &&
		    (a->opcode == PROTO_IN || a->opcode == PROTO_INS))
			return true;
	}
	return false;
}

static bool window_has_room(struct remote *r)
{
	u32 open = r->c.requests.next - r->c.complete;

	return remote_can_send(r) && (!open || open + KEPT_FREE < r->c.requests.window);
}

static u16 peek_port(struct remote *r)
{
	const struct profile *p = r->config.profile;

	return p->after_ahead ? p->after_ahead(&r->profile) : 0;
}

static void add_data(struct remote *r, u16 port, u32 bytes, bool last, struct remote_plan *plan)
{
	struct proto_op data = {
		.opcode = PROTO_INS, .width = WIDTH, .count = (u16)(bytes / WIDTH), .addr = port};
	struct proto_op peek = {
		.opcode = PROTO_IN, .width = 1, .count = 1, .addr = last ? peek_port(r) : 0};

	if (!remote_add(r, &data))
		return;
	plan->data_at = (u8)(r->next.w.ops - 1);
	plan->bytes = (u16)bytes;
	r->ahead.port = port;
	r->ahead.in_flight += bytes;
	if (peek.addr && remote_add(r, &peek))
		plan->peek_at = (u8)(r->next.w.ops - 1);
}

/* One more request for some of the `left` bytes. */
static bool fetch(struct remote *r, u16 port, u32 left)
{
	struct remote_plan plan = {
		.data_at = REMOTE_NO_OP, .peek_at = REMOTE_NO_OP, .drain_at = REMOTE_NO_OP};
	u32 peek = peek_port(r) ? proto_op_len(PROTO_IN, 1, 1, true) : 0;
	u32 bytes;

	if (!window_has_room(r))
		return false;
	/* Where the peek has no room next to a whole block, the block goes without it. */
	bytes = remote_room(r, PROTO_INS, WIDTH, left + peek < REMOTE_BLOCK ? peek : 0) * WIDTH;
	if (!bytes && (!remote_send_posts(r) || !window_has_room(r)))
		return false;
	if (!bytes)
		bytes = remote_room(r, PROTO_INS, WIDTH, 0) * WIDTH;
	if (bytes > left)
		bytes = left;
	add_data(r, port, bytes, bytes == left, &plan);
	if (plan.data_at == REMOTE_NO_OP)
		return false;
	remote_send(r, &plan);
	return true;
}

static void fill(struct remote *r, u16 port)
{
	u32 bytes = r->config.profile->ahead(&r->profile, port);
	u32 there = remote_buffered(r);

	if (!bytes || (there && r->ahead.port != port) || guest_reads(r, port))
		return;
	bytes = (bytes < REMOTE_FIFO ? bytes : REMOTE_FIFO) / WIDTH * WIDTH;
	while (there < bytes && fetch(r, port, bytes - there))
		there = remote_buffered(r);
}

void remote_read_ahead(struct remote *r)
{
	const struct profile_state *st = &r->profile;

	if (!r->config.profile->ahead || !remote_up(r))
		return;
	for (unsigned i = 0; i < st->ranges; i++)
		for (u32 port = st->range[i].first; port <= st->range[i].last; port++)
			fill(r, (u16)port);
}

bool remote_follow_room(struct remote *r)
{
	return r->next.w.len + FOLLOW_MAX <= PROTO_OPS_MAX || remote_send_posts(r);
}

void remote_follow(struct remote *r, const struct profile_follow *f, bool polled,
		   struct remote_plan *plan)
{
	struct proto_op first = {.opcode = PROTO_IN, .width = 1, .count = 1, .addr = f->first};
	struct proto_op look = {
		.opcode = PROTO_POLL, .width = plan->access->width, .addr = plan->access->port};
	u32 room = remote_room(r, PROTO_INS, WIDTH, FOLLOW_MAX) * WIDTH;
	u32 bytes = f->bytes < room ? f->bytes : room;
	u8 data[8];

	proto_put32(data, f->mask);
	proto_put32(data + 4, f->wanted);
	look.data = data;
	if (polled && remote_add(r, &look))
		plan->access_ops++;
	if (f->first)
		remote_add(r, &first);
	add_data(r, f->data, bytes, bytes == f->bytes, plan);
}

static void push(struct remote_ahead *s, const u8 *data, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		s->fifo[s->put++ % REMOTE_FIFO] = data ? data[i] : 0xff;
}

void remote_ahead_came(struct remote *r, const struct remote_request *q, const struct proto_op *op)
{
	struct remote_ahead *s = &r->ahead;
	u32 bytes = q->plan.bytes;
	bool good;

	if (q->discard)
		return;
	s->in_flight -= bytes;
	s->waited = false;
	if (op) {
		/* A read that failed gives all ones, as everywhere. */
		good = op->opcode == PROTO_INS && op->note == PROTO_OK && op->data_len == bytes;
		push(s, good ? op->data : NULL, bytes);
	}
	r->hooks->wake(r->ctx);
}

void remote_ahead_void(struct remote *r)
{
	remote_discard_requests(r);
	r->ahead.get = r->ahead.put;
	r->ahead.in_flight = 0;
	r->ahead.waited = false;
}

static void pop(struct remote_ahead *s, u8 *buf, u32 bytes)
{
	for (; bytes > 0; bytes--)
		*buf++ = s->fifo[s->get++ % REMOTE_FIFO];
}

/* More will come, so that less than one element is no end. */
static bool more_to_come(struct remote *r)
{
	const struct profile *p = r->config.profile;
	u32 there = r->ahead.put - r->ahead.get;

	return r->ahead.in_flight || (p->ahead && p->ahead(&r->profile, r->ahead.port) > there);
}

bool remote_ahead_take(struct remote *r, u16 port, unsigned width, void *buf, u32 count, u32 *taken)
{
	struct remote_ahead *s = &r->ahead;
	u32 there = s->put - s->get;

	*taken = 0;
	if (port != s->port || !remote_buffered(r))
		return false;
	if (there >= width) {
		*taken = count < there / width ? count : there / width;
		pop(s, buf, *taken * width);
		r->held_until = r->now + REMOTE_HOLD_NS;
		return true;
	}
	if (more_to_come(r)) {
		r->stats.waits += !s->waited;
		s->waited = true;
		return true;
	}
	/* The guest reads beyond the end with its last access. */
	*taken = 1;
	memset(buf, 0xff, width);
	pop(s, buf, there);
	return true;
}
