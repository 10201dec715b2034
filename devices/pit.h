/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 interval timer, and port 61h with the speaker's gate and the refresh bit. */
#ifndef FARBUS_DEVICES_PIT_H
#define FARBUS_DEVICES_PIT_H

#include "devices/irq.h"
#include "devices/timer.h"

struct bus;

/*
 * Counting is computed, not stepped: what the counter holds follows from the tick at which it was
 * loaded. Ticks count periods of the 1.193182 MHz input since the clock's zero.
 */
struct pit_channel {
	u8 mode, access; /* 0-5; 1 low byte, 2 high byte, 3 both */
	bool bcd, gate;
	bool loaded;	/* a whole count was written since the control word */
	bool triggered; /* modes 1 and 5: a gate edge started the one-shot */
	bool running;	/* false: stopped by the gate, `stopped_at` ticks were counted */
	u32 count;	/* 1-65536 */
	u32 next_count; /* takes over at `next_at` (modes 2, 3) or at the trigger (1, 5) */
	u64 next_at;	/* 0: nothing waits */
	u64 start;	/* the tick at which the counter holds `count` */
	u64 stopped_at;
	bool write_high, read_high; /* which byte of two is next */
	u8 write_low;
	bool count_latched, status_latched;
	u16 latched_count;
	u8 latched_status;
};

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
};

void pit_init(struct pit *p, struct bus *bus, struct clock *clock, struct irq_pin irq);
void pit_reset(struct pit *p);
/* The CPU has taken IRQ 0: the moment to send a tick of the backlog after it. */
void pit_irq_taken(struct pit *p);

#endif
