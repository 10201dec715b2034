/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of the shadow roots. What a table's entries are made from is its key: roots whose
 * guest directories say the same at the same place lead to one table.
 */
#include "cpu/mmu/shadow_private.h"

/* The bits of a guest's directory entry that the entries below depend on. */
#define PART_BITS (PAGE_MASK | PTE_P | PTE_W | PTE_U | PTE_D | PDE_PS)

/* A table's place in the lists. */
struct key {
	u32 part[HALVES];
	u16 index;
	bool kernel;
};

/* Whether D is set matters in a large page's entry only. Bit 7 means something only there, too. */
static u32 part_of(const struct walk *w)
{
	if (w->large)
		return (w->pde & PART_BITS) | PTE_P | PDE_PS;
	return (w->table & PAGE_MASK) | PTE_P | (w->pde & (PTE_W | PTE_U));
}

/* The guest frame that is watched for it. */
static u32 frame_of(u32 part)
{
	return part && !(part & PDE_PS) ? part >> PAGE_SHIFT : NO_FRAME;
}

static u16 *link_of(struct shadow *s, const struct key *k)
{
	u32 mix = k->part[0] >> PAGE_SHIFT ^ k->part[1] >> (PAGE_SHIFT - 1) ^ k->index ^
		  (u32)k->kernel << 5;

	return &s->table_head[(mix ^ mix >> 10) % TABLE_HASH];
}

static struct key key_of(const struct shadow_page *page)
{
	return (struct key){{page->part[0], page->part[1]}, page->index, page->kernel};
}

static unsigned find(struct shadow *s, const struct key *k)
{
	unsigned n;

	for (n = *link_of(s, k); n != NO_PAGE; n = s->page[n].next) {
		const struct shadow_page *page = &s->page[n];

		if (page->part[0] == k->part[0] && page->part[1] == k->part[1] &&
		    page->index == k->index && page->kernel == k->kernel)
			break;
	}
	return n;
}

static void list_add(struct shadow *s, unsigned n)
{
	struct key k = key_of(&s->page[n]);
	u16 *head = link_of(s, &k);

	s->page[n].next = *head;
	*head = (u16)n;
}

static void list_remove(struct shadow *s, unsigned n)
{
	struct key k = key_of(&s->page[n]);
	u16 *link = link_of(s, &k);

	while (*link != n)
		link = &s->page[*link].next;
	*link = s->page[n].next;
}

/* --- ends --- */

/* The entries in these groups. True: there was none. */
static bool drop_entries(struct shadow *s, unsigned n, u32 groups)
{
	u32 left = groups & s->page[n].groups;
	bool none = true;

	for (; left; left &= left - 1) {
		unsigned first = (unsigned)__builtin_ctz(left) * SHADOW_GROUP;

		for (unsigned i = first; i < first + SHADOW_GROUP; i++)
			none &= !shadow_entry_drop(s, n, i);
	}
	s->page[n].groups &= ~groups;
	return none;
}

void shadow_unlink(struct shadow *s, unsigned root, unsigned index)
{
	u32 *entry = &shadow_entries(s, root)[index];
	unsigned n = shadow_page_at(s, *entry);

	*entry = 0;
	s->page[root].present--;
	if (--s->page[n].users)
		return;
	drop_entries(s, n, ~0u);
	shadow_sources_clear(s, n);
	list_remove(s, n);
	shadow_give_back(s, n);
	s->stats.tables_dropped++;
}

void shadow_drop_table(struct shadow *s, unsigned n)
{
	unsigned index = s->page[n].index, root = s->page[n].root;
	u32 entry = shadow_phys(s, n);

	/* Most have one root. Its page may serve something else now, and then says nothing here. */
	if (s->page[root].kind != SHADOW_ROOT ||
	    (shadow_entries(s, root)[index] & PAGE_MASK) != entry)
		root = s->newest;
	while (s->page[n].kind == SHADOW_TABLE) {
		unsigned next = s->page[root].older;

		if ((shadow_entries(s, root)[index] & PAGE_MASK) == entry)
			shadow_unlink(s, root, index);
		root = next != NO_PAGE ? next : s->newest;
	}
}

/* --- what a table is made from --- */

static void set_part(struct shadow *s, unsigned n, unsigned half, u32 part)
{
	list_remove(s, n);
	s->page[n].part[half] = part;
	list_add(s, n);
	shadow_source_set(s, n, half, frame_of(part));
}

/* The entries of one half; without PAE there is but one. */
static bool drop_half(struct shadow *s, unsigned n, unsigned half)
{
	return drop_entries(s, n, !s->page[n].pae ? ~0u : half ? 0xffff0000 : 0xffff);
}

bool shadow_unlink_half(struct shadow *s, unsigned root, unsigned index, unsigned half)
{
	unsigned n = shadow_page_at(s, shadow_entries(s, root)[index]);
	bool none;

	if (!s->page[n].part[half])
		return true;
	if (s->page[n].users > 1) {
		shadow_unlink(s, root, index);
		return false;
	}
	none = drop_half(s, n, half);
	set_part(s, n, half, 0);
	return none;
}

static unsigned make(struct shadow *s, const struct key *k)
{
	unsigned n = shadow_take(s, SHADOW_TABLE);
	struct shadow_page *page = &s->page[n];

	page->part[0] = k->part[0];
	page->part[1] = k->part[1];
	page->index = k->index;
	page->kernel = k->kernel;
	list_add(s, n);
	for (unsigned half = 0; half < HALVES; half++)
		shadow_source_set(s, n, half, frame_of(k->part[half]));
	s->stats.tables_made++;
	return n;
}

static unsigned link(struct shadow *s, unsigned n)
{
	unsigned root = s->current;

	s->page[n].users++;
	s->page[n].root = (u16)root;
	s->page[root].present++;
	s->page[root].tables |= BIT(s->page[n].index / SHADOW_GROUP);
	s->page[root].writes = 0;
	shadow_entries(s, root)[s->page[n].index] =
		shadow_phys(s, n) | SPTE_P | SPTE_W | SPTE_U | SPTE_A;
	return n;
}

/* Another table than before in the current root, or the same for something else. */
static unsigned change(struct shadow *s, unsigned n, unsigned half, u32 part)
{
	struct key k = key_of(&s->page[n]);
	unsigned other;

	k.part[half] = part;
	other = find(s, &k);
	if (other == NO_PAGE && s->page[n].users == 1) {
		drop_half(s, n, half);
		set_part(s, n, half, part);
		return n;
	}
	shadow_unlink(s, s->current, k.index);
	return link(s, other != NO_PAGE ? other : make(s, &k));
}

unsigned shadow_table(struct shadow *s, u32 lin, const struct walk *w)
{
	u32 entry = shadow_entries(s, s->current)[lin >> PDE_SHIFT];
	unsigned half = s->page[s->current].pae && (lin & BIT(PDE_SHIFT - 1)) ? 1 : 0, n;
	struct key k = {.index = (u16)(lin >> PDE_SHIFT), .kernel = s->page[s->current].kernel};

	if (entry & SPTE_P) {
		n = shadow_page_at(s, entry);
		return s->page[n].part[half] == part_of(w) ? n : change(s, n, half, part_of(w));
	}
	k.part[half] = part_of(w);
	n = find(s, &k);
	return link(s, n != NO_PAGE ? n : make(s, &k));
}

/* --- what a new root has in common with others --- */

/* The guest's directory entry for one half of an entry of the root; NULL: there is none. */
static const u32 *directory_entry(const struct shadow *s, unsigned root, unsigned index,
				  unsigned half)
{
	const struct shadow_page *page = &s->page[root];
	unsigned number = page->pae ? index / (ENTRIES / SOURCES) : 0;
	u32 frame = page->source[number],
	    at = page->pae ? index % (ENTRIES / SOURCES) * 16 : index * 4;
	const struct phys_region *r;

	if (frame == NO_FRAME)
		return NULL;
	at += (frame << PAGE_SHIFT) + half * 8;
	r = physmem_find(s->mem, at);
	return r && r->rd ? (const u32 *)(const void *)(r->rd + (at - r->first)) : NULL;
}

/* What a table would be made from, of which a directory entry says this; 0: nothing without a walk.
 */
static u32 part_said(const struct shadow *s, const u32 *pde, bool pae)
{
	struct walk w = {.pde = pde[0], .table = pde[0] & s->mem->a20_mask & PAGE_MASK};

	if ((pde[0] & (PTE_P | PTE_A)) != (PTE_P | PTE_A) || (pae && pde[1]))
		return 0;
	w.large = (pde[0] & PDE_PS) && (s->cr4 & (CR4_PSE | CR4_PAE));
	return part_of(&w);
}

static bool said_of(const struct shadow *s, unsigned root, unsigned n)
{
	const struct shadow_page *page = &s->page[n];

	for (unsigned half = 0; half < HALVES; half++) {
		const u32 *pde;

		if (!page->part[half])
			continue;
		pde = directory_entry(s, root, page->index, half);
		if (!pde || part_said(s, pde, page->pae) != page->part[half])
			return false;
	}
	return true;
}

void shadow_inherit(struct shadow *s, unsigned from)
{
	const u32 *entry = shadow_entries(s, from);

	for (u32 left = s->page[from].tables; left; left &= left - 1) {
		unsigned first = (unsigned)__builtin_ctz(left) * SHADOW_GROUP;

		for (unsigned i = first; i < first + SHADOW_GROUP; i++)
			if ((entry[i] & SPTE_P) && i != s->c.own_index &&
			    said_of(s, s->current, shadow_page_at(s, entry[i])))
				link(s, shadow_page_at(s, entry[i]));
	}
}
