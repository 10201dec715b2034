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

#define IRET_FRAME 20u /* bytes, with CPL 3's stack */
#define FRAME_MAX  24u /* with an error code, too */

/* Host memory of up to 24 bytes of the guest's in one page, which the supervisor's TLB has. */
static inline u32 *span(struct vcpu *v, u32 lin, u32 size, bool write)
{
	const struct tlb_entry *e = &vcpu_tlb(v)->set[0][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	u32 tag = write ? e->wr_tag : e->rd_tag;

	if ((lin & PAGE_MASK) != tag || ((lin + size - 1) & PAGE_MASK) != tag)
		return NULL;
	return (u32 *)(lin + e->addend);
}

/* Whether the TLB was what span() lacked, and has it now: where nothing can fault. */
static bool span_filled(struct vcpu *v, u32 lin, u32 size, bool write)
{
	return !span(v, lin, size, write) && mem_tlb_ready(v, lin, write, false) &&
	       span(v, lin, size, write);
}

/* --- what SYSENTER and SYSEXIT lead to, which follows from the MSRs --- */

static struct segment flat(u32 sel, unsigned cpl, u16 type)
{
	struct segment s = {.limit = ~0u,
			    .sel = (u16)((sel & 0xfffc) | cpl),
			    .attr = (u16)(ATTR_FLAT | type | cpl << SEG_DPL_SHIFT)};

	segment_derive(&s);
	return s;
}

static const struct direct_gate *sysenter_gate(struct direct *d, u32 cs, u32 eip)
{
	struct direct_gate *g = &d->sysenter;

	if (likely(g->known && g->cs.sel == (cs & 0xfffc) && g->eip == eip))
		return g;
	direct_unsettle(d);
	*g = (struct direct_gate){.known = true,
				  .eip = eip,
				  .cs = flat(cs, 0, SEG_CODE),
				  .ss = flat(cs + SS_AT, 0, 0)};
	return g;
}

static const struct direct_return *sysexit_return(struct direct *d, u32 cs)
{
	struct direct_return *r = &d->sysexit;

	if (likely(r->known && r->cs.sel == (((cs + CS_USER_AT) & 0xfffc) | 3)))
		return r;
	direct_unsettle(d);
	*r = (struct direct_return){.known = true,
				    .cs = flat(cs + CS_USER_AT, 3, SEG_CODE),
				    .ss = flat(cs + SS_USER_AT, 3, 0)};
	return r;
}

/* --- inwards --- */

/* can_enter() where something else has come between. */
static __attribute__((noinline)) bool settle_kernel(struct direct *d, struct vcpu *v,
						    const struct direct_gate *g)
{
	if (d->settled.generation != v->generation)
		direct_unsettle(d);
	if (!d->translator || d->single || vcpu_v86(v) || v->mem_slow || debug_guarded(v) ||
	    direct_kernel_maps_own(d, v) || !kernel_segments_fit(d, v, &g->ss))
		return false;
	direct_kernel_own(d, v, d->settled.own);
	d->settled.gate = g;
	d->settled.native = 0;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		d->settled.put_back[i] = 0;
	return true;
}

/* Whether translated code may follow with CS and SS of g, all else being v's. */
static inline bool can_enter(struct direct *d, struct vcpu *v, const struct direct_gate *g)
{
	if (likely(d->settled.gate == g && d->settled.generation == v->generation))
		return !direct_own_used(d->settled.own);
	return settle_kernel(d, v, g);
}

static inline void crossed(struct direct *d, struct vcpu *v)
{
	d->settled.generation = ++v->generation;
	d->crossed = true;
	d->stats.crossed++;
}

static inline void enter(struct direct *d, struct vcpu *v, const struct direct_gate *g, u32 esp)
{
	struct direct_frame *f = &direct_frame;

	v->seg[SEG_SS] = g->ss;
	v->seg[SEG_CS] = g->cs;
	v->eflags = (f->eflags & (FLAG_DF | FLAG_IOPL | FLAG_ID)) | FLAGS_FIXED | g->flag_if;
	v->cpl = 0;
	v->eip = g->eip;
	f->esp = esp;
	f->eflags = (f->eflags & FLAGS_REAL) | FLAGS_FIXED | FLAG_IF;
	crossed(d, v);
}

/* error: NULL where none is pushed. Made for each caller: which of it is needed is known there. */
static inline __attribute__((always_inline)) bool through_gate(struct direct *d, struct vcpu *v,
							       u8 vector, u32 eip, const u32 *error)
{
	struct direct_frame *f = &direct_frame;
	const struct direct_gate *g;
	u32 esp, size = error ? FRAME_MAX : IRET_FRAME, *at;

	if (f->eflags & FLAGS_RARE)
		return false;
	g = direct_gate(d, v, vector);
	if (!g || (!error && !g->open))
		return false;
	esp = g->tss[0];
	if (esp < size || esp - 4 >= g->ss.wr_count)
		return false;
	esp -= size;
	at = span(v, g->ss.base + esp, size, true);
	if (!at || !can_enter(d, v, g))
		return false;

	if (error)
		*at++ = *error;
	at[0] = eip;
	at[1] = v->seg[SEG_CS].sel;
	at[2] = (f->eflags & ~FLAG_RF) | (error ? FLAG_RF : 0);
	at[3] = f->esp;
	at[4] = v->seg[SEG_SS].sel;
	enter(d, v, g, esp);
	return true;
}

bool cross_int(struct direct *d, struct vcpu *v, u8 vector, u32 eip)
{
	return through_gate(d, v, vector, eip, NULL);
}

bool cross_page_fault(struct direct *d, struct vcpu *v, u32 error)
{
	if (!through_gate(d, v, VEC_PF, direct_frame.eip, &error))
		return false;
	d->host.state->cr2 = v->cr2;
	v->stats.exceptions[VEC_PF]++;
	return true;
}

bool cross_sysenter(struct direct *d, struct vcpu *v)
{
	const struct direct_gate *g = sysenter_gate(d, v->msr_sysenter_cs, v->msr_sysenter_eip);

	if ((direct_frame.eflags & FLAGS_RARE) || SEL_NULL(v->msr_sysenter_cs) ||
	    g->eip > ~(u32)PAGE_SIZE || !(cpu_features(v) & CPUID_SEP) || !can_enter(d, v, g))
		return false;
	enter(d, v, g, v->msr_sysenter_esp);
	return true;
}

bool cross_filled(struct direct *d, struct vcpu *v, u8 vector)
{
	const struct direct_gate *g = direct_gate(d, v, vector);

	return g && span_filled(v, g->ss.base + g->tss[0] - FRAME_MAX, FRAME_MAX, true);
}

void cross_registers(struct vcpu *v)
{
	frame_get(v->gpr);
	vcpu_set_eflags(v, (v->eflags & ~FLAGS_ARITH) | (direct_frame.eflags & FLAGS_ARITH));
}

/* --- outwards --- */

/* can_leave() where something else has come between. */
static __attribute__((noinline)) bool settle_user(struct direct *d, const struct vcpu *v,
						  const struct direct_return *r)
{
	if (d->settled.generation != v->generation)
		direct_unsettle(d);
	if (d->single || v->mem_slow || !direct_segments_hold(d, v, &r->cs, &r->ss))
		return false;
	d->settled.back = r;
	return true;
}

/* Whether guest code of CPL 3 may follow on the CPU with CS and SS of r, all else being v's. */
static inline bool can_leave(struct direct *d, const struct vcpu *v, const struct direct_return *r)
{
	return likely(d->settled.back == r && d->settled.generation == v->generation) ||
	       settle_user(d, v, r);
}

static inline void leave(struct direct *d, struct vcpu *v, const struct direct_return *r, u32 eip,
			 u32 esp, u32 eflags)
{
	struct direct_frame *f = &direct_frame;

	v->seg[SEG_SS] = r->ss;
	v->seg[SEG_CS] = r->cs;
	v->eflags = (eflags & ~FLAGS_ARITH) | FLAGS_FIXED;
	v->cpl = 3;
	v->eip = f->eip = eip;
	f->esp = esp;
	f->eflags = eflags | FLAGS_FIXED;
	crossed(d, v);
}

static bool cross_iret(struct direct *d, struct vcpu *v)
{
	const struct segment *ss = &v->seg[SEG_SS];
	u32 esp = direct_frame.esp;
	const struct direct_return *r;
	const u32 *at;

	if (esp >= ss->rd_count || ss->rd_count - esp <= 16)
		return false;
	at = span(v, ss->base + esp, IRET_FRAME, false);
	if (!at || (at[2] & FLAGS_RARE) || !(at[2] & FLAG_IF) || (at[2] & FLAG_IOPL) == FLAG_IOPL)
		return false;
	if ((at[2] & FLAG_RF) && !direct_forgets_rf(v))
		return false;
	if (SEL_RPL(at[1]) != 3)
		return false;
	r = direct_return(d, v, (u16)at[1], (u16)at[4]);
	if (!r || at[0] > r->cs.limit || !can_leave(d, v, r) || d->inner_data)
		return false;

	v->nmi_blocked = false;
	leave(d, v, r, at[0], at[3], at[2] & FLAGS_TAKEN);
	return true;
}

static bool cross_sysexit(struct direct *d, struct vcpu *v, bool sti)
{
	const struct direct_return *r = sysexit_return(d, v->msr_sysenter_cs);
	struct direct_frame *f = &direct_frame;

	if (SEL_NULL(v->msr_sysenter_cs) || !(cpu_features(v) & CPUID_SEP) ||
	    !(sti || d->host.state->vif) || (v->eflags & FLAG_IOPL) == FLAG_IOPL ||
	    !can_leave(d, v, r))
		return false;
	leave(d, v, r, f->edx, f->ecx,
	      (f->eflags & FLAGS_REAL) | FLAG_IF | (v->eflags & FLAG_IOPL));
	return true;
}

static bool cross(struct direct *d, struct vcpu *v, enum translate_transfer how)
{
	if (likely(how == TRANSLATE_IRET))
		return cross_iret(d, v);
	return cross_sysexit(d, v, how == TRANSLATE_STI_SYSEXIT);
}

/* Where the TLB lacked IRET's frame. Out of line: system calls do not come here. */
static __attribute__((noinline)) bool iret_retried(struct direct *d, struct vcpu *v)
{
	return span_filled(v, v->seg[SEG_SS].base + direct_frame.esp, IRET_FRAME, false) &&
	       cross_out(d, v);
}

bool cross_out(struct direct *d, struct vcpu *v)
{
	enum translate_transfer how = translate_transfer(d->translator);

	if (how == TRANSLATE_NO_TRANSFER || v->cpl != 0)
		return false;
	kernel_segments_leave(d, v);
	if (!cross(d, v, how))
		return how == TRANSLATE_IRET && iret_retried(d, v);
	d->stats.translated_left[1]++;
	return true;
}
