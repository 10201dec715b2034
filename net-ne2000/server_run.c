/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests: each carried out once, its answer kept and given again to whoever repeats it. A request
 * with POLL or DELAY stays open over several calls; the ones after it, and those that came before
 * their predecessors, are kept until it is their turn.
 */
#include "lib/str.h"
#include "net-ne2000/server_parts.h"

/* What a failed operation takes in a reply at most: a descriptor and POLL's eight bytes. */
#define FAILED_MAX 16u

static void send_reply(struct server *s, unsigned i, u32 seq, u8 tries)
{
	struct server_lease *l = &s->lease[i];
	struct server_reply *r = &l->reply[seq % LINK_WINDOW];
	struct proto_writer w;

	r->h.tries = tries;
	endpoint_begin(&s->e, &w);
	proto_add_bytes(&w, r->buf + PROTO_HEADER, r->w.len);
	w.ops = r->w.ops;
	endpoint_send(&s->e, &w, &r->h, l->keys.to_client, l->mac);
}

static void finish(struct server *s, unsigned i, u64 now)
{
	struct server_lease *l = &s->lease[i];
	struct server_run *run = &l->run;
	struct server_reply *r = &l->reply[run->h.seq % LINK_WINDOW];

	if (r->w.len > PROTO_OP * r->w.ops) /* a read pushes the device's writes to memory */
		server_dma_sync(s, i, now);
	memset(&r->h, 0, sizeof(r->h));
	r->h.type = PROTO_REP;
	r->h.session = l->session;
	r->h.seq = run->h.seq;
	/* Events without a place in the window get the next numbers: they came before this, too. */
	r->h.ack = l->events.next + server_events_due(l);
	r->h.irq = l->unended;
	link_done(&l->requests);
	send_reply(s, i, run->h.seq, run->h.tries);
}

/* Whether the answer to run.op fits, and after it the failure of the next one. */
static bool reply_fits(const struct server_run *run, const struct proto_writer *w)
{
	u32 need = proto_op_len(run->op.opcode, run->op.width, run->op.count, true);

	return w->len + need + (run->at < run->h.length ? FAILED_MAX : 0) <= w->max;
}

/* Appends what became of run.op. Data is there already; a failed block has none. */
static void conclude(const struct server_run *run, struct proto_writer *w, unsigned status)
{
	struct proto_op op = run->op;

	op.note = (u8)status;
	if (status != PROTO_OK && (op.opcode == PROTO_INS || op.opcode == PROTO_MMIO_READ))
		op.count = 0;
	op.data = NULL;
	op.data_len = proto_data_len(op.opcode, op.width, op.count, true);
	proto_add(w, &op);
}

/* The next operation, at the rate that its lease may have. False: later, or (done) never. */
static bool take_op(struct server *s, unsigned i, bool *done, u64 now)
{
	struct server_run *run = &s->lease[i].run;

	if (!run->has_op)
		run->has_op = proto_next(run->body, &run->h, false, &run->at, &run->op) == 1;
	*done = !run->has_op;
	if (*done)
		return false;
	if (!run->paced)
		run->op_began = server_pace(s, i, &run->op, now);
	run->paced = run->op_began > now;
	if (run->paced) {
		run->next_step = run->op_began;
		return false;
	}
	run->in_op = true;
	run->op_began = now;
	return true;
}

/* One operation. False: the request waits or is over. */
static bool step(struct server *s, unsigned i, u64 now)
{
	struct server_lease *l = &s->lease[i];
	struct server_run *run = &l->run;
	struct proto_writer *w = &l->reply[run->h.seq % LINK_WINDOW].w;
	unsigned status = PROTO_FAULT;
	bool done = false;

	if (!run->in_op && !take_op(s, i, &done, now)) {
		if (done)
			finish(s, i, now);
		return false;
	}
	if (reply_fits(run, w)) {
		u8 *data = w->buf + PROTO_HEADER + w->len + PROTO_OP;

		status = server_op(s, i, data, now);
		if (status == SERVER_WAIT)
			return false;
	}
	run->in_op = run->has_op = false;
	if (status == PROTO_OK || status == PROTO_CONDITION) /* a POLL in vain was carried out */
		l->operations++;
	else
		l->refused++;
	conclude(run, w, status);
	if (status == PROTO_OK)
		return true;
	finish(s, i, now);
	return false;
}

/* A request is looked through before anything of it is carried out. */
static bool well_formed(const struct packet *p)
{
	struct proto_op op;
	u32 at = 0;
	unsigned count = 0;
	int more;

	while ((more = proto_next(p->body, &p->h, false, &at, &op)) == 1)
		count++;
	return more == 0 && count == p->h.ops && count > 0;
}

static void keep(struct server_lease *l, const struct packet *p, u64 now)
{
	struct server_request *q = &l->request[p->h.seq % LINK_WINDOW];

	l->expires = now + SERVER_LEASE_NS;
	q->h = p->h;
	q->cancelled = false;
	memcpy(q->body, p->body, p->h.length);
}

static void begin(struct server_lease *l, u32 seq, u64 now)
{
	struct server_request *q = &l->request[seq % LINK_WINDOW];
	struct server_reply *r = &l->reply[seq % LINK_WINDOW];
	struct server_run *run = &l->run;

	run->h = q->h;
	run->body = q->body;
	run->at = 0;
	run->in_op = run->has_op = run->paced = false;
	run->cancelled = q->cancelled;
	run->next_step = now;
	run->next_pending = now + LINK_PENDING_EVERY;
	proto_begin(&r->w, r->buf, PROTO_OPS_MAX);
}

/* The running request as far as it goes without waiting, then those that were kept behind it. */
static void go_on(struct server *s, unsigned i, u64 now)
{
	struct server_lease *l = &s->lease[i];
	u32 seq;

	for (;;) {
		while (step(s, i, now))
			;
		if (!link_next(&l->requests, &seq))
			return;
		begin(l, seq, now);
	}
}

/* Not so for a number from before the first one. */
static bool has_reply(const struct server_lease *l, u32 seq)
{
	const struct server_reply *r = &l->reply[seq % LINK_WINDOW];

	return r->h.type == PROTO_REP && r->h.seq == seq;
}

void server_request(struct server *s, unsigned i, const struct packet *p, u64 now)
{
	struct server_lease *l = &s->lease[i];

	if (!well_formed(p)) {
		endpoint_drop(&s->e, DROP_MALFORMED);
		return;
	}
	switch (link_received(&l->requests, p->h.seq)) {
	case LINK_RUN:
		keep(l, p, now);
		begin(l, p->h.seq, now);
		go_on(s, i, now);
		break;
	case LINK_KEEP:
		keep(l, p, now);
		break;
	case LINK_REPEAT:
		if (has_reply(l, p->h.seq))
			send_reply(s, i, p->h.seq, p->h.tries);
		else
			endpoint_drop(&s->e, DROP_STALE);
		break;
	case LINK_BUSY:
		server_say(s, i, PROTO_PENDING, p->h.seq, p->h.tries);
		break;
	case LINK_DROP:
		endpoint_drop(&s->e, DROP_STALE);
		break;
	}
}

void server_cancel(struct server *s, unsigned i, const struct packet *p, u64 now)
{
	struct server_lease *l = &s->lease[i];

	if (link_is_kept(&l->requests, p->h.seq)) {
		l->request[p->h.seq % LINK_WINDOW].cancelled = true;
		return;
	}
	if (!l->requests.running || l->run.h.seq != p->h.seq) {
		endpoint_drop(&s->e, DROP_STALE); /* done already, or not here yet */
		return;
	}
	l->run.cancelled = true;
	l->run.next_step = now;
	server_run_poll(s, i, now);
}

void server_run_poll(struct server *s, unsigned i, u64 now)
{
	struct server_lease *l = &s->lease[i];

	if (!l->requests.running)
		return;
	if (l->run.next_step <= now)
		go_on(s, i, now);
	if (l->requests.running && l->run.next_pending <= now) {
		l->run.next_pending = now + LINK_PENDING_EVERY;
		server_say(s, i, PROTO_PENDING, l->run.h.seq, l->run.h.tries);
	}
}

void server_look(struct server *s, unsigned i)
{
	struct server_lease *l = &s->lease[i];

	if (l->active && l->requests.running && l->run.in_op && l->run.op.opcode == PROTO_POLL)
		l->run.next_step = 0;
}
