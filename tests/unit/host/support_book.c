/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/host/support_book.h"

#include <string.h>

#include "net-ne2000/greet.h"

#define ORDERS 32u /* several windows */

struct order {
	bool there;
	u32 seq, len;
	u8 body[PROTO_OPS_MAX];
};

/* One export's session. */
struct page {
	bool open;
	unsigned key;
	u16 id;
	struct session_keys keys;
	struct order order[ORDERS];
	u32 next; /* the request whose answer has not been seen */
	u32 at;	  /* in its body: what has been carried out */
};

static struct {
	struct server *server;
	const struct server_backend *inner;
	struct page page[SERVER_EXPORTS];
	struct {
		unsigned export, key;
		struct session_keys keys;
	} expected;			  /* what the next LEASE is about */
	struct order *offered_to, before; /* of a page, and what was there */
	struct port_range range[SERVER_KEY_RANGES];
	unsigned limited, ranges;
	const char *wrong;
	u64 accesses, requests;
} book;

static struct server_backend checked;

static void complain(const char *what)
{
	if (!book.wrong)
		book.wrong = what;
}

/* --- accesses --- */

static struct page *page_of(u16 port)
{
	for (unsigned i = 0; i < book.server->exports; i++)
		if (export_covers(&book.server->export[i], port, 1))
			return &book.page[i];
	return NULL;
}

static bool next_op(const struct order *o, u32 at, struct proto_op *op)
{
	const u8 *p = o->body + at;

	if (at + PROTO_OP > o->len)
		return false;
	op->opcode = p[0];
	op->width = p[1] & 15;
	op->note = p[1] >> 4;
	op->count = proto_get16(p + 2);
	op->addr = proto_get32(p + 4);
	op->data = p + PROTO_OP;
	return true;
}

static bool same(const struct proto_op *op, const struct proto_op *a)
{
	bool polls = a->opcode == PROTO_IN && op->opcode == PROTO_POLL;

	if ((op->opcode != a->opcode && !polls) || op->width != a->width || op->addr != a->addr)
		return false;
	if ((a->opcode == PROTO_INS || a->opcode == PROTO_OUTS) && op->count != a->count)
		return false;
	return !a->data_len || !memcmp(op->data, a->data, a->data_len);
}

static bool may(const struct page *p, const struct proto_op *a)
{
	if (!book.ranges || p->key != book.limited)
		return true;
	return a->opcode != PROTO_OUT && a->opcode != PROTO_OUTS &&
	       ports_cover(book.range, book.ranges, a->addr, a->width);
}

/*
 * The order that the access is the next one of; *op is what it says. Operations that are no
 * accesses are passed.
 */
static struct page *find(const struct proto_op *a, struct proto_op *op)
{
	struct page *p = page_of((u16)a->addr);
	const struct order *o = p ? &p->order[p->next % ORDERS] : NULL;

	book.accesses++;
	if (!p || !p->open || !o->there || o->seq != p->next) {
		complain("an access that nobody asked for");
		return NULL;
	}
	if (!may(p, a))
		complain("an access that the key may not make");
	while (next_op(o, p->at, op) && (op->opcode < PROTO_IN || op->opcode > PROTO_POLL))
		p->at += proto_op_len(op->opcode, op->width, op->count, false);
	if (next_op(o, p->at, op) && same(op, a))
		return p;
	complain("another access than the next one that was asked for");
	return NULL;
}

static void pass(struct page *p, const struct proto_op *op)
{
	p->at += proto_op_len(op->opcode, op->width, op->count, false);
}

static u32 checked_in(void *ctx, u16 port, unsigned width)
{
	struct proto_op a = {.opcode = PROTO_IN, .width = (u8)width, .addr = port}, op;
	struct page *p = find(&a, &op);
	u32 value = book.inner->in(ctx, port, width);
	bool equal;

	if (!p)
		return value;
	/* A POLL is read again until it has what it wants. */
	equal = op.opcode == PROTO_POLL &&
		(value & proto_get32(op.data)) == proto_get32(op.data + 4);
	if (op.opcode == PROTO_IN || equal != (op.note == PROTO_POLL_UNEQUAL))
		pass(p, &op);
	return value;
}

static void checked_out(void *ctx, u16 port, unsigned width, u32 value)
{
	u8 data[4];
	struct proto_op a = {.opcode = PROTO_OUT,
			     .width = (u8)width,
			     .addr = port,
			     .data = data,
			     .data_len = width},
			op;
	struct page *p;

	proto_put32(data, value);
	p = find(&a, &op);
	if (p)
		pass(p, &op);
	book.inner->out(ctx, port, width, value);
}

static void checked_ins(void *ctx, u16 port, unsigned width, u8 *buf, u32 count)
{
	struct proto_op a = {.opcode = PROTO_INS,
			     .width = (u8)width,
			     .count = (u16)count,
			     .addr = port},
			op;
	struct page *p = find(&a, &op);

	if (p)
		pass(p, &op);
	book.inner->ins(ctx, port, width, buf, count);
}

static void checked_outs(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count)
{
	struct proto_op a = {.opcode = PROTO_OUTS,
			     .width = (u8)width,
			     .count = (u16)count,
			     .addr = port,
			     .data = buf,
			     .data_len = width * count},
			op;
	struct page *p = find(&a, &op);

	if (p)
		pass(p, &op);
	book.inner->outs(ctx, port, width, buf, count);
}

void book_attach(struct server *s)
{
	memset(&book, 0, sizeof(book));
	book.server = s;
	book.inner = s->backend;
	checked = *s->backend;
	checked.in = checked_in;
	checked.out = checked_out;
	checked.ins = checked_ins;
	checked.outs = checked_outs;
	s->backend = &checked;
}

void book_limits(unsigned key, const struct port_range *range, unsigned ranges)
{
	book.limited = key;
	book.ranges = ranges;
	memcpy(book.range, range, ranges * sizeof(*range));
}

/* --- frames --- */

static struct page *session_of(const struct frame_view *view, const struct proto_header *h,
			       bool from_server)
{
	for (unsigned i = 0; i < book.server->exports; i++) {
		struct page *p = &book.page[i];
		const u8 *key = from_server ? p->keys.to_client : p->keys.to_server;

		if (p->open && p->id == h->session &&
		    proto_check(view->payload, h, key, view->dst, view->src) == PROTO_GOOD)
			return p;
	}
	return NULL;
}

static bool open_frame(const u8 *frame, u32 len, struct frame_view *view, struct proto_header *h)
{
	return frame_parse(frame, len, view) &&
	       proto_peek(view->payload, view->len, h) == PROTO_GOOD;
}

void book_expect(unsigned export, unsigned key, const struct session_keys *keys)
{
	book.expected.export = export;
	book.expected.key = key;
	book.expected.keys = *keys;
}

/* LEASE again, because AUTH3 came again, changes nothing. */
static void leased(const struct frame_view *view, const struct proto_header *h)
{
	struct page *p = &book.page[book.expected.export];

	if (proto_check(view->payload, h, book.expected.keys.to_client, view->dst, view->src) !=
		    PROTO_GOOD ||
	    proto_body(view->payload)[SESSION_NONCE] != LEASE_GRANTED ||
	    (p->open && p->id == h->session))
		return;
	memset(p, 0, sizeof(*p));
	p->open = true;
	p->key = book.expected.key;
	p->id = h->session;
	p->keys = book.expected.keys;
}

void book_answer(const u8 *frame, u32 len)
{
	struct frame_view view;
	struct proto_header h;
	struct page *p;

	if (!open_frame(frame, len, &view, &h)) {
		complain("the server sends what makes no sense");
		return;
	}
	if (h.type == PROTO_LEASE)
		leased(&view, &h);
	p = session_of(&view, &h, true);
	if (p && h.type == PROTO_RELEASE)
		p->open = false;
	if (!p || h.type != PROTO_REP || h.seq != p->next)
		return;
	book.requests++;
	p->next++;
	p->at = 0;
}

void book_offer(const u8 *frame, u32 len)
{
	struct frame_view view;
	struct proto_header h;
	struct page *p;
	struct order *o;

	book.offered_to = NULL;
	if (!open_frame(frame, len, &view, &h) || h.type != PROTO_REQ)
		return;
	p = session_of(&view, &h, false);
	if (!p || h.seq - p->next >= ORDERS)
		return;
	o = &p->order[h.seq % ORDERS];
	/* The first one of its number counts: later ones are repetitions, whatever they say. */
	if (o->there && o->seq == h.seq)
		return;
	book.offered_to = o;
	book.before = *o;
	o->there = true;
	o->seq = h.seq;
	o->len = h.length;
	memcpy(o->body, proto_body(view.payload), h.length);
}

void book_settle(bool accepted)
{
	if (book.offered_to && !accepted)
		*book.offered_to = book.before;
}

bool book_signed(const struct frame_view *view, const struct proto_header *h)
{
	if (session_of(view, h, false))
		return true;
	/* AUTH3 of the handshake that made the lease: its header has no session. */
	for (unsigned i = 0; i < book.server->exports; i++)
		if (proto_check(view->payload, h, book.page[i].keys.to_server, view->dst,
				view->src) == PROTO_GOOD)
			return true;
	return false;
}

u32 book_next(unsigned export)
{
	return book.page[export].next;
}

const char *book_wrong(void)
{
	return book.wrong;
}

u64 book_accesses(void)
{
	return book.accesses;
}

u64 book_requests(void)
{
	return book.requests;
}
