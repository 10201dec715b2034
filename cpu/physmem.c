/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest-physical address space as a sorted list of regions: see physmem.h. */
#include "cpu/physmem.h"
#include "lib/str.h"

void physmem_init(struct physmem *pm, u32 ram_size, u8 *flags, u32 flag_pages)
{
	memset(pm, 0, sizeof(*pm));
	pm->a20_mask = ~0u;
	pm->ram_size = ram_size;
	pm->page_flags = flags;
	pm->flag_pages = flag_pages;
}

/* Of guest RAM: a frame buffer may be larger, and is seldom reached by way of the list. */
static u32 memory_size(const struct physmem *pm, const struct phys_region *r)
{
	return r->first < pm->ram_size && r->rd && r->rd == r->wr ? r->last - r->first : 0;
}

static void find_largest(struct physmem *pm)
{
	pm->largest = 0;
	for (unsigned i = 1; i < pm->region_count; i++)
		if (memory_size(pm, &pm->region[i]) > memory_size(pm, &pm->region[pm->largest]))
			pm->largest = i;
}

static void notify_mapping(struct physmem *pm)
{
	find_largest(pm);
	pm->mapping++;
	if (pm->mapping_changed)
		pm->mapping_changed(pm->hook_ctx);
}

/* The part [first, last] of region r. */
static struct phys_region region_part(const struct phys_region *r, u32 first, u32 last)
{
	struct phys_region part = *r;

	part.first = first;
	part.last = last;
	if (r->rd)
		part.rd = r->rd + (first - r->first);
	if (r->wr)
		part.wr = r->wr + (first - r->first);
	return part;
}

/*
 * Writes to `out` the list with [first, last] cut out and, when it is given, `add` put there.
 * Returns the new length, which may be up to two more than before.
 */
static unsigned rebuild(const struct physmem *pm, struct phys_region *out, u32 first, u32 last,
			const struct phys_region *add)
{
	unsigned n = 0;

	for (unsigned i = 0; i < pm->region_count; i++) {
		const struct phys_region *r = &pm->region[i];

		if (add && r->first >= first) {
			if (r->first <= last && r->last > last) {
				out[n++] = *add;
				out[n++] = region_part(r, last + 1, r->last);
				add = NULL;
				continue;
			}
			if (r->first > last) {
				out[n++] = *add;
				add = NULL;
			}
		}
		if (r->last < first || r->first > last) {
			out[n++] = *r;
			continue;
		}
		if (r->first < first)
			out[n++] = region_part(r, r->first, first - 1);
		if (r->last > last) {
			if (add)
				out[n++] = *add;
			add = NULL;
			out[n++] = region_part(r, last + 1, r->last);
		}
	}
	if (add)
		out[n++] = *add;
	return n;
}

/* Where a page is read, NULL: not in memory; r: the region that it is in, or NULL. */
static const u8 *read_at(const struct phys_region *r, u32 gpa)
{
	return r && r->rd ? r->rd + (gpa - r->first) : NULL;
}

/* Pages of [first, last] that are about to be read elsewhere lose their translations: RAM comes in
 * place of ROM at the addresses of a PC's BIOS, and other code with it. */
static void tell_translator(struct physmem *pm, u32 first, u32 last, const struct phys_region *add)
{
	for (u32 frame = first >> PAGE_SHIFT; frame <= last >> PAGE_SHIFT; frame++) {
		u32 gpa = frame << PAGE_SHIFT;

		if (frame >= pm->flag_pages)
			return;
		if ((pm->page_flags[frame] & PHYS_PAGE_TRANSLATED) && pm->translated_written &&
		    read_at(physmem_search(pm, gpa), gpa) != read_at(add, gpa))
			pm->translated_written(pm->translated_ctx, gpa, PAGE_SIZE);
	}
}

static int replace(struct physmem *pm, u32 first, u32 last, const struct phys_region *add)
{
	struct phys_region list[PHYS_REGIONS_MAX + 2];
	unsigned n;

	if ((first & ~PAGE_MASK) || (last & ~PAGE_MASK) != ~PAGE_MASK || first > last)
		return -1;
	n = rebuild(pm, list, first, last, add);
	if (n > PHYS_REGIONS_MAX)
		return -1;
	tell_translator(pm, first, last, add);
	memcpy(pm->region, list, n * sizeof(list[0]));
	pm->region_count = n;
	notify_mapping(pm);
	return 0;
}

int physmem_map(struct physmem *pm, const struct phys_region *region)
{
	return replace(pm, region->first, region->last, region);
}

int physmem_unmap(struct physmem *pm, u32 first, u32 last)
{
	return replace(pm, first, last, NULL);
}

const struct phys_region *physmem_search(const struct physmem *pm, u32 gpa)
{
	unsigned low = 0, high = pm->region_count;

	while (low < high) {
		unsigned mid = (low + high) / 2;
		const struct phys_region *r = &pm->region[mid];

		if (gpa < r->first)
			high = mid;
		else if (gpa > r->last)
			low = mid + 1;
		else
			return r;
	}
	return NULL;
}

void physmem_set_a20(struct physmem *pm, bool enabled)
{
	u32 mask = enabled ? ~0u : ~BIT(20);

	if (pm->a20_mask == mask)
		return;
	pm->a20_mask = mask;
	notify_mapping(pm);
}

u32 physmem_io_read(struct physmem *pm, u32 gpa, unsigned width)
{
	const struct phys_region *r = physmem_find(pm, gpa);
	u32 value = ~0u;

	if (r && r->rd && r->last - gpa >= width - 1)
		memcpy(&value, r->rd + (gpa - r->first), width);
	else if (r && !r->rd && r->mmio)
		value = r->mmio->read(r->dev, gpa, width);
	return width == 4 ? value : value & (BIT(width * 8) - 1);
}

void physmem_io_write(struct physmem *pm, u32 gpa, unsigned width, u32 value)
{
	const struct phys_region *r = physmem_find(pm, gpa);

	if (!r)
		return;
	if (r->wr) {
		if (r->last - gpa >= width - 1)
			physmem_write(pm, gpa, &value, width);
	} else if (r->mmio) {
		r->mmio->write(r->dev, gpa, width, value);
	}
}

/* Bytes from gpa to the end of its page, at most len. */
static u32 page_part(u32 gpa, u32 len)
{
	u32 room = PAGE_SIZE - (gpa & ~PAGE_MASK);

	return len < room ? len : room;
}

void physmem_read(struct physmem *pm, u32 gpa, void *buf, u32 len)
{
	u8 *out = buf;

	while (len) {
		u32 n = page_part(gpa, len);
		const struct phys_region *r = physmem_find(pm, gpa);

		if (r && r->rd) {
			memcpy(out, r->rd + (gpa - r->first), n);
		} else {
			for (u32 i = 0; i < n; i++)
				out[i] = (u8)physmem_io_read(pm, gpa + i, 1);
		}
		out += n;
		gpa += n;
		len -= n;
	}
}

void physmem_note_write(struct physmem *pm, u32 gpa, u32 len)
{
	u8 flags = physmem_flags(pm, gpa);

	if ((flags & PHYS_PAGE_CLEAN) && pm->clean_changes)
		pm->clean_changes(pm->clean_ctx, gpa);
	if ((flags & PHYS_PAGE_CODE) && pm->code_written)
		pm->code_written(pm->hook_ctx, gpa, len);
	if ((flags & PHYS_PAGE_TRANSLATED) && pm->translated_written)
		pm->translated_written(pm->translated_ctx, gpa, len);
	if ((flags & PHYS_PAGE_REAL) && pm->real_written)
		pm->real_written(pm->real_ctx, gpa);
	if ((flags & PHYS_PAGE_TABLE) && pm->table_written)
		pm->table_written(pm->table_ctx, gpa, len);
}

void physmem_write(struct physmem *pm, u32 gpa, const void *buf, u32 len)
{
	const u8 *in = buf;

	pm->written++;
	while (len) {
		u32 n = page_part(gpa, len);
		const struct phys_region *r = physmem_find(pm, gpa);

		if (r && r->wr) {
			if (physmem_flags(pm, gpa) & PHYS_PAGE_WATCHED)
				physmem_note_write(pm, gpa, n);
			memcpy(r->wr + (gpa - r->first), in, n);
		} else if (r && r->mmio) {
			for (u32 i = 0; i < n; i++)
				r->mmio->write(r->dev, gpa + i, 1, in[i]);
		}
		in += n;
		gpa += n;
		len -= n;
	}
}
