/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutated and invented frames at a server and a client in the middle of a session. Most of them get
 * a good tag again, so that bodies are read, too; those may be carried out, but only as they say,
 * each once and inside the lease (support_ledger.h). The others must change nothing. Each frame is
 * handled or counted as dropped. The number of frames is the argument, a million without one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_fuzz.h"
#include "tests/unit/net/support_ledger.h"
#include "tests/unit/net/support_sound.h"

#define FRAMES	1000000u
#define COOKIES 64u

static unsigned failures;
static u32 cookies[COOKIES], asked, answered; /* requests in their order */
static u32 sent, handled, counted;	      /* frames; counted: as dropped */

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

static void offer_to_ledger(const struct world *w, const struct flying *f)
{
	struct frame_view view;
	struct proto_header h;

	if (frame_parse(f->bytes, f->len, &view) &&
	    proto_peek(view.payload, view.len, &h) == PROTO_GOOD && h.type == PROTO_REQ &&
	    h.session == w->server.lease[0].session)
		ledger_offer(h.seq, proto_body(view.payload), h.length);
}

/* In a buffer of just its length, so that a sanitizer sees any byte read beyond. True: handled. */
static bool arrive(struct world *w, const struct flying *f)
{
	struct station *st = &w->station[1];
	const struct endpoint *e = f->to ? &st->e : &w->server.e;
	u64 before = fuzz_dropped(e), received = e->received;
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
	check(e->received == received + 1 && fuzz_dropped(e) - before <= 1,
	      "a frame is counted twice");
	return fuzz_dropped(e) == before;
}

static void drain(struct world *w)
{
	for (unsigned i = 0; i < FLYING; i++)
		w->flying[i].used = false;
}

/* True: handled. */
static bool one(struct world *w, struct flying *f)
{
	struct station *st = &w->station[1];
	u64 accesses = ledger_accesses();
	u32 done = st->done, unknown = st->unknown, interrupts = st->interrupts;
	struct fuzz_target t = {.session = &st->c.keys,
				.greeting = &st->e.greeting,
				.id = st->c.session,
				.request = w->server.lease[0].requests.expected,
				.reply = st->c.complete,
				.event = st->c.events.expected,
				.renewal = w->server.lease[0].renewals + 1,
				.nonce = st->c.secrets.client_nonce};
	bool good, taken;

	fuzz_frame(w, &t, world_random(w) % 2, f);
	good = fuzz_good_tag(&t, f);
	if (f->to == 0 && good)
		offer_to_ledger(w, f);
	taken = arrive(w, f);
	ledger_settle(taken);
	if (!good)
		check(!taken && ledger_accesses() == accesses && st->done == done &&
			      st->unknown == unknown && st->interrupts == interrupts,
		      "a frame without a good tag did something");
	check(w->outside == 0, "an access outside of the lease");
	check(!ledger_wrong(), ledger_wrong());
	return taken;
}

/* Each request is answered once and in order, also when the answer is that nobody knows. */
static void on_done(struct station *st, u32 cookie, enum client_outcome outcome,
		    const struct proto_header *h, const u8 *body)
{
	(void)st;
	(void)outcome;
	(void)h;
	(void)body;
	check(answered != asked && cookies[answered++ % COOKIES] == cookie,
	      "answers are not in the order of the requests");
}

/* One frame, and where it went. */
static void send_one(struct world *w)
{
	struct flying f;
	u64 before = fuzz_dropped(&w->server.e) + fuzz_dropped(&w->station[1].e);

	sent++;
	handled += one(w, &f);
	counted += fuzz_dropped(&w->server.e) + fuzz_dropped(&w->station[1].e) - before;
}

/* Frames while the handshake goes on. */
static void greet(struct world *w)
{
	struct client *c = &w->station[1].c;
	u8 mac[6];

	node_mac(mac, 0);
	client_lease(c, mac, "device", w->now);
	for (u32 n = 0; n < 64 && (c->state == CLIENT_CALLING || c->state == CLIENT_ASKING); n++) {
		world_run(w, MS / 32);
		send_one(w);
	}
	drain(w);
}

/* What the frames broke off begins anew. */
static void new_session(struct world *w)
{
	struct station *st = &w->station[1];
	u32 flags = (world_random(w) % 4) * SOUND_16BIT; /* 8 or 16 bits, plays or records */

	client_init(&st->c, &st->e, st->c.hooks, st);
	answered = asked;
	if (world_random(w) % 4)
		greet(w);
	check(world_lease(w, 1, 20000 * MS), "no lease any more");
	sound_out(w, SOUND_PORT, 64 | flags | SOUND_AGAIN);
	ledger_follow();
}

/* Time goes on, and there is always something open at either end. */
static void keep_open(struct world *w, u32 cookie)
{
	w->now += MS;
	sound_poll(w);
	server_poll(&w->server, w->now);
	ledger_follow();
	if (ask(&w->station[1], PROTO_IN, DEVICE_PORT, 1, 0, cookie))
		cookies[asked++ % COOKIES] = cookie;
	drain(w);
}

static void report(const struct world *w, u32 sessions)
{
	const struct station *st = &w->station[1];

	for (unsigned i = 0; i < DROPS; i++)
		printf("%-10s %u at the server, %u at the client\n", drop_name((enum drop)i),
		       (u32)w->server.e.drops[i], (u32)st->e.drops[i]);
	printf("%u frames: %u handled, %u dropped; %u sessions, %u accesses, %u bytes by "
	       "DMA, %u answers\n",
	       sent, handled, counted, sessions, (u32)ledger_accesses(), w->sound->moved, st->done);
}

int main(int argc, char **argv)
{
	u32 frames = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : FRAMES;
	struct world *w = world_new(21);
	struct station *st = &w->station[1];
	u32 sessions = 0;

	record_session(w);
	ledger_attach(w);
	fuzz_channels(w);
	st->on_done = on_done;
	for (u32 i = 0; sent < frames && !failures; i++) {
		if (i % 4096 == 0 ||
		    (i % 16 == 0 && (st->c.state != CLIENT_LEASED || !w->server.lease[0].active))) {
			new_session(w);
			sessions++;
		}
		if (i % 16 == 0)
			keep_open(w, i);
		send_one(w);
		drain(w);
	}
	report(w, sessions);
	check(sent == handled + counted, "sent is not handled and dropped together");
	check(ledger_accesses() > frames / 100, "too few were carried out");
	check(st->done > frames / 1000, "too few were answered");
	check(w->sound->moved > frames / 100, "too little DMA");
	printf("%u passed, %u failed\n", !failures, failures);
	world_free(w);
	return failures != 0;
}
