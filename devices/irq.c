/* SPDX-License-Identifier: BSD-2-Clause */
/* Wired-OR interrupt lines between the devices and the PIC. */
#include "devices/irq.h"

void irq_set(const struct irq_pin *pin, bool level)
{
	struct irq_lines *lines = pin->lines;
	unsigned line = pin->line & (IRQ_LINES - 1);
	u32 before, after;

	if (!lines)
		return;
	before = lines->sources[line];
	after = level ? before | BIT(pin->source & 31) : before & ~BIT(pin->source & 31);
	lines->sources[line] = after;
	if (!before != !after && lines->changed)
		lines->changed(lines->ctx, line, after != 0);
}

bool irq_in_service(const struct irq_pin *pin)
{
	struct irq_lines *lines = pin->lines;

	return lines && lines->in_service &&
	       lines->in_service(lines->ctx, pin->line & (IRQ_LINES - 1));
}
