/* SPDX-License-Identifier: BSD-2-Clause */
/* Lockstep around the direct engine: see direct.h of this folder. */
#include "cpu/lockstep/direct.h"
#include "cpu/direct/private.h"

/* Behind a transfer that crossing did not carry out; or a fault was delivered. */
static bool goes_on(struct direct *d, struct vcpu *v)
{
	return !direct_fault_is_looked_at(d) && !direct_events(v) &&
	       direct_refuses(d, v) == REFUSE_NOTHING;
}

static enum direct_next run(struct direct *d, struct vcpu *v)
{
	u64 crossed = d->stats.crossed;
	enum direct_next next;
	bool on;

	do {
		next = direct_guest(d, v);
		on = next == NEXT_ANY && goes_on(d, v);
		if (on || crossed != d->stats.crossed)
			lockstep_crossed(d->lockstep);
	} while (on);
	return next;
}

static enum lockstep_next native(void *ctx, bool single)
{
	struct direct *d = ctx;
	enum direct_next next;

	if (direct_refuses(d, d->vcpu) != REFUSE_NOTHING)
		return LOCKSTEP_UNFIT;
	d->single = single;
	next = single ? direct_guest(d, d->vcpu) : run(d, d->vcpu);
	d->single = false;
	return next == NEXT_STEP ? LOCKSTEP_STEP : next == NEXT_DOWN ? LOCKSTEP_DOWN : LOCKSTEP_ANY;
}

/*
 * A loop around port accesses makes a stretch of each turn: after so many short ones in a row it is
 * for the interpreter, until something else comes up.
 */
#define POLLING	    256u
#define SHORT_INSNS 16u

static void polls(struct direct *d, struct vcpu *v, enum lockstep_next next, u64 insns)
{
	static u32 turns;

	if (next != LOCKSTEP_STEP || insns > SHORT_INSNS || v->cpl == 3 || !vcpu_protected(v))
		turns = 0;
	else if (++turns % POLLING == 0)
		direct_kernel_bar(d, v, true);
}

static enum direct_next guest(struct direct *d, struct vcpu *v)
{
	u64 insns = lockstep_stats(d->lockstep)->insns;
	enum lockstep_next next = lockstep_run(d->lockstep);

	polls(d, v, next, lockstep_stats(d->lockstep)->insns - insns);
	return next == LOCKSTEP_STEP ? NEXT_STEP : next == LOCKSTEP_DOWN ? NEXT_DOWN : NEXT_ANY;
}

struct lockstep *lockstep_direct(struct vcpu *v, void *arena, const struct lockstep_host *host)
{
	struct direct *d = direct_of(v);
	struct lockstep_host h = *host;

	h.native_ctx = d;
	h.native = native;
	d->lockstep = lockstep_init(v, arena, &h);
	d->guest = guest;
	d->looks_at_faults = host->reads_first;
	return d->lockstep;
}
