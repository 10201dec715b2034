/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Farbus's linear space: page 0 unmapped, all physical memory in a window, device windows, and the
 * slot at the top with image and heap. docs/architecture.md has the picture.
 */
#include "boot/host.h"
#include "boot/memory.h"
#include "lib/log.h"
#include "lib/str.h"

#define PDE_SHIFT   22
#define BIG_PAGE    (1u << PDE_SHIFT)
#define DEVICE_BASE 0xc0000000u
#define DEVICE_END  0xf0000000u

#define PTE_P	BIT(0)
#define PTE_W	BIT(1)
#define PTE_U	BIT(2)
#define PTE_PWT BIT(3)
#define PTE_PCD BIT(4)
#define PTE_PS	BIT(7)

/* Used from boot/entry.asm until the move. */
u32 boot_page_directory[1024] __attribute__((aligned(4096)));

void relocate_image(void *dst, const void *src, u32 size, u32 page_directory);

/* The page directory in use, in the window; NULL before the move. */
static u32 *directory;
static u32 device_next = DEVICE_BASE;

static u32 take_table(void)
{
	u32 phys = memory_take(PAGE_SIZE);

	if (phys)
		memset(phys_ptr(phys), 0, PAGE_SIZE);
	return phys;
}

bool paging_map(u32 linear, u32 phys, bool writable)
{
	u32 *pde = &directory[linear >> PDE_SHIFT];
	u32 *table;

	if (!(*pde & PTE_P)) {
		u32 new = take_table();
		if (!new)
			return false;
		*pde = new | PTE_P | PTE_W;
	}
	table = phys_ptr(*pde & PAGE_MASK);
	table[(linear >> PAGE_SHIFT) & 1023] = phys | PTE_P | (writable ? PTE_W : 0);
	return true;
}

void paging_move(u32 phys)
{
	u32 pd = take_table(), size = (u32)(image_end - image_start);

	if (!pd)
		panic("no memory for a page directory");
	directory = phys_ptr(pd);
	for (u32 p = 0; p < PHYS_WINDOW_SIZE; p += BIG_PAGE)
		directory[(PHYS_WINDOW + p) >> PDE_SHIFT] = p | PTE_P | PTE_W | PTE_PS;
	for (u32 at = 0; at < size; at += PAGE_SIZE) {
		u8 *linear = image_start + at;

		if (linear == stack_guard)
			continue;
		if (!paging_map((u32)linear, phys + at, linear >= image_text_end))
			panic("no memory for a page table");
	}
	relocate_image(phys_ptr(phys), image_start, size, pd);
}

u32 paging_image_pde(void)
{
	return directory[(u32)image_start >> PDE_SHIFT];
}

void *paging_guest_part(u32 code, u32 data, u32 *pde)
{
	u32 start = ((u32)image_end + PAGE_SIZE - 1) & PAGE_MASK, phys = memory_take(code + data);
	u32 copy = take_table(), *to = phys_ptr(copy), first = start >> PAGE_SHIFT & 1023;

	if (!phys || !copy || start + code + data > (start | (BIG_PAGE - 1)))
		return NULL;
	memset(phys_ptr(phys), 0, code + data);
	for (u32 at = 0; at < code + data; at += PAGE_SIZE)
		if (!paging_map(start + at, phys + at, true))
			return NULL;
	memcpy(to, phys_ptr(paging_image_pde() & PAGE_MASK), PAGE_SIZE);
	for (u32 at = 0; at < code + data; at += PAGE_SIZE)
		to[first + (at >> PAGE_SHIFT)] =
			(phys + at) | PTE_P | PTE_U | (at >= code ? PTE_W : 0);
	*pde = copy | PTE_P | PTE_W | PTE_U;
	return (void *)start;
}

u32 paging_machine(const void *p)
{
	u32 linear = (u32)p, pde = directory[linear >> PDE_SHIFT], pte;

	if (linear < (u32)image_start || !(pde & PTE_P))
		return 0;
	pte = ((const u32 *)phys_ptr(pde & PAGE_MASK))[(linear >> PAGE_SHIFT) & 1023];
	return pte & PTE_P ? (pte & PAGE_MASK) | (linear & ~PAGE_MASK) : 0;
}

void *ioremap(u32 phys, u32 size)
{
	u32 first = phys & ~(BIG_PAGE - 1), start = device_next;
	u64 end = (u64)phys + size;
	u32 pages = (u32)((end - first + BIG_PAGE - 1) >> PDE_SHIFT);

	if (!size || end > 1ull << 32 || pages > (DEVICE_END - start) >> PDE_SHIFT)
		return NULL;
	for (u32 i = 0; i < pages; i++) {
		directory[(start >> PDE_SHIFT) + i] =
			(first + (i << PDE_SHIFT)) | PTE_P | PTE_W | PTE_PS | PTE_PCD | PTE_PWT;
		asm volatile("invlpg (%0)" ::"r"(start + (i << PDE_SHIFT)) : "memory");
	}
	device_next = start + (pages << PDE_SHIFT);
	return (u8 *)(uintptr_t)start + (phys - first);
}
