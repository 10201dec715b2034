/* SPDX-License-Identifier: BSD-2-Clause */
/* JMP far: direct, through a call gate, to a TSS or through a task gate (SDM vol. 2, JMP). */
#include "cpu/cpu.h"
#include "cpu/code_segment.h"
#include "cpu/far.h"
#include "cpu/segment.h"

void far_enter_real(struct vcpu *v, u16 sel, u32 off)
{
	if (vcpu_protected(v))
		segment_set_v86(v, SEG_CS, sel);
	else
		segment_set_real(v, SEG_CS, sel);
	v->eip = off;
	cpu_mode_changed(v);
}

void far_enter(struct vcpu *v, u16 sel, struct descriptor *d, unsigned cpl, u32 off)
{
	segment_set_cs(v, sel, d, cpl);
	v->eip = off;
	cpu_mode_changed(v);
}

static void jmp_to_code(struct vcpu *v, u16 sel, struct descriptor *d, u32 off, bool gate)
{
	struct segment cs;

	code_check_same_level(v, sel, d, gate);
	cs = descriptor_segment(d, sel);
	code_offset_check(v, &cs, off);
	descriptor_accessed(v, d);
	far_enter(v, sel, d, v->cpl, off);
}

/* That code is of another level comes before that it is not present, unlike in gate_target(). */
static void jmp_gate(struct vcpu *v, const struct descriptor *gate)
{
	u16 sel = gate_selector(gate);
	struct descriptor d;

	if (SEL_NULL(sel))
		cpu_raise_gp0(v);
	d = descriptor_need(v, sel, VEC_GP);
	jmp_to_code(v, sel, &d, gate_offset(gate), true);
}

void cpu_far_jmp(struct vcpu *v, u16 sel, u32 off, unsigned opsize, u32 next_eip)
{
	struct descriptor d;

	if (opsize == 2)
		off &= 0xffff;
	if (vcpu_real_segments(v)) {
		code_offset_check(v, &v->seg[SEG_CS], off);
		far_enter_real(v, sel, off);
		return;
	}
	if (SEL_NULL(sel))
		cpu_raise_gp0(v);
	d = descriptor_need(v, sel, VEC_GP);
	if (!descriptor_is_system(&d)) {
		jmp_to_code(v, sel, &d, off, false);
		return;
	}
	switch (far_system_target(v, sel, &d)) {
	case FAR_CALL_GATE:
		jmp_gate(v, &d);
		break;
	case FAR_TASK_GATE:
		cpu_task_switch(v, gate_selector(&d), TASK_JMP, next_eip, false, 0);
		break;
	case FAR_TSS:
		cpu_task_switch(v, sel, TASK_JMP, next_eip, false, 0);
		break;
	}
}

enum far_target far_system_target(struct vcpu *v, u16 sel, const struct descriptor *d)
{
	enum far_target target;

	switch (descriptor_system_type(d)) {
	case SYS_CALL16:
	case SYS_CALL32:
		target = FAR_CALL_GATE;
		break;
	case SYS_TASK_GATE:
		target = FAR_TASK_GATE;
		break;
	case SYS_TSS16:
	case SYS_TSS32:
		target = FAR_TSS;
		break;
	default:
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	}
	gate_check_access(v, sel, d);
	return target;
}
