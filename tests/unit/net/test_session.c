/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server refuses, frames that are not genuine, POLL and CANCEL, interrupts, discovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_caller.h"

static u64 dropped(const struct endpoint *e)
{
	u64 all = 0;

	for (unsigned i = 0; i < DROPS; i++)
		all += e->drops[i];
	return all;
}

static void replay_to_server(struct world *w)
{
	u32 last = w->recorded;

	w->record = false;
	for (u32 i = 0; i < last; i++) {
		if (w->recording[i].to != 0)
			continue;
		world_inject(w, 0, w->recording[i].bytes, w->recording[i].len);
		world_run(w, MS);
	}
}

/* All of a session's frames again: within it, after it, in the next one, after a restart. */
static void replayed(void **state)
{
	struct world *w = world_new(11);
	struct station *st = &w->station[1];

	(void)state;
	w->record = true;
	assert_true(world_lease(w, 1, 1000 * MS));
	assert_true(ask(st, PROTO_IRQ_UNMASK, DEVICE_LINE, 1, 0, 0));
	for (u32 i = 0; i < 30; i++) {
		assert_true(ask(st, PROTO_OUT, DEVICE_PORT, 1, i, i));
		assert_true(ask(st, PROTO_OUT, DEVICE_FIRE, 1, 0, i));
		world_run(w, 10 * MS);
	}
	world_run(w, 5000 * MS);
	assert_int_equal(w->fired, 30);
	replay_to_server(w);
	assert_int_equal(w->series, 30);
	assert_int_equal(w->fired, 30);
	assert_true(w->server.e.drops[DROP_STALE] > 30);
	assert_int_equal(st->c.state, CLIENT_LEASED);
	w->record = true;
	assert_true(client_release(&st->c, w->now));
	world_run(w, 100 * MS);
	replay_to_server(w); /* RELEASE among them */
	assert_true(world_lease(w, 1, 1000 * MS));
	replay_to_server(w);
	assert_int_equal(st->c.state, CLIENT_LEASED);
	assert_true(w->server.lease[0].active);
	assert_true(w->server.e.drops[DROP_SESSION] > 30);
	assert_true(w->server.e.drops[DROP_TAG] > 0); /* AUTH3: the server's nonce is a new one */
	world_restart_server(w);
	replay_to_server(w);
	assert_int_equal(w->series, 30);
	assert_int_equal(w->fired, 30);
	assert_false(w->server.lease[0].active);
	world_free(w);
}

/* Recorded frames keep no dead client's lease alive, and a recorded NAK ends no live one. */
static void replayed_renewals(void **state)
{
	struct world *w = world_new(12);
	struct station *st = &w->station[1];

	(void)state;
	assert_true(world_lease(w, 1, 1000 * MS));
	w->record = true;
	world_run(w, 9000 * MS);
	world_restart_server(w);
	world_run(w, 3000 * MS); /* NAK */
	assert_int_equal(st->c.why, CLIENT_RESTARTED);
	assert_true(world_lease(w, 1, 1000 * MS));
	assert_true(ask(st, PROTO_IN, DEVICE_PORT, 1, 0, 1));
	world_run(w, 9000 * MS);
	for (u32 i = 0; i < w->recorded; i++)
		if (w->recording[i].to == 1)
			world_inject(w, 1, w->recording[i].bytes, w->recording[i].len);
	world_run(w, 100 * MS);
	assert_int_equal(st->c.state, CLIENT_LEASED);
	assert_int_equal(st->done, 1);
	w->cut[1] = true;
	for (u32 s = 0; s < 12; s++) {
		replay_to_server(w);
		world_run(w, 1000 * MS);
	}
	assert_false(w->server.lease[0].active);
	assert_int_equal(w->server.expired, 1);
	world_free(w);
}

static void forged(void **state)
{
	static const u8 wrong[SESSION_KEY] = "a key that nobody else has read";
	struct world *w = world_new(13);
	struct station *st = &w->station[1], *b = &w->station[2];
	struct flying request;
	u64 before;
	u8 mac[6];

	(void)state;
	node_mac(mac, 2);
	endpoint_init(&b->e, false, mac, 9, wrong, b->e.hooks, b->e.ctx);
	assert_false(world_lease(w, 2, 9000 * MS));
	assert_int_equal(b->c.why, CLIENT_NO_ANSWER);
	assert_true(w->server.e.drops[DROP_TAG] >= CLIENT_GREETING_TRIES);
	assert_true(world_lease(w, 1, 1000 * MS));
	world_run(w, 100 * MS);
	w->record = true;
	w->cut[1] = true; /* the genuine request does not arrive */
	assert_true(ask(st, PROTO_IN, DEVICE_PORT, 1, 0, 1));
	request = w->recording[0];
	w->record = false;
	/* 58 bytes (14 + 8 + 20 + 8 + 8) count, the rest is padding. Cut off anywhere: */
	for (u32 len = 0; len < 58; len++) {
		before = dropped(&w->server.e);
		server_receive(&w->server, request.bytes, len, w->now);
		assert_int_equal(dropped(&w->server.e), before + 1);
	}
	for (u32 bit = 0; bit < 58 * 8; bit++) {
		if (bit / 8 == 13)
			continue; /* the 802.3 length may say a little of the padding is ours */
		before = dropped(&w->server.e);
		request.bytes[bit / 8] ^= (u8)(1 << bit % 8);
		server_receive(&w->server, request.bytes, request.len, w->now);
		request.bytes[bit / 8] ^= (u8)(1 << bit % 8);
		assert_int_equal(dropped(&w->server.e), before + 1);
	}
	assert_int_equal(w->series, 0);
	server_receive(&w->server, request.bytes, request.len, w->now);
	assert_int_equal(w->series, 1);
	server_receive(&w->server, request.bytes, request.len, w->now);
	assert_int_equal(w->series, 1);
	world_free(w);
}

static void refused(void **state)
{
	static const struct {
		u8 opcode;
		u32 addr;
		u32 status;
	} cases[] = {
		{PROTO_IN, DEVICE_PORT - 1, PROTO_REFUSED},
		{PROTO_IN, DEVICE_LAST - 2, PROTO_REFUSED}, /* four bytes wide: one beyond */
		{PROTO_OUT, 0x20, PROTO_REFUSED},
		{PROTO_OUT, 0x10300, PROTO_REFUSED},
		{PROTO_IN, 0xffffffff, PROTO_REFUSED},
		{PROTO_OUT, OTHER_PORT, PROTO_REFUSED},
		{PROTO_POLL, 0x64, PROTO_REFUSED},
		{PROTO_IRQ_UNMASK, 4, PROTO_REFUSED},
		{PROTO_IRQ_MASK, 16, PROTO_REFUSED},
		{PROTO_IRQ_EOI, 99, PROTO_REFUSED},
		{PROTO_MMIO_READ, 0xb8000, PROTO_REFUSED},
		{PROTO_PCI_READ, 0, PROTO_REFUSED},
		{PROTO_IN, 0x306, PROTO_OK}, /* across two ranges of the lease */
	};
	struct world *w = world_new(14);
	struct station *st = &w->station[1];
	struct proto_writer *pw;
	struct proto_op in = {.opcode = PROTO_IN, .width = 4, .count = 1, .addr = DEVICE_PORT};

	(void)state;
	assert_true(world_lease(w, 1, 1000 * MS));
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(ask(st, cases[i].opcode, cases[i].addr, 1, 0, i));
		world_run(w, 10 * MS);
		assert_int_equal(st->done, i + 1);
		assert_int_equal(st->last_status, cases[i].status);
	}
	assert_int_equal(w->outside, 0);
	pw = client_begin(&st->c); /* nothing after a refusal is carried out */
	assert_non_null(proto_add(pw, &in));
	in.addr = 0x100;
	assert_non_null(proto_add(pw, &in));
	in.addr = DEVICE_PORT;
	assert_non_null(proto_add(pw, &in));
	assert_true(client_submit(&st->c, 0, w->now));
	world_run(w, 10 * MS);
	assert_int_equal(st->last_status, PROTO_REFUSED);
	assert_int_equal(w->series, 1);
	pw = client_begin(&st->c); /* an answer beyond a frame is noticed before it is asked for */
	in.opcode = PROTO_INS;
	in.count = 365;
	assert_non_null(proto_add(pw, &in));
	assert_false(client_submit(&st->c, 0, w->now));
	assert_int_equal(w->series, 1);
	world_free(w);
}

static void forbidden_exports(void **state)
{
	static const u16 ports[] = {0x0f, 0x20, 0x43, 0x64, 0x71, 0x92, 0xa1, 0xdf, 0xcf9, 0x330};
	struct world *w = world_new(15);
	struct port_export x = {
		.name = "x", .range = {{0x1f0, 0x1f7}}, .ranges = 1, .irqs = BIT(14)};
	struct port_export bad;

	(void)state;
	assert_int_equal(server_forbid(&w->server, 0x320, 0x33f), EXPORT_OK);
	assert_int_equal(server_forbid(&w->server, 0x30f, 0x310), EXPORT_TAKEN);
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		bad = x;
		bad.range[0] = (struct port_range){ports[i], ports[i]};
		assert_int_equal(server_add(&w->server, &bad), EXPORT_PROHIBITED);
	}
	bad = x;
	bad.irqs = BIT(2);
	assert_int_equal(server_add(&w->server, &bad), EXPORT_PROHIBITED);
	bad.irqs = BIT(DEVICE_LINE);
	assert_int_equal(server_add(&w->server, &bad), EXPORT_TAKEN);
	bad = x;
	bad.range[0] = (struct port_range){0x1f7, 0x1f0};
	assert_int_equal(server_add(&w->server, &bad), EXPORT_BAD);
	assert_int_equal(server_add(&w->server, &x), EXPORT_OK);
	assert_int_equal(server_add(&w->server, &x), EXPORT_TAKEN);
	world_free(w);
}

/* POLL and DELAY hold up their own lease for as long as they last, and nothing else. */
static void waiting(void **state)
{
	struct world *w = world_new(16);
	struct station *st = &w->station[1];
	struct proto_writer *pw;
	struct proto_op delay = {.opcode = PROTO_DELAY, .width = 1, .count = 60000};

	(void)state;
	assert_true(world_lease(w, 1, 1000 * MS));
	w->ready_at = w->now + 40 * MS;
	assert_true(ask(st, PROTO_POLL, DEVICE_READY, 60000, 0x80, 1));
	assert_true(ask(st, PROTO_IN, DEVICE_PORT, 1, 0, 2));
	world_run(w, 39 * MS);
	assert_int_equal(st->done, 0);
	assert_int_equal(w->series, 0);
	world_run(w, 100 * MS);
	assert_int_equal(st->done, 2);
	assert_int_equal(st->last_status, PROTO_OK);
	w->ready_at = ~0ull;
	assert_true(ask(st, PROTO_POLL, DEVICE_READY, 5000, 0x80, 3));
	world_run(w, 100 * MS);
	assert_int_equal(st->last_status, PROTO_CONDITION);
	assert_int_equal(w->server.lease[0].refused, 0); /* waiting in vain is no refusal */
	pw = client_begin(&st->c); /* 3.6 s: far beyond any retransmission */
	for (unsigned i = 0; i < 60; i++)
		assert_non_null(proto_add(pw, &delay));
	assert_true(client_submit(&st->c, 4, w->now));
	world_run(w, 3500 * MS);
	assert_int_equal(st->done, 3);
	assert_int_equal(client_health(&st->c, w->now), LINK_GOOD);
	assert_true(st->c.requests.retransmissions < 20);
	world_run(w, 200 * MS);
	assert_int_equal(st->last_status, PROTO_OK);
	assert_true(ask(st, PROTO_POLL, DEVICE_READY, 60000, 0x80, 5));
	world_run(w, 10 * MS);
	client_cancel(&st->c, 5, w->now);
	world_run(w, MS);
	assert_int_equal(st->done, 5);
	assert_int_equal(st->last_status, PROTO_CONDITION);
	client_cancel(&st->c, 5, w->now); /* too late: nothing happens */
	world_run(w, 10 * MS);
	assert_int_equal(st->done, 5);
	world_free(w);
}

/* The first of a full window is lost: the others wait for it at the server, and only it is
 * repeated.
 */
static void early_requests(void **state)
{
	struct world *w = world_new(19);
	struct station *st = &w->station[1];

	(void)state;
	assert_true(world_lease(w, 1, 1000 * MS));
	w->cut[1] = true;
	assert_true(ask(st, PROTO_IN, DEVICE_PORT, 1, 0, 0));
	w->cut[1] = false;
	for (u32 i = 1; i < LINK_WINDOW - 1; i++)
		assert_true(ask(st, PROTO_IN, DEVICE_PORT, 1, 0, i));
	assert_true(ask(st, PROTO_POLL, DEVICE_READY, 60000, 0x40, LINK_WINDOW - 1));
	world_run(w, MS);
	assert_int_equal(w->series, 0);
	assert_int_equal(w->server.e.drops[DROP_STALE], 0);
	client_cancel(&st->c, LINK_WINDOW - 1, w->now); /* reaches it before it has begun */
	world_run(w, 10 * MS);
	assert_int_equal(st->done, 0);
	st->c.requests.slot[0].deadline = w->now; /* the first one before the others */
	world_run(w, MS);
	assert_int_equal(w->series, LINK_WINDOW - 1);
	assert_int_equal(st->done, LINK_WINDOW);
	assert_int_equal(st->last_status, PROTO_CONDITION);
	assert_int_equal(st->c.requests.retransmissions, 1);
	world_free(w);
}

static void interrupts(void **state)
{
	struct world *w = world_new(17);
	struct station *st = &w->station[1];

	(void)state;
	st->no_eoi = true;
	assert_true(world_lease(w, 1, 1000 * MS));
	assert_true(ask(st, PROTO_OUT, DEVICE_FIRE, 1, 0, 0)); /* masked until asked for */
	world_run(w, 10 * MS);
	assert_int_equal(w->fired, 0);
	assert_true(ask(st, PROTO_IRQ_UNMASK, DEVICE_LINE, 1, 0, 0));
	assert_true(ask(st, PROTO_OUT, DEVICE_FIRE, 1, 0, 0));
	world_run(w, 10 * MS);
	assert_int_equal(st->interrupts, 1);
	assert_true(w->masked);
	assert_int_equal(st->c.levels, BIT(DEVICE_LINE));
	client_eoi(&st->c, DEVICE_LINE, (u16)(st->generation - 1), w->now); /* of an older one */
	world_run(w, 10 * MS);
	assert_true(w->masked);
	assert_true(ask(st, PROTO_IRQ_MASK, DEVICE_LINE, 1, 0, 0));
	client_eoi(&st->c, DEVICE_LINE, st->generation, w->now);
	world_run(w, 10 * MS);
	assert_true(w->masked); /* the guest wants it so */
	assert_int_equal(w->server.lease[0].unended, 0);
	assert_true(ask(st, PROTO_IRQ_UNMASK, DEVICE_LINE, 1, 0, 0));
	world_run(w, 10 * MS);
	assert_false(w->masked);
	server_irq(&w->server, 4, w->now); /* nobody has that line */
	server_irq(&w->server, 200, w->now);
	world_run(w, 10 * MS);
	assert_int_equal(st->interrupts, 1);
	assert_int_equal(w->server.spurious, 1);
	assert_true(client_release(&st->c, w->now));
	world_run(w, 10 * MS);
	assert_true(w->masked);
	world_free(w);
}

static unsigned found_count;

static void found(void *ctx, const struct offer *o)
{
	(void)ctx;
	found_count++;
	assert_string_equal(o->name, "peer");
	assert_int_equal(o->exports, 2);
	assert_string_equal(o->export[0].name, "device");
	assert_int_equal(o->export[0].ranges, 2);
	assert_int_equal(o->export[0].range[1].last, DEVICE_LAST);
	assert_true(o->export[0].held);
	assert_false(o->export[1].held);
}

static void discovery(void **state)
{
	struct world *w = world_new(18);
	struct discovery d = {.found = found};
	struct packet p;

	(void)state;
	assert_true(world_lease(w, 1, 1000 * MS));
	w->record = true;
	discover(&d, &w->station[2].e);
	world_run(w, 100 * MS);
	for (u32 i = 0; i < w->recorded; i++)
		if (w->recording[i].to == 2 &&
		    endpoint_open(&w->station[2].e, w->recording[i].bytes, w->recording[i].len, &p))
			assert_true(discover_receive(&d, &w->station[2].e, &p));
	assert_int_equal(found_count, 1);
	discover(&d, &w->station[2].e);
	assert_false(
		discover_receive(&d, &w->station[2].e, &p)); /* the answer to the round before */
	assert_int_equal(found_count, 1);
	world_free(w);
}

/* The frame as a Farbus of another version would send it. */
static struct flying in_version(const struct flying *f, u8 version)
{
	struct flying other = *f;

	other.bytes[14 + 8 + 2] = (u8)((f->bytes[14 + 8 + 2] & 15) | version << 4);
	return other;
}

static void other_version(void **state)
{
	struct world *w = world_new(20);
	struct endpoint *e = &w->station[1].e;
	struct flying auth1, nak;
	struct packet p;
	u8 server[6], client[6], version = 0;

	(void)state;
	node_mac(server, 0);
	node_mac(client, 1);
	w->record = true;
	assert_false(world_lease(w, 1, 0));
	auth1 = in_version(&w->recording[0], 2);
	server_receive(&w->server, auth1.bytes, auth1.len, w->now);
	assert_int_equal(w->server.e.drops[DROP_VERSION], 1);
	/* One frame may be a damaged one of ours. */
	assert_false(endpoint_odd_version(&w->server.e, client, &version));
	assert_null(endpoint_new_stranger(&w->server.e));
	server_receive(&w->server, auth1.bytes, auth1.len, w->now);
	assert_true(endpoint_odd_version(&w->server.e, client, &version));
	assert_int_equal(version, 2);
	assert_memory_equal(endpoint_new_stranger(&w->server.e)->mac, client, 6);
	server_receive(&w->server, auth1.bytes, auth1.len, w->now);
	assert_null(endpoint_new_stranger(&w->server.e)); /* once for each station */
	/* The server says who it is each time, and a client answers to nothing of the kind. */
	assert_int_equal(w->recorded, 4);
	nak = in_version(&w->recording[1], 3);
	assert_int_equal(nak.to, 1);
	for (unsigned i = 0; i < 2; i++)
		assert_false(endpoint_open(e, nak.bytes, nak.len, &p));
	assert_int_equal(w->recorded, 4);
	assert_true(endpoint_odd_version(e, server, &version));
	assert_int_equal(version, 3);
	assert_false(endpoint_odd_version(e, client, &version));
	/* A good frame from there proves that the odd ones were damage. */
	assert_true(world_lease(w, 1, 1000 * MS));
	assert_false(endpoint_odd_version(e, server, &version));
	assert_false(endpoint_odd_version(&w->server.e, client, &version));
	w->recorded = 4;
	/* Nor a server to another server, and never more stations than there is room for. */
	auth1.bytes[14 + 8 + 2] |= PROTO_FROM_SERVER;
	for (unsigned i = 0; i < 300; i++) {
		auth1.bytes[11] = (u8)i;
		server_receive(&w->server, auth1.bytes, auth1.len, w->now);
	}
	assert_int_equal(w->recorded, 4);
	assert_int_equal(w->server.e.strangers, STRANGERS);
	world_free(w);
}

/* A route whose peer answers every HELLO in version 3. */
static void route_to_other_version(void **state)
{
	struct world *w = world_new(22);
	struct caller *g = caller_new(w, 1, NULL, &profile_strict, REMOTE_FREEZE);
	struct flying nak;
	char text[200];

	(void)state;
	w->record = true;
	discover(&(struct discovery){0}, &w->station[2].e);
	nak = in_version(&w->recording[0], 2); /* HELLO: the server answers it in its own */
	server_receive(&w->server, nak.bytes, nak.len, w->now);
	nak = in_version(&w->recording[w->recorded - 1], 3);
	node_mac(nak.bytes, 1);
	w->cut[0] = true;
	world_inject(w, 1, nak.bytes, nak.len);
	world_inject(w, 1, nak.bytes, nak.len);
	assert_int_equal(caller_attach(g), REMOTE_FAILED);
	remote_describe(g->r, text, sizeof(text));
	assert_string_equal(text, "failed: 52:54:00:00:00:01 speaks version 3 of the protocol: "
				  "expected version 1");
	caller_free(g);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replayed),
		cmocka_unit_test(replayed_renewals),
		cmocka_unit_test(forged),
		cmocka_unit_test(refused),
		cmocka_unit_test(waiting),
		cmocka_unit_test(forbidden_exports),
		cmocka_unit_test(interrupts),
		cmocka_unit_test(discovery),
		cmocka_unit_test(early_requests),
		cmocka_unit_test(other_version),
		cmocka_unit_test(route_to_other_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
