/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of a remote route. */
#ifndef FARBUS_NET_REMOTE_PARTS_H
#define FARBUS_NET_REMOTE_PARTS_H

#include "net-ne2000/remote.h"

#define REMOTE_ACCESSES 8u
#define REMOTE_BLOCK	(PROTO_OPS_MAX - PROTO_OP) /* bytes of the largest INS or OUTS */
#define REMOTE_FIFO	16384u			   /* a power of two */
#define REMOTE_WHY	120u

#define REMOTE_POST_NS	 200000ull     /* a posted write waits so long for others */
#define REMOTE_HOLD_NS	 100000000ull  /* an interrupt is held back so long after the last byte */
#define REMOTE_OWE_NS	 5000000ull    /* see profile->owes() */
#define REMOTE_PAUSE_US	 200u	       /* the longest pause between posted writes that is kept */
#define REMOTE_ATTACH_NS 5000000000ull /* for finding the peer and its lease */
#define REMOTE_HELLO_NS	 250000000ull  /* between questions for the peer */
#define REMOTE_HELD_NS	 1000000000ull /* a held export is asked for all the same: it may be ours */
#define REMOTE_AGAIN_NS	 2000000000ull /* the same while it is lost */
#define REMOTE_LEAVE_NS	 2000000000ull /* for what is open when the route is detached */

/* A guest instruction under way. Its answer waits here until the instruction comes back. */
struct remote_access {
	enum {
		ACCESS_FREE,
		ACCESS_SENT,
		ACCESS_ANSWERED,
		ACCESS_UNKNOWN /* may have been carried out: completes as the policy says */
	} state;
	struct remote_key key;
	u64 born;
	u8 opcode; /* IN, OUT, INS or OUTS, as the guest has it */
	u8 width;
	u16 port;
	bool polls;	  /* an IN that went as POLL */
	bool seen;	  /* the first part of its answer */
	bool timed_out;	  /* POLL: its condition did not come about */
	u32 polled_us;	  /* POLL: for so long */
	u32 value;	  /* written, or read */
	u32 count, taken; /* elements at the peer; of which the guest has had so many */
	u8 data[REMOTE_BLOCK];
};

#define REMOTE_NO_OP   255u
#define REMOTE_COOKIES 0x7fffffffu /* bit 31 is of requests made elsewhere (remote_dma.h) */

/*
 * What the operations of a request are for, by their numbers in it: first come posted writes, then
 * what the guest's access became, then what is read along with it.
 */
struct remote_plan {
	struct remote_access *access; /* NULL: none waits for it */
	u8 access_at, access_ops;     /* 2: POLL and the look whether to read along */
	u8 data_at;		      /* INS that reads ahead, */
	u16 bytes;		      /* so many */
	u8 peek_at;		      /* IN right after it */
	u8 drain_at;		      /* IN and POLL in turn from here on */
	u16 drain_port;		      /* that the IN is from */
};

/* A request under way, with a copy of its operations to name them if their outcome is unknown. */
struct remote_request {
	bool open;
	bool discard; /* what it reads ahead is void */
	u32 cookie;
	struct remote_plan plan;
	u8 ops;
	u16 len;
	u8 body[PROTO_OPS_MAX];
};

/* The request that is being put together. */
struct remote_frame {
	struct proto_writer w;
	u32 reply;    /* bytes of its answer */
	u32 last;     /* where its last operation begins */
	bool delays;  /* has a DELAY, which CANCEL would end */
	u64 first;    /* when the oldest write in it was posted, 0: none was */
	u64 previous; /* and the newest one */
	u8 buf[PROTO_HEADER + PROTO_OPS_MAX + PROTO_TAG];
};

/* The read that the guest last did, and whether it is a loop. */
struct remote_loop {
	u32 eip, cr3, value, repeats;
	u64 nth;
	u16 port;
	u8 width;
	u32 credit; /* reads to be answered here with the same value */
	u64 credit_until;
};

/* Read ahead from one port. */
struct remote_ahead {
	u16 port;
	u32 get, put;  /* count bytes; put - get are there */
	u32 in_flight; /* bytes asked for and not void */
	bool waited;   /* the guest has waited for what is in flight */
	u8 fifo[REMOTE_FIFO];
};

#define REMOTE_HEARD 4u /* peers that a failure names */

/* Looking for the peer, and what to say if that fails. */
struct remote_search {
	struct discovery discovery;
	u64 began, until, next_hello;
	bool asks; /* the client asks for the lease; else we look for offers */
	char heard[REMOTE_HEARD][EXPORT_NAME + 1];
	unsigned heards;
	char why[REMOTE_WHY];
	enum remote_obstacle {
		OBSTACLE_SILENCE,
		OBSTACLE_NAME,
		OBSTACLE_PORTS,
		OBSTACLE_LINES,
		OBSTACLE_HELD,
		OBSTACLE_LEASE
	} obstacle; /* that why is about: the one nearest to success */
};

struct remote {
	struct endpoint *e;
	struct client c;
	struct remote_config config;
	const struct remote_hooks *hooks;
	void *ctx;
	u64 now; /* of the call that we are in */
	enum remote_state state;
	struct remote_search search;
	struct profile_state profile;
	struct remote_stats stats;
	bool leaving;
	u64 leave_until;
	u8 mac[6]; /* of the peer, once found */
	char peer[EXPORT_NAME + 1], export[EXPORT_NAME + 1];

	/* the interrupt line: at most one event is under way */
	bool raised, held; /* as the guest sees it; held back until it has what was read ahead */
	u64 held_until;	   /* if the guest takes nothing of that, it may wait for the line first */
	bool owing;	   /* see profile->owes() */
	bool local;	   /* raised for what is left here: nothing for the peer to end */
	bool eoi_due;
	u64 used_at; /* when the guest last used the route */
	u32 drained; /* data of the pair whose status is next */
	u16 generation;

	struct remote_dma dma;
	u32 cookies;
	u64 births; /* of accesses */
	struct remote_access access[REMOTE_ACCESSES];
	struct remote_request request[LINK_WINDOW];
	struct remote_frame next;
	struct remote_loop loop;
	struct remote_ahead ahead;
	u32 said_failed; /* the failed operation that was last told of */
};

/* remote.c */
void remote_say(struct remote *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void remote_enter(struct remote *r, enum remote_state state);
/* Accesses go to the peer. */
bool remote_up(const struct remote *r);
/* The interrupt that was held back, if nothing holds it any more. */
void remote_release_irq(struct remote *r);
void remote_lower_irq(struct remote *r);
/* All that may have become possible: posted writes, EOI, reading ahead, the end. */
void remote_pump(struct remote *r);
u32 remote_ones(unsigned width);

/* False: the peer has to hear more of the guest's DMA channels before the guest goes on. */
bool remote_dma_ready(struct remote *r);

/* remote_attach.c */
void remote_search_poll(struct remote *r);
u64 remote_search_deadline(const struct remote *r);
void remote_client_changed(struct remote *r, enum client_state state);
/* The lease is gone, and with it the outcome of what was under way. */
void remote_lose(struct remote *r, const char *why);
/* Gives the lease back when nothing is open any more. */
void remote_leave(struct remote *r);

/* remote_match.c */
/* The offer has what the route wants: its export's number, or -1 with the obstacle noted. */
int remote_match(struct remote *r, const struct offer *o);
bool remote_covered(const struct remote *r, const struct port_export *x);
/* Notes why it fails, unless something nearer to success is noted already. */
void remote_obstacle(struct remote *r, enum remote_obstacle obstacle, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The end of the search: fills in why where no single peer is to blame. */
void remote_explain(struct remote *r);

/* remote_request.c */
/* Starts an empty one; what was put together is gone. */
void remote_begin_request(struct remote *r);
/* Appends an operation; data of count elements, mask and value, or NULL. False: no room. */
bool remote_add(struct remote *r, const struct proto_op *op);
/* Elements of an INS or OUTS that can still be added, next to an answer of `spare` bytes more. */
u32 remote_room(const struct remote *r, u8 opcode, unsigned width, u32 spare);
/* The same for a block of count elements; where little room is left what is posted goes first. */
u32 remote_block_room(struct remote *r, u8 opcode, unsigned width, u32 count);
/* One more request can be sent. */
bool remote_can_send(const struct remote *r);
/* Sends what was put together. Only when remote_can_send(). */
void remote_send(struct remote *r, const struct remote_plan *plan);
void remote_request_done(struct remote *r, u32 cookie, enum client_outcome outcome,
			 const struct proto_header *h, const u8 *body);
/* Ends a POLL under way, so that what comes after it does not wait. */
void remote_cancel_polls(struct remote *r);
/* What is read ahead by requests under way is void. */
void remote_discard_requests(struct remote *r);

/* remote_table.c */
/* NULL: none. value: of a write, the first element; another one makes it another instruction. */
struct remote_access *remote_access_find(struct remote *r, const struct remote_key *k, u8 opcode,
					 u16 port, unsigned width, u32 value);
/* NULL: the table is full of accesses whose answer is not there. */
struct remote_access *remote_access_new(struct remote *r, const struct remote_key *k, u8 opcode,
					u16 port, unsigned width);
u32 remote_get_value(const u8 *p, unsigned width);
void remote_put_value(u8 *p, unsigned width, u32 value);
/* The peer's answer to what the access became. */
void remote_access_answered(struct remote *r, struct remote_access *a, const struct proto_op *op);
/* Its outcome is unknown, or (false) it was never carried out. */
void remote_access_failed(struct remote *r, struct remote_access *a, bool unknown);
void remote_access_forget(struct remote *r);

/* remote_post.c */
/* Elements taken, 0: no room now. */
u32 remote_post(struct remote *r, u16 port, unsigned width, const void *data, u32 count);
/* False: there is something, and no room for it now. */
bool remote_send_posts(struct remote *r);
u64 remote_post_deadline(const struct remote *r);
/* They never reach the peer. */
void remote_drop_posts(struct remote *r);

/* remote_ahead.c */
/* Bytes that the guest has not had yet, arrived or not. */
u32 remote_buffered(const struct remote *r);
/* Asks for what the profile says will come. */
void remote_read_ahead(struct remote *r);
/* Room for a read and what follows it, made by sending what is posted. False: none now. */
bool remote_follow_room(struct remote *r);
/* Adds what is to be read along with the access just added. */
void remote_follow(struct remote *r, const struct profile_follow *f, bool polled,
		   struct remote_plan *plan);
/* NULL: it was not read. */
void remote_ahead_came(struct remote *r, const struct remote_request *q, const struct proto_op *op);
void remote_ahead_void(struct remote *r);
/* True: reads of this port are served from here; *taken elements now, perhaps 0. */
bool remote_ahead_take(struct remote *r, u16 port, unsigned width, void *buf, u32 count,
		       u32 *taken);

/* remote_drain.c */
/* Adds what is read along with the status just added. */
void remote_drain(struct remote *r, const struct profile_drain *d, struct remote_plan *plan);
/* Operation n of the answer is a part of that. */
void remote_drained(struct remote *r, const struct remote_request *q, unsigned n,
		    const struct proto_op *op);
/* A request under way drains that port. */
bool remote_drains(const struct remote *r, u16 port);
/* The interrupt for what the guest has left here. */
void remote_owe_irq(struct remote *r);
u64 remote_owe_deadline(const struct remote *r);

/* remote_wait.c */
/* A read that goes on with the loop: true with its value from the credit. */
bool remote_loop_credit(struct remote *r, const struct remote_key *k, u16 port, unsigned width,
			u32 *value);
/* The profile wants this read as a POLL. */
bool remote_loop_polls(struct remote *r, const struct remote_key *k, u16 port, unsigned width,
		       struct profile_poll *poll);
void remote_loop_read(struct remote *r, const struct remote_key *k, const struct remote_access *a);
/* Any other access to the route. */
void remote_loop_break(struct remote *r);

#endif
