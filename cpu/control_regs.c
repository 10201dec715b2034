/* SPDX-License-Identifier: BSD-2-Clause */
/* CR0, CR2, CR3 and CR4, LMSW and CLTS, with the checks of SDM vol. 2, MOV to control registers. */
#include "cpu/cpu.h"
#include "cpu/cpuid.h"
#include "cpu/mem.h"
#include "cpu/mmu/walk.h"
#include "cpu/segment.h"

#define CR0_WRITABLE                                                                               \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR0_LMSW 15u /* the bits LMSW writes; it cannot clear PE */
/* What makes every translation stale. */
#define CR0_PAGING (CR0_PG | CR0_WP | CR0_PE)
#define CR4_PAGING (CR4_PSE | CR4_PAE | CR4_PGE)
/* What makes the CPU read PAE's four pointers again (SDM vol. 3, 4.4.1). */
#define CR0_PDPTE (CR0_PG | CR0_CD | CR0_NW)

static void check_cpl0(struct vcpu *v)
{
	if (v->cpl != 0)
		cpu_raise_gp0(v);
}

static void load_pdpte(struct vcpu *v, u32 cr0, u32 cr3, u32 cr4)
{
	if ((cr0 & CR0_PG) && (cr4 & CR4_PAE) && !pdpte_load(v, cr3))
		cpu_raise_gp0(v);
}

static void set_cr0(struct vcpu *v, u32 value)
{
	u32 changed;

	value = (value & CR0_WRITABLE) | CR0_ET;
	if ((value & CR0_PG) && !(value & CR0_PE))
		cpu_raise_gp0(v);
	if ((value & CR0_NW) && !(value & CR0_CD))
		cpu_raise_gp0(v);
	changed = v->cr0 ^ value;
	if (changed & CR0_PDPTE)
		load_pdpte(v, value, v->cr3, v->cr4);
	v->cr0 = value;
	if (changed & (CR0_PAGING | (v->cr4 & CR4_PAE ? CR0_PDPTE : 0)))
		mem_tlb_flush(v, true);
	if (changed & CR0_PE) {
		v->cpl = 0;
		if (!(value & CR0_PE)) /* CS may be written from here on */
			segment_set_real_rights(v, SEG_CS);
	}
	cpu_mode_changed(v);
}

/* The bits that exist: those of the features CPUID shows (SDM vol. 3, 2.5). */
static u32 cr4_valid(struct vcpu *v)
{
	static const struct {
		u32 feature, bits;
	} table[] = {
		{CPUID_VME, CR4_VME | CR4_PVI}, {CPUID_TSC, CR4_TSD},	     {CPUID_DE, CR4_DE},
		{CPUID_PSE, CR4_PSE},		{CPUID_PAE, CR4_PAE},	     {CPUID_PGE, CR4_PGE},
		{CPUID_FXSR, CR4_OSFXSR},	{CPUID_SSE, CR4_OSXMMEXCPT},
	};
	u32 features = cpu_features(v), valid = CR4_PCE;

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		if (features & table[i].feature)
			valid |= table[i].bits;
	}
	return valid;
}

static void set_cr4(struct vcpu *v, u32 value)
{
	u32 changed = v->cr4 ^ value;

	if (value & ~cr4_valid(v))
		cpu_raise_gp0(v);
	if (changed & CR4_PAGING)
		load_pdpte(v, v->cr0, v->cr3, value);
	v->cr4 = value;
	if (changed & CR4_PAGING)
		mem_tlb_flush(v, true);
	cpu_mode_changed(v);
}

static void set_cr3(struct vcpu *v, u32 value)
{
	load_pdpte(v, v->cr0, value, v->cr4);
	v->cr3 = value;
	mem_tlb_flush_cr3(v);
}

void cpu_mov_to_cr(struct vcpu *v, unsigned cr, u32 value)
{
	if (cr == 1 || cr > 4)
		cpu_raise_ud(v);
	check_cpl0(v);
	switch (cr) {
	case 0:
		set_cr0(v, value);
		break;
	case 2:
		v->cr2 = value;
		break;
	case 3:
		set_cr3(v, value);
		break;
	case 4:
		set_cr4(v, value);
		break;
	}
}

u32 cpu_mov_from_cr(struct vcpu *v, unsigned cr)
{
	if (cr == 1 || cr > 4)
		cpu_raise_ud(v);
	check_cpl0(v);
	switch (cr) {
	case 0:
		return v->cr0;
	case 2:
		return v->cr2;
	case 3:
		return v->cr3;
	default:
		return v->cr4;
	}
}

void cpu_lmsw(struct vcpu *v, u16 value)
{
	check_cpl0(v);
	value = (value & CR0_LMSW) | (v->cr0 & CR0_PE);
	set_cr0(v, (v->cr0 & ~CR0_LMSW) | value);
}

void cpu_clts(struct vcpu *v)
{
	check_cpl0(v);
	v->cr0 &= ~CR0_TS;
}

void cpu_invlpg(struct vcpu *v, unsigned seg, u32 off)
{
	check_cpl0(v);
	mem_tlb_flush_page(v, v->seg[seg].base + off);
}
