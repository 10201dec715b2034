/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the remote routes share. Inside boot/remote*.c only. */
#ifndef FARBUS_BOOT_REMOTE_PARTS_H
#define FARBUS_BOOT_REMOTE_PARTS_H

#include "boot/remote.h"
#include "net-ne2000/endpoint.h"
#include "net-ne2000/remote.h"

#define REMOTE_ROUTES 8

/* A place for a route; its handler on the bus stays when the route goes. */
struct remote_route {
	struct vm *vm;
	struct remote *r; /* NULL: this place was never used */
	int handler;	  /* on the guest's bus; 0: none yet */
	bool used;
	bool raised; /* the line is high */
	char name[EXPORT_NAME + 1];
	struct config_route route;
};

/* vm->remotes; NULL without a network card. */
struct remotes {
	struct endpoint e;
	struct remote_route route[REMOTE_ROUTES];
	struct remote_route *last; /* the one that the guest accessed last */
	struct discovery discovery;
};

extern const struct port_ops remote_route_ops;
extern const struct remote_hooks remote_route_hooks;
extern const struct remote_dma_hooks remote_route_dma;

/* The guest's line; m->raised is it. */
void remote_route_line(struct remote_route *m, bool level);
/* Hears of the guest's programming of the route's DMA channels, or no more. */
void remote_route_listen(struct remote_route *m, bool on);
/* Lets the network run until an interrupt or `until` (host_ns()). */
void remote_route_wait(struct vm *vm, u64 until);

#endif
