/* SPDX-License-Identifier: BSD-2-Clause */
/* What the models of `farbus replay` share. Inside host/replay_*.c only. */
#ifndef FARBUS_HOST_REPLAY_MODEL_H
#define FARBUS_HOST_REPLAY_MODEL_H

#include "devices/bus.h"
#include "devices/timer.h"
#include "host/replay.h"

struct model;

struct model_kind {
	/* The chip, put on m->bus. Its state is state_size bytes. False: logged. */
	bool (*open)(struct model *m, const struct replay_list *l);
	void (*reset)(struct model *m);
	void (*close)(struct model *m); /* may be NULL */
	/*
	 * What comes from outside and is in no record: lets the n-th happen (from 1) that would
	 * explain record i. False: there is none. May be NULL.
	 */
	bool (*input)(struct model *m, const struct replay_list *l, u32 i, u32 n);
	size_t state_size;
};

struct model {
	struct replay_target target;
	const struct model_kind *kind;
	struct replay_model_options o;
	struct bus bus;
	struct clock clock;
	u64 now;
	void *state, *saved;
	struct timer *saved_first;
	u64 saved_now;
};

extern const struct model_kind model_uart, model_lpt, model_ata;

#endif
