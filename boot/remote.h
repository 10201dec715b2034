/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remote routes on the guest's bus: ports and an interrupt line that another PC's hardware answers
 * (net-ne2000/remote.h). All routes share this PC's one card and one endpoint.
 */
#ifndef FARBUS_BOOT_REMOTE_H
#define FARBUS_BOOT_REMOTE_H

#include "boot/config.h"
#include "net-ne2000/discover.h"

struct vm;

/* After net_start(), whether it found a card or not. -1: out of memory. */
int remote_route_init(struct vm *vm);

/*
 * Starts looking for the peer; the ports are absent meanwhile. 0, or -1 with one line in error.
 * After it, remote_route_settle() with the same route waits (at most 6 s) and has the ports routed:
 * 0, or -1 with one line in error.
 */
int remote_route_begin(struct vm *vm, const struct config_route *r, char *error, size_t size);
int remote_route_settle(struct vm *vm, const struct config_route *r, char *error, size_t size);
/* Gives back the leases of routes that have no port left on the bus. */
void remote_route_collect(struct vm *vm);

/* From the run loop, also while the guest is stopped. Returns the host_ns() of the next call. */
u64 remote_route_poll(struct vm *vm, u64 now);
/* Posted writes go out: the guest halts. */
void remote_route_flush(struct vm *vm);
/* The guest's end of interrupt of a line. */
void remote_route_eoi(struct vm *vm, unsigned line);
/* The guest PC was reset. */
void remote_route_reset(struct vm *vm);
/* Before power-off: all leases go back; waits 1 s at most. */
void remote_route_end(struct vm *vm);

/* Two lines about remote route n, counted from 0: what it is, what it cost. False: no more. */
bool remote_route_describe(struct vm *vm, unsigned n, char *buf, size_t size);
/* One line: frames that were dropped, by reason. */
void remote_route_drops(struct vm *vm, char *buf, size_t size);
/*
 * Sends remote route n `count` echoes, one after the other, and waits 1 s at most for each. Average
 * and longest in ns, of those that came back. The number of these; -1: there is no such route.
 */
int remote_route_ping(struct vm *vm, unsigned n, u32 count, u64 *average, u64 *longest);
/* Asks all peers who they are, and waits 1 s for what they say; found() may come twice for one. */
int remote_route_discover(struct vm *vm, void (*found)(void *ctx, const struct offer *offer),
			  void *ctx, char *error, size_t size);

#endif
