/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter goes the way that the CPU went, from the start of the stretch to where the CPU
 * stopped. It is asked before each instruction at that place, and where CPL or mode have changed.
 */
#include "cpu/cpu.h"
#include "cpu/engine.h"
#include "cpu/lockstep/private.h"
#include "cpu/mem.h"
#include "lib/str.h"

#define STEPS_MAX  2000000u /* one by one, where it cannot be asked, or flags are undefined */
#define LOOKS_MAX  100000u  /* at memory that differs, with registers that do not */
#define ALARMS_MAX 200u	    /* with some 50 ms between them */

/* General registers, EIP and CPL, but for what is in doubt. */
static bool near(const struct lockstep *l)
{
	const struct vcpu *v = l->v;

	for (unsigned i = 0; i < 8; i++)
		if (likely((v->gpr[i] ^ l->native.gpr[i]) & ~l->doubt.gpr[i]))
			return false;
	return v->eip == l->native.eip && v->cpl == l->native.cpl;
}

/* The guest's state, with the CPU's bits where they are in doubt. */
static void save_now(struct lockstep *l)
{
	lockstep_save(l->v, &l->now);
	for (unsigned i = 0; i < 8; i++) {
		u32 bits = (l->now.gpr[i] ^ l->native.gpr[i]) & l->doubt.gpr[i];

		l->now.gpr[i] ^= bits;
		l->doubt.used |= bits != 0;
	}
}

/* For the report: how near the interpreter came. */
static void miss(struct lockstep *l)
{
	u32 count = 1;

	for (unsigned i = 0; i < 8; i++)
		count += l->v->gpr[i] == l->native.gpr[i];
	if (count > l->nearest_count) {
		lockstep_save(l->v, &l->nearest);
		l->nearest_count = count;
	}
}

/*
 * The interpreter has got to where the CPU stopped, and all is the same; arithmetic flags too, but
 * for those in doubt: a loop may come by before with nothing else to tell.
 */
static bool arrived(struct lockstep *l)
{
	if (!near(l))
		return false;
	if (!l->repeating && lockstep_ports_left(l)) /* a loop around a port: not yet */
		return false;
	l->doubt.used = false;
	save_now(l);
	if (!lockstep_same(&l->now, &l->native)) {
		miss(l);
		return false;
	}
	l->flags_differ = (l->now.eflags ^ l->native.eflags) & FLAGS_ARITH;
	l->doubt.used |= l->flags_differ != 0;
	if (!(l->flags_differ & ~l->doubt.flags) && lockstep_pages_same(l))
		return true;
	l->looks++;
	return false;
}

static u32 element_mask(const struct lockstep_insn *insn)
{
	return insn->a16 ? 0xffff : ~0u;
}

/*
 * How many elements of the string instruction at hand lead to where the CPU has stopped in the
 * middle of it; 0: that is not the way.
 */
static u32 elements_to_go(const struct lockstep *l, const struct lockstep_insn *insn)
{
	const u32 *from = l->v->gpr, *to = l->native.gpr;
	u32 mask = element_mask(insn), count = (from[REG_ECX] - to[REG_ECX]) & mask;
	u32 bytes = l->native.eflags & FLAG_DF ? 0 - count * insn->size : count * insn->size;

	if (!insn->rep || !count || count > (from[REG_ECX] & mask))
		return 0;
	if (((from[REG_ESI] + (insn->uses_si ? bytes : 0)) ^ to[REG_ESI]) & mask)
		return 0;
	if (((from[REG_EDI] + (insn->uses_di ? bytes : 0)) ^ to[REG_EDI]) & mask)
		return 0;
	if (!insn->loads_eax && from[REG_EAX] != to[REG_EAX])
		return 0;
	if (from[REG_EBX] != to[REG_EBX] || from[REG_EDX] != to[REG_EDX] ||
	    from[REG_ESP] != to[REG_ESP] || from[REG_EBP] != to[REG_EBP])
		return 0;
	return count;
}

/* The run loop's business has to wait; the alarm lets a way be given up that leads nowhere. */
static void put_off(struct lockstep *l)
{
	if (!(l->v->events & VCPU_EV_HOST))
		return;
	vcpu_event_clear(l->v, VCPU_EV_HOST);
	l->host_due = true;
	if (l->host.alarm)
		l->host.alarm(l->host.ctx);
}

/* Whether one behind its last element would have gone on, had ECX let it. */
static bool would_go_on(struct vcpu *v, const struct lockstep_insn *insn)
{
	return !insn->compares || !(vcpu_eflags(v) & FLAG_ZF) == !insn->while_zf;
}

/*
 * Carries out so many elements and stops before the next, as a CPU that was interrupted there; or
 * goes as far as the instruction does: it may fault, and a comparison end it.
 */
static void cut_string(struct lockstep *l, const struct lockstep_insn *insn, u32 count)
{
	struct vcpu *v = l->v;
	u32 *ecx = &v->gpr[REG_ECX], mask = element_mask(insn), eip = v->eip;
	u32 behind = (*ecx - count) & mask;

	*ecx = (*ecx & ~mask) | count;
	do {
		put_off(l); /* what is due would stop it between two elements */
		interp_engine.step(v);
	} while (v->eip == eip && (*ecx & mask));
	if (v->eip == eip + insn->len && !(*ecx & mask) && would_go_on(v, insn))
		v->eip = eip;
	*ecx = (*ecx & ~mask) | ((*ecx + behind) & mask);
}

/* Asked by the interpreter before the instruction at which the CPU stopped. */
static bool at_target(struct vcpu *v)
{
	struct lockstep *l = lockstep_of(v);

	l->passes++;
	if (likely(l->target_known && !l->target.rep && !lockstep_near(v, &l->native)))
		return false;
	l->arrived = arrived(l);
	if (!l->arrived && !l->target_known) {
		lockstep_insn(v, &l->target);
		l->target_known = true;
	}
	l->cut = !l->arrived && elements_to_go(l, &l->target);
	return l->arrived || l->cut || l->looks > LOOKS_MAX;
}

/* ... and where CPL, mode or segments have changed. */
static bool at_change(struct vcpu *v)
{
	struct lockstep *l = lockstep_of(v);

	l->arrived = arrived(l);
	return l->arrived || (!l->crossed && v->cpl != l->start.cpl);
}

/* What must not interfere; ports.c sees to ports. */
struct quiet_pins {
	bool (*hand_over)(struct vcpu *v);
	u32 hold;
};

static void quiet(struct vcpu *v, struct quiet_pins *q)
{
	q->hand_over = v->hand_over;
	q->hold = v->event_hold;
	v->event_hold |= VCPU_EV_INTR | VCPU_EV_NMI;
}

static void loud(struct lockstep *l, const struct quiet_pins *q)
{
	l->v->hand_over = q->hand_over;
	l->v->event_hold = q->hold;
	if (l->host_due)
		vcpu_event_set(l->v, VCPU_EV_HOST);
	l->host_due = false;
}

static bool run_there(struct lockstep *l)
{
	struct vcpu *v = l->v;

	v->hand_over = at_change;
	for (u32 alarms = 0; alarms < ALARMS_MAX;) {
		enum exit_reason reason;

		put_off(l);
		reason = interp_engine.run(v);
		if (reason == EXIT_EVENT && !lockstep_pages_full(l)) {
			alarms++;
			continue;
		}
		if (reason == EXIT_HAND_OVER && l->cut) {
			cut_string(l, &l->target, elements_to_go(l, &l->target));
			if (arrived(l))
				return true;
			if (v->eip == l->native.eip || l->looks++ > LOOKS_MAX)
				return false;
			continue; /* the rest, after what a comparison has found */
		}
		return reason == EXIT_HAND_OVER	 ? l->arrived
		       : reason == EXIT_SHUTDOWN ? l->next == LOCKSTEP_DOWN
						 : false;
	}
	return false;
}

static enum exit_reason step_or_cut(struct lockstep *l, const struct lockstep_insn *insn)
{
	u32 count = l->v->eip == l->native.eip ? elements_to_go(l, insn) : 0;

	if (!count)
		return interp_engine.step(l->v);
	cut_string(l, insn, count);
	return EXIT_STEP;
}

/* One by one; what rests on flags that instructions leave undefined is in doubt. */
static bool step_there(struct lockstep *l)
{
	for (u32 n = 0; n < STEPS_MAX; n++) {
		struct lockstep_before before;
		struct lockstep_insn insn;
		enum exit_reason reason;

		if (arrived(l))
			return true;
		if (l->v->eip == l->native.eip) {
			l->passes++;
			miss(l);
		}
		if ((!l->crossed && l->v->cpl != l->start.cpl) || lockstep_pages_full(l))
			return false;
		lockstep_insn(l->v, &insn);
		lockstep_doubt_before(l, &insn, &before);
		reason = step_or_cut(l, &insn);
		if (reason != EXIT_STEP)
			return reason == EXIT_SHUTDOWN && l->next == LOCKSTEP_DOWN;
		lockstep_doubt_after(l, &insn, &before);
	}
	return false;
}

bool lockstep_follow(struct lockstep *l, bool by_steps)
{
	struct quiet_pins q;
	struct vcpu *v = l->v;
	u64 insns = v->stats.insns;
	bool there;

	l->passes = l->looks = 0;
	l->nearest_count = 0;
	if (!l->repeating)
		l->ports.at = 0;
	l->flags_differ = 0;
	lockstep_doubt_clear(&l->doubt);
	l->cut = l->arrived = l->target_known = false;
	quiet(v, &q);
	if (!by_steps && l->can_ask) {
		interp_stop_at(v, l->native.eip, l->target_gpa, at_target);
		there = run_there(l);
		interp_stop_at(v, 0, 0, NULL);
	} else if (l->native.cpl != l->start.cpl && !(by_steps && l->crossed)) {
		there = run_there(l);
	} else {
		there = step_there(l);
	}
	loud(l, &q);
	l->stats.insns += v->stats.insns - insns;
	return there;
}

bool lockstep_follow_single(struct lockstep *l, const struct lockstep_insn *insn)
{
	struct quiet_pins q;
	u32 count = 0;

	lockstep_doubt_clear(&l->doubt);
	l->doubt.flags = FLAGS_ARITH;
	if (arrived(l))
		return true;
	quiet(l->v, &q);
	if (l->v->eip == l->native.eip)
		count = elements_to_go(l, insn);
	if (count)
		cut_string(l, insn, count);
	else
		interp_engine.step(l->v);
	/* A trap waits for the instruction after a load of SS. */
	if (!arrived(l) && l->v->shadow)
		interp_engine.step(l->v);
	loud(l, &q);
	return arrived(l);
}
