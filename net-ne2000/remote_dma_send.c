/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to the peer's DMA channels: how much is sent ahead, and what is sent again. */
#include "lib/str.h"
#include "net-ne2000/remote_dma_parts.h"

/* Bytes of one DMA_DATA; whole words. */
#define PIECE ((PROTO_OPS_MAX - PROTO_OP - 4u) & ~3u)

/* What was sent is compared and sent again in pieces of this; divides REMOTE_DMA_FIRST. */
#define GRAIN 1024u

static struct proto_writer *begin(struct remote_dma *d)
{
	struct proto_writer *w = client_begin(d->c);

	d->full = !w;
	return w;
}

static void add(struct proto_writer *w, u8 opcode, unsigned channel, u16 arming, u16 count,
		const u8 *data)
{
	struct proto_op op = {.opcode = opcode,
			      .width = 1,
			      .count = count,
			      .addr = proto_dma_addr(channel, arming),
			      .data = data,
			      .data_len = proto_data_len(opcode, 1, count, false)};

	proto_add(w, &op);
}

/* How far ahead of the device the bytes shall be. */
static u32 lead(const struct remote_dma_channel *ch)
{
	u32 want = ch->peak ? ch->peak + REMOTE_DMA_SPARE : REMOTE_DMA_FIRST;
	u32 most = remote_dma_goes_round(ch) ? (ch->block * 3 / 8 + 1) & ~1u : ch->block;

	if (ch->whole)
		return ch->block;
	if (!most)
		most = ch->block;
	if (most > REMOTE_DMA_FIRST)
		most = REMOTE_DMA_FIRST;
	return want < most ? want : most;
}

u32 remote_dma_missing(const struct remote_dma_channel *ch)
{
	u32 ahead = lead(ch), have = (u32)(ch->sent - ch->moved), left;

	if (!remote_dma_takes(ch) || have >= ahead)
		return 0;
	ahead -= have;
	left = remote_dma_goes_round(ch) ? ~0u : ch->block - (u32)ch->sent;
	if (ahead >= left)
		return left;
	if (ahead < lead(ch) / 4 && ch->sent >= ch->owed)
		return 0;
	return ahead > 1 ? ahead & ~1u : ahead;
}

/* The copy of what was sent: from `place` on without a break, at most *len bytes. NULL: none. */
static u8 *copy_at(struct remote_dma *d, const struct remote_dma_channel *ch, u64 place, u32 *len)
{
	u32 at = (u32)(place % REMOTE_DMA_FIRST);

	if (*len > REMOTE_DMA_FIRST - at)
		*len = REMOTE_DMA_FIRST - at;
	return ch->copy ? d->copy[ch->copy - 1] + at : NULL;
}

static void note_sent(struct remote_dma *d, const struct remote_dma_channel *ch, u64 place,
		      const u8 *data, u32 len)
{
	while (ch->copy && len > 0) {
		u32 part = len;
		u8 *copy = copy_at(d, ch, place, &part);

		memcpy(copy, data, part);
		place += part;
		data += part;
		len -= part;
	}
}

/* A channel that is armed has its copy to itself; without one what was sent stays as it was. */
static void take_copy(struct remote_dma *d, struct remote_dma_channel *ch)
{
	unsigned used = 0;

	for (unsigned i = 0; i < REMOTE_CHANNELS; i++)
		if (&d->channel[i] != ch && d->channel[i].armed && d->channel[i].copy)
			used |= BIT(d->channel[i].copy);
	for (ch->copy = REMOTE_DMA_COPIES; ch->copy > 0 && used & BIT(ch->copy);)
		ch->copy--;
}

/* Appends a DMA_DATA of up to max bytes. Returns how many, 0: nothing to send. */
static u32 add_data(struct remote_dma *d, unsigned channel, struct proto_writer *w, u32 max)
{
	struct remote_dma_channel *ch = &d->channel[channel];
	u8 data[4 + PIECE];
	u32 len = remote_dma_missing(ch);

	if (len > max)
		len = max;
	len = d->hooks->look(d->ctx, channel, (u32)(ch->sent - ch->moved), data + 4, len);
	if (len == 0)
		return 0;
	proto_put32(data, (u32)ch->sent);
	add(w, PROTO_DMA_DATA, channel, ch->arming, (u16)len, data);
	note_sent(d, ch, ch->sent, data + 4, len);
	ch->sent += len;
	return len;
}

void remote_dma_send_again(struct remote_dma *d, unsigned channel, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];
	u32 ahead = (u32)(ch->sent - ch->moved), len;

	for (u32 skip = 0; ch->armed && ch->copy && skip < ahead; skip += len) {
		u8 data[4 + GRAIN];
		struct proto_writer *w;
		const u8 *copy;

		len = ahead - skip < GRAIN ? ahead - skip : GRAIN;
		copy = copy_at(d, ch, ch->moved + skip, &len);
		if (d->hooks->look(d->ctx, channel, skip, data + 4, len) != len)
			return;
		if (!memcmp(copy, data + 4, len))
			continue;
		if (!(w = begin(d)))
			return;
		proto_put32(data, (u32)(ch->moved + skip));
		add(w, PROTO_DMA_DATA, channel, ch->arming, (u16)len, data);
		note_sent(d, ch, ch->moved + skip, data + 4, len);
		client_submit(d->c, REMOTE_DMA_COOKIE | channel, now);
		d->again += len;
	}
}

void remote_dma_send_data(struct remote_dma *d, unsigned channel, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];
	struct proto_writer *w;

	while (ch->armed && remote_dma_missing(ch) && (w = begin(d))) {
		if (!add_data(d, channel, w, PIECE)) {
			ch->owed = 0;
			return;
		}
		client_submit(d->c, REMOTE_DMA_COOKIE | channel, now);
	}
}

bool remote_dma_send_stop(struct remote_dma *d, unsigned channel, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];
	struct proto_writer *w = begin(d);

	if (!w)
		return false;
	add(w, PROTO_DMA_STOP, channel, ch->arming, 0, NULL);
	client_submit(d->c, REMOTE_DMA_COOKIE | REMOTE_DMA_STOPS | channel, now);
	ch->stop = false;
	ch->stopping++;
	return true;
}

bool remote_dma_send_arm(struct remote_dma *d, unsigned channel, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];
	struct remote_dma_program p;
	struct proto_writer *w = begin(d);
	u8 data[8];

	if (!w)
		return false;
	ch->want = false;
	if (!d->hooks->programmed(d->ctx, channel, &p))
		return true;
	ch->mode = p.mode;
	ch->block = remote_dma_goes_round(ch) ? p.block : p.left;
	ch->arming++;
	ch->armed = ch->counts = true;
	ch->sent = ch->moved = 0;
	ch->peak = 0;
	ch->window_at = 0;
	ch->whole = channel == REMOTE_DMA_FLOPPY && !remote_dma_goes_round(ch);
	ch->owed = remote_dma_takes(ch) ? lead(ch) : 0;
	if (remote_dma_takes(ch) && !ch->whole)
		take_copy(d, ch);
	else
		ch->copy = 0;
	proto_put32(data, ch->block);
	proto_put32(data + 4, ch->mode);
	add(w, PROTO_DMA_ARM, channel, ch->arming, 0, data);
	add_data(d, channel, w, PIECE - PROTO_OP - sizeof(data));
	client_submit(d->c, REMOTE_DMA_COOKIE | channel, now);
	d->armings++;
	return true;
}
