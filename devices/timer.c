/* SPDX-License-Identifier: BSD-2-Clause */
/* One-shot timers on guest time: a list ordered by deadline. A PC has about ten of them. */
#include "devices/timer.h"

/*
 * clock_run() fires at most this many timers a call: a guest that programs a timer faster than it
 * can be served must not keep the run loop here.
 */
#define FIRES_MAX 32

void timer_init(struct timer *t, void (*fire)(void *ctx), void *ctx)
{
	t->next = NULL;
	t->deadline = TIMER_NEVER;
	t->fire = fire;
	t->ctx = ctx;
}

u64 clock_now(struct clock *c)
{
	return c->read(c->ctx);
}

void timer_cancel(struct clock *c, struct timer *t)
{
	struct timer **link;

	if (t->deadline == TIMER_NEVER)
		return;
	for (link = &c->first; *link; link = &(*link)->next) {
		if (*link == t) {
			*link = t->next;
			break;
		}
	}
	t->next = NULL;
	t->deadline = TIMER_NEVER;
}

void timer_arm(struct clock *c, struct timer *t, u64 deadline_ns)
{
	struct timer **link;

	timer_cancel(c, t);
	if (deadline_ns == TIMER_NEVER)
		return;
	for (link = &c->first; *link && (*link)->deadline <= deadline_ns;)
		link = &(*link)->next;
	t->deadline = deadline_ns;
	t->next = *link;
	*link = t;
	if (c->first == t && c->earlier)
		c->earlier(c->ctx, deadline_ns);
}

u64 clock_run(struct clock *c)
{
	u64 now;

	if (!c->first)
		return TIMER_NEVER;
	now = clock_now(c);
	for (unsigned i = 0; i < FIRES_MAX && c->first && c->first->deadline <= now; i++) {
		struct timer *t = c->first;

		c->first = t->next;
		t->next = NULL;
		t->deadline = TIMER_NEVER;
		t->fire(t->ctx);
	}
	return c->first ? c->first->deadline : TIMER_NEVER;
}
