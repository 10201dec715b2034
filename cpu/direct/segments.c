/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest segments in the CPU's own descriptor tables. Guest code sees its own selectors, so each
 * segment's descriptor, made from the hidden part, lies at its selector. CS and SS stay there while
 * guest code runs; the guest has just loaded them from its own tables, so that loading them again
 * is right. The others are present only while the switch loads them: the guest's tables may say
 * something else by now. All other selectors lead to nothing, so a load of one faults and the
 * interpreter carries it out.
 */
#include "cpu/cpu.h"
#include "cpu/descriptor.h"
#include "cpu/direct/private.h"
#include "cpu/direct/switch.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"
#include "lib/str.h"

/* Stands for a descriptor that need not be hidden; in the image, where the switch can reach it. */
static u64 none;

#define DESC_LIMIT_MAX 0xfffffu
#define DESC_P	       (1ull << 47)
#define ATTR_SMALL     (SEG_P | SEG_S | SEG_RW | SEG_DB | SEG_G) /* DPL 0 */

static u64 *slot_of(struct direct *d, u16 sel)
{
	return (sel & SEL_LDT ? d->host.ldt : d->host.gdt) + (sel >> 3);
}

bool direct_segment_fits(const struct segment *s)
{
	return s->attr & SEG_G ? (s->limit & 0xfff) == 0xfff : s->limit <= DESC_LIMIT_MAX;
}

u64 direct_descriptor(const struct segment *s)
{
	u32 limit = s->attr & SEG_G ? s->limit >> 12 : s->limit;
	u32 low = (limit & 0xffff) | s->base << 16;
	u32 high = (s->base >> 16 & 0xff) | (s->base & 0xff000000) | (limit & 0xf0000) |
		   (u32)s->attr << 8 | SEG_ACCESSED << 8;

	return low | (u64)high << 32;
}

/* What loads at CPL 3 check, so that the switch's own do not fault. */
static bool loadable(const struct direct *d, unsigned seg, const struct segment *s)
{
	if (SEL_NULL(s->sel)) /* IRET to CPL 3 makes 0 of 1 to 3 */
		return seg != SEG_CS && seg != SEG_SS && !(s->attr & SEG_P) && !s->sel;
	if (!(s->sel & SEL_LDT) && s->sel >= d->host.own_selectors)
		return false;
	if ((s->attr & (SEG_P | SEG_S)) != (SEG_P | SEG_S) || !direct_segment_fits(s))
		return false;
	if (seg == SEG_CS)
		return attr_is_code(s->attr) && SEL_RPL(s->sel) == 3 &&
		       (attr_is_conforming(s->attr) || attr_dpl(s->attr) == 3);
	if (seg == SEG_SS)
		return attr_is_writable(s->attr) && SEL_RPL(s->sel) == 3 && attr_dpl(s->attr) == 3;
	return attr_is_readable(s->attr) && (attr_is_conforming(s->attr) || attr_dpl(s->attr) == 3);
}

/* When IRET leads to CPL 3; and a null one may have a selector that becomes 0. */
static bool becomes_null(unsigned seg, const struct segment *s)
{
	return seg != SEG_CS && seg != SEG_SS && !attr_is_conforming(s->attr) &&
	       attr_dpl(s->attr) < 3 && (s->sel | s->attr | s->base | s->limit);
}

bool direct_segments_hold(const struct direct *d, const struct vcpu *v, const struct segment *cs,
			  const struct segment *ss)
{
	return d->loaded_ok && direct_same_segment(cs, &d->loaded[SEG_CS]) &&
	       direct_same_segment(ss, &d->loaded[SEG_SS]) &&
	       direct_same_segment(&v->seg[SEG_DS], &d->loaded[SEG_DS]) &&
	       direct_same_segment(&v->seg[SEG_ES], &d->loaded[SEG_ES]) &&
	       direct_same_segment(&v->seg[SEG_FS], &d->loaded[SEG_FS]) &&
	       direct_same_segment(&v->seg[SEG_GS], &d->loaded[SEG_GS]);
}

static bool unchanged(const struct direct *d, const struct vcpu *v)
{
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (!direct_same_segment(&v->seg[i], &d->loaded[i]))
			return false;
	return true;
}

static bool same_slot(u16 a, u16 b)
{
	return !((a ^ b) & 0xfffc);
}

/* One selector can be in two registers with different hidden parts; a table holds only one. */
static bool conflict(const struct direct *d, const struct vcpu *v, unsigned seg)
{
	for (unsigned i = 0; i < seg; i++)
		if (same_slot(v->seg[i].sel, v->seg[seg].sel) &&
		    d->descriptor[i] != d->descriptor[seg])
			return true;
	return false;
}

bool direct_segments_prepare(struct direct *d, struct vcpu *v)
{
	if (vcpu_real_segments(v))
		return true;
	if (likely(unchanged(d, v)))
		return d->loaded_ok;
	d->entered = d->apart = false;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (d->loaded_ok && !SEL_NULL(d->loaded[i].sel))
			*slot_of(d, d->loaded[i].sel) = 0;
	d->loaded_ok = true;
	d->inner_data = false;
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		const struct segment *s = &v->seg[i];

		d->inner_data |= becomes_null(i, s);
		d->loaded_ok &= loadable(d, i, s);
		d->descriptor[i] = SEL_NULL(s->sel) ? 0 : direct_descriptor(s);
		d->loaded_ok &= !conflict(d, v, i);
		d->loaded[i] = *s;
	}
	return d->loaded_ok;
}

void direct_segments_init(struct direct *d)
{
	for (unsigned i = 0; i < ARRAY_SIZE(direct_hide); i++)
		direct_hide[i] = &none;
	d->loaded_ok = false;
}

static void hide_none(struct direct *d)
{
	d->entered = d->apart = false;
	for (unsigned i = 0; i < ARRAY_SIZE(direct_hide); i++)
		direct_hide[i] = &none;
}

void direct_segments_enter_v86(struct direct *d, const struct vcpu *v)
{
	struct direct_frame *f = &direct_frame;

	hide_none(d);
	direct_small_stack.selector = 0;
	f->ds = f->es = f->fs = f->gs = 0;
	f->cs = v->seg[SEG_CS].sel;
	f->ss = v->seg[SEG_SS].sel;
	f->v86_es = v->seg[SEG_ES].sel;
	f->v86_ds = v->seg[SEG_DS].sel;
	f->v86_fs = v->seg[SEG_FS].sel;
	f->v86_gs = v->seg[SEG_GS].sel;
}

/* A segment through which IRET finds its frame with the guest's upper half in ESP. */
static void enter_small_stack(struct direct *d)
{
	u32 frame = (u32)(uintptr_t)&direct_frame.eip;
	u32 esp = (direct_frame.esp & 0xffff0000) | (frame & 0xffff);
	struct segment s = {.base = frame - esp, .limit = ~0u, .attr = ATTR_SMALL};

	d->host.gdt[d->host.small_selector >> 3] = direct_descriptor(&s);
	direct_small_stack = (struct direct_small_stack){esp, d->host.small_selector};
}

static void enter_stack(struct direct *d, const struct vcpu *v)
{
	direct_small_stack.selector = 0;
	if (!(v->seg[SEG_SS].attr & SEG_DB))
		enter_small_stack(d);
}

void direct_switch_small(struct direct *d, u32 root, u32 cr0)
{
	hide_none(d);
	enter_small_stack(d);
	direct_switch(root, cr0);
}

/* The frame's selectors are still those of v: only what was hidden has to come back. */
static void show_hidden(void)
{
#pragma GCC unroll 4
	for (unsigned i = 0; i < ARRAY_SIZE(direct_hide); i++)
		*direct_hide[i] |= DESC_P;
}

static void frame_selectors(const struct vcpu *v)
{
	direct_frame.ds = v->seg[SEG_DS].sel;
	direct_frame.es = v->seg[SEG_ES].sel;
	direct_frame.fs = v->seg[SEG_FS].sel;
	direct_frame.gs = v->seg[SEG_GS].sel;
	direct_frame.cs = v->seg[SEG_CS].sel;
	direct_frame.ss = v->seg[SEG_SS].sel;
}

void direct_segments_enter(struct direct *d, const struct vcpu *v)
{
	static const u8 data[] = {SEG_DS, SEG_ES, SEG_FS, SEG_GS};

	if (likely(d->entered)) {
		if (likely(d->apart))
			frame_selectors(v);
		d->apart = false;
		show_hidden();
		if (unlikely(direct_small_stack.selector))
			enter_stack(d, v);
		return;
	}
	enter_stack(d, v);
	d->entered = true;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (!SEL_NULL(v->seg[i].sel))
			*slot_of(d, v->seg[i].sel) = d->descriptor[i];
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++) {
		u16 sel = v->seg[data[i]].sel;

		if (SEL_NULL(sel) || same_slot(sel, v->seg[SEG_SS].sel) ||
		    same_slot(sel, v->seg[SEG_CS].sel))
			direct_hide[i] = &none;
		else
			direct_hide[i] = slot_of(d, sel);
	}
	frame_selectors(v);
	d->apart = false;
}

static void leave_one(struct vcpu *v, unsigned seg, u16 sel)
{
	struct segment s;

	if (v->seg[seg].sel == sel)
		return;
	s = same_slot(sel, v->seg[SEG_SS].sel)	 ? v->seg[SEG_SS]
	    : same_slot(sel, v->seg[SEG_CS].sel) ? v->seg[SEG_CS]
						 : (struct segment){0};
	s.sel = sel;
	v->seg[seg] = s;
}

void direct_segments_leave_v86(struct vcpu *v)
{
	const struct direct_frame *f = &direct_frame;
	const u32 sel[SEG_COUNT] = {f->v86_es, f->cs, f->ss, f->v86_ds, f->v86_fs, f->v86_gs};

	if (likely(!(u16)((sel[SEG_ES] ^ v->seg[SEG_ES].sel) | (sel[SEG_CS] ^ v->seg[SEG_CS].sel) |
			  (sel[SEG_SS] ^ v->seg[SEG_SS].sel) | (sel[SEG_DS] ^ v->seg[SEG_DS].sel) |
			  (sel[SEG_FS] ^ v->seg[SEG_FS].sel) | (sel[SEG_GS] ^ v->seg[SEG_GS].sel))))
		return;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (v->seg[i].sel != (u16)sel[i])
			cpu_load_seg(v, i, (u16)sel[i]);
}

void direct_segments_leave(struct direct *d, struct vcpu *v)
{
	leave_one(v, SEG_DS, (u16)direct_frame.ds);
	leave_one(v, SEG_ES, (u16)direct_frame.es);
	leave_one(v, SEG_FS, (u16)direct_frame.fs);
	leave_one(v, SEG_GS, (u16)direct_frame.gs);
	d->entered = d->apart = false;
}

/* --- loads of SS on the CPU --- */

#define OPCODE_POP_SS	0x17
#define OPCODE_MOV_SREG 0x8e
#define MODRM_REG	0x38
#define MODRM_SS	(SEG_SS << 3)
#define MOV_SREG_MAX	7u /* bytes, with SIB byte and 32-bit displacement */

/*
 * Whether code that ends before `end` may end with such an instruction: what only looks like one
 * costs an interrupt one instruction more.
 */
static bool ends_with_mov_ss(const u8 *end, u32 len)
{
	if (len && end[-1] == OPCODE_POP_SS)
		return true;
	for (u32 n = 2; n <= len; n++)
		if (end[-(s32)n] == OPCODE_MOV_SREG && (end[1 - (s32)n] & MODRM_REG) == MODRM_SS)
			return true;
	return false;
}

void direct_hold_behind_mov_ss(struct vcpu *v)
{
	u32 end = v->seg[SEG_CS].base + v->eip, len = ((end - 1) & ~PAGE_MASK) + 1, gpa;
	u8 code[MOV_SREG_MAX];

	if (len > sizeof(code))
		len = sizeof(code);
	if (len > v->eip)
		len = v->eip;
	if (!len || !mem_peek_translate(v, end - len, &gpa))
		return;
	physmem_read(v->mem, gpa, code, len);
	if (!ends_with_mov_ss(code + len, len))
		return;
	v->shadow |= SHADOW_MOVSS;
	cpu_mode_changed(v);
}
