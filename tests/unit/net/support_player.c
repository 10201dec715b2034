/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest whose 8237 is remote at its device's end. */
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_sound.h"

#define GUEST_COOKIE 1u

static bool programmed(void *ctx, unsigned channel, struct remote_dma_program *program)
{
	struct player *p = ctx;
	struct dma_program found;

	if (!dma_programmed(&p->dma, channel, &found))
		return false;
	*program = (struct remote_dma_program){found.left, found.block, found.mode};
	return true;
}

static u32 look(void *ctx, unsigned channel, u32 skip, u8 *buf, u32 len)
{
	return dma_look(&((struct player *)ctx)->dma, channel, skip, buf, len);
}

static void account(void *ctx, unsigned channel, const u8 *data, u32 len)
{
	dma_account(&((struct player *)ctx)->dma, channel, data, len);
}

static void refused(void *ctx, unsigned channel, const char *text)
{
	(void)channel;
	(void)text;
	((struct player *)ctx)->refused++;
}

static const struct remote_dma_hooks hooks = {programmed, look, account, refused};

static void changed(void *ctx, unsigned channel, bool reprogrammed)
{
	struct player *p = ctx;

	remote_dma_changed(&p->remote, channel, reprogrammed, p->w->now);
}

static void interrupt(struct station *st)
{
	struct player *p = st->player;

	p->irqs++;
	if (p->isr)
		p->isr(p);
}

struct player *player_new(struct world *w, unsigned n)
{
	struct player *p = calloc(1, sizeof(*p));
	struct phys_region ram = {.first = 0, .last = PLAYER_RAM - 1};
	u8 server[6];

	if (!p || !(p->ram = calloc(1, PLAYER_RAM)))
		abort();
	p->w = w;
	p->st = &w->station[n];
	p->st->player = p;
	p->st->on_irq = interrupt;
	bus_init(&p->bus);
	physmem_init(&p->mem, PLAYER_RAM, p->flags, sizeof(p->flags));
	ram.rd = ram.wr = p->ram;
	physmem_map(&p->mem, &ram);
	dma_init(&p->dma, &p->bus, &p->mem);
	remote_dma_init(&p->remote, &p->st->c, BIT(1) | BIT(2) | BIT(5), &hooks, p);
	for (unsigned channel = 0; channel < DMA_CHANNELS; channel++)
		if (channel != 4)
			dma_listen(&p->dma, channel, changed, p);
	node_mac(server, 0);
	client_lease(&p->st->c, server, "sound", w->now);
	while (p->st->c.state != CLIENT_LEASED)
		world_step(w, w->now + 1000 * MS);
	remote_dma_begin(&p->remote);
	player_out(p, 0xd6, 0xc0);
	player_out(p, 0xd4, 0x00);
	if (!ask(p->st, PROTO_IRQ_UNMASK, SOUND_LINE, 1, 0, 0))
		abort();
	return p;
}

void player_free(struct player *p)
{
	p->st->player = NULL;
	free(p->ram);
	free(p);
}

void player_out(struct player *p, u16 port, u8 value)
{
	bus_out(&p->bus, port, 1, value);
}

u8 player_in(struct player *p, u16 port)
{
	u32 value = 0;

	bus_in(&p->bus, port, 1, &value);
	return (u8)value;
}

/* Register `reg` of the controller that has the channel. */
static u16 port_of(unsigned channel, unsigned reg)
{
	return channel < 4 ? (u16)reg : (u16)(0xc0 + 2 * reg);
}

void player_mask(struct player *p, unsigned channel, bool masked)
{
	player_out(p, port_of(channel, 10), (u8)((masked ? 4 : 0) | (channel & 3)));
}

void player_program(struct player *p, unsigned channel, u8 mode, u32 address, u32 bytes)
{
	static const u8 page[8] = {0x87, 0x83, 0x81, 0x82, 0, 0x8b, 0x89, 0x8a};
	unsigned shift = channel >= 4, reg = 2 * (channel & 3);
	u16 start = (u16)(address >> shift), count = (u16)((bytes >> shift) - 1);

	player_mask(p, channel, true);
	player_out(p, port_of(channel, 12), 0);
	player_out(p, port_of(channel, 11), (u8)(mode | (channel & 3)));
	player_out(p, port_of(channel, reg), (u8)start);
	player_out(p, port_of(channel, reg), (u8)(start >> 8));
	player_out(p, page[channel], (u8)(address >> 16));
	player_out(p, port_of(channel, reg + 1), (u8)count);
	player_out(p, port_of(channel, reg + 1), (u8)(count >> 8));
	player_mask(p, channel, false);
}

u32 player_left(struct player *p, unsigned channel)
{
	u16 port = port_of(channel, 2 * (channel & 3) + 1);
	u32 count;

	player_out(p, port_of(channel, 12), 0);
	count = player_in(p, port);
	count |= (u32)player_in(p, port) << 8;
	return (count + 1) << (channel >= 4);
}

static void note_answer(struct station *st, u32 cookie, enum client_outcome outcome,
			const struct proto_header *h, const u8 *body)
{
	struct player *p = st->player;
	struct proto_op op;
	u32 at = 0;

	if (cookie != GUEST_COOKIE || outcome != CLIENT_DONE)
		return;
	p->answers++;
	while (proto_next(body, h, true, &at, &op) == 1)
		p->seen = op.data_len == 4 ? proto_get32(op.data) : 0;
}

static bool access(struct player *p, u8 opcode, u16 port, u32 value)
{
	u32 answers = p->answers;

	p->st->on_done = note_answer;
	while (!remote_dma_flush(&p->remote, p->w->now) ||
	       !ask(p->st, opcode, port, 1, value, GUEST_COOKIE)) {
		if (p->st->c.state != CLIENT_LEASED)
			return false;
		world_step(p->w, p->w->now + 1000 * MS);
	}
	while (p->answers == answers) {
		if (p->st->c.state != CLIENT_LEASED)
			return false;
		world_step(p->w, p->w->now + 1000 * MS);
	}
	return true;
}

bool player_command(struct player *p, u16 port, u32 value)
{
	return access(p, PROTO_OUT, port, value);
}

bool player_status(struct player *p, u32 *value)
{
	bool done = access(p, PROTO_IN, SOUND_STATUS, 0);

	*value = p->seen;
	return done;
}
