/* SPDX-License-Identifier: BSD-2-Clause */
/* The PC's two cascaded 8259A interrupt controllers. */
#ifndef FARBUS_DEVICES_PIC_H
#define FARBUS_DEVICES_PIC_H

#include "lib/types.h"

struct bus;
struct irq_lines;

struct pic_chip {
	u8 lines; /* levels of the request inputs */
	u8 irr, isr, imr;
	u8 elcr, elcr_mask; /* 1: level-triggered; which bits the guest may set */
	u8 vector;	    /* ICW2, low three bits clear */
	u8 lowest;	    /* the input with the lowest priority: 7 after ICW1 */
	u8 icw3;
	u8 next_icw; /* 2-4 while an initialisation is under way, else 0 */
	bool want_icw4, single;
	bool auto_eoi, rotate_on_auto_eoi;
	bool special_mask, special_nested;
	bool read_isr, poll;
};

struct pic {
	struct pic_chip chip[2]; /* master, slave */
	struct irq_lines *lines;
	void (*intr)(void *ctx, bool level);
	void (*acknowledged)(void *ctx,
			     unsigned line); /* the CPU took a line's request; may be NULL */
	void *ctx;
	bool intr_level;
};

void pic_init(struct pic *p, struct bus *bus, struct irq_lines *lines,
	      void (*intr)(void *ctx, bool level), void (*acknowledged)(void *ctx, unsigned line),
	      void *ctx);
void pic_reset(struct pic *p);
/* The CPU's two INTA cycles: the vector (a spurious one, IRQ 7 or 15, when no request is left). */
int pic_intack(struct pic *p);
/* Whether a line's request waits to be taken. */
bool pic_pending(const struct pic *p, unsigned line);

#endif
