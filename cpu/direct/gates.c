/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What interrupt gates and IRET frames were found to lead to: the hidden parts of CS and SS, and
 * where in memory all that said so lies. While those bytes are the same, and nothing has happened
 * that moves them (v->tables; loads of CR3 leave global pages and a kernel's large ones where they
 * are), it holds. Only what nothing can fault on is remembered.
 */
#include "cpu/cpu.h"
#include "cpu/descriptor.h"
#include "cpu/direct/private.h"
#include "cpu/mem.h"

#define TSS32_ESP0 4u
#define TSS32_SS0  8u

/* 8 bytes in one page, where reading them does not fault; or NULL. *lasting becomes false where they
 * may lie elsewhere after a load of CR3. */
static const u32 *eight_bytes(struct vcpu *v, u32 lin, bool *lasting)
{
	const struct tlb_entry *e;

	if ((lin ^ (lin + 7)) & PAGE_MASK)
		return NULL;
	e = mem_tlb_ready(v, lin, false, false);
	if (!e)
		return NULL;
	*lasting = *lasting && tlb_outlasts(v, lin);
	return (const u32 *)(lin + e->addend);
}

static void note(struct direct_found *f, const u32 *at)
{
	f->at = at;
	f->low = at[0];
	f->high = at[1];
}

/* A present code or data segment from the GDT that was accessed before. */
static bool find_segment(struct vcpu *v, u16 sel, struct direct_found *f, struct segment *s,
			 bool *lasting)
{
	u32 needed = (SEG_P | SEG_S | SEG_ACCESSED) << 8;
	const u32 *at;
	struct descriptor d;

	if ((sel & SEL_LDT) || SEL_NULL(sel) || (sel | 7u) > v->gdtr.limit)
		return false;
	at = eight_bytes(v, v->gdtr.base + (sel & 0xfff8u), lasting);
	if (!at || (at[1] & needed) != needed)
		return false;
	note(f, at);
	d.low = at[0];
	d.high = at[1];
	*s = descriptor_segment(&d, sel);
	segment_derive(s);
	return true;
}

/* 32-bit code, not conforming. */
static bool is_code(const struct segment *s, unsigned dpl)
{
	return (s->attr & (SEG_CODE | SEG_EC | SEG_DB)) == (SEG_CODE | SEG_DB) &&
	       attr_dpl(s->attr) == dpl;
}

/* A stack with a 32-bit pointer that grows down. */
static bool is_stack(const struct segment *s, unsigned dpl)
{
	return (s->attr & (SEG_CODE | SEG_EC | SEG_RW | SEG_DB)) == (SEG_RW | SEG_DB) &&
	       attr_dpl(s->attr) == dpl && SEL_RPL(s->sel) == dpl;
}

static bool look_gate(struct vcpu *v, u8 vector, struct direct_gate *g)
{
	const struct segment *tr = &v->tr;
	struct descriptor gate;
	const u32 *at;
	unsigned type;

	if (vector * 8u + 7 > v->idtr.limit ||
	    !(at = eight_bytes(v, v->idtr.base + vector * 8u, &g->lasting)))
		return false;
	note(&g->gate, at);
	gate.low = at[0];
	gate.high = at[1];
	type = descriptor_system_type(&gate);
	if ((type != SYS_INT32 && type != SYS_TRAP32) || !descriptor_present(&gate))
		return false;
	g->open = descriptor_dpl(&gate) == 3;
	g->flag_if = type == SYS_TRAP32 ? FLAG_IF : 0;
	g->eip = gate_offset(&gate);
	if (!find_segment(v, gate_selector(&gate), &g->code, &g->cs, &g->lasting) ||
	    !is_code(&g->cs, 0) || g->eip > g->cs.limit || g->cs.limit - g->eip < PAGE_SIZE)
		return false;
	g->cs.sel &= 0xfffc;
	if (!(tr->attr & SEG_P) || !(tr->attr & SYS_32) || tr->limit < TSS32_SS0 + 3 ||
	    !(g->tss = eight_bytes(v, tr->base + TSS32_ESP0, &g->lasting)))
		return false;
	g->ss0 = (u16)g->tss[1];
	return find_segment(v, g->ss0, &g->stack, &g->ss, &g->lasting) && is_stack(&g->ss, 0);
}

const struct direct_gate *direct_gate_find(struct direct *d, struct vcpu *v, struct direct_gate *g,
					   u8 vector)
{
	bool lasts = g->vector == vector && g->known && g->lasting &&
		     g->found == direct_lasting(v) && direct_gate_same(g);

	g->tables = v->tables;
	if (lasts)
		return g;
	if (d->settled.gate == g)
		direct_unsettle(d);
	g->vector = vector;
	g->found = direct_lasting(v);
	g->lasting = true;
	g->known = look_gate(v, vector, g);
	return g->known ? g : NULL;
}

const struct direct_return *direct_return_find(struct direct *d, struct vcpu *v, u16 cs, u16 ss)
{
	struct direct_return *r = &d->back;
	bool lasts = r->cs.sel == cs && r->ss.sel == ss && r->known && r->lasting &&
		     r->found == direct_lasting(v) && direct_return_same(r);

	r->tables = v->tables;
	if (lasts)
		return r;
	if (d->settled.back == r)
		direct_unsettle(d);
	r->found = direct_lasting(v);
	r->lasting = true;
	r->known = find_segment(v, cs, &r->code, &r->cs, &r->lasting) && is_code(&r->cs, 3) &&
		   find_segment(v, ss, &r->stack, &r->ss, &r->lasting) && is_stack(&r->ss, 3);
	return r->known ? r : NULL;
}
