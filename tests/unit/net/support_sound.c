/* SPDX-License-Identifier: BSD-2-Clause */
/* The device with DMA and the server's 8237. */
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_sound.h"

#define SECOND 1000000000ull

struct sound *world_sound(struct world *w)
{
	static const struct port_export export = {.name = "sound",
						  .range = {{SOUND_PORT, SOUND_PORT + 15}},
						  .ranges = 1,
						  .irqs = BIT(SOUND_LINE),
						  .dma = BIT(1) | BIT(2) | BIT(5)};

	if (!w->sound)
		w->sound = calloc(1, sizeof(*w->sound));
	if (!w->sound || server_add(&w->server, &export) != EXPORT_OK)
		abort();
	w->sound->rate = 22050;
	w->sound->burst = MS;
	w->sound->masked = true;
	return w->sound;
}

/* --- the 8237 --- */

bool sound_dma_arm(void *ctx, unsigned channel, u32 bytes, u8 mode)
{
	struct sound *s = ((struct world *)ctx)->sound;
	struct sound_channel *ch = &s->channel[channel];

	if (s->refuses)
		return false;
	ch->block = bytes;
	ch->mode = mode;
	ch->at = 0;
	ch->run = false;
	ch->armed++;
	memset(ch->buffer, 0xee, sizeof(ch->buffer));
	return true;
}

void sound_dma_run(void *ctx, unsigned channel, bool run)
{
	((struct world *)ctx)->sound->channel[channel].run = run;
}

u32 sound_dma_position(void *ctx, unsigned channel)
{
	const struct sound *s = ((struct world *)ctx)->sound;
	const struct sound_channel *ch = &s->channel[channel];

	return s->reloads && ch->at == ch->block ? 0 : ch->at;
}

void sound_dma_put(void *ctx, unsigned channel, u32 at, const u8 *data, u32 len)
{
	struct sound_channel *ch = &((struct world *)ctx)->sound->channel[channel];

	if (at > ch->block || len > ch->block - at)
		abort();
	memcpy(ch->buffer + at, data, len);
}

void sound_dma_get(void *ctx, unsigned channel, u32 at, u8 *data, u32 len)
{
	const struct sound_channel *ch = &((struct world *)ctx)->sound->channel[channel];

	if (at > ch->block || len > ch->block - at)
		abort();
	memcpy(data, ch->buffer + at, len);
}

/* One byte by DACK. False: the channel does not answer. */
static bool cycle(struct sound *s, struct sound_channel *ch)
{
	bool records = (s->command & SOUND_RECORDS) != 0;

	if (!ch->run || ch->at == ch->block || records != ((ch->mode & 0x0c) == 0x04))
		return false;
	if (records)
		ch->buffer[ch->at] = (u8)(s->moved * 7 + (s->moved >> 8));
	if (s->moved < SOUND_LOG)
		s->log[s->moved] = ch->buffer[ch->at];
	s->moved++;
	ch->at++;
	if (ch->at == ch->block && ch->mode & 0x10)
		ch->at = 0;
	return true;
}

/* --- the device --- */

bool sound_has(const struct world *w, u16 port)
{
	return w->sound && port >= SOUND_PORT && port < SOUND_PORT + 16;
}

static void fire(struct world *w)
{
	struct sound *s = w->sound;

	s->irqs++;
	s->pending = s->masked;
	if (!s->masked)
		server_irq(&w->server, SOUND_LINE, w->now);
}

void sound_mask(struct world *w, bool masked)
{
	struct sound *s = w->sound;

	s->masked = masked;
	if (masked || !s->pending)
		return;
	s->pending = false;
	server_irq(&w->server, SOUND_LINE, w->now);
}

static void end_of_block(struct world *w)
{
	struct sound *s = w->sound;

	s->playing = (s->command & SOUND_AGAIN) != 0;
	s->left = s->length;
	fire(w);
}

void sound_poll(struct world *w)
{
	struct sound *s = w->sound;
	struct sound_channel *ch;
	u64 bytes;

	if (!s || !s->playing || s->next > w->now)
		return;
	ch = &s->channel[s->command & SOUND_16BIT ? 5 : s->command & SOUND_FLOPPY ? 2 : 1];
	s->owing += (w->now - s->last) * s->rate;
	bytes = s->owing / SECOND;
	if (s->command & SOUND_16BIT)
		bytes &= ~1ull;
	s->owing -= bytes * SECOND;
	s->last = w->now;
	s->next = w->now + s->burst;
	for (; bytes > 0 && s->playing; bytes--) {
		if (!cycle(s, ch)) {
			s->starved += (u32)bytes;
			return;
		}
		if (--s->left == 0)
			end_of_block(w);
	}
}

u64 sound_deadline(const struct world *w)
{
	return w->sound && w->sound->playing ? w->sound->next : ~0ull;
}

u32 sound_in(struct world *w, u16 port)
{
	return port == SOUND_STATUS ? w->sound->moved : ~0u;
}

void sound_out(struct world *w, u16 port, u32 value)
{
	struct sound *s = w->sound;

	s->playing = port == SOUND_PORT;
	if (!s->playing)
		return;
	s->command = value;
	s->length = s->left = value & 0xffffff;
	s->last = w->now;
	s->next = w->now + s->burst;
	s->owing = 0;
}

void sound_quiesce(struct world *w)
{
	w->sound->playing = false;
}
