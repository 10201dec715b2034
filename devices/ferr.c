/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Circuit: the PIIX3's coprocessor error logic. Datasheet: 82371SB (290550), 2.5.6.
 * A write to F0h takes IRQ 13 away and holds IGNNE# until FERR# falls, so that the handler may use
 * the FPU; the one to F1h resets an 80287 and does nothing since the 486. All of it is modelled.
 */
#include "devices/ferr.h"
#include "devices/bus.h"

void ferr_set(struct ferr *f, bool level)
{
	if (level && !f->level)
		irq_set(&f->irq, true);
	f->level = level;
	if (!level)
		f->ignne = false;
}

static u32 ferr_in(void *dev, u16 port, unsigned width)
{
	(void)dev;
	(void)port;
	(void)width;
	return 0xff;
}

static void ferr_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct ferr *f = dev;

	(void)width;
	(void)value;
	if (port != 0xf0)
		return;
	irq_set(&f->irq, false);
	f->ignne = f->level;
}

static const struct port_ops ferr_ops = {.in = ferr_in, .out = ferr_out, .widths = 1};

void ferr_reset(struct ferr *f)
{
	f->level = f->ignne = false;
	irq_set(&f->irq, false);
}

void ferr_init(struct ferr *f, struct bus *bus, struct irq_pin irq)
{
	*f = (struct ferr){.irq = irq};
	bus_register(bus, 0xf0, 0xf1, ROUTE_VIRTUAL, &ferr_ops, f, "fpu");
}
