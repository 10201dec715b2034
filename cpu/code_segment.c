/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of code segments that control is about to enter: see code_segment.h. */
#include "cpu/cpu.h"
#include "cpu/code_segment.h"

void code_check_same_level(struct vcpu *v, u16 sel, const struct descriptor *d, bool gate)
{
	u16 attr = descriptor_attr(d);
	bool bad;

	if (!attr_is_code(attr))
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (attr_is_conforming(attr))
		bad = attr_dpl(attr) > v->cpl;
	else
		bad = attr_dpl(attr) != v->cpl || (!gate && SEL_RPL(sel) > v->cpl);
	if (bad)
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!descriptor_present(d))
		cpu_raise(v, VEC_NP, SEL_ERROR(sel));
}

struct descriptor code_check_return(struct vcpu *v, u16 sel)
{
	unsigned rpl = SEL_RPL(sel);
	struct descriptor d;
	u16 attr;

	if (SEL_NULL(sel))
		cpu_raise_gp0(v);
	d = descriptor_need(v, sel, VEC_GP);
	attr = descriptor_attr(&d);
	if (!attr_is_code(attr) || rpl < v->cpl)
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (attr_is_conforming(attr) ? attr_dpl(attr) > rpl : attr_dpl(attr) != rpl)
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_NP, SEL_ERROR(sel));
	return d;
}

void gate_check_access(struct vcpu *v, u16 sel, const struct descriptor *d)
{
	unsigned dpl = descriptor_dpl(d);

	if (dpl < v->cpl || dpl < SEL_RPL(sel))
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!descriptor_present(d))
		cpu_raise(v, VEC_NP, SEL_ERROR(sel));
}

struct descriptor gate_target(struct vcpu *v, const struct descriptor *gate, u16 *sel)
{
	struct descriptor d;
	u16 attr;

	*sel = gate_selector(gate);
	if (SEL_NULL(*sel))
		cpu_raise_gp0(v);
	d = descriptor_need(v, *sel, VEC_GP);
	attr = descriptor_attr(&d);
	if (!attr_is_code(attr) || attr_dpl(attr) > v->cpl)
		cpu_raise(v, VEC_GP, SEL_ERROR(*sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_NP, SEL_ERROR(*sel));
	return d;
}
