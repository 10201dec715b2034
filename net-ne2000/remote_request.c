/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of a remote route: put together, sent, and their answers dealt out. A copy of each stays
 * until its answer is there, so that every operation of unknown outcome can be named.
 */
#include "lib/fmt.h"
#include "lib/str.h"
#include "net-ne2000/remote_parts.h"

#define SAID_OPS 16u /* of one request; the rest is a number */

/* What the server keeps free for a failure after an operation (server_run.c). */
#define FAILED_MAX 16u

static u32 room(const struct remote *r, bool reply, u32 spare)
{
	u32 used = reply ? r->next.reply + FAILED_MAX + spare : r->next.w.len;

	return used < PROTO_OPS_MAX ? PROTO_OPS_MAX - used : 0;
}

bool remote_add(struct remote *r, const struct proto_op *op)
{
	struct remote_frame *f = &r->next;
	struct proto_op whole = *op;
	u32 at = f->w.len;
	u32 reply = proto_op_len(op->opcode, op->width, op->count, true);

	whole.data_len = proto_data_len(op->opcode, op->width, op->count, false);
	/* An only operation may fill the whole answer. */
	if (f->w.ops && reply > room(r, true, 0))
		return false;
	if (!proto_add(&f->w, &whole))
		return false;
	f->last = at;
	f->reply += reply;
	f->delays = f->delays || op->opcode == PROTO_DELAY;
	return true;
}

u32 remote_room(const struct remote *r, u8 opcode, unsigned width, u32 spare)
{
	bool reply = opcode == PROTO_INS;
	u32 bytes = PROTO_OPS_MAX;

	if (r->next.w.ops || spare)
		bytes = room(r, reply, spare);
	return bytes > PROTO_OP ? (bytes - PROTO_OP) / 4 * 4 / width : 0;
}

static u32 requests_for(u32 count, unsigned width)
{
	u32 most = REMOTE_BLOCK / 4 * 4 / width;

	return (count + most - 1) / most;
}

u32 remote_block_room(struct remote *r, u8 opcode, unsigned width, u32 count)
{
	u32 room = remote_room(r, opcode, width, 0);

	/* Together only if that costs no round trip more: what is posted costs none by itself. */
	if (!r->next.w.ops || room >= count ||
	    1 + requests_for(count - room, width) <= requests_for(count, width))
		return room;
	return remote_send_posts(r) ? remote_room(r, opcode, width, 0) : 0;
}

static int free_request(const struct remote *r)
{
	for (unsigned i = 0; i < LINK_WINDOW; i++)
		if (!r->request[i].open)
			return (int)i;
	return -1;
}

bool remote_can_send(const struct remote *r)
{
	return free_request(r) >= 0 && client_has_room(&r->c);
}

void remote_cancel_polls(struct remote *r)
{
	for (unsigned i = 0; i < LINK_WINDOW; i++) {
		struct remote_request *q = &r->request[i];

		if (q->open && q->plan.access && q->plan.access->polls)
			client_cancel(&r->c, q->cookie, r->now);
	}
}

void remote_discard_requests(struct remote *r)
{
	for (unsigned i = 0; i < LINK_WINDOW; i++)
		if (r->request[i].open && r->request[i].plan.data_at != REMOTE_NO_OP)
			r->request[i].discard = true;
}

void remote_begin_request(struct remote *r)
{
	struct remote_frame *f = &r->next;

	proto_begin(&f->w, f->buf, PROTO_OPS_MAX);
	f->reply = f->last = 0;
	f->delays = false;
	f->first = 0;
}

void remote_send(struct remote *r, const struct remote_plan *plan)
{
	struct remote_frame *f = &r->next;
	struct proto_writer *w;
	struct remote_request *q;
	int i = free_request(r);

	remote_cancel_polls(r);
	w = client_begin(&r->c);
	if (i < 0 || !w)
		return;
	q = &r->request[i];
	proto_add_bytes(w, f->w.buf + PROTO_HEADER, f->w.len);
	w->ops = f->w.ops;
	q->plan = *plan;
	q->discard = false;
	q->ops = f->w.ops;
	q->len = (u16)f->w.len;
	memcpy(q->body, f->w.buf + PROTO_HEADER, f->w.len);
	q->cookie = ++r->cookies & REMOTE_COOKIES;
	q->open = client_submit(&r->c, q->cookie, r->now);
	r->stats.requests += q->open;
	remote_begin_request(r);
}

/* --- naming operations --- */

static u32 value_of(const struct proto_op *op)
{
	u32 value = 0;

	for (unsigned i = 0; i < op->width && i < op->data_len; i++)
		value |= (u32)op->data[i] << 8 * i;
	return value;
}

/* False: of no interest to anyone, such as a pause. */
static bool name_op(char *buf, size_t size, const struct proto_op *op)
{
	static const char *const names[] = {[PROTO_IN] = "IN",
					    [PROTO_OUT] = "OUT",
					    [PROTO_INS] = "INS",
					    [PROTO_OUTS] = "OUTS",
					    [PROTO_POLL] = "IN (POLL)"};
	bool block = op->opcode == PROTO_INS || op->opcode == PROTO_OUTS;
	bool write = op->opcode == PROTO_OUT || op->opcode == PROTO_OUTS;
	u32 bytes = block ? (u32)op->count * op->width : op->width;
	int len;

	if (op->opcode < PROTO_IN || op->opcode > PROTO_POLL)
		return false;
	len = fmt(buf, size, "%s %u byte%s %s 0x%x", names[op->opcode], bytes,
		  bytes == 1 ? "" : "s", write ? "to" : "from", op->addr);
	if (op->opcode == PROTO_OUT && (size_t)len < size)
		fmt(buf + len, size - (size_t)len, " (0x%x)", value_of(op));
	return true;
}

/* The operations of a request from number `from` on. */
static void say_ops(struct remote *r, const struct remote_request *q, unsigned from,
		    const char *what, bool unknown)
{
	struct proto_header h = {.length = q->len};
	unsigned n = 0, said = 0, more = 0;
	struct proto_op op;
	char name[64];
	u32 at = 0;

	while (proto_next(q->body, &h, false, &at, &op) == 1) {
		if (n++ < from || !name_op(name, sizeof(name), &op))
			continue;
		r->stats.unknown += unknown;
		if (said++ < SAID_OPS)
			remote_say(r, "%s: %s", name, what);
		else
			more++;
	}
	if (more)
		remote_say(r, "%u more operations of the same request: %s", more, what);
}

/* --- answers --- */

static void say_failed(struct remote *r, const struct proto_op *op)
{
	static const char *const why[] = {[PROTO_REFUSED] = "refused by the peer",
					  [PROTO_UNKNOWN] = "unknown to the peer",
					  [PROTO_FAULT] = "the peer could not carry it out"};
	u32 what = op->addr << 8 | (u32)op->opcode << 4 | op->note;
	char name[64];

	if (op->note <= PROTO_CONDITION || op->note > PROTO_FAULT || what == r->said_failed)
		return;
	r->said_failed = what; /* a guest's loop over it would fill the log */
	if (name_op(name, sizeof(name), op))
		remote_say(r, "%s: %s", name, why[op->note]);
	else
		remote_say(r, "operation %u, address 0x%x: %s", op->opcode, op->addr,
			   why[op->note]);
}

static void peeked(struct remote *r, const struct remote_request *q, const struct proto_op *op)
{
	if (r->config.profile->peeked && !q->discard && op->note == PROTO_OK)
		r->config.profile->peeked(&r->profile, (u16)op->addr, value_of(op));
}

static void deal_out(struct remote *r, struct remote_request *q, unsigned n,
		     const struct proto_op *op)
{
	const struct remote_plan *plan = &q->plan;

	say_failed(r, op);
	if (plan->access && n >= plan->access_at && n < plan->access_at + plan->access_ops)
		remote_access_answered(r, plan->access, op);
	else if (n == plan->data_at)
		remote_ahead_came(r, q, op);
	else if (n == plan->peek_at)
		peeked(r, q, op);
	else if (n >= plan->drain_at)
		remote_drained(r, q, n, op);
}

/* The server stops at the first operation that fails: nothing after it was carried out. */
static void stopped(struct remote *r, struct remote_request *q, unsigned done)
{
	struct remote_plan *plan = &q->plan;
	unsigned posted = plan->access ? plan->access_at : q->ops;

	if (plan->data_at != REMOTE_NO_OP && plan->data_at < posted)
		posted = plan->data_at;
	if (done < posted) {
		struct remote_request writes = *q;
		struct proto_header h = {.length = q->len};
		struct proto_op op;
		u32 at = 0;

		for (unsigned n = 0; n < posted; n++)
			proto_next(q->body, &h, false, &at, &op);
		writes.len = (u16)at;
		say_ops(r, &writes, done, "not carried out, as one before it failed", false);
	}
	if (plan->access && done <= plan->access_at)
		remote_access_failed(r, plan->access, false);
	if (plan->data_at != REMOTE_NO_OP && done <= plan->data_at)
		remote_ahead_came(r, q, NULL);
}

static void outcome_unknown(struct remote *r, struct remote_request *q)
{
	say_ops(r, q, 0, "of unknown outcome, not repeated", true);
	if (q->plan.access)
		remote_access_failed(r, q->plan.access, true);
	if (q->plan.data_at != REMOTE_NO_OP)
		remote_ahead_came(r, q, NULL);
}

static struct remote_request *find_request(struct remote *r, u32 cookie)
{
	for (unsigned i = 0; i < LINK_WINDOW; i++)
		if (r->request[i].open && r->request[i].cookie == cookie)
			return &r->request[i];
	return NULL;
}

void remote_request_done(struct remote *r, u32 cookie, enum client_outcome outcome,
			 const struct proto_header *h, const u8 *body)
{
	struct remote_request *q = find_request(r, cookie);
	struct proto_op op;
	unsigned n = 0;
	u32 at = 0;

	if (!q)
		return;
	q->open = false;
	if (outcome == CLIENT_UNKNOWN) {
		outcome_unknown(r, q);
		return;
	}
	while (proto_next(body, h, true, &at, &op) == 1 && n < q->ops)
		deal_out(r, q, n++, &op);
	if (n < q->ops)
		stopped(r, q, n);
}
