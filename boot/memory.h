/* SPDX-License-Identifier: BSD-2-Clause */
/* This PC's RAM: what the loader reports, and what Farbus takes of it. Inside boot/ only. */
#ifndef FARBUS_BOOT_MEMORY_H
#define FARBUS_BOOT_MEMORY_H

#include "lib/types.h"

/* Usable RAM, merged and sorted, clipped to what the physical window covers. */
struct ram_range {
	u32 start, end; /* bytes; end is exclusive */
};

#define RAM_RANGES_MAX 32

struct ram_map {
	struct ram_range range[RAM_RANGES_MAX];
	unsigned count;
};

void ram_map_add(struct ram_map *map, u64 start, u64 size);
/* Merges and sorts; call once after the last ram_map_add(). */
void ram_map_finish(struct ram_map *map);

/* --- Farbus's own part (boot/memory.c) --- */

/* Farbus takes whole pages downwards from `top`, never below `floor`. */
void memory_init(u32 floor, u32 top);
/* Physical address of `size` bytes (rounded up to pages); 0 when there is no room. Not zeroed. */
u32 memory_take(u32 size);
/* Bytes that memory_take() could still give. */
u32 memory_left(void);
/* Bytes of linear space that the heap can still grow by, whatever memory there is. */
u32 memory_heap_left(void);
/* The guest gets [0, end): what Farbus takes stays above. False when it is taken already. */
bool memory_set_floor(u32 end);
/* Bytes taken since memory_init(): modules, image, tables and heap. */
u32 memory_own(void);
/* Lowest address that Farbus has taken. */
u32 memory_bottom(void);

/* --- page tables (boot/paging.c) --- */

/* Where the running image is linked; symbols of linker.ld. */
extern u8 image_start[], image_text_end[], image_end[], stack_guard[], stack_top[];
extern u8 boot_end[];

/* Copies the image to `phys`, builds the final page tables and goes on there. */
void paging_move(u32 phys);
/* The page directory's entry for the part of the slot that the image is in. */
u32 paging_image_pde(void);
/*
 * Two neighbouring places behind the image, whole pages: memory for code that Farbus
 * writes, and memory for data. *pde becomes a directory entry for the slot's first 4 MB with which
 * guest code of CPL 3 may execute the first and write to the second; the rest of it, the image, is
 * there for CPL 0 only. NULL: no memory.
 */
void *paging_guest_part(u32 code, u32 data, u32 *pde);
/* The machine address of something in the slot; 0: not mapped there. */
u32 paging_machine(const void *p);
/* Maps one page of the slot. False: no memory for the table. */
bool paging_map(u32 linear, u32 phys, bool writable);

#endif
