/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port 92h as in the PIIX3. Datasheet: 82371SB (290550), 2.5.5.
 * Bit 0: a rise resets the CPU. Bit 1: A20; the 8042 drives the same gate, and the last one to
 * write wins, which is what guests that use both expect. The other bits are memory.
 */
#include "devices/port92.h"
#include "devices/bus.h"
#include "cpu/physmem.h"
#include "lib/str.h"

#define FAST_RESET 0x01u
#define FAST_A20   0x02u

static u32 port92_in(void *dev, u16 port, unsigned width)
{
	struct port92 *p = dev;

	(void)port;
	(void)width;
	return (p->value & ~FAST_A20) | (physmem_a20(p->mem) ? FAST_A20 : 0);
}

static void port92_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct port92 *p = dev;
	bool rise = value & ~p->value & FAST_RESET;

	(void)port;
	(void)width;
	p->value = (u8)value;
	physmem_set_a20(p->mem, value & FAST_A20);
	if (rise)
		p->reset(p->ctx);
}

static const struct port_ops port92_ops = {.in = port92_in, .out = port92_out, .widths = 1};

void port92_reset(struct port92 *p)
{
	p->value = 0;
}

void port92_init(struct port92 *p, struct bus *bus, struct physmem *mem, void (*reset)(void *ctx),
		 void *ctx)
{
	*p = (struct port92){.mem = mem, .reset = reset, .ctx = ctx};
	bus_register(bus, 0x92, 0x92, ROUTE_VIRTUAL, &port92_ops, p, "port92");
}
