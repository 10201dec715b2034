/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading ahead: data before the guest asks, in order, once, or void; and interrupts after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_caller.h"

/* A device whose command (a byte count) makes so many bytes of the series readable. */
#define COMMAND (DEVICE_LAST - 3) /* 32 bits */
#define STATUS	DEVICE_READY
#define ABORT	(DEVICE_LAST - 4)

enum { LEFT, PEEKED, FOLLOWS }; /* the profile's words */

static bool posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)st;
	(void)width;
	(void)value;
	return port == COMMAND || port == ABORT;
}

static void wrote(struct profile_state *st, u16 port, unsigned width, const u8 *data, u32 count)
{
	(void)count;
	if (port == ABORT)
		st->word[LEFT] = 0;
	if (port == COMMAND)
		st->word[LEFT] = width == 4 ? proto_get32(data) : data[0];
}

static void was_read(struct profile_state *st, u16 port, unsigned width, u8 *data, u32 count)
{
	u32 bytes = width * count;

	(void)data;
	if (port == DEVICE_PORT)
		st->word[LEFT] -= bytes < st->word[LEFT] ? bytes : st->word[LEFT];
}

static u32 ahead(struct profile_state *st, u16 port)
{
	return port == DEVICE_PORT ? st->word[LEFT] : 0;
}

static bool known(struct profile_state *st, u16 port, unsigned width, u32 buffered, u32 *value)
{
	(void)st;
	*value = 0x58;
	return port == STATUS && width == 1 && buffered;
}

static bool drops_ahead(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)st;
	(void)width;
	(void)value;
	return port == ABORT;
}

static u16 after_ahead(struct profile_state *st)
{
	(void)st;
	return DEVICE_IRQS;
}

static void peeked(struct profile_state *st, u16 port, u32 value)
{
	(void)port;
	st->word[PEEKED] = value + 1;
}

static const struct profile reading = {.name = "reading",
				       .posts = posts,
				       .wrote = wrote,
				       .read = was_read,
				       .ahead = ahead,
				       .known = known,
				       .drops_ahead = drops_ahead};
static const struct profile peeking = {.name = "peeking",
				       .posts = posts,
				       .wrote = wrote,
				       .read = was_read,
				       .ahead = ahead,
				       .after_ahead = after_ahead,
				       .peeked = peeked};

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

static void check_words(const u16 *data, u32 count, u32 first)
{
	for (u32 i = 0; i < count; i++)
		assert_int_equal(data[i], (u16)(first + i));
}

/* Command and data in one request, one round trip; the data is there before it is asked for. */
static void one_request(void **state)
{
	struct world *w = world_new(1);
	struct caller *g = start(w, &reading);
	u32 before = requests(g);
	u16 data[256];

	(void)state;
	caller_out(g, 1, COMMAND, 4, 512);
	assert_int_equal(requests(g), before + 1);
	world_run(w, 10 * MS);
	check_words(data, 0, 0);
	caller_ins(g, 2, DEVICE_PORT, 2, data, 256);
	check_words(data, 256, 0);
	assert_int_equal(requests(g), before + 1);
	assert_int_equal(remote_stats(g->r)->waits, 0);
	/* In whatever pieces, and no byte more than that */
	caller_out(g, 1, COMMAND, 4, 512);
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(caller_in(g, 3, DEVICE_PORT, 2), 256 + i);
	assert_int_equal(remote_stats(g->r)->waits, 1);
	assert_int_equal(caller_in(g, 4, DEVICE_PORT, 4), 266 | 267 << 16);
	caller_ins(g, 2, DEVICE_PORT, 4, data, 122);
	check_words(data, 244, 268);
	assert_int_equal(w->series, 512);
	/* What comes after the last byte is read from the device again. */
	assert_int_equal(caller_in(g, 3, DEVICE_PORT, 2), 512);
	assert_int_equal(requests(g), before + 3);
	caller_free(g);
	world_free(w);
}

/* Large blocks keep several requests under way: about one round trip for all of it. */
static void window(void **state)
{
	struct world *w = world_new(2);
	struct caller *g = start(w, &reading);
	static u16 data[32768];
	u32 before = requests(g);
	u64 began = w->now;

	(void)state;
	caller_out(g, 1, COMMAND, 4, 8192);
	caller_ins(g, 2, DEVICE_PORT, 2, data, 4096);
	check_words(data, 4096, 0);
	assert_int_equal(requests(g), before + 6);
	assert_true(w->now - began < MS / 5); /* a round trip is 0.1 ms */
	/* More than the FIFO holds */
	caller_out(g, 1, COMMAND, 4, sizeof(data));
	caller_ins(g, 2, DEVICE_PORT, 2, data, ARRAY_SIZE(data));
	check_words(data, ARRAY_SIZE(data), 4096);
	assert_int_equal(w->series, 4096 + 32768);
	caller_free(g);
	world_free(w);
}

static void known_meanwhile(void **state)
{
	struct world *w = world_new(3);
	struct caller *g = start(w, &reading);
	u32 before = requests(g);
	u16 data[256];

	(void)state;
	caller_out(g, 1, COMMAND, 4, 512);
	assert_int_equal(caller_in(g, 2, STATUS, 1), 0x58);
	assert_int_equal(requests(g), before + 1);
	caller_ins(g, 3, DEVICE_PORT, 2, data, 256);
	w->ready_at = w->now;
	assert_int_equal(caller_in(g, 2, STATUS, 1), 0x80);
	assert_int_equal(requests(g), before + 2);
	caller_free(g);
	world_free(w);
}

static void dropped(void **state)
{
	struct world *w = world_new(4);
	struct caller *g = start(w, &reading);
	u16 data[256];

	(void)state;
	/* while it is there, and while it is under way */
	for (u32 i = 0; i < 2; i++) {
		u32 series = w->series;

		caller_out(g, 1, COMMAND, 4, 8192);
		caller_ins(g, 2, DEVICE_PORT, 2, data, 16);
		check_words(data, 16, series);
		world_run(w, i ? 0 : 10 * MS);
		caller_out(g, 3, ABORT, 1, 0);
		assert_int_equal(caller_in(g, 4, DEVICE_PORT, 2), (u16)(series + 4096));
		assert_int_equal(w->series, series + 4097);
		caller_out(g, 1, COMMAND, 4, 512);
		caller_ins(g, 2, DEVICE_PORT, 2, data, 256);
		check_words(data, 256, series + 4097);
	}
	caller_free(g);
	world_free(w);
}

/* A drive raises its line for the next block once the last byte of this one was read. */
static void interrupt_after_data(void **state)
{
	struct world *w = world_new(5);
	struct caller *g = start(w, &reading);
	u16 data[256];

	(void)state;
	caller_out(g, 1, COMMAND, 4, 512);
	caller_out(g, 2, DEVICE_FIRE, 1, 0);
	world_run(w, 10 * MS);
	assert_int_equal(w->fired, 1);
	assert_false(g->level);
	caller_ins(g, 3, DEVICE_PORT, 2, data, 255);
	assert_false(g->level);
	caller_ins(g, 3, DEVICE_PORT, 2, data, 1);
	assert_true(g->level);
	remote_eoi(g->r, DEVICE_LINE, w->now);
	world_run(w, 10 * MS);
	/* A guest that takes nothing may be waiting for the interrupt itself. */
	caller_out(g, 1, COMMAND, 4, 512);
	caller_out(g, 2, DEVICE_FIRE, 1, 0);
	world_run(w, 90 * MS);
	assert_false(g->level);
	caller_ins(g, 3, DEVICE_PORT, 2, data, 10);
	world_run(w, 90 * MS);
	assert_false(g->level);
	world_run(w, 20 * MS);
	assert_true(g->level);
	caller_ins(g, 3, DEVICE_PORT, 2, data, 246);
	remote_eoi(g->r, DEVICE_LINE, w->now);
	world_run(w, 10 * MS);
	/* Void data holds up nothing, nor does it after a reset. */
	caller_out(g, 1, COMMAND, 4, 512);
	caller_out(g, 2, DEVICE_FIRE, 1, 0);
	world_run(w, 10 * MS);
	assert_false(g->level);
	caller_out(g, 4, ABORT, 1, 0);
	assert_true(g->level);
	remote_guest_reset(g->r, w->now);
	world_run(w, 10 * MS);
	assert_false(g->level);
	assert_int_equal(w->server.lease[0].unended, 0);
	caller_free(g);
	world_free(w);
}

static void looks_behind_the_data(void **state)
{
	struct world *w = world_new(6);
	struct caller *g = start(w, &peeking);
	u32 before = requests(g);
	u16 data[4096];

	(void)state;
	w->record = true;
	caller_out(g, 1, COMMAND, 4, sizeof(data));
	caller_ins(g, 2, DEVICE_PORT, 2, data, ARRAY_SIZE(data));
	check_words(data, ARRAY_SIZE(data), 0);
	assert_int_equal(requests(g), before + 6);
	caller_free(g);
	world_free(w);
}

/* --- data read along with the status --- */

static u32 followed;

static bool follow(struct profile_state *st, u16 port, unsigned width, struct profile_follow *f)
{
	(void)width;
	if (port != STATUS)
		return false;
	*f = (struct profile_follow){
		.mask = 0x80, .wanted = 0x80, .data = DEVICE_PORT, .bytes = 512};
	st->word[FOLLOWS] = 1;
	return true;
}

static void status_read(struct profile_state *st, u16 port, unsigned width, u8 *data, u32 count)
{
	if (port == STATUS && data[0] & 0x80 && st->word[FOLLOWS]) {
		st->word[LEFT] = 512;
		st->word[FOLLOWS] = 0;
		followed++;
	}
	was_read(st, port, width, data, count);
}

static bool poll_status(struct profile_state *st, u16 port, unsigned width, u32 repeats, u32 last,
			struct profile_poll *poll)
{
	(void)st;
	(void)width;
	(void)last;
	if (port != STATUS || !repeats)
		return false;
	*poll = (struct profile_poll){.mask = 0x80, .value = 0x80, .max_us = 50000};
	return true;
}

static const struct profile following = {.name = "following",
					 .read = status_read,
					 .ahead = ahead,
					 .follow = follow,
					 .poll = poll_status};

static void status_and_data(void **state)
{
	struct world *w = world_new(7);
	struct caller *g = start(w, &following);
	u32 before = requests(g), series = 0;
	u16 data[256];

	(void)state;
	followed = 0;
	for (u32 i = 0; i < 3; i++) {
		w->ready_at = 0;
		assert_int_equal(caller_in(g, 1 + i, STATUS, 1), 0x80);
		caller_ins(g, 2, DEVICE_PORT, 2, data, 256);
		check_words(data, 256, series);
		series += 256;
		assert_int_equal(requests(g), before + i + 1); /* one round trip a block */
	}
	/* not ready: nothing is read along, and the guest gets what there is */
	w->ready_at = w->now + 20 * MS;
	assert_int_equal(caller_in(g, 5, STATUS, 1), 0);
	assert_int_equal(w->series, series);
	assert_int_equal(caller_in(g, 5, STATUS, 1), 0x80); /* a POLL, and the data with it */
	assert_int_equal(requests(g), before + 5);
	caller_ins(g, 2, DEVICE_PORT, 2, data, 256);
	check_words(data, 256, series);
	assert_int_equal(requests(g), before + 5);
	assert_int_equal(followed, 4);
	caller_free(g);
	world_free(w);
}

/* Everything at once over a bad segment. */
static void bad_segment(void **state)
{
	struct world *w = world_new(8);
	struct caller *g = start(w, &reading);
	static u16 data[8192];
	u32 series = 0;

	(void)state;
	world_hostile(w);
	for (u32 i = 0; i < 400; i++) {
		u32 bytes = 2 + world_random(w) % (sizeof(data) - 2) / 2 * 2, n = 0;

		caller_out(g, 1, COMMAND, 4, bytes);
		while (n < bytes / 2) {
			u32 count = 1 + world_random(w) % (bytes / 2 - n);

			caller_ins(g, 2, DEVICE_PORT, 2, data + n, count);
			n += count;
			if (world_random(w) % 4 == 0)
				caller_in(g, 3, STATUS, 1);
		}
		check_words(data, bytes / 2, series);
		series += bytes / 2;
		if (world_random(w) % 4 == 0) {
			caller_out(g, 1, COMMAND, 4, 512);
			caller_out(g, 4, ABORT, 1, 0);
			caller_in(g, 3, STATUS, 1); /* after all that was on its way */
			series = w->series;
		}
	}
	world_run(w, 1000 * MS);
	assert_int_equal(w->series, series);
	printf("%u words in %u requests\n", series, requests(g));
	caller_free(g);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request),		cmocka_unit_test(window),
		cmocka_unit_test(known_meanwhile),	cmocka_unit_test(dropped),
		cmocka_unit_test(interrupt_after_data), cmocka_unit_test(looks_behind_the_data),
		cmocka_unit_test(status_and_data),	cmocka_unit_test(bad_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
