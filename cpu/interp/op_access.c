/* SPDX-License-Identifier: BSD-2-Clause */
/* The way from a handler to the slow memory paths, and the entry and exit of threaded dispatch. */
#include "cpu/interp/ops.h"

u32 FAST slow_load(u32 seg_units, u32 off, u32 size)
{
	op_sync();
	return mem_read_slow(cpu, seg_units / SEG_UNITS(1), off, size);
}
/*
 * Data beside decoded code, as kernels and DOS programs have it: the page's stores all come here,
 * but only those into a granule with code need the whole way. NULL: go that way.
 */
static inline void *beside_code(u32 seg_units, u32 off, u32 size)
{
	const struct segment *s = seg_at(seg_units);
	const struct interp *in = cpu->interp;
	u32 lin = s->base + off, page_off, frame, granules;
	const struct tlb_entry *e = tlb_at(lin);

	page_off = lin ^ e->rd_tag;
	if (off >= s->wr_count || page_off > PAGE_SIZE - size || !(e->gpa_page & TLB_DIRTY))
		return NULL;
	frame = e->gpa_page >> PAGE_SHIFT;
	if (frame >= in->page_count || (cpu->mem->page_flags[frame] & ~PHYS_PAGE_CODE))
		return NULL;
	granules = in->page[frame].granules;
	if (!granules || granules >> (page_off >> GRANULE_SHIFT) & 1 ||
	    granules >> ((page_off + size - 1) >> GRANULE_SHIFT) & 1)
		return NULL;
	cache_note_store(cpu, frame);
	return (void *)(lin + e->addend);
}

#define SLOW_ACCESS(bits)                                                                          \
	void FAST slow_store##bits(u32 seg_units, u32 off, u32 value)                              \
	{                                                                                          \
		u##bits *p = beside_code(seg_units, off, bits / 8);                                \
                                                                                                   \
		if (likely(p)) {                                                                   \
			*p = (u##bits)value;                                                       \
			return;                                                                    \
		}                                                                                  \
		op_sync();                                                                         \
		mem_write_slow(cpu, seg_units / SEG_UNITS(1), off, bits / 8, (u##bits)value);      \
	}                                                                                          \
	u32 FAST slow_rmw_load##bits(u32 seg_units, u32 off)                                       \
	{                                                                                          \
		const u##bits *p = beside_code(seg_units, off, bits / 8);                          \
                                                                                                   \
		if (likely(p))                                                                     \
			return *p;                                                                 \
		op_sync();                                                                         \
		return mem_rmw_read(cpu, seg_units / SEG_UNITS(1), off, bits / 8);                 \
	}
SLOW_ACCESS(8)
SLOW_ACCESS(16)
SLOW_ACCESS(32)

void interp_exec(struct vcpu *v, const struct insn *first)
{
	struct vcpu *outer_cpu = cpu;
	const struct insn *outer_ip = ip;

	cpu = v;
	ip = first;
	ip->fn();
	cpu = outer_cpu;
	ip = outer_ip;
}
