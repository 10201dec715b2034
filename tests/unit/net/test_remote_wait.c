/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops that wait become one POLL; a handler ends it early; and the guest's own time-outs end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_caller.h"

#define LOOP	0x10
#define POLL_US 50000

static bool posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)st;
	(void)value;
	return width == 4 && port == DEVICE_PORT;
}

static bool poll(struct profile_state *st, u16 port, unsigned width, u32 repeats, u32 last,
		 struct profile_poll *poll)
{
	(void)st;
	if (port != DEVICE_READY || width != 1 || repeats < 2)
		return false;
	*poll = (struct profile_poll){
		.mask = 0xff, .value = last, .unequal = true, .max_us = POLL_US};
	return true;
}

static const struct profile waiting = {.name = "waiting", .posts = posts, .poll = poll};

static struct caller *start(struct world *w)
{
	struct caller *g = caller_new(w, 1, "peer", &waiting, REMOTE_FREEZE);

	assert_int_equal(caller_attach(g), REMOTE_UP);
	world_run(w, 10 * MS);
	return g;
}

static u32 requests(const struct caller *g)
{
	return (u32)remote_stats(g->r)->requests;
}

static u32 polls(const struct caller *g)
{
	return (u32)remote_stats(g->r)->polls;
}

/* while (!(inb(port) & 80h) && --tries); returns the reads done */
static u32 loop(struct caller *g, u32 tries)
{
	u32 reads = 0;

	while (reads < tries) {
		reads++;
		if (caller_in(g, LOOP, DEVICE_READY, 1) & 0x80)
			break;
	}
	return reads;
}

static void one_poll(void **state)
{
	static const u32 waits[] = {1, 10, 49};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(waits); i++) {
		struct world *w = world_new(1 + i);
		struct caller *g = start(w);
		u32 before = requests(g);

		w->ready_at = w->now + waits[i] * MS;
		assert_int_equal(loop(g, 100000), 3);
		assert_int_equal(requests(g), before + 3); /* two reads, then the POLL */
		assert_int_equal(polls(g), 1);
		assert_true(w->now - w->ready_at < MS);
		caller_free(g);
		world_free(w);
	}
}

/* Other accesses in the loop, another place, or another value: no loop. */
static void no_loop(void **state)
{
	struct world *w = world_new(5);
	struct caller *g = start(w);

	(void)state;
	w->ready_at = ~0ull;
	for (u32 i = 0; i < 10; i++) {
		caller_in(g, LOOP, DEVICE_READY, 1);
		g->key.nth++; /* something else than this route */
	}
	for (u32 i = 0; i < 10; i++)
		caller_in(g, LOOP + i, DEVICE_READY, 1);
	for (u32 i = 0; i < 10; i++) {
		caller_in(g, LOOP, DEVICE_READY, 1);
		caller_out(g, LOOP + 1, DEVICE_LAST, 1, 0);
	}
	for (u32 i = 0; i < 10; i++)
		caller_in(g, LOOP, DEVICE_PORT, 4);
	assert_int_equal(polls(g), 0);
	assert_int_equal(w->series, 10);
	caller_free(g);
	world_free(w);
}

/* A guest that counts to a million comes to its end in about a second, not in a day. */
static void credit(void **state)
{
	struct world *w = world_new(6);
	struct caller *g = start(w);
	u32 before = requests(g);
	u64 began = w->now;

	(void)state;
	w->ready_at = ~0ull;
	assert_int_equal(loop(g, 1000000), 1000000);
	assert_in_range(polls(g), 19, 21);
	assert_in_range(requests(g) - before, 21, 23);
	assert_in_range((w->now - began) / MS, 900, 1200);
	assert_true(remote_stats(g->r)->local > 900000);
	/* Anything else on the route ends it, for the answer may be another one then. */
	caller_in(g, LOOP, DEVICE_READY, 1);
	caller_out(g, 1, DEVICE_PORT, 4, 0);
	before = requests(g);
	w->ready_at = w->now;
	assert_int_equal(caller_in(g, LOOP, DEVICE_READY, 1), 0x80);
	assert_int_equal(requests(g), before + 1);
	caller_free(g);
	world_free(w);
}

/* It is good for no longer than it stands for. */
static void credit_ends(void **state)
{
	struct world *w = world_new(7);
	struct caller *g = start(w);

	(void)state;
	w->ready_at = ~0ull;
	loop(g, 10);
	assert_int_equal(polls(g), 1);
	w->ready_at = w->now;
	assert_int_equal(caller_in(g, LOOP, DEVICE_READY, 1), 0);
	world_run(w, POLL_US * 1000ull);
	assert_int_equal(caller_in(g, LOOP, DEVICE_READY, 1), 0x80);
	caller_free(g);
	world_free(w);
}

/* --- an interrupt handler that uses the device while the guest waits --- */

static u32 handled;
static u64 longest;

static void handler(struct caller *g)
{
	u64 began = g->w->now;
	u32 value;

	if (!remote_stats(g->r)->polls || handled == 5 || began < handled * 7 * MS + 1000 * MS)
		return;
	handled++;
	value = caller_in(g, 0x100, DEVICE_PORT, 4);
	assert_int_equal(value, handled - 1);
	if (g->w->now - began > longest)
		longest = g->w->now - began;
}

static void cancelled(void **state)
{
	struct world *w = world_new(8);
	struct caller *g = start(w);

	(void)state;
	handled = 0;
	longest = 0;
	g->handler = handler;
	w->ready_at = w->now + 45 * MS;
	loop(g, 1000000);
	assert_int_equal(w->series, handled);
	assert_true(handled > 0);
	assert_true(longest < 2 * MS); /* and not the 50 ms of a POLL */
	assert_in_range(w->now, w->ready_at, w->ready_at + POLL_US * 1000ull);
	caller_free(g);
	world_free(w);
}

/* What the POLL has read when it is cancelled is the answer of the instruction that waits. */
static void value_not_lost(void **state)
{
	struct world *w = world_new(9);
	struct caller *g = start(w);
	u32 value, reads;

	(void)state;
	w->ready_at = ~0ull;
	caller_in(g, LOOP, DEVICE_READY, 1);
	caller_in(g, LOOP, DEVICE_READY, 1);
	assert_false(caller_try_in(g, LOOP, DEVICE_READY, 1, &value));
	assert_int_equal(polls(g), 1);
	world_run(w, 10 * MS);
	assert_false(caller_try_in(g, LOOP, DEVICE_READY, 1, &value));
	/* Ready, but CANCEL reaches the peer before its next look: the value read last is it. */
	reads = requests(g);
	assert_false(caller_try_in(g, 0x100, DEVICE_PORT, 4, &value));
	world_run(w, 2 * MS);
	assert_int_equal(requests(g), reads + 1);
	assert_true(caller_try_in(g, LOOP, DEVICE_READY, 1, &value));
	assert_int_equal(value, 0);
	assert_true(caller_try_in(g, 0x100, DEVICE_PORT, 4, &value));
	assert_int_equal(value, 0);
	/* The same for posted writes that leave, and for the end of an interrupt. */
	world_run(w, 100 * MS);
	caller_in(g, LOOP, DEVICE_READY, 1);
	caller_in(g, LOOP, DEVICE_READY, 1);
	assert_false(caller_try_in(g, LOOP, DEVICE_READY, 1, &value));
	assert_true(caller_try_out(g, 0x101, DEVICE_PORT, 4, 1));
	world_run(w, 2 * MS);
	assert_int_equal(w->series, 2);
	assert_true(caller_try_in(g, LOOP, DEVICE_READY, 1, &value));
	assert_int_equal(w->wrong, 0);
	caller_free(g);
	world_free(w);
}

/* The same over a bad segment: whatever is lost, every number comes once. */
static void bad_segment(void **state)
{
	struct world *w = world_new(10);
	struct caller *g = start(w);
	u32 series = 0;

	(void)state;
	world_hostile(w);
	for (u32 i = 0; i < 300; i++) {
		w->ready_at = w->now + world_random(w) % 600 * MS;
		while (!(caller_in(g, LOOP, DEVICE_READY, 1) & 0x80))
			w->now += 1000; /* an iteration */
		caller_out(g, 1, DEVICE_PORT, 4, series++);
		assert_int_equal(caller_in(g, 2, DEVICE_PORT, 4), series++);
	}
	assert_int_equal(w->series, series);
	assert_int_equal(w->wrong, 0);
	assert_true(polls(g) > 200);
	caller_free(g);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_poll),    cmocka_unit_test(no_loop),
		cmocka_unit_test(credit),      cmocka_unit_test(credit_ends),
		cmocka_unit_test(cancelled),   cmocka_unit_test(value_not_lost),
		cmocka_unit_test(bad_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
