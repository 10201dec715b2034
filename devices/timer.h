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
};

void timer_init(struct timer *t, void (*fire)(void *ctx), void *ctx);
u64 clock_now(struct clock *c);
void timer_arm(struct clock *c, struct timer *t, u64 deadline_ns); /* re-arms when armed */
void timer_cancel(struct clock *c, struct timer *t);
/* Fires what is due, in order; a timer may re-arm itself. Returns the next deadline. */
u64 clock_run(struct clock *c);

#endif
