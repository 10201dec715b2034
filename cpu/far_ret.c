/* SPDX-License-Identifier: BSD-2-Clause */
/* RET far, to the same level and to an outer one (SDM vol. 2, RET). */
#include "cpu/cpu.h"
#include "cpu/code_segment.h"
#include "cpu/far.h"
#include "cpu/segment.h"

static void ret_real(struct vcpu *v, unsigned opsize, u32 pop_bytes)
{
	struct stack st = stack_current(v);
	u32 eip = stack_pop(v, &st, opsize);
	u16 cs = (u16)stack_pop(v, &st, opsize);

	code_offset_check(v, &v->seg[SEG_CS], eip);
	stack_skip(&st, pop_bytes);
	stack_commit(v, &st);
	far_enter_real(v, cs, eip);
}

static void ret_outer(struct vcpu *v, struct stack *st, u16 cs, struct descriptor *d, u32 eip,
		      unsigned opsize, u32 pop_bytes)
{
	unsigned cpl = SEL_RPL(cs);
	struct segment code = descriptor_segment(d, cs);
	struct segment ss;
	struct descriptor sd;
	struct stack outer;
	u32 esp;
	u16 sel;

	stack_skip(st, pop_bytes);
	esp = stack_pop(v, st, opsize);
	sel = (u16)stack_pop(v, st, opsize);
	sd = stack_outer_check(v, sel, cpl, VEC_SS);
	code_offset_check(v, &code, eip);
	descriptor_accessed(v, &sd);
	descriptor_accessed(v, d);

	ss = descriptor_segment(&sd, sel);
	outer = stack_make(v, &ss, esp, cpl);
	stack_skip(&outer, pop_bytes);
	segment_set(v, SEG_SS, ss);
	stack_commit(v, &outer);
	far_enter(v, cs, d, cpl, eip);
	segments_drop_inner(v);
}

void cpu_far_ret(struct vcpu *v, unsigned opsize, u32 pop_bytes)
{
	struct stack st = stack_current(v);
	struct descriptor d;
	struct segment code;
	u32 eip;
	u16 cs;

	if (vcpu_real_segments(v)) {
		ret_real(v, opsize, pop_bytes);
		return;
	}
	eip = stack_pop(v, &st, opsize);
	cs = (u16)stack_pop(v, &st, opsize);
	d = code_check_return(v, cs);
	if (SEL_RPL(cs) != v->cpl) {
		ret_outer(v, &st, cs, &d, eip, opsize, pop_bytes);
		return;
	}
	code = descriptor_segment(&d, cs);
	code_offset_check(v, &code, eip);
	descriptor_accessed(v, &d);
	stack_skip(&st, pop_bytes);
	stack_commit(v, &st);
	far_enter(v, cs, &d, v->cpl, eip);
}
