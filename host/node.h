/* SPDX-License-Identifier: BSD-2-Clause */
/* The server of `farbus serve` with its devices: what is lent out, and accesses to it. */
#ifndef FARBUS_HOST_NODE_H
#define FARBUS_HOST_NODE_H

#include "host/device.h"
#include "host/wire.h"
#include "net-ne2000/server.h"

/* What the log has last said of a lease. */
struct lease_seen {
	bool active;
	u16 session;
	u8 mac[6];
	u64 since, operations, expired;
};

struct node {
	struct wire *wire;
	struct server server;
	struct server_lease lease[SERVER_EXPORTS];
	struct device *device[SERVER_EXPORTS]; /* of the export with the same index; NULL: none */
	struct lease_seen seen[SERVER_EXPORTS];
	u64 told[DROPS], tell_at; /* of dropped frames */
};

/* All that the configuration asks for. False with a line in the log; node_stop() all the same. */
bool node_start(struct node *n, struct wire *w, const struct serve_config *c);
/*
 * What has changed: exports that are the same keep their leases, unless keys, the node's name or
 * the form of frames are others. What cannot be opened is logged and left out.
 */
void node_reload(struct node *n, const struct serve_config *old, const struct serve_config *c);
/* Ends all leases and closes the devices. */
void node_stop(struct node *n);

/* Fires timers, moves bytes, watches leases; the wire_now() at which the next turn is due. */
u64 node_turn(struct node *n);
void node_receive(struct node *n, const u8 *frame, u32 len);

/* node_log.c: a line for each lease that begins or ends, and for frames that were dropped. */
void node_watch(struct node *n);
void node_tell_drops(struct node *n, bool now);

#endif
