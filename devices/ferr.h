/* SPDX-License-Identifier: BSD-2-Clause */
/* How a PC tells software of an x87 error while CR0.NE is clear: FERR# to IRQ 13, port F0h. */
#ifndef FARBUS_DEVICES_FERR_H
#define FARBUS_DEVICES_FERR_H

#include "devices/irq.h"

struct bus;

struct ferr {
	struct irq_pin irq;
	bool level; /* of FERR# */
	bool ignne; /* IGNNE# is asserted: the CPU goes on in spite of the error */
};

void ferr_init(struct ferr *f, struct bus *bus, struct irq_pin irq);
void ferr_reset(struct ferr *f);
/* The CPU's FERR# pin: a rise is latched as IRQ 13 until port F0h is written. */
void ferr_set(struct ferr *f, bool level);

#endif
