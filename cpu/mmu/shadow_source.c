/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which shadow pages were made from which guest frames, and what a write to such a frame takes
 * away. A frame is watched as long as anything was made from it.
 */
#include "cpu/mem.h"
#include "cpu/mmu/shadow_private.h"

/*
 * So many writes to a guest table that change nothing here, and it is taken for a page that has
 * found another use: what was made from it goes, and further writes cost nothing more.
 */
#define IDLE_WRITES 64u

static u16 *head_of(struct shadow *s, u32 frame)
{
	return &s->source_head[(frame ^ frame >> 10) % SOURCE_HASH];
}

static u32 frame_of(const struct shadow *s, unsigned source)
{
	return s->page[source / SOURCES].source[source % SOURCES];
}

static u16 *next_of(struct shadow *s, unsigned source)
{
	return &s->page[source / SOURCES].source_next[source % SOURCES];
}

/* The first source with this frame from `source` on in its list. */
static unsigned find(struct shadow *s, unsigned source, u32 frame)
{
	while (source != NO_PAGE && frame_of(s, source) != frame)
		source = *next_of(s, source);
	return source;
}

bool shadow_frame_watchable(const struct shadow *s, u32 frame)
{
	return frame < s->mem->flag_pages;
}

static void watch(struct shadow *s, u32 frame)
{
	u8 *flags = &s->mem->page_flags[frame];

	if (*flags & PHYS_PAGE_TABLE)
		return;
	*flags |= PHYS_PAGE_TABLE;
	mem_tlb_protect(s->v, frame << PAGE_SHIFT);
	shadow_protect(s, frame << PAGE_SHIFT);
}

static void remove(struct shadow *s, unsigned source)
{
	u32 frame = frame_of(s, source);
	u16 *link = head_of(s, frame);

	while (*link != source)
		link = next_of(s, *link);
	*link = *next_of(s, source);
	s->page[source / SOURCES].source[source % SOURCES] = NO_FRAME;
	if (find(s, *head_of(s, frame), frame) == NO_PAGE)
		s->mem->page_flags[frame] &= (u8)~PHYS_PAGE_TABLE;
}

void shadow_source_set(struct shadow *s, unsigned page, unsigned number, u32 frame)
{
	unsigned source = page * SOURCES + number;
	u32 before = frame_of(s, source);
	u16 *head;

	if (before == frame)
		return;
	if (before != NO_FRAME)
		remove(s, source);
	if (frame == NO_FRAME)
		return;
	head = head_of(s, frame);
	s->page[page].source[number] = frame;
	*next_of(s, source) = *head;
	*head = (u16)source;
	watch(s, frame);
}

void shadow_sources_clear(struct shadow *s, unsigned page)
{
	for (unsigned i = 0; i < SOURCES; i++)
		if (s->page[page].source[i] != NO_FRAME)
			remove(s, page * SOURCES + i);
}

void shadow_release(struct shadow *s, u32 frame)
{
	unsigned source;

	while ((source = find(s, *head_of(s, frame), frame)) != NO_PAGE) {
		unsigned page = source / SOURCES;

		if (s->page[page].kind == SHADOW_ROOT)
			shadow_drop_root(s, page);
		else
			shadow_drop_table(s, page);
	}
}

/* --- writes to guest tables --- */

/* Bytes [off, off + len) of the page table behind a shadow table. True: nothing was there. */
static bool table_changed(struct shadow *s, unsigned page, unsigned number, u32 off, u32 len)
{
	unsigned shift = s->page[page].pae ? 3 : 2, base = number * PAE_HALF;
	bool idle = true;

	for (u32 i = off >> shift; i <= (off + len - 1) >> shift; i++)
		if (shadow_entry_drop(s, page, base + i)) {
			s->stats.entries_dropped++;
			idle = false;
		}
	return idle;
}

/* One half of a PAE guest's table, which has a directory entry of its own. */
static bool half_changed(struct shadow *s, unsigned table, unsigned half)
{
	bool idle = table_changed(s, table, half, 0, PAGE_SIZE);

	shadow_source_set(s, table, half, NO_FRAME);
	return idle;
}

/* The same for a page directory behind a root. */
static bool directory_changed(struct shadow *s, unsigned page, unsigned number, u32 off, u32 len)
{
	bool pae = s->page[page].pae, idle = true;

	for (u32 i = off >> (pae ? 3 : 2); i <= (off + len - 1) >> (pae ? 3 : 2); i++) {
		unsigned index = pae ? number * (ENTRIES / SOURCES) + i / 2 : i;
		u32 entry = shadow_entries(s, page)[index];

		if (index == s->c.own_index || !(entry & SPTE_P))
			continue;
		if (pae) {
			idle &= half_changed(s, shadow_page_at(s, entry), i % 2);
			continue;
		}
		shadow_drop_table(s, shadow_page_at(s, entry));
		idle = false;
	}
	return idle;
}

/* Returns true when the lists of sources have changed. */
static bool source_changed(struct shadow *s, unsigned source, u32 off, u32 len)
{
	unsigned n = source / SOURCES, number = source % SOURCES;
	struct shadow_page *page = &s->page[n];
	bool root = page->kind == SHADOW_ROOT;
	bool idle = root ? directory_changed(s, n, number, off, len)
			 : table_changed(s, n, number, off, len);

	if (!idle)
		return root;
	if (++page->idle_writes < IDLE_WRITES)
		return false;
	if (root)
		shadow_drop_root(s, n);
	else
		shadow_drop_table(s, n);
	return true;
}

void shadow_table_written(void *ctx, u32 gpa, u32 len)
{
	struct shadow *s = ctx;
	u32 frame = gpa >> PAGE_SHIFT, off = gpa & ~PAGE_MASK;
	unsigned source = find(s, *head_of(s, frame), frame);

	while (source != NO_PAGE) {
		/* What was dropped is not found again, so this comes to an end. */
		if (source_changed(s, source, off, len))
			source = find(s, *head_of(s, frame), frame);
		else
			source = find(s, *next_of(s, source), frame);
	}
}
