/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables that the guest writes again and again. A CPU need not see such writes before the TLB
 * is flushed (SDM vol. 3, 4.10), and a guest that fills a table entry by entry, or copies one,
 * seldom flushes in between. So after a few writes a table becomes loose: nobody watches it, and
 * what was made from it is compared with it when the guest flushes. Page directories are never
 * loose.
 */
#include "cpu/mmu/shadow_private.h"

/*
 * When to stop watching: comparing costs about as much as so many writes that the interpreter
 * reports, or an eighth as many that fault, and more with each entry to compare.
 */
#define WRITES_BASE	  8u
#define ENTRIES_PER_WRITE 16u
#define WRITES_OF_A_FAULT 8u
#define EPOCHS		  0x7fu

static bool is_loose(const struct shadow *s, u32 frame)
{
	return s->frame[frame].loose;
}

void shadow_loose_forget(struct shadow *s, u32 frame)
{
	unsigned i = 0;

	if (!is_loose(s, frame))
		return;
	s->frame[frame].loose = false;
	while (s->loose[i] != frame)
		i++;
	s->loose[i] = s->loose[--s->loose_count];
	s->mem->tables_loose = s->loose_count;
}

/* Whether an entry is still what the guest's allows; `part` has the rights of the directory. */
static bool holds(const struct shadow *s, const struct shadow_page *page, u32 entry, u32 part,
		  const u32 *pte)
{
	u32 rights = part & *pte;
	bool kernel = page->kernel;

	if ((*pte & (PTE_P | PTE_A)) != (PTE_P | PTE_A) || (page->pae && pte[1]))
		return false;
	if (entry >> PAGE_SHIFT != shadow_machine_frame(s, (*pte & s->mem->a20_mask) >> PAGE_SHIFT))
		return false;
	if (!kernel && !(rights & PTE_U))
		return false;
	return !(entry & SPTE_W) || ((*pte & PTE_D) && ((rights & PTE_W) || (kernel && !s->wp)));
}

/* Most that do not hold have lost a right, and the guest will read there again. */
static void renew(struct shadow *s, unsigned n, unsigned index, const u32 *pte)
{
	const struct shadow_page *page = &s->page[n];
	unsigned half = page->pae && index >= PAE_HALF;

	shadow_entry_drop(s, n, index);
	if ((*pte & (PTE_P | PTE_A)) == (PTE_P | PTE_A) && !(page->pae && pte[1]))
		shadow_prefetch(s, n, index, page->part[half], *pte);
	s->stats.entries_dropped += !(shadow_entries(s, n)[index] & SPTE_P);
}

/* Makes the entries of one half of a table that no longer hold anew, as far as there is something
 * to make them from. */
static void compare(struct shadow *s, unsigned n, unsigned half, const u32 *pte)
{
	const struct shadow_page *page = &s->page[n];
	const u32 *entry = shadow_entries(s, n);
	u32 groups = page->groups;

	if (page->pae)
		groups &= half ? 0xffff0000 : 0xffff;
	for (; groups; groups &= groups - 1) {
		unsigned first = (unsigned)__builtin_ctz(groups) * SHADOW_GROUP;

		for (unsigned i = first; i < first + SHADOW_GROUP; i++) {
			const u32 *now = page->pae ? pte + i % PAE_HALF * 2 : pte + i;

			if ((entry[i] & SPTE_P) && !holds(s, page, entry[i], page->part[half], now))
				renew(s, n, i, now);
		}
	}
}

/* Watches it again. A table of which nothing is left may not be one any more. */
static void tighten(struct shadow *s, u32 frame)
{
	const struct phys_region *r = physmem_find(s->mem, frame << PAGE_SHIFT);
	const u32 *pte = NULL;
	unsigned source;

	shadow_loose_forget(s, frame);
	if (r && r->rd)
		pte = (const u32 *)(const void *)(r->rd + ((frame << PAGE_SHIFT) - r->first));
	for (source = shadow_source_first(s, frame); source != NO_PAGE;) {
		unsigned n = source / SOURCES;
		bool table = s->page[n].kind == SHADOW_TABLE;

		if (table && pte)
			compare(s, n, source % SOURCES, pte);
		if (!table || (s->page[n].present && pte)) {
			source = shadow_source_next(s, source);
		} else {
			shadow_drop_table(s, n);
			source = shadow_source_first(s, frame);
		}
	}
	if (shadow_source_first(s, frame) != NO_PAGE)
		shadow_watch(s, frame);
	s->stats.compared++;
}

void shadow_tighten(struct shadow *s, u32 frame)
{
	if (is_loose(s, frame))
		tighten(s, frame);
}

static bool for_a_root(const struct shadow *s, unsigned source)
{
	for (; source != NO_PAGE; source = shadow_source_next(s, source))
		if (s->page[source / SOURCES].kind == SHADOW_ROOT)
			return true;
	return false;
}

static void loosen(struct shadow *s, u32 frame)
{
	if (s->loose_count == LOOSE_MAX)
		tighten(s, s->loose[0]);
	s->loose[s->loose_count++] = frame;
	s->frame[frame].loose = true;
	s->mem->page_flags[frame] &= (u8)~PHYS_PAGE_TABLE;
	s->mem->tables_loose = true;
	s->stats.loosened++;
}

/* So many writes more to a watched page. True: it is no longer watched. */
static bool count_writes(struct shadow *s, u32 frame, unsigned writes)
{
	unsigned source = shadow_source_first(s, frame);
	struct shadow_frame *f = &s->frame[frame];
	unsigned most = WRITES_BASE + s->page[source / SOURCES].present / ENTRIES_PER_WRITE;

	if (f->epoch != (s->v->flushes & EPOCHS)) {
		f->epoch = s->v->flushes & EPOCHS;
		f->writes = 0;
	}
	writes += f->writes;
	f->writes = (u8)writes;
	if (writes < most || for_a_root(s, source))
		return false;
	loosen(s, frame);
	return true;
}

void shadow_count_write(struct shadow *s, u32 frame)
{
	count_writes(s, frame, 1);
}

bool shadow_write_fault(struct shadow *s, u32 frame)
{
	shadow_drop_other_roots(s, frame);
	return shadow_source_first(s, frame) == NO_PAGE ||
	       count_writes(s, frame, WRITES_OF_A_FAULT);
}

/*
 * INVLPG: the page's entry in all that was made from the table, not only where the roots for v's
 * CR3 lead to by now: they come to lead to what another root has when the guest goes there next.
 */
static void flush_page(struct shadow *s, u32 frame, u32 lin)
{
	unsigned source = shadow_source_first(s, frame);

	for (; source != NO_PAGE; source = shadow_source_next(s, source)) {
		unsigned n = source / SOURCES;
		unsigned half = s->page[n].pae && (lin & BIT(PDE_SHIFT - 1)) ? 1 : 0;

		if (s->page[n].index == lin >> PDE_SHIFT && source % SOURCES == half)
			shadow_entry_drop(s, n, (lin >> PAGE_SHIFT) % ENTRIES);
	}
}

void shadow_tlb_flushed(void *ctx, bool all, u32 lin)
{
	struct shadow *s = ctx;

	for (unsigned i = 0; !all && i < s->loose_count; i++)
		flush_page(s, s->loose[i], lin);
	while (all && s->loose_count)
		tighten(s, s->loose[0]);
}
