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

/* Room for net_mac_text(). */
#define NET_MAC_TEXT 18u
/* net_resources(): polled. */
#define NET_NO_IRQ 0xffu

/*
 * Finds and starts the card of c->nic, hooks its line, and tries whether an interrupt arrives on
 * it: if not, that is one line in the log, and the card is polled. 0, or -1 with one line in error;
 * nothing is left running then. Once, before the guest's memory is cleared.
 */
int net_start(const struct config *c, char *error, size_t size);
/* The card runs. It is false from the moment on that the card is lost, after one line in the log.
 */
bool net_up(void);
/* endpoint_init() with the card's address, this power-on's epoch, the configured key and form. */
void net_endpoint(struct endpoint *e, const struct config *c, bool server);
/*
 * From the run loop: lets the driver work and hands on each received frame, at most 32 a call. It
 * is cheap when nothing is due. now: host_ns(). Returns the host_ns() at which this is due again
 * without an interrupt, TIMER_NEVER without a card.
 */
u64 net_poll(u64 now, void (*frame)(void *ctx, const u8 *frame, u32 len), void *ctx);
/*
 * A line in the log for each station whose frames are of another version of the protocol, one in 10
 * seconds at most.
 */
void net_tell_strangers(struct endpoint *e);
/* The card's ports and line, which nobody else may have; *irq may be NET_NO_IRQ. False: no card. */
bool net_resources(struct port_range *ports, u8 *irq);
/* The card's address; six zeros without one. */
const u8 *net_mac(void);
/* "ne2000 at 0x300, 16-bit, irq 10, 52:54:00:12:34:56", or "no card". */
void net_describe_card(char *buf, size_t size);
/* Its counters: "5 sent, 3 received, ...", with "lost" before them when it no longer runs. */
void net_describe(char *buf, size_t size);
/* "52:54:00:12:34:56" */
void net_mac_text(char buf[NET_MAC_TEXT], const u8 mac[6]);

#endif
