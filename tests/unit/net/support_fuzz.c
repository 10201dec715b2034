/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/net/support_fuzz.h"

#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_sound.h"

#define PAYLOAD 22u /* its place in a recorded frame, which is SNAP */

/* Mostly the number that comes next, or one shortly after it. */
static u32 near_number(struct world *w, u32 next)
{
	return next + world_random(w) % (world_random(w) % 4 ? 2 : 10);
}

/* The nonces that a client's greeting waits for. */
static void fit_greeting(struct world *w, const struct fuzz_target *t, u8 *body,
			 struct proto_header *h)
{
	if (h->length < SESSION_NONCE || world_random(w) % 8 == 0)
		return;
	if (t->nonce && (h->type == PROTO_AUTH2 || h->type == PROTO_LEASE))
		memcpy(body, t->nonce, SESSION_NONCE);
	if (t->question && h->type == PROTO_OFFER) {
		memcpy(body, t->question, SESSION_NONCE);
		h->seq = t->round;
	}
}

/* What anyone with the key could sign: not for forgery, but to reach what lies behind the tag. */
static void sign(struct world *w, const struct fuzz_target *t, struct flying *f)
{
	const struct session_keys *keys = t->session;
	struct proto_header h;
	struct proto_writer pw;
	u8 dst[6], src[6];

	if (f->len < PAYLOAD + PROTO_HEADER + PROTO_TAG ||
	    proto_peek(f->bytes + PAYLOAD, f->len - PAYLOAD, &h) != PROTO_GOOD)
		return;
	if (h.type <= PROTO_AUTH2 || h.type == PROTO_NAK)
		keys = t->greeting;
	if (h.type == PROTO_REQ && world_random(w) % 8)
		h.seq = near_number(w, t->request);
	if (h.type == PROTO_CANCEL && world_random(w) % 2)
		h.seq = t->request - 1;
	if (h.type == PROTO_REP && world_random(w) % 8)
		h.seq = near_number(w, t->reply);
	if (h.type == PROTO_REP && world_random(w) % 64)
		h.ack = t->event; /* or the answer would wait for events that never come */
	if (h.type == PROTO_EVT && world_random(w) % 8)
		h.seq = near_number(w, t->event);
	if (h.type == PROTO_RENEW && world_random(w) % 2)
		h.seq = t->renewal;
	if (world_random(w) % 16)
		h.session = t->id;
	fit_greeting(w, t, f->bytes + PAYLOAD + PROTO_HEADER, &h);
	memcpy(dst, f->bytes, 6);
	memcpy(src, f->bytes + 6, 6);
	proto_begin(&pw, f->bytes + PAYLOAD, PROTO_OPS_MAX);
	pw.len = h.length;
	pw.ops = h.ops;
	f->len = proto_seal(&pw, &h, f->to ? keys->to_client : keys->to_server, dst, src);
	if (f->to)
		f->bytes[PAYLOAD + 2] |= PROTO_FROM_SERVER;
	f->len = frame_finish(f->bytes, FRAME_SNAP_FORM, dst, src, f->len);
}

/* A good number in a good session, and the tag of another frame. */
static void forge(const struct fuzz_target *t, struct flying *f)
{
	if (f->len < PAYLOAD + PROTO_HEADER + PROTO_TAG)
		return;
	proto_put16(f->bytes + PAYLOAD + 4, t->id);
	proto_put32(f->bytes + PAYLOAD + 8, f->to ? t->reply : t->request);
}

static void mutate(struct world *w, struct flying *f, u32 start)
{
	start = start < f->len ? start : 0;
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

/* Mostly of the arming that is on. */
static u32 channel_address(struct world *w)
{
	unsigned channel =
		world_random(w) % 8 ? (world_random(w) % 2 ? 1 : 5) : world_random(w) % 9;

	return proto_dma_addr(
		channel, (u16)(w->server.dma[channel & 7].arming + (world_random(w) % 8 ? 0 : 1)));
}

static u32 invented_address(struct world *w, u8 opcode)
{
	static const u32 near[] = {DEVICE_PORT, DEVICE_PORT, DEVICE_LAST - 3, DEVICE_READY,
				   0x2ff,	0x310,	     OTHER_PORT,      0xfffe,
				   0x10300,	DEVICE_FIRE};

	switch (opcode) {
	case PROTO_MMIO_READ:
	case PROTO_MMIO_WRITE:
		return DEVICE_MEMORY - 4 + world_random(w) % 0x108;
	case PROTO_PCI_READ:
	case PROTO_PCI_WRITE:
		return (u32)(DEVICE_FUNCTION - 1 + world_random(w) % 3) << 8 |
		       world_random(w) % 256;
	case PROTO_IRQ_MASK:
	case PROTO_IRQ_UNMASK:
	case PROTO_IRQ_EOI:
		return world_random(w) % 4 ? DEVICE_LINE : world_random(w) % 20;
	case PROTO_DMA_ARM:
	case PROTO_DMA_DATA:
	case PROTO_DMA_STOP:
	case PROTO_DMA_TAKEN:
	case PROTO_DMA_GIVEN:
		return channel_address(w);
	default:
		return near[world_random(w) % ARRAY_SIZE(near)];
	}
}

/* Data of DMA operations with some sense in it, or nothing would ever be armed. */
static void invent_dma_data(struct world *w, const struct proto_op *op, u8 *data)
{
	static const u8 modes[] = {0x58, 0x54, 0x48, 0x44, 0x40, 0x4c, 0xc8};

	if (op->opcode == PROTO_DMA_ARM) {
		proto_put32(data, 2 + world_random(w) % (world_random(w) % 8 ? 4096 : 0x21000));
		proto_put32(data + 4, modes[world_random(w) % ARRAY_SIZE(modes)]);
	} else if (op->opcode == PROTO_DMA_DATA) {
		const struct server_dma *d = &w->server.dma[op->addr & 7];
		u32 near = world_random(w) % 64 - 32;

		proto_put32(data, (u32)d->filled + (world_random(w) % 2 ? near : 0));
	}
}

/* Operations that go together as they come: lengths are right, the sense is not. */
static void invent(struct world *w, struct flying *f)
{
	static const u16 counts[] = {0, 1, 2, 5, 64, 182, 365, 1400, 0xffff};
	bool reply = f->bytes[PAYLOAD + 3] == PROTO_REP;
	struct proto_writer pw;

	proto_begin(&pw, f->bytes + PAYLOAD, PROTO_OPS_MAX);
	for (u32 n = 1 + world_random(w) % 6; n > 0; n--) {
		struct proto_op op = {.opcode = (u8)(1 + world_random(w) % (PROTO_OPCODES - 1)),
				      .width = (u8)(1 << world_random(w) % 3),
				      .note = (u8)(world_random(w) % 8 ? 0 : world_random(w) % 6),
				      .count = counts[world_random(w) % ARRAY_SIZE(counts)]};
		u8 *data;

		if ((op.opcode == PROTO_POLL || op.opcode == PROTO_DELAY) && world_random(w) % 64)
			op.count %= 400; /* or nothing else would be carried out */
		op.addr = invented_address(w, op.opcode);
		op.data_len = proto_data_len(op.opcode, op.width, op.count, reply);
		data = proto_add(&pw, &op);
		for (u32 i = 0; data && i < op.data_len; i++)
			data[i] = (u8)world_random(w);
		if (data)
			invent_dma_data(w, &op, data);
	}
	proto_put16(f->bytes + PAYLOAD + 6, (u16)pw.len);
	f->bytes[PAYLOAD + 18] = pw.ops;
	f->len = PAYLOAD + PROTO_HEADER + pw.len + PROTO_TAG;
}

/* Only padding may have been hit, or nothing. */
bool fuzz_good_tag(const struct fuzz_target *t, const struct flying *f)
{
	struct frame_view view;
	struct proto_header h;

	if (!frame_parse(f->bytes, f->len, &view) ||
	    proto_peek(view.payload, view.len, &h) != PROTO_GOOD)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		const struct session_keys *keys = i ? t->session : t->greeting;

		if (proto_check(view.payload, &h, f->to ? keys->to_client : keys->to_server,
				view.dst, view.src) == PROTO_GOOD)
			return true;
	}
	return false;
}

void fuzz_frame(struct world *w, const struct fuzz_target *t, unsigned to, struct flying *f)
{
	do
		*f = w->recording[world_random(w) % w->recorded];
	while (f->to != to);
	switch (world_random(w) % 8) {
	case 0:
		mutate(w, f, 0);
		break;
	case 1:
		mutate(w, f, PAYLOAD);
		forge(t, f);
		break;
	case 2:
		forge(t, f);
		break;
	case 3: /* header and body, signed */
		mutate(w, f, PAYLOAD);
		sign(w, t, f);
		break;
	case 4:
	case 5: /* body alone, signed */
		mutate(w, f, PAYLOAD + PROTO_HEADER);
		sign(w, t, f);
		break;
	default:
		f->bytes[PAYLOAD + 3] = to == 0		      ? PROTO_REQ
					: world_random(w) % 2 ? PROTO_REP
							      : PROTO_EVT;
		invent(w, f);
		sign(w, t, f);
		break;
	}
}

u64 fuzz_dropped(const struct endpoint *e)
{
	u64 all = 0;

	for (unsigned i = 0; i < DROPS; i++)
		all += e->drops[i];
	return all;
}

void fuzz_channels(struct world *w)
{
	w->sound = calloc(1, sizeof(*w->sound));
	if (!w->sound)
		abort();
	w->sound->rate = 100000;
	w->sound->burst = MS;
	w->sound->masked = true;
	w->server.export[0].dma = BIT(1) | BIT(5);
}
