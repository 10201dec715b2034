/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest code on the CPU: how its state gets there, and what to make of the exceptions that end it.
 * An exception is never handed to the guest as it came. Page faults are looked up in the guest's
 * tables, and any other faulting instruction is carried out by the interpreter, which raises what
 * the guest would see.
 */
#include "cpu/cpu.h"
#include "cpu/cpuid.h"
#include "cpu/direct/frame.h"
#include "cpu/direct/exits.h"
#include "cpu/mem.h"

#define DR6_BS	  BIT(14)
#define DR6_CLEAR 0xffff0ff0u

#define OPCODE_INT	   0xcd
#define OPCODE_0F	   0x0f
#define OPCODE_0F_SYSENTER 0x34

static u32 take_dr6(void)
{
	u32 value;

	asm volatile("movl %%dr6, %0" : "=r"(value));
	asm volatile("movl %0, %%dr6" ::"r"(DR6_CLEAR));
	return value;
}

bool direct_single_stepped(void)
{
	return take_dr6() & DR6_BS;
}

/* --- state --- */

static void load_frame(struct direct *d, struct vcpu *v)
{
	struct direct_frame *f = &direct_frame;

	frame_put(v->gpr);
	f->eip = v->eip;
	f->eflags = vcpu_eflags(v);
	if (d->single)
		f->eflags |= FLAG_TF;
	*d->host.esp0 = (u32)(&f->ss + 1);
}

static void save_frame(struct vcpu *v)
{
	const struct direct_frame *f = &direct_frame;
	u32 before = v->eflags, flags = f->eflags;

	direct_unsettle(direct_of(v));
	frame_get(v->gpr);
	v->eip = f->eip;
	/* Faults push RF set; the guest has not got it set itself, or it would not run here. */
	flags &= ~FLAG_RF;
	if (direct_of(v)->single)
		flags &= ~FLAG_TF;
	vcpu_set_eflags(v, flags);
	if ((before ^ v->eflags) & (FLAG_TF | FLAG_AC))
		cpu_mode_changed(v);
}

/* --- this PC's control registers while guest code runs --- */

static void set_cr4(struct direct *d, u32 value)
{
	if (d->cr4 == value)
		return;
	d->cr4 = value;
	asm volatile("movl %0, %%cr4" ::"r"(value));
}

void direct_enter_cr4(struct direct *d, struct vcpu *v)
{
	u32 simd = CR4_OSFXSR | CR4_OSXMMEXCPT, value = d->own_cr4 & ~(CR4_TSD | simd);
	/* Lockstep could not compare it. */
	bool tsc = (cpu_features(v) & CPUID_TSC) && !(v->cr4 & CR4_TSD) && !v->tsc_offset &&
		   !d->lockstep;

	d->guest_cr4 = v->cr4;
	d->guest_tsc_offset = v->tsc_offset;
	value |= d->own_cr4 & simd & v->cr4;
	if (vcpu_v86(v) && d->vif != VIF_UNUSED)
		value |= CR4_VME;
	set_cr4(d, tsc ? value : value | CR4_TSD);
}

void direct_leave_cr4(struct direct *d)
{
	set_cr4(d, d->own_cr4 | (d->cr4 & CR4_TSD));
}

/* --- exits --- */

__attribute__((noinline)) bool direct_fill_raised(struct direct *d, u32 lin, bool write,
						  bool *filled)
{
	struct vcpu *v = d->vcpu;

	if (__builtin_setjmp(cpu_fault_of(v)->jmp))
		return true;
	*filled = shadow_fill(d->shadow, lin, write);
	return false;
}

static inline u8 lin_read_user8(struct vcpu *v, u32 lin)
{
	const struct tlb_entry *e = &vcpu_tlb(v)->set[1][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];

	if (unlikely((lin & PAGE_MASK) != e->rd_tag || v->mem_slow))
		return (u8)lin_read(v, lin, 1, true);
	return *(const u8 *)(lin + e->addend);
}

/* The quickest way into translated code: INT n and SYSENTER where all that takes is at hand. */
static inline __attribute__((always_inline)) bool system_call_crosses(struct direct *d,
								      struct vcpu *v)
{
	u32 lin = v->seg[SEG_CS].base + direct_frame.eip;
	const struct tlb_entry *e = &vcpu_tlb(v)->set[1][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	const u8 *code;

	if (((lin + 1) & PAGE_MASK) != e->rd_tag || v->mem_slow)
		return false;
	code = (const u8 *)(lin + e->addend);
	if (code[0] == OPCODE_INT)
		return cross_int(d, v, code[1], direct_frame.eip + 2);
	return code[0] == OPCODE_0F && code[1] == OPCODE_0F_SYSENTER && cross_sysenter(d, v);
}

/* Where the TLB lacked code or stack. */
static __attribute__((noinline)) bool system_call_retried(struct direct *d, struct vcpu *v)
{
	u32 lin = v->seg[SEG_CS].base + direct_frame.eip;
	const struct tlb_entry *e = &vcpu_tlb(v)->set[1][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	bool missed = (lin & PAGE_MASK) != e->rd_tag;
	const u8 *code;

	if (((lin ^ (lin + 1)) & PAGE_MASK) || !(e = mem_tlb_ready(v, lin, false, true)))
		return false;
	code = (const u8 *)(lin + e->addend);
	if (code[0] == OPCODE_INT)
		missed |= cross_filled(d, v, code[1]);
	return missed && system_call_crosses(d, v);
}

/*
 * The same by the general functions; and whether they raised. SYSENTER with TF is for the
 * interpreter: the trap comes behind it, where INT n has cleared TF.
 */
static __attribute__((noinline)) bool system_call_raised(struct vcpu *v, bool *done)
{
	u32 lin = v->seg[SEG_CS].base + v->eip, first, second = 0;

	if (__builtin_setjmp(cpu_fault_of(v)->jmp))
		return true;
	first = lin_read_user8(v, lin);
	if (first == OPCODE_INT || first == OPCODE_0F) /* of others there may be no second byte */
		second = lin_read_user8(v, lin + 1);
	*done = first == OPCODE_INT ||
		(first == OPCODE_0F && second == OPCODE_0F_SYSENTER && !(v->eflags & FLAG_TF));
	if (first == OPCODE_INT)
		cpu_int(v, (u8)second, v->eip + 2);
	else if (*done)
		cpu_sysenter(v);
	return false;
}

enum direct_next direct_deliver_fault(struct vcpu *v)
{
	return cpu_exception(v, v->fault.vector, v->fault.error) ? NEXT_ANY : NEXT_DOWN;
}

/* What was raised for an access of guest code's. */
static enum direct_next guest_fault(struct direct *d, struct vcpu *v)
{
	if (v->fault.vector == VEC_PF &&
	    (cross_page_fault(d, v, v->fault.error) ||
	     (cross_filled(d, v, VEC_PF) && cross_page_fault(d, v, v->fault.error))))
		return NEXT_CROSSED;
	save_frame(v);
	return direct_deliver_fault(v);
}

/*
 * INT n: the gates of Farbus's IDT are not for CPL 3. SYSENTER: the MSR is 0. Everything else that
 * CPL 3 may not do comes here as well.
 */
static enum direct_next general_protection(struct direct *d, struct vcpu *v)
{
	/* The limit comes before what the bytes say, and both have two. */
	bool inside = direct_frame.eip < v->seg[SEG_CS].limit, done = false;

	if (inside && (system_call_crosses(d, v) || system_call_retried(d, v))) {
		d->stats.exits[EXITS_SYSTEM]++;
		return NEXT_CROSSED;
	}
	save_frame(v);
	if (inside && system_call_raised(v, &done)) {
		d->stats.exits[EXITS_SYSTEM]++;
		return direct_deliver_fault(v);
	}
	d->stats.exits[done ? EXITS_SYSTEM : EXITS_OTHER]++;
	d->stats.vectors[VEC_GP] += !done;
	return done ? NEXT_ANY : NEXT_STEP;
}

/* TF that guest code has set itself; without it INT1. Both come after the instruction. */
static enum direct_next debug_trap(struct direct *d, struct vcpu *v)
{
	bool single = direct_single_stepped();

	save_frame(v);
	if (single && d->single)
		return NEXT_ANY;
	if (single)
		cpu_debug_trap(v, true);
	return cpu_deliver(v, VEC_DB, single ? EVENT_TRAP : EVENT_ICEBP) ? NEXT_ANY : NEXT_DOWN;
}

/* Runs guest code until it is left once. False: something is due before it can run. */
static bool go(struct direct *d, struct vcpu *v)
{
	u32 root = shadow_root(d->shadow);

	if (!root || (d->segments_changed && !direct_segments_prepare(d, v)))
		return false;
	d->segments_changed = false;
	direct_segments_enter(d, v);
	direct_irq_off();
	if (direct_events(v)) {
		direct_irq_on();
		return false;
	}
	direct_go(d, v, root);
	if (unlikely(direct_segments_changed(v))) {
		direct_segments_leave(d, v);
		direct_unsettle(d);
		d->segments_changed = true;
	}
	return true;
}

enum direct_next direct_native(struct direct *d, struct vcpu *v)
{
	static const struct direct_ways ways = {
		.save_frame = save_frame,
		.fault = guest_fault,
		.general_protection = general_protection,
		.debug_trap = debug_trap,
	};
	enum direct_next next;

	d->segments_changed = false;
	if (!d->crossed) {
		load_frame(d, v);
		direct_update_cr4(d, v);
	}
	d->crossed = false;
	do {
		if (!go(d, v)) {
			save_frame(v);
			direct_hold_behind_mov_ss(v);
			return NEXT_ANY;
		}
	} while (!direct_exit(d, v, &ways, &next));
	return next;
}
