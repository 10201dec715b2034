/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest-physical address space: a short sorted list of regions. Each is backed by host memory
 * for reads and for writes (not always the same memory: PAM lets a PC read ROM and write the RAM
 * under it), or by a device's MMIO handler. What no region covers reads as all ones and ignores
 * writes. Devices edit the list; the CPU engines cache what they look up and are told of changes.
 */
#ifndef FARBUS_CPU_PHYSMEM_H
#define FARBUS_CPU_PHYSMEM_H

#include "lib/types.h"

#define PHYS_REGIONS_MAX 64

struct mmio_ops {
	/* width is 1, 2 or 4; gpa is the full guest-physical address. */
	u32 (*read)(void *dev, u32 gpa, unsigned width);
	void (*write)(void *dev, u32 gpa, unsigned width, u32 value);
};

struct phys_region {
	u32 first, last;	     /* inclusive, page-aligned: last = first + size - 1 */
	u8 *rd;			     /* host memory at `first` for reads, NULL: all ones or mmio */
	u8 *wr;			     /* host memory at `first` for writes, NULL: ignored or mmio */
	const struct mmio_ops *mmio; /* used where rd or wr is NULL */
	void *dev;
};

/* page_flags[] bits */
#define PHYS_PAGE_CODE	     BIT(0) /* an engine holds something decoded from this page */
#define PHYS_PAGE_TABLE	     BIT(1) /* an engine holds something made from page tables in it */
#define PHYS_PAGE_TRANSLATED BIT(2) /* an engine holds translations of code in it */
#define PHYS_PAGE_CLEAN	     BIT(3) /* lockstep wants to see its next change */
#define PHYS_PAGE_REAL	     BIT(4) /* an engine has looked at code of real mode in it */
#define PHYS_PAGE_WATCHED                                                                          \
	(PHYS_PAGE_CODE | PHYS_PAGE_TABLE | PHYS_PAGE_TRANSLATED | PHYS_PAGE_CLEAN | PHYS_PAGE_REAL)

struct physmem {
	struct phys_region region[PHYS_REGIONS_MAX]; /* sorted, not overlapping */
	unsigned region_count;
	unsigned largest; /* the region of RAM that most accesses go to */
	u32 a20_mask;	  /* ~0, or ~(1 << 20) while A20 is held low */
	u32 ram_size;	  /* bytes of guest RAM from 0, holes included */
	u32 flag_pages;	  /* number of entries in page_flags */
	u8 *page_flags;	  /* by guest frame number; frames beyond are never watched */
	u32 mapping;	  /* goes up when regions or A20 change */
	u32 written;	  /* ... and with each physmem_write() */

	/* The engine's hooks; may be NULL. */
	void (*code_written)(void *ctx, u32 gpa,
			     u32 len);	    /* bytes of a PHYS_PAGE_CODE page change */
	void (*mapping_changed)(void *ctx); /* regions or A20 changed: drop all caches */
	void *hook_ctx;
	/* The same for PHYS_PAGE_TABLE. Called before the bytes change; they may cross no page. */
	void (*table_written)(void *ctx, u32 gpa, u32 len);
	/* A page has just become PHYS_PAGE_CODE: writes to it have to be seen from now on. */
	void (*code_found)(void *ctx, u32 gpa);
	void *table_ctx;
	/* The TLB was flushed, all of it or one page's entry; called while tables_loose is set. */
	void (*tables_flushed)(void *ctx, bool all, u32 lin);
	bool tables_loose;
	/* The same for PHYS_PAGE_TRANSLATED; NULL without a translator. Also called before other
	 * memory takes the place of such a page. */
	void (*translated_written)(void *ctx, u32 gpa, u32 len);
	/* Whether each store to such a page is to be seen: guest code on the CPU gets no right to
	 * write to it. NULL: no. */
	bool (*stores_apart)(void *ctx, u32 gpa);
	void *translated_ctx;
	/* The same for PHYS_PAGE_REAL. */
	void (*real_written)(void *ctx, u32 gpa);
	void *real_ctx;
	/* A PHYS_PAGE_CLEAN page is about to change: the flag is for this to clear. */
	void (*clean_changes)(void *ctx, u32 gpa);
	void *clean_ctx;
};

/* ram_size: bytes; flags: ram_size / PAGE_SIZE (at least 256) zeroed bytes, kept by the caller. */
void physmem_init(struct physmem *pm, u32 ram_size, u8 *flags, u32 flag_pages);

/*
 * Puts a region in place of whatever was there (parts of older regions around it stay).
 * Returns 0, or -1 when the list is full or the range is not page-aligned.
 */
int physmem_map(struct physmem *pm, const struct phys_region *region);
int physmem_unmap(struct physmem *pm, u32 first, u32 last);

/* The region that covers gpa (A20 is not applied here), or NULL. */
const struct phys_region *physmem_search(const struct physmem *pm, u32 gpa);
static inline const struct phys_region *physmem_find(const struct physmem *pm, u32 gpa)
{
	const struct phys_region *r = &pm->region[pm->largest];

	if (likely(gpa - r->first <= r->last - r->first && pm->region_count))
		return r;
	r = &pm->region[0]; /* a PC's first 640 KB */
	if (gpa - r->first <= r->last - r->first && pm->region_count)
		return r;
	return physmem_search(pm, gpa);
}

/* The A20 gate, as port 92h and the 8042 drive it. */
void physmem_set_a20(struct physmem *pm, bool enabled);
static inline bool physmem_a20(const struct physmem *pm)
{
	return pm->a20_mask == ~0u;
}

/* Device DMA and the monitor: any length, any regions; reports written code to the engine. */
void physmem_read(struct physmem *pm, u32 gpa, void *buf, u32 len);
void physmem_write(struct physmem *pm, u32 gpa, const void *buf, u32 len);

/* Frames that page_flags[] does not cover are not watched. */
static inline u8 physmem_flags(const struct physmem *pm, u32 gpa)
{
	return gpa >> PAGE_SHIFT < pm->flag_pages ? pm->page_flags[gpa >> PAGE_SHIFT] : 0;
}
/* Before bytes of one page, which may be watched, change. */
void physmem_note_write(struct physmem *pm, u32 gpa, u32 len);

/* One access of width 1, 2 or 4 to MMIO or unbacked space (what the engines' slow path calls). */
u32 physmem_io_read(struct physmem *pm, u32 gpa, unsigned width);
void physmem_io_write(struct physmem *pm, u32 gpa, unsigned width, u32 value);

#endif
