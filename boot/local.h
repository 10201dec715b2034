/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes to this PC's own hardware: ports whose IN and OUT are carried out for real, and interrupt
 * lines that reach the guest's PIC from this PC's.
 */
#ifndef FARBUS_BOOT_LOCAL_H
#define FARBUS_BOOT_LOCAL_H

#include "boot/config.h"

struct vm;

/* Hooks the guest's EOI; after pc_init(). */
void local_init(struct vm *vm);

/*
 * Applies one route, of any kind, to the guest's bus now. 0, or -1 with one line in error: the
 * route is then not in effect at all. Ports and lines that Farbus itself needs are refused.
 */
int local_route(struct vm *vm, const struct config_route *route, char *error, size_t size);

/* From the run loop: raises the guest's lines for the real interrupts that have come in. */
void local_poll(struct vm *vm);

/* Bit n: this PC's line n is passed through. */
u16 local_irq_mask(void);

#endif
