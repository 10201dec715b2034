/* SPDX-License-Identifier: BSD-2-Clause */
/* A remote route that posts nothing: every access once, in order, with others in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_caller.h"

#define HANDLER_EIP 0x100

static u32 requests(const struct caller *g)
{
	return (u32)remote_stats(g->r)->requests;
}

static void one_round_trip_each(void **state)
{
	struct world *w = world_new(1);
	struct caller *g = caller_new(w, 1, NULL, &profile_strict, REMOTE_FREEZE);
	u32 data[400], before;
	char text[160];

	(void)state;
	assert_int_equal(caller_attach(g), REMOTE_UP);
	remote_describe(g->r, text, sizeof(text));
	assert_string_equal(text, "52:54:00:00:00:01 (peer) device: up");
	world_run(w, 10 * MS);
	assert_false(w->masked);
	before = requests(g);
	assert_int_equal(caller_in(g, 1, DEVICE_PORT, 4), 0);
	assert_int_equal(requests(g), before + 1);
	caller_out(g, 2, DEVICE_PORT, 2, 1);
	assert_int_equal(requests(g), before + 2);
	assert_int_equal(caller_in(g, 3, DEVICE_PORT, 1), 2);
	/* 400 elements are 1600 bytes: two requests each */
	caller_ins(g, 4, DEVICE_PORT, 4, data, 400);
	for (u32 i = 0; i < 400; i++)
		assert_int_equal(data[i], 3 + i);
	for (u32 i = 0; i < 400; i++)
		data[i] = 403 + i;
	caller_outs(g, 5, DEVICE_PORT, 4, data, 400);
	assert_int_equal(requests(g), before + 7);
	assert_int_equal(w->series, 803);
	assert_int_equal(w->wrong, 0);
	assert_int_equal(remote_stats(g->r)->accesses, 803);
	assert_int_equal(remote_stats(g->r)->waits, 7);
	caller_free(g);
	world_free(w);
}

/* Who awaits an echo sleeps until wake(). */
static void echo_wakes(void **state)
{
	struct world *w = world_new(1);
	struct caller *g = caller_new(w, 1, NULL, &profile_strict, REMOTE_FREEZE);
	u32 wakes;

	(void)state;
	assert_int_equal(caller_attach(g), REMOTE_UP);
	world_run(w, 10 * MS);
	wakes = g->wakes;
	assert_true(remote_ping(g->r, w->now));
	assert_int_equal(remote_echo(g->r), 0);
	assert_int_equal(g->wakes, wakes);
	world_run(w, 10 * MS);
	assert_true(remote_echo(g->r) > 0);
	assert_int_equal(g->wakes, wakes + 1);
	caller_free(g);
	world_free(w);
}

/* --- a bad segment, and an interrupt handler that uses the device itself --- */

static u32 expected;	/* the next number of the series, in the order of the guest's accesses */
static u32 in_handlers; /* accesses made by the handler */

static void one_access(struct caller *g, u32 eip)
{
	u32 data[80], count = 1 + world_random(g->w) % ARRAY_SIZE(data), first = expected;

	switch (world_random(g->w) % 4) {
	case 0:
		expected++;
		assert_int_equal(caller_in(g, eip, DEVICE_PORT, 4), first);
		break;
	case 1:
		caller_out(g, eip + 1, DEVICE_PORT, 4, expected++);
		break;
	case 2:
		expected += count;
		caller_ins(g, eip + 2, DEVICE_PORT, 4, data, count);
		for (u32 i = 0; i < count; i++)
			assert_int_equal(data[i], first + i);
		break;
	default:
		for (u32 i = 0; i < count; i++)
			data[i] = expected++;
		caller_outs(g, eip + 3, DEVICE_PORT, 4, data, count);
		break;
	}
}

static void on_interrupt(struct caller *g)
{
	if (!g->level)
		return;
	in_handlers++;
	if (world_random(g->w) % 2)
		one_access(g, HANDLER_EIP);
	remote_eoi(g->r, DEVICE_LINE, g->w->now);
	if (world_random(g->w) % 2)
		one_access(g, HANDLER_EIP + 16);
}

static void exactly_once(void **state)
{
	struct world *w = world_new(2);
	struct caller *g = caller_new(w, 1, "device", &profile_strict, REMOTE_FREEZE);

	(void)state;
	expected = in_handlers = 0;
	world_hostile(w);
	while (caller_attach(g) != REMOTE_UP)
		;
	g->handler = on_interrupt;
	for (u32 i = 0; i < 5000; i++) {
		one_access(g, 0x1000 + 16 * (i % 8));
		if (world_random(w) % 4 == 0)
			caller_out(g, 0x2000, DEVICE_FIRE, 1, 0);
		assert_int_equal(remote_state(g->r), REMOTE_UP);
	}
	assert_int_equal(w->series, expected);
	assert_int_equal(w->wrong, 0);
	assert_true(in_handlers > 100);
	assert_int_equal(remote_stats(g->r)->unknown, 0);
	assert_int_equal(remote_stats(g->r)->forgotten, 0);
	printf("%u numbers, %u interrupts, %u by handlers, %u s of virtual time\n", w->series,
	       g->interrupts, in_handlers, (u32)(w->now / (1000 * MS)));
	caller_free(g);
	world_free(w);
}

/* Tasks that are killed in their access leave their answers behind. */
static void never_fetched(void **state)
{
	struct world *w = world_new(3);
	struct caller *g = caller_new(w, 1, "peer", &profile_strict, REMOTE_FREEZE);
	u32 value;

	(void)state;
	assert_int_equal(caller_attach(g), REMOTE_UP);
	for (u32 i = 0; i < 20; i++) {
		assert_false(caller_try_in(g, 0x1000 + i, DEVICE_PORT, 4, &value));
		world_run(w, 10 * MS);
	}
	assert_int_equal(remote_stats(g->r)->forgotten, 12);
	assert_int_equal(caller_said(g, "never fetched"), 1);
	/* Those that come back late still find theirs, the oldest do not. */
	assert_true(caller_try_in(g, 0x1000 + 13, DEVICE_PORT, 4, &value));
	assert_int_equal(value, 13);
	assert_int_equal(caller_in(g, 0x1000, DEVICE_PORT, 4), 20);
	remote_guest_reset(g->r, w->now);
	assert_int_equal(caller_in(g, 0x1000 + 14, DEVICE_PORT, 4), 21);
	caller_free(g);
	world_free(w);
}

/* More accesses than the window holds wait their turn; none is lost, none runs twice. */
static void full_window(void **state)
{
	struct world *w = world_new(4);
	struct caller *g = caller_new(w, 1, "peer", &profile_strict, REMOTE_FREEZE);
	bool done[12] = {0};
	u32 left = 12, value;
	u64 seen = 0;

	(void)state;
	assert_int_equal(caller_attach(g), REMOTE_UP);
	world_run(w, 10 * MS);
	w->cut[0] = true;
	for (u32 i = 0; i < 12; i++)
		assert_false(caller_try_in(g, 0x1000 + i, DEVICE_PORT, 4, &value));
	assert_int_equal(requests(g), 1 + LINK_WINDOW);
	w->cut[0] = false;
	while (left > 0) {
		world_step(w, w->now + 1000 * MS);
		for (u32 i = 0; i < 12; i++) {
			if (done[i] || !caller_try_in(g, 0x1000 + i, DEVICE_PORT, 4, &value))
				continue;
			done[i] = true;
			left--;
			assert_true(value < 12 && !(seen & 1ull << value));
			seen |= 1ull << value;
		}
	}
	assert_int_equal(w->series, 12);
	caller_free(g);
	world_free(w);
}

static void irq_levels(void **state)
{
	struct world *w = world_new(5);
	struct caller *g = caller_new(w, 1, "peer", &profile_strict, REMOTE_FREEZE);

	(void)state;
	assert_int_equal(caller_attach(g), REMOTE_UP);
	caller_out(g, 1, DEVICE_FIRE, 1, 0);
	world_run(w, 10 * MS);
	assert_true(g->level);
	caller_out(g, 1, DEVICE_FIRE, 1, 0); /* masked at the peer until the guest's EOI */
	assert_int_equal(w->dropped_irqs, 1);
	remote_eoi(g->r, DEVICE_LINE + 1, w->now);
	assert_true(g->level);
	remote_eoi(g->r, DEVICE_LINE, w->now);
	assert_false(g->level);
	world_run(w, 10 * MS);
	assert_int_equal(w->server.lease[0].unended, 0);
	caller_out(g, 1, DEVICE_FIRE, 1, 0);
	world_run(w, 10 * MS);
	assert_int_equal(g->interrupts, 2);
	/* A reset guest ends nothing: the route does. */
	remote_guest_reset(g->r, w->now);
	assert_false(g->level);
	world_run(w, 10 * MS);
	assert_int_equal(w->server.lease[0].unended, 0);
	caller_free(g);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_round_trip_each), cmocka_unit_test(echo_wakes),
		cmocka_unit_test(exactly_once),	       cmocka_unit_test(never_fetched),
		cmocka_unit_test(full_window),	       cmocka_unit_test(irq_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
