/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutated frames at a server and a client in the middle of a session. Half of them get a good tag
 * again, so that bodies are read, too; those may be carried out, but only inside the lease. The
 * others must change nothing. The number of frames is the argument, a million without one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support.h"

#define FRAMES 1000000u

static unsigned failures;

static void check(bool ok, const char *what)
{
	if (!ok && failures++ < 5)
		printf("%s\n", what);
}

/* A little of everything, recorded. */
static void record_session(struct world *w)
{
	struct station *st = &w->station[1];
	struct discovery d = {0};

	w->record = true;
	discover(&d, &w->station[1].e);
	check(world_lease(w, 1, 1000 * MS), "no lease");
	ask(st, PROTO_IRQ_UNMASK, DEVICE_LINE, 1, 0, 0);
	for (u32 i = 0; i < 40; i++) {
		ask(st, PROTO_IN, DEVICE_PORT, 1, 0, i);
		ask(st, PROTO_INS, DEVICE_PORT, (u16)(i * 9), 0, i);
		ask(st, PROTO_OUT, DEVICE_FIRE, 1, 0, i);
		ask(st, PROTO_POLL, DEVICE_READY, 200, 0x80, i);
		ask(st, PROTO_DELAY, 0, 60000, 0, i);
		client_cancel(&st->c, i, w->now);
		world_run(w, 20 * MS);
	}
	world_run(w, 5000 * MS);
	check(client_release(&st->c, w->now), "requests are open");
	world_run(w, 1000 * MS);
	w->record = false;
}

/* What anyone with the key could sign: not for forgery, but to reach what lies behind the tag. */
static void sign(struct world *w, struct flying *f)
{
	struct station *st = &w->station[1];
	const struct session_keys *keys = &st->c.keys;
	struct frame_view view;
	struct proto_header h;
	struct proto_writer pw;
	u8 *payload;

	if (!frame_parse(f->bytes, f->len, &view) ||
	    proto_peek(view.payload, view.len, &h) != PROTO_GOOD)
		return;
	if (h.type <= PROTO_AUTH2 || h.type == PROTO_NAK)
		keys = &st->e.greeting;
	payload = f->bytes + (view.payload - f->bytes);
	if (h.type == PROTO_REQ && world_random(w) % 2)
		h.seq = w->server.lease[0].requests.expected;
	if (h.type == PROTO_REP && world_random(w) % 2)
		h.seq = st->c.complete;
	if (h.type == PROTO_EVT && world_random(w) % 2)
		h.seq = st->c.events.expected;
	if (h.type == PROTO_RENEW && world_random(w) % 2)
		h.seq = w->server.lease[0].renewals + 1;
	if (world_random(w) % 4)
		h.session = st->c.session;
	proto_begin(&pw, payload, PROTO_OPS_MAX);
	pw.len = h.length;
	pw.ops = h.ops;
	proto_seal(&pw, &h, f->to ? keys->to_client : keys->to_server, view.dst, view.src);
}

static void mutate(struct world *w, struct flying *f, bool body)
{
	u32 start = body && f->len > 42 ? 42 : 0;

	for (u32 n = 1 + world_random(w) % 4; n > 0; n--) {
		u32 at = start + world_random(w) % (f->len - start);

		switch (world_random(w) % 4) {
		case 0:
			f->bytes[at] ^= (u8)(1 << world_random(w) % 8);
			break;
		case 1:
			f->bytes[at] = (u8)world_random(w);
			break;
		case 2:
			f->bytes[at] = world_random(w) % 2 ? 0xff : 0;
			break;
		default:
			if (world_random(w) % 8 == 0)
				f->len = 1 + world_random(w) % f->len;
			start = start < f->len ? start : 0;
			break;
		}
	}
}

/* In a buffer of just its length, so that a sanitizer sees any byte read beyond. */
static void arrive(struct world *w, const struct flying *f)
{
	struct station *st = &w->station[1];
	struct packet p;
	u8 *exact = malloc(f->len);

	if (!exact)
		exit(1);
	memcpy(exact, f->bytes, f->len);
	if (f->to == 0)
		server_receive(&w->server, exact, f->len, w->now);
	else if (endpoint_open(&st->e, exact, f->len, &p) && !client_receive(&st->c, &p, w->now))
		endpoint_drop(&st->e, DROP_SESSION);
	free(exact);
}

static void drain(struct world *w)
{
	for (unsigned i = 0; i < FLYING; i++)
		w->flying[i].used = false;
}

static void one(struct world *w, struct flying *f)
{
	u32 series = w->series, done = w->station[1].done, unknown = w->station[1].unknown;
	bool good_tag = world_random(w) % 2;
	unsigned to = world_random(w) % 2;

	do
		*f = w->recording[world_random(w) % w->recorded];
	while (f->to != to);
	mutate(w, f, good_tag);
	if (good_tag)
		sign(w, f);
	arrive(w, f);
	if (!good_tag)
		check(w->series == series && w->station[1].done == done &&
			      w->station[1].unknown == unknown,
		      "a frame without a good tag did something");
	check(w->outside == 0, "an access outside of the lease");
	drain(w);
}

int main(int argc, char **argv)
{
	u32 frames = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : FRAMES;
	struct world *w = world_new(21);
	struct station *st = &w->station[1];
	struct flying f;
	u32 sessions = 1, dropped = 0;

	record_session(w);
	for (u32 i = 0; i < frames && !failures; i++) {
		if (i % 4096 == 0 ||
		    (i % 16 == 0 && (st->c.state != CLIENT_LEASED || !w->server.lease[0].active))) {
			/* What the frames broke off begins anew. */
			client_init(&st->c, &st->e, st->c.hooks, st);
			check(world_lease(w, 1, 20000 * MS), "no lease any more");
			sessions++;
		}
		if (i % 64 == 0) { /* always something open at either end */
			w->now += MS;
			server_poll(&w->server, w->now); /* what time brings, apart */
			ask(st, PROTO_IN, DEVICE_PORT, 1, 0, i);
			drain(w);
		}
		one(w, &f);
	}
	for (unsigned i = 0; i < DROPS; i++) {
		dropped += (u32)(w->server.e.drops[i] + st->e.drops[i]);
		printf("%-10s %u at the server, %u at the client\n", drop_name((enum drop)i),
		       (u32)w->server.e.drops[i], (u32)st->e.drops[i]);
	}
	check(dropped > frames / 2, "too few were dropped");
	check(w->series > 1000 && st->done > 1000, "too few were carried out");
	printf("%u frames, %u sessions, %u numbers, %u answers\n", frames, sessions, w->series,
	       st->done);
	printf("%u passed, %u failed\n", !failures, failures);
	world_free(w);
	return failures != 0;
}
