/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/absence.h"

#include "lib/log.h"

#define RETRY_NS NS_PER_SEC

static void wake(void *ctx)
{
	(void)ctx;
}

void absence_init(struct absence *a, const char *name, const char *path, struct clock *clock)
{
	*a = (struct absence){.name = name, .path = path, .clock = clock};
	timer_init(&a->retry, wake, a);
}

void absence_begin(struct absence *a, const char *why)
{
	if (!a->told)
		log_warn("%s: %s: %s: tried again every second", a->name, a->path, why);
	a->told = true;
	timer_arm(a->clock, &a->retry, clock_now(a->clock) + RETRY_NS);
}

bool absence_due(const struct absence *a)
{
	return a->retry.deadline == TIMER_NEVER;
}

void absence_end(struct absence *a)
{
	if (a->told)
		log_info("%s: %s is there again", a->name, a->path);
	a->told = false;
	timer_cancel(a->clock, &a->retry);
}

void absence_stop(struct absence *a)
{
	timer_cancel(a->clock, &a->retry);
}
