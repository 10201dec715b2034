/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/line.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/log.h"

static void wake(void *ctx)
{
	(void)ctx;
}

struct line *line_new(size_t size, const struct line_ops *ops, const struct device_config *config,
		      struct clock *clock)
{
	struct line *l = calloc(1, size);

	if (!l) {
		log_error("export %s: out of memory", config->name);
		return NULL;
	}
	l->ops = ops;
	l->config = config;
	l->clock = clock;
	l->fd = -1;
	l->fresh = true;
	timer_init(&l->retry, wake, l);
	return l;
}

void line_wake(struct line *l, u64 ns)
{
	u64 at = clock_now(l->clock) + ns;

	if (at < l->retry.deadline)
		timer_arm(l->clock, &l->retry, at);
}

void line_lost(struct line *l, const char *why)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->modem = 0;
	if (!l->told)
		log_warn("%s: %s: %s: tried again every second", l->config->name, l->config->path,
			 why);
	l->told = true;
	timer_arm(l->clock, &l->retry, clock_now(l->clock) + LINE_RETRY_NS);
}

bool line_due(struct line *l)
{
	return l->fd < 0 && l->retry.deadline == TIMER_NEVER;
}

void line_back(struct line *l)
{
	if (l->told)
		log_info("%s: %s is there again", l->config->name, l->config->path);
	l->told = false;
	l->fresh = true;
}
