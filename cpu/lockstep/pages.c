/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages a stretch changes, and how they were before. Each page of guest memory is
 * PHYS_PAGE_CLEAN until its first change, whoever makes it: the interpreter, a device, or guest
 * code on the CPU, for which shadow tables have such pages read-only.
 */
#include "cpu/lockstep/private.h"
#include "cpu/mem.h"
#include "lib/str.h"

#define PTE_P	 BIT(0)
#define PTE_A	 BIT(5)
#define PTE_D	 BIT(6)
#define PF_WRITE BIT(1) /* of the error code */

#define VGA_FIRST (0xa0000u >> PAGE_SHIFT)
#define VGA_END	  (0xc0000u >> PAGE_SHIFT)

static u8 *before_of(const struct lockstep *l, u32 n)
{
	return l->before + n * PAGE_SIZE;
}

static u8 *after_of(const struct lockstep *l, u32 n)
{
	return l->after + n * PAGE_SIZE;
}

static void keep(struct lockstep *l, u32 gpa)
{
	const struct phys_region *r = physmem_find(l->v->mem, gpa);
	struct lockstep_page *page = &l->kept[l->kept_count];

	if (!r || !r->wr)
		return;
	if (l->kept_count == KEPT_MAX) {
		l->lost = true;
		return;
	}
	page->gpa = gpa;
	page->memory = r->wr + (gpa - r->first);
	memcpy(before_of(l, l->kept_count), page->memory, PAGE_SIZE);
	l->kept_count++;
	if (lockstep_pages_full(l)) /* the CPU stops before the next page, the interpreter soon */
		vcpu_event_set(l->v, VCPU_EV_HOST);
}

bool lockstep_pages_full(const struct lockstep *l)
{
	u32 reserve = l->phase == PHASE_NATIVE ? KEPT_RESERVE : KEPT_RESERVE / 2;

	return l->kept_count >= KEPT_MAX - reserve;
}

static void clean_changes(void *ctx, u32 gpa)
{
	struct lockstep *l = ctx;
	u32 frame = gpa >> PAGE_SHIFT;

	l->v->mem->page_flags[frame] &= (u8)~PHYS_PAGE_CLEAN;
	l->changed[l->changed_count++] = frame;
	if (l->phase != PHASE_NONE)
		keep(l, gpa & PAGE_MASK);
}

void lockstep_keep(struct lockstep *l, u32 gpa)
{
	if (physmem_flags(l->v->mem, gpa) & PHYS_PAGE_CLEAN)
		clean_changes(l, gpa);
}

/* The VGA's memory is never mapped for guest code on the CPU, and so changes in no stretch. */
void lockstep_pages_init(struct lockstep *l)
{
	struct physmem *mem = l->v->mem;

	mem->clean_changes = clean_changes;
	mem->clean_ctx = l;
	for (u32 frame = 0; frame < mem->flag_pages; frame++)
		if (frame < VGA_FIRST || frame >= VGA_END)
			l->changed[l->changed_count++] = frame;
}

void lockstep_pages_begin(struct lockstep *l)
{
	struct physmem *mem = l->v->mem;

	for (u32 i = 0; i < l->changed_count; i++) {
		mem->page_flags[l->changed[i]] |= PHYS_PAGE_CLEAN;
		if (mem->code_found)
			mem->code_found(mem->table_ctx, l->changed[i] << PAGE_SHIFT);
	}
	if (l->changed_count)
		mem_tlb_flush(l->v, true); /* what allows writing */
	l->changed_count = l->kept_count = l->kept_native = 0;
	l->lost = false;
}

/*
 * Memory becomes `image`; what engines have made from the page is told. By words: it is most of a
 * stretch's cost where little was run.
 */
static void replace(struct lockstep *l, const struct lockstep_page *page, const u8 *image)
{
	struct physmem *mem = l->v->mem;
	const u32 *is = (const u32 *)(const void *)page->memory;
	const u32 *was = (const u32 *)(const void *)image;
	u32 flags = physmem_flags(mem, page->gpa), first = 0, end = PAGE_SIZE / 4, gpa, len;

	while (first < end && is[first] == was[first])
		first++;
	if (first == end)
		return;
	while (is[end - 1] == was[end - 1])
		end--;
	gpa = page->gpa + first * 4;
	len = (end - first) * 4;
	if ((flags & PHYS_PAGE_TABLE) && mem->table_written)
		mem->table_written(mem->table_ctx, gpa, len);
	if ((flags & PHYS_PAGE_CODE) && mem->code_written)
		mem->code_written(mem->hook_ctx, gpa, len);
	if ((flags & PHYS_PAGE_TRANSLATED) && mem->translated_written)
		mem->translated_written(mem->translated_ctx, gpa, len);
	if ((flags & PHYS_PAGE_REAL) && mem->real_written)
		mem->real_written(mem->real_ctx, page->gpa);
	memcpy(page->memory + first * 4, was + first, len);
}

void lockstep_pages_swap(struct lockstep *l)
{
	l->kept_native = l->kept_count;
	for (u32 n = 0; n < l->kept_count; n++) {
		memcpy(after_of(l, n), l->kept[n].memory, PAGE_SIZE);
		replace(l, &l->kept[n], before_of(l, n));
	}
}

void lockstep_pages_undo(struct lockstep *l)
{
	for (u32 n = 0; n < l->kept_count; n++)
		replace(l, &l->kept[n], before_of(l, n));
}

const u8 *lockstep_page_native(const struct lockstep *l, u32 n)
{
	return n < l->kept_native ? after_of(l, n) : before_of(l, n);
}

/*
 * Three things may differ: what is below the stack where PUSHF was begun. Where the CPU stopped
 * before an instruction, it may have looked at memory for it, and so have set A and D bits, until a
 * fault or an interrupt stopped it; the interpreter sets them when it carries the instruction out.
 * And a host that reads first where an instruction reads and writes (QEMU's TCG) may have set A,
 * and calls the fault that of a read.
 */
static bool may_differ(const struct lockstep *l, u32 gpa, u32 native, u32 now)
{
	u32 bits = native ^ now;
	bool added = (native & PTE_P) && !(bits & ~(native & (PTE_A | PTE_D)));

	if (gpa == l->below_stack)
		return true;
	if (l->next == LOCKSTEP_STEP || l->native.cpl == l->start.cpl)
		return added;
	if (!l->host.reads_first || l->v->fault.vector != VEC_PF)
		return false;
	return (added && !(bits & PTE_D)) ||
	       (gpa == l->error_code && bits == PF_WRITE && (now & PF_WRITE));
}

static bool same_page(const struct lockstep *l, u32 n)
{
	const u32 *native = (const u32 *)(const void *)lockstep_page_native(l, n);
	const u32 *now = (const u32 *)(const void *)l->kept[n].memory;

	if (likely(!memcmp(native, now, PAGE_SIZE)))
		return true;
	for (u32 i = 0; i < PAGE_SIZE / 4; i++)
		if (native[i] != now[i] &&
		    !may_differ(l, l->kept[n].gpa + i * 4, native[i], now[i]))
			return false;
	return true;
}

bool lockstep_pages_same(const struct lockstep *l)
{
	for (u32 n = 0; n < l->kept_count; n++)
		if (!same_page(l, n))
			return false;
	return true;
}
