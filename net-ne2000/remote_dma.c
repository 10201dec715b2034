/* SPDX-License-Identifier: BSD-2-Clause */
/* When the peer's channels are armed and stopped, and what the peer says of them. */
#include "lib/str.h"
#include "net-ne2000/remote_dma_parts.h"

static bool belongs(const struct remote_dma *d, unsigned channel)
{
	return channel < REMOTE_CHANNELS && d->channels & BIT(channel);
}

void remote_dma_init(struct remote_dma *d, struct client *c, u8 channels,
		     const struct remote_dma_hooks *hooks, void *ctx)
{
	memset(d, 0, sizeof(*d));
	d->c = c;
	d->channels = channels;
	d->hooks = hooks;
	d->ctx = ctx;
}

static void forget(struct remote_dma_channel *ch)
{
	ch->want = ch->armed = ch->stop = ch->counts = ch->refused = false;
	ch->stopping = ch->copy = 0;
	ch->owed = 0;
}

void remote_dma_lost(struct remote_dma *d)
{
	for (unsigned i = 0; i < REMOTE_CHANNELS; i++)
		forget(&d->channel[i]);
	d->full = false;
}

void remote_dma_begin(struct remote_dma *d)
{
	struct remote_dma_program p;

	remote_dma_lost(d);
	for (unsigned i = 0; i < REMOTE_CHANNELS; i++)
		d->channel[i].want = belongs(d, i) && d->hooks->programmed(d->ctx, i, &p);
}

void remote_dma_changed(struct remote_dma *d, unsigned channel, bool reprogrammed, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];
	struct remote_dma_program p;
	bool ready;

	if (!belongs(d, channel) || d->c->state != CLIENT_LEASED)
		return;
	ready = d->hooks->programmed(d->ctx, channel, &p);
	if (ready && ch->stop && ch->counts && !reprogrammed) {
		ch->stop = false; /* it was masked for a moment */
		ch->armed = true;
		return;
	}
	if (ch->armed) {
		ch->armed = false;
		ch->stop = true;
		ch->stop_at = now + REMOTE_DMA_MASK_NS;
	}
	ch->counts &= !reprogrammed;
	ch->owed = 0;
	ch->want = ready;
}

static bool flush_channel(struct remote_dma *d, unsigned channel, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];

	if (ch->stop && !remote_dma_send_stop(d, channel, now))
		return false;
	/* Where it stopped is where it goes on, unless the guest has set it elsewhere. */
	if (ch->want && ((ch->counts && ch->stopping) || !remote_dma_send_arm(d, channel, now)))
		return false;
	if (ch->sent < ch->owed)
		remote_dma_send_data(d, channel, now);
	return !ch->armed || ch->sent >= ch->owed || !remote_dma_missing(ch);
}

bool remote_dma_due(const struct remote_dma *d)
{
	for (unsigned i = 0; i < REMOTE_CHANNELS && d->c->state == CLIENT_LEASED; i++) {
		const struct remote_dma_channel *ch = &d->channel[i];

		if (ch->want || ch->stop || (ch->armed && ch->sent < ch->owed))
			return true;
	}
	return false;
}

bool remote_dma_flush(struct remote_dma *d, u64 now)
{
	bool done = true;

	if (d->c->state != CLIENT_LEASED)
		return true;
	for (unsigned i = 0; i < REMOTE_CHANNELS; i++)
		if (belongs(d, i))
			done = flush_channel(d, i, now) && done;
	return done;
}

/* --- what the peer says --- */

static void measure(struct remote_dma_channel *ch, u64 now)
{
	u64 spent = now - ch->window_at, moved = ch->moved - ch->window_moved;

	if (ch->window_at && spent < REMOTE_DMA_LEAD_NS)
		return;
	if (ch->window_at && moved * REMOTE_DMA_LEAD_NS / spent > ch->peak)
		ch->peak = (u32)(moved * REMOTE_DMA_LEAD_NS / spent);
	ch->window_at = now;
	ch->window_moved = ch->moved;
}

void remote_dma_moved(struct remote_dma *d, unsigned channel, u16 arming, const u8 *data, u32 len,
		      u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];

	if (!belongs(d, channel) || !ch->counts || arming != ch->arming)
		return;
	if (!remote_dma_goes_round(ch) && len > ch->block - ch->moved)
		len = ch->block - (u32)ch->moved;
	d->hooks->account(d->ctx, channel, data, len);
	d->bytes += len;
	ch->moved += len;
	if (ch->sent < ch->moved)
		ch->sent = ch->moved; /* the device did not wait for us: what it took is past */
	measure(ch, now);
	if (!remote_dma_goes_round(ch) && ch->moved == ch->block)
		ch->armed = ch->stop = ch->counts = false;
	remote_dma_send_again(d, channel, now);
	remote_dma_send_data(d, channel, now);
}

static void refused(struct remote_dma *d, unsigned channel, const struct proto_op *op)
{
	struct remote_dma_channel *ch = &d->channel[channel];

	if (op->addr >> 16 == ch->arming)
		ch->armed = ch->counts = false;
	if (!ch->refused)
		d->hooks->refused(d->ctx, channel,
				  op->note == PROTO_REFUSED ? "the peer does not lend it"
							    : "the peer cannot do that");
	ch->refused = true;
}

void remote_dma_done(struct remote_dma *d, u32 cookie, enum client_outcome outcome,
		     const struct proto_header *h, const u8 *body, u64 now)
{
	unsigned channel = cookie % REMOTE_CHANNELS;
	struct remote_dma_channel *ch = &d->channel[channel];
	struct proto_op op;
	u32 at = 0;

	if (outcome != CLIENT_DONE)
		return;
	if (cookie & REMOTE_DMA_STOPS && ch->stopping)
		ch->stopping--;
	while (proto_next(body, h, true, &at, &op) == 1)
		if (op.note != PROTO_OK)
			refused(d, channel, &op);
	remote_dma_poll(d, now);
}

void remote_dma_poll(struct remote_dma *d, u64 now)
{
	if (!d->channels)
		return;
	for (unsigned i = 0; i < REMOTE_CHANNELS && d->c->state == CLIENT_LEASED; i++) {
		struct remote_dma_channel *ch = &d->channel[i];

		if (!belongs(d, i))
			continue;
		if (ch->want || (ch->stop && ch->stop_at <= now))
			flush_channel(d, i, now);
		remote_dma_send_data(d, i, now);
	}
}

u64 remote_dma_deadline(const struct remote_dma *d)
{
	u64 first = ~0ull;

	if (!d->channels || d->full || d->c->state != CLIENT_LEASED)
		return first;
	for (unsigned i = 0; i < REMOTE_CHANNELS; i++) {
		const struct remote_dma_channel *ch = &d->channel[i];

		if (ch->want && !(ch->counts && ch->stopping))
			return 0;
		if (ch->stop && ch->stop_at < first)
			first = ch->stop_at;
	}
	return first;
}
