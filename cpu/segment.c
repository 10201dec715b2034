/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading segment registers in each mode, with the checks of SDM vol. 3, 5.4 to 5.7. */
#include "cpu/cpu.h"
#include "cpu/mem.h"
#include "cpu/segment.h"

#define WIDEST_INLINE 16u /* bytes an access below rd_count or wr_count may have */

void segment_derive(struct segment *s)
{
	u32 count;

	s->rd_count = 0;
	s->wr_count = 0;
	if ((s->attr & (SEG_P | SEG_S)) != (SEG_P | SEG_S))
		return;
	if (!(s->attr & SEG_CODE) && (s->attr & SEG_EC))
		return;
	count = s->limit >= WIDEST_INLINE - 1 ? s->limit - (WIDEST_INLINE - 2) : 0;
	if (attr_is_readable(s->attr))
		s->rd_count = count;
	if (attr_is_writable(s->attr))
		s->wr_count = count;
}

static void derive(struct vcpu *v, struct segment *s)
{
	segment_derive(s);
	if (v->mem_slow) {
		s->rd_count = 0;
		s->wr_count = 0;
	}
}

void segment_derive_all(struct vcpu *v)
{
	for (unsigned i = 0; i < SEG_COUNT; i++)
		derive(v, &v->seg[i]);
}

void segment_set(struct vcpu *v, unsigned seg, struct segment s)
{
	derive(v, &s);
	v->seg[seg] = s;
}

void segment_set_null(struct vcpu *v, unsigned seg, u16 sel)
{
	v->seg[seg] = (struct segment){.sel = sel};
}

void segment_set_real_rights(struct vcpu *v, unsigned seg)
{
	struct segment s = v->seg[seg];

	s.attr = (s.attr & (SEG_DB | SEG_G | SEG_AVL)) | ATTR_REAL;
	segment_set(v, seg, s);
}

void segment_set_real(struct vcpu *v, unsigned seg, u16 sel)
{
	v->seg[seg].sel = sel;
	v->seg[seg].base = (u32)sel << 4;
	segment_set_real_rights(v, seg);
}

void segment_set_v86(struct vcpu *v, unsigned seg, u16 sel)
{
	segment_set(v, seg,
		    (struct segment){
			    .base = (u32)sel << 4, .limit = 0xffff, .sel = sel, .attr = ATTR_V86});
}

void segment_set_cs(struct vcpu *v, u16 sel, const struct descriptor *d, unsigned cpl)
{
	segment_set(v, SEG_CS, descriptor_segment(d, (u16)((sel & 0xfffc) | cpl)));
	v->cpl = (u8)cpl;
}

void code_offset_check(struct vcpu *v, const struct segment *cs, u32 off)
{
	if (off > cs->limit)
		cpu_raise_gp0(v);
}

static struct descriptor check_ss(struct vcpu *v, u16 sel)
{
	struct descriptor d;

	if (SEL_NULL(sel))
		cpu_raise_gp0(v);
	d = descriptor_need(v, sel, VEC_GP);
	if (SEL_RPL(sel) != v->cpl || descriptor_dpl(&d) != v->cpl ||
	    !attr_is_writable(descriptor_attr(&d)))
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_SS, SEL_ERROR(sel));
	return d;
}

static struct descriptor check_data(struct vcpu *v, u16 sel)
{
	struct descriptor d = descriptor_need(v, sel, VEC_GP);
	u16 attr = descriptor_attr(&d);

	if (!attr_is_readable(attr))
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!attr_is_conforming(attr) && (SEL_RPL(sel) > attr_dpl(attr) || v->cpl > attr_dpl(attr)))
		cpu_raise(v, VEC_GP, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_NP, SEL_ERROR(sel));
	return d;
}

static void load_protected(struct vcpu *v, unsigned seg, u16 sel)
{
	struct descriptor d;

	if (seg != SEG_SS && SEL_NULL(sel)) {
		segment_set_null(v, seg, sel);
		return;
	}
	d = seg == SEG_SS ? check_ss(v, sel) : check_data(v, sel);
	descriptor_accessed(v, &d);
	segment_set(v, seg, descriptor_segment(&d, sel));
}

void cpu_load_seg(struct vcpu *v, unsigned seg, u16 sel)
{
	if (!vcpu_protected(v))
		segment_set_real(v, seg, sel);
	else if (vcpu_v86(v))
		segment_set_v86(v, seg, sel);
	else
		load_protected(v, seg, sel);
}

void segments_drop_inner(struct vcpu *v)
{
	static const u8 data_segs[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};

	for (unsigned i = 0; i < ARRAY_SIZE(data_segs); i++) {
		const struct segment *s = &v->seg[data_segs[i]];

		if (!attr_is_conforming(s->attr) && attr_dpl(s->attr) < v->cpl)
			segment_set_null(v, data_segs[i], 0);
	}
}
