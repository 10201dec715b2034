/* SPDX-License-Identifier: BSD-2-Clause */
/* Client and server over a bad segment: every operation once, in order, or reported as unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support.h"

#define OPERATIONS 1000000u

/* Numbers of the series that an operation takes. */
static u32 numbers(u8 opcode, u32 addr, u16 count)
{
	if (addr != DEVICE_PORT)
		return 0;
	return opcode == PROTO_INS || opcode == PROTO_OUTS ? count : 1;
}

/* The cookie is the first number of the series that the request takes. */
static void check_answer(struct station *st, u32 cookie, enum client_outcome outcome,
			 const struct proto_header *h, const u8 *body)
{
	struct proto_op op;
	u32 at = 0, expected = cookie;

	assert_int_equal(outcome, CLIENT_DONE);
	while (proto_next(body, h, true, &at, &op) == 1) {
		assert_int_equal(op.note, PROTO_OK);
		if (op.addr == DEVICE_IRQS) /* answers wait for the interrupts before them */
			assert_true(st->interrupts >= proto_get32(op.data));
		for (u32 i = 0; op.addr == DEVICE_PORT && i < op.data_len / 4; i++)
			assert_int_equal(proto_get32(op.data + 4 * i), expected + i);
		expected += numbers(op.opcode, op.addr, op.count);
	}
}

static void add(struct proto_writer *w, u8 opcode, u32 addr, u16 count, u32 series)
{
	u8 data[4 * 16];
	struct proto_op op = {
		.opcode = opcode, .width = 4, .count = count, .addr = addr, .data = data};

	for (u32 i = 0; i < ARRAY_SIZE(data) / 4; i++)
		proto_put32(data + 4 * i, series + i);
	if (addr == DEVICE_FIRE)
		op.width = 1;
	op.data_len = proto_data_len(opcode, op.width, count, false);
	assert_non_null(proto_add(w, &op));
}

/* Fills the window. Returns the operations sent. */
static u32 submit_some(struct world *w, struct station *st)
{
	static const u8 kinds[] = {PROTO_IN, PROTO_OUT, PROTO_INS, PROTO_OUTS};
	struct proto_writer *pw;
	u32 sent = 0;

	while ((pw = client_begin(&st->c))) {
		u32 first = st->submitted;

		for (u32 n = 1 + world_random(w) % 6; n > 0; n--, sent++) {
			u8 kind = kinds[world_random(w) % ARRAY_SIZE(kinds)];
			u16 count = (u16)(1 + world_random(w) % 16);

			add(pw, kind, DEVICE_PORT, count, st->submitted);
			st->submitted += numbers(kind, DEVICE_PORT, count);
		}
		if (world_random(w) % 4 == 0) {
			add(pw, PROTO_OUT, DEVICE_FIRE, 1, 0);
			add(pw, PROTO_IN, DEVICE_IRQS, 1, 0);
		}
		assert_true(client_submit(&st->c, first, w->now));
	}
	return sent;
}

static void settle(struct world *w, struct station *st)
{
	while (st->c.complete != st->c.requests.next || st->c.eoi_due || w->server.lease[0].unended)
		world_step(w, w->now + 1000 * MS);
}

static void exactly_once(void **state)
{
	struct world *w = world_new(1);
	struct station *st = &w->station[1];
	u32 sent = 0;

	(void)state;
	st->on_done = check_answer;
	world_hostile(w);
	assert_true(world_lease(w, 1, 20000 * MS));
	assert_true(ask(st, PROTO_IRQ_UNMASK, DEVICE_LINE, 1, 0, 0));
	while (sent < OPERATIONS) {
		sent += submit_some(w, st);
		world_step(w, w->now + 1000 * MS);
		assert_int_equal(st->c.state, CLIENT_LEASED);
	}
	settle(w, st);
	assert_int_equal(w->series, st->submitted);
	assert_int_equal(w->wrong, 0);
	assert_int_equal(st->unknown, 0);
	assert_true(w->fired > 100);
	assert_int_equal(st->interrupts, w->fired);
	assert_true(w->server.e.drops[DROP_TAG] > 0);
	assert_true(w->overflow == 0);
	printf("%u operations, %u numbers, %u interrupts, %u repetitions, %u s of virtual time\n",
	       sent, w->series, w->fired, st->c.requests.retransmissions,
	       (u32)(w->now / (1000 * MS)));
	world_free(w);
}

/* The server dies after it carried out number k and before anyone heard of it. */
static void restart_between(void **state)
{
	struct world *w = world_new(2);
	struct station *st = &w->station[1];

	(void)state;
	for (u32 round = 0; round < 200; round++) {
		u32 series = w->series, unknown = st->unknown, done = st->done;
		u32 before = world_random(w) % 10;

		assert_true(world_lease(w, 1, 20000 * MS));
		for (u32 i = 0; i < before; i++) {
			assert_true(ask(st, PROTO_OUT, DEVICE_PORT, 1, w->series, i));
			world_run(w, 10 * MS);
		}
		w->mute = true;
		assert_true(ask(st, PROTO_OUT, DEVICE_PORT, 1, w->series, 1000 + round));
		world_run(w, (1 + world_random(w) % 300) * MS);
		assert_int_equal(w->series, series + before + 1);
		w->mute = false;
		world_restart_server(w);
		world_run(w, 1000 * MS);
		assert_int_equal(st->c.state, CLIENT_FAILED);
		assert_int_equal(st->c.why, CLIENT_RESTARTED);
		assert_int_equal(st->done, done + before);
		assert_int_equal(st->unknown, unknown + 1);
		assert_int_equal(st->last_cookie, 1000 + round);
		assert_int_equal(w->series, series + before + 1); /* and never again */
	}
	assert_int_equal(w->wrong, 0);
	world_free(w);
}

/* The same with a full window on a bad segment: what is not unknown ran once. */
static void restart_in_storm(void **state)
{
	struct world *w = world_new(3);
	struct station *st = &w->station[1];

	(void)state;
	world_hostile(w);
	for (u32 round = 0; round < 50; round++) {
		u32 asked = 0, done = st->done, unknown = st->unknown, series = w->series;

		assert_true(world_lease(w, 1, 60000 * MS));
		for (u32 i = 0; i < 100; i++) {
			asked += ask(st, PROTO_IN, DEVICE_PORT, 1, 0, i);
			world_step(w, w->now + 10 * MS);
		}
		world_restart_server(w);
		while (st->c.state == CLIENT_LEASED)
			world_step(w, w->now + 1000 * MS);
		assert_int_equal(st->done - done + st->unknown - unknown, asked);
		assert_true(w->series - series >= st->done - done);
		assert_true(w->series - series <= asked);
	}
	world_free(w);
}

static void relay_cut(void **state)
{
	static const u32 seconds[] = {1, 5, 20};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(seconds); i++) {
		struct world *w = world_new(4 + i);
		struct station *st = &w->station[1];
		u64 cut_at;

		assert_true(world_lease(w, 1, 1000 * MS));
		world_run(w, 3000 * MS);
		assert_true(ask(st, PROTO_IN, DEVICE_PORT, 1, 0, 1));
		w->cut[0] = true;
		cut_at = w->now;
		world_run(w, 1000 * MS);
		assert_int_equal(client_health(&st->c, w->now), LINK_GOOD);
		if (seconds[i] >= 5) {
			world_run(w, 3000 * MS);
			assert_int_equal(client_health(&st->c, w->now), LINK_SUSPECT);
		}
		world_run(w, cut_at + seconds[i] * 1000 * MS - w->now);
		if (seconds[i] == 20)
			assert_int_equal(client_health(&st->c, w->now), LINK_LOST);
		w->cut[0] = false;
		world_run(w, 2000 * MS);
		if (seconds[i] < 20) {
			assert_int_equal(st->c.state, CLIENT_LEASED);
			assert_int_equal(st->done, 1);
			assert_int_equal(w->quiesced, 0);
		} else {
			assert_int_equal(st->c.state, CLIENT_FAILED);
			assert_int_equal(st->c.why, CLIENT_EXPIRED);
			assert_int_equal(st->unknown, 1);
			assert_int_equal(w->quiesced, 1);
			assert_true(world_lease(w, 1, 1000 * MS));
		}
		assert_int_equal(w->series, 1); /* the request itself had left before the cut */
		world_free(w);
	}
}

static void two_clients(void **state)
{
	struct world *w = world_new(7);
	struct station *a = &w->station[1], *b = &w->station[2];

	(void)state;
	assert_true(world_lease(w, 1, 1000 * MS));
	assert_false(world_lease(w, 2, 1000 * MS));
	world_run(w, 1000 * MS);
	assert_int_equal(b->c.state, CLIENT_FAILED);
	assert_int_equal(b->c.why, CLIENT_HELD);
	assert_true(ask(a, PROTO_IN, DEVICE_PORT, 1, 0, 1));
	assert_false(client_release(&a->c, w->now)); /* a request is open */
	world_run(w, 100 * MS);
	assert_true(client_release(&a->c, w->now));
	world_run(w, 100 * MS);
	assert_int_equal(a->c.state, CLIENT_IDLE);
	assert_int_equal(w->quiesced, 1);
	assert_false(w->dirty);
	assert_true(world_lease(w, 2, 1000 * MS));
	assert_true(ask(b, PROTO_IN, DEVICE_PORT, 1, 0, 1));
	world_run(w, 60000 * MS); /* at rest a lease is kept by renewals */
	assert_int_equal(b->c.state, CLIENT_LEASED);
	assert_true(w->dirty);
	w->cut[2] = true; /* the holder dies: after 10 s the other one gets it, at rest */
	assert_false(world_lease(w, 1, 5000 * MS));
	assert_int_equal(w->quiesced, 1);
	assert_true(world_lease(w, 1, 6000 * MS));
	assert_int_equal(w->quiesced, 2);
	assert_int_equal(w->server.expired, 1);
	w->cut[2] = false;
	world_run(w, 3000 * MS); /* the former holder learns it */
	assert_int_equal(b->c.why, CLIENT_EXPIRED);
	assert_int_equal(a->c.state, CLIENT_LEASED);
	world_free(w);
}

/* An echo says how long the way is, is none when it is lost, and renews nothing. */
static void echoes(void **state)
{
	struct world *w = world_new(8);
	struct client *c = &w->station[1].c;

	(void)state;
	assert_false(client_ping(c, w->now));
	assert_true(world_lease(w, 1, 1000 * MS));
	assert_true(client_ping(c, w->now));
	assert_int_equal(client_echo(c), 0);
	world_run(w, 10 * MS);
	assert_in_range(client_echo(c), 100000, 1000000); /* 50 us each way, at least */
	w->cut[0] = true;
	assert_true(client_ping(c, w->now));
	for (unsigned i = 0; i < 15; i++) {
		world_run(w, 1000 * MS);
		assert_int_equal(client_echo(c), 0);
	}
	assert_int_equal(client_health(c, w->now), LINK_LOST); /* RENEW has no answer, either */
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_once),	    cmocka_unit_test(restart_between),
		cmocka_unit_test(restart_in_storm), cmocka_unit_test(relay_cut),
		cmocka_unit_test(two_clients),	    cmocka_unit_test(echoes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
