/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers and counters (SDM vol. 4, P6 family): those guests look for. Any other
 * number is #GP(0), as on a CPU that lacks it. MTRRs and PAT are not offered: memory types would
 * have no effect here.
 */
#include "cpu/cpu.h"
#include "cpu/cpuid.h"

enum {
	MSR_TSC = 0x10,
	MSR_PLATFORM_ID = 0x17,
	MSR_APIC_BASE = 0x1b,
	MSR_EBL_CR_POWERON = 0x2a,
	MSR_BIOS_UPDT_TRIG = 0x79,
	MSR_BIOS_SIGN_ID = 0x8b,
	MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP = 0x175,
	MSR_SYSENTER_EIP = 0x176,
	MSR_DEBUGCTL = 0x1d9,
};

#define RDPMC_COUNTERS 2u /* a P6 has two performance counters; these never count */

static u64 tsc_now(struct vcpu *v)
{
	u64 host = v->ops && v->ops->tsc ? v->ops->tsc(v->ops_ctx) : 0;

	return host + v->tsc_offset;
}

static void set_edx_eax(struct vcpu *v, u64 value)
{
	v->gpr[REG_EAX] = (u32)value;
	v->gpr[REG_EDX] = (u32)(value >> 32);
}

static void check_access(struct vcpu *v)
{
	if (!(cpu_features(v) & CPUID_MSR))
		cpu_raise_ud(v);
	if (v->cpl != 0)
		cpu_raise_gp0(v);
}

/* The 32-bit SYSENTER registers, or NULL for another number. */
static u32 *sysenter_register(struct vcpu *v, u32 number)
{
	if (!(cpu_features(v) & CPUID_SEP))
		return NULL;
	switch (number) {
	case MSR_SYSENTER_CS:
		return &v->msr_sysenter_cs;
	case MSR_SYSENTER_ESP:
		return &v->msr_sysenter_esp;
	case MSR_SYSENTER_EIP:
		return &v->msr_sysenter_eip;
	default:
		return NULL;
	}
}

void cpu_rdmsr(struct vcpu *v)
{
	u32 number = v->gpr[REG_ECX];
	u32 *sysenter = sysenter_register(v, number);
	u64 value = 0;

	check_access(v);
	if (sysenter) {
		set_edx_eax(v, *sysenter);
		return;
	}
	switch (number) {
	case MSR_TSC:
		value = tsc_now(v);
		break;
	case MSR_APIC_BASE:
		value = v->msr_apic_base;
		break;
	case MSR_DEBUGCTL:
		value = v->msr_debugctl;
		break;
	case MSR_PLATFORM_ID:
	case MSR_EBL_CR_POWERON:
	case MSR_BIOS_SIGN_ID: /* no microcode update loaded */
		break;
	default:
		cpu_raise_gp0(v);
	}
	set_edx_eax(v, value);
}

void cpu_wrmsr(struct vcpu *v)
{
	u32 number = v->gpr[REG_ECX];
	u64 value = v->gpr[REG_EAX] | (u64)v->gpr[REG_EDX] << 32;
	u32 *sysenter = sysenter_register(v, number);

	check_access(v);
	if (sysenter) {
		*sysenter = (u32)value;
		return;
	}
	switch (number) {
	case MSR_TSC: /* P6 loads the low half and clears the high one (vol. 3, 17.17.3) */
		v->tsc_offset += (u32)value - tsc_now(v);
		break;
	case MSR_APIC_BASE:
		v->msr_apic_base = value;
		break;
	case MSR_DEBUGCTL:
		v->msr_debugctl = value & 0x7f;
		break;
	case MSR_EBL_CR_POWERON:
	case MSR_BIOS_UPDT_TRIG:
	case MSR_BIOS_SIGN_ID:
		break;
	default:
		cpu_raise_gp0(v);
	}
}

void cpu_rdtsc(struct vcpu *v)
{
	if (!(cpu_features(v) & CPUID_TSC))
		cpu_raise_ud(v);
	if ((v->cr4 & CR4_TSD) && v->cpl != 0)
		cpu_raise_gp0(v);
	set_edx_eax(v, tsc_now(v));
}

void cpu_rdpmc(struct vcpu *v)
{
	if ((!(v->cr4 & CR4_PCE) && v->cpl != 0) || v->gpr[REG_ECX] >= RDPMC_COUNTERS)
		cpu_raise_gp0(v);
	set_edx_eax(v, 0);
}
