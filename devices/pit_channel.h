/* SPDX-License-Identifier: BSD-2-Clause */
/* One of the 8254's three counters. */
#ifndef FARBUS_DEVICES_PIT_CHANNEL_H
#define FARBUS_DEVICES_PIT_CHANNEL_H

#include "lib/types.h"

#define PIT_NO_EDGE (~0ull)

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

void pit_channel_reset(struct pit_channel *c, bool gate);

/* What the ports do. `tick` is the present in all of these, and never goes back. */
void pit_channel_control(struct pit_channel *c, u8 command, u64 tick);
void pit_channel_write(struct pit_channel *c, u8 byte, u64 tick);
u8 pit_channel_read(struct pit_channel *c, u64 tick);
void pit_channel_latch_count(struct pit_channel *c, u64 tick);
void pit_channel_latch_status(struct pit_channel *c, u64 tick);
void pit_channel_gate(struct pit_channel *c, bool gate, u64 tick);

bool pit_channel_output(struct pit_channel *c, u64 tick);
/*
 * The next tick after `tick` at which the output changes, or PIT_NO_EDGE. The one low clock of
 * modes 2, 4 and 5 is left out: only the rise after it counts.
 */
u64 pit_channel_next_edge(struct pit_channel *c, u64 tick);
/* The output is what it is at `tick` before this one at least, unless somebody writes; PIT_NO_EDGE:
 * for ever. */
u64 pit_channel_steady_until(struct pit_channel *c, u64 tick);
/* Modes 2 and 3: counts by itself, period after period. */
bool pit_channel_is_periodic(const struct pit_channel *c);

#endif
