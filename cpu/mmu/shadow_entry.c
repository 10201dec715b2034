/* SPDX-License-Identifier: BSD-2-Clause */
/* Single entries of shadow tables, counted while they allow writing. */
#include "cpu/mmu/shadow_private.h"

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
	struct shadow_frame *w;

	if (!(*entry & SPTE_P))
		return false;
	w = *entry & SPTE_W ? writable_of(s, *entry) : NULL;
	if (w)
		w->count--;
	*entry = 0;
	s->page[page].present--;
	return true;
}

void shadow_entry_set(struct shadow *s, unsigned page, unsigned index, u32 entry)
{
	struct shadow_frame *w = entry & SPTE_W ? writable_of(s, entry) : NULL;

	shadow_entry_drop(s, page, index);
	if (w) {
		w->count++;
		w->before = w->last;
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

static void protect_in(struct shadow *s, unsigned page, u32 frame)
{
	for (u32 left = s->page[page].groups; left; left &= left - 1) {
		unsigned first = (unsigned)__builtin_ctz(left) * SHADOW_GROUP;

		for (unsigned i = first; i < first + SHADOW_GROUP; i++)
			protect_entry(s, page, i, frame);
	}
}

void shadow_protect(void *ctx, u32 gpa)
{
	struct shadow *s = ctx;
	u32 frame = gpa >> PAGE_SHIFT;
	struct shadow_frame *w = &s->frame[frame];

	if (w->count)
		protect_entry(s, w->last / ENTRIES, w->last % ENTRIES, frame);
	if (w->count)
		protect_entry(s, w->before / ENTRIES, w->before % ENTRIES, frame);
	if (!w->count)
		return;
	s->stats.scans++;
	for (unsigned page = 0; page < s->c.page_count && w->count; page++)
		if (s->page[page].kind == SHADOW_TABLE)
			protect_in(s, page, frame);
}
