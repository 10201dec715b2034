/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding and leasing: every way in which that fails has its line; giving back; sharing a card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/net/support_caller.h"

#define SECOND (1000 * MS)

static const struct profile posting; /* below */

static const struct remote_config wanted = {.peer = "peer",
					    .range = {{DEVICE_PORT, DEVICE_LAST}},
					    .ranges = 1,
					    .irq = DEVICE_LINE,
					    .profile = &profile_strict};

static const char *description(const struct caller *g)
{
	static char text[200];

	remote_describe(g->r, text, sizeof(text));
	return text;
}

/* Within 5 s, and with the next attempt as good as the first. */
static void fails(struct world *w, const struct remote_config *c, const char *line)
{
	struct caller *g = caller_of(w, 1, c);
	u64 began = w->now;

	assert_int_equal(remote_state(g->r), REMOTE_OFF);
	assert_int_equal(caller_attach(g), REMOTE_FAILED);
	assert_true(w->now - began <= 5 * SECOND);
	assert_string_equal(description(g), line);
	assert_int_equal(caller_in(g, 1, DEVICE_PORT, 2), 0xffff);
	assert_int_equal(w->series, 0);
	world_run(w, SECOND);
	assert_int_equal(caller_attach(g), REMOTE_FAILED);
	assert_string_equal(description(g), line);
	caller_free(g);
}

static void nobody(void **state)
{
	struct world *w = world_new(1);
	struct remote_config c = wanted;

	(void)state;
	w->cut[0] = true;
	fails(w, &c, "failed: no answer from any peer (is it on, has it the same key?)");
	w->cut[0] = false;
	strcpy(c.peer, "pc-x");
	fails(w, &c, "failed: no peer and no export is called pc-x: heard of peer");
	c.peer[0] = 0;
	node_mac(c.mac, 7);
	fails(w, &c, "failed: no peer and no export is 52:54:00:00:00:08: heard of peer");
	world_free(w);
}

static void not_exported(void **state)
{
	struct world *w = world_new(2);
	struct remote_config c = wanted;

	(void)state;
	c.range[0] = (struct port_range){0x170, 0x177};
	fails(w, &c,
	      "failed: peer exports no 170-177: it exports device 300-307 308-30f irq 5, other "
	      "3f8-3ff irq 4");
	c = wanted;
	c.range[0].last++;
	fails(w, &c,
	      "failed: peer exports no 300-310: it exports device 300-307 308-30f irq 5, other "
	      "3f8-3ff irq 4");
	c = wanted;
	strcpy(c.peer, "other"); /* the export of that name, and no other one */
	fails(w, &c,
	      "failed: peer exports no 300-30f: it exports device 300-307 308-30f irq 5, other "
	      "3f8-3ff irq 4");
	c = wanted;
	c.irq = 7;
	fails(w, &c, "failed: peer exports no irq 7 with it: device 300-307 308-30f irq 5");
	c = wanted;
	c.dma = BIT(1);
	fails(w, &c, "failed: peer exports no dma 1 with it: device 300-307 308-30f irq 5");
	world_free(w);
}

static void held(void **state)
{
	struct world *w = world_new(3);

	(void)state;
	assert_true(world_lease(w, 2, SECOND));
	fails(w, &wanted,
	      "52:54:00:00:00:01 (peer) device: failed: device of peer is held by "
	      "another PC");
	/* It waits for 5 s: who lets go meanwhile makes room. */
	struct caller *g = caller_of(w, 1, &wanted);

	remote_attach(g->r, w->now);
	world_run(w, 2 * SECOND);
	assert_int_equal(remote_state(g->r), REMOTE_LOOKING);
	assert_true(client_release(&w->station[2].c, w->now));
	world_run(w, SECOND);
	assert_int_equal(remote_state(g->r), REMOTE_UP);
	caller_free(g);
	world_free(w);
}

/* A PC that crashed and comes up again gets what it held itself. */
static void held_by_us(void **state)
{
	struct world *w = world_new(4);
	struct caller *g = caller_of(w, 1, &wanted);

	(void)state;
	assert_int_equal(caller_attach(g), REMOTE_UP);
	caller_free(g);
	g = caller_of(w, 1, &wanted);
	assert_int_equal(caller_attach(g), REMOTE_UP);
	caller_free(g);
	world_free(w);
}

static void wrong_profile(void **state)
{
	struct world *w = world_new(5);
	struct remote_config c = wanted;

	(void)state;
	c.profile = profile_find("uart");
	fails(w, &c, "failed: profile uart: expected one range of 8 ports, such as 2f8-2ff");
	c.profile = profile_find("lpt");
	fails(w, &c, "failed: profile lpt: expected 3, 4 or 8 ports first, such as 378-37f");
	assert_ptr_equal(profile_find("strict"), &profile_strict);
	assert_null(profile_find("floppy"));
	world_free(w);
}

static void on_a_bad_segment(void **state)
{
	(void)state;
	for (u32 seed = 10; seed < 40; seed++) {
		struct world *w = world_new(seed);
		struct caller *g = caller_of(w, 1, &wanted);

		world_hostile(w);
		assert_int_equal(caller_attach(g), REMOTE_UP);
		caller_free(g);
		world_free(w);
	}
}

/* --- giving it back --- */

static bool posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)st;
	(void)width;
	(void)value;
	return port == DEVICE_PORT;
}

static const struct profile posting = {.name = "posting", .posts = posts};

static void detached(void **state)
{
	struct world *w = world_new(6);
	struct remote_config c = wanted;
	struct caller *g;
	u32 value;

	(void)state;
	c.profile = &posting;
	g = caller_of(w, 1, &c);
	assert_int_equal(caller_attach(g), REMOTE_UP);
	caller_out(g, 1, DEVICE_FIRE, 1, 0);
	world_run(w, 10 * MS);
	assert_true(g->level);
	assert_false(caller_try_in(g, 2, DEVICE_PORT, 4, &value));
	assert_true(caller_try_out(g, 3, DEVICE_PORT, 4, 1));
	remote_detach(g->r, w->now);
	assert_false(g->level);
	assert_int_equal(caller_in(g, 4, DEVICE_PORT, 4), 0xffffffff); /* floats already */
	world_run(w, 100 * MS);
	assert_int_equal(remote_state(g->r), REMOTE_OFF);
	assert_string_equal(description(g), "52:54:00:00:00:01 (peer) device: off");
	assert_int_equal(w->series, 2); /* what was posted arrived */
	assert_int_equal(w->wrong, 0);
	assert_true(caller_try_in(g, 2, DEVICE_PORT, 4, &value)); /* as did the answer */
	assert_int_equal(value, 0);
	assert_int_equal(w->quiesced, 1);
	assert_false(w->server.lease[0].active);
	assert_int_equal(g->said, 0);
	assert_int_equal(caller_attach(g), REMOTE_UP);
	assert_int_equal(caller_in(g, 4, DEVICE_PORT, 4), 2);
	/* A peer that is gone holds nobody up for long. */
	w->cut[0] = true;
	assert_false(caller_try_in(g, 2, DEVICE_PORT, 4, &value));
	remote_detach(g->r, w->now);
	world_run(w, 2100 * MS);
	assert_int_equal(remote_state(g->r), REMOTE_OFF);
	assert_int_equal(caller_said(g, "unknown outcome"), 1);
	/* While it is lost, or looked for, as well. */
	remote_attach(g->r, w->now);
	remote_detach(g->r, w->now);
	assert_int_equal(remote_state(g->r), REMOTE_OFF);
	caller_free(g);
	world_free(w);
}

/* --- two routes of one PC --- */

static void two_routes(void **state)
{
	struct world *w = world_new(7);
	struct remote_config c = {.peer = "other",
				  .range = {{OTHER_PORT, OTHER_PORT + 7}},
				  .ranges = 1,
				  .irq = 4,
				  .profile = &profile_strict};
	struct caller *a = caller_of(w, 1, &wanted), *b = caller_of(w, 1, &c);

	(void)state;
	remote_attach(a->r, w->now); /* at once: each offer finds the one that asked */
	assert_int_equal(caller_attach(b), REMOTE_UP);
	world_run(w, SECOND);
	assert_int_equal(remote_state(a->r), REMOTE_UP);
	for (u32 i = 0; i < 10; i++) {
		assert_int_equal(caller_in(a, 1, DEVICE_PORT, 4), i);
		assert_int_equal(caller_in(b, 1, OTHER_PORT, 1), 0xff);
	}
	remote_detach(a->r, w->now);
	world_run(w, SECOND);
	assert_int_equal(remote_state(a->r), REMOTE_OFF);
	assert_int_equal(remote_state(b->r), REMOTE_UP);
	assert_int_equal(caller_in(b, 1, OTHER_PORT, 1), 0xff);
	assert_int_equal(w->station[1].e.drops[DROP_SESSION], 0);
	caller_free(a);
	caller_free(b);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody),	 cmocka_unit_test(not_exported),
		cmocka_unit_test(held),		 cmocka_unit_test(held_by_us),
		cmocka_unit_test(wrong_profile), cmocka_unit_test(on_a_bad_segment),
		cmocka_unit_test(detached),	 cmocka_unit_test(two_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
