/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interface: Bochs's "port E9 hack" and QEMU's isa-debugcon at 402h. Both read as E9h, which is how
 * software finds out that somebody listens.
 */
#include "devices/debug_port.h"
#include "devices/bus.h"

#define PRESENT 0xe9

static u32 debug_in(void *dev, u16 port, unsigned width)
{
	(void)dev;
	(void)port;
	(void)width;
	return PRESENT;
}

static void debug_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct debug_port *d = dev;

	(void)port;
	(void)width;
	d->out.write(d->out.ctx, (u8)value);
}

static const struct port_ops debug_ops = {.in = debug_in, .out = debug_out, .widths = 1};

void debug_port_init(struct debug_port *d, struct bus *bus, const struct pc_char *out)
{
	int ports;

	d->out = *out;
	if (!out->write)
		return;
	ports = bus_register(bus, 0xe9, 0xe9, ROUTE_VIRTUAL, &debug_ops, d, "debug");
	if (ports >= 0)
		bus_add_range(bus, ports, 0x402, 0x402);
}
