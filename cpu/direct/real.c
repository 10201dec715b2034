/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real mode on the CPU: which states V86 mode of this PC can stand for, and whether that is worth
 * while. Three instructions would show that it is not real mode, without a fault: SMSW, SGDT and
 * SIDT (SDM vol. 3, 20.2.7), and a fourth what PC this is: CPUID. So code begins to run on the CPU
 * in pages only that have none of them. Such a page is watched, and looked at again when it has
 * changed. What is not seen is a page that guest code has written on the CPU and goes on in, before
 * anything of it had to be done for it.
 */
#include "cpu/cpu.h"
#include "cpu/direct/private.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"
#include "cpu/segment.h"

#define EIP_LAST  0xffffu
#define VGA_FIRST 0xa0000u
#define VGA_SIZE  0x20000u

/*
 * The CPU is worth a switch where the guest then runs for some hundred cycles: the interpreter
 * needs some 15 for an instruction. The balance of cycles and switches says whether it is; where it
 * is not, the interpreter gets some time before it is tried again.
 */
#define SWITCH_CYCLES 1000
#define BALANCE_MAX   50000
#define BALANCE_MIN   (-30000)
#define BARRED_CYCLES 2000000u

/* A page that is rewritten so often has data beside its code, until the next epoch. */
#define REWRITTEN_MAX 12u
#define EPOCH_SHIFT   28  /* of cycles */
#define LOOK_AGAIN    64u /* times that code wanted to begin in a page that shows something */

bool real_segment(const struct segment *s)
{
	return s->base == (u32)s->sel << 4 && s->limit == 0xffff &&
	       (s->attr & ~(SEG_G | SEG_AVL)) == ATTR_REAL;
}

/* --- whether it is worth while --- */

void real_account(struct direct *d, u32 cycles)
{
	struct direct_real *r = &d->real;
	s32 gain = cycles > BALANCE_MAX ? BALANCE_MAX : (s32)cycles;

	r->balance += gain - SWITCH_CYCLES;
	if (r->balance > BALANCE_MAX)
		r->balance = BALANCE_MAX;
	if (r->balance > BALANCE_MIN)
		return;
	r->balance = 0;
	r->barred = true;
	r->barred_at = direct_cycles();
}

static bool worth(const struct direct *d, struct direct_real *r)
{
	if (d->lockstep)
		return true;
	if (r->barred && direct_cycles() - r->barred_at < BARRED_CYCLES)
		return false;
	r->barred = false;
	return true;
}

/* --- pages --- */

/* What begins with 0Fh at p; a page's last bytes may be the beginning of anything. */
static bool shows(const u8 *p, u32 left, u32 what)
{
	u8 reg;

	if (left < 2)
		return what;
	if (p[1] == 0xa2)
		return what & REAL_CPUID;
	if (p[1] != 0x01 || !(what & REAL_TABLES))
		return false;
	if (left < 3)
		return true;
	reg = p[2] >> 3 & 7;
	return reg == 4 || (reg < 2 && p[2] < 0xc0);
}

bool real_page_shows(const u8 *page, u32 what)
{
	const u8 *p = page;
	u32 left = PAGE_SIZE;
	bool found;

	while (left) {
		asm volatile("repne scasb"
			     : "+D"(p), "+c"(left), "=@ccz"(found)
			     : "a"(0x0f)
			     : "memory");
		if (found && shows(p - 1, left + 1, what))
			return true;
	}
	return false;
}

/* What does not fault here, and so has to be looked for. */
static u32 what_shows(const struct direct *d)
{
	return (direct_hides_tables(d) ? 0 : REAL_TABLES) | (d->host.cpuid_faults ? 0 : REAL_CPUID);
}

static void watch(struct vcpu *v, u32 gpa)
{
	u8 *flags = &v->mem->page_flags[gpa >> PAGE_SHIFT];

	if (*flags & PHYS_PAGE_REAL)
		return;
	*flags |= PHYS_PAGE_REAL;
	mem_tlb_protect(v, gpa & PAGE_MASK);
	if (v->mem->code_found)
		v->mem->code_found(v->mem->table_ctx, gpa);
}

static void real_written(void *ctx, u32 gpa)
{
	struct direct *d = ctx;
	struct real_page *page = &d->real.page[gpa >> PAGE_SHIFT];

	page->state = REAL_UNKNOWN;
	if (page->rewritten < REWRITTEN_MAX)
		page->rewritten++;
	d->vcpu->mem->page_flags[gpa >> PAGE_SHIFT] &= (u8)~PHYS_PAGE_REAL;
	mem_tlb_protect(d->vcpu, gpa & PAGE_MASK);
}

/* Host memory that code at gpa is fetched from; NULL: none that can be watched. */
static const u8 *memory(const struct vcpu *v, u32 gpa)
{
	const struct phys_region *r = physmem_find(v->mem, gpa);

	if (!r || !r->rd || gpa - VGA_FIRST < VGA_SIZE || gpa >> PAGE_SHIFT >= v->mem->flag_pages)
		return NULL;
	return r->rd + ((gpa & PAGE_MASK) - r->first);
}

static bool often_rewritten(struct real_page *page)
{
	u8 epoch = (u8)(direct_cycles() >> EPOCH_SHIFT);

	if (page->epoch != epoch)
		page->rewritten = 0;
	page->epoch = epoch;
	return page->rewritten == REWRITTEN_MAX;
}

/* Looks at the page anew. */
static bool look(struct direct *d, struct vcpu *v, struct real_page *page, u32 gpa)
{
	if (!page->memory || often_rewritten(page))
		return false;
	d->stats.real_pages++;
	page->state = REAL_CLEAN;
	if (real_page_shows(page->memory, what_shows(d))) {
		page->state = REAL_SHOWS;
		page->asked = 0;
		return false;
	}
	watch(v, gpa);
	return true;
}

static bool page_clean(struct direct *d, struct vcpu *v)
{
	u32 gpa = (v->seg[SEG_CS].base + v->eip) & v->mem->a20_mask;
	struct real_page *page = &d->real.page[gpa >> PAGE_SHIFT];

	/* PAM may have put other memory there. */
	if (page->mapping != v->mem->mapping || !page->memory) {
		const u8 *now = memory(v, gpa);

		if (page->memory != now)
			page->state = REAL_UNKNOWN;
		page->memory = now;
		page->mapping = v->mem->mapping;
	}
	if (likely(page->state == REAL_CLEAN))
		return true;
	if (page->state == REAL_SHOWS && ++page->asked < LOOK_AGAIN)
		return false;
	return look(d, v, page, gpa);
}

/* --- */

bool direct_real_fit(struct direct *d, struct vcpu *v)
{
	if (!worth(d, &d->real) || (v->events & VCPU_EV_STEP) || v->halted || v->eip > EIP_LAST)
		return false;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (!real_segment(&v->seg[i]))
			return false;
	return page_clean(d, v);
}

void direct_real_init(struct direct *d)
{
	d->vcpu->mem->real_written = real_written;
	d->vcpu->mem->real_ctx = d;
}
