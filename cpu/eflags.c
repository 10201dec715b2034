/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CLI, STI, PUSHF and POPF: the rules of IOPL, of V86 mode with and without VME, and of
 * protected-mode virtual interrupts (SDM vol. 3, 20.3 and 20.4).
 */
#include "cpu/cpu.h"

#define FLAGS_16 0xffffu
/* What POPF may change anywhere; RF becomes 0. */
#define POPF_ANY (FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_RF | FLAG_AC | FLAG_ID)

enum if_access {
	IF_REAL,    /* IF itself */
	IF_VIRTUAL, /* VIF in its place */
	IF_DENIED,
};

static enum if_access if_access(const struct vcpu *v)
{
	if (!vcpu_protected(v))
		return IF_REAL;
	if (vcpu_iopl(v) >= v->cpl)
		return IF_REAL;
	if (vcpu_v86(v))
		return v->cr4 & CR4_VME ? IF_VIRTUAL : IF_DENIED;
	return (v->cr4 & CR4_PVI) && v->cpl == 3 ? IF_VIRTUAL : IF_DENIED;
}

void cpu_cli(struct vcpu *v)
{
	switch (if_access(v)) {
	case IF_REAL:
		v->eflags &= ~FLAG_IF;
		break;
	case IF_VIRTUAL:
		v->eflags &= ~FLAG_VIF;
		break;
	case IF_DENIED:
		cpu_raise_gp0(v);
	}
}

void cpu_sti(struct vcpu *v)
{
	switch (if_access(v)) {
	case IF_REAL:
		if (v->eflags & FLAG_IF)
			break;
		v->eflags |= FLAG_IF;
		v->shadow |= SHADOW_STI;
		cpu_mode_changed(v);
		break;
	case IF_VIRTUAL:
		if (v->eflags & FLAG_VIP)
			cpu_raise_gp0(v);
		v->eflags |= FLAG_VIF;
		break;
	case IF_DENIED:
		cpu_raise_gp0(v);
	}
}

u32 cpu_pushf_image(struct vcpu *v, unsigned opsize)
{
	u32 image = vcpu_eflags(v) & ~(FLAG_VM | FLAG_RF);

	if (!vcpu_v86(v) || vcpu_iopl(v) == 3)
		return image;
	if (!(v->cr4 & CR4_VME) || opsize != 2)
		cpu_raise_gp0(v);
	image = (image | FLAG_IOPL) & ~FLAG_IF;
	return v->eflags & FLAG_VIF ? image | FLAG_IF : image;
}

static void popf_v86_vme(struct vcpu *v, u32 value)
{
	u32 mask = (POPF_ANY & FLAGS_16) | FLAG_VIF;

	if (((value & FLAG_IF) && (v->eflags & FLAG_VIP)) || (value & FLAG_TF))
		cpu_raise_gp0(v);
	value = value & FLAG_IF ? value | FLAG_VIF : value & ~FLAG_VIF;
	vcpu_set_eflags(v, (vcpu_eflags(v) & ~mask) | (value & mask));
	cpu_mode_changed(v);
}

void cpu_popf(struct vcpu *v, unsigned opsize, u32 value)
{
	u32 mask = POPF_ANY;

	if (vcpu_v86(v) && vcpu_iopl(v) < 3) {
		if (!(v->cr4 & CR4_VME) || opsize != 2)
			cpu_raise_gp0(v);
		popf_v86_vme(v, value);
		return;
	}
	if (v->cpl <= vcpu_iopl(v))
		mask |= FLAG_IF;
	if (v->cpl == 0)
		mask |= FLAG_IOPL;
	if (opsize == 2)
		mask &= FLAGS_16;
	value &= mask & ~FLAG_RF;
	value |= vcpu_eflags(v) & ~mask;
	vcpu_set_eflags(v, value);
	/* Only these matter to what engines derive, and POPF is too common to do it always. */
	if ((value & (FLAG_TF | FLAG_AC)) || (v->events & VCPU_EV_STEP) || v->mem_slow)
		cpu_mode_changed(v);
}
