/* SPDX-License-Identifier: BSD-2-Clause */
/* A remote route that posts nothing: every access once, in order, with others in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_caller.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_round_trip_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
