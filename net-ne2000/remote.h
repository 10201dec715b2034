/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A remote route: port accesses of a guest, carried out by a peer through a lease (client.h). What
 * the guest asks for is answered at once, or not yet: the guest's instruction is then restarted
 * until the answer is there, and other accesses may come in between (its interrupt handlers run).
 * This finds and leases the peer's export, posts and combines writes, turns waiting loops into one
 * POLL, reads ahead, and keeps the promise of the route's on-loss policy. It knows no guest and no
 * hardware; time comes in as ns of any clock that never goes back.
 */
#ifndef FARBUS_NET_REMOTE_H
#define FARBUS_NET_REMOTE_H

#include "lib/types.h"
#include "net-ne2000/client.h"
#include "net-ne2000/discover.h"
#include "net-ne2000/profile.h"
#include "net-ne2000/remote_dma.h"

/* While the peer is lost: the guest waits, or reads all ones, or what profile->error() says. */
enum remote_loss { REMOTE_FREEZE, REMOTE_FLOAT, REMOTE_ERROR };

struct remote_config {
	char peer[EXPORT_NAME + 1]; /* the peer's or the export's name; "": by mac */
	u8 mac[6];
	struct port_range range[EXPORT_RANGES];
	u8 ranges;
	s8 irq; /* -1: none; the same number at the peer */
	u8 dma; /* channels, a bit each, of the same numbers at the peer */
	const struct profile *profile;
	enum remote_loss on_loss;
};

/*
 * What tells one guest instruction from another that is under way: a restarted one has the same
 * key. Linear addresses of the instruction and of the stack's top.
 */
struct remote_key {
	u32 eip, esp, cr3;
	/* Number of the guest's port accesses before this one, to any port: whether a loop does
	 * nothing else. */
	u64 nth;
};

struct remote_hooks {
	/* The guest's interrupt line; level as the guest shall see it. */
	void (*irq)(void *ctx, unsigned line, bool level);
	/* An access that was not answered may be now. */
	void (*wake)(void *ctx);
	/* The route's state is another one: see remote_describe(). */
	void (*changed)(void *ctx);
	/* Something worth a line in the log, such as an operation of unknown outcome. */
	void (*say)(void *ctx, const char *text);
	/* The guest's 8237; NULL: routes have no channels. Called with the same ctx. */
	const struct remote_dma_hooks *dma;
};

enum remote_state {
	REMOTE_OFF,	/* never attached, or detached */
	REMOTE_LOOKING, /* for the peer and the export */
	REMOTE_LEASING,
	REMOTE_UP,
	REMOTE_SUSPECT, /* up, but the peer has owed an answer for 2 s */
	REMOTE_LOST,	/* looks for it again, for ever; the policy holds */
	REMOTE_FAILED,	/* no such peer or export, or another one holds it; why says which */
};

struct remote_stats {
	u64 accesses; /* by the guest, a REP's elements each */
	u64 requests; /* frames with operations sent (first transmissions) */
	u64 waits;    /* accesses that had to wait for an answer: round trips */
	u64 posted;   /* writes that did not */
	u64 polls;    /* loops sent as POLL */
	u64 local;    /* reads answered here, from what was read ahead or is known */
	u64 unknown;  /* operations of unknown outcome */
	u64 interrupts;
	u64 forgotten; /* answers whose instruction never came back */
};

struct remote; /* remote_size() zeroed bytes each: about 100 KB */
size_t remote_size(void);

/* The endpoint is shared by all routes of one card. config is copied. */
void remote_init(struct remote *r, struct endpoint *e, const struct remote_config *config,
		 const struct remote_hooks *hooks, void *ctx);
/* Looks for the peer and leases the export; changed() tells how it went, 5 s at most. */
void remote_attach(struct remote *r, u64 now);
/* Flushes what is posted, gives the lease back; REMOTE_OFF when done. Accesses float meanwhile. */
void remote_detach(struct remote *r, u64 now);
enum remote_state remote_state(const struct remote *r);
/* One line: state, peer, export, and why where it failed ("52:54:00:00:00:02 (pc-b) ide1: up"). */
void remote_describe(const struct remote *r, char *buf, size_t size);
const struct remote_stats *remote_stats(const struct remote *r);
const struct remote_config *remote_config(const struct remote *r);

/* False, or 0 elements: not answered yet; to be asked again with the same key after wake(). */
bool remote_in(struct remote *r, const struct remote_key *k, u16 port, unsigned width, u32 *value,
	       u64 now);
bool remote_out(struct remote *r, const struct remote_key *k, u16 port, unsigned width, u32 value,
		u64 now);
u32 remote_ins(struct remote *r, const struct remote_key *k, u16 port, unsigned width, void *buf,
	       u32 count, u64 now);
u32 remote_outs(struct remote *r, const struct remote_key *k, u16 port, unsigned width,
		const void *buf, u32 count, u64 now);
/* Sends what is posted: before HLT, before an access to another lease. */
void remote_flush(struct remote *r, u64 now);
/* The guest's end of interrupt of the route's line; flushes first. */
void remote_eoi(struct remote *r, unsigned line, u64 now);
/*
 * The guest has unmasked or masked a channel of the route, or (reprogrammed) written its address,
 * count, page or mode.
 */
void remote_channel(struct remote *r, unsigned channel, bool reprogrammed, u64 now);
/* The guest PC was reset: posted writes are sent, accesses under way forgotten. */
void remote_guest_reset(struct remote *r, u64 now);

/* An echo from the peer, for who wants to know the network: as client_ping(), client_echo(). */
bool remote_ping(struct remote *r, u64 now);
u64 remote_echo(const struct remote *r);

/* False: not for this route. */
bool remote_receive(struct remote *r, const struct packet *p, u64 now);
/* Repetitions, time-outs, posted writes that have waited 200 us. */
void remote_poll(struct remote *r, u64 now);
/* When remote_poll() is due next, ~0: not before the next frame. */
u64 remote_deadline(const struct remote *r);

#endif
