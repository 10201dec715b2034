/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/proto.h"

#include "lib/str.h"
#include "net-ne2000/siphash.h"

u16 proto_get16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

u32 proto_get32(const u8 *p)
{
	return proto_get16(p) | (u32)proto_get16(p + 2) << 16;
}

void proto_put16(u8 *p, u16 value)
{
	p[0] = (u8)value;
	p[1] = (u8)(value >> 8);
}

void proto_put32(u8 *p, u32 value)
{
	proto_put16(p, (u16)value);
	proto_put16(p + 2, (u16)(value >> 16));
}

static u32 request_data_len(u8 opcode, u8 width, u16 count)
{
	switch (opcode) {
	case PROTO_OUT:
	case PROTO_PCI_WRITE:
		return width;
	case PROTO_OUTS:
	case PROTO_MMIO_WRITE:
		return (u32)width * count;
	case PROTO_POLL:
	case PROTO_DMA_ARM:
		return 8;
	case PROTO_DMA_DATA:
		return 4u + count;
	case PROTO_DMA_GIVEN:
		return count;
	default:
		return 0;
	}
}

static u32 reply_data_len(u8 opcode, u8 width, u16 count)
{
	switch (opcode) {
	case PROTO_IN:
	case PROTO_PCI_READ:
		return width;
	case PROTO_INS:
	case PROTO_MMIO_READ:
		return (u32)width * count;
	case PROTO_POLL:
		return 8;
	default:
		return 0;
	}
}

u32 proto_data_len(u8 opcode, u8 width, u16 count, bool reply)
{
	return reply ? reply_data_len(opcode, width, count)
		     : request_data_len(opcode, width, count);
}

u32 proto_op_len(u8 opcode, u8 width, u16 count, bool reply)
{
	return PROTO_OP + ((proto_data_len(opcode, width, count, reply) + 3) & ~3u);
}

void proto_begin(struct proto_writer *w, u8 *buf, u32 max)
{
	w->buf = buf;
	w->len = 0;
	w->max = max;
	w->ops = 0;
}

u8 *proto_add(struct proto_writer *w, const struct proto_op *op)
{
	u32 padded = (op->data_len + 3) & ~3u;
	u8 *p = w->buf + PROTO_HEADER + w->len;

	if (op->data_len > PROTO_OPS_MAX || PROTO_OP + padded > w->max - w->len || w->ops == 255)
		return NULL;
	p[0] = op->opcode;
	p[1] = (u8)(op->width | op->note << 4);
	proto_put16(p + 2, op->count);
	proto_put32(p + 4, op->addr);
	p += PROTO_OP;
	memset(p + op->data_len, 0, padded - op->data_len);
	if (op->data)
		memcpy(p, op->data, op->data_len);
	w->len += PROTO_OP + padded;
	w->ops++;
	return p;
}

bool proto_add_bytes(struct proto_writer *w, const void *data, u32 len)
{
	if (len > w->max - w->len)
		return false;
	memcpy(w->buf + PROTO_HEADER + w->len, data, len);
	w->len += len;
	return true;
}

static u64 tag_of(const u8 *payload, u32 len, const u8 key[16], const u8 dst[6], const u8 src[6])
{
	struct siphash s;
	u8 start[16]; /* whole words from then on */

	memcpy(start, dst, 6);
	memcpy(start + 6, src, 6);
	memcpy(start + 12, payload, 4);
	siphash_init(&s, key);
	siphash_add(&s, start, sizeof(start));
	siphash_add(&s, payload + 4, PROTO_HEADER - 4 + len);
	return siphash_end(&s);
}

u32 proto_seal(struct proto_writer *w, struct proto_header *h, const u8 key[16], const u8 dst[6],
	       const u8 src[6])
{
	u8 *p = w->buf;
	u64 tag;

	h->length = (u16)w->len;
	h->ops = w->ops;
	proto_put16(p, PROTO_MAGIC);
	p[2] = (u8)(PROTO_VERSION << 4 | h->flags);
	p[3] = h->type;
	proto_put16(p + 4, h->session);
	proto_put16(p + 6, h->length);
	proto_put32(p + 8, h->seq);
	proto_put32(p + 12, h->ack);
	proto_put16(p + 16, h->irq);
	p[18] = h->ops;
	p[19] = h->tries;
	tag = tag_of(p, w->len, key, dst, src);
	p += PROTO_HEADER + w->len;
	proto_put32(p, (u32)tag);
	proto_put32(p + 4, (u32)(tag >> 32));
	return PROTO_HEADER + w->len + PROTO_TAG;
}

enum proto_error proto_peek(const u8 *p, u32 len, struct proto_header *h)
{
	if (len < PROTO_HEADER + PROTO_TAG || proto_get16(p) != PROTO_MAGIC)
		return PROTO_SHORT;
	if (p[2] >> 4 != PROTO_VERSION)
		return PROTO_BAD_VERSION;
	h->flags = p[2] & 15;
	h->type = p[3];
	h->session = proto_get16(p + 4);
	h->length = proto_get16(p + 6);
	h->seq = proto_get32(p + 8);
	h->ack = proto_get32(p + 12);
	h->irq = proto_get16(p + 16);
	h->ops = p[18];
	h->tries = p[19];
	if (h->type == 0 || h->type >= PROTO_TYPES)
		return PROTO_BAD_TYPE;
	if (h->length > PROTO_OPS_MAX || PROTO_HEADER + h->length + PROTO_TAG > len)
		return PROTO_SHORT;
	return PROTO_GOOD;
}

enum proto_error proto_check(const u8 *payload, const struct proto_header *h, const u8 key[16],
			     const u8 dst[6], const u8 src[6])
{
	const u8 *p = payload + PROTO_HEADER + h->length;
	u64 tag = proto_get32(p) | (u64)proto_get32(p + 4) << 32;

	return tag == tag_of(payload, h->length, key, dst, src) ? PROTO_GOOD : PROTO_BAD_TAG;
}

int proto_next(const u8 *body, const struct proto_header *h, bool reply, u32 *at,
	       struct proto_op *op)
{
	const u8 *p = body + *at;
	u32 room = h->length - *at;

	if (room == 0)
		return 0;
	if (room < PROTO_OP)
		return -1;
	op->opcode = p[0];
	op->width = p[1] & 15;
	op->note = p[1] >> 4;
	op->count = proto_get16(p + 2);
	op->addr = proto_get32(p + 4);
	if (op->opcode == 0 || op->opcode >= PROTO_OPCODES ||
	    (op->width != 1 && op->width != 2 && op->width != 4))
		return -1;
	op->data_len = proto_data_len(op->opcode, op->width, op->count, reply);
	if (((op->data_len + 3) & ~3u) > room - PROTO_OP)
		return -1;
	op->data = p + PROTO_OP;
	*at += PROTO_OP + ((op->data_len + 3) & ~3u);
	return 1;
}
