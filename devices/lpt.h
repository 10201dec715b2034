/* SPDX-License-Identifier: BSD-2-Clause */
/* A parallel port in its standard (SPP) form: LPT1 at 378h on IRQ 7. */
#ifndef FARBUS_DEVICES_LPT_H
#define FARBUS_DEVICES_LPT_H

#include "devices/bus.h"
#include "devices/irq.h"
#include "devices/pc.h"
#include "devices/timer.h"
#include "lib/types.h"

struct lpt_config {
	const char *name; /* "lpt1" */
	struct bus *bus;
	struct clock *clock;
	struct irq_pin irq;
	u16 base;
	struct pc_char out; /* bytes strobed out; no function: they are thrown away */
};

struct lpt {
	struct clock *clock;
	struct irq_pin irq;
	struct pc_char out;
	u16 base;
	u8 data, control;
	bool busy, ack;	    /* the printer's BUSY and ACK# (true: pulled low) */
	bool stopped;	    /* out of paper */
	struct timer timer; /* ends BUSY */
};

/* Returns 0, or -1 with a line in the log. */
int lpt_init(struct lpt *l, const struct lpt_config *config);
void lpt_reset(struct lpt *l);
/* The printer is out of paper, and takes nothing, or goes on. */
void lpt_stop(struct lpt *l, bool stopped);

#endif
