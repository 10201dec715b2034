/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exactly once over a link that loses, repeats, reorders and delays (docs/protocol.md, "Link").
 * Only the decisions are here, on plain state without pointers or payloads, so that a test can
 * explore every state. Sequence numbers are u32 and wrap.
 *
 * Why an operation can never run twice: the receiver runs only the number it expects next and then
 * expects the following one. Why none is lost silently: the sender keeps a number until its answer
 * came, and the receiver keeps the answers of the last LINK_WINDOW numbers; the sender has never
 * more than that many open, so an answer it still needs is never overwritten. For the same reason a
 * message that comes before its turn has a slot at the receiver: no other that is needed has it.
 */
#ifndef FARBUS_NET_LINK_H
#define FARBUS_NET_LINK_H

#include "lib/types.h"

#define LINK_WINDOW 8u /* at most; a power of two */

#define LINK_RTO_MIN_NS	   2000000ull
#define LINK_RTO_MAX_NS	   200000000ull
#define LINK_SUSPECT_NS	   2000000000ull
#define LINK_LOST_NS	   10000000000ull
#define LINK_PENDING_EVERY 50000000ull

/* One direction's sending end: requests of a client, events of a server. */
struct link_slot {
	bool open;
	bool pending; /* the peer said that it is at it: no retransmission is owed */
	u8 tries;
	u32 seq;
	u64 sent[4];  /* when try n was sent, by n & 3: samples stay valid after retransmissions */
	u64 deadline; /* when to send it again */
};

struct link_sender {
	u32 next;			    /* the number that the next message gets */
	u32 window;			    /* 1 to LINK_WINDOW */
	u64 srtt, rttvar, rto;		    /* ns; srtt 0: no sample yet */
	u64 heard;			    /* when the peer last gave a sign of life */
	struct link_slot slot[LINK_WINDOW]; /* by seq % LINK_WINDOW */
	u32 retransmissions;
};

void link_sender_init(struct link_sender *s, u32 window, u64 now);
bool link_can_send(const struct link_sender *s);
/* Opens the next number. The caller keeps the message's bytes by slot. Returns the slot. */
unsigned link_send(struct link_sender *s, u64 now);
/* The slot whose message is to be sent again now (its try count already raised), or -1. */
int link_due(struct link_sender *s, u64 now);
/* The earliest time at which link_due() can have something, ~0 for never. */
u64 link_deadline(const struct link_sender *s);
/*
 * An answer to seq, with the try count it echoes. Returns the slot when it closes an open number,
 * -1 for one already closed or never sent.
 */
int link_answered(struct link_sender *s, u32 seq, u8 tries, u64 now);
/* The peer works on seq: it is left alone for longer. Returns false when seq is not open. */
bool link_is_pending(struct link_sender *s, u32 seq, u64 now);
void link_heard(struct link_sender *s, u64 now);

enum link_health { LINK_GOOD, LINK_SUSPECT, LINK_LOST };
/* By the silence while something is owed by the peer. */
enum link_health link_health(const struct link_sender *s, u64 now);
bool link_idle(const struct link_sender *s);

/* One direction's receiving end. */
struct link_receiver {
	u32 expected;
	bool running; /* `expected - 1` is being carried out: its answer is not there yet */
	u8 kept;      /* messages that came before their turn, a bit for each seq % LINK_WINDOW */
	u32 duplicates, stray;
};

enum link_verdict {
	LINK_RUN,    /* carry it out, then link_done() */
	LINK_REPEAT, /* answer again from the cache, slot seq % LINK_WINDOW */
	LINK_BUSY,   /* a duplicate of the one being carried out: say PENDING */
	LINK_KEEP,   /* before its turn: keep it in slot seq % LINK_WINDOW for link_next() */
	LINK_DROP,   /* too old, too early, or kept already */
};

void link_receiver_init(struct link_receiver *r);
enum link_verdict link_received(struct link_receiver *r, u32 seq);
/* The answer of the number that was LINK_RUN is in the cache now. */
void link_done(struct link_receiver *r);
/* A kept one whose turn has come: *seq is to be carried out now, as after LINK_RUN. */
bool link_next(struct link_receiver *r, u32 *seq);
/* Whether seq was LINK_KEEP and its turn has not come. */
bool link_is_kept(const struct link_receiver *r, u32 seq);

#endif
