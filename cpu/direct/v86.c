/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest code in V86 mode of this PC: the guest's own V86 mode, and its real mode where the segment
 * registers are such that nobody could tell (real.c). IOPL is 0 and IF is set, so that whatever
 * shows or changes the flags the CPU has other ideas of faults, and is carried out in v86_emulate.c
 * or by the interpreter. Where VIF can stand for the guest's IF, or for its VIF, this PC's VME
 * saves most of these faults: all that it does not carry out still faults.
 */
#include "cpu/cpu.h"
#include "cpu/direct/frame.h"
#include "cpu/direct/exits.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"

#define OPCODE_STI 0xfb

/* Those of the guest's flags that are the CPU's. AC is for CPL 3 only, which real mode is not. */
#define FLAGS_REAL (FLAGS_ARITH | FLAG_DF)
#define FLAGS_V86  (FLAGS_REAL | FLAG_NT | FLAG_AC | FLAG_ID)

static u32 native_flags(const struct vcpu *v)
{
	return vcpu_v86(v) ? FLAGS_V86 : FLAGS_REAL;
}

/* --- VME --- */

static enum v86_vif vif_for(const struct direct *d, const struct vcpu *v)
{
	if (!d->vme || !vcpu_v86(v))
		return VIF_UNUSED;
	if (vcpu_iopl(v) == 3)
		return VIF_IS_IF;
	return v->cr4 & CR4_VME ? VIF_IS_SAME : VIF_UNUSED;
}

static void give_vif(const struct direct *d, const struct vcpu *v)
{
	u32 *flags = &direct_frame.eflags, vif = 0;

	if (d->vif == VIF_UNUSED)
		return;
	if (d->vif == VIF_IS_SAME)
		vif = v->eflags & (FLAG_VIF | FLAG_VIP);
	else if (v->eflags & FLAG_IF)
		vif = FLAG_VIF;
	else if (v->events & ~v->event_hold & VCPU_EV_INTR)
		vif = FLAG_VIP; /* STI faults */
	*flags = (*flags & ~(FLAG_VIF | FLAG_VIP)) | vif;
}

static void take_vif(const struct direct *d, struct vcpu *v)
{
	bool set = direct_frame.eflags & FLAG_VIF;

	if (d->vif == VIF_IS_SAME)
		v->eflags = (v->eflags & ~FLAG_VIF) | (set ? FLAG_VIF : 0);
	else if (d->vif == VIF_IS_IF)
		v->eflags = (v->eflags & ~FLAG_IF) | (set ? FLAG_IF : 0);
}

/*
 * STI that took no exit may have been the last instruction, and then holds off the interrupt that
 * is due for one more.
 */
static bool behind_sti(const struct direct *d, struct vcpu *v)
{
	u32 gpa;
	u8 byte;

	if (d->vif != VIF_IS_IF || !v->eip ||
	    !mem_peek_translate(v, v->seg[SEG_CS].base + v->eip - 1, &gpa))
		return false;
	physmem_read(v->mem, gpa, &byte, 1);
	return byte == OPCODE_STI;
}

/* --- */

static void load_frame(const struct direct *d, struct vcpu *v)
{
	struct direct_frame *f = &direct_frame;

	frame_put(v->gpr);
	f->eip = v->eip;
	f->eflags = (vcpu_eflags(v) & native_flags(v)) | FLAGS_FIXED | FLAG_VM | FLAG_IF;
	if (d->after_sti)
		f->eflags = (f->eflags & ~FLAG_IF) | FLAG_TF;
	if (d->single)
		f->eflags |= FLAG_TF;
	*d->host.esp0 = (u32)(&f->v86_gs + 1);
}

static void save_frame(struct vcpu *v)
{
	const struct direct_frame *f = &direct_frame;
	u32 native = native_flags(v);

	frame_get(v->gpr);
	v->eip = f->eip;
	vcpu_set_eflags(v, (vcpu_eflags(v) & ~native) | (f->eflags & native));
}

/* STI's shadow, for another engine. */
static void give_shadow(struct direct *d, struct vcpu *v)
{
	if (!d->after_sti)
		return;
	d->after_sti = false;
	v->shadow |= SHADOW_STI;
	cpu_mode_changed(v);
}

/* Guest code until it is left once. False: something is due before. */
static inline bool go_once(struct direct *d, struct vcpu *v, u32 root)
{
	u32 start;

	direct_irq_off();
	if (direct_events(v)) {
		direct_irq_on();
		return false;
	}
	start = direct_cycles();
	direct_go(d, v, root);
	if (!vcpu_v86(v))
		real_account(d, direct_cycles() - start);
	return true;
}

/* Runs guest code until it is left. False: something is due before it can run, or go on. */
static bool go(struct direct *d, struct vcpu *v)
{
	bool calls = !vcpu_v86(v) && !d->after_sti && !d->single, on;
	enum v86_call call = V86_CALL_NONE;
	u32 root = shadow_root(d->shadow);

	if (!root)
		return false;
	direct_segments_enter_v86(d, v);
	give_vif(d, v);
	do {
		on = go_once(d, v, root);
		if (on && calls)
			call = v86_call(d, v);
	} while (on && call == V86_CALL_ON);
	direct_segments_leave_v86(v);
	if (!on || call == V86_CALL_DUE)
		return false;
	take_vif(d, v);
	return true;
}

/* What was raised for an access; the handler is what comes next. */
static enum direct_next guest_fault(struct direct *d, struct vcpu *v)
{
	d->after_sti = false;
	save_frame(v);
	return direct_deliver_fault(v);
}

/* What V86 mode may not do at IOPL 0, and true faults. */
static enum direct_next general_protection(struct direct *d, struct vcpu *v)
{
	enum direct_next next;
	bool after_sti = d->after_sti;

	save_frame(v);
	d->after_sti = false;
	if (v86_emulate(d, v, &next)) {
		d->stats.exits[EXITS_SYSTEM]++;
		return next;
	}
	d->after_sti = after_sti;
	d->stats.exits[EXITS_OTHER]++;
	d->stats.vectors[VEC_GP]++;
	return NEXT_STEP;
}

/* After one instruction behind STI, or with d->single; otherwise INT1. */
static enum direct_next debug_trap(struct direct *d, struct vcpu *v)
{
	bool single = direct_single_stepped();

	save_frame(v);
	d->after_sti = false;
	if (single)
		return NEXT_ANY;
	return cpu_deliver(v, VEC_DB, EVENT_ICEBP) ? NEXT_ANY : NEXT_DOWN;
}

/* Guest code from v's state on until something is to be done that it cannot do itself. */
static enum direct_next run(struct direct *d, struct vcpu *v)
{
	static const struct direct_ways ways = {
		.save_frame = save_frame,
		.fault = guest_fault,
		.general_protection = general_protection,
		.debug_trap = debug_trap,
	};
	enum direct_next next;

	load_frame(d, v);
	do {
		if (!go(d, v)) {
			save_frame(v);
			d->after_sti |= behind_sti(d, v);
			give_shadow(d, v);
			direct_hold_behind_mov_ss(v);
			return NEXT_ANY;
		}
	} while (!direct_exit(d, v, &ways, &next));
	return next;
}

enum direct_next direct_v86(struct direct *d, struct vcpu *v)
{
	enum direct_next next;

	d->stats.entries++;
	d->stats.real += !vcpu_v86(v);
	d->after_sti = false;
	d->vif = vif_for(d, v);
	direct_enter_cr4(d, v);
	do
		next = run(d, v);
	while (next == NEXT_ANY && !d->single && vcpu_real_segments(v) && !direct_events(v) &&
	       direct_refuses(d, v) == REFUSE_NOTHING);
	give_shadow(d, v);
	direct_leave_cr4(d);
	return next;
}
