/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network card, and what client and peer mode both need of it: an address, an epoch, random
 * bytes, frames out and frames in.
 */
#ifndef FARBUS_BOOT_NET_H
#define FARBUS_BOOT_NET_H

#include "boot/config.h"
#include "net-ne2000/endpoint.h"
#include "net-ne2000/export.h"
#include "net-ne2000/export.h"

/*
 * Finds and starts the card of c->nic, and hooks its line. 0, or -1 with one line in error; nothing
 * is left running then.
 */
int net_start(const struct config *c, char *error, size_t size);
/* The card runs. */
bool net_up(void);
/* endpoint_init() with the card's address, this power-on's epoch, the configured key and form. */
void net_endpoint(struct endpoint *e, const struct config *c, bool server);
/*
 * From the run loop: lets the driver work and hands on each received frame. Returns the host_ns()
 * at which this is due again without an interrupt.
 */
u64 net_poll(u64 now, void (*frame)(void *ctx, const u8 *frame, u32 len), void *ctx);
/* The card's ports and line, which nobody else may have. False: no card. */
bool net_resources(struct port_range *ports, u8 *irq);
/* One line about the card and its counters. */
void net_describe(char *buf, size_t size);

#endif
