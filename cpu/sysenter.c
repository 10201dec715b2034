/* SPDX-License-Identifier: BSD-2-Clause */
/* SYSENTER and SYSEXIT: flat segments without looking at any descriptor (SDM vol. 3, 5.8.7). */
#include "cpu/cpu.h"
#include "cpu/cpuid.h"
#include "cpu/segment.h"

#define ATTR_FLAT  (SEG_G | SEG_DB | SEG_P | SEG_S | SEG_RW | SEG_ACCESSED)
#define CS_USER_AT 16u /* SYSEXIT's selectors, from SYSENTER_CS */
#define SS_USER_AT 24u
#define SS_AT	   8u

static void set_flat(struct vcpu *v, unsigned seg, u32 sel, unsigned cpl)
{
	u16 type = seg == SEG_CS ? SEG_CODE : 0;

	segment_set(v, seg,
		    (struct segment){.limit = ~0u,
				     .sel = (u16)((sel & 0xfffc) | cpl),
				     .attr = (u16)(ATTR_FLAT | type | cpl << SEG_DPL_SHIFT)});
}

static void check(struct vcpu *v)
{
	if (!(cpu_features(v) & CPUID_SEP))
		cpu_raise_ud(v);
	if (!vcpu_protected(v) || SEL_NULL(v->msr_sysenter_cs))
		cpu_raise_gp0(v);
}

void cpu_sysenter(struct vcpu *v)
{
	check(v);
	v->eflags &= ~(FLAG_VM | FLAG_IF | FLAG_RF);
	set_flat(v, SEG_CS, v->msr_sysenter_cs, 0);
	set_flat(v, SEG_SS, v->msr_sysenter_cs + SS_AT, 0);
	v->cpl = 0;
	v->gpr[REG_ESP] = v->msr_sysenter_esp;
	v->eip = v->msr_sysenter_eip;
	cpu_mode_changed(v);
}

void cpu_sysexit(struct vcpu *v)
{
	check(v);
	if (v->cpl != 0)
		cpu_raise_gp0(v);
	set_flat(v, SEG_CS, v->msr_sysenter_cs + CS_USER_AT, 3);
	set_flat(v, SEG_SS, v->msr_sysenter_cs + SS_USER_AT, 3);
	v->cpl = 3;
	v->gpr[REG_ESP] = v->gpr[REG_ECX];
	v->eip = v->gpr[REG_EDX];
	cpu_mode_changed(v);
}
