/* SPDX-License-Identifier: BSD-2-Clause */
/* Single entries of shadow tables: made after faults, and counted while they allow writing. */
#include "cpu/mmu/shadow_private.h"
#include "cpu/mmu/walk.h"

#define VGA_FIRST 0xa0000u
#define VGA_SIZE  0x20000u

/* Which machine frame a guest frame is mapped to, and the other way round. */
static u32 machine_frame(const struct shadow *s, u32 frame)
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

static struct shadow_writable *writable_of(struct shadow *s, u32 entry)
{
	u32 frame = guest_frame(s, entry >> PAGE_SHIFT);

	return frame < s->mem->flag_pages ? &s->writable[frame] : NULL;
}

bool shadow_entry_drop(struct shadow *s, unsigned page, unsigned index)
{
	u32 *entry = &shadow_entries(s, page)[index];
	struct shadow_writable *w = writable_of(s, *entry);

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
	struct shadow_writable *w = writable_of(s, entry);

	shadow_entry_drop(s, page, index);
	if (w && (entry & SPTE_W)) {
		w->count++;
		w->last = page * ENTRIES + index;
	}
	shadow_entries(s, page)[index] = entry;
	s->page[page].present++;
}

static void protect_entry(struct shadow *s, unsigned page, unsigned index, u32 frame)
{
	u32 *entry = &shadow_entries(s, page)[index];

	if (s->page[page].kind != SHADOW_TABLE || !(*entry & SPTE_W) ||
	    *entry >> PAGE_SHIFT != machine_frame(s, frame))
		return;
	*entry &= ~(SPTE_W | SPTE_D);
	s->writable[frame].count--;
}

void shadow_protect(void *ctx, u32 gpa)
{
	struct shadow *s = ctx;
	u32 frame = gpa >> PAGE_SHIFT;
	struct shadow_writable *w = &s->writable[frame];

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
	const struct phys_region *r = physmem_find(s->mem, gpa);
	const u8 *rd;

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

/* Before the guest gets write access to a watched page: what was made from the page goes. */
static void end_watch(struct shadow *s, u32 gpa)
{
	u8 flags = physmem_flags(s->mem, gpa);

	if (flags & PHYS_PAGE_CLEAN)
		s->mem->clean_changes(s->mem->clean_ctx, gpa);
	if ((flags & PHYS_PAGE_CODE) && s->mem->code_written)
		s->mem->code_written(s->mem->hook_ctx, gpa & PAGE_MASK, PAGE_SIZE);
	if ((flags & PHYS_PAGE_TRANSLATED) && s->mem->translated_written)
		s->mem->translated_written(s->mem->translated_ctx, gpa);
	if (flags & PHYS_PAGE_TABLE)
		shadow_release(s, gpa >> PAGE_SHIFT);
}

bool shadow_fill(struct shadow *s, u32 lin, bool write)
{
	struct walk w;
	unsigned table;
	bool plain, can_write;
	u32 entry, source;

	if (lin >> PDE_SHIFT == s->c.own_index)
		goto refuse;
	w = page_walk(s->v, lin, write, s->v->cpl == 3);
	plain = machine_page(s, w.gpa, &entry, &can_write);
	if (!plain || (write && !can_write))
		goto refuse;
	source = w.large || !(s->v->cr0 & CR0_PG) ? NO_FRAME : w.table >> PAGE_SHIFT;
	if (source != NO_FRAME && !shadow_frame_watchable(s, source))
		goto refuse;
	if (write)
		end_watch(s, w.gpa);
	/* The walk or the above may have dropped the root. */
	if (!shadow_root(s))
		goto refuse;
	table = shadow_table(s, lin);
	s->page[table].idle_writes = 0;
	shadow_source_set(s, table, s->page[table].pae && (lin & BIT(PDE_SHIFT - 1)) ? 1 : 0,
			  source);
	entry |= SPTE_P | SPTE_U | SPTE_A;
	if (w.writable && can_write && !(physmem_flags(s->mem, w.gpa) & PHYS_PAGE_WATCHED))
		entry |= SPTE_W | SPTE_D;
	else if (write)
		goto refuse;
	shadow_entry_set(s, table, (lin >> PAGE_SHIFT) % ENTRIES, entry);
	s->stats.fills++;
	return true;
refuse:
	s->stats.refused++;
	return false;
}
