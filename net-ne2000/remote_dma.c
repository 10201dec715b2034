/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/remote_dma.h"

#include "lib/str.h"

#define MODE_TYPE      0x0cu
#define MODE_TAKES     0x08u /* the 8237's read transfer: memory to device */
#define MODE_AUTO_INIT 0x10u

/* Bytes of one DMA_DATA; whole words. */
#define PIECE ((PROTO_OPS_MAX - PROTO_OP - 4u) & ~3u)

/* What was sent is compared and sent again in pieces of this; divides REMOTE_DMA_FIRST. */
#define GRAIN 1024u

#define COOKIE_STOP BIT(8)

static bool takes(const struct remote_dma_channel *ch)
{
	return (ch->mode & MODE_TYPE) == MODE_TAKES;
}

static bool goes_round(const struct remote_dma_channel *ch)
{
	return (ch->mode & MODE_AUTO_INIT) != 0;
}

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

/* --- requests --- */

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
	u32 most = goes_round(ch) ? (ch->block * 3 / 8 + 1) & ~1u : ch->block;

	if (most > REMOTE_DMA_FIRST)
		most = REMOTE_DMA_FIRST;
	return want < most ? want : most;
}

/* Bytes that are to be sent now, 0: not worth a frame. */
static u32 missing(const struct remote_dma_channel *ch)
{
	u32 ahead = lead(ch), have = (u32)(ch->sent - ch->moved), left;

	if (!takes(ch) || have >= ahead)
		return 0;
	ahead -= have;
	left = goes_round(ch) ? ~0u : ch->block - (u32)ch->sent;
	if (ahead >= left)
		return left;
	return ahead >= lead(ch) / 4 || ch->sent < ch->owed ? ahead & ~1u : 0;
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
	u32 len = missing(ch);

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

/* What the guest has written over since it was sent goes out again. */
static void send_again(struct remote_dma *d, unsigned channel, u64 now)
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

static void send_data(struct remote_dma *d, unsigned channel, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];
	struct proto_writer *w;

	while (ch->armed && missing(ch) && (w = begin(d))) {
		if (!add_data(d, channel, w, PIECE)) {
			ch->owed = 0;
			return;
		}
		client_submit(d->c, REMOTE_DMA_COOKIE | channel, now);
	}
}

static bool send_stop(struct remote_dma *d, unsigned channel, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];
	struct proto_writer *w = begin(d);

	if (!w)
		return false;
	add(w, PROTO_DMA_STOP, channel, ch->arming, 0, NULL);
	client_submit(d->c, REMOTE_DMA_COOKIE | COOKIE_STOP | channel, now);
	ch->stop = false;
	ch->stopping++;
	return true;
}

static bool send_arm(struct remote_dma *d, unsigned channel, u64 now)
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
	ch->block = goes_round(ch) ? p.block : p.left;
	ch->arming++;
	ch->armed = ch->counts = true;
	ch->sent = ch->moved = 0;
	ch->peak = 0;
	ch->window_at = 0;
	ch->owed = takes(ch) ? lead(ch) : 0;
	if (takes(ch))
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

static bool flush_channel(struct remote_dma *d, unsigned channel, u64 now)
{
	struct remote_dma_channel *ch = &d->channel[channel];

	if (ch->stop && !send_stop(d, channel, now))
		return false;
	/* Where it stopped is where it goes on, unless the guest has set it elsewhere. */
	if (ch->want && ((ch->counts && ch->stopping) || !send_arm(d, channel, now)))
		return false;
	if (ch->sent < ch->owed)
		send_data(d, channel, now);
	return !ch->armed || ch->sent >= ch->owed || !missing(ch);
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
	if (!goes_round(ch) && len > ch->block - ch->moved)
		len = ch->block - (u32)ch->moved;
	d->hooks->account(d->ctx, channel, data, len);
	d->bytes += len;
	ch->moved += len;
	if (ch->sent < ch->moved)
		ch->sent = ch->moved; /* the device did not wait for us: what it took is past */
	measure(ch, now);
	if (!goes_round(ch) && ch->moved == ch->block)
		ch->armed = ch->stop = ch->counts = false;
	send_again(d, channel, now);
	send_data(d, channel, now);
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
	if (cookie & COOKIE_STOP && ch->stopping)
		ch->stopping--;
	while (proto_next(body, h, true, &at, &op) == 1)
		if (op.note != PROTO_OK)
			refused(d, channel, &op);
	remote_dma_poll(d, now);
}

void remote_dma_poll(struct remote_dma *d, u64 now)
{
	for (unsigned i = 0; i < REMOTE_CHANNELS && d->c->state == CLIENT_LEASED; i++) {
		struct remote_dma_channel *ch = &d->channel[i];

		if (!belongs(d, i))
			continue;
		if (ch->want || (ch->stop && ch->stop_at <= now))
			flush_channel(d, i, now);
		send_data(d, i, now);
	}
}

u64 remote_dma_deadline(const struct remote_dma *d)
{
	u64 first = ~0ull;

	if (d->full || d->c->state != CLIENT_LEASED)
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
