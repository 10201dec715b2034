/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/memory.h"
#include "boot/host.h"
#include "lib/log.h"
#include "lib/str.h"

void ram_map_add(struct ram_map *map, u64 start, u64 size)
{
	u64 end = start + size;

	if (end > PHYS_WINDOW_SIZE || end < start)
		end = PHYS_WINDOW_SIZE;
	start = (start + PAGE_SIZE - 1) & ~(u64)(PAGE_SIZE - 1);
	end &= ~(u64)(PAGE_SIZE - 1);
	if (start >= end || map->count == RAM_RANGES_MAX)
		return;
	map->range[map->count++] = (struct ram_range){(u32)start, (u32)end};
}

void ram_map_finish(struct ram_map *map)
{
	struct ram_range *r = map->range;
	unsigned n = 0;

	for (unsigned i = 1; i < map->count; i++) {
		struct ram_range one = r[i];
		unsigned j = i;

		for (; j && r[j - 1].start > one.start; j--)
			r[j] = r[j - 1];
		r[j] = one;
	}
	for (unsigned i = 0; i < map->count; i++) {
		if (n && r[i].start <= r[n - 1].end) {
			if (r[i].end > r[n - 1].end)
				r[n - 1].end = r[i].end;
		} else {
			r[n++] = r[i];
		}
	}
	map->count = n;
}

/* [floor, bottom) is free; [bottom, top) is Farbus's. */
static struct {
	u32 floor, bottom, top;
} pool;

/* The heap grows page by page, inside the slot, behind the 4 MB that the image is in: what is left
 * of these is for paging_guest_part(). */
#define HEAP_START (((u32)image_end | (4 * MB - 1)) + 1)
#define HEAP_END   0xfffff000u
static u32 heap_next, heap_mapped;

void memory_init(u32 floor, u32 top)
{
	pool.floor = floor;
	pool.bottom = pool.top = top & PAGE_MASK;
}

u32 memory_take(u32 size)
{
	size = (size + PAGE_SIZE - 1) & PAGE_MASK;
	if (!size || size > memory_left())
		return 0;
	pool.bottom -= size;
	return pool.bottom;
}

u32 memory_left(void)
{
	return pool.bottom - pool.floor;
}

bool memory_set_floor(u32 end)
{
	if (end > pool.bottom)
		return false;
	if (end > pool.floor)
		pool.floor = end;
	return true;
}

u32 memory_own(void)
{
	return pool.top - pool.bottom;
}

u32 memory_bottom(void)
{
	return pool.bottom;
}

static bool heap_map_to(u32 end)
{
	while (heap_mapped < end) {
		u32 phys = memory_take(PAGE_SIZE);

		if (!phys)
			return false;
		memset(phys_ptr(phys), 0, PAGE_SIZE);
		if (!paging_map(heap_mapped, phys, true))
			return false;
		heap_mapped += PAGE_SIZE;
	}
	return true;
}

u32 memory_heap_left(void)
{
	return HEAP_END - (heap_next ? heap_next : HEAP_START);
}

void *host_alloc(size_t size)
{
	u32 align = size >= PAGE_SIZE ? PAGE_SIZE : 16, start;

	if (!heap_next)
		heap_next = heap_mapped = HEAP_START;
	start = (heap_next + align - 1) & ~(align - 1);
	if (size > HEAP_END - start || !heap_map_to(start + size))
		return NULL;
	heap_next = start + size;
	return (void *)start;
}
