/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service of a Farbus machine on the segment (net-ne2000/service.h): finds the machine, leases
 * the service, and looks for it again when it is lost.
 */
#ifndef FARBUS_HOST_SERVICE_H
#define FARBUS_HOST_SERVICE_H

#include "host/wire.h"
#include "net-ne2000/discover.h"
#include "net-ne2000/service_client.h"

#define SERVICE_CHOICES 2u

struct service_options {
	const char *interface; /* NULL: the only one that is up */
	const char *key;       /* a file; NULL: without a key */
	const char *node;      /* the machine's name or address */
	/* The service's name, and the next best when that one is held; NULL: none. */
	const char *choice[SERVICE_CHOICES];
	bool take; /* ask for one that is held: it may be this machine that holds it */
};

struct node_service_hooks {
	/* The lease is there; of which choice. */
	void (*up)(void *ctx, unsigned choice);
	/* As those of struct service_client_hooks. */
	void (*data)(void *ctx, const u8 *data, u32 len);
	void (*state)(void *ctx, u32 state);
	/* It has owed an answer for 2 s, or has given one. */
	void (*silent)(void *ctx, bool silent);
	/*
	 * There is no lease, and why, as a line without its end: it was lost, or could not be had
	 * within 3 s. It is looked for all the same, and this comes again only after up().
	 */
	void (*down)(void *ctx, const char *why);
};

struct node_service {
	struct service_options o;
	const struct node_service_hooks *hooks;
	void *ctx;
	struct wire wire;
	struct endpoint e;
	struct discovery d;
	struct service_client s;
	bool by_mac;
	u8 mac[6];
	unsigned choice;
	bool first_held; /* somebody else has the choice before this one */
	bool was_up, is_down, is_silent, ending;
	u64 ask_at, tell_at;
	char why[160], heard[80]; /* what stands in the way, and who has answered instead */
};

/* False with a line in the log. */
bool node_service_open(struct node_service *n, const struct service_options *o,
		       const struct node_service_hooks *hooks, void *ctx);
/* Sends what was written and gives the lease back, which takes 1 s at most. */
void node_service_close(struct node_service *n);

/* To be awaited with POLLIN. */
static inline int node_service_fd(const struct node_service *n)
{
	return n->wire.fd;
}
/*
 * Takes frames and does what time brings. Returns the wire_now() at which it is due again. False in
 * *good: the interface is gone (logged).
 */
u64 node_service_turn(struct node_service *n, bool *good);

/* As service_write() and service_unsent(), while the lease is there. */
u32 node_service_write(struct node_service *n, const u8 *data, u32 len);
u32 node_service_unsent(const struct node_service *n);
/* What was written is refused: the key is for reading only. */
static inline bool node_service_refused(const struct node_service *n)
{
	return n->s.refused;
}

#endif
