/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A chip model that lives through a trace once more. Its clock is the trace's, but when exactly a
 * timer fired there is not recorded: Farbus's run loop is late now and then, much so where another
 * system holds up the PC that it emulates, and a record's stamp is a little later than its access.
 * So a timer is fired when what was read cannot be explained without it, from EARLY_NS before it is
 * due on, and at the latest LATE_NS after that.
 */
#include "host/replay_model.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define EARLY_NS   20000000ull
#define LATE_NS	   1000000000ull
#define INPUTS_MAX 16u /* that came between two reads */

/* --- the clock --- */

static u64 read_clock(void *ctx)
{
	return ((struct model *)ctx)->now;
}

static u64 next_timer(const struct model *m)
{
	return m->clock.first ? m->clock.first->deadline : TIMER_NEVER;
}

static void fire_one(struct model *m)
{
	u64 due = next_timer(m);

	if (due > m->now)
		m->now = due;
	clock_run(&m->clock);
}

/* Up to `now`, but not so far that a chip would see by itself that a timer is due. */
static void approach(struct model *m, u64 now)
{
	u64 due = next_timer(m), to = now < due ? now : due - 1;

	if (to > m->now)
		m->now = to;
}

static void save(struct model *m)
{
	memcpy(m->saved, m->state, m->kind->state_size);
	m->saved_first = m->clock.first;
	m->saved_now = m->now;
}

/* The chip is where it was, so pointers into it are right again. */
static void restore(struct model *m)
{
	memcpy(m->state, m->saved, m->kind->state_size);
	m->clock.first = m->saved_first;
	m->now = m->saved_now;
}

/* --- accesses --- */

static void take_block(struct model *m, const struct trace_event *e, u8 *buf)
{
	for (u32 done = 0; done < e->value;)
		done += bus_ins(&m->bus, e->port, e->width, buf + (size_t)done * e->width,
				e->value - done);
}

static void give_block(struct model *m, const struct trace_event *e)
{
	for (u32 done = 0; done < e->value;)
		done += bus_outs(&m->bus, e->port, e->width, e->data + (size_t)done * e->width,
				 e->value - done);
}

static enum replay_verdict read_now(struct model *m, const struct trace_event *e,
				    struct replay_difference *d)
{
	static u8 buf[TRACE_BLOCK_MAX];

	if (e->kind == TRACE_INS) {
		take_block(m, e, buf);
		return replay_compare(e, buf, d);
	}
	d->at = 0;
	d->expected = e->value;
	bus_in(&m->bus, e->port, e->width, &d->got);
	return d->got == d->expected ? REPLAY_SAME : REPLAY_DIFFERENT;
}

/* With `timers` more fired and `inputs` more come. False: there are not so many. */
static bool try_with(struct model *m, const struct replay_list *l, u32 i, u32 timers, u32 inputs,
		     enum replay_verdict *verdict, struct replay_difference *d)
{
	const struct trace_event *e = &l->record[i].e;

	restore(m);
	for (; timers; timers--) {
		if (next_timer(m) > e->ns + EARLY_NS)
			return false;
		fire_one(m);
	}
	approach(m, e->ns);
	for (u32 n = 1; n <= inputs; n++)
		if (!m->kind->input || !m->kind->input(m, l, i, n))
			return false;
	*verdict = read_now(m, e, d);
	return true;
}

static enum replay_verdict read_record(struct model *m, const struct replay_list *l, u32 i,
				       struct replay_difference *d)
{
	struct replay_difference other;
	enum replay_verdict verdict;

	save(m);
	for (u32 timers = 0;; timers++) {
		for (u32 inputs = 0; inputs <= INPUTS_MAX; inputs++) {
			if (!try_with(m, l, i, timers, inputs, &verdict, &other))
				break;
			if (verdict == REPLAY_SAME)
				return verdict;
			/* What is told is the plain way's, with all that was due. */
			if (!inputs && (!timers || m->now <= l->record[i].e.ns))
				*d = other;
		}
		restore(m);
		for (u32 n = 0; n < timers && next_timer(m) != TIMER_NEVER; n++)
			fire_one(m);
		if (next_timer(m) > l->record[i].e.ns + EARLY_NS)
			return REPLAY_DIFFERENT;
	}
}

static void write_record(struct model *m, const struct trace_event *e)
{
	approach(m, e->ns);
	if (e->kind == TRACE_OUTS)
		give_block(m, e);
	else
		bus_out(&m->bus, e->port, e->width, e->value);
}

static enum replay_verdict play(struct replay_target *t, const struct replay_list *l, u32 i,
				struct replay_difference *d)
{
	struct model *m = container_of(t, struct model, target);
	const struct trace_event *e = &l->record[i].e;

	if (e->kind == TRACE_RESET) {
		m->kind->reset(m);
		return REPLAY_SAME;
	}
	while (next_timer(m) + LATE_NS < e->ns && next_timer(m) != TIMER_NEVER)
		fire_one(m);
	if (!TRACE_WRITE(TRACE_WHAT(e->kind, 0, 0)))
		return read_record(m, l, i, d);
	write_record(m, e);
	return REPLAY_SAME;
}

/* --- coming and going --- */

static void close_model(struct replay_target *t)
{
	struct model *m = container_of(t, struct model, target);

	if (m->kind->close)
		m->kind->close(m);
	free(m->state);
	free(m->saved);
	free(m);
}

struct replay_target *replay_model(const struct replay_model_options *o,
				   const struct replay_list *l)
{
	static const struct model_kind *const kinds[] = {
		[DEVICE_UART] = &model_uart, [DEVICE_ATA] = &model_ata, [DEVICE_LPT] = &model_lpt};
	struct model *m = calloc(1, sizeof(*m));

	if (m) {
		m->kind = kinds[o->kind];
		m->o = *o;
		m->state = calloc(1, m->kind->state_size);
		m->saved = calloc(1, m->kind->state_size);
	}
	if (!m || !m->state || !m->saved) {
		log_error("replay: out of memory");
		return NULL;
	}
	m->target.play = play;
	m->target.close = close_model;
	bus_init(&m->bus);
	m->clock.read = read_clock;
	m->clock.ctx = m;
	m->now = l->count ? l->record[0].e.ns : 0;
	if (m->kind->open(m, l))
		return &m->target;
	close_model(&m->target);
	return NULL;
}
