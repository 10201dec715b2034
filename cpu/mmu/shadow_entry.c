/* SPDX-License-Identifier: BSD-2-Clause */
/* Single entries of shadow tables: made after faults, and counted while they allow writing. */
#include "cpu/mmu/shadow_private.h"

#define VGA_FIRST 0xa0000u
#define VGA_SIZE  0x20000u

/* Which machine frame a guest frame is mapped to, and the other way round. */
u32 shadow_machine_frame(const struct shadow *s, u32 frame)
{
	u32 rom = frame - ROM_FIRST < ROM_FRAMES ? s->rom[frame - ROM_FIRST] : 0;

	return rom ? rom : frame;
}

static u32 guest_frame(const struct shadow *s, u32 machine)
{
	for (u32 i = 0; machine >= s->mem->flag_pages && i < ROM_FRAMES; i++)
		if (s->rom[i] == machine)
			return ROM_FIRST + i;
	return machine;
}

static struct shadow_frame *writable_of(struct shadow *s, u32 entry)
{
	u32 frame = guest_frame(s, entry >> PAGE_SHIFT);

	return frame < s->mem->flag_pages ? &s->frame[frame] : NULL;
}

bool shadow_entry_drop(struct shadow *s, unsigned page, unsigned index)
{
	u32 *entry = &shadow_entries(s, page)[index];
	struct shadow_frame *w = writable_of(s, *entry);

	if (!(*entry & SPTE_P))
		return false;
	if (w && (*entry & SPTE_W))
		w->count--;
	*entry = 0;
	s->page[page].present--;
	return true;
}

void shadow_entry_set(struct shadow *s, unsigned page, unsigned index, u32 entry)
{
	struct shadow_frame *w = writable_of(s, entry);

	shadow_entry_drop(s, page, index);
	if (w && (entry & SPTE_W)) {
		w->count++;
		w->last = page * ENTRIES + index;
	}
	shadow_entries(s, page)[index] = entry;
	s->page[page].groups |= BIT(index / SHADOW_GROUP);
	s->page[page].present++;
}

static void protect_entry(struct shadow *s, unsigned page, unsigned index, u32 frame)
{
	u32 *entry = &shadow_entries(s, page)[index];

	if (s->page[page].kind != SHADOW_TABLE || !(*entry & SPTE_W) ||
	    *entry >> PAGE_SHIFT != shadow_machine_frame(s, frame))
		return;
	*entry &= ~(SPTE_W | SPTE_D);
	s->frame[frame].count--;
}

void shadow_protect(void *ctx, u32 gpa)
{
	struct shadow *s = ctx;
	u32 frame = gpa >> PAGE_SHIFT;
	struct shadow_frame *w = &s->frame[frame];

	if (w->count)
		protect_entry(s, w->last / ENTRIES, w->last % ENTRIES, frame);
	if (!w->count)
		return;
	s->stats.scans++;
	for (unsigned page = 0; page < s->c.page_count && w->count; page++)
		for (unsigned i = 0; i < ENTRIES && s->page[page].kind == SHADOW_TABLE; i++)
			protect_entry(s, page, i, frame);
}

/* --- filling --- */

/* Memory that lies elsewhere in the machine: only behind the ROM area. */
static u32 rom_page(struct shadow *s, u32 gpa, const u8 *host)
{
	u32 frame = gpa >> PAGE_SHIFT, machine;

	if (frame - ROM_FIRST >= ROM_FRAMES || !s->c.machine)
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
	if (!r || !r->rd || (s->c.ram_only && gpa - VGA_FIRST < VGA_SIZE))
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

	if ((flags & PHYS_PAGE_TABLE) && !shadow_write_fault(s, gpa >> PAGE_SHIFT))
		return false;
	if (flags & PHYS_PAGE_CLEAN)
		s->mem->clean_changes(s->mem->clean_ctx, gpa);
	if ((flags & PHYS_PAGE_CODE) && s->mem->code_written)
		s->mem->code_written(s->mem->hook_ctx, gpa & PAGE_MASK, PAGE_SIZE);
	if ((flags & PHYS_PAGE_TRANSLATED) && s->mem->translated_written)
		s->mem->translated_written(s->mem->translated_ctx, gpa);
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

/* Whether a guest's entry with these rights, and with D set, lets v write. */
static bool may_write(const struct shadow *s, u32 rights)
{
	return (rights & PTE_W) || (s->v->cpl < 3 && !(s->v->cr0 & CR0_WP));
}

/* Another entry of the same page table, or page in the same large one. */
static void prefetch_one(struct shadow *s, unsigned table, unsigned index, u32 pde, u32 pte)
{
	u32 gpa = pte & PAGE_MASK & s->mem->a20_mask, rights = pde & pte;

	if ((pte & (PTE_P | PTE_A)) != (PTE_P | PTE_A) || gpa < s->plain_first ||
	    gpa > s->plain_last || (s->v->cpl == 3 && !(rights & PTE_U)))
		return;
	shadow_entry_set(s, table, index,
			 entry_for(s, gpa, gpa, (pte & PTE_D) && may_write(s, rights)));
	s->stats.prefetched++;
}

static void prefetch(struct shadow *s, unsigned table, unsigned index, const struct walk *w)
{
	unsigned first = index & ~(AROUND - 1), step = s->page[table].pae ? 2 : 1;
	u32 gpa = (w->table & PAGE_MASK) + (first * step * 4 & ~PAGE_MASK);
	const struct phys_region *r = physmem_find(s->mem, gpa);
	const u32 *entry = shadow_entries(s, table) + first, *pte;

	if (!w->large && !(r && r->rd))
		return;
	pte = w->large ? NULL : (const u32 *)(const void *)(r->rd + (gpa - r->first));
	for (unsigned i = 0; i < AROUND; i++) {
		if (entry[i] & SPTE_P)
			continue;
		if (w->large)
			prefetch_one(s, table, first + i, w->pde,
				     ((w->gpa & PAGE_MASK) + ((first + i - index) << PAGE_SHIFT)) |
					     (w->pde & ~PAGE_MASK));
		else if (step == 1 || !pte[i * 2 + 1])
			prefetch_one(s, table, first + i, w->pde, pte[i * step]);
	}
}

/* The entry for a walk in the current root; write: it has to be writable. False: it cannot be. */
static bool install(struct shadow *s, u32 lin, const struct walk *w, bool write)
{
	unsigned index = (lin >> PAGE_SHIFT) % ENTRIES, table;
	bool can_write;
	u32 entry, page;

	if (!machine_page(s, w->gpa, &page, &can_write))
		return false;
	table = shadow_table(s, lin, w); /* which watches the page table, from here on */
	entry = entry_for(s, page, w->gpa, w->writable && can_write);
	if (write && !(entry & SPTE_W))
		return false;
	shadow_entry_set(s, table, index, entry);
	prefetch(s, table, index, w);
	return true;
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
	struct walk w;
	u32 page;
	bool can_write;

	if (lin >> PDE_SHIFT == s->c.own_index)
		goto refuse;
	s->expected = true;
	s->expected_lin = lin;
	w = walk_of(s, lin, write);
	s->expected = false;
	if (!machine_page(s, w.gpa, &page, &can_write) || (write && !can_write))
		goto refuse;
	if (!w.large && !shadow_frame_watchable(s, w.table >> PAGE_SHIFT))
		goto refuse;
	if (write && !end_watch(s, w.gpa))
		goto refuse;
	if (!shadow_root(s) || !install(s, lin, &w, write))
		goto refuse;
	s->stats.fills++;
	return true;
refuse:
	s->stats.refused++;
	return false;
}

void shadow_fill_expected(struct shadow *s)
{
	struct walk w;

	s->expected = false;
	if (s->expected_lin >> PDE_SHIFT != s->c.own_index &&
	    page_ready(s->v, s->expected_lin, false, true, &w) &&
	    (w.large || shadow_frame_watchable(s, w.table >> PAGE_SHIFT)) &&
	    install(s, s->expected_lin, &w, false))
		s->stats.prefetched++;
}
