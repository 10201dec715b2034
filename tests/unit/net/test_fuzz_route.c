/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutated and invented frames at a remote route with a guest behind it, one session with each
 * profile in turn. What has no good tag must change nothing in the route. The rest may be nonsense
 * that the guest then reads, but nothing else: when it is over and the lease is made anew, every
 * access of the guest still comes to its end. The number of frames is the argument, 200000 without.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"
#include "net-ne2000/remote_parts.h"
#include "tests/unit/net/support_caller.h"
#include "tests/unit/net/support_fuzz.h"
#include "tests/unit/net/support_sound.h"

#define FRAMES	200000u
#define SESSION 2048u /* frames */

static unsigned failures;
static u64 moved; /* bytes by DMA */

static void check(bool ok, const char *what)
{
	if (!ok && failures++ < 5)
		printf("%s\n", what);
}

static const struct profile *const profiles[] = {&profile_strict, &profile_ata, &profile_uart,
						 &profile_lpt, &profile_sb16};

/* --- the guest's 8237, as far as a route asks for it --- */

static struct {
	bool unmasked;
	u32 left, block;
	u8 mode;
	u64 moved;
} channel[8];

static bool programmed(void *ctx, unsigned n, struct remote_dma_program *p)
{
	(void)ctx;
	*p = (struct remote_dma_program){channel[n].left, channel[n].block, channel[n].mode};
	return channel[n].unmasked && channel[n].left > 0;
}

static u32 look(void *ctx, unsigned n, u32 skip, u8 *buf, u32 len)
{
	bool again = (channel[n].mode & 0x10) != 0;

	(void)ctx;
	if (!again && skip >= channel[n].left)
		return 0;
	if (!again && len > channel[n].left - skip)
		len = channel[n].left - skip;
	memset(buf, 0x5a, len);
	return len;
}

static void account(void *ctx, unsigned n, const u8 *data, u32 len)
{
	(void)ctx;
	channel[n].moved += len;
	for (u32 i = 0; data && i < len; i++) /* all of it can be read */
		channel[n].moved += data[i] & 0;
	if (channel[n].mode & 0x10)
		channel[n].left = channel[n].block - (u32)(channel[n].moved % channel[n].block);
	else
		channel[n].left -= len < channel[n].left ? len : channel[n].left;
}

static void refused(void *ctx, unsigned n, const char *text)
{
	(void)ctx;
	(void)n;
	(void)text;
}

static const struct remote_dma_hooks dma_hooks = {programmed, look, account, refused};

/* A driver that does anything with a channel. */
static void use_channel(struct caller *g)
{
	static const u8 modes[] = {0x58, 0x48, 0x54, 0x44};
	unsigned n = world_random(g->w) % 2 ? 1 : 5;
	bool again = world_random(g->w) % 2;

	if (again) {
		channel[n].mode = modes[world_random(g->w) % ARRAY_SIZE(modes)];
		channel[n].left = channel[n].block = 2 + 2 * (world_random(g->w) % 4096);
		channel[n].moved = 0;
	}
	channel[n].unmasked = world_random(g->w) % 4 != 0;
	remote_channel(g->r, n, again, g->w->now);
}

static struct caller *new_guest(struct world *w, const struct profile *p, enum remote_loss loss)
{
	struct caller *g;
	struct remote_config c = {.range = {{DEVICE_PORT, DEVICE_LAST}},
				  .ranges = 1,
				  .irq = DEVICE_LINE,
				  .dma = BIT(1) | BIT(5),
				  .profile = p,
				  .on_loss = loss};

	if (p != &profile_strict && p != &profile_sb16)
		c.range[0].last = DEVICE_PORT + 7;
	if (p == &profile_ata) {
		c.range[1] = (struct port_range){DEVICE_PORT + 14, DEVICE_PORT + 14};
		c.ranges = 2;
	}
	node_mac(c.mac, 0);
	g = caller_of(w, 1, &c);
	remote_dma_init(&g->r->dma, &g->r->c, c.dma, &dma_hooks, g);
	return g;
}

/* --- the guest --- */

/* Its instruction, begun and perhaps not at its end. */
static struct {
	bool open;
	u8 kind, width;
	u16 port;
	u32 eip, count;
	u8 data[4 * 700];
} instruction;

static void next_instruction(struct world *w)
{
	static const u16 counts[] = {1, 2, 16, 256, 512, 700};

	instruction.open = true;
	instruction.kind =
		world_random(w) % 8 ? (u8)(world_random(w) % 2) : (u8)(2 + world_random(w) % 2);
	instruction.width = (u8)(1 << (world_random(w) % 8 ? 0 : world_random(w) % 3));
	instruction.port = (u16)(DEVICE_PORT + world_random(w) % 8);
	if (world_random(w) % 4) /* some loops */
		instruction.eip = 0x1000 + world_random(w) % 8;
	instruction.count = counts[world_random(w) % ARRAY_SIZE(counts)];
	for (u32 i = 0; i < sizeof(instruction.data); i += 64)
		instruction.data[i] = (u8)world_random(w);
}

static void block(struct caller *g)
{
	struct remote_key k = g->key;
	u32 n;

	k.eip = instruction.eip;
	if (instruction.kind == 2)
		n = remote_ins(g->r, &k, instruction.port, instruction.width, instruction.data,
			       instruction.count, g->w->now);
	else
		n = remote_outs(g->r, &k, instruction.port, instruction.width, instruction.data,
				instruction.count, g->w->now);
	check(n <= instruction.count, "a block brings more than was asked for");
	instruction.count -= n;
	instruction.open = instruction.count > 0;
	g->key.nth += !instruction.open;
}

/* One try. */
static void execute(struct caller *g)
{
	u32 value;

	if (!instruction.open)
		next_instruction(g->w);
	if (instruction.kind == 0)
		instruction.open = !caller_try_in(g, instruction.eip, instruction.port,
						  instruction.width, &value);
	else if (instruction.kind == 1)
		instruction.open = !caller_try_out(g, instruction.eip, instruction.port,
						   instruction.width, instruction.data[0]);
	else
		block(g);
	if (world_random(g->w) % 16 == 0)
		remote_flush(g->r, g->w->now);
	if (g->level && world_random(g->w) % 4 == 0)
		remote_eoi(g->r, DEVICE_LINE, g->w->now);
	if (world_random(g->w) % 64 == 0)
		use_channel(g);
	if (world_random(g->w) % 1024 == 0)
		remote_guest_reset(g->r, g->w->now);
}

/* --- frames --- */

static void record_session(struct world *w)
{
	struct caller *g = new_guest(w, &profile_strict, REMOTE_FREEZE);

	w->record = true;
	check(caller_attach(g) == REMOTE_UP, "no lease");
	for (u32 i = 0; i < 2000; i++) {
		execute(g);
		if (i % 64 == 0)
			caller_out(g, 1, DEVICE_FIRE, 1, 0);
		world_run(w, MS / 4);
	}
	remote_detach(g->r, w->now);
	world_run(w, 5000 * MS);
	w->record = false;
	instruction.open = false;
	caller_free(g);
}

/* In a buffer of just its length. True: handled. */
static bool arrive(struct caller *g, const struct flying *f)
{
	struct endpoint *e = &g->w->station[1].e;
	u64 before = fuzz_dropped(e);
	struct packet p;
	u8 *exact = malloc(f->len);

	if (!exact)
		exit(1);
	memcpy(exact, f->bytes, f->len);
	if (endpoint_open(e, exact, f->len, &p) && !remote_receive(g->r, &p, g->w->now))
		endpoint_drop(e, DROP_SESSION);
	free(exact);
	check(fuzz_dropped(e) - before <= 1, "a frame is counted twice");
	return fuzz_dropped(e) == before;
}

/* True: handled. */
static bool one(struct caller *g)
{
	static struct remote before;
	const struct client *c = &g->r->c;
	struct fuzz_target t = {.session = &c->keys,
				.greeting = &g->w->station[1].e.greeting,
				.id = c->session,
				.reply = c->complete,
				.event = c->events.expected,
				.nonce = c->secrets.client_nonce,
				.question = g->r->search.discovery.nonce,
				.round = g->r->search.discovery.round};
	struct flying f;
	bool good, handled;

	fuzz_frame(g->w, &t, 1, &f);
	good = fuzz_good_tag(&t, &f);
	if (!good) {
		remote_poll(g->r, g->w->now); /* what time brings, apart */
		before = *g->r;
	}
	handled = arrive(g, &f);
	check(good || (!handled && !memcmp(&before, g->r, sizeof(before))),
	      "a frame without a good tag did something");
	return handled;
}

/* The peer takes the lease away; what the guest waits for ends as the policy says, or anew. */
static void come_to_rest(struct caller *g)
{
	struct world *w = g->w;
	u64 until = w->now + 60000 * MS;

	server_revoke(&w->server, 0);
	do {
		world_run(w, MS);
		execute(g);
	} while (instruction.open && w->now < until);
	check(!instruction.open, "an access of the guest never ends");
	if (remote_state(g->r) == REMOTE_OFF || remote_state(g->r) == REMOTE_FAILED)
		return;
	remote_detach(g->r, w->now);
	world_run(w, 5000 * MS);
	check(remote_state(g->r) == REMOTE_OFF, "the route does not come down");
}

/* Frames while it looks for the peer and for its lease. Returns how many were handled. */
static u32 search(struct caller *g, u32 frames)
{
	u32 handled = 0;

	remote_attach(g->r, g->w->now);
	for (; frames > 0 && !failures; frames--) {
		world_run(g->w, MS / 4);
		handled += one(g);
	}
	return handled;
}

static u32 session(struct world *w, u32 number, u32 frames, u32 *answers)
{
	struct caller *g = new_guest(w, profiles[number % ARRAY_SIZE(profiles)],
				     (enum remote_loss)(number / ARRAY_SIZE(profiles) % 3));
	u32 handled = 0, first = number % 4 && frames > 256 ? 128 : 0;

	handled += search(g, first);
	if (remote_state(g->r) != REMOTE_UP)
		caller_attach(g);
	sound_out(w, SOUND_PORT,
		  64 | SOUND_AGAIN | (world_random(w) % 4) * SOUND_16BIT); /* and records */
	for (u32 i = first; i < frames && !failures; i++) {
		if (i % 4 == 0)
			execute(g);
		handled += one(g);
		if (i % 8 == 0)
			world_run(w, MS / 16);
		if (i % 256 == 0 && remote_state(g->r) == REMOTE_FAILED)
			caller_attach(g);
	}
	*answers += (u32)remote_stats(g->r)->waits;
	moved += g->r->dma.bytes;
	come_to_rest(g);
	caller_free(g);
	return handled;
}

int main(int argc, char **argv)
{
	u32 frames = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : FRAMES;
	struct world *w = world_new(23);
	const struct endpoint *e = &w->station[1].e;
	u32 sessions = 0, handled = 0, waits = 0, left;

	fuzz_channels(w);
	record_session(w);
	for (left = frames; left > 0 && !failures;) {
		u32 n = left < SESSION ? left : SESSION;

		handled += session(w, sessions++, n, &waits);
		left -= n;
	}
	for (unsigned i = 0; i < DROPS; i++)
		printf("%-10s %u\n", drop_name((enum drop)i), (u32)e->drops[i]);
	printf("%u frames: %u handled; %u sessions, %u accesses that waited, %u bytes by DMA\n",
	       frames, handled, sessions, waits, (u32)moved);
	check(waits > frames / 100, "too few accesses");
	check(moved > frames / 10, "too little DMA");
	printf("%u passed, %u failed\n", !failures, failures);
	world_free(w);
	return failures != 0;
}
