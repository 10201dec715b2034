/* SPDX-License-Identifier: BSD-2-Clause */
/* Shadow page tables: the pool of pages and the roots. See shadow.h. */
#include "cpu/mmu/shadow_private.h"
#include "lib/str.h"

#define PDPTE_P BIT(0)

/* Groups of a root's entries that one of PAE's four directories is for. */
#define PAE_GROUP_COUNT (ENTRIES / SHADOW_GROUP / SOURCES)
#define PAE_GROUPS	(BIT(PAE_GROUP_COUNT) - 1)

#define LATELY	  4u	      /* roots */
#define NO_PAGING 0xffffffffu /* in CR3's place; no guest's, because reserved bits are not kept */

size_t shadow_arena_size(u32 flag_pages, u32 pages)
{
	return sizeof(struct shadow) + pages * sizeof(struct shadow_page) +
	       flag_pages * sizeof(struct shadow_frame);
}

struct shadow *shadow_init(struct vcpu *v, void *arena, const struct shadow_config *c)
{
	struct shadow *s = arena;

	s->v = v;
	s->mem = v->mem;
	s->c = *c;
	s->stats.pages = c->page_count;
	s->page = (struct shadow_page *)(void *)(s + 1);
	s->frame = (struct shadow_frame *)(void *)(s->page + c->page_count);
	s->free = s->current = s->other = s->newest = s->oldest = NO_PAGE;
	s->level = SHADOW_NO_LEVEL;
	memset(s->root_head, 0xff, sizeof(s->root_head));
	memset(s->table_head, 0xff, sizeof(s->table_head));
	memset(s->source_head, 0xff, sizeof(s->source_head));
	for (unsigned n = c->page_count; n--;) {
		s->page[n].next = s->free;
		s->free = (u16)n;
	}
	v->mem->table_ctx = s;
	v->mem->table_written = shadow_table_written;
	v->mem->tables_flushed = shadow_tlb_flushed;
	v->mem->code_found = shadow_protect;
	return s;
}

const struct shadow_stats *shadow_stats(const struct shadow *s)
{
	return &s->stats;
}

/* --- the pool --- */

void shadow_give_back(struct shadow *s, unsigned n)
{
	s->page[n] = (struct shadow_page){.kind = SHADOW_FREE, .next = s->free};
	s->free = (u16)n;
	s->stats.pages_in_use--;
}

/* What lies in these groups of the root's entries. */
static void unlink_groups(struct shadow *s, unsigned root, u32 groups)
{
	const u32 *entry = shadow_entries(s, root);
	u32 left = groups & s->page[root].tables;

	for (; left && s->page[root].present; left &= left - 1) {
		unsigned first = (unsigned)__builtin_ctz(left) * SHADOW_GROUP;

		for (unsigned i = first; i < first + SHADOW_GROUP; i++)
			if (i != s->c.own_index && (entry[i] & SPTE_P))
				shadow_unlink(s, root, i);
	}
	s->page[root].tables &= ~groups;
}

/* Makes room: the root that was not entered for longest goes, or all tables of the only one. */
static void evict(struct shadow *s)
{
	unsigned oldest = s->oldest;

	if (oldest == s->current && oldest != NO_PAGE)
		oldest = s->page[oldest].newer;
	s->stats.evictions++;
	if (oldest != NO_PAGE)
		shadow_drop_root(s, oldest);
	else
		unlink_groups(s, s->current, ~0u);
}

unsigned shadow_take(struct shadow *s, enum shadow_kind kind)
{
	struct shadow_page *page;
	unsigned n;

	if (s->free == NO_PAGE)
		evict(s);
	n = s->free;
	page = &s->page[n];
	s->free = page->next;
	*page = (struct shadow_page){
		.kind = (u8)kind, .pae = s->v->cr4 & CR4_PAE, .kernel = s->v->cpl < 3};
	for (unsigned i = 0; i < SOURCES; i++)
		page->source[i] = NO_FRAME;
	if (++s->stats.pages_in_use > s->stats.pages_most)
		s->stats.pages_most = s->stats.pages_in_use;
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
			unlink_groups(s, root, PAE_GROUPS << i * PAE_GROUP_COUNT);
		shadow_source_set(s, root, i, frame);
	}
}

/* --- the order in which they were entered --- */

static void take_out(struct shadow *s, unsigned n)
{
	const struct shadow_page *page = &s->page[n];

	*(page->newer == NO_PAGE ? &s->newest : &s->page[page->newer].older) = page->older;
	*(page->older == NO_PAGE ? &s->oldest : &s->page[page->older].newer) = page->newer;
}

static void put_newest(struct shadow *s, unsigned n)
{
	s->page[n].newer = NO_PAGE;
	s->page[n].older = s->newest;
	*(s->newest == NO_PAGE ? &s->oldest : &s->page[s->newest].newer) = (u16)n;
	s->newest = (u16)n;
}

/* --- finding and dropping them --- */

static u16 *root_link(struct shadow *s, u32 cr3)
{
	return &s->root_head[(cr3 >> PAGE_SHIFT ^ cr3 >> 5) % ROOT_HASH];
}

void shadow_drop_root(struct shadow *s, unsigned n)
{
	u16 *link = root_link(s, s->page[n].cr3);

	unlink_groups(s, n, ~0u);
	shadow_entries(s, n)[s->c.own_index] = 0;
	while (*link != n)
		link = &s->page[*link].next;
	*link = s->page[n].next;
	take_out(s, n);
	shadow_sources_clear(s, n);
	if (s->current == n) {
		s->current = NO_PAGE;
		s->level = SHADOW_NO_LEVEL;
		s->v->generation++; /* whoever keeps the root has to ask again */
	}
	if (s->other == n)
		s->other = NO_PAGE;
	s->paired = s->paired && s->current != NO_PAGE && s->other != NO_PAGE;
	shadow_give_back(s, n);
	s->stats.roots_dropped++;
}

void shadow_flush(struct shadow *s)
{
	while (s->newest != NO_PAGE)
		shadow_drop_root(s, s->newest);
}

/* PAE's are gone when CR4 has changed: check_stale(). */
static bool root_matches(const struct shadow *s, unsigned n, bool kernel)
{
	const struct shadow_page *page = &s->page[n];

	return page->kernel == kernel && page->cr3 == guest_cr3(s->v);
}

bool shadow_root_used(const struct shadow *s, unsigned n)
{
	return s->page[n].cr3 == guest_cr3(s->v);
}

/* The root for v's CR3, for CPL 0 to 2 or for CPL 3; NO_PAGE: none. */
static unsigned root_known(struct shadow *s, bool kernel)
{
	unsigned n;

	for (n = *root_link(s, guest_cr3(s->v)); n != NO_PAGE; n = s->page[n].next)
		if (root_matches(s, n, kernel))
			break;
	return n;
}

static unsigned make_root(struct shadow *s)
{
	u16 *head = root_link(s, guest_cr3(s->v));
	unsigned n = shadow_take(s, SHADOW_ROOT);

	s->page[n].cr3 = guest_cr3(s->v);
	s->page[n].next = *head;
	*head = (u16)n;
	shadow_entries(s, n)[s->c.own_index] =
		s->page[n].kernel ? s->c.own_kernel_pde : s->c.own_pde;
	s->stats.roots_made++;
	return n;
}

/* What all entries depend on. */
static void check_stale(struct shadow *s)
{
	u32 cr4 = s->v->cr4 & (CR4_PSE | CR4_PAE), wp = s->v->cr0 & CR0_WP;

	if (s->mapping == s->mem->mapping && s->cr4 == cr4 && s->wp == wp)
		return;
	shadow_flush(s);
	s->mapping = s->mem->mapping;
	s->cr4 = cr4;
	s->wp = wp;
	shadow_find_plain(s);
}

/* One of the roots entered lately that is for CPL 0 to 2; NO_PAGE: none of them. */
static unsigned kernel_root(const struct shadow *s)
{
	unsigned n = s->newest;

	for (unsigned i = 0; i < LATELY && n != NO_PAGE && !s->page[n].kernel; i++)
		n = s->page[n].older;
	return n != NO_PAGE && s->page[n].kernel ? n : NO_PAGE;
}

/* Makes the root for v's CR3 the current one. */
static void enter_root(struct shadow *s)
{
	unsigned known = root_known(s, s->v->cpl < 3), like = NO_PAGE;

	if (known != NO_PAGE) {
		take_out(s, known);
	} else {
		known = make_root(s);
		like = s->v->cpl < 3 ? kernel_root(s) : NO_PAGE;
	}
	s->current = (u16)known;
	put_newest(s, s->current);
	s->page[s->current].writes = 0;
	update_directories(s, s->current);
	if (like != NO_PAGE)
		shadow_inherit(s, like);
}

static inline void exchange(struct shadow *s)
{
	u16 n = s->current;

	s->current = s->other;
	s->other = n;
}

/*
 * A system call and its return go from one of a CR3's two roots to the other and back. All that
 * roots are chosen by changes with a flush of the guest's TLB: CR0, CR3, CR4, PAE's directories,
 * and where memory is.
 */
static inline bool root_at_hand(struct shadow *s, bool kernel)
{
	if (s->tables != s->v->tables)
		return false;
	if (s->level == kernel)
		return true;
	if (!s->paired)
		return false;
	exchange(s);
	s->level = kernel;
	return true;
}

/* root_at_hand() the long way. */
static __attribute__((noinline)) bool find_root(struct shadow *s, bool kernel)
{
	bool fits;

	check_stale(s);
	fits = s->current != NO_PAGE && root_matches(s, s->current, kernel);
	if (!fits && s->other != NO_PAGE && root_matches(s, s->other, kernel)) {
		exchange(s);
		fits = true;
	}
	if (!fits) {
		if (!directories_watchable(s))
			return false;
		s->other = s->current;
		enter_root(s);
	} else if (s->page[s->current].pae) {
		if (!directories_watchable(s))
			return false;
		update_directories(s, s->current);
	}
	s->tables = s->v->tables;
	s->level = kernel;
	s->paired = s->other != NO_PAGE && root_matches(s, s->other, !kernel);
	if (s->paired && s->page[s->other].pae)
		update_directories(s, s->other);
	return true;
}

u32 shadow_root(struct shadow *s)
{
	bool kernel = s->v->cpl < 3;

	if (unlikely(!root_at_hand(s, kernel)) && !find_root(s, kernel))
		return 0;
	if (s->expected && s->v->cpl == 3)
		shadow_fill_expected(s);
	return shadow_phys(s, s->current);
}
