/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits of the configuration's keys, for a server of this PC. */
#ifndef FARBUS_BOOT_ACCESS_H
#define FARBUS_BOOT_ACCESS_H

#include "boot/config.h"
#include "net-ne2000/server.h"

/* After server_init(), whose endpoint has the configuration's key. */
void access_set(struct server *s, const struct config *c);

#endif
