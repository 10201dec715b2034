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
#define ENTRY_BITS (PAGE_MASK | READY | PTE_G)
/* Where A is clear a fetch sets it: what is not looked up for a jump would not. */
#define READY (PTE_P | PTE_A)

#define REGION_SHIFT 22 /* what a page directory's entry is for; PAE's are for a half */
#define REGION_MASK  (BIT(REGION_SHIFT) - 1)

#define HELD 8u /* regions that a kernel has code in */

struct kernel_map {
	struct {
		u32 lin, gpa;
		u32 entry; /* what leads there is this in its ENTRY_BITS; 0: not known */
		u16 next;  /* with the same hash: 1 + its number; 0: none */
		bool global;
	} page[PAGES_MAX];
	u32 count, local; /* local: of them without G */
	struct {
		u32 number;
		u32 large; /* all its pages lie in this large page, as region.large has it; 0: not
			      known */
	} held[HELD];
	u32 held_count; /* more than HELD: there are others */
	u16 hash[HASH]; /* 1 + number of the first page; 0: none */
	u32 region[32]; /* a bit for each 4 MB that one of them is in */
	bool check_all, check_local, pge;
	u32 check_region; /* 1 + number of the 4 MB to check; 0: none */
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
	m->count = m->local = m->held_count = 0;
	translate_drop_links(d->translator);
}

/* What the page walk says, where a fetch would set no A bit on its way. */
static bool walked(struct vcpu *v, u32 lin, u32 gpa, bool *global)
{
	struct walk w;

	*global = false;
	if (!(v->cr0 & CR0_PG))
		return (lin & v->mem->a20_mask) == gpa;
	if (!page_ready(v, lin, false, false, &w) || w.gpa != gpa)
		return false;
	*global = w.global;
	return true;
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

/* What the page directory says of a region. */
struct region {
	u32 number;
	bool known;
	u32 large;	  /* where a large page begins, with READY and its G; 0: none */
	const u32 *table; /* NULL with no large page: for the walk */
};

static void look_up(const struct vcpu *v, struct region *r, u32 number)
{
	const u32 *directory = table_at(v, v->cr3 & PAGE_MASK);
	u32 pde = directory ? directory[number] : 0;

	*r = (struct region){.number = number, .known = true};
	if ((pde & READY) != READY)
		return;
	if (!(pde & PDE_PS) || !(v->cr4 & CR4_PSE))
		r->table = table_at(v, pde & PAGE_MASK);
	else if (!(pde & REGION_MASK & PAGE_MASK)) /* bit 12 is PAT; the others are reserved */
		r->large = (pde & (~REGION_MASK | PTE_G)) | READY;
}

/*
 * The entry of the page table for lin, or what would stand there for a large page; 0: it is for the
 * walk to say. A kernel has hundreds of pages with code, most in one region after the other, and
 * flushes the TLB at all times: with 32-bit tables in plain memory this is all that is looked at.
 */
static inline u32 entry_of(const struct vcpu *v, struct region *r, u32 lin)
{
	if (unlikely(r->number != lin >> REGION_SHIFT || !r->known))
		look_up(v, r, lin >> REGION_SHIFT);
	if (r->table)
		return r->table[lin >> PAGE_SHIFT & 1023];
	return r->large ? r->large + (lin & REGION_MASK & PAGE_MASK) : 0;
}

/* Whether lin leads to gpa, and if so, whether that outlasts loads of CR3. */
static bool leads(struct vcpu *v, u32 entry, u32 lin, u32 gpa, bool *global)
{
	if ((entry & READY) != READY)
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

/* Whether all code lies in large pages, and these where they lay: kernels have one or a few. */
static bool large_pages_hold(const struct vcpu *v, const struct kernel_map *m)
{
	struct region r;

	if (m->held_count > HELD)
		return false;
	for (u32 n = 0; n < m->held_count; n++) {
		look_up(v, &r, m->held[n].number);
		if (!r.large || r.large != m->held[n].large)
			return false;
	}
	return true;
}

/* All pages were found to hold. */
static void note_large_pages(const struct vcpu *v, struct kernel_map *m)
{
	struct region r;

	for (u32 n = 0; n < m->held_count && n < HELD; n++) {
		look_up(v, &r, m->held[n].number);
		m->held[n].large = r.large;
	}
}

/* There is one page more in the region of lin. */
static void add_to_region(struct kernel_map *m, u32 lin)
{
	u32 n = 0;

	while (n < m->held_count && n < HELD && m->held[n].number != lin >> REGION_SHIFT)
		n++;
	if (n == HELD) {
		m->held_count = HELD + 1;
		return;
	}
	m->held[n].number = lin >> REGION_SHIFT;
	m->held[n].large = 0;
	if (n == m->held_count)
		m->held_count++;
}

/* Whether a page is among those that have to be looked at. */
static inline bool is_due(const struct kernel_map *m, u32 n)
{
	return m->check_all || (m->check_local && !m->page[n].global) ||
	       m->check_region == 1 + (m->page[n].lin >> REGION_SHIFT);
}

/* Pages get their G bit, and CR4 its PGE, some time after a kernel has begun. */
static bool holds(struct vcpu *v, struct kernel_map *m)
{
	bool tables = (v->cr0 & CR0_PG) && !(v->cr4 & CR4_PAE), pge = v->cr4 & CR4_PGE;
	u32 same = pge == m->pge && physmem_a20(v->mem) ? PTE_P : 0, count = m->count;
	struct region r = {0};

	if (!m->check_all && !m->check_region && !m->local)
		return true;
	if (tables && same && large_pages_hold(v, m))
		return true;
	m->pge = pge;
	for (u32 n = 0; n < count; n++) {
		u32 entry;

		if (!is_due(m, n))
			continue;
		entry = tables ? entry_of(v, &r, m->page[n].lin) : 0;
		if (likely((entry & same) && (entry & ENTRY_BITS) == m->page[n].entry))
			continue;
		if (!page_holds(v, m, n, entry))
			return false;
	}
	if (tables && m->check_all && physmem_a20(v->mem))
		note_large_pages(v, m);
	return true;
}

bool kernel_map_check(struct direct *d, struct vcpu *v)
{
	const struct segment *cs = &v->seg[SEG_CS], *ss = &v->seg[SEG_SS];
	struct translate_context context = {.base = cs->base,
					    .limit = cs->limit,
					    .mode = (cs->attr & SEG_DB ? 0 : TRANSLATE_CODE16) |
						    (ss->attr & SEG_DB ? 0 : TRANSLATE_STACK16) |
						    (v->cpl ? TRANSLATE_OUTER : 0)};
	struct kernel_map *m = d->map;
	bool same = translate_context(d->translator, &context), leads = true;

	if (unlikely(m->check_all || m->check_local || m->check_region)) {
		leads = holds(v, m);
		if (!leads)
			forget(d);
		m->check_all = m->check_local = false;
		m->check_region = 0;
	}
	return same && leads;
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
	add_to_region(m, lin);
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
