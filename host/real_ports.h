/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of this machine itself: by the CPU's own instructions, else through /dev/port (port(4)). */
#ifndef FARBUS_HOST_REAL_PORTS_H
#define FARBUS_HOST_REAL_PORTS_H

#include "net-ne2000/export.h"

/*
 * Makes them reachable; what ioperm(2) grants outlives the capability CAP_SYS_RAWIO. False with a
 * line in the log that begins with the export's name.
 */
bool real_ports_open(const char *name, const struct port_range *range, unsigned ranges);
/* Takes back what real_ports_open() has granted. */
void real_ports_close(const struct port_range *range, unsigned ranges);
/* Whether accesses of 2 and 4 bytes are single ones; /dev/port has bytes only. */
bool real_ports_wide(void);
/* width 1, or 2 and 4 if wide. The port is one of those that are open. */
u32 real_port_in(u16 port, unsigned width);
void real_port_out(u16 port, unsigned width, u32 value);

/*
 * The first of this machine's drivers that uses one of the ports (/proc/ioports), in text, or that
 * this cannot be seen. False: none does.
 */
bool real_ports_used(const struct port_range *range, unsigned ranges, char *text, size_t size);

#endif
