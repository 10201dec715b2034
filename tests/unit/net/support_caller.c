/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/net/support_caller.h"

#define GIVE_UP_NS (60000 * MS)

static void on_irq(void *ctx, unsigned line, bool level)
{
	struct caller *g = ctx;

	if (line != (unsigned)remote_config(g->r)->irq)
		abort();
	g->interrupts += level && !g->level;
	g->level = level;
}

static void on_wake(void *ctx)
{
	((struct caller *)ctx)->wakes++;
}

static void on_changed(void *ctx)
{
	((struct caller *)ctx)->changes++;
}

static void on_say(void *ctx, const char *text)
{
	struct caller *g = ctx;

	snprintf(g->said_text[g->said++ % CALLER_SAID], sizeof(g->said_text[0]), "%s", text);
}

static const struct remote_hooks hooks = {
	.irq = on_irq, .wake = on_wake, .changed = on_changed, .say = on_say};

struct caller *caller_of(struct world *w, unsigned node, const struct remote_config *config)
{
	struct caller *g = calloc(1, sizeof(*g));

	if (!g || !(g->r = calloc(1, remote_size())))
		abort();
	g->w = w;
	g->node = node;
	g->key = (struct remote_key){.esp = 0x9000, .cr3 = 0x1000};
	remote_init(g->r, &w->station[node].e, config, &hooks, g);
	while (w->station[node].remote[g->place])
		if (++g->place == ROUTES)
			abort();
	w->station[node].remote[g->place] = g->r;
	return g;
}

struct caller *caller_new(struct world *w, unsigned node, const char *peer,
			  const struct profile *profile, enum remote_loss on_loss)
{
	struct remote_config c = {.range = {{DEVICE_PORT, DEVICE_LAST}},
				  .ranges = 1,
				  .irq = DEVICE_LINE,
				  .profile = profile,
				  .on_loss = on_loss};

	node_mac(c.mac, 0);
	if (peer)
		snprintf(c.peer, sizeof(c.peer), "%s", peer);
	return caller_of(w, node, &c);
}

void caller_free(struct caller *g)
{
	g->w->station[g->node].remote[g->place] = NULL;
	free(g->r);
	free(g);
}

enum remote_state caller_attach(struct caller *g)
{
	u64 until = g->w->now + 6000 * MS;

	remote_attach(g->r, g->w->now);
	while (remote_state(g->r) != REMOTE_UP && remote_state(g->r) != REMOTE_FAILED &&
	       g->w->now < until)
		world_step(g->w, until);
	return remote_state(g->r);
}

/* --- the guest's instructions --- */

static struct remote_key key_at(struct caller *g, u32 eip)
{
	struct remote_key k = g->key;

	k.eip = eip;
	k.esp -= g->in_handler ? 0x100 : 0;
	return k;
}

static void wait(struct caller *g, u64 since)
{
	u64 limit = since + (g->give_up ? g->give_up : GIVE_UP_NS);

	if (g->w->now >= limit) {
		fprintf(stderr, "the guest waits for ever\n");
		abort();
	}
	world_step(g->w, limit);
	if (!g->handler || g->in_handler)
		return;
	g->in_handler = true;
	g->handler(g);
	g->in_handler = false;
}

bool caller_try_in(struct caller *g, u32 eip, u16 port, unsigned width, u32 *value)
{
	struct remote_key k = key_at(g, eip);
	bool done = remote_in(g->r, &k, port, width, value, g->w->now);

	g->key.nth += done;
	return done;
}

bool caller_try_out(struct caller *g, u32 eip, u16 port, unsigned width, u32 value)
{
	struct remote_key k = key_at(g, eip);
	bool done = remote_out(g->r, &k, port, width, value, g->w->now);

	g->key.nth += done;
	return done;
}

u32 caller_in(struct caller *g, u32 eip, u16 port, unsigned width)
{
	u64 since = g->w->now;
	u32 value = 0;

	while (!caller_try_in(g, eip, port, width, &value))
		wait(g, since);
	return value;
}

void caller_out(struct caller *g, u32 eip, u16 port, unsigned width, u32 value)
{
	u64 since = g->w->now;

	while (!caller_try_out(g, eip, port, width, value))
		wait(g, since);
}

void caller_ins(struct caller *g, u32 eip, u16 port, unsigned width, void *buf, u32 count)
{
	u64 since = g->w->now;
	u8 *at = buf;

	while (count > 0) {
		struct remote_key k = key_at(g, eip);
		u32 n = remote_ins(g->r, &k, port, width, at, count, g->w->now);

		at += n * width;
		count -= n;
		if (!n)
			wait(g, since);
	}
	g->key.nth++;
}

void caller_outs(struct caller *g, u32 eip, u16 port, unsigned width, const void *buf, u32 count)
{
	u64 since = g->w->now;
	const u8 *at = buf;

	while (count > 0) {
		struct remote_key k = key_at(g, eip);
		u32 n = remote_outs(g->r, &k, port, width, at, count, g->w->now);

		at += n * width;
		count -= n;
		if (!n)
			wait(g, since);
	}
	g->key.nth++;
}

unsigned caller_said(const struct caller *g, const char *part)
{
	unsigned count = 0;

	for (unsigned i = 0; i < g->said && i < CALLER_SAID; i++)
		count += strstr(g->said_text[i], part) != NULL;
	return count;
}
