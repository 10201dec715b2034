/* SPDX-License-Identifier: BSD-2-Clause */
/* Posted writes: what goes together in one request, when it goes, and that nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_caller.h"

#define US 1000ull

/* All writes but the one that raises the interrupt. */
static bool posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)st;
	(void)width;
	(void)value;
	return port != DEVICE_FIRE;
}

static u16 settle(struct profile_state *st, u16 port, unsigned width)
{
	(void)st;
	(void)width;
	return port == DEVICE_READY ? 7 : 0;
}

static const struct profile posting = {.name = "posting", .posts = posts, .settle = settle};
static const struct profile timed = {.name = "timed", .posts = posts, .timed = true};

static u32 requests(const struct caller *g)
{
	return (u32)remote_stats(g->r)->requests;
}

static struct caller *start(struct world *w, const struct profile *p)
{
	struct caller *g = caller_new(w, 1, "peer", p, REMOTE_FREEZE);

	assert_int_equal(caller_attach(g), REMOTE_UP);
	world_run(w, 10 * MS);
	return g;
}

/* The operations of the newest request that went by. */
static unsigned last_request(const struct world *w, struct proto_op *ops, unsigned max)
{
	for (u32 i = w->recorded; i-- > 0;) {
		struct frame_view view;
		struct proto_header h;
		unsigned n = 0;
		u32 at = 0;

		if (w->recording[i].to ||
		    !frame_parse(w->recording[i].bytes, w->recording[i].len, &view) ||
		    proto_peek(view.payload, view.len, &h) != PROTO_GOOD || h.type != PROTO_REQ)
			continue;
		while (n < max &&
		       proto_next(proto_body(view.payload), &h, false, &at, &ops[n]) == 1)
			n++;
		return n;
	}
	return 0;
}

static void combined(void **state)
{
	struct world *w = world_new(1);
	struct caller *g = start(w, &posting);
	u32 before = requests(g), value;
	struct proto_op op[8];
	u64 now = w->now;

	(void)state;
	w->record = true;
	/* Sixteen writes: one operation in one request, and no time passes for the guest. */
	for (u32 i = 0; i < 16; i++)
		assert_true(caller_try_out(g, 1, DEVICE_PORT, 1, i));
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 2, 16)); /* another width */
	assert_true(caller_try_out(g, 1, DEVICE_LAST, 1, 0));  /* another port */
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 1, 17));
	assert_int_equal(w->now, now);
	assert_int_equal(requests(g), before);
	/* The read takes them along. */
	assert_false(caller_try_in(g, 2, DEVICE_PORT, 4, &value));
	assert_int_equal(requests(g), before + 1);
	assert_int_equal(last_request(w, op, 8), 5);
	assert_int_equal(op[0].opcode, PROTO_OUTS);
	assert_int_equal(op[0].count, 16);
	assert_int_equal(op[1].opcode, PROTO_OUT);
	assert_int_equal(op[1].width, 2);
	assert_int_equal(op[2].addr, DEVICE_LAST);
	assert_int_equal(op[3].opcode, PROTO_OUT);
	assert_int_equal(op[4].opcode, PROTO_IN);
	assert_int_equal(caller_in(g, 2, DEVICE_PORT, 4), 18);
	assert_int_equal(w->wrong, 0);
	assert_int_equal(remote_stats(g->r)->posted, 19);
	assert_int_equal(remote_stats(g->r)->waits, 1);
	/* A pause before the read where the device needs one after writes, and only then. */
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 4, 19));
	caller_in(g, 2, DEVICE_READY, 1);
	assert_int_equal(last_request(w, op, 8), 3);
	assert_int_equal(op[1].opcode, PROTO_DELAY);
	assert_int_equal(op[1].count, 7);
	caller_in(g, 2, DEVICE_READY, 1);
	assert_int_equal(last_request(w, op, 8), 1);
	caller_free(g);
	world_free(w);
}

static void sent_by_time_and_order(void **state)
{
	struct world *w = world_new(2);
	struct caller *g = start(w, &posting);
	u32 before = requests(g), series = 0;
	u64 began = w->now;

	(void)state;
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 4, series++));
	assert_int_equal(remote_deadline(g->r), began + 200 * US);
	world_run(w, 100 * US);
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 4, series++)); /* counts from the first */
	world_run(w, 99 * US);
	assert_int_equal(requests(g), before);
	world_run(w, 1 * US);
	assert_int_equal(requests(g), before + 1);
	world_run(w, 10 * MS);
	assert_int_equal(w->series, 2);
	/* flush, and a strict write */
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 4, series++));
	remote_flush(g->r, w->now);
	assert_int_equal(requests(g), before + 2);
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 4, series++));
	caller_out(g, 2, DEVICE_FIRE, 1, 0);
	assert_int_equal(requests(g), before + 3);
	world_run(w, 10 * MS);
	assert_true(g->level);
	/* the end of the interrupt comes after them */
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 4, series++));
	remote_eoi(g->r, DEVICE_LINE, w->now);
	assert_int_equal(requests(g), before + 5);
	world_run(w, 10 * MS);
	assert_int_equal(w->series, series);
	assert_int_equal(w->wrong, 0);
	assert_int_equal(w->server.lease[0].unended, 0);
	caller_free(g);
	world_free(w);
}

static void blocks(void **state)
{
	struct world *w = world_new(3);
	struct caller *g = start(w, &posting);
	u32 before = requests(g), series = 0;
	u16 data[2000];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(data); i++)
		data[i] = (u16)(series + 1 + i);
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 2, series++));
	caller_outs(g, 2, DEVICE_PORT, 2, data, ARRAY_SIZE(data));
	series += ARRAY_SIZE(data);
	assert_int_equal(caller_in(g, 3, DEVICE_PORT, 4), series++);
	/* 4002 bytes: two full requests, and the rest with the read */
	assert_int_equal(requests(g), before + 3);
	assert_int_equal(w->series, series);
	assert_int_equal(w->wrong, 0);
	caller_free(g);
	world_free(w);
}

static void pauses(void **state)
{
	struct world *w = world_new(4);
	struct caller *g = start(w, &timed);
	u32 before = requests(g);
	struct proto_op op[8];

	(void)state;
	w->record = true;
	assert_true(caller_try_out(g, 1, DEVICE_LAST, 1, 1));
	w->now += 3 * US + 400;
	assert_true(caller_try_out(g, 1, DEVICE_LAST, 1, 2));
	w->now += 900;
	assert_true(caller_try_out(g, 1, DEVICE_LAST, 1, 3));
	w->now += 150 * US;
	assert_true(caller_try_out(g, 1, DEVICE_LAST - 1, 1, 4));
	remote_flush(g->r, w->now);
	assert_int_equal(requests(g), before + 1);
	assert_int_equal(last_request(w, op, 8), 5);
	assert_int_equal(op[0].opcode, PROTO_OUT);
	assert_int_equal(op[1].opcode, PROTO_DELAY);
	assert_int_equal(op[1].count, 3);
	assert_int_equal(op[2].opcode, PROTO_OUTS);
	assert_int_equal(op[2].count, 2);
	assert_int_equal(op[3].opcode, PROTO_DELAY);
	assert_int_equal(op[3].count, 150);
	caller_free(g);
	world_free(w);
}

/* While nothing is answered, writes are taken until window and request are full, then wait. */
static void backpressure(void **state)
{
	struct world *w = world_new(5);
	struct caller *g = start(w, &posting);
	u32 taken = 0, value;

	(void)state;
	w->cut[0] = true;
	while (taken < 20000 && caller_try_out(g, 1, DEVICE_PORT, 4, taken))
		taken++;
	assert_int_equal(taken, (LINK_WINDOW + 1) * 364);
	assert_false(caller_try_out(g, 1, DEVICE_PORT, 4, taken));
	assert_false(caller_try_in(g, 2, DEVICE_PORT, 4, &value));
	w->cut[0] = false;
	for (u32 i = 0; i < 2000; i++)
		caller_out(g, 1, DEVICE_PORT, 4, taken++);
	assert_int_equal(caller_in(g, 2, DEVICE_PORT, 4), taken);
	assert_int_equal(w->wrong, 0);
	assert_int_equal(w->series, taken + 1);
	caller_free(g);
	world_free(w);
}

static void random_access(struct caller *g, u32 *series, bool (*post)(struct world *))
{
	u32 data[900], count = 1 + world_random(g->w) % ARRAY_SIZE(data), first = *series;

	if (post(g->w)) {
		caller_out(g, 1, DEVICE_PORT, 4, (*series)++);
		return;
	}
	switch (world_random(g->w) % 4) {
	case 0:
		*series += 1;
		assert_int_equal(caller_in(g, 2, DEVICE_PORT, 4), first);
		break;
	case 1:
		*series += count;
		caller_ins(g, 3, DEVICE_PORT, 4, data, count);
		assert_int_equal(data[0], first);
		assert_int_equal(data[count - 1], first + count - 1);
		break;
	case 2:
		for (u32 i = 0; i < count; i++)
			data[i] = (*series)++;
		caller_outs(g, 4, DEVICE_PORT, 4, data, count);
		break;
	default:
		caller_out(g, 5, DEVICE_FIRE, 1, 0);
		if (world_random(g->w) % 2)
			world_run(g->w, world_random(g->w) % 400 * US);
		break;
	}
}

static bool mostly(struct world *w)
{
	return world_random(w) % 8 != 0;
}

static void end_interrupt(struct caller *g)
{
	if (g->level)
		remote_eoi(g->r, DEVICE_LINE, g->w->now);
}

static void exactly_once(void **state)
{
	struct world *w = world_new(6);
	struct caller *g = start(w, &posting);
	u32 series = 0;

	(void)state;
	world_hostile(w);
	g->handler = end_interrupt;
	for (u32 i = 0; i < 20000; i++)
		random_access(g, &series, mostly);
	assert_int_equal(caller_in(g, 2, DEVICE_PORT, 4), series);
	assert_int_equal(w->series, series + 1);
	assert_int_equal(w->wrong, 0);
	assert_true(g->interrupts > 50);
	printf("%u numbers in %u requests, %u interrupts\n", w->series, requests(g), g->interrupts);
	caller_free(g);
	world_free(w);
}

/* The server stops at what it refuses: what was posted after it did not happen, and is named. */
static void refused(void **state)
{
	struct world *w = world_new(7);
	struct caller *g = start(w, &posting);

	(void)state;
	w->server.export[0].range[0].last = DEVICE_PORT + 3; /* DEVICE_IRQS is no longer its */
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 4, 0));
	assert_true(caller_try_out(g, 1, DEVICE_IRQS, 1, 0x41));
	assert_true(caller_try_out(g, 1, DEVICE_PORT, 4, 7));
	assert_int_equal(caller_in(g, 2, DEVICE_PORT, 4), 1); /* sent again, as it did not run */
	assert_int_equal(w->wrong, 0);
	assert_int_equal(caller_said(g, "OUT 1 byte to 0x304"), 1);
	assert_int_equal(caller_said(g, "refused by the peer"), 1);
	assert_int_equal(
		caller_said(g,
			    "OUT 4 bytes to 0x300 (0x7): not carried out, as one before it failed"),
		1);
	assert_int_equal(caller_in(g, 2, DEVICE_IRQS, 1), 0xff);
	assert_int_equal(caller_said(g, "IN 1 byte from 0x304: refused by the peer"), 1);
	assert_int_equal(remote_stats(g->r)->unknown, 0);
	caller_free(g);
	world_free(w);
}

/* --- a UART and a printer behind their profiles --- */

static void uart(void **state)
{
	struct world *w = world_new(8);
	struct remote_config c = {.peer = "other",
				  .range = {{OTHER_PORT, OTHER_PORT + 7}},
				  .ranges = 1,
				  .irq = 4,
				  .profile = profile_find("uart")};
	struct caller *g = caller_of(w, 1, &c);
	struct proto_op op[8];
	u32 before;

	(void)state;
	assert_int_equal(caller_attach(g), REMOTE_UP);
	world_run(w, 10 * MS);
	before = requests(g);
	w->record = true;
	for (u32 i = 0; i < 16; i++)
		assert_true(caller_try_out(g, 1, OTHER_PORT, 1, i));
	world_run(w, 10 * MS);
	assert_int_equal(requests(g), before + 1);
	assert_int_equal(last_request(w, op, 8), 1);
	assert_int_equal(op[0].opcode, PROTO_OUTS);
	assert_int_equal(op[0].count, 16);
	caller_free(g);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(combined),	cmocka_unit_test(sent_by_time_and_order),
		cmocka_unit_test(blocks),	cmocka_unit_test(pauses),
		cmocka_unit_test(backpressure), cmocka_unit_test(exactly_once),
		cmocka_unit_test(refused),	cmocka_unit_test(uart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
