/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC that runs a guest offers services to authenticated clients on the wire
 * (net-ne2000/service.h): a server of its own beside the remote routes' client, on the same card.
 */
#ifndef FARBUS_BOOT_OFFER_H
#define FARBUS_BOOT_OFFER_H

#include "boot/config.h"
#include "net-ne2000/service.h"

/* Bytes of heap that offer_start() will take. */
u32 offer_size(const struct config *c);
/* After net_start(). Without a card, or when nothing is asked for, there is nothing to offer. */
void offer_start(const struct config *c);
/* False, with a line in the log where that was asked for: it cannot be offered. */
bool offer_add(const struct service_ops *ops, void *ctx);

/* A frame from the card. False: it is none of a client's. */
bool offer_frame(const u8 *frame, u32 len, u64 now);
/* From the run loop, cheap when nobody is there. Returns the host_ns() of the next call. */
u64 offer_poll(u64 now);
/* "console held by 52:54:00:12:34:56, ...", one line about each service. False: no more. */
bool offer_describe(unsigned n, char *buf, size_t size);

#endif
