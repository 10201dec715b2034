/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two clients that use one device in turn, over a bad segment: each finds it at rest, and of what
 * the device gave and fired nothing is lost between them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support.h"

#define TURNS	500u
#define NUMBERS 65536u /* of the series, in all turns */

static u8 seen[NUMBERS];

static void note_number(struct station *st, u32 cookie, enum client_outcome outcome,
			const struct proto_header *h, const u8 *body)
{
	struct proto_op op;
	u32 at = 0;

	(void)st;
	(void)cookie;
	while (outcome == CLIENT_DONE && proto_next(body, h, true, &at, &op) == 1) {
		assert_int_equal(op.note, PROTO_OK);
		if (op.opcode != PROTO_IN || op.addr != DEVICE_PORT)
			continue;
		assert_true(proto_get32(op.data) < NUMBERS);
		seen[proto_get32(op.data)]++;
	}
}

static u32 numbers_seen(u32 series)
{
	u32 count = 0;

	for (u32 i = 0; i < NUMBERS; i++) {
		assert_true(seen[i] <= 1);
		assert_true(!seen[i] || i < series);
		count += seen[i];
	}
	return count;
}

static struct world *two_clients(u64 seed)
{
	struct world *w = world_new(seed);

	memset(seen, 0, sizeof(seen));
	w->station[1].on_done = w->station[2].on_done = note_number;
	world_hostile(w);
	return w;
}

/* Some requests, not all of them answered when it returns. */
static void use(struct world *w, struct station *st)
{
	ask(st, PROTO_IRQ_UNMASK, DEVICE_LINE, 1, 0, 0);
	for (u32 n = 1 + world_random(w) % 40; n > 0;) {
		bool fire = world_random(w) % 8 == 0;

		n -= ask(st, fire ? PROTO_OUT : PROTO_IN, fire ? DEVICE_FIRE : DEVICE_PORT, 1, 0,
			 0);
		world_step(w, w->now + 10 * MS);
	}
}

static void in_turn(void **state)
{
	struct world *w = two_clients(31);

	(void)state;
	for (u32 turn = 0; turn < TURNS; turn++) {
		struct station *st = &w->station[1 + turn % 2];

		while (!world_lease(w, st->node, 1000 * MS))
			;
		assert_int_equal(w->dirty, 0);
		use(w, st);
		while (!client_release(&st->c, w->now))
			world_step(w, w->now + 1000 * MS);
	}
	world_run(w, 30000 * MS);
	assert_int_equal(w->unclean, 0);
	assert_true(w->quiesced >= TURNS);
	assert_int_equal(numbers_seen(w->series), w->series);
	assert_true(w->series > 10 * TURNS);
	assert_int_equal(w->station[1].unknown + w->station[2].unknown, 0);
	assert_true(w->fired > TURNS);
	assert_int_equal(w->station[1].interrupts + w->station[2].interrupts, w->fired);
	world_free(w);
}

/* The same with holders that die in the middle of it: what nobody was told of is unknown. */
static void holders_die(void **state)
{
	struct world *w = two_clients(32);
	u32 quiesced, unknown;

	(void)state;
	for (u32 turn = 0; turn < TURNS; turn++) {
		struct station *st = &w->station[1 + turn % 2];

		quiesced = w->quiesced;
		while (!world_lease(w, st->node, 1000 * MS))
			;
		assert_int_equal(w->dirty, 0);
		use(w, st);
		w->cut[st->node] = true;
		world_run(w, 11000 * MS);
		assert_true(w->quiesced > quiesced);
		w->cut[st->node] = false;
		while (st->c.state == CLIENT_LEASED)
			world_step(w, w->now + 1000 * MS);
		assert_int_equal(st->c.why, CLIENT_EXPIRED);
	}
	unknown = w->station[1].unknown + w->station[2].unknown;
	assert_int_equal(w->unclean, 0);
	assert_true(unknown > TURNS);
	assert_true(numbers_seen(w->series) < w->series);
	assert_true(w->series - numbers_seen(w->series) <= unknown);
	printf("%u numbers, %u of them known to nobody, %u requests of unknown outcome\n",
	       w->series, w->series - numbers_seen(w->series), unknown);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_turn),
		cmocka_unit_test(holders_die),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
