/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's backend on this PC's own hardware: ports, interrupt lines, bringing to rest. */
#ifndef FARBUS_BOOT_PEER_BACKEND_H
#define FARBUS_BOOT_PEER_BACKEND_H

#include "net-ne2000/server.h"

extern const struct server_backend peer_backend;

/* After the last server_add(): hooks the exports' lines, masked, and brings all devices to rest. */
void peer_backend_start(struct server *s);
/* Tells the server of the interrupts that have come in: before each frame, and in each turn. */
void peer_backend_poll(struct server *s);
/* Interrupts of the line since the start. */
u64 peer_interrupts(unsigned line);

#endif
