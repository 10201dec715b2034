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
 * What guest code does in a cycle costs the interpreter some 15. A switch to it and back costs what
 * it takes at least, which is measured, and about as much again for what led to it; less what the
 * interpreter would have needed for that. For each page where code begins, the balance of the two
 * says which is better. Where that is the interpreter, it has the page for some time.
 */
#define INTERPRETER_MORE 14u
#define SWITCH_COST	 2u	 /* in switches */
#define SWITCH_FIRST	 1000u	 /* cycles, until one was measured */
#define STRETCH_MAX	 100000u /* cycles */
#define BALANCE_MAX	 32	 /* switches that were worth nothing */
#define BALANCE_MIN	 (-16)
#define BARRED_CYCLES	 2000000u

/* A page that is rewritten so often has data beside its code, until the next epoch. */
#define REWRITTEN_MAX 12u
#define EPOCH_SHIFT   28  /* of cycles */
#define LOOK_AGAIN    64u /* times that code wanted to begin in a page that shows something */

/* Beyond 64 KB a segment of V86 mode faults, and the interpreter knows the limit (unreal mode). */
bool real_segment(const struct segment *s)
{
	return s->base == (u32)s->sel << 4 && s->limit >= 0xffff &&
	       (s->attr & ~(SEG_G | SEG_AVL)) == ATTR_REAL;
}

/* --- whether it is worth while --- */

void real_account(struct direct *d, u32 cycles)
{
	struct direct_real *r = &d->real;
	struct real_page *page = r->begun;
	s32 cost;

	if (cycles > STRETCH_MAX)
		cycles = STRETCH_MAX;
	if (cycles < r->switch_cycles)
		r->switch_cycles = cycles;
	cost = (s32)(SWITCH_COST * r->switch_cycles);
	page->balance += (s32)((cycles - r->switch_cycles) * INTERPRETER_MORE) - cost;
	if (page->balance > BALANCE_MAX * cost)
		page->balance = BALANCE_MAX * cost;
	if (page->balance >= BALANCE_MIN * cost)
		return;
	page->balance = 0;
	page->barred = true;
	page->barred_at = direct_cycles();
}

static bool worth(const struct direct *d, struct real_page *page)
{
	if (likely(!page->barred) || d->lockstep)
		return true;
	if (direct_cycles() - page->barred_at < BARRED_CYCLES)
		return false;
	page->barred = false;
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

static bool page_clean(struct direct *d, struct vcpu *v, struct real_page *page, u32 gpa)
{
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

/* Code may begin in v's page, and should. */
static bool page_fits(struct direct *d, struct vcpu *v)
{
	u32 gpa = (v->seg[SEG_CS].base + v->eip) & v->mem->a20_mask;
	struct real_page *page = &d->real.page[gpa >> PAGE_SHIFT];

	d->real.begun = page;
	return worth(d, page) && page_clean(d, v, page, gpa);
}

/* --- */

/*
 * Loads in real mode change base and selector only. So what was found good stays good until the
 * mode changes, which v->generation says.
 */
static bool segments_fit(struct direct *d, const struct vcpu *v)
{
	struct direct_real *r = &d->real;

	if (likely(r->fit && r->fit_generation == v->generation && !d->lockstep))
		return true;
	r->fit = false;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (!real_segment(&v->seg[i]))
			return false;
	r->fit = true;
	r->fit_generation = v->generation;
	return true;
}

bool direct_real_fit(struct direct *d, struct vcpu *v)
{
	if ((v->events & VCPU_EV_STEP) || v->halted || v->eip > EIP_LAST)
		return false;
	return segments_fit(d, v) && page_fits(d, v);
}

void direct_real_init(struct direct *d)
{
	d->real.switch_cycles = SWITCH_FIRST;
	d->vcpu->mem->real_written = real_written;
	d->vcpu->mem->real_ctx = d;
}
