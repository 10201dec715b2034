/* SPDX-License-Identifier: BSD-2-Clause */
/* Shadow page tables: the pool of pages, the roots and their tables. See shadow.h. */
#include "cpu/mmu/shadow_private.h"
#include "cpu/mmu/walk.h"
#include "lib/str.h"

#define PDPTE_P	  BIT(0)
#define NO_PAGING 0xffffffffu /* in CR3's place; no guest's, because reserved bits are not kept */

size_t shadow_arena_size(u32 flag_pages)
{
	return sizeof(struct shadow) + SHADOW_PAGES_MAX * sizeof(struct shadow_page) +
	       flag_pages * sizeof(struct shadow_writable);
}

struct shadow *shadow_init(struct vcpu *v, void *arena, const struct shadow_config *c)
{
	struct shadow *s = arena;

	s->v = v;
	s->mem = v->mem;
	s->c = *c;
	s->page = (struct shadow_page *)(void *)(s + 1);
	s->writable = (struct shadow_writable *)(void *)(s->page + SHADOW_PAGES_MAX);
	s->free = s->current = NO_PAGE;
	for (unsigned i = 0; i < ROOT_HASH; i++)
		s->root_head[i] = NO_PAGE;
	for (unsigned i = 0; i < SOURCE_HASH; i++)
		s->source_head[i] = NO_PAGE;
	for (unsigned n = c->page_count; n--;) {
		s->page[n].next = s->free;
		s->free = (u16)n;
	}
	v->mem->table_ctx = s;
	v->mem->table_written = shadow_table_written;
	v->mem->code_found = shadow_protect;
	return s;
}

const struct shadow_stats *shadow_stats(const struct shadow *s)
{
	return &s->stats;
}

/* --- the pool --- */

static void give_back(struct shadow *s, unsigned n)
{
	memset(shadow_entries(s, n), 0, PAGE_SIZE);
	s->page[n] = (struct shadow_page){.kind = SHADOW_FREE, .next = s->free};
	s->free = (u16)n;
	s->stats.pages_in_use--;
}

void shadow_drop_table(struct shadow *s, unsigned n)
{
	struct shadow_page *page = &s->page[n];

	for (unsigned i = 0; i < ENTRIES && page->present; i++)
		shadow_entry_drop(s, n, i);
	shadow_entries(s, page->root)[page->index] = 0;
	s->page[page->root].present--;
	shadow_sources_clear(s, n);
	give_back(s, n);
	s->stats.tables_dropped++;
}

static void drop_tables(struct shadow *s, unsigned root, unsigned first, unsigned count)
{
	const u32 *entry = shadow_entries(s, root);

	for (unsigned i = first; i < first + count && s->page[root].present; i++)
		if (i != s->c.own_index && (entry[i] & SPTE_P))
			shadow_drop_table(s, shadow_page_at(s, entry[i]));
}

static u16 *root_link(struct shadow *s, u32 cr3)
{
	return &s->root_head[(cr3 >> PAGE_SHIFT ^ cr3 >> 5) % ROOT_HASH];
}

void shadow_drop_root(struct shadow *s, unsigned n)
{
	u16 *link = root_link(s, s->page[n].cr3);

	drop_tables(s, n, 0, ENTRIES);
	while (*link != n)
		link = &s->page[*link].next;
	*link = s->page[n].next;
	shadow_sources_clear(s, n);
	if (s->current == n)
		s->current = NO_PAGE;
	give_back(s, n);
	s->stats.roots_dropped++;
}

void shadow_flush(struct shadow *s)
{
	for (unsigned n = 0; n < s->c.page_count; n++)
		if (s->page[n].kind == SHADOW_ROOT)
			shadow_drop_root(s, n);
}

/* Makes room: the root that was not entered for longest goes, or all tables of the only one. */
static void evict(struct shadow *s)
{
	unsigned oldest = NO_PAGE;

	for (unsigned n = 0; n < s->c.page_count; n++) {
		const struct shadow_page *page = &s->page[n];

		if (page->kind == SHADOW_ROOT && n != s->current &&
		    (oldest == NO_PAGE || s->clock - page->used > s->clock - s->page[oldest].used))
			oldest = n;
	}
	s->stats.evictions++;
	if (oldest != NO_PAGE)
		shadow_drop_root(s, oldest);
	else
		drop_tables(s, s->current, 0, ENTRIES);
}

static unsigned take(struct shadow *s, enum shadow_kind kind)
{
	unsigned n;

	if (s->free == NO_PAGE)
		evict(s);
	n = s->free;
	s->free = s->page[n].next;
	s->page[n] = (struct shadow_page){
		.kind = (u8)kind, .pae = s->v->cr4 & CR4_PAE, .kernel = s->v->cpl < 3};
	for (unsigned i = 0; i < SOURCES; i++)
		s->page[n].source[i] = NO_FRAME;
	s->stats.pages_in_use++;
	return n;
}

/* --- roots --- */

static u32 guest_frame(const struct shadow *s, u32 entry)
{
	return (entry & s->mem->a20_mask) >> PAGE_SHIFT;
}

/* What a root is for. */
static u32 guest_cr3(const struct vcpu *v)
{
	if (!(v->cr0 & CR0_PG))
		return NO_PAGING;
	return v->cr4 & CR4_PAE ? v->cr3 & ~31u : v->cr3 & PAGE_MASK;
}

/* The frame of one of the guest's page directories; NO_FRAME: none there. */
static u32 directory_frame(const struct shadow *s, unsigned number)
{
	const struct vcpu *v = s->v;

	if (!(v->cr0 & CR0_PG))
		return NO_FRAME;
	if (!(v->cr4 & CR4_PAE))
		return number ? NO_FRAME : guest_frame(s, v->cr3);
	if (!(v->pdpte[number] & PDPTE_P))
		return NO_FRAME;
	return guest_frame(s, (u32)v->pdpte[number]);
}

static bool directories_watchable(const struct shadow *s)
{
	for (unsigned i = 0; i < SOURCES; i++) {
		u32 frame = directory_frame(s, i);

		if (frame != NO_FRAME && !shadow_frame_watchable(s, frame))
			return false;
	}
	return true;
}

/* Takes over the directories that v names now: with PAE the same CR3 may mean others than before.
 */
static void update_directories(struct shadow *s, unsigned root)
{
	for (unsigned i = 0; i < SOURCES; i++) {
		u32 frame = directory_frame(s, i);

		if (s->page[root].source[i] == frame)
			continue;
		if (s->page[root].pae)
			drop_tables(s, root, i * (ENTRIES / SOURCES), ENTRIES / SOURCES);
		shadow_source_set(s, root, i, frame);
	}
}

static bool root_matches(const struct shadow *s, unsigned n)
{
	const struct shadow_page *page = &s->page[n];

	return page->cr3 == guest_cr3(s->v) && page->pae == !!(s->v->cr4 & CR4_PAE) &&
	       page->kernel == (s->v->cpl < 3);
}

static unsigned find_root(struct shadow *s)
{
	unsigned n;

	for (n = *root_link(s, guest_cr3(s->v)); n != NO_PAGE; n = s->page[n].next)
		if (root_matches(s, n))
			break;
	return n;
}

static unsigned make_root(struct shadow *s)
{
	u16 *head = root_link(s, guest_cr3(s->v));
	unsigned n = take(s, SHADOW_ROOT);

	s->page[n].cr3 = guest_cr3(s->v);
	s->page[n].next = *head;
	*head = (u16)n;
	shadow_entries(s, n)[s->c.own_index] =
		s->page[n].kernel ? s->c.own_kernel_pde : s->c.own_pde;
	s->stats.roots_made++;
	return n;
}

/* What all tables depend on. */
static void check_stale(struct shadow *s)
{
	u32 cr4 = s->v->cr4 & (CR4_PSE | CR4_PAE), wp = s->v->cr0 & CR0_WP;

	if (s->mapping == s->mem->mapping && s->cr4 == cr4 && s->wp == wp)
		return;
	shadow_flush(s);
	s->mapping = s->mem->mapping;
	s->cr4 = cr4;
	s->wp = wp;
}

u32 shadow_root(struct shadow *s)
{
	check_stale(s);
	if (s->current == NO_PAGE || !root_matches(s, s->current)) {
		if (!directories_watchable(s))
			return 0;
		s->current = (u16)find_root(s);
		if (s->current == NO_PAGE)
			s->current = (u16)make_root(s);
		s->page[s->current].used = ++s->clock;
		s->page[s->current].idle_writes = 0;
		update_directories(s, s->current);
	} else if (s->page[s->current].pae) {
		if (!directories_watchable(s))
			return 0;
		update_directories(s, s->current);
	}
	return shadow_phys(s, s->current);
}

/* --- tables --- */

unsigned shadow_table(struct shadow *s, u32 lin)
{
	unsigned root = s->current, n, index = lin >> PDE_SHIFT;

	if (shadow_entries(s, root)[index] & SPTE_P)
		return shadow_page_at(s, shadow_entries(s, root)[index]);
	n = take(s, SHADOW_TABLE);
	s->page[n].root = (u16)root;
	s->page[n].index = (u16)index;
	s->page[root].present++;
	shadow_entries(s, root)[index] = shadow_phys(s, n) | SPTE_P | SPTE_W | SPTE_U | SPTE_A;
	s->stats.tables_made++;
	return n;
}
