/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest time in nanoseconds since power-on, and one-shot timers on it. `now` is read from the host
 * clock by whoever runs the loop (the kernel: TSC calibrated against the PIT; tests: by hand).
 */
#ifndef FARBUS_DEVICES_TIMER_H
#define FARBUS_DEVICES_TIMER_H

#include "lib/types.h"

#define NS_PER_SEC 1000000000ull
#define TIMER_NEVER (~0ull)

struct timer {
	struct timer *next; /* in the clock's list, ordered by deadline */
	u64 deadline;	    /* ns; TIMER_NEVER while not armed */
	void (*fire)(void *ctx);
	void *ctx;
};

struct clock {
	u64 (*read)(void *ctx); /* ns, never goes back */
	void *ctx;
	struct timer *first;
	/* May be NULL: the first deadline is now earlier than it was (program the host's timer). */
	void (*earlier)(void *ctx, u64 deadline_ns);
};

void timer_init(struct timer *t, void (*fire)(void *ctx), void *ctx);
u64 clock_now(struct clock *c);
void timer_arm(struct clock *c, struct timer *t, u64 deadline_ns); /* re-arms when armed */
void timer_cancel(struct clock *c, struct timer *t);
/* Fires what is due, in order; a timer may re-arm itself. Returns the next deadline. */
u64 clock_run(struct clock *c);

/* The high 64 bits of a * b: scales a time by a binary fraction without a division. */
static inline u64 mul_hi64(u64 a, u64 b)
{
	u64 al = (u32)a, ah = a >> 32, bl = (u32)b, bh = b >> 32;
	u64 mid = al * bh + ((al * bl) >> 32);
	u64 mid2 = ah * bl + (u32)mid;

	return ah * bh + (mid >> 32) + (mid2 >> 32);
}

#endif
