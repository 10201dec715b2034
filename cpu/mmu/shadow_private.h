/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the shadow tables share. Inside cpu/mmu/ only. */
#ifndef FARBUS_CPU_MMU_SHADOW_PRIVATE_H
#define FARBUS_CPU_MMU_SHADOW_PRIVATE_H

#include "cpu/mmu/shadow.h"
#include "cpu/mmu/walk.h"
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

#define VGA_FIRST  0xa0u /* its memory's first frame */
#define VGA_FRAMES 32u
#define ROM_FIRST  0xc0u /* the ROM area's first frame: RAM of the chipset's own choice */
#define ROM_FRAMES 64u

#define SOURCES	    4u /* of one page: PAE has four page directories */
#define HALVES	    2u /* of a table: PAE has two directory entries for it */
#define SOURCE_HASH 1024u
#define ROOT_HASH   256u
#define TABLE_HASH  1024u
#define LOOSE_MAX   32u

#define SHADOW_GROUP 32u /* entries for which `groups` or `tables` has one bit */

enum shadow_level { SHADOW_USER, SHADOW_KERNEL, SHADOW_NO_LEVEL };
enum shadow_kind { SHADOW_FREE, SHADOW_ROOT, SHADOW_TABLE };

/*
 * What a page of the pool is used for, and the guest frames it was made from: for a root the page
 * directory (PAE: four), for a table the page table (PAE: two, for its halves; none where large
 * pages are).
 *
 * All roots whose guest directories say the same at the same place share one table: what its
 * entries come from is in `part`, rights included (PAE: by halves, 0 as long as it has none).
 */
struct shadow_page {
	u8 kind;
	bool pae;
	bool kernel; /* for CPL 0 to 2 */
	u16 present; /* entries in use, Farbus's own not counted */
	u16 next;    /* free pages; roots and tables with the same hash */
	u16 writes;  /* to a root's sources since it was entered, that were not of use */
	union {
		struct { /* a root */
			u32 cr3;
			u16 newer, older; /* by when they were entered last */
			u32 tables;	  /* where entries may be, in groups like a table's */
		};
		struct { /* a table */
			u32 part[HALVES];
			u16 users;  /* roots that lead to it */
			u16 root;   /* the last one that took it */
			u16 index;  /* in all of them */
			u32 groups; /* where entries may be: others are 0 */
		};
	};
	u32 source[SOURCES];
	u16 source_next[SOURCES]; /* the next source with the same hash: page * SOURCES + number */
};

/* What is known of a guest frame. */
struct shadow_frame {
	u32 count : 24; /* entries that let it be written */
	u32 epoch : 7;	/* of v->flushes: when `writes` were */
	u32 loose : 1;	/* a page table that is not watched now: shadow_loose.c */
	u32 last : 24;	/* the newest of those entries: page * ENTRIES + index */
	u32 writes : 8; /* to this page table since that flush, while it is watched */
	u32 before;	/* the one that was the newest before it: programs' and the kernel's */
};

struct shadow {
	struct vcpu *v;
	struct physmem *mem;
	struct shadow_config c;
	struct shadow_stats stats;
	struct shadow_page *page;
	struct shadow_frame *frame; /* by guest frame, flag_pages of them */
	u32 rom[ROM_FRAMES];	  /* machine frames behind the ROM area, as they were mapped last */
	u16 free, current, other; /* other: the root that was current before */
	u8 level;		  /* enum shadow_level of `current` */
	bool paired;	    /* `other` is for the same CR3 as `current`, and the other level */
	u32 tables;	    /* v's, when they were found */
	u16 newest, oldest; /* roots */
	/* mem->mapping, CR4's paging bits and CR0.WP when the tables were made */
	u32 mapping, cr4, wp;
	bool expected; /* the guest was told of a fault at expected_lin and will come back there */
	u32 expected_lin;
	u32 plain_first, plain_last; /* guest memory that is machine memory at the same address */
	u32 loose[LOOSE_MAX];	     /* frames */
	unsigned loose_count;
	u32 version; /* goes up when what was made from which frame changes */
	u16 root_head[ROOT_HASH];
	u16 table_head[TABLE_HASH];
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
static inline bool shadow_is_vga(u32 frame)
{
	return frame - VGA_FIRST < VGA_FRAMES;
}
static inline unsigned shadow_page_at(const struct shadow *s, u32 phys)
{
	return ((phys & PAGE_MASK) - s->c.pages_phys) >> PAGE_SHIFT;
}

/* shadow.c: the pool and the roots. */
/* A page of that kind, for which a root that was not used for long may have to go. */
unsigned shadow_take(struct shadow *s, enum shadow_kind kind);
/* Whether a root is for v's CR3. */
bool shadow_root_used(const struct shadow *s, unsigned page);
void shadow_give_back(struct shadow *s, unsigned page); /* its entries are 0 */
void shadow_drop_root(struct shadow *s, unsigned page);

/* shadow_table.c: tables, and which roots lead to them. */
/* The table behind lin in the current root, made if need be; w: the walk of lin. */
unsigned shadow_table(struct shadow *s, u32 lin, const struct walk *w);
/*
 * The current root, just made, leads to what another kernel's root leads to where the guest's
 * directories say the same: that is the kernel's part.
 */
void shadow_inherit(struct shadow *s, unsigned from);
/* The root's entry `index`, which is there, goes; the table with it if no root leads to it. */
void shadow_unlink(struct shadow *s, unsigned root, unsigned index);
/* The same for one half of what it leads to. True: no entry was there. */
bool shadow_unlink_half(struct shadow *s, unsigned root, unsigned index, unsigned half);
void shadow_drop_table(struct shadow *s, unsigned page);

/* shadow_source.c: what was made from which guest frame. */
/* The first source that is this frame, and the next of the same: page * SOURCES + number. */
unsigned shadow_source_first(const struct shadow *s, u32 frame);
unsigned shadow_source_next(const struct shadow *s, unsigned source);
/* From now on writes to it are seen. */
void shadow_watch(struct shadow *s, u32 frame);
bool shadow_frame_watchable(const struct shadow *s, u32 frame);
void shadow_source_set(struct shadow *s, unsigned page, unsigned number, u32 frame);
void shadow_sources_clear(struct shadow *s, unsigned page);
/* A directory is about to be written: roots made from it for a CR3 that is not v's go. */
void shadow_drop_other_roots(struct shadow *s, u32 frame);
/* physmem's hook. */
void shadow_table_written(void *ctx, u32 gpa, u32 len);

/* shadow_loose.c: page tables that are not watched for a while. */
/* A page table is about to be written, by the interpreter or a device. */
void shadow_count_write(struct shadow *s, u32 frame);
/* The same for a fault of guest code. True: it may write now. */
bool shadow_write_fault(struct shadow *s, u32 frame);
/* It is watched, if it is a page table at all. */
void shadow_tighten(struct shadow *s, u32 frame);
/* It is no page table any more. */
void shadow_loose_forget(struct shadow *s, u32 frame);
/* physmem's hook. */
void shadow_tlb_flushed(void *ctx, bool all, u32 lin);

/* shadow_fill.c: how entries are made. */
/* In the current root, what is there by now of what the guest last faulted on. */
void shadow_fill_expected(struct shadow *s);
/*
 * An entry that the guest has not faulted on, for one of its page tables' or pages of a large one;
 * pte has P and A set, and pde the rights of the directory's.
 */
void shadow_prefetch(struct shadow *s, unsigned table, unsigned index, u32 pde, u32 pte);
/* The mapping of guest memory has changed: s->plain_first and plain_last. */
void shadow_find_plain(struct shadow *s);

/* shadow_entry.c: single entries, and which ones let a guest frame be written. */
void shadow_entry_set(struct shadow *s, unsigned page, unsigned index, u32 entry);
bool shadow_entry_drop(struct shadow *s, unsigned page, unsigned index); /* was there one? */
/* The machine frame that a guest frame of memory is mapped to. */
u32 shadow_machine_frame(const struct shadow *s, u32 frame);
/* No entry lets the page at gpa be written any more. Also physmem's hook. */
void shadow_protect(void *ctx, u32 gpa);

#endif
