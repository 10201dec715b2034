/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event delivery: real mode's IVT, interrupt, trap and task gates, inner stacks, entry from V86
 * mode (SDM vol. 3, 6.12 and 20.3). Everything is checked and pushed before the first register
 * changes.
 */
#include "cpu/descriptor.h"
#include "cpu/event.h"
#include "cpu/far.h"
#include "cpu/mem.h"
#include "cpu/quick.h"
#include "cpu/segment.h"

struct event {
	u8 vector;
	bool software;	/* INT n, INT3, INTO: the gate's DPL counts */
	bool has_error; /* an error code is pushed */
	u32 error;
	u32 return_eip;
};

static void deliver_real(struct vcpu *v, const struct event *e)
{
	struct stack st = stack_current(v);
	u32 vector_lin = v->idtr.base + e->vector * 4u;
	u32 flags = vcpu_eflags(v);
	u16 ip, cs;

	if (e->vector * 4u + 3 > v->idtr.limit)
		cpu_raise(v, VEC_GP, 0);
	stack_push(v, &st, 2, flags & 0xffff);
	stack_push(v, &st, 2, v->seg[SEG_CS].sel);
	stack_push(v, &st, 2, e->return_eip & 0xffff);
	ip = lin_read16(v, vector_lin);
	cs = lin_read16(v, vector_lin + 2);

	stack_commit(v, &st);
	v->eflags &= ~(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
	far_enter_real(v, cs, ip);
}

void event_redirect_v86(struct vcpu *v, u8 vector, u32 return_eip)
{
	struct stack st = stack_current(v);
	u32 image = vcpu_eflags(v) & 0xffff;
	u16 ip = (u16)lin_read(v, vector * 4u, 2, true);
	u16 cs = (u16)lin_read(v, vector * 4u + 2, 2, true);
	bool virtual = vcpu_iopl(v) < 3;

	if (virtual) {
		image |= FLAG_IOPL;
		image &= ~FLAG_IF;
		if (v->eflags & FLAG_VIF)
			image |= FLAG_IF;
	}
	stack_push(v, &st, 2, image);
	stack_push(v, &st, 2, v->seg[SEG_CS].sel);
	stack_push(v, &st, 2, return_eip & 0xffff);

	stack_commit(v, &st);
	v->eflags &= ~(FLAG_TF | FLAG_RF | (virtual ? FLAG_VIF : FLAG_IF));
	far_enter_real(v, cs, ip);
}

static void push_frame(struct vcpu *v, struct stack *st, const struct event *e, unsigned size)
{
	stack_push(v, st, size, vcpu_eflags(v));
	stack_push(v, st, size, v->seg[SEG_CS].sel);
	stack_push(v, st, size, e->return_eip);
	if (e->has_error)
		stack_push(v, st, size, e->error);
}

/* The flags an interrupt or trap gate leaves. */
static void clear_flags(struct vcpu *v, bool interrupt_gate)
{
	v->eflags &= ~(FLAG_TF | FLAG_VM | FLAG_RF | FLAG_NT | (interrupt_gate ? FLAG_IF : 0));
}

static void deliver_same_level(struct vcpu *v, const struct event *e, const struct descriptor *gate,
			       struct descriptor *d)
{
	unsigned type = descriptor_system_type(gate);
	struct stack st = stack_current(v);
	struct segment cs = descriptor_segment(d, gate_selector(gate));

	push_frame(v, &st, e, type & SYS_32 ? 4 : 2);
	code_offset_check(v, &cs, gate_offset(gate));
	descriptor_accessed(v, d);

	stack_commit(v, &st);
	clear_flags(v, !(type & 1));
	far_enter(v, gate_selector(gate), d, v->cpl, gate_offset(gate));
}

static void deliver_inner(struct vcpu *v, const struct event *e, const struct descriptor *gate,
			  struct descriptor *d)
{
	static const u8 order[] = {SEG_GS, SEG_FS, SEG_DS, SEG_ES};
	unsigned type = descriptor_system_type(gate), cpl = descriptor_dpl(d);
	unsigned size = type & SYS_32 ? 4 : 2;
	bool v86 = vcpu_v86(v);
	struct descriptor sd;
	struct stack st = stack_inner(v, cpl, &sd);
	struct segment cs = descriptor_segment(d, gate_selector(gate));

	for (unsigned i = 0; v86 && i < ARRAY_SIZE(order); i++)
		stack_push(v, &st, size, v->seg[order[i]].sel);
	stack_push(v, &st, size, v->seg[SEG_SS].sel);
	stack_push(v, &st, size, v->gpr[REG_ESP]);
	push_frame(v, &st, e, size);
	code_offset_check(v, &cs, gate_offset(gate));
	descriptor_accessed(v, d);
	descriptor_accessed(v, &sd);

	for (unsigned i = 0; v86 && i < ARRAY_SIZE(order); i++)
		segment_set_null(v, order[i], 0);
	segment_set(v, SEG_SS, st.ss);
	stack_commit(v, &st);
	clear_flags(v, !(type & 1));
	far_enter(v, gate_selector(gate), d, cpl, gate_offset(gate));
}

/* Through an interrupt or trap gate. */
static void deliver_gate(struct vcpu *v, const struct event *e, const struct descriptor *gate)
{
	u16 sel = gate_selector(gate);
	struct descriptor d;
	u16 attr;

	if (SEL_NULL(sel))
		cpu_raise_gp0(v);
	d = descriptor_need(v, sel, VEC_GP);
	attr = descriptor_attr(&d);
	if (!attr_is_code(attr) || attr_dpl(attr) > v->cpl)
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_NP, SEL_ERROR(sel));
	if (!attr_is_conforming(attr) && attr_dpl(attr) < v->cpl) {
		if (vcpu_v86(v) && attr_dpl(attr) != 0)
			cpu_raise(v, VEC_GP, SEL_ERROR(sel));
		deliver_inner(v, e, gate, &d);
	} else {
		if (vcpu_v86(v))
			cpu_raise(v, VEC_GP, SEL_ERROR(sel));
		deliver_same_level(v, e, gate, &d);
	}
}

/* deliver_inner() where nothing is left to check. */
static bool deliver_quick(struct vcpu *v, const struct event *e)
{
	struct quick_entry q;
	u32 *frame;

	if (!quick_entry(v, e->vector, e->software, e->has_error, &q))
		return false;
	frame = q.frame;
	if (e->has_error)
		*frame++ = e->error;
	frame[0] = e->return_eip;
	frame[1] = v->seg[SEG_CS].sel;
	frame[2] = vcpu_eflags(v);
	frame[3] = v->gpr[REG_ESP];
	frame[4] = v->seg[SEG_SS].sel;
	v->seg[SEG_SS] = *q.ss;
	v->gpr[REG_ESP] = q.esp;
	clear_flags(v, q.interrupt_gate);
	v->seg[SEG_CS] = *q.cs;
	v->seg[SEG_CS].sel = q.sel;
	v->cpl = 0;
	v->eip = q.eip;
	cpu_mode_changed(v);
	return true;
}

static void deliver_protected(struct vcpu *v, const struct event *e)
{
	u32 idt_error = e->vector * 8u + 2;
	struct descriptor gate;

	if (deliver_quick(v, e))
		return;
	if (e->vector * 8u + 7 > v->idtr.limit)
		cpu_raise(v, VEC_GP, idt_error);
	gate.lin = v->idtr.base + e->vector * 8u;
	gate.low = lin_read32(v, gate.lin);
	gate.high = lin_read32(v, gate.lin + 4);
	switch (descriptor_system_type(&gate)) {
	case SYS_TASK_GATE:
	case SYS_INT16:
	case SYS_TRAP16:
	case SYS_INT32:
	case SYS_TRAP32:
		break;
	default:
		cpu_raise(v, VEC_GP, idt_error);
	}
	if (e->software && descriptor_dpl(&gate) < v->cpl)
		cpu_raise(v, VEC_GP, idt_error);
	if (!descriptor_present(&gate))
		cpu_raise(v, VEC_NP, idt_error);
	if (descriptor_system_type(&gate) == SYS_TASK_GATE)
		cpu_task_switch(v, gate_selector(&gate), TASK_INT, e->return_eip, e->has_error,
				e->error);
	else
		deliver_gate(v, e, &gate);
}

void event_deliver(struct vcpu *v, u8 vector, enum event_kind kind, u32 error, u32 return_eip)
{
	struct event e = {
		.vector = vector,
		.software = kind == EVENT_SOFT_INT || kind == EVENT_INT3_INTO,
		.has_error = kind == EVENT_FAULT && vector_has_error(vector),
		.error = error,
		.return_eip = return_eip,
	};

	/* Traps and inhibitions of the interrupted context end here. */
	v->debug_hits = 0;
	v->shadow = 0;
	v->ext = !e.software;
	if (vcpu_protected(v))
		deliver_protected(v, &e);
	else
		deliver_real(v, &e);
	v->ext = false;
}
