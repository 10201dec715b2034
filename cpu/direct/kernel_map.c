/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ways between translations rest on: that linear pages with code lead to the guest memory
 * that they led to when the ways were made. A flush of the guest's TLB is when that may change, and
 * all that is looked at: pages without the G bit after a load of CR3, all after other flushes.
 */
#include "cpu/cpu.h"
#include "cpu/direct/private.h"
#include "cpu/mem.h"
#include "cpu/mmu/walk.h"
#include "cpu/physmem.h"
#include "lib/str.h"

#define PAGES_MAX 2048u /* Linux has 12 MB of code, of which few pages are in use */
#define HASH	  2048u

/* Of an entry of a page table: with the same address, and PGE as it was, it leads where it led. */
#define ENTRY_BITS (PAGE_MASK | PTE_P | PTE_G)

#define REGION_SHIFT 22 /* what a page directory's entry is for; PAE's are for a half */
#define REGION_MASK  (BIT(REGION_SHIFT) - 1)

struct kernel_map {
	struct {
		u32 lin, gpa;
		u32 entry; /* what leads there is this in its ENTRY_BITS; 0: not known */
		u16 next;  /* with the same hash: 1 + its number; 0: none */
		bool global;
	} page[PAGES_MAX];
	u32 count, local; /* local: of them without G */
	u16 hash[HASH];	  /* 1 + number of the first page; 0: none */
	u32 region[32];	  /* a bit for each 4 MB that one of them is in */
	bool check_all, check_local, pge;
	u32 check_region; /* 1 + number of the 4 MB to check; 0: none */
	u32 base, limit;  /* of CS: the ways are by EIP */
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
	else if (what == TLB_FLUSH_ALL)
		m->check_all = true;
	else if (in_region(m, lin) && !m->check_region)
		m->check_region = 1 + (lin >> REGION_SHIFT); /* the page may be a large one */
	else if (in_region(m, lin) && m->check_region != 1 + (lin >> REGION_SHIFT))
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

static bool walked(struct vcpu *v, u32 lin, u32 gpa, bool *global)
{
	struct walk w;
	u32 now;

	*global = page_ready(v, lin, false, false, &w) && w.global;
	return mem_peek_translate(v, lin, &now) && now == gpa;
}

/* The table at gpa, NULL: not in plain memory. */
static const u32 *table_at(const struct vcpu *v, u32 gpa)
{
	const struct phys_region *r;

	gpa &= v->mem->a20_mask;
	r = physmem_find(v->mem, gpa);
	if (!r || !r->rd || r->last - gpa < PAGE_SIZE - 1)
		return NULL;
	return (const u32 *)(const void *)(r->rd + (gpa - r->first));
}

/* What the page directory says of the last few regions. */
#define REGIONS 8u
#define VALID	1u

struct regions {
	struct {
		u32 lin;	  /* with VALID */
		u32 large;	  /* where a large page begins, with VALID and its G; 0: none */
		const u32 *table; /* NULL with no large page: for the walk */
	} at[REGIONS];
};

static void look_up(const struct vcpu *v, struct regions *t, u32 lin)
{
	const u32 *directory = table_at(v, v->cr3 & PAGE_MASK);
	u32 n = (lin >> REGION_SHIFT) % REGIONS,
	    pde = directory ? directory[lin >> REGION_SHIFT] : 0;

	t->at[n].lin = (lin & ~REGION_MASK) | VALID;
	t->at[n].large = 0;
	t->at[n].table = NULL;
	if (!(pde & PTE_P))
		return;
	if (!(pde & PDE_PS) || !(v->cr4 & CR4_PSE))
		t->at[n].table = table_at(v, pde & PAGE_MASK);
	else if (!(pde & REGION_MASK & PAGE_MASK)) /* bit 12 is PAT; the others are reserved */
		t->at[n].large = (pde & (~REGION_MASK | PTE_G)) | VALID;
}

/*
 * The entry of the page table for lin, or what would stand there for a large page; 0: it is for the
 * walk to say. A kernel has hundreds of pages with code and flushes the TLB at all times: with
 * 32-bit tables in plain memory this is all that is looked at.
 */
static u32 entry_of(struct vcpu *v, struct regions *t, u32 lin)
{
	u32 n = (lin >> REGION_SHIFT) % REGIONS;

	if (t->at[n].lin != ((lin & ~REGION_MASK) | VALID))
		look_up(v, t, lin);
	if (t->at[n].large)
		return t->at[n].large + (lin & REGION_MASK & PAGE_MASK);
	return t->at[n].table ? t->at[n].table[lin >> PAGE_SHIFT & 1023] : 0;
}

/* Whether lin leads to gpa, and if so, whether that outlasts loads of CR3. */
static bool leads(struct vcpu *v, u32 entry, u32 lin, u32 gpa, bool *global)
{
	if (!(entry & PTE_P))
		return walked(v, lin, gpa, global);
	*global = (entry & PTE_G) && (v->cr4 & CR4_PGE);
	return (entry & PAGE_MASK & v->mem->a20_mask) == gpa;
}

/* One page, whose entry is not known to be as it was. */
static bool page_holds(struct vcpu *v, struct kernel_map *m, u32 n, u32 entry)
{
	bool global;

	if (!leads(v, entry, m->page[n].lin, m->page[n].gpa, &global))
		return false;
	m->local += m->page[n].global;
	m->local -= global;
	m->page[n].global = global;
	/* Not where A20 is in between. */
	m->page[n].entry = (entry & PAGE_MASK) == m->page[n].gpa ? entry & ENTRY_BITS : 0;
	return true;
}

/* Pages get their G bit, and CR4 its PGE, some time after a kernel has begun. */
static bool holds(struct vcpu *v, struct kernel_map *m)
{
	bool tables = (v->cr0 & CR0_PG) && !(v->cr4 & CR4_PAE), pge = v->cr4 & CR4_PGE;
	bool same = pge == m->pge && physmem_a20(v->mem);
	struct regions t = {0};

	if (!m->check_all && !m->check_region && !m->local)
		return true;
	m->pge = pge;
	for (u32 n = 0; n < m->count; n++) {
		u32 lin = m->page[n].lin, entry;

		if (!m->check_all && !(m->check_local && !m->page[n].global) &&
		    m->check_region != 1 + (lin >> REGION_SHIFT))
			continue;
		entry = tables ? entry_of(v, &t, lin) : 0;
		if (likely(same && (entry & PTE_P) && (entry & ENTRY_BITS) == m->page[n].entry))
			continue;
		if (!page_holds(v, m, n, entry))
			return false;
	}
	return true;
}

bool kernel_map_check(struct direct *d, struct vcpu *v)
{
	const struct segment *cs = &v->seg[SEG_CS];
	struct kernel_map *m = d->map;
	bool same = m->base == cs->base && m->limit == cs->limit;

	if (likely(same && !m->check_all && !m->check_local && !m->check_region))
		return true;
	same = same && holds(v, m);
	if (!same)
		forget(d);
	m->base = cs->base;
	m->limit = cs->limit;
	m->check_all = m->check_local = false;
	m->check_region = 0;
	return same;
}

/* The supervisor's TLB has just led from lin to gpa. */
static bool is_global(struct vcpu *v, u32 lin)
{
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1);

	return vcpu_tlb(v)->global[0][slot / 32] >> slot % 32 & 1;
}

static u16 *hash_of(struct kernel_map *m, u32 lin)
{
	return &m->hash[(lin >> PAGE_SHIFT) % HASH];
}

static void add(struct direct *d, u32 lin, u32 gpa)
{
	struct kernel_map *m = d->map;
	u16 *head = hash_of(m, lin);

	m->page[m->count].lin = lin;
	m->page[m->count].gpa = gpa;
	m->page[m->count].entry = 0;
	m->page[m->count].global = is_global(d->vcpu, lin);
	m->page[m->count].next = *head;
	m->local += !m->page[m->count].global;
	*head = (u16)++m->count;
	m->region[lin >> 27] |= BIT(lin >> 22 & 31);
}

void kernel_map_add(struct direct *d, u32 lin, u32 gpa)
{
	struct kernel_map *m = d->map;
	u16 n;

	lin &= PAGE_MASK;
	gpa &= PAGE_MASK;
	for (n = *hash_of(m, lin); n && m->page[n - 1].lin != lin;)
		n = m->page[n - 1].next;
	if (n && m->page[n - 1].gpa == gpa)
		return;
	if (n || m->count == PAGES_MAX)
		forget(d);
	add(d, lin, gpa);
}
