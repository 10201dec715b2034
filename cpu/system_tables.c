/* SPDX-License-Identifier: BSD-2-Clause */
/* LGDT, LIDT, LLDT and LTR (SDM vol. 2). */
#include "cpu/cpu.h"
#include "cpu/descriptor.h"
#include "cpu/mem.h"

static void check_cpl0(struct vcpu *v)
{
	if (v->cpl != 0)
		cpu_raise_gp0(v);
}

void cpu_lgdt(struct vcpu *v, u32 base, u16 limit)
{
	check_cpl0(v);
	v->gdtr = (struct desc_table){.base = base, .limit = limit};
	v->tables++;
}

void cpu_lidt(struct vcpu *v, u32 base, u16 limit)
{
	check_cpl0(v);
	v->idtr = (struct desc_table){.base = base, .limit = limit};
	v->tables++;
}

/* LLDT's and LTR's selector: in the GDT, of one of two types, present. */
static struct descriptor system_descriptor(struct vcpu *v, u16 sel, unsigned type, unsigned type2)
{
	struct descriptor d;

	if (sel & SEL_LDT)
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	d = descriptor_need(v, sel, VEC_GP);
	if (descriptor_system_type(&d) != type && descriptor_system_type(&d) != type2)
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_NP, SEL_ERROR(sel));
	return d;
}

void cpu_lldt(struct vcpu *v, u16 sel)
{
	struct descriptor d;

	if (vcpu_real_segments(v))
		cpu_raise_ud(v);
	check_cpl0(v);
	v->tables++;
	if (SEL_NULL(sel)) {
		v->ldtr = (struct segment){.sel = sel};
		return;
	}
	d = system_descriptor(v, sel, SYS_LDT, SYS_LDT);
	v->ldtr = descriptor_segment(&d, sel);
}

void cpu_ltr(struct vcpu *v, u16 sel)
{
	struct descriptor d;

	if (vcpu_real_segments(v))
		cpu_raise_ud(v);
	check_cpl0(v);
	if (SEL_NULL(sel))
		cpu_raise_gp0(v);
	d = system_descriptor(v, sel, SYS_TSS16, SYS_TSS32);
	d.high |= SYS_BUSY << 8;
	lin_write8(v, d.lin + 5, (u8)(d.high >> 8));
	v->tr = descriptor_segment(&d, sel);
	v->tables++;
}
