/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's state: kept, put back and compared. */
#include "cpu/cpu.h"
#include "cpu/interp/fpu_host.h"
#include "cpu/lockstep/private.h"
#include "cpu/mem.h"
#include "lib/str.h"

void lockstep_save(struct vcpu *v, struct lockstep_state *s)
{
	fpu_sync(v);
	v->fpu_native = false;
	memcpy(s->gpr, v->gpr, sizeof(s->gpr));
	s->eip = v->eip;
	s->eflags = vcpu_eflags(v);
	memcpy(s->seg, v->seg, sizeof(s->seg));
	s->ldtr = v->ldtr;
	s->tr = v->tr;
	s->gdtr_base = v->gdtr.base;
	s->gdtr_limit = v->gdtr.limit;
	s->idtr_base = v->idtr.base;
	s->idtr_limit = v->idtr.limit;
	s->cr0 = v->cr0;
	s->cr2 = v->cr2;
	s->cr3 = v->cr3;
	s->cr4 = v->cr4;
	memcpy(s->dr, v->dr, sizeof(s->dr));
	memcpy(s->pdpte, v->pdpte, sizeof(s->pdpte));
	s->sysenter_cs = v->msr_sysenter_cs;
	s->sysenter_esp = v->msr_sysenter_esp;
	s->sysenter_eip = v->msr_sysenter_eip;
	s->cpl = v->cpl;
	s->shadow = v->shadow;
	s->halted = v->halted;
	s->nmi_blocked = v->nmi_blocked;
	s->debug_hits = v->debug_hits;
	s->fpu = v->fpu;
	s->fpu_cs = v->fpu_cs;
	s->fpu_ds = v->fpu_ds;
	s->fpu_opcode = v->fpu_opcode;
	s->fpu_ip = v->fpu_ip;
	s->fpu_dp = v->fpu_dp;
}

void lockstep_load(struct vcpu *v, const struct lockstep_state *s)
{
	memcpy(v->gpr, s->gpr, sizeof(s->gpr));
	v->eip = s->eip;
	vcpu_set_eflags(v, s->eflags);
	memcpy(v->seg, s->seg, sizeof(s->seg));
	v->ldtr = s->ldtr;
	v->tr = s->tr;
	v->gdtr = (struct desc_table){s->gdtr_base, (u16)s->gdtr_limit};
	v->idtr = (struct desc_table){s->idtr_base, (u16)s->idtr_limit};
	v->cr0 = s->cr0;
	v->cr2 = s->cr2;
	v->cr3 = s->cr3;
	v->cr4 = s->cr4;
	memcpy(v->dr, s->dr, sizeof(s->dr));
	memcpy(v->pdpte, s->pdpte, sizeof(s->pdpte));
	v->msr_sysenter_cs = s->sysenter_cs;
	v->msr_sysenter_esp = s->sysenter_esp;
	v->msr_sysenter_eip = s->sysenter_eip;
	v->cpl = (u8)s->cpl;
	v->shadow = (u8)s->shadow;
	v->halted = s->halted;
	v->nmi_blocked = s->nmi_blocked;
	v->debug_hits = s->debug_hits;
	v->fpu = s->fpu;
	v->fpu_cs = s->fpu_cs;
	v->fpu_ds = s->fpu_ds;
	v->fpu_opcode = s->fpu_opcode;
	v->fpu_ip = s->fpu_ip;
	v->fpu_dp = s->fpu_dp;
	fpu_host_replace(v);
	v->fpu_native = false;
	cpu_mode_changed(v);
}

/* Control, status, tags, MXCSR, ST and XMM; not the address of the last instruction. */
bool lockstep_same_fpu(const u8 *a, const u8 *b)
{
	if (memcmp(a, b, 5) || memcmp(a + FX_MXCSR, b + FX_MXCSR, 4))
		return false;
	for (unsigned i = 0; i < 8; i++)
		if (memcmp(a + FX_ST + 16 * i, b + FX_ST + 16 * i, 10))
			return false;
	return memcmp(a + FX_XMM, b + FX_XMM, FX_END - FX_XMM) == 0;
}

static bool same_segment(const struct segment *a, const struct segment *b)
{
	return a->sel == b->sel && a->base == b->base && a->limit == b->limit && a->attr == b->attr;
}

static bool same_segments(const struct lockstep_state *a, const struct lockstep_state *b)
{
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (!same_segment(&a->seg[i], &b->seg[i]))
			return false;
	return same_segment(&a->ldtr, &b->ldtr) && same_segment(&a->tr, &b->tr);
}

bool lockstep_same(const struct lockstep_state *a, const struct lockstep_state *b)
{
	size_t system = offsetof(struct lockstep_state, gdtr_base);

	return memcmp(a->gpr, b->gpr, sizeof(a->gpr)) == 0 && a->eip == b->eip &&
	       !((a->eflags ^ b->eflags) & ~(FLAGS_ARITH | FLAG_RF)) && same_segments(a, b) &&
	       memcmp((const u8 *)a + system, (const u8 *)b + system,
		      offsetof(struct lockstep_state, fpu) - system) == 0 &&
	       lockstep_same_fpu(a->fpu.bytes, b->fpu.bytes);
}
