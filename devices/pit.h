/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 interval timer, and port 61h with the speaker's gate and the refresh bit. */
#ifndef FARBUS_DEVICES_PIT_H
#define FARBUS_DEVICES_PIT_H

#include "devices/irq.h"
#include "devices/pit_channel.h"
#include "devices/timer.h"

struct bus;

struct pit {
	struct pit_channel channel[3];
	struct clock *clock;
	struct irq_pin irq;
	struct timer edge;     /* the next change of channel 0's output that matters */
	struct timer catch_up; /* gives a tick that was late for its own time */
	u64 position;	       /* edges up to this tick are done */
	u64 raised_at;	       /* the tick at which IRQ 0 last rose */
	bool taken;	       /* by the CPU, since then */
	u32 backlog;	       /* ticks that came while nobody could look at the clock */
	u8 port61;
	u8 port61_reads;  /* what port 61h reads as, but for the refresh bit, */
	u64 steady_until; /* before this moment of the clock */
};

void pit_init(struct pit *p, struct bus *bus, struct clock *clock, struct irq_pin irq);
void pit_reset(struct pit *p);
/* The CPU has taken IRQ 0: the moment to send a tick of the backlog after it. */
void pit_irq_taken(struct pit *p);

#endif
