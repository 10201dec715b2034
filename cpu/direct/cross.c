/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From guest code of CPL 3 to translated code and back, without a look at all of the state: by a
 * gate and IRET, by SYSENTER and SYSEXIT. The guest's general registers stay in the frame; v has
 * its segments, CPL, and the flags that are not arithmetic. Each function here checks first and
 * changes nothing until all that it rests on is as it has to be. Where it is not (a TLB miss, other
 * descriptors, rare flags), it returns false, and the general functions of cpu/ carry the transfer
 * out, faults included.
 */
#include "cpu/cpu.h"
#include "cpu/cpuid.h"
#include "cpu/descriptor.h"
#include "cpu/direct/frame.h"
#include "cpu/direct/private.h"
#include "cpu/mem.h"
#include "cpu/segment.h"

/* With any of these a transfer, or what runs after it, is the interpreter's. */
#define FLAGS_RARE (FLAG_TF | FLAG_NT | FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP)
/* Those that IRET takes from its frame, but for the rare ones. */
#define FLAGS_TAKEN (FLAGS_ARITH | FLAG_DF | FLAG_IF | FLAG_IOPL | FLAG_ID)
#define FLAGS_REAL  (FLAGS_ARITH | FLAG_DF | FLAG_ID)

#define ATTR_FLAT  (SEG_G | SEG_DB | SEG_P | SEG_S | SEG_RW | SEG_ACCESSED)
#define SS_AT	   8u /* the selectors of SYSENTER and SYSEXIT, from SYSENTER_CS */
#define CS_USER_AT 16u
#define SS_USER_AT 24u

static struct segment flat(u32 sel, unsigned cpl, u16 type)
{
	struct segment s = {.limit = ~0u,
			    .sel = (u16)((sel & 0xfffc) | cpl),
			    .attr = (u16)(ATTR_FLAT | type | cpl << SEG_DPL_SHIFT)};

	segment_derive(&s);
	return s;
}

/* Host memory of up to 24 bytes of the guest's in one page, which the supervisor's TLB has. */
static u32 *span(struct vcpu *v, u32 lin, u32 size, bool write)
{
	const struct tlb_entry *e = &vcpu_tlb(v)->set[0][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	u32 tag = write ? e->wr_tag : e->rd_tag;

	if ((lin & PAGE_MASK) != tag || ((lin + size - 1) & PAGE_MASK) != tag)
		return NULL;
	return (u32 *)(lin + e->addend);
}

/* --- inwards --- */

/* Whether translated code may follow with this SS, all else being v's. */
static bool can_enter(struct direct *d, struct vcpu *v, const struct segment *ss)
{
	return d->translator && !d->single && !vcpu_v86(v) && !v->mem_slow &&
	       !direct_kernel_maps_own(d, v) && kernel_segments_fit(d, v, ss);
}

static void enter(struct direct *d, struct vcpu *v, u32 eip, u32 esp, bool interrupts)
{
	struct direct_frame *f = &direct_frame;

	v->eflags = (f->eflags & (FLAG_DF | FLAG_IOPL | FLAG_ID)) | FLAGS_FIXED |
		    (interrupts ? FLAG_IF : 0);
	v->cpl = 0;
	v->eip = eip;
	f->esp = esp;
	f->eflags = (f->eflags & FLAGS_REAL) | FLAGS_FIXED | FLAG_IF;
	v->generation++;
	d->crossed = true;
	d->stats.crossed++;
}

bool cross_gate(struct direct *d, struct vcpu *v, const struct cross_event *e)
{
	struct direct_frame *f = &direct_frame;
	u32 esp, size = e->fault ? 24 : 20, *at;
	const struct direct_gate *g;

	if ((f->eflags & FLAGS_RARE) || !d->translator)
		return false;
	g = direct_gate(d, v, e->vector);
	if (!g || (e->software && !g->open))
		return false;
	esp = g->tss[0];
	if (esp < size || esp - 4 >= g->ss.wr_count)
		return false;
	esp -= size;
	at = span(v, g->ss.base + esp, size, true);
	if (!at || !can_enter(d, v, &g->ss))
		return false;

	if (e->fault) {
		*at++ = e->error;
		v->stats.exceptions[e->vector]++;
	}
	at[0] = e->eip;
	at[1] = v->seg[SEG_CS].sel;
	at[2] = (f->eflags & ~FLAG_RF) | (e->fault ? FLAG_RF : 0);
	at[3] = f->esp;
	at[4] = v->seg[SEG_SS].sel;
	v->seg[SEG_SS] = g->ss;
	v->seg[SEG_CS] = g->cs;
	enter(d, v, g->eip, esp, !g->interrupt);
	return true;
}

bool cross_sysenter(struct direct *d, struct vcpu *v)
{
	u32 cs = v->msr_sysenter_cs, eip = v->msr_sysenter_eip;
	struct segment ss = flat(cs + SS_AT, 0, 0);

	if ((direct_frame.eflags & FLAGS_RARE) || SEL_NULL(cs) || eip > ~(u32)PAGE_SIZE ||
	    !(cpu_features(v) & CPUID_SEP) || !can_enter(d, v, &ss))
		return false;
	v->seg[SEG_CS] = flat(cs, 0, SEG_CODE);
	v->seg[SEG_SS] = ss;
	enter(d, v, eip, v->msr_sysenter_esp, false);
	return true;
}

void cross_registers(struct vcpu *v)
{
	frame_get(v->gpr);
	vcpu_set_eflags(v, (v->eflags & ~FLAGS_ARITH) | (direct_frame.eflags & FLAGS_ARITH));
}

/* --- outwards --- */

/* Whether guest code of CPL 3 may follow on the CPU with these, all else being v's. */
static bool can_leave(const struct direct *d, const struct vcpu *v, const struct segment *cs,
		      const struct segment *ss)
{
	return !d->single && !v->mem_slow && direct_segments_hold(d, v, cs, ss);
}

static void leave(struct direct *d, struct vcpu *v, u32 eip, u32 esp, u32 eflags)
{
	struct direct_frame *f = &direct_frame;

	v->eflags = (eflags & ~FLAGS_ARITH) | FLAGS_FIXED;
	v->cpl = 3;
	v->eip = f->eip = eip;
	f->esp = esp;
	f->eflags = eflags | FLAGS_FIXED;
	v->generation++;
	d->crossed = true;
	d->stats.crossed++;
}

static bool cross_iret(struct direct *d, struct vcpu *v)
{
	const struct segment *ss = &v->seg[SEG_SS];
	u32 esp = direct_frame.esp;
	const struct direct_return *r;
	const u32 *at;

	if (esp >= ss->rd_count || ss->rd_count - esp <= 16)
		return false;
	at = span(v, ss->base + esp, 20, false);
	if (!at || (at[2] & FLAGS_RARE) || !(at[2] & FLAG_IF) || (at[2] & FLAG_IOPL) == FLAG_IOPL)
		return false;
	if ((at[2] & FLAG_RF) && !direct_forgets_rf(d, v))
		return false;
	r = direct_return(d, v, (u16)at[1], (u16)at[4]);
	if (!r || at[0] > r->cs.limit || !can_leave(d, v, &r->cs, &r->ss) || d->inner_data)
		return false;

	v->seg[SEG_SS] = r->ss;
	v->seg[SEG_CS] = r->cs;
	v->nmi_blocked = false;
	leave(d, v, at[0], at[3], at[2] & FLAGS_TAKEN);
	return true;
}

static bool cross_sysexit(struct direct *d, struct vcpu *v, bool sti)
{
	struct direct_frame *f = &direct_frame;
	u32 base = v->msr_sysenter_cs;
	struct segment cs = flat(base + CS_USER_AT, 3, SEG_CODE);
	struct segment ss = flat(base + SS_USER_AT, 3, 0);

	if (SEL_NULL(base) || !(cpu_features(v) & CPUID_SEP) || !(sti || d->host.state->vif) ||
	    (v->eflags & FLAG_IOPL) == FLAG_IOPL || !can_leave(d, v, &cs, &ss))
		return false;
	v->seg[SEG_CS] = cs;
	v->seg[SEG_SS] = ss;
	leave(d, v, f->edx, f->ecx, (f->eflags & FLAGS_REAL) | FLAG_IF | (v->eflags & FLAG_IOPL));
	return true;
}

bool cross_out(struct direct *d, struct vcpu *v)
{
	if (v->cpl != 0)
		return false;
	switch (translate_transfer(d->translator)) {
	case TRANSLATE_IRET:
		return cross_iret(d, v);
	case TRANSLATE_SYSEXIT:
		return cross_sysexit(d, v, false);
	case TRANSLATE_STI_SYSEXIT:
		return cross_sysexit(d, v, true);
	default:
		return false;
	}
}
