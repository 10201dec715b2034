/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment registers while translated code runs. DS, ES, SS and FS are the guest's segments at DPL
 * 3, behind selectors of an LDT of their own: four entries for what they hold on the way in, and
 * one for each selector that translated code may load by itself. GS leads to all of the linear
 * space, for the translator's state; instructions that name it are not translated. CS is all of the
 * linear space, too: translated code never shows its own addresses.
 *
 * Translations and state can be reached from CPL 3. Limits keep the guest's segments below them;
 * what lies above is out of reach then, too, and faults. A guest that often goes there (Linux 6.1
 * has its entry stacks at the top) gets its limits as they are.
 */
#include "cpu/cpu.h"
#include "cpu/descriptor.h"
#include "cpu/direct/private.h"
#include "cpu/direct/switch.h"
#include "cpu/mem.h"
#include "cpu/segment.h"

/* LDT entries: those of selectors first. */
enum {
	ENTRY_HELD = TRANSLATE_SELECTORS, /* four of them */
	ENTRY_CS = ENTRY_HELD + 4,
	ENTRY_GS,
	ENTRY_COUNT,
};
_Static_assert(ENTRY_COUNT <= DIRECT_KERNEL_LDT, "the LDT is too small");

#define SELECTOR(entry) ((u16)((entry)*8 | SEL_LDT | 3))
#define DPL_3		(3u << SEG_DPL_SHIFT)

enum { HELD_DS, HELD_ES, HELD_SS, HELD_FS, HELD_COUNT };

struct kernel_segments {
	struct segment known[TRANSLATE_SELECTORS]; /* where attr is not 0 */
	struct segment seen[HELD_COUNT];	   /* what `use` stands for */
	u16 use[HELD_COUNT];
	bool wide;
	u32 outside;	       /* faults that may be because it is not wide */
	struct desc_table gdt; /* which the known ones are from */
	u32 ldt_base, ldt_limit;
	u32 tables; /* of v, when they were compared */
	u8 cpl;	    /* the last at which all known ones may be loaded */
};

size_t kernel_segments_size(void)
{
	return sizeof(struct kernel_segments);
}

/* Faults of segments without which a guest is taken for one that uses the top. */
#define WIDE_AFTER 256u

/* s within its limits on this PC. False: a descriptor cannot say that. */
static bool cut(const struct direct *d, struct segment *s)
{
	u32 end = d->host.shadow.own_index << 22, last = end - 1 - s->base;

	if (d->kernel->wide)
		return true;
	if (s->base >= end)
		return false;
	if (s->attr & SEG_EC)
		return !(s->attr & SEG_DB) && last >= 0xffff;
	if (s->limit <= last)
		return true;
	s->limit = ((last + 1) & PAGE_MASK) - 1;
	s->attr |= SEG_G;
	return last >= PAGE_SIZE;
}

static void set_entry(struct direct *d, unsigned entry, struct segment s)
{
	s.attr |= DPL_3;
	d->host.kernel_ldt[entry] = direct_descriptor(&s);
}

void kernel_segments_init(struct direct *d)
{
	struct segment code = {.limit = ~0u, .attr = SEG_P | SEG_S | SEG_CODE | SEG_DB | SEG_G};
	struct segment data = {.limit = ~0u, .attr = SEG_P | SEG_S | SEG_RW | SEG_DB | SEG_G};

	set_entry(d, ENTRY_CS, code);
	set_entry(d, ENTRY_GS, data);
}

/* --- what they hold on the way in --- */

/* Conforming code would be loadable without DPL 3, but is not worth a case of its own. */
static bool plain(const struct direct *d, struct segment s)
{
	return (s.attr & (SEG_P | SEG_S)) == (SEG_P | SEG_S) && !attr_is_code(s.attr) &&
	       cut(d, &s) && direct_segment_fits(&s);
}

static void hold(struct direct *d, unsigned n, struct segment s)
{
	struct kernel_segments *k = d->kernel;

	k->seen[n] = s;
	k->use[n] = 0;
	if (!plain(d, s))
		return;
	cut(d, &s);
	set_entry(d, ENTRY_HELD + n, s);
	k->use[n] = SELECTOR(ENTRY_HELD + n);
}

static void hold_stack(struct direct *d, const struct segment *ss)
{
	hold(d, HELD_SS, *ss);
	d->small_stack = !(ss->attr & SEG_DB);
}

/* --- those that translated code loads --- */

void kernel_segments_forget(struct direct *d, const struct vcpu *v)
{
	struct kernel_segments *k = d->kernel;

	translate_know_nothing(d->translator);
	for (u8 sel = 0; sel < 4; sel++)
		translate_know(d->translator, sel, 0, 0, 0, 0);
	for (unsigned sel = 0; sel < TRANSLATE_SELECTORS; sel++)
		k->known[sel].attr = 0;
	for (unsigned n = 0; n < HELD_COUNT; n++)
		k->seen[n].attr = 0xffff;
	k->cpl = 3;
	k->gdt = v->gdtr;
	k->ldt_base = v->ldtr.base;
	k->ldt_limit = v->ldtr.limit;
}

static bool tables_changed(const struct kernel_segments *k, const struct vcpu *v)
{
	return k->gdt.base != v->gdtr.base || k->gdt.limit != v->gdtr.limit ||
	       k->ldt_base != v->ldtr.base || k->ldt_limit != v->ldtr.limit;
}

void kernel_segments_learn(struct direct *d, struct vcpu *v, unsigned seg)
{
	struct kernel_segments *k = d->kernel;
	struct segment s = v->seg[seg];
	u32 own = d->host.shadow.own_index << 22, low, high, lin;
	u16 sel = s.sel;

	if (sel >= TRANSLATE_SELECTORS || SEL_NULL(sel) || !plain(d, s))
		return;
	if (tables_changed(k, v))
		kernel_segments_forget(d, v);
	lin = (sel & SEL_LDT ? v->ldtr.base : v->gdtr.base) + (sel & 0xf8u);
	if (lin - own < 4 * MB || lin + 7 - own < 4 * MB)
		return;
	low = lin_read32(v, lin);
	high = lin_read32(v, lin + 4);
	k->known[sel] = s;
	if (v->cpl < k->cpl)
		k->cpl = v->cpl;
	cut(d, &s);
	set_entry(d, sel, s);
	for (unsigned n = 0; n < HELD_COUNT; n++) /* one may have this entry's old meaning */
		k->seen[n].attr = 0xffff;
	translate_know(d->translator, (u8)sel, lin, low, high, SELECTOR(sel));
}

void kernel_segments_fault(struct direct *d, const struct vcpu *v)
{
	/* What a guest does at these addresses is what lockstep is to see. */
	if (d->lockstep || d->kernel->wide || !(v->cr0 & CR0_PG) ||
	    ++d->kernel->outside < WIDE_AFTER)
		return;
	d->kernel->wide = true;
	kernel_segments_forget(d, v);
}

/* --- the way in and back --- */

void kernel_segments_privilege(struct direct *d, const struct vcpu *v)
{
	if (unlikely(v->cpl > d->kernel->cpl))
		kernel_segments_forget(d, v);
}

/* What FS has that is not held is null for translated code, and faults where it is used. */
static bool fs_fits(struct direct *d, const struct vcpu *v)
{
	const struct segment *fs = &v->seg[SEG_FS];

	if (likely(d->kernel->use[HELD_FS]) || !(fs->attr & SEG_P))
		return true;
	if (!attr_is_code(fs->attr)) /* it is what `wide` is for */
		kernel_segments_fault(d, v);
	return false;
}

/*
 * Code that uses a null segment faults, but not under every emulator: not with DS, ES and SS null,
 * and not where that stands for something else in FS.
 */
bool kernel_segments_fit(struct direct *d, const struct vcpu *v, const struct segment *ss)
{
	struct kernel_segments *k = d->kernel;

	if (unlikely(k->tables != v->tables)) {
		k->tables = v->tables;
		if (tables_changed(k, v))
			kernel_segments_forget(d, v);
	}
	if (unlikely(!direct_same_segment(&v->seg[SEG_DS], &k->seen[HELD_DS])))
		hold(d, HELD_DS, v->seg[SEG_DS]);
	if (unlikely(!direct_same_segment(&v->seg[SEG_ES], &k->seen[HELD_ES])))
		hold(d, HELD_ES, v->seg[SEG_ES]);
	if (unlikely(!direct_same_segment(ss, &k->seen[HELD_SS])))
		hold_stack(d, ss);
	if (unlikely(!direct_same_segment(&v->seg[SEG_FS], &k->seen[HELD_FS])))
		hold(d, HELD_FS, v->seg[SEG_FS]);
	return k->use[HELD_DS] && k->use[HELD_ES] && k->use[HELD_SS] &&
	       attr_is_writable(ss->attr) && fs_fits(d, v);
}

void kernel_segments_enter(struct direct *d)
{
	const u16 *use = d->kernel->use;

	d->apart = true;
	direct_frame.cs = SELECTOR(ENTRY_CS);
	direct_frame.ds = use[0];
	direct_frame.es = use[1];
	direct_frame.ss = use[2];
	direct_frame.fs = use[3];
	direct_frame.gs = SELECTOR(ENTRY_GS);
}

static void take(struct direct *d, struct vcpu *v, unsigned seg, u16 sel)
{
	static const u8 place[SEG_COUNT] = {
		[SEG_DS] = HELD_DS, [SEG_ES] = HELD_ES, [SEG_FS] = HELD_FS, [SEG_GS] = HELD_COUNT};
	struct kernel_segments *k = d->kernel;
	unsigned n = place[seg];

	bool known = sel < TRANSLATE_SELECTORS && k->known[sel].attr;

	if (known)
		v->seg[seg] = k->known[sel];
	else /* null; or the guest has written over the state, and means nothing on this PC */
		segment_set_null(v, seg, sel);
	if (n == HELD_COUNT)
		return;
	k->seen[n] = v->seg[seg];
	k->use[n] = known ? SELECTOR(sel) : 0;
}

/* Whether the segment register has what translated code would load with sel. */
static bool as_before(const struct direct *d, const struct vcpu *v, unsigned seg, u16 sel)
{
	const struct segment *s = &v->seg[seg];

	if (s->sel != sel)
		return false;
	if (SEL_NULL(sel))
		return !(s->base | s->limit | s->attr);
	return sel < TRANSLATE_SELECTORS && direct_same_segment(s, &d->kernel->known[sel]);
}

static __attribute__((noinline)) void leave_one(struct direct *d, struct vcpu *v, unsigned seg)
{
	u32 loaded = d->host.state->loaded[seg];

	if (!(loaded & TRANSLATE_LOADED))
		return;
	if (as_before(d, v, seg, (u16)loaded)) {
		d->settled.put_back[seg] = loaded;
		return;
	}
	take(d, v, seg, (u16)loaded);
	direct_unsettle(d);
}

/* A kernel puts back what it has found: no change, as long as that was settled. */
void kernel_segments_take(struct direct *d, struct vcpu *v)
{
	static const u8 data[] = {SEG_DS, SEG_ES, SEG_FS, SEG_GS};
	u32 *loaded = d->host.state->loaded;

#pragma GCC unroll 4
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++) {
		if (!d->settled.gate || loaded[data[i]] != d->settled.put_back[data[i]])
			leave_one(d, v, data[i]);
		loaded[data[i]] = 0;
	}
}
