/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of decoded blocks: found by guest-physical address and mode, dropped by guest page.
 *
 * Blocks live in a pool that only grows; when it is full everything is forgotten at once. A dropped
 * block keeps its memory until then: the handlers of its insns are replaced by op_stale, so that a
 * chain into it, or the code that just overwrote itself, comes back to the run loop at the next
 * instruction. Memory is reused in cache_alloc() only, where no handler is running.
 */
#include "cpu/interp/interp.h"
#include "cpu/interp/optable.h"
#include "lib/str.h"

/* Stores beside the code of a page until it is taken for data, at first and at most. */
#define PATIENCE_FIRST 512u
#define PATIENCE_LAST  0x8000u

struct block *cache_find(struct interp *in, u32 gpa, u32 mode)
{
	struct block **head = &in->hash[interp_hash(gpa)], **link = head, *b;

	for (b = *head; b != &in->none; link = &b->hash_next, b = *link) {
		if (b->gpa != gpa || b->mode != mode)
			continue;
		/* To the front: goto_eip() looks at the first one only. */
		*link = b->hash_next;
		b->hash_next = *head;
		*head = b;
		return b;
	}
	return NULL;
}

static size_t block_size(unsigned count)
{
	return sizeof(struct block) + count * sizeof(struct insn);
}

/* Costs what was decoded, dropped blocks included: a guest sets up its PAM in many steps. */
static void clear(struct vcpu *v)
{
	struct interp *in = v->interp;
	const struct block *b;
	u32 frame;

	for (const u8 *p = in->pool; p < in->pool_next; p += block_size(b->count)) {
		b = (const struct block *)(const void *)p;
		frame = b->gpa >> PAGE_SHIFT;
		in->hash[interp_hash(b->gpa)] = &in->none;
		if (!in->page[frame].blocks)
			continue;
		in->page[frame] = (struct code_page){0};
		v->mem->page_flags[frame] &= (u8)~PHYS_PAGE_CODE;
	}
	in->pool_next = in->pool;
	in->flush_due = false;
}

void cache_flush(struct vcpu *v)
{
	clear(v);
	v->generation++;
}

void cache_init(struct vcpu *v, u8 *pool, size_t size)
{
	struct interp *in = v->interp;

	in->none.gpa = ~0u;
	in->none.mode = ~0u;
	in->none.hash_next = &in->none;
	in->pool = pool;
	in->pool_end = pool + size;
	in->pool_next = pool;
	for (u32 n = 0; n < HASH_SIZE; n++)
		in->hash[n] = &in->none;
}

struct block *cache_alloc(struct vcpu *v, unsigned count)
{
	struct interp *in = v->interp;
	size_t size = block_size(count);

	if (size > (size_t)(in->pool_end - in->pool_next))
		cache_flush(v);
	if (size > (size_t)(in->pool_end - in->pool_next))
		return NULL;
	return (struct block *)(void *)in->pool_next;
}

void cache_insert(struct vcpu *v, struct block *b)
{
	struct interp *in = v->interp;
	u32 frame = b->gpa >> PAGE_SHIFT;
	struct code_page *page = &in->page[frame];
	struct block **head = &in->hash[interp_hash(b->gpa)];

	in->pool_next += block_size(b->count);
	b->hash_next = *head;
	*head = b;
	b->page_next = page->blocks;
	page->blocks = b;
	page->granules |= code_granules(b->first, b->end);
	if (!page->patience)
		page->patience = PATIENCE_FIRST;
	if (!(v->mem->page_flags[frame] & PHYS_PAGE_CODE)) {
		v->mem->page_flags[frame] |= PHYS_PAGE_CODE;
		mem_tlb_protect(v, b->gpa & PAGE_MASK);
		if (v->mem->code_found)
			v->mem->code_found(v->mem->table_ctx, b->gpa);
	}
	v->stats.blocks_decoded++;
}

static void drop_block(struct interp *in, struct block *b)
{
	struct block **link = &in->hash[interp_hash(b->gpa)];

	while (*link != b)
		link = &(*link)->hash_next;
	*link = b->hash_next;
	for (unsigned n = 0; n < b->count; n++) {
		if (b->insn[n].flags & INSN_FIRST)
			b->insn[n].fn = op_stale;
	}
}

/* Drops what was decoded from [first, end) of the page. */
static void drop_range(struct vcpu *v, u32 frame, u32 first, u32 end)
{
	struct interp *in = v->interp;
	struct code_page *page = &in->page[frame];
	struct block **link = &page->blocks, *b;
	u32 left = 0;

	if (!(page->granules & code_granules(first, end)))
		return;
	cache_note_store(v, frame);
	while ((b = *link)) {
		if (b->first < end && first < b->end) {
			*link = b->page_next;
			drop_block(in, b);
		} else {
			left |= code_granules(b->first, b->end);
			link = &b->page_next;
		}
	}
	page->granules = left;
	if (!left) {
		v->mem->page_flags[frame] &= (u8)~PHYS_PAGE_CODE;
		mem_tlb_protect(v, frame << PAGE_SHIFT);
		v->stats.pages_dropped++;
	}
}

void cache_drop_page(struct vcpu *v, u32 gpa)
{
	u32 frame = gpa >> PAGE_SHIFT;

	if (frame < v->interp->page_count && v->interp->page[frame].blocks)
		drop_range(v, frame, 0, PAGE_SIZE);
}

/*
 * Code that ran once and was never overwritten (a BIOS that gave its memory back, a loader) would
 * keep the stores to its page slow for ever. Code that runs again is decoded again: dearer each
 * time.
 */
void cache_lose_patience(struct vcpu *v, u32 frame)
{
	struct code_page *page = &v->interp->page[frame];

	page->stores = 0;
	if (page->patience < PATIENCE_LAST)
		page->patience *= 2;
	cache_drop_page(v, frame << PAGE_SHIFT);
}

void cache_drop_range(struct vcpu *v, u32 gpa, u32 len)
{
	while (len) {
		u32 off = gpa & ~PAGE_MASK, part = PAGE_SIZE - off;

		if (part > len)
			part = len;
		if (gpa >> PAGE_SHIFT < v->interp->page_count)
			drop_range(v, gpa >> PAGE_SHIFT, off, off + part);
		gpa += part;
		len -= part;
	}
}

/* physmem hooks. */
static void code_written(void *ctx, u32 gpa, u32 len)
{
	cache_drop_range(ctx, gpa, len);
}

static void mapping_changed(void *ctx)
{
	struct vcpu *v = ctx;

	mem_tlb_flush(v, true);
	v->interp->flush_due = true;
	vcpu_event_set(v, VCPU_EV_ONCE);
}

size_t interp_arena_size(u32 guest_ram_size)
{
	u32 pages = guest_ram_size / PAGE_SIZE;

	if (pages < 256)
		pages = 256;
	return sizeof(struct interp) + pages * sizeof(struct code_page) + 2 * MB +
	       guest_ram_size / 32;
}

int interp_init(struct vcpu *v, void *arena, size_t size)
{
	struct interp *in = arena;
	u32 pages = v->mem->flag_pages;
	u8 *pool;

	if (size < sizeof(*in) + pages * sizeof(struct code_page) + 256 * KB)
		return -1;
	memset(arena, 0, sizeof(*in) + pages * sizeof(struct code_page));
	v->interp = in;
	tlb_init(&in->tlb);
	in->page = (struct code_page *)(void *)(in + 1);
	in->page_count = pages;
	in->generation = v->generation - 1;
	pool = (u8 *)(in->page + pages);
	cache_init(v, pool, size - (size_t)(pool - (u8 *)arena));
	v->mem->code_written = code_written;
	v->mem->mapping_changed = mapping_changed;
	v->mem->hook_ctx = v;
	return 0;
}
