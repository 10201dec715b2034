/* SPDX-License-Identifier: BSD-2-Clause */
/* Lockstep around the direct engine: see direct.h of this folder. */
#include "cpu/lockstep/direct.h"
#include "cpu/direct/private.h"

static enum lockstep_next native(void *ctx, bool single)
{
	struct direct *d = ctx;
	enum direct_next next;

	if (direct_refuses(d, d->vcpu) != REFUSE_NOTHING)
		return LOCKSTEP_UNFIT;
	d->single = single;
	next = direct_guest(d, d->vcpu);
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
	return d->lockstep;
}
