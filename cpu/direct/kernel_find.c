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

/* From now on a write to the page of gpa is seen. */
static void watch(struct vcpu *v, u32 gpa)
{
	u8 *flags = &v->mem->page_flags[gpa >> PAGE_SHIFT];

	if (*flags & PHYS_PAGE_TRANSLATED)
		return;
	*flags |= PHYS_PAGE_TRANSLATED;
	mem_tlb_protect(v, gpa & PAGE_MASK);
	if (v->mem->code_found)
		v->mem->code_found(v->mem->table_ctx, gpa);
}

/*
 * A page that has code and data that is written to is not worth translating: the interpreter tells
 * them apart. Pages find other uses (a kernel patches its code while it starts), so they get
 * another chance when their code was met so often; and all is forgotten after a while.
 */
#define PAGE_HASH	4096u
#define REWRITTEN_MAX	12u
#define REWRITTEN_AGAIN (REWRITTEN_MAX - 4)
#define MEETINGS_MAX	243u
#define ENTRIES_A_WHILE 0x10000u
_Static_assert(REWRITTEN_MAX + MEETINGS_MAX <= 255, "in a byte");

/* How often translations were lost; from REWRITTEN_MAX on also how often code was met since. */
static u8 *rewritten_of(struct direct *d, u32 gpa)
{
	return &d->rewritten[(gpa >> PAGE_SHIFT) % PAGE_HASH];
}

static bool is_barred(struct direct *d, u32 gpa)
{
	u8 *rewritten = rewritten_of(d, gpa);

	if (*rewritten < REWRITTEN_MAX)
		return false;
	if (++*rewritten == REWRITTEN_MAX + MEETINGS_MAX)
		*rewritten = REWRITTEN_AGAIN;
	return true;
}

void kernel_find_written(void *ctx, u32 gpa)
{
	struct direct *d = ctx;

	if (translate_drop_page(d->translator, gpa) && *rewritten_of(d, gpa) < REWRITTEN_MAX)
		++*rewritten_of(d, gpa);
	d->vcpu->generation++; /* see direct_calls() */
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
		watch(v, gpa);
		watch(v, next_gpa);
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
		direct_kernel_bar(d, v);
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
		watch(v, gpa);
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
		memset(d->rewritten, 0, PAGE_HASH);
}

size_t kernel_find_size(void)
{
	return PAGE_HASH;
}
