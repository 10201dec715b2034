/* SPDX-License-Identifier: BSD-2-Clause */
/* CALL far: direct, through a call gate with or without a stack switch, to a task (SDM vol. 2). */
#include "cpu/cpu.h"
#include "cpu/code_segment.h"
#include "cpu/far.h"
#include "cpu/segment.h"

static void push_return(struct vcpu *v, struct stack *st, unsigned size, u32 next_eip)
{
	stack_push(v, st, size, v->seg[SEG_CS].sel);
	stack_push(v, st, size, next_eip);
}

static void call_real(struct vcpu *v, u16 sel, u32 off, unsigned opsize, u32 next_eip)
{
	struct stack st = stack_current(v);

	code_offset_check(v, &v->seg[SEG_CS], off);
	push_return(v, &st, opsize, next_eip);
	stack_commit(v, &st);
	far_enter_real(v, sel, off);
}

static void call_same_level(struct vcpu *v, u16 sel, struct descriptor *d, u32 off, unsigned size,
			    u32 next_eip)
{
	struct stack st = stack_current(v);
	struct segment cs = descriptor_segment(d, sel);

	push_return(v, &st, size, next_eip);
	code_offset_check(v, &cs, off);
	descriptor_accessed(v, d);
	stack_commit(v, &st);
	far_enter(v, sel, d, v->cpl, off);
}

/* A call gate to a more privileged level: its stack, with the parameters (SDM vol. 3, 5.8.5). */
static void call_inner(struct vcpu *v, const struct descriptor *gate, u16 sel, struct descriptor *d,
		       unsigned size, u32 next_eip)
{
	unsigned cpl = descriptor_dpl(d);
	struct stack outer = stack_current(v);
	struct descriptor sd;
	struct stack st = stack_inner(v, cpl, &sd);
	struct segment cs = descriptor_segment(d, sel);
	u32 off = gate_offset(gate);

	stack_push(v, &st, size, v->seg[SEG_SS].sel);
	stack_push(v, &st, size, v->gpr[REG_ESP]);
	for (unsigned i = gate_params(gate); i > 0; i--)
		stack_push(v, &st, size, stack_peek(v, &outer, (i - 1) * size, size));
	push_return(v, &st, size, next_eip);
	code_offset_check(v, &cs, off);
	descriptor_accessed(v, d);
	descriptor_accessed(v, &sd);

	segment_set(v, SEG_SS, st.ss);
	stack_commit(v, &st);
	far_enter(v, sel, d, cpl, off);
}

static void call_gate(struct vcpu *v, const struct descriptor *gate, u32 next_eip)
{
	unsigned size = descriptor_system_type(gate) & SYS_32 ? 4 : 2;
	u16 sel;
	struct descriptor d = gate_target(v, gate, &sel);

	if (!attr_is_conforming(descriptor_attr(&d)) && descriptor_dpl(&d) < v->cpl)
		call_inner(v, gate, sel, &d, size, next_eip);
	else
		call_same_level(v, sel, &d, gate_offset(gate), size, next_eip);
}

void cpu_far_call(struct vcpu *v, u16 sel, u32 off, unsigned opsize, u32 next_eip)
{
	struct descriptor d;

	if (opsize == 2)
		off &= 0xffff;
	if (vcpu_real_segments(v)) {
		call_real(v, sel, off, opsize, next_eip);
		return;
	}
	if (SEL_NULL(sel))
		cpu_raise_gp0(v);
	d = descriptor_need(v, sel, VEC_GP);
	if (!descriptor_is_system(&d)) {
		code_check_same_level(v, sel, &d, false);
		call_same_level(v, sel, &d, off, opsize, next_eip);
		return;
	}
	switch (far_system_target(v, sel, &d)) {
	case FAR_CALL_GATE:
		call_gate(v, &d, next_eip);
		break;
	case FAR_TASK_GATE:
		cpu_task_switch(v, gate_selector(&d), TASK_CALL, next_eip, false, 0);
		break;
	case FAR_TSS:
		cpu_task_switch(v, sel, TASK_CALL, next_eip, false, 0);
		break;
	}
}
