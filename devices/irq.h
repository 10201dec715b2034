/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's 16 interrupt lines. Any number of sources drive a line; the line is the OR of them.
 * Whether a change is an edge or a level is the PIC's business (ELCR, LTIM).
 */
#ifndef FARBUS_DEVICES_IRQ_H
#define FARBUS_DEVICES_IRQ_H

#include "lib/types.h"

#define IRQ_LINES 16

struct irq_lines {
	u32 sources[IRQ_LINES]; /* one bit a source that drives it high */
	void (*changed)(void *ctx, unsigned line, bool level); /* the PIC */
	bool (*in_service)(void *ctx, unsigned line); /* taken, and no EOI since; may be NULL */
	void *ctx;
	/*
	 * Called at the guest's EOI of a line, and for all lines when it initialises its PIC;
	 * passed-through lines unmask the real one here.
	 */
	void (*eoi)(void *ctx, unsigned line);
	void *eoi_ctx;
};

/* One device's wire: line 0-15, source 0-31 unique on that line. */
struct irq_pin {
	struct irq_lines *lines;
	u8 line, source;
};

void irq_set(const struct irq_pin *pin, bool level);
/* Whether the guest's handler of the line is at work: the PIC has it in service. */
bool irq_in_service(const struct irq_pin *pin);

#endif
