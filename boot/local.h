/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes to this PC's own hardware: ports whose IN and OUT are carried out for real, and interrupt
 * lines that reach the guest's PIC from this PC's.
 */
#ifndef FARBUS_BOOT_LOCAL_H
#define FARBUS_BOOT_LOCAL_H

#include "boot/config.h"

struct vm;

/* After pc_init(). */
void local_init(struct vm *vm);

/*
 * Routes r's ports and line to this PC's hardware now. 0, or -1 with one line in error: nothing is
 * routed then. Ports and lines that Farbus itself needs are refused.
 */
int local_attach(struct vm *vm, const struct config_route *r, char *error, size_t size);
/* The line is this PC's own again. */
void local_detach_irq(unsigned line);
/* The guest's end of interrupt of a line. */
void local_eoi(unsigned line);

/* From the run loop: raises the guest's lines for the real interrupts that have come in. */
void local_poll(struct vm *vm);

/* Bit n: this PC's line n is passed through. */
u16 local_irq_mask(void);

#endif
