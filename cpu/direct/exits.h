/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What ends guest code that runs as it is: the same for CPL 3 and for V86 mode of this PC, but for
 * the ways that each has of its own. Inline, so that these are known where it is used.
 */
#ifndef FARBUS_CPU_DIRECT_EXITS_H
#define FARBUS_CPU_DIRECT_EXITS_H

#include "cpu/direct/go.h"
#include "cpu/interp/fpu.h"

#define PF_PRESENT BIT(0)
#define PF_WRITE   BIT(1)

struct direct_ways {
	void (*save_frame)(struct vcpu *v); /* all of the guest's state becomes v's */
	/* The rest with the state still in the frame. */
	enum direct_next (*fault)(struct direct *d, struct vcpu *v); /* v->fault was raised */
	enum direct_next (*general_protection)(struct direct *d, struct vcpu *v);
	enum direct_next (*debug_trap)(struct direct *d, struct vcpu *v);
};

/* False: guest code goes on. */
static inline bool direct_page_fault(struct direct *d, struct vcpu *v, const struct direct_ways *w,
				     enum direct_next *next)
{
	u32 error = direct_frame.error;
	bool filled = false;

	/* Reading what is present faults in Farbus's own part only. */
	if (!(error & PF_PRESENT) || (error & PF_WRITE)) {
		if (direct_fill_raised(d, d->cr2, error & PF_WRITE, &filled)) {
			d->stats.exits[EXITS_FAULT]++;
			*next = w->fault(d, v);
			return true;
		}
	}
	if (filled) {
		d->stats.exits[EXITS_FILL]++;
		return false;
	}
	d->stats.exits[EXITS_MEMORY]++;
	w->save_frame(v);
	*next = NEXT_STEP;
	return true;
}

/* False: guest code goes on. IF is on again. */
static inline __attribute__((always_inline)) bool
direct_exit(struct direct *d, struct vcpu *v, const struct direct_ways *w, enum direct_next *next)
{
	u32 vector = direct_frame.vector;

	if (vector >= VEC_IRQ_FIRST) {
		if (unlikely(vector & DIRECT_ASTRAY)) {
			d->host.astray();
			*next = NEXT_DOWN;
			return true;
		}
		d->stats.exits[EXITS_INTERRUPT]++;
		return false;
	}
	switch (vector) {
	case VEC_PF:
		return direct_page_fault(d, v, w, next);
	case VEC_NM:
		if (!direct_fpu_usable(v) || v->fpu_native)
			break;
		d->stats.exits[EXITS_FPU]++;
		fpu_go_native(v);
		return false;
	case VEC_GP:
		*next = w->general_protection(d, v);
		return true;
	case VEC_DB:
		d->stats.exits[EXITS_TRAP]++;
		*next = w->debug_trap(d, v);
		return true;
	case VEC_NMI:
	case VEC_DF:
	case VEC_MC:
		d->host.broken(vector, direct_frame.eip);
	default:
		break;
	}
	d->stats.exits[EXITS_OTHER]++;
	d->stats.vectors[vector]++;
	w->save_frame(v);
	*next = NEXT_STEP;
	return true;
}

#endif
