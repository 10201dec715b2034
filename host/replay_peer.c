/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A replay on another machine's device: each record is a request, and the next one waits for its
 * answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/key.h"
#include "host/replay.h"
#include "host/wire.h"
#include "lib/log.h"
#include "net-ne2000/client.h"
#include "net-ne2000/discover.h"

#define SECOND	  1000000000ull
#define ASK_NS	  (SECOND / 4)
#define FIND_NS	  (3 * SECOND)
#define ANSWER_NS (10 * SECOND)
/* A status that differs may be one that has not come yet: it is read again for so long. */
#define PATIENCE_NS (SECOND / 50)

struct peer {
	struct replay_target target;
	struct replay_peer_options o;
	struct wire wire;
	struct endpoint e;
	struct discovery d;
	struct client c;
	bool found, held, answered, refused;
	u8 mac[6];
	char export[EXPORT_NAME + 1];
	u64 began, first_ns; /* of the replay, of the first record */
	u32 len;	     /* of what was read */
	u8 data[TRACE_BLOCK_MAX];
};

/* --- the segment --- */

static void found(void *ctx, const struct offer *offer)
{
	struct peer *p = ctx;
	bool by_peer = !strcmp(offer->name, p->o.name) && offer->exports == 1;

	for (unsigned i = 0; i < offer->exports && !p->found; i++) {
		const struct port_export *x = &offer->export[i];

		if (!by_peer && strcmp(x->name, p->o.name))
			continue;
		p->found = true;
		p->held = x->held;
		memcpy(p->mac, offer->mac, 6);
		memcpy(p->export, x->name, sizeof(p->export));
	}
}

static void turn(struct peer *p, u64 until)
{
	struct pollfd fd = {.fd = p->wire.fd, .events = POLLIN};
	u64 now = wire_now(), due = client_deadline(&p->c);
	struct packet packet;
	struct timespec t;
	u8 frame[FRAME_MAX];
	int len;

	due = due < until ? due : until;
	due = due > now ? due - now : 0;
	t = (struct timespec){(time_t)(due / SECOND), (long)(due % SECOND)};
	ppoll(&fd, 1, &t, NULL);
	while ((len = wire_receive(&p->wire, frame)) > 0)
		if (endpoint_open(&p->e, frame, (u32)len, &packet) &&
		    !discover_receive(&p->d, &p->e, &packet))
			client_receive(&p->c, &packet, wire_now());
	client_poll(&p->c, wire_now());
}

static bool find_export(struct peer *p)
{
	u64 end = wire_now() + FIND_NS;

	while (!p->found && wire_now() < end) {
		u64 next = wire_now() + ASK_NS;

		discover(&p->d, &p->e);
		while (!p->found && wire_now() < next)
			turn(p, next);
	}
	if (!p->found)
		log_error("replay: nobody on %s lends out '%s': expected an export's name, or "
			  "that of a peer with one export",
			  p->wire.name, p->o.name);
	return p->found;
}

static bool lease(struct peer *p)
{
	client_lease(&p->c, p->mac, p->export, wire_now());
	while (p->c.state != CLIENT_LEASED && p->c.state != CLIENT_FAILED)
		turn(p, wire_now() + ASK_NS);
	if (p->c.state == CLIENT_FAILED)
		log_error("replay: no lease on %s: %s", p->export,
			  p->c.why == CLIENT_HELD ? "somebody else has it" : "no answer");
	return p->c.state == CLIENT_LEASED;
}

/* --- requests --- */

static void on_done(void *ctx, u32 cookie, enum client_outcome outcome,
		    const struct proto_header *h, const u8 *body)
{
	struct peer *p = ctx;
	struct proto_op op;
	u32 at = 0;

	(void)cookie;
	p->answered = true;
	p->refused = outcome != CLIENT_DONE || proto_next(body, h, true, &at, &op) != 1 ||
		     op.note != PROTO_OK || p->len + op.data_len > sizeof(p->data);
	if (p->refused)
		return;
	memcpy(p->data + p->len, op.data, op.data_len);
	p->len += op.data_len;
}

static void on_irq(void *ctx, unsigned line, u16 generation)
{
	(void)ctx;
	(void)line;
	(void)generation;
}

static void on_changed(void *ctx, enum client_state state)
{
	(void)ctx;
	(void)state;
}

static const struct client_hooks hooks = {.done = on_done, .irq = on_irq, .changed = on_changed};

/* One operation; its data is added to p->data. False: logged. */
static bool request(struct peer *p, const struct proto_op *op)
{
	struct proto_writer *w = client_begin(&p->c);
	u64 end = wire_now() + ANSWER_NS;

	p->answered = p->refused = false;
	if (!w)
		return false;
	proto_add(w, op);
	client_submit(&p->c, 0, wire_now());
	while (!p->answered && p->c.state == CLIENT_LEASED && wire_now() < end)
		turn(p, end);
	if (p->answered && !p->refused)
		return true;
	log_error("replay: %s: port 0x%x: %s", p->export, op->addr,
		  p->refused ? "refused: expected a port and a key that may use it" : "no answer");
	return false;
}

/* A block goes in parts that fit into a frame. */
static bool access_all(struct peer *p, const struct trace_event *e)
{
	static const u8 opcodes[] = {[TRACE_IN] = PROTO_IN,
				     [TRACE_OUT] = PROTO_OUT,
				     [TRACE_INS] = PROTO_INS,
				     [TRACE_OUTS] = PROTO_OUTS};
	bool block = e->kind == TRACE_INS || e->kind == TRACE_OUTS;
	u32 left = block ? e->value : 1, most = 1024u / e->width;
	u8 value[4] = {(u8)e->value, (u8)(e->value >> 8), (u8)(e->value >> 16),
		       (u8)(e->value >> 24)};
	const u8 *data = block ? e->data : value;

	p->len = 0;
	for (; left; left -= left < most ? left : most) {
		struct proto_op op = {.opcode = opcodes[e->kind],
				      .width = e->width,
				      .count = (u16)(left < most ? left : most),
				      .addr = e->port,
				      .data = data};

		op.data_len = proto_data_len(op.opcode, op.width, op.count, false);
		if (!request(p, &op))
			return false;
		data += op.count * e->width;
	}
	return true;
}

/* --- records --- */

static void pace(struct peer *p, u64 ns)
{
	u64 at;

	if (!p->began) {
		p->began = wire_now();
		p->first_ns = ns;
	}
	at = p->began + (ns - p->first_ns);
	while (!p->o.fast && wire_now() < at)
		turn(p, at);
}

static enum replay_verdict compare(struct peer *p, const struct trace_event *e,
				   struct replay_difference *d)
{
	if (e->kind == TRACE_INS)
		return replay_compare(e, p->data, d);
	d->at = 0;
	d->expected = e->value;
	d->got = 0;
	for (u32 i = 0; i < p->len && i < 4; i++)
		d->got |= (u32)p->data[i] << (i * 8);
	return d->got == d->expected ? REPLAY_SAME : REPLAY_DIFFERENT;
}

static enum replay_verdict play(struct replay_target *t, const struct replay_list *l, u32 i,
				struct replay_difference *d)
{
	struct peer *p = container_of(t, struct peer, target);
	const struct trace_event *e = &l->record[i].e;
	enum replay_verdict verdict;
	u64 end;

	/* The lease has brought the device to rest, and only its machine can reset it. */
	if (e->kind == TRACE_RESET)
		return REPLAY_SAME;
	pace(p, e->ns);
	end = wire_now() + PATIENCE_NS;
	do {
		if (!access_all(p, e))
			return REPLAY_FAILED;
		if (e->kind == TRACE_OUT || e->kind == TRACE_OUTS)
			return REPLAY_SAME;
		verdict = compare(p, e, d);
	} while (verdict == REPLAY_DIFFERENT && e->kind == TRACE_IN && wire_now() < end);
	return verdict;
}

static void close_peer(struct replay_target *t)
{
	struct peer *p = container_of(t, struct peer, target);
	u64 end = wire_now() + SECOND;

	if (p->c.state == CLIENT_LEASED && client_release(&p->c, wire_now()))
		while (p->c.state == CLIENT_RELEASING && wire_now() < end)
			turn(p, end);
	wire_close(&p->wire);
	free(p);
}

struct replay_target *replay_peer(const struct replay_peer_options *o)
{
	struct peer *p = calloc(1, sizeof(*p));
	u8 key[SESSION_KEY] = {0};

	if (!p) {
		log_error("replay: out of memory");
		return NULL;
	}
	p->o = *o;
	p->target.play = play;
	p->target.close = close_peer;
	p->wire.fd = -1;
	if ((o->key && !key_from_file(o->key, key)) || !wire_open(&p->wire, o->interface)) {
		free(p);
		return NULL;
	}
	wire_endpoint(&p->wire, &p->e, false, key, FRAME_SNAP_FORM);
	p->d.found = found;
	p->d.ctx = p;
	client_init(&p->c, &p->e, &hooks, p);
	if (!find_export(p) || !lease(p)) {
		close_peer(&p->target);
		return NULL;
	}
	p->target.ranges = p->c.export.ranges;
	memcpy(p->target.range, p->c.export.range, sizeof(p->target.range));
	return &p->target;
}
