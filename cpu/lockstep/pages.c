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

#define WORDS	    (PAGE_SIZE / 4)
#define BLOCK_WORDS 8u

static u32 *before_of(const struct lockstep *l, u32 n)
{
	return l->before + n * WORDS;
}

static u32 *after_of(const struct lockstep *l, u32 n)
{
	return l->after + n * WORDS;
}

/*
 * Where little was run, most of a stretch's cost is to look through pages: by blocks, of which an
 * emulator makes one piece.
 */
static bool same_block(const u32 *a, const u32 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) |
		 (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7]));
}

/* The first word from i on that differs; end: none. */
static u32 first_differing(const u32 *a, const u32 *b, u32 i, u32 end)
{
	while (i + BLOCK_WORDS <= end && same_block(a + i, b + i))
		i += BLOCK_WORDS;
	while (i < end && a[i] == b[i])
		i++;
	return i;
}

/* Behind the last word that differs; one does, at `first` or later. */
static u32 behind_differing(const u32 *a, const u32 *b, u32 first)
{
	u32 end = WORDS;

	while (end - first > BLOCK_WORDS &&
	       same_block(a + end - BLOCK_WORDS, b + end - BLOCK_WORDS))
		end -= BLOCK_WORDS;
	while (a[end - 1] == b[end - 1])
		end--;
	return end;
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
	page->memory = (u32 *)(void *)(r->wr + (gpa - r->first));
	page->native = (struct words){0, 0};
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
		mem_tlb_protect_all(l->v);
	l->changed_count = l->kept_count = 0;
	l->lost = false;
}

/* The words in which memory is not as it was before the stretch. */
static struct words changes(const struct lockstep *l, u32 n)
{
	const u32 *now = l->kept[n].memory, *before = before_of(l, n);
	struct words w;

	w.end = w.first = first_differing(now, before, 0, WORDS);
	if (w.first < WORDS)
		w.end = behind_differing(now, before, w.first);
	return w;
}

/* These words become what they were before; what engines have made from the page is told. */
static void put_back(struct lockstep *l, u32 n, struct words w)
{
	const struct lockstep_page *page = &l->kept[n];
	u32 gpa = page->gpa + w.first * 4, len = (w.end - w.first) * 4;
	struct physmem *mem = l->v->mem;
	u32 flags = physmem_flags(mem, gpa);

	if ((flags & PHYS_PAGE_TABLE) && mem->table_written)
		mem->table_written(mem->table_ctx, gpa, len);
	if ((flags & PHYS_PAGE_CODE) && mem->code_written)
		mem->code_written(mem->hook_ctx, gpa, len);
	if ((flags & PHYS_PAGE_TRANSLATED) && mem->translated_written)
		mem->translated_written(mem->translated_ctx, gpa, len);
	if ((flags & PHYS_PAGE_REAL) && mem->real_written)
		mem->real_written(mem->real_ctx, page->gpa);
	memcpy(page->memory + w.first, before_of(l, n) + w.first, len);
}

void lockstep_pages_swap(struct lockstep *l)
{
	for (u32 n = 0; n < l->kept_count; n++) {
		const struct words w = changes(l, n);

		l->kept[n].native = w;
		if (w.first == w.end)
			continue;
		memcpy(after_of(l, n) + w.first, l->kept[n].memory + w.first,
		       (w.end - w.first) * 4);
		put_back(l, n, w);
	}
	l->kept_native = l->kept_count;
	l->changed_native = l->changed_count;
}

/* An interpreter that has lost its way may have used up the pages that there are for it. */
static void forget_followed(struct lockstep *l)
{
	while (l->changed_count > l->changed_native)
		l->v->mem->page_flags[l->changed[--l->changed_count]] |= PHYS_PAGE_CLEAN;
	l->kept_count = l->kept_native;
	mem_tlb_protect_all(l->v);
}

void lockstep_pages_undo(struct lockstep *l)
{
	for (u32 n = 0; n < l->kept_count; n++) {
		const struct words w = changes(l, n);

		if (w.first < w.end)
			put_back(l, n, w);
	}
	forget_followed(l);
}

u32 lockstep_before(const struct lockstep *l, u32 n, u32 word)
{
	return before_of(l, n)[word];
}

u32 lockstep_native(const struct lockstep *l, u32 n, u32 word)
{
	const struct words *w = &l->kept[n].native;

	return (word - w->first < w->end - w->first ? after_of : before_of)(l, n)[word];
}

static bool in_doubt(struct lockstep *l, u32 gpa, u32 bits)
{
	bool doubted = !(bits & ~lockstep_doubt_at(&l->doubt, gpa));

	l->doubt.used |= doubted;
	return doubted;
}

/* Of the word at gpa, the bits that are not below the stack of an instruction that was begun. */
static u32 not_below(const struct lockstep *l, u32 gpa)
{
	u32 mask = 0;

	for (u32 i = 0; i < 4; i++)
		if (gpa + i < l->below_first || gpa + i >= l->below_end)
			mask |= 0xffu << i * 8;
	return mask;
}

/*
 * Five things may differ: what rests on undefined flags (doubt.c), and what is below the stack
 * where PUSHF, PUSHA or ENTER was begun. Translated code is fetched from elsewhere: a flush of the
 * TLB makes a CPU, and the interpreter, look at the guest's tables for it again and set A. Where
 * the CPU stopped before an instruction, it may have looked at memory for it, and so have set A and
 * D bits, until a fault or an interrupt stopped it; the interpreter sets them when it carries the
 * instruction out. And a host that reads first where an instruction reads and writes (QEMU's TCG)
 * may have set A, and calls the fault that of a read.
 */
static bool may_differ(struct lockstep *l, u32 gpa, u32 native, u32 now)
{
	u32 bits = native ^ now;
	bool added = (native & PTE_P) && !(bits & ~(native & (PTE_A | PTE_D)));

	if (!(bits & not_below(l, gpa)) || in_doubt(l, gpa, bits))
		return true;
	if (bits == PTE_A && (now & PTE_A) && (now & PTE_P) && (l->start.cpl != 3 || l->crossed))
		return true;
	if (added && (l->next == LOCKSTEP_STEP || l->native.cpl == l->start.cpl || l->crossed))
		return true;
	if (!l->host.reads_first || l->v->fault.vector != VEC_PF)
		return false;
	return (added && !(bits & PTE_D)) ||
	       (gpa == l->error_code && bits == PF_WRITE && (now & PF_WRITE));
}

static bool same_words(struct lockstep *l, u32 n, const u32 *native, u32 first, u32 end)
{
	const u32 *now = l->kept[n].memory;

	for (u32 i = first; (i = first_differing(native, now, i, end)) < end; i++) {
		u32 gpa = l->kept[n].gpa + i * 4;

		if (may_differ(l, gpa, native[i], now[i]))
			continue;
		if (!l->looks) {
			l->miss_gpa = gpa;
			l->miss_native = native[i];
			l->miss_now = now[i];
		}
		return false;
	}
	return true;
}

static bool same_page(struct lockstep *l, u32 n)
{
	const struct words *w = &l->kept[n].native;
	const u32 *before = before_of(l, n);

	return same_words(l, n, before, 0, w->first) &&
	       same_words(l, n, after_of(l, n), w->first, w->end) &&
	       same_words(l, n, before, w->end, WORDS);
}

bool lockstep_pages_same(struct lockstep *l)
{
	for (u32 n = 0; n < l->kept_count; n++)
		if (!same_page(l, n))
			return false;
	return true;
}
