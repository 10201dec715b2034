/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadow page tables: what the CPU itself walks while guest code runs on it. Each guest CR3 has a
 * page directory of its own (a "root"), filled as the guest faults, and kept when the guest loads
 * another CR3. Where CPL 0 to 2 run on the CPU as well it has two, because guest code runs at CPL 3
 * whatever its CPL is: what a supervisor may do is not for users to see. Guest pages that entries
 * were made from are watched (PHYS_PAGE_TABLE): a write to one takes away what was made from the
 * bytes written. Page tables that are written often are compared when the guest flushes instead.
 *
 * An entry exists only while the guest's own entry has its A bit set, and is writable only while D
 * is set there and the page is not watched itself, so the guest's A and D bits are exact. All guest
 * forms (4 KB, 2 and 4 MB, PAE) become 4 KB entries of 32-bit tables, for user accesses.
 */
#ifndef FARBUS_CPU_MMU_SHADOW_H
#define FARBUS_CPU_MMU_SHADOW_H

#include "cpu/vcpu.h"

#define SHADOW_PAGES_MIN 64u
#define SHADOW_PAGES_MAX 16000u

struct shadow_config {
	u8 *pages;	 /* page-aligned and zeroed: the shadow tables */
	u32 pages_phys;	 /* machine address of the same */
	u32 page_count;	 /* SHADOW_PAGES_MIN to SHADOW_PAGES_MAX */
	u8 *window;	 /* machine memory */
	u32 window_size; /* bytes */
	/*
	 * In the window memory is mapped that is at the guest's own address there. For the ROM area
	 * this gives the machine address of memory elsewhere; NULL or 0: not to be mapped.
	 */
	u32 (*machine)(const u8 *host);
	bool ram_only; /* the VGA's memory is not to be mapped */
	u32 own_index; /* the directory entry of Farbus's own part, and what it holds */
	u32 own_pde;
	u32 own_kernel_pde; /* the same for the roots of CPL 0 to 2 */
};

struct shadow_stats {
	u64 fills;	     /* faults that entries were made for */
	u64 prefetched;	     /* entries made without one */
	u64 refused;	     /* faults left to another engine: not plain memory */
	u64 entries_dropped; /* by writes to guest tables */
	u64 tables_made, tables_dropped;
	u64 roots_made, roots_dropped;
	u64 evictions; /* roots given up for want of memory */
	u64 scans;     /* searches for all entries of a page */
	u64 loosened;  /* page tables that were written too often to be watched */
	u64 compared;  /* page tables compared with what was made from them, at flushes */
	u32 pages, pages_in_use, pages_most; /* the bound; now; ever */
};

struct shadow;

/* flag_pages: physmem's; pages: the tables'. */
size_t shadow_arena_size(u32 flag_pages, u32 pages);
/* In a zeroed arena; hooks itself to v->mem. */
struct shadow *shadow_init(struct vcpu *v, void *arena, const struct shadow_config *c);

/*
 * The machine address of the page directory for v's CR3 (without paging: for all of the physical
 * memory); 0 where the guest's directory is not in RAM that can be watched. To be asked before each
 * time the CPU uses it.
 */
u32 shadow_root(struct shadow *s);

/*
 * After a fault of an access at lin, made with v's CPL and the root of the last shadow_root():
 * makes the entry and returns true; or raises what the guest's tables say, as the access would; or
 * returns false: the guest may do it, but not directly (devices, Farbus's part of the linear space,
 * page tables that are watched).
 */
bool shadow_fill(struct shadow *s, u32 lin, bool write);
/*
 * What is asked of each store to a page directory in use, taken apart: the roots that were made
 * from it. It holds while *version is `seen`, and CR0 and CR3 are what they were.
 */
#define SHADOW_IDLE_ROOTS 2u
struct shadow_idle {
	const u32 *version;
	u32 seen;
	const u32 *root[SHADOW_IDLE_ROOTS];
	u32 own_index;
};
/*
 * False: the page at gpa is something else, too, or made into more roots than that; or into none.
 */
bool shadow_idle_find(struct shadow *s, u32 gpa, struct shadow_idle *idle);
/*
 * Whether a store to the aligned word at gpa changes nothing but an entry that nothing was made
 * from: then nobody has to be told of it.
 */
static inline bool shadow_idle_store(const struct shadow_idle *idle, u32 gpa)
{
	u32 index = (gpa & ~PAGE_MASK) / 4;

	return *idle->version == idle->seen && index != idle->own_index &&
	       !((idle->root[0][index] | idle->root[1][index]) & 1);
}

/* Forgets everything. */
void shadow_flush(struct shadow *s);

const struct shadow_stats *shadow_stats(const struct shadow *s);

#endif
