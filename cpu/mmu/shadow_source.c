/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which shadow pages were made from which guest frames, and what a write to such a frame takes
 * away. A frame is watched as long as anything was made from it.
 */
#include "cpu/mem.h"
#include "cpu/mmu/shadow_private.h"

/*
 * So many writes that change nothing here to the page directory the guest uses, or any to another,
 * and it is taken for a page that has found another use: what was made from it goes, and further
 * writes cost nothing more. A system makes a new process's directory where a dead one's was.
 */
#define IDLE_WRITES 64u

static unsigned hash(u32 frame)
{
	return (frame ^ frame >> 10) % SOURCE_HASH;
}

static u32 frame_of(const struct shadow *s, unsigned source)
{
	return s->page[source / SOURCES].source[source % SOURCES];
}

static u16 *next_of(const struct shadow *s, unsigned source)
{
	return &s->page[source / SOURCES].source_next[source % SOURCES];
}

/* The first source with this frame from `source` on in its list. */
static unsigned find(const struct shadow *s, unsigned source, u32 frame)
{
	while (source != NO_PAGE && frame_of(s, source) != frame)
		source = *next_of(s, source);
	return source;
}

unsigned shadow_source_first(const struct shadow *s, u32 frame)
{
	return find(s, s->source_head[hash(frame)], frame);
}

unsigned shadow_source_next(const struct shadow *s, unsigned source)
{
	return find(s, *next_of(s, source), frame_of(s, source));
}

/* What the VGA does to its memory is not to be seen. */
bool shadow_frame_watchable(const struct shadow *s, u32 frame)
{
	return frame < s->mem->flag_pages && !shadow_is_vga(frame);
}

void shadow_watch(struct shadow *s, u32 frame)
{
	u8 *flags = &s->mem->page_flags[frame];

	if (*flags & PHYS_PAGE_TABLE)
		return;
	*flags |= PHYS_PAGE_TABLE;
	s->frame[frame].writes = 0;
	mem_tlb_protect(s->v, frame << PAGE_SHIFT);
	shadow_protect(s, frame << PAGE_SHIFT);
}

static void remove(struct shadow *s, unsigned source)
{
	u32 frame = frame_of(s, source);
	u16 *link = &s->source_head[hash(frame)];

	s->version++;
	while (*link != source)
		link = next_of(s, *link);
	*link = *next_of(s, source);
	s->page[source / SOURCES].source[source % SOURCES] = NO_FRAME;
	if (shadow_source_first(s, frame) != NO_PAGE)
		return;
	s->mem->page_flags[frame] &= (u8)~PHYS_PAGE_TABLE;
	shadow_loose_forget(s, frame);
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
	head = &s->source_head[hash(frame)];
	s->version++;
	s->page[page].source[number] = frame;
	*next_of(s, source) = *head;
	*head = (u16)source;
	if (s->page[page].kind == SHADOW_ROOT)
		shadow_tighten(s, frame);
	if (!s->frame[frame].loose)
		shadow_watch(s, frame);
}

void shadow_sources_clear(struct shadow *s, unsigned page)
{
	for (unsigned i = 0; i < SOURCES; i++)
		if (s->page[page].source[i] != NO_FRAME)
			remove(s, page * SOURCES + i);
}

/* --- writes to guest tables --- */

/* Bytes [off, off + len) of the page table behind a shadow table. */
static void table_changed(struct shadow *s, unsigned page, unsigned number, u32 off, u32 len)
{
	unsigned shift = s->page[page].pae ? 3 : 2, base = number * PAE_HALF;

	for (u32 i = off >> shift; i <= (off + len - 1) >> shift; i++)
		s->stats.entries_dropped += shadow_entry_drop(s, page, base + i);
}

/* The same for a page directory behind a root. True: nothing was there. */
static bool directory_changed(struct shadow *s, unsigned page, unsigned number, u32 off, u32 len)
{
	bool pae = s->page[page].pae, idle = true;

	for (u32 i = off >> (pae ? 3 : 2); i <= (off + len - 1) >> (pae ? 3 : 2); i++) {
		unsigned index = pae ? number * (ENTRIES / SOURCES) + i / 2 : i;
		u32 entry = shadow_entries(s, page)[index];

		if (index == s->c.own_index || !(entry & SPTE_P))
			continue;
		if (pae) {
			idle &= shadow_unlink_half(s, page, index, i % 2);
			continue;
		}
		shadow_unlink(s, page, index);
		idle = false;
	}
	return idle;
}

/* True: the lists of sources have changed. */
static bool root_changed(struct shadow *s, unsigned n, unsigned number, u32 off, u32 len)
{
	if (shadow_root_used(s, n)) {
		if (!directory_changed(s, n, number, off, len))
			return true;
		if (++s->page[n].writes < IDLE_WRITES)
			return false;
	}
	shadow_drop_root(s, n);
	return true;
}

void shadow_drop_other_roots(struct shadow *s, u32 frame)
{
	unsigned source = shadow_source_first(s, frame);

	while (source != NO_PAGE) {
		unsigned n = source / SOURCES;

		if (s->page[n].kind == SHADOW_ROOT && !shadow_root_used(s, n)) {
			shadow_drop_root(s, n);
			source = shadow_source_first(s, frame);
		} else {
			source = shadow_source_next(s, source);
		}
	}
}

bool shadow_idle_find(struct shadow *s, u32 gpa, struct shadow_idle *idle)
{
	unsigned source = shadow_source_first(s, gpa >> PAGE_SHIFT), count = 0;

	*idle = (struct shadow_idle){
		.version = &s->version, .seen = s->version, .own_index = s->c.own_index};
	if (!(s->v->cr0 & CR0_PG))
		return false;
	for (; source != NO_PAGE; source = shadow_source_next(s, source)) {
		unsigned n = source / SOURCES;

		if (s->page[n].kind != SHADOW_ROOT || s->page[n].pae || !shadow_root_used(s, n) ||
		    count == SHADOW_IDLE_ROOTS)
			return false;
		idle->root[count++] = shadow_entries(s, n);
	}
	if (count == 1)
		idle->root[1] = idle->root[0];
	return count;
}

void shadow_table_written(void *ctx, u32 gpa, u32 len)
{
	struct shadow *s = ctx;
	u32 frame = gpa >> PAGE_SHIFT, off = gpa & ~PAGE_MASK;
	unsigned source = shadow_source_first(s, frame);

	while (source != NO_PAGE) {
		unsigned n = source / SOURCES, number = source % SOURCES;

		if (s->page[n].kind == SHADOW_TABLE)
			table_changed(s, n, number, off, len);
		/* What was dropped is not found again, so this comes to an end. */
		else if (root_changed(s, n, number, off, len)) {
			source = shadow_source_first(s, frame);
			continue;
		}
		source = shadow_source_next(s, source);
	}
	if (shadow_source_first(s, frame) != NO_PAGE)
		shadow_count_write(s, frame);
}
