/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest and chip models, in one PC or joined by a remote route: the real route, client and server
 * over a segment in virtual time, which loses nothing unless told to. What the guest sees must be
 * the same; what it costs is counted.
 */
#ifndef FARBUS_TEST_NET_ROUTE_H
#define FARBUS_TEST_NET_ROUTE_H

#include "tests/unit/devices/support.h"
#include "net-ne2000/remote.h"
#include "net-ne2000/server.h"
#include "tests/unit/net/support_guest.h"

#define ROUTE_QUEUE 64

struct route_frame {
	u64 at;
	bool to_server;
	u32 len;
	u8 bytes[FRAME_MAX];
};

struct route {
	struct guest guest;
	struct board *board; /* with the devices; its time is everyone's */
	u8 line;
	/* the board's interrupt controller, as far as it goes */
	bool level, masked, latched;
	bool pending;	/* for the guest */
	u32 interrupts; /* that it had */
	u64 accesses;

	/* NULL: the guest is on the board itself */
	struct remote *remote;
	struct server server;
	struct server_lease lease[1]; /* its places */
	struct endpoint endpoint;
	struct route_frame queue[ROUTE_QUEUE];
	unsigned queued;
	u32 random;
	unsigned loss; /* of 1000 frames */
	u64 delay;     /* ns, at most, beyond wire_ns */
	/* A frame's way, an access on the board's bus, and the time before one of the guest's. */
	u32 wire_ns, access_ns, instruction_ns;
	u64 trips;    /* accesses that could not go on at once */
	u64 frames;   /* of all kinds, both ways */
	u16 watched;  /* a port: */
	u64 carriers; /* requests with writes to it, */
	u64 carried;  /* and the bytes */
};

/* remote: through a route with that profile. Ports and line as in x. */
struct route *route_new(const struct port_export *x, u8 line, const struct profile *profile);
struct route *route_new_local(u8 line);
void route_free(struct route *r);
/* Attaches and unmasks; no frame of that is counted. Call when the devices are on the board. */
void route_start(struct route *r);
void route_reset_counts(struct route *r);
/* Time passes for the guest. */
void route_run(struct route *r, u64 ns);

#endif
