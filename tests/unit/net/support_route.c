/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_route.h"

#define PATIENCE_NS (1000 * MS)

static const u8 shared[SESSION_KEY] = "a key of guests and devices";
static const u8 server_mac[6] = {0x52, 0x54, 0, 0, 0, 1};
static const u8 client_mac[6] = {0x52, 0x54, 0, 0, 0, 2};

static struct route *route_of(struct guest *g)
{
	return container_of(g, struct route, guest);
}

/* --- the board's interrupt line: an edge is latched while it is masked --- */

static void deliver(struct route *r)
{
	if (!r->latched || r->masked)
		return;
	r->latched = false;
	if (r->remote) {
		r->masked = true;
		server_irq(&r->server, r->line, r->board->now);
	} else {
		r->pending = true;
	}
}

static void line_changed(void *ctx, unsigned line, bool level)
{
	struct route *r = ctx;

	if (line != r->line || level == r->level)
		return;
	r->level = level;
	r->latched = level;
	deliver(r);
}

/* --- the server's side --- */

static u32 backend_in(void *ctx, u16 port, unsigned width)
{
	struct route *r = ctx;
	u32 value = 0;

	board_run(r->board, r->access_ns);
	assert_true(bus_in(&r->board->bus, port, width, &value));
	return value;
}

static void backend_out(void *ctx, u16 port, unsigned width, u32 value)
{
	struct route *r = ctx;

	board_run(r->board, r->access_ns);
	assert_true(bus_out(&r->board->bus, port, width, value));
}

/* Element by element, as a real bus has it. */
static void backend_ins(void *ctx, u16 port, unsigned width, u8 *buf, u32 count)
{
	for (; count > 0; count--, buf += width) {
		u32 value = backend_in(ctx, port, width);

		memcpy(buf, &value, width);
	}
}

static void backend_outs(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count)
{
	for (; count > 0; count--, buf += width) {
		u32 value = 0;

		memcpy(&value, buf, width);
		backend_out(ctx, port, width, value);
	}
}

static void backend_mask(void *ctx, unsigned line, bool masked)
{
	struct route *r = ctx;

	if (line != r->line)
		return;
	r->masked = masked;
	deliver(r);
}

static void backend_export(void *ctx, unsigned export)
{
	(void)ctx;
	(void)export;
}

static const struct server_backend backend = {
	.in = backend_in,
	.out = backend_out,
	.ins = backend_ins,
	.outs = backend_outs,
	.irq_mask = backend_mask,
	.reset = backend_export,
	.quiesce = backend_export,
};

/* --- the segment --- */

static u32 random_below(struct route *r, u64 n)
{
	r->random = r->random * 1103515245 + 12345;
	return (u32)((u64)(r->random >> 8) * n >> 24);
}

static void launch(struct route *r, bool to_server, const u8 *frame, u32 len)
{
	struct route_frame *f = &r->queue[r->queued];

	if (random_below(r, 1000) < r->loss)
		return;
	assert_true(++r->queued <= ROUTE_QUEUE);
	f->at = r->board->now + r->wire_ns + random_below(r, r->delay);
	f->to_server = to_server;
	f->len = len;
	memcpy(f->bytes, frame, len);
	r->frames++;
}

/* Bytes that a request writes to the watched port. */
static u32 watched_bytes(const struct route *r, const u8 *frame, u32 len)
{
	struct frame_view view;
	struct proto_header h;
	struct proto_op op;
	u32 at = 0, bytes = 0;

	if (!frame_parse(frame, len, &view) ||
	    proto_peek(view.payload, view.len, &h) != PROTO_GOOD || h.type != PROTO_REQ)
		return 0;
	while (proto_next(proto_body(view.payload), &h, false, &at, &op) == 1)
		if ((op.opcode == PROTO_OUT || op.opcode == PROTO_OUTS) && op.addr == r->watched)
			bytes += (op.opcode == PROTO_OUT ? 1u : op.count) * op.width;
	return bytes;
}

static bool client_send(void *ctx, const u8 *frame, u32 len)
{
	struct route *r = ctx;
	u32 bytes = r->watched ? watched_bytes(r, frame, len) : 0;

	r->carriers += bytes != 0;
	r->carried += bytes;
	launch(ctx, true, frame, len);
	return true;
}

static bool server_send(void *ctx, const u8 *frame, u32 len)
{
	launch(ctx, false, frame, len);
	return true;
}

static void fill(void *ctx, u8 *buf, u32 len)
{
	static u8 last;

	(void)ctx;
	while (len-- > 0)
		*buf++ = last++;
}

static const struct endpoint_hooks client_end = {client_send, fill};
static const struct endpoint_hooks server_end = {server_send, fill};

/* Of the frames under way, the first to arrive. */
static struct route_frame *first_frame(struct route *r)
{
	struct route_frame *first = NULL;

	for (unsigned i = 0; i < r->queued; i++)
		if (!first || r->queue[i].at < first->at)
			first = &r->queue[i];
	return first;
}

static void arrive(struct route *r, struct route_frame *from)
{
	struct route_frame f = *from;
	struct packet p;

	r->queued--;
	memmove(from, from + 1, (size_t)(r->queue + r->queued - from) * sizeof(f));
	if (f.to_server)
		server_receive(&r->server, f.bytes, f.len, r->board->now);
	else if (endpoint_open(&r->endpoint, f.bytes, f.len, &p))
		remote_receive(r->remote, &p, r->board->now);
}

static u64 earlier(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* One event, or none before `until`. */
static void step(struct route *r, u64 until)
{
	struct board *b = r->board;
	u64 next = b->clock.first ? b->clock.first->deadline : ~0ull;

	if (r->remote) {
		next = earlier(next, remote_deadline(r->remote));
		next = earlier(next, server_deadline(&r->server));
		if (r->queued)
			next = earlier(next, first_frame(r)->at);
	}
	next = earlier(next, until);
	board_run(b, next > b->now ? next - b->now : 0);
	if (!r->remote)
		return;
	server_poll(&r->server, b->now);
	remote_poll(r->remote, b->now);
	if (r->queued && first_frame(r)->at <= b->now)
		arrive(r, first_frame(r));
}

void route_run(struct route *r, u64 ns)
{
	u64 until = r->board->now + ns;

	while (r->board->now < until)
		step(r, until);
}

/* --- the route's hooks --- */

static void on_irq(void *ctx, unsigned line, bool level)
{
	struct route *r = ctx;

	assert_int_equal(line, r->line);
	r->pending |= level;
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void on_say(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "route: %s\n", text);
}

static const struct remote_hooks remote_hooks = {
	.irq = on_irq, .wake = nothing, .changed = nothing, .say = on_say};

/* --- the guest's accesses --- */

/* Before an access; the key is that of each attempt. */
static struct remote_key begin(struct route *r, u32 eip)
{
	route_run(r, r->instruction_ns);
	return (struct remote_key){.eip = eip, .esp = 0x1000, .cr3 = 0, .nth = r->accesses++};
}

/* The access is not answered yet: something happens. */
static void wait(struct route *r, bool *waited, u64 since)
{
	r->trips += !*waited;
	*waited = true;
	assert_true(r->board->now < since + PATIENCE_NS);
	step(r, r->board->now + MS);
}

static u32 guest_in(struct guest *g, u32 eip, u16 port, unsigned width)
{
	struct route *r = route_of(g);
	struct remote_key k = begin(r, eip);
	u64 since = r->board->now;
	bool waited = false;
	u32 value = 0;

	if (!r->remote)
		return backend_in(r, port, width);
	while (!remote_in(r->remote, &k, port, width, &value, r->board->now))
		wait(r, &waited, since);
	return value;
}

static void guest_out(struct guest *g, u32 eip, u16 port, unsigned width, u32 value)
{
	struct route *r = route_of(g);
	struct remote_key k = begin(r, eip);
	u64 since = r->board->now;
	bool waited = false;

	if (!r->remote) {
		backend_out(r, port, width, value);
		return;
	}
	while (!remote_out(r->remote, &k, port, width, value, r->board->now))
		wait(r, &waited, since);
}

static void guest_ins(struct guest *g, u32 eip, u16 port, unsigned width, void *buf, u32 count)
{
	struct route *r = route_of(g);
	struct remote_key k = begin(r, eip);
	u64 since = r->board->now;
	bool waited = false;
	u8 *p = buf;

	if (!r->remote) {
		backend_ins(r, port, width, p, count);
		return;
	}
	while (count) {
		u32 n = remote_ins(r->remote, &k, port, width, p, count, r->board->now);

		p += n * width;
		count -= n;
		if (n)
			waited = false;
		else
			wait(r, &waited, since);
	}
}

static void guest_outs(struct guest *g, u32 eip, u16 port, unsigned width, const void *buf,
		       u32 count)
{
	struct route *r = route_of(g);
	struct remote_key k = begin(r, eip);
	u64 since = r->board->now;
	bool waited = false;
	const u8 *p = buf;

	if (!r->remote) {
		backend_outs(r, port, width, p, count);
		return;
	}
	while (count) {
		u32 n = remote_outs(r->remote, &k, port, width, p, count, r->board->now);

		p += n * width;
		count -= n;
		if (n)
			waited = false;
		else
			wait(r, &waited, since);
	}
}

static bool guest_irq(struct guest *g)
{
	struct route *r = route_of(g);
	u64 until = r->board->now + PATIENCE_NS;

	if (r->remote)
		remote_flush(r->remote, r->board->now); /* HLT */
	while (!r->pending && r->board->now < until)
		step(r, until);
	if (!r->pending)
		return false;
	r->pending = false;
	r->interrupts++;
	r->accesses++; /* to the interrupt controller */
	if (r->remote)
		remote_eoi(r->remote, r->line, r->board->now);
	return true;
}

static void guest_pause(struct guest *g, u64 ns)
{
	route_run(route_of(g), ns);
}

/* --- setting up --- */

struct route *route_new_local(u8 line)
{
	struct route *r = calloc(1, sizeof(*r));

	r->board = board_new();
	r->board->irqs.changed = line_changed;
	r->board->irqs.ctx = r;
	r->line = line;
	r->wire_ns = 100000;
	r->access_ns = 700;
	r->instruction_ns = 200;
	r->guest = (struct guest){.in = guest_in,
				  .out = guest_out,
				  .ins = guest_ins,
				  .outs = guest_outs,
				  .irq = guest_irq,
				  .pause = guest_pause};
	return r;
}

struct route *route_new(const struct port_export *x, u8 line, const struct profile *profile)
{
	struct route *r = route_new_local(line);
	struct remote_config config = {.ranges = x->ranges, .irq = (s8)line, .profile = profile};

	memcpy(config.peer, x->name, sizeof(config.peer));
	memcpy(config.range, x->range, sizeof(config.range));
	r->masked = true;
	endpoint_init(&r->server.e, true, server_mac, 7, shared, &server_end, r);
	server_init(&r->server, "peer", &backend, r);
	server_places(&r->server, r->lease, 1);
	assert_int_equal(server_add(&r->server, x), EXPORT_OK);
	endpoint_init(&r->endpoint, false, client_mac, 8, shared, &client_end, r);
	r->remote = calloc(1, remote_size());
	remote_init(r->remote, &r->endpoint, &config, &remote_hooks, r);
	return r;
}

void route_start(struct route *r)
{
	u64 until = r->board->now + 10 * PATIENCE_NS;

	if (!r->remote)
		return;
	remote_attach(r->remote, r->board->now);
	while (remote_state(r->remote) != REMOTE_UP && r->board->now < until)
		step(r, until);
	assert_int_equal(remote_state(r->remote), REMOTE_UP);
	route_run(r, 10 * MS);
	route_reset_counts(r);
}

void route_reset_counts(struct route *r)
{
	r->trips = r->frames = r->carriers = r->carried = 0;
	r->interrupts = 0;
}

void route_free(struct route *r)
{
	board_free(r->board);
	free(r->remote);
	free(r);
}
