/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which translation guest code of CPL 0 begins with, and what keeps a page from having any. See
 * kernel.c.
 */
#include "cpu/cpu.h"
#include "cpu/direct/private.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"
#include "lib/str.h"

/*
 * A page that is written to loses its translations, and is mapped for writing: as a rule it has
 * become something else. One that comes back a few times has data beside code. From then on stores
 * to it are carried out apart, and drop what rests on their bytes only; so many of them at most as
 * cost about what translating costs, then the page is dropped. When that has happened often its
 * code is interpreted, again for what translating would cost, before the next trial. All is
 * forgotten after a while.
 */
#define PAGE_HASH	4096u
#define REWRITTEN_APART 4u
#define REWRITTEN_MAX	12u
#define APART_MAX	24u
#define ENTRIES_A_WHILE 0x10000u

struct written_page {
	u8 rewritten; /* how often translations were lost */
	u8 apart;     /* stores apart since there are translations */
};

static struct written_page *page_of(struct direct *d, u32 gpa)
{
	return &d->written[(gpa >> PAGE_SHIFT) % PAGE_HASH];
}

/* From now on a write to the page of gpa is seen. */
static void watch(struct direct *d, struct vcpu *v, u32 gpa)
{
	u8 *flags = &v->mem->page_flags[gpa >> PAGE_SHIFT];

	if (*flags & PHYS_PAGE_TRANSLATED)
		return;
	*flags |= PHYS_PAGE_TRANSLATED;
	page_of(d, gpa)->apart = 0;
	mem_tlb_protect(v, gpa & PAGE_MASK);
	if (v->mem->code_found)
		v->mem->code_found(v->mem->table_ctx, gpa);
}

static bool is_barred(struct direct *d, u32 gpa)
{
	struct written_page *page = page_of(d, gpa);

	if (page->rewritten < REWRITTEN_MAX)
		return false;
	d->barred_insns += DIRECT_BARRED_MEETING;
	if (d->barred_insns < DIRECT_BARRED_INSNS)
		return true;
	d->barred_insns = 0;
	page->rewritten = REWRITTEN_MAX - 1;
	return false;
}

static bool is_apart(struct direct *d, u32 gpa)
{
	const struct written_page *page = page_of(d, gpa);

	return page->rewritten >= REWRITTEN_APART && page->rewritten < REWRITTEN_MAX &&
	       page->apart < APART_MAX && translate_in_page(d->translator, gpa);
}

bool kernel_find_apart(void *ctx, u32 gpa)
{
	return is_apart(ctx, gpa);
}

void kernel_find_written(void *ctx, u32 gpa, u32 len)
{
	struct direct *d = ctx;
	struct written_page *page = page_of(d, gpa);
	bool apart = is_apart(d, gpa), dropped;

	dropped = apart ? translate_drop_range(d->translator, gpa, len)
			: translate_drop_page(d->translator, gpa);
	if (dropped && page->rewritten < REWRITTEN_MAX)
		page->rewritten++;
	if (apart && is_apart(d, gpa)) {
		page->apart++;
		d->vcpu->generation += dropped; /* see direct_calls() */
		return;
	}
	if (apart) /* no longer */
		translate_drop_page(d->translator, gpa);
	d->vcpu->generation++;
	d->vcpu->mem->page_flags[gpa >> PAGE_SHIFT] &= (u8)~PHYS_PAGE_TRANSLATED;
	mem_tlb_protect(d->vcpu, gpa & PAGE_MASK);
}

static bool may_translate(const struct vcpu *v, const u8 *host, u32 gpa)
{
	return host && gpa >> PAGE_SHIFT < v->mem->flag_pages;
}

/* ... of the instruction at lin, which goes on in the next page. */
static struct translate_unit *find_across(struct direct *d, struct vcpu *v, u32 lin, u32 gpa,
					  const u8 *page)
{
	u32 next_lin = (lin & PAGE_MASK) + PAGE_SIZE, next_gpa;
	struct translate_unit *u;
	const u8 *next;

	next_gpa = mem_fetch_page(v, next_lin, &next);
	if (!may_translate(v, next, next_gpa) || is_barred(d, next_gpa))
		return NULL;
	kernel_map_add(d, next_lin, next_gpa);
	u = translate_find_across(d->translator, v->eip, gpa, next_gpa);
	if (!u) {
		u = translate_make_across(d->translator, v->eip, gpa, next_gpa, page, next);
		watch(d, v, gpa);
		watch(d, v, next_gpa);
	}
	return u;
}

/* The translation of what is next, NULL where there is none; and whether fetching it raised. */
static __attribute__((noinline)) bool find_raised(struct direct *d, struct vcpu *v,
						  struct translate_unit **u)
{
	u32 lin = v->seg[SEG_CS].base + v->eip, gpa;
	const u8 *host;

	*u = NULL;
	if (__builtin_setjmp(cpu_fault_of(v)->jmp))
		return true;
	gpa = (mem_fetch_page(v, lin, &host) & PAGE_MASK) | (lin & ~PAGE_MASK);
	if (!may_translate(v, host, gpa))
		return false;
	if (is_barred(d, gpa)) {
		direct_kernel_bar(d, v, false);
		return false;
	}
	kernel_map_add(d, lin, gpa);
	if (translate_crosses(d->translator, host, gpa & ~PAGE_MASK)) {
		*u = find_across(d, v, lin, gpa, host);
		return false;
	}
	*u = translate_find(d->translator, v->eip, gpa);
	if (!*u) {
		*u = translate_make(d->translator, v->eip, gpa, host);
		watch(d, v, gpa);
	}
	return false;
}

bool kernel_find_raised(struct direct *d, struct vcpu *v, struct translate_unit **u)
{
	struct direct_entry *e = &d->entry[(v->eip ^ v->eip >> 6) % DIRECT_ENTRIES];

	if (likely(e->eip == v->eip && e->forgotten == translate_forgotten(d->translator) &&
		   e->unit)) {
		*u = e->unit;
		return false;
	}
	if (find_raised(d, v, u))
		return true;
	*e = (struct direct_entry){v->eip, translate_forgotten(d->translator), *u};
	return false;
}

void kernel_find_entered(struct direct *d)
{
	if (++d->kernel_entries % ENTRIES_A_WHILE == 0)
		memset(d->written, 0, PAGE_HASH * sizeof(*d->written));
}

size_t kernel_find_size(void)
{
	return PAGE_HASH * sizeof(struct written_page);
}
