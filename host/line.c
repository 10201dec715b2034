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
	absence_init(&l->absence, config->name, config->path, clock);
	timer_init(&l->look, wake, l);
	return l;
}

void line_free(struct line *l)
{
	absence_stop(&l->absence);
	timer_cancel(l->clock, &l->look);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

void line_wake(struct line *l, u64 ns)
{
	u64 at = clock_now(l->clock) + ns;

	if (at < l->look.deadline)
		timer_arm(l->clock, &l->look, at);
}

void line_lost(struct line *l, const char *why)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->modem = 0;
	absence_begin(&l->absence, why);
}

bool line_due(struct line *l)
{
	return l->fd < 0 && absence_due(&l->absence);
}

void line_back(struct line *l)
{
	absence_end(&l->absence);
	l->fresh = true;
}
