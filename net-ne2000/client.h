/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our side of the remote-port protocol (docs/protocol.md): one lease on one export of one server.
 * Requests are carried out at the server once and in order; their answers come back in order, each
 * after the interrupts that the server sent before it. A request that was open when the session
 * ended has an unknown outcome: that is reported, and it is never sent again. Nothing here waits;
 * time comes in as ns of any clock that never goes back.
 */
#ifndef FARBUS_NET_CLIENT_H
#define FARBUS_NET_CLIENT_H

#include "lib/types.h"
#include "net-ne2000/endpoint.h"
#include "net-ne2000/export.h"
#include "net-ne2000/link.h"

#define CLIENT_LINES 16u

#define CLIENT_GREETING_NS    100000000ull  /* first repetition of AUTH1, AUTH3, RELEASE */
#define CLIENT_GREETING_TRIES 12u	    /* 8 s in all */
#define CLIENT_RENEW_NS	      2000000000ull /* a lease at rest is renewed */
#define CLIENT_RENEW_AGAIN_NS 1000000000ull

enum client_state {
	CLIENT_IDLE,	/* no lease: never asked, or given back */
	CLIENT_CALLING, /* AUTH1 sent */
	CLIENT_ASKING,	/* AUTH3 sent */
	CLIENT_LEASED,
	CLIENT_RELEASING,
	CLIENT_FAILED, /* no lease; why says more */
};

enum client_why {
	CLIENT_NO_ANSWER,      /* from the server, to AUTH1 or AUTH3 */
	CLIENT_NO_SUCH_EXPORT, /* it has none of that name */
	CLIENT_HELD,	       /* another client has it */
	CLIENT_RESTARTED,      /* the server has started anew since the lease was made */
	CLIENT_EXPIRED, /* the server was out of reach for too long, or took the lease away */
};

enum client_outcome {
	CLIENT_DONE,	/* body and h are the server's answer; each operation has its own status */
	CLIENT_UNKNOWN, /* it may have been carried out, in part, in full or not at all */
};

/* Each hook may submit requests and cancel, and must not call client_receive() or client_poll(). */
struct client_hooks {
	/* In the order of submission. h and body (walk with proto_next()) only for CLIENT_DONE. */
	void (*done)(void *ctx, u32 cookie, enum client_outcome outcome,
		     const struct proto_header *h, const u8 *body);
	/* A line fired and is masked at the server until client_eoi(line, generation). */
	void (*irq)(void *ctx, unsigned line, u16 generation);
	/* c->state is another one. For CLIENT_FAILED after every open request was reported. */
	void (*changed)(void *ctx, enum client_state state);
	/*
	 * The device has moved len bytes more over the channel since that arming, in order with
	 * answers and interrupts; data: what it gave, NULL: it took them. May be NULL for a client
	 * that arms no channel.
	 */
	void (*dma)(void *ctx, unsigned channel, u16 arming, const u8 *data, u32 len);
};

struct client_slot {
	u32 cookie;
	bool answered, cancelled, own; /* own: an EOI, reported to nobody */
	u8 ops;
	u32 len;
	u8 tag[PROTO_TAG]; /* of the last transmission */
	struct proto_header answer;
	u8 request[PROTO_HEADER + PROTO_OPS_MAX + PROTO_TAG];
	u8 reply[PROTO_OPS_MAX];
};

/* An event that came before its turn. */
struct client_event {
	struct proto_header h;
	u8 body[PROTO_OPS_MAX];
};

struct client {
	struct endpoint *e;
	const struct client_hooks *hooks;
	void *ctx;
	enum client_state state;
	enum client_why why;
	char name[EXPORT_NAME + 1];
	struct session_secrets secrets; /* the server's MAC among them */
	struct session_keys keys;
	u16 session;
	u32 lease_ms;
	struct port_export export; /* as granted */
	u64 again;		   /* when the handshake or RELEASE is repeated */
	u8 tries;

	u64 renew_at,
		silent_since; /* silent_since: of the oldest RENEW that got no answer, 0: none */
	u32 renewals;
	u8 renew_tag[PROTO_TAG];

	struct link_sender requests;
	struct client_slot slot[LINK_WINDOW];
	struct proto_writer writer;
	u32 complete; /* the next number to be reported */
	struct link_receiver events;
	struct client_event event[LINK_WINDOW];
	u16 eoi_due; /* lines whose EOI has no place in the window yet */
	u16 eoi_generation[CLIENT_LINES];
	u16 levels; /* lines that wait for their EOI, as the server last said */
	u64 operations, unknown, interrupts;
	u32 pings;
	u64 pinged_at, echo_ns; /* pinged_at 0: no echo is awaited */
};

/* endpoint_init(e, false, ...) comes first; clients of one network card share it. */
void client_init(struct client *c, struct endpoint *e, const struct client_hooks *hooks, void *ctx);

/* Asks for a lease on the export of that name. False: there is one already, or it is under way. */
bool client_lease(struct client *c, const u8 server[6], const char *name, u64 now);
/* Gives it back. False: no lease, or requests are open. */
bool client_release(struct client *c, u64 now);

/* Ends the session without the server: every open request is of unknown outcome. CLIENT_IDLE. */
void client_abandon(struct client *c);

/* client_begin() would not return NULL. */
bool client_has_room(const struct client *c);
/*
 * A request: client_begin(), proto_add() for each operation, client_submit(), and no other call of
 * this client in between. NULL: no lease, or the window is full; done() is the sign to try again. A
 * begun request may be abandoned.
 */
struct proto_writer *client_begin(struct client *c);
/*
 * False: nothing in it, or its answer would not fit in a frame; nothing was sent then. The cookie
 * comes back with the outcome.
 */
bool client_submit(struct client *c, u32 cookie, u64 now);
/*
 * Ends the POLL or DELAY that a request waits in. Its answer comes as ever, and says whether the
 * condition had come about before: a value that was read is never lost.
 */
void client_cancel(struct client *c, u32 cookie, u64 now);
/* The guest has handled that generation of the line. */
void client_eoi(struct client *c, unsigned line, u16 generation, u64 now);

/* False: not for this client; nothing is counted then. */
bool client_receive(struct client *c, const struct packet *p, u64 now);
/* Repetitions, renewals, time-outs. */
void client_poll(struct client *c, u64 now);
/* When client_poll() is due next, ~0: not before the next frame. */
u64 client_deadline(const struct client *c);
/*
 * Sends the session's smallest frame, which the server sends back; it renews nothing. False: no
 * lease. client_echo(): how many ns that took, 0 as long as it is not back.
 */
bool client_ping(struct client *c, u64 now);
u64 client_echo(const struct client *c);
/* By the silence of a server that owes an answer. LINK_LOST: the lease may be gone, too. */
enum link_health client_health(const struct client *c, u64 now);

#endif
