/* SPDX-License-Identifier: BSD-2-Clause */
/* The printer port in a replay. */
#include "devices/lpt.h"
#include "host/replay_model.h"

static void reset(struct model *m)
{
	lpt_reset(m->state);
}

static bool open_lpt(struct model *m, const struct replay_list *l)
{
	struct lpt_config config = {
		.name = "lpt", .bus = &m->bus, .clock = &m->clock, .base = m->o.base};

	(void)l;
	m->target.range[m->target.ranges++] = (struct port_range){m->o.base, (u16)(m->o.base + 2)};
	return !lpt_init(m->state, &config);
}

const struct model_kind model_lpt = {
	.open = open_lpt, .reset = reset, .state_size = sizeof(struct lpt)};
