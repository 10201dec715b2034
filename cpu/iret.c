/* SPDX-License-Identifier: BSD-2-Clause */
/* IRET from each mode to each mode, and from a nested task (SDM vol. 2, IRET). */
#include "cpu/cpu.h"
#include "cpu/code_segment.h"
#include "cpu/far.h"
#include "cpu/mem.h"
#include "cpu/quick.h"
#include "cpu/segment.h"

#define FLAGS_16 0xffffu
/* What IRET may change anywhere, with 16-bit and 32-bit operands. */
#define FLAGS_ANY    (FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT)
#define FLAGS_ANY_32 (FLAGS_ANY | FLAG_RF | FLAG_AC | FLAG_ID)

struct iret_frame {
	struct stack st;
	u32 eip, flags;
	u16 cs;
};

static struct iret_frame pop_frame(struct vcpu *v, unsigned opsize)
{
	struct iret_frame f = {.st = stack_current(v)};

	f.eip = stack_pop(v, &f.st, opsize);
	f.cs = (u16)stack_pop(v, &f.st, opsize);
	f.flags = stack_pop(v, &f.st, opsize);
	return f;
}

static void merge_flags(struct vcpu *v, u32 value, u32 mask)
{
	vcpu_set_eflags(v, (vcpu_eflags(v) & ~mask) | (value & mask));
}

static void iret_real(struct vcpu *v, unsigned opsize)
{
	struct iret_frame f = pop_frame(v, opsize);
	u32 mask = FLAGS_ANY_32 | FLAG_IF | FLAG_IOPL;

	code_offset_check(v, &v->seg[SEG_CS], f.eip);
	stack_commit(v, &f.st);
	merge_flags(v, f.flags, opsize == 2 ? mask & FLAGS_16 : mask);
	far_enter_real(v, f.cs, f.eip);
}

/* V86 mode with IOPL below 3 and CR4.VME: VIF stands in for IF (SDM vol. 3, 20.3). */
static void iret_v86_vme(struct vcpu *v)
{
	struct iret_frame f = pop_frame(v, 2);
	u32 mask = FLAGS_ANY | FLAG_VIF;

	if (((f.flags & FLAG_IF) && (v->eflags & FLAG_VIP)) || (f.flags & FLAG_TF))
		cpu_raise_gp0(v);
	code_offset_check(v, &v->seg[SEG_CS], f.eip);
	stack_commit(v, &f.st);
	if (f.flags & FLAG_IF)
		f.flags |= FLAG_VIF;
	merge_flags(v, f.flags, mask);
	far_enter_real(v, f.cs, f.eip);
}

static void iret_v86(struct vcpu *v, unsigned opsize)
{
	u32 mask = FLAGS_ANY_32 | FLAG_IF;
	struct iret_frame f;

	if (vcpu_iopl(v) < 3) {
		if (!(v->cr4 & CR4_VME) || opsize != 2)
			cpu_raise_gp0(v);
		iret_v86_vme(v);
		return;
	}
	f = pop_frame(v, opsize);
	code_offset_check(v, &v->seg[SEG_CS], f.eip);
	stack_commit(v, &f.st);
	merge_flags(v, f.flags, opsize == 2 ? mask & FLAGS_16 : mask);
	far_enter_real(v, f.cs, f.eip);
}

/* From CPL 0 into V86 mode: the frame also holds SS:ESP and the data segments. */
static void iret_to_v86(struct vcpu *v, struct iret_frame *f)
{
	static const u8 order[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
	u32 esp = stack_pop(v, &f->st, 4);
	u16 ss = (u16)stack_pop(v, &f->st, 4);
	u16 sel[ARRAY_SIZE(order)];

	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		sel[i] = (u16)stack_pop(v, &f->st, 4);
	if (f->eip > 0xffff)
		cpu_raise_gp0(v);

	vcpu_set_eflags(v, f->flags & FLAGS_EXIST);
	v->gpr[REG_ESP] = esp;
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		segment_set_v86(v, order[i], sel[i]);
	segment_set_v86(v, SEG_SS, ss);
	v->cpl = 3;
	far_enter_real(v, f->cs, f->eip);
}

/* What an IRET at the present CPL may change in EFLAGS. */
static u32 protected_mask(const struct vcpu *v, unsigned opsize)
{
	u32 mask = FLAGS_ANY_32;

	if (v->cpl <= vcpu_iopl(v))
		mask |= FLAG_IF;
	if (v->cpl == 0)
		mask |= FLAG_IOPL | FLAG_VIF | FLAG_VIP;
	return opsize == 2 ? mask & FLAGS_16 : mask;
}

static void iret_outer(struct vcpu *v, struct iret_frame *f, struct descriptor *d, unsigned opsize)
{
	unsigned cpl = SEL_RPL(f->cs);
	u32 esp = stack_pop(v, &f->st, opsize);
	u16 sel = (u16)stack_pop(v, &f->st, opsize);
	struct descriptor sd = stack_outer_check(v, sel, cpl, VEC_NP);
	struct segment code = descriptor_segment(d, f->cs);
	struct segment ss = descriptor_segment(&sd, sel);
	struct stack outer = stack_make(v, &ss, esp, cpl);

	code_offset_check(v, &code, f->eip);
	descriptor_accessed(v, &sd);
	descriptor_accessed(v, d);
	ss.attr |= SEG_ACCESSED;
	merge_flags(v, f->flags, protected_mask(v, opsize));
	segment_set(v, SEG_SS, ss);
	stack_commit(v, &outer);
	far_enter(v, f->cs, d, cpl, f->eip);
	segments_drop_inner(v);
}

/* iret_outer() where nothing is left to check. */
static bool iret_quick(struct vcpu *v)
{
	struct quick_return q;

	if (!quick_return(v, &q))
		return false;
	merge_flags(v, q.eflags, protected_mask(v, 4));
	v->seg[SEG_SS] = *q.ss;
	v->gpr[REG_ESP] = q.esp;
	v->seg[SEG_CS] = *q.cs;
	v->cpl = 3;
	v->eip = q.eip;
	cpu_mode_changed(v);
	segments_drop_inner(v);
	return true;
}

static void iret_protected(struct vcpu *v, unsigned opsize)
{
	struct iret_frame f;
	struct descriptor d;
	struct segment code;

	if (opsize == 4 && iret_quick(v))
		return;
	f = pop_frame(v, opsize);
	if (opsize == 4 && (f.flags & FLAG_VM) && v->cpl == 0) {
		iret_to_v86(v, &f);
		return;
	}
	d = code_check_return(v, f.cs);
	if (SEL_RPL(f.cs) != v->cpl) {
		iret_outer(v, &f, &d, opsize);
		return;
	}
	code = descriptor_segment(&d, f.cs);
	code_offset_check(v, &code, f.eip);
	descriptor_accessed(v, &d);
	merge_flags(v, f.flags, protected_mask(v, opsize));
	stack_commit(v, &f.st);
	far_enter(v, f.cs, &d, v->cpl, f.eip);
}

/*
 * VIF and VIP both set where they count: #GP before the first instruction (SDM vol. 3, 20.3.3.4).
 * Nothing but an IRET from a monitor brings that about; the fault is the new code's own.
 */
static void check_virtual_interrupt(struct vcpu *v)
{
	if (likely((v->eflags & (FLAG_VIF | FLAG_VIP)) != (FLAG_VIF | FLAG_VIP)) || v->cpl != 3 ||
	    !(v->cr4 & (vcpu_v86(v) ? CR4_VME : CR4_PVI)))
		return;
	v->cur = NULL;
	cpu_raise_gp0(v);
}

void cpu_iret(struct vcpu *v, unsigned opsize, u32 next_eip)
{
	/* Even if it faults (SDM vol. 3, 6.7.1). */
	v->nmi_blocked = false;
	if (!vcpu_protected(v)) {
		iret_real(v, opsize);
	} else if (vcpu_v86(v)) {
		iret_v86(v, opsize);
	} else if (v->eflags & FLAG_NT) {
		u16 link = lin_read16(v, v->tr.base);

		cpu_task_switch(v, link, TASK_IRET, next_eip, false, 0);
	} else {
		iret_protected(v, opsize);
	}
	check_virtual_interrupt(v);
}
