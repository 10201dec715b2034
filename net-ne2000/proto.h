/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The codec of the remote-port protocol (docs/protocol.md): header, operations, tag. Pure functions
 * on bytes, the same in the kernel, the Linux tools and the tests. All numbers are little-endian.
 */
#ifndef FARBUS_NET_PROTO_H
#define FARBUS_NET_PROTO_H

#include "lib/types.h"

#define PROTO_MAGIC   0x4246u /* "FB" */
#define PROTO_VERSION 1u
#define PROTO_HEADER  20u
#define PROTO_OP      8u
#define PROTO_TAG     8u
/* What one frame's operations may take, descriptors included, in the longest form. */
#define PROTO_OPS_MAX 1464u

enum proto_type {
	PROTO_HELLO = 1,
	PROTO_OFFER,
	PROTO_AUTH1,
	PROTO_AUTH2,
	PROTO_AUTH3,
	PROTO_LEASE,
	PROTO_RENEW,
	PROTO_RELEASE,
	PROTO_REQ,
	PROTO_REP,
	PROTO_PENDING,
	PROTO_CANCEL,
	PROTO_EVT,
	PROTO_EVACK,
	PROTO_NAK,
	PROTO_PING,
	PROTO_PONG,
	PROTO_TYPES,
};

#define PROTO_FROM_SERVER BIT(0) /* flags: the direction, so that no frame can be reflected */

struct proto_header {
	u8 flags; /* 4 bits */
	u8 type;
	u16 session;
	u16 length; /* of the operations */
	u32 seq;
	u32 ack;
	u16 irq; /* levels in a reply or event, receive credit in a request */
	u8 ops;
	u8 tries;
};

enum proto_opcode {
	PROTO_IN = 1, /* addr: port. Reply: the value, width bytes */
	PROTO_OUT,    /* data: the value */
	PROTO_INS,    /* count elements from one port. Reply: the data */
	PROTO_OUTS,   /* data: count elements to one port */
	PROTO_POLL, /* data: mask, value (u32 each); count: at most so many µs. Reply: value, µs */
	PROTO_DELAY,	 /* count µs at the server */
	PROTO_MMIO_READ, /* addr: physical; count elements at rising addresses */
	PROTO_MMIO_WRITE,
	PROTO_PCI_READ, /* addr: as in port CF8h */
	PROTO_PCI_WRITE,
	PROTO_IRQ_MASK, /* addr: line */
	PROTO_IRQ_UNMASK,
	PROTO_IRQ_EOI,	/* addr: line, count: the generation that the guest has handled */
	/* addr of these and of the two below: channel, and the arming's number in the upper half */
	PROTO_DMA_ARM,	/* data: bytes of a block, 8237 mode byte (u32 each) */
	PROTO_DMA_DATA, /* data: its place in bytes since the arming (u32), count bytes */
	PROTO_DMA_STOP,
	PROTO_RESET,
	PROTO_QUIESCE,
	/* only in events */
	PROTO_DMA_TAKEN, /* the device has had count bytes more */
	PROTO_DMA_GIVEN, /* data: count bytes more from the device */
	PROTO_OPCODES,
};

/* In the high nibble of a descriptor's second byte: what to do (request), how it went (reply). */
#define PROTO_POLL_UNEQUAL 1u /* until (value & mask) != wanted instead of == */
enum proto_status { PROTO_OK, PROTO_CONDITION, PROTO_REFUSED, PROTO_UNKNOWN, PROTO_FAULT };

struct proto_op {
	u8 opcode;
	u8 width; /* 1, 2 or 4 */
	u8 note;  /* PROTO_POLL_UNEQUAL, or a proto_status */
	u16 count;
	u32 addr;
	const u8 *data;
	u32 data_len;
};

/* addr of the DMA operations. */
static inline u32 proto_dma_addr(unsigned channel, u16 arming)
{
	return channel | (u32)arming << 16;
}

u16 proto_get16(const u8 *p);
u32 proto_get32(const u8 *p);
void proto_put16(u8 *p, u16 value);
void proto_put32(u8 *p, u32 value);

/* Data bytes that follow a descriptor in a request or in a reply, without padding. */
u32 proto_data_len(u8 opcode, u8 width, u16 count, bool reply);
/* The same, descriptor and padding included. */
u32 proto_op_len(u8 opcode, u8 width, u16 count, bool reply);

/* Builds a frame's payload: begin, operations (or bytes), seal. */
struct proto_writer {
	u8 *buf; /* payload; the header's place is kept free */
	u32 len; /* of the operations so far */
	u32 max;
	u8 ops;
};

/* buf has room for PROTO_HEADER + max + PROTO_TAG bytes; max at most PROTO_OPS_MAX. */
void proto_begin(struct proto_writer *w, u8 *buf, u32 max);
/*
 * Appends an operation whose data_len must be proto_data_len() for it. Returns where its data goes
 * (op->data is copied there when not NULL), or NULL when there is no room: nothing is changed then.
 */
u8 *proto_add(struct proto_writer *w, const struct proto_op *op);
/* Appends bytes as they are (handshake bodies). False: no room. */
bool proto_add_bytes(struct proto_writer *w, const void *data, u32 len);
/*
 * Writes header and tag. h->length and h->ops are filled in. The tag covers dst, src, header and
 * operations. Returns the payload's length.
 */
u32 proto_seal(struct proto_writer *w, struct proto_header *h, const u8 key[16], const u8 dst[6],
	       const u8 src[6]);

enum proto_error {
	PROTO_GOOD,
	PROTO_SHORT,	   /* cut off, or a length that does not fit */
	PROTO_BAD_VERSION, /* somebody else's protocol, or a newer one */
	PROTO_BAD_TYPE,
	PROTO_BAD_TAG,
};

/* Header and lengths only: enough to find the key. payload as frame_parse() gave it. */
enum proto_error proto_peek(const u8 *payload, u32 len, struct proto_header *h);
/* The tag. Call after proto_peek() was PROTO_GOOD. */
enum proto_error proto_check(const u8 *payload, const struct proto_header *h, const u8 key[16],
			     const u8 dst[6], const u8 src[6]);
static inline const u8 *proto_body(const u8 *payload)
{
	return payload + PROTO_HEADER;
}

/*
 * Walks the operations. *at starts at 0. Returns 1 with *op filled in, 0 at the end, -1 when what
 * follows is malformed (nothing before it is affected).
 */
int proto_next(const u8 *body, const struct proto_header *h, bool reply, u32 *at,
	       struct proto_op *op);

#endif
