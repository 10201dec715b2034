/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutated and invented frames at a client whose guest has DMA channels running. Whatever the peer
 * says it moved, the guest's memory changes nowhere but in the buffer that the guest programmed for
 * it, and not even there when the device takes bytes. What has no good tag changes nothing at all.
 * The number of frames is the argument, 200000 without.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_fuzz.h"
#include "tests/unit/net/support_sound.h"

#define FRAMES	200000u
#define SESSION 2048u /* frames */
#define ADDRESS 0x40000u
#define BYTES	4096u
#define CANARY	0xa5

static unsigned failures;

static void check(bool ok, const char *what)
{
	if (!ok && failures++ < 5)
		printf("%s\n", what);
}

/* --- the guest --- */

static struct {
	unsigned channel;
	u8 mode;
} guest;

static void program(struct player *p)
{
	static const u8 modes[] = {0x58, 0x48, 0x54, 0x44};
	u32 bytes = 2 + world_random(p->w) % (BYTES - 2);

	guest.mode = modes[world_random(p->w) % ARRAY_SIZE(modes)];
	memset(p->ram, CANARY, PLAYER_RAM);
	player_program(p, guest.channel, guest.mode, ADDRESS, bytes & ~1u);
}

static void act(struct player *p)
{
	switch (world_random(p->w) % 8) {
	case 0:
		program(p);
		break;
	case 1:
		player_mask(p, guest.channel, true);
		break;
	case 2:
		player_mask(p, guest.channel, false);
		break;
	default:
		player_left(p, guest.channel);
		break;
	}
	if (remote_dma_flush(&p->remote, p->w->now))
		ask(p->st, PROTO_IN, SOUND_STATUS, 1, 0, 2);
}

static bool untouched(const u8 *p, u32 len)
{
	return p[0] == CANARY && !memcmp(p, p + 1, len - 1);
}

static void check_memory(const struct player *p)
{
	bool gives = (guest.mode & 0x0c) == 0x04;

	check(untouched(p->ram, gives ? ADDRESS : PLAYER_RAM) &&
		      untouched(p->ram + ADDRESS + BYTES, PLAYER_RAM - ADDRESS - BYTES),
	      "memory that the guest did not give was written");
}

/* --- frames --- */

static void start(struct player *p)
{
	struct sound *s = p->w->sound;
	u32 flags = guest.channel == 5 ? SOUND_16BIT : 0;

	s->rate = 200000;
	program(p);
	if (guest.mode == 0x54 || guest.mode == 0x44)
		flags |= SOUND_RECORDS;
	check(player_command(p, SOUND_PORT, 512 | flags | SOUND_AGAIN), "no answer");
}

static void record_sessions(struct world *w)
{
	w->record = true;
	for (unsigned i = 0; i < 12; i++) {
		struct player *p;

		guest.channel = i % 2 ? 1 : 5;
		p = player_new(w, 1);
		start(p);
		world_run(w, 100 * MS);
		server_revoke(&w->server, 2);
		world_run(w, 5000 * MS);
		player_free(p);
	}
	w->record = false;
}

/* In a buffer of just its length. True: handled. */
static bool arrive(struct player *p, const struct flying *f)
{
	struct endpoint *e = &p->st->e;
	u64 before = fuzz_dropped(e);
	struct packet packet;
	u8 *exact = malloc(f->len);

	if (!exact)
		exit(1);
	memcpy(exact, f->bytes, f->len);
	if (endpoint_open(e, exact, f->len, &packet) &&
	    !client_receive(&p->st->c, &packet, p->w->now))
		endpoint_drop(e, DROP_SESSION);
	free(exact);
	check(fuzz_dropped(e) - before <= 1, "a frame is counted twice");
	return fuzz_dropped(e) == before;
}

static bool one(struct player *p)
{
	const struct client *c = &p->st->c;
	struct fuzz_target t = {.session = &c->keys,
				.greeting = &p->st->e.greeting,
				.id = c->session,
				.reply = c->complete,
				.event = c->events.expected};
	struct remote_dma before = p->remote;
	struct flying f;
	bool good, handled;

	fuzz_frame(p->w, &t, 1, &f);
	good = fuzz_good_tag(&t, &f);
	handled = arrive(p, &f);
	check(good || (!handled && !memcmp(&before, &p->remote, sizeof(before)) &&
		       c->events.expected == t.event && c->complete == t.reply),
	      "a frame without a good tag did something");
	return handled;
}

/* Returns the frames sent. */
static u32 session(struct world *w, u32 frames, u32 *handled, u64 *moved)
{
	struct player *p;
	u32 sent = 0;

	guest.channel = world_random(w) % 2 ? 1 : 5;
	p = player_new(w, 1);
	start(p);
	for (; sent < frames && !failures && p->st->c.state == CLIENT_LEASED; sent++) {
		*handled += one(p);
		if (sent % 8 == 0)
			world_run(w, MS / 8);
		if (sent % 32 == 0)
			act(p);
		if (sent % 64 == 0)
			check_memory(p);
	}
	check_memory(p);
	*moved += p->remote.bytes;
	server_revoke(&w->server, 2);
	world_run(w, 15000 * MS);
	check(p->st->c.state == CLIENT_FAILED, "the session does not end");
	player_free(p);
	return sent;
}

int main(int argc, char **argv)
{
	u32 frames = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : FRAMES;
	struct world *w = world_new(24);
	const struct endpoint *e = &w->station[1].e;
	u32 sessions = 0, handled = 0, sent = 0;
	u64 moved = 0;

	world_sound(w);
	record_sessions(w);
	for (; sent < frames && !failures; sessions++)
		sent += session(w, frames - sent < SESSION ? frames - sent : SESSION, &handled,
				&moved);
	for (unsigned i = 0; i < DROPS; i++)
		printf("%-10s %u\n", drop_name((enum drop)i), (u32)e->drops[i]);
	printf("%u frames: %u handled; %u sessions, %u bytes moved\n", sent, handled, sessions,
	       (u32)moved);
	check(moved > frames, "too little was moved");
	printf("%u passed, %u failed\n", !failures, failures);
	world_free(w);
	return failures != 0;
}
