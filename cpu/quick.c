/* SPDX-License-Identifier: BSD-2-Clause */
/* See quick.h. */
#include "cpu/descriptor.h"
#include "cpu/mem.h"
#include "cpu/quick.h"
#include "cpu/cpu.h"

#define TSS32_ESP0 4u
#define TSS32_SS0  8u

/* Segments as they were made of descriptors. What a descriptor says depends on nothing else. */
struct known_segment {
	u32 low, high;
	struct segment s;
};

#define KNOWN 16u

/* A supervisor's read of what the TLB has. */
static inline bool peek(struct vcpu *v, u32 lin, u32 *value)
{
	const struct tlb_entry *e = &vcpu_tlb(v)->set[0][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];

	if (((lin + 3) & PAGE_MASK) != e->rd_tag)
		return false;
	*value = *(const u32 *)(lin + e->addend);
	return true;
}

/* Host memory of [lin, lin + size) for the supervisor, NULL when the TLB lacks it. */
static inline u32 *span(struct vcpu *v, u32 lin, u32 size, bool write)
{
	const struct tlb_entry *e = &vcpu_tlb(v)->set[0][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	u32 tag = write ? e->wr_tag : e->rd_tag;

	if ((lin & PAGE_MASK) != tag || ((lin + size - 1) & PAGE_MASK) != tag)
		return NULL;
	return (u32 *)(lin + e->addend);
}

/*
 * A present code or data segment from the GDT, accessed before. The next search may replace it: one
 * that gives the same place again has.
 */
static const struct segment *find(struct vcpu *v, u16 sel)
{
	static struct known_segment known[KNOWN];
	struct known_segment *k = &known[(sel >> 3) % KNOWN];
	u32 lin = v->gdtr.base + (sel & 0xfff8u), needed = (SEG_P | SEG_S | SEG_ACCESSED) << 8;
	struct descriptor d;

	if ((sel & SEL_LDT) || SEL_NULL(sel) || (sel | 7u) > v->gdtr.limit ||
	    !peek(v, lin, &d.low) || !peek(v, lin + 4, &d.high))
		return NULL;
	if (likely(k->s.sel == sel && k->low == d.low && k->high == d.high))
		return &k->s;
	if ((d.high & needed) != needed)
		return NULL;
	k->low = d.low;
	k->high = d.high;
	k->s = descriptor_segment(&d, sel);
	segment_derive(&k->s);
	return &k->s;
}

static bool is_code(const struct segment *s, unsigned dpl)
{
	return s && (s->attr & (SEG_CODE | SEG_EC)) == SEG_CODE && attr_dpl(s->attr) == dpl;
}

/* A stack with a 32-bit pointer that grows down. */
static bool is_stack(const struct segment *s, unsigned dpl)
{
	return s && (s->attr & (SEG_CODE | SEG_EC | SEG_RW | SEG_DB)) == (SEG_RW | SEG_DB) &&
	       attr_dpl(s->attr) == dpl && SEL_RPL(s->sel) == dpl;
}

/* Of the TSS: SS:ESP for CPL 0. */
static const struct segment *inner_stack(struct vcpu *v, u32 *esp)
{
	const struct segment *tr = &v->tr, *ss;
	u32 sel;

	if (!(tr->attr & SEG_P) || !(tr->attr & SYS_32) || tr->limit < TSS32_SS0 + 3 ||
	    !peek(v, tr->base + TSS32_ESP0, esp) || !peek(v, tr->base + TSS32_SS0, &sel))
		return NULL;
	ss = find(v, (u16)sel);
	return is_stack(ss, 0) ? ss : NULL;
}

bool quick_entry(struct vcpu *v, u8 vector, bool software, bool has_error, struct quick_entry *q)
{
	u32 lin = v->idtr.base + vector * 8u, size = has_error ? 24 : 20;
	struct descriptor gate;
	unsigned type;

	if (v->cpl != 3 || vcpu_v86(v) || v->mem_slow || vector * 8u + 7 > v->idtr.limit ||
	    !peek(v, lin, &gate.low) || !peek(v, lin + 4, &gate.high))
		return false;
	type = descriptor_system_type(&gate);
	if ((type != SYS_INT32 && type != SYS_TRAP32) || !descriptor_present(&gate) ||
	    (software && descriptor_dpl(&gate) != 3))
		return false;
	q->interrupt_gate = type == SYS_INT32;
	q->eip = gate_offset(&gate);
	q->sel = gate_selector(&gate) & 0xfffc;
	q->cs = find(v, gate_selector(&gate));
	if (!is_code(q->cs, 0) || q->eip > q->cs->limit)
		return false;
	q->ss = inner_stack(v, &q->esp);
	if (!q->ss || q->ss == q->cs || q->esp < size || q->esp - 4 >= q->ss->wr_count)
		return false;
	q->esp -= size;
	q->frame = span(v, q->ss->base + q->esp, size, true);
	return q->frame;
}

bool quick_return(struct vcpu *v, struct quick_return *q)
{
	const struct segment *ss = &v->seg[SEG_SS];
	u32 esp = v->gpr[REG_ESP];
	const u32 *frame;

	if (v->cpl != 0 || v->mem_slow || !(ss->attr & SEG_DB) || esp >= ss->rd_count ||
	    ss->rd_count - esp <= 16)
		return false;
	frame = span(v, ss->base + esp, 20, false);
	if (!frame || (frame[2] & FLAG_VM) || SEL_RPL(frame[1]) != 3)
		return false;
	q->cs = find(v, (u16)frame[1]);
	if (!is_code(q->cs, 3) || frame[0] > q->cs->limit)
		return false;
	q->ss = find(v, (u16)frame[4]);
	if (!is_stack(q->ss, 3) || q->ss == q->cs)
		return false;
	q->eip = frame[0];
	q->eflags = frame[2];
	q->esp = frame[3];
	return true;
}
