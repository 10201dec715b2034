/* SPDX-License-Identifier: BSD-2-Clause */
/* How entries of shadow tables are made: after faults, around them, and when one is expected. */
#include "cpu/mmu/shadow_private.h"

/* Memory that lies elsewhere in the machine: only behind the ROM area. */
static u32 rom_page(struct shadow *s, u32 gpa, const u8 *host)
{
	u32 frame = gpa >> PAGE_SHIFT, machine;

	if (frame - ROM_FIRST >= ROM_FRAMES || !s->c.machine ||
	    (((uintptr_t)host ^ gpa) & ~PAGE_MASK))
		return 0;
	machine = s->c.machine(host) & PAGE_MASK;
	s->rom[frame - ROM_FIRST] = machine >> PAGE_SHIFT;
	return machine;
}

/* The machine page behind a guest address; *write: it may be written, too. False: not memory. */
static bool machine_page(struct shadow *s, u32 gpa, u32 *page, bool *write)
{
	const struct phys_region *r;
	const u8 *rd;

	if (likely(gpa >= s->plain_first && gpa <= s->plain_last)) {
		*page = gpa & PAGE_MASK;
		*write = true;
		return true;
	}
	r = physmem_find(s->mem, gpa);
	if (!r || !r->rd || (s->c.ram_only && shadow_is_vga(gpa >> PAGE_SHIFT)))
		return false;
	rd = r->rd + (gpa - r->first);
	*write = r->wr == r->rd;
	if (gpa < s->c.window_size && rd == s->c.window + gpa) {
		*page = gpa & PAGE_MASK;
		return true;
	}
	*page = rom_page(s, gpa, rd);
	return *page;
}

void shadow_find_plain(struct shadow *s)
{
	const struct physmem *pm = s->mem;
	const struct phys_region *r = &pm->region[pm->largest];

	s->plain_first = 1;
	s->plain_last = 0;
	if (!pm->region_count || r->rd != r->wr || r->rd != s->c.window + r->first ||
	    r->last >= s->c.window_size)
		return;
	s->plain_first = r->first;
	s->plain_last = r->last;
}

/*
 * Before the guest gets write access to a watched page. False: it does not get it, the interpreter
 * carries out the write.
 */
static bool end_watch(struct shadow *s, u32 gpa)
{
	u8 flags = physmem_flags(s->mem, gpa);

	if ((flags & PHYS_PAGE_TRANSLATED) && s->mem->stores_apart &&
	    s->mem->stores_apart(s->mem->translated_ctx, gpa))
		return false;
	if ((flags & PHYS_PAGE_TABLE) && !shadow_write_fault(s, gpa >> PAGE_SHIFT))
		return false;
	if (flags & PHYS_PAGE_CLEAN)
		s->mem->clean_changes(s->mem->clean_ctx, gpa);
	if ((flags & PHYS_PAGE_CODE) && s->mem->code_written)
		s->mem->code_written(s->mem->hook_ctx, gpa & PAGE_MASK, PAGE_SIZE);
	if ((flags & PHYS_PAGE_TRANSLATED) && s->mem->translated_written)
		s->mem->translated_written(s->mem->translated_ctx, gpa & PAGE_MASK, PAGE_SIZE);
	if ((flags & PHYS_PAGE_REAL) && s->mem->real_written)
		s->mem->real_written(s->mem->real_ctx, gpa);
	return true;
}

static bool is_watched(const struct shadow *s, u32 gpa)
{
	return physmem_flags(s->mem, gpa) & PHYS_PAGE_WATCHED;
}

/*
 * One aligned group of entries is filled for a fault in it, as far as the guest's have A set: what
 * is used together lies together, and an entry costs less than a fault by far.
 */
#define AROUND 8u

/* Guest code runs at CPL 3, so entries are user entries whatever the guest's say. */
static u32 entry_for(const struct shadow *s, u32 page, u32 gpa, bool writable)
{
	u32 entry = page | SPTE_P | SPTE_U | SPTE_A;

	return writable && !is_watched(s, gpa) ? entry | SPTE_W | SPTE_D : entry;
}

void shadow_prefetch(struct shadow *s, unsigned table, unsigned index, u32 pde, u32 pte)
{
	u32 gpa = pte & PAGE_MASK & s->mem->a20_mask, rights = pde & pte;
	bool kernel = s->page[table].kernel;
	bool may_write = (rights & PTE_W) || (kernel && !s->wp);

	if (gpa < s->plain_first || gpa > s->plain_last || (!kernel && !(rights & PTE_U)))
		return;
	shadow_entry_set(s, table, index, entry_for(s, gpa, gpa, (pte & PTE_D) && may_write));
	s->stats.prefetched++;
}

static void prefetch_large(struct shadow *s, unsigned table, unsigned index, const struct walk *w)
{
	unsigned first = index & ~(AROUND - 1);
	const u32 *entry = shadow_entries(s, table);
	u32 pte = ((w->gpa & PAGE_MASK) - ((index - first) << PAGE_SHIFT)) | (w->pde & ~PAGE_MASK);

	for (unsigned i = first; i < first + AROUND; i++, pte += PAGE_SIZE)
		if (!(entry[i] & SPTE_P))
			shadow_prefetch(s, table, i, w->pde, pte);
}

static void prefetch(struct shadow *s, unsigned table, unsigned index, const struct walk *w)
{
	unsigned first = index & ~(AROUND - 1), step = s->page[table].pae ? 2 : 1;
	u32 gpa = (w->table & PAGE_MASK) + (first * step * 4 & ~PAGE_MASK);
	const struct phys_region *r = physmem_find(s->mem, gpa);
	const u32 *entry = shadow_entries(s, table), *pte;

	if (!r || !r->rd)
		return;
	pte = (const u32 *)(const void *)(r->rd + (gpa - r->first));
	for (unsigned i = first; i < first + AROUND; i++, pte += step)
		if ((*pte & PTE_P) && (*pte & PTE_A) && !(entry[i] & SPTE_P) &&
		    (step == 1 || !pte[1]))
			shadow_prefetch(s, table, i, w->pde, *pte);
}

/* The machine memory behind a guest page. */
struct place {
	u32 page;
	bool can_write;
};

/* The entry for a walk in the current root; write: it has to be writable. False: it cannot be. */
static bool install(struct shadow *s, u32 lin, const struct walk *w, const struct place *to,
		    bool write)
{
	unsigned index = (lin >> PAGE_SHIFT) % ENTRIES;
	unsigned table = shadow_table(s, lin, w); /* watches the page table, from here on */
	u32 entry = entry_for(s, to->page, w->gpa, w->writable && to->can_write);

	if (write && !(entry & SPTE_W))
		return false;
	shadow_entry_set(s, table, index, entry);
	if (w->large)
		prefetch_large(s, table, index, w);
	else
		prefetch(s, table, index, w);
	return true;
}

/* Whether what a walk found can be in a shadow table at all. */
static bool mappable(struct shadow *s, const struct walk *w, struct place *to)
{
	return machine_page(s, w->gpa, &to->page, &to->can_write) &&
	       (w->large || shadow_frame_watchable(s, w->table >> PAGE_SHIFT));
}

/* Without paging all memory is like large pages that anyone may write. */
static struct walk walk_of(struct shadow *s, u32 lin, bool write)
{
	struct walk w = page_walk(s->v, lin, write, s->v->cpl == 3);
	u32 size = s->v->cr4 & CR4_PAE ? 2 * MB : 4 * MB;

	if (!(s->v->cr0 & CR0_PG)) {
		w.pde = (lin & ~(size - 1)) | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;
		w.large = true;
	}
	return w;
}

bool shadow_fill(struct shadow *s, u32 lin, bool write)
{
	struct place to;
	struct walk w;

	if (lin >> PDE_SHIFT == s->c.own_index)
		goto refuse;
	s->expected = true;
	s->expected_lin = lin;
	w = walk_of(s, lin, write);
	s->expected = false;
	if (!mappable(s, &w, &to) || (write && !to.can_write) || (write && !end_watch(s, w.gpa)))
		goto refuse;
	if (s->current == NO_PAGE || !install(s, lin, &w, &to, write))
		goto refuse;
	s->stats.fills++;
	return true;
refuse:
	s->stats.refused++;
	return false;
}

void shadow_fill_expected(struct shadow *s)
{
	struct place to;
	struct walk w;

	s->expected = false;
	if (page_ready(s->v, s->expected_lin, false, true, &w) && mappable(s, &w, &to) &&
	    install(s, s->expected_lin, &w, &to, false))
		s->stats.prefetched++;
}
