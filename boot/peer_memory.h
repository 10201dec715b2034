/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and PCI configuration space of exports: what the server's backend does with them. */
#ifndef FARBUS_BOOT_PEER_MEMORY_H
#define FARBUS_BOOT_PEER_MEMORY_H

#include "net-ne2000/server.h"

/* Maps the memory of all exports. False: there is too much of it. */
bool peer_memory_start(const struct server *s);
/* As struct server_backend has them. */
void peer_memory_read(void *ctx, u32 addr, unsigned width, u8 *buf, u32 count);
void peer_memory_write(void *ctx, u32 addr, unsigned width, const u8 *buf, u32 count);
u32 peer_pci_read(void *ctx, u32 addr, unsigned width);
void peer_pci_write(void *ctx, u32 addr, unsigned width, u32 value);

#endif
