/* SPDX-License-Identifier: BSD-2-Clause */
/* The debug consoles of Bochs (port E9h) and of QEMU's firmware (port 402h): bytes out. */
#ifndef FARBUS_DEVICES_DEBUG_PORT_H
#define FARBUS_DEVICES_DEBUG_PORT_H

#include "devices/pc.h"

struct debug_port {
	struct pc_char out;
};

void debug_port_init(struct debug_port *d, struct bus *bus, const struct pc_char *out);

#endif
