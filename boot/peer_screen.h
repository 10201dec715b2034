/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer shows, on its screen and on its console: who it is, what it lends out, who holds it,
 * what was dropped, and the latest lines of the log.
 */
#ifndef FARBUS_BOOT_PEER_SCREEN_H
#define FARBUS_BOOT_PEER_SCREEN_H

#include "boot/config.h"
#include "net-ne2000/service.h"

/* From then on the screen is not the log's. since: see peer_screen_poll(). */
void peer_screen_init(const struct config *c, struct services *v);
/*
 * Draws what has changed, four times a second at most. since[i]: host_ns() at which export i was
 * lent to its holder. Returns the host_ns() at which this is due again.
 */
u64 peer_screen_poll(const struct server *s, const u64 *since, u64 now);

#endif
