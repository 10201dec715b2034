/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ways between translations rest on: that linear pages with code lead to the guest memory
 * that they led to when the ways were made. A flush of the guest's TLB is when that may change, and
 * all that is looked at: pages without the G bit after a load of CR3, all after other flushes.
 */
#include "cpu/cpu.h"
#include "cpu/direct/private.h"
#include "cpu/mem.h"
#include "lib/str.h"

#define PAGES_MAX 512u
#define HASH	  1024u

struct kernel_map {
	struct {
		u32 lin, gpa;
		bool global;
	} page[PAGES_MAX];
	u32 count, local; /* local: of them without G */
	u16 hash[HASH];	  /* 1 + number of a page; 0: none */
	u32 region[32];	  /* a bit for each 4 MB that one of them is in */
	bool check_all, check_local;
	u32 base, limit; /* of CS: the ways are by EIP */
};

size_t kernel_map_size(void)
{
	return sizeof(struct kernel_map);
}

static bool in_region(const struct kernel_map *m, u32 lin)
{
	return m->region[lin >> 27] >> (lin >> 22 & 31) & 1;
}

void kernel_map_flushed(struct vcpu *v, enum tlb_flush what, u32 lin)
{
	struct kernel_map *m = direct_of(v)->map;

	if (what == TLB_FLUSH_LOCAL)
		m->check_local = true;
	else if (what == TLB_FLUSH_ALL || in_region(m, lin))
		m->check_all = true;
}

static void forget(struct direct *d)
{
	struct kernel_map *m = d->map;

	memset(m->hash, 0, sizeof(m->hash));
	memset(m->region, 0, sizeof(m->region));
	m->count = m->local = 0;
	translate_drop_links(d->translator);
}

static bool holds(struct vcpu *v, const struct kernel_map *m)
{
	u32 gpa;

	if (!m->check_all && !m->local)
		return true;
	for (u32 n = 0; n < m->count; n++) {
		if (m->page[n].global && !m->check_all)
			continue;
		if (!mem_peek_translate(v, m->page[n].lin, &gpa) || gpa != m->page[n].gpa)
			return false;
	}
	return true;
}

bool kernel_map_check(struct direct *d, struct vcpu *v)
{
	const struct segment *cs = &v->seg[SEG_CS];
	struct kernel_map *m = d->map;
	bool same = m->base == cs->base && m->limit == cs->limit;

	if (likely(same && !m->check_all && !m->check_local))
		return true;
	same = same && holds(v, m);
	if (!same)
		forget(d);
	m->base = cs->base;
	m->limit = cs->limit;
	m->check_all = m->check_local = false;
	return same;
}

/* The supervisor's TLB has just led from lin to gpa. */
static bool is_global(struct vcpu *v, u32 lin)
{
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1);

	return vcpu_tlb(v)->global[0][slot / 32] >> slot % 32 & 1;
}

void kernel_map_add(struct direct *d, u32 lin, u32 gpa)
{
	struct kernel_map *m = d->map;
	u16 *slot = &m->hash[(lin >> PAGE_SHIFT) % HASH];

	lin &= PAGE_MASK;
	gpa &= PAGE_MASK;
	if (likely(*slot && m->page[*slot - 1].lin == lin && m->page[*slot - 1].gpa == gpa))
		return;
	if (m->count == PAGES_MAX || (*slot && m->page[*slot - 1].lin == lin))
		forget(d);
	m->page[m->count].lin = lin;
	m->page[m->count].gpa = gpa;
	m->page[m->count].global = is_global(d->vcpu, lin);
	m->local += !m->page[m->count].global;
	*slot = (u16)++m->count;
	m->region[lin >> 27] |= BIT(lin >> 22 & 31);
}
