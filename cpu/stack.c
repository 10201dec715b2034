/* SPDX-License-Identifier: BSD-2-Clause */
/* The stacks of far transfers: pushes and pops that commit late, and the TSS's inner stacks. */
#include "cpu/cpu.h"
#include "cpu/mem.h"
#include "cpu/segment.h"

struct stack stack_make(struct vcpu *v, const struct segment *ss, u32 sp, unsigned cpl)
{
	u32 mask = ss->attr & SEG_DB ? ~0u : 0xffff;

	return (struct stack){
		.ss = *ss,
		.sp = (v->gpr[REG_ESP] & ~mask) | (sp & mask),
		.mask = mask,
		.user = cpl == 3,
	};
}

struct stack stack_current(struct vcpu *v)
{
	return stack_make(v, &v->seg[SEG_SS], v->gpr[REG_ESP], v->cpl);
}

void stack_skip(struct stack *st, u32 bytes)
{
	st->sp = (st->sp & ~st->mask) | ((st->sp + bytes) & st->mask);
}

void stack_push(struct vcpu *v, struct stack *st, unsigned size, u32 value)
{
	u32 off = (st->sp - size) & st->mask;

	if (unlikely(off >= st->ss.wr_count))
		segment_check(v, &st->ss, off, size, true, VEC_SS, st->error);
	lin_write(v, st->ss.base + off, size, value, st->user);
	st->sp = (st->sp & ~st->mask) | off;
}

u32 stack_peek(struct vcpu *v, const struct stack *st, u32 skip, unsigned size)
{
	u32 off = (st->sp + skip) & st->mask;

	if (unlikely(off >= st->ss.rd_count))
		segment_check(v, &st->ss, off, size, false, VEC_SS, st->error);
	return lin_read(v, st->ss.base + off, size, st->user);
}

u32 stack_pop(struct vcpu *v, struct stack *st, unsigned size)
{
	u32 value = stack_peek(v, st, 0, size);

	stack_skip(st, size);
	return value;
}

void stack_commit(struct vcpu *v, const struct stack *st)
{
	v->gpr[REG_ESP] = st->sp;
}

/* SS:ESP of an inner level, where the TSS keeps it (SDM vol. 3, figures 7-2 and 7-10). */
static void tss_stack(struct vcpu *v, unsigned cpl, u16 *ss, u32 *esp)
{
	bool wide = v->tr.attr & SYS_32;
	u32 offset = wide ? 4 + cpl * 8 : 2 + cpl * 4;
	u32 last = offset + (wide ? 5 : 3);

	if (!(v->tr.attr & SEG_P) || last > v->tr.limit)
		cpu_raise(v, VEC_TS, SEL_ERROR(v->tr.sel));
	if (wide) {
		*esp = lin_read32(v, v->tr.base + offset);
		*ss = lin_read16(v, v->tr.base + offset + 4);
	} else {
		*esp = lin_read16(v, v->tr.base + offset);
		*ss = lin_read16(v, v->tr.base + offset + 2);
	}
}

struct stack stack_inner(struct vcpu *v, unsigned cpl, struct descriptor *d)
{
	struct segment s;
	struct stack st;
	u32 esp;
	u16 ss;

	tss_stack(v, cpl, &ss, &esp);
	if (SEL_NULL(ss))
		cpu_raise(v, VEC_TS, SEL_ERROR(ss));
	*d = descriptor_need(v, ss, VEC_TS);
	if (SEL_RPL(ss) != cpl || descriptor_dpl(d) != cpl || !attr_is_writable(descriptor_attr(d)))
		cpu_raise(v, VEC_TS, SEL_ERROR(ss));
	if (!descriptor_present(d))
		cpu_raise(v, VEC_SS, SEL_ERROR(ss));
	s = descriptor_segment(d, ss);
	s.attr |= SEG_ACCESSED;
	segment_derive(&s);
	st = stack_make(v, &s, esp, cpl);
	st.error = SEL_ERROR(ss);
	return st;
}

struct descriptor stack_outer_check(struct vcpu *v, u16 sel, unsigned cpl, u8 absent)
{
	struct descriptor d;

	if (SEL_NULL(sel))
		cpu_raise_gp0(v);
	d = descriptor_need(v, sel, VEC_GP);
	if (SEL_RPL(sel) != cpl || descriptor_dpl(&d) != cpl ||
	    !attr_is_writable(descriptor_attr(&d)))
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, absent, SEL_ERROR(sel));
	return d;
}
