/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the shadow tables share. Inside cpu/mmu/ only. */
#ifndef FARBUS_CPU_MMU_SHADOW_PRIVATE_H
#define FARBUS_CPU_MMU_SHADOW_PRIVATE_H

#include "cpu/mmu/shadow.h"
#include "cpu/physmem.h"

#define ENTRIES	  1024u
#define PAE_HALF  512u /* entries of a PAE table, and of a shadow table that come from it */
#define PDE_SHIFT 22
#define NO_PAGE	  0xffffu /* of a page or a source */
#define NO_FRAME  0xffffffffu

#define SPTE_P BIT(0)
#define SPTE_W BIT(1)
#define SPTE_U BIT(2)
#define SPTE_A BIT(5)
#define SPTE_D BIT(6)

#define ROM_FIRST  0xc0u /* the ROM area's first frame: RAM of the chipset's own choice */
#define ROM_FRAMES 64u

#define SOURCES	    4u /* of one page: PAE has four page directories */
#define SOURCE_HASH 1024u
#define ROOT_HASH   256u

enum shadow_kind { SHADOW_FREE, SHADOW_ROOT, SHADOW_TABLE };

/*
 * What a page of the pool is used for, and the guest frames it was made from: for a root the page
 * directory (PAE: four), for a table the page table (PAE: two, for its halves; none where large
 * pages are).
 */
struct shadow_page {
	u8 kind;
	bool pae;
	bool kernel;	 /* for CPL 0 to 2 */
	u16 present;	 /* entries in use, Farbus's own not counted */
	u16 root;	 /* of a table */
	u16 index;	 /* of a table in its root */
	u16 next;	 /* free pages; roots with the same hash */
	u16 idle_writes; /* to its sources since it was last used, that did not matter */
	u32 cr3, used;	 /* of a root: guest CR3, and when it was last entered */
	u32 source[SOURCES];
	u16 source_next[SOURCES]; /* the next source with the same hash: page * SOURCES + number */
};

/* Writable entries for a guest frame. */
struct shadow_writable {
	u32 count;
	u32 last; /* the newest one: page * ENTRIES + index */
};

struct shadow {
	struct vcpu *v;
	struct physmem *mem;
	struct shadow_config c;
	struct shadow_stats stats;
	struct shadow_page *page;
	struct shadow_writable *writable; /* by guest frame, flag_pages of them */
	u32 rom[ROM_FRAMES]; /* machine frames behind the ROM area, as they were mapped last */
	u16 free, current;
	u32 clock;
	/* mem->mapping, CR4's paging bits and CR0.WP when the tables were made */
	u32 mapping, cr4, wp;
	u16 root_head[ROOT_HASH];
	u16 source_head[SOURCE_HASH];
};

static inline u32 *shadow_entries(const struct shadow *s, unsigned page)
{
	return (u32 *)(void *)(s->c.pages + page * PAGE_SIZE);
}
static inline u32 shadow_phys(const struct shadow *s, unsigned page)
{
	return s->c.pages_phys + page * PAGE_SIZE;
}
static inline unsigned shadow_page_at(const struct shadow *s, u32 phys)
{
	return ((phys & PAGE_MASK) - s->c.pages_phys) >> PAGE_SHIFT;
}

/* shadow.c: the pool, roots and tables. */
/* The table behind lin in the current root, made if need be. */
unsigned shadow_table(struct shadow *s, u32 lin);
void shadow_drop_table(struct shadow *s, unsigned page);
void shadow_drop_root(struct shadow *s, unsigned page);

/* shadow_source.c: what was made from which guest frame. */
bool shadow_frame_watchable(const struct shadow *s, u32 frame);
void shadow_source_set(struct shadow *s, unsigned page, unsigned number, u32 frame);
void shadow_sources_clear(struct shadow *s, unsigned page);
/* Drops all that was made from the frame: it is no longer watched. */
void shadow_release(struct shadow *s, u32 frame);
/* physmem's hook. */
void shadow_table_written(void *ctx, u32 gpa, u32 len);

/* shadow_entry.c: single entries, and which ones let a guest frame be written. */
void shadow_entry_set(struct shadow *s, unsigned page, unsigned index, u32 entry);
bool shadow_entry_drop(struct shadow *s, unsigned page, unsigned index); /* was there one? */
/* No entry lets the page at gpa be written any more. Also physmem's hook. */
void shadow_protect(void *ctx, u32 gpa);

#endif
