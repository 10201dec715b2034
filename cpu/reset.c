/* SPDX-License-Identifier: BSD-2-Clause */
/* The state after RESET (SDM vol. 3, table 9-1). */
#include "cpu/cpu.h"
#include "cpu/interp/fpu.h"
#include "cpu/mem.h"
#include "cpu/segment.h"
#include "lib/str.h"

#define RESET_CS_SEL  0xf000u
#define RESET_CS_BASE 0xffff0000u
#define RESET_EIP     0xfff0u
#define RESET_EDX     0x00000683u /* the signature CPUID gives */
#define RESET_DR6     0xffff0ff0u
#define RESET_DR7     0x00000400u
#define APIC_BASE_BSP 0xfee00100u /* default address, bootstrap processor, APIC disabled */

static void reset_segments(struct vcpu *v)
{
	for (unsigned i = 0; i < SEG_COUNT; i++)
		v->seg[i] = (struct segment){.limit = 0xffff, .attr = ATTR_REAL};
	v->seg[SEG_CS].sel = RESET_CS_SEL;
	v->seg[SEG_CS].base = RESET_CS_BASE;
	v->ldtr = (struct segment){.limit = 0xffff, .attr = SEG_P | 2};
	v->tr = (struct segment){.limit = 0xffff, .attr = SEG_P | 11};
	v->gdtr = (struct desc_table){.base = 0, .limit = 0xffff};
	v->idtr = (struct desc_table){.base = 0, .limit = 0xffff};
	segment_derive_all(v);
}

void vcpu_reset(struct vcpu *v)
{
	memset(v->gpr, 0, sizeof(v->gpr));
	memset(v->dr, 0, sizeof(v->dr));
	memset(v->pdpte, 0, sizeof(v->pdpte));
	v->gpr[REG_EDX] = RESET_EDX;
	v->eip = RESET_EIP;
	v->dr[6] = RESET_DR6;
	v->dr[7] = RESET_DR7;
	v->cr0 = CR0_ET | CR0_CD | CR0_NW;
	v->cr2 = v->cr3 = v->cr4 = 0;
	v->cpl = 0;
	v->shadow = 0;
	v->debug_hits = 0;
	v->halted = v->ext = v->nmi_blocked = v->mem_slow = false;
	v->msr_sysenter_cs = v->msr_sysenter_esp = v->msr_sysenter_eip = 0;
	v->msr_apic_base = APIC_BASE_BSP;
	v->msr_debugctl = 0;
	vcpu_event_clear(v, VCPU_EV_STEP | VCPU_EV_NMI);
	vcpu_set_eflags(v, FLAGS_FIXED);
	reset_segments(v);
	fpu_reset(v);
	if (v->interp)
		mem_tlb_flush(v, true);
	if (v->was_reset)
		v->was_reset(v);
	cpu_mode_changed(v);
}
