/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest code of CPL 0, translated (cpu/translate/translate.h), at CPL 1: to paging a supervisor, to
 * all else without rights. Segment limits keep it from Farbus's own part of the address space.
 */
#include "cpu/cpu.h"
#include "cpu/descriptor.h"
#include "cpu/direct/private.h"
#include "cpu/direct/switch.h"
#include "cpu/interp/fpu.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"

#define VEC_IRQ_FIRST 32u
#define OPCODE_HLT    0xf4 /* at host.leave: #GP at CPL 1 */
#define PREFIX_FS     0x64
#define LEAVE_SIZE    16 /* and the translations behind it stay aligned */
#define PF_WRITE      BIT(1)
#define FLAGS_REFUSED (FLAG_TF | FLAG_NT | FLAG_AC | FLAG_RF | FLAG_VIF | FLAG_VIP)
#define FLAGS_REAL    (FLAGS_ARITH | FLAG_DF | FLAG_ID)

/* What the translator takes for granted of its code; EFLAGS that PUSHF would show, or POPF change.
 */
bool direct_kernel_fit(struct direct *d, struct vcpu *v)
{
	const struct segment *cs = &v->seg[SEG_CS], *ss = &v->seg[SEG_SS];

	if (!d->translator || !vcpu_protected(v) || (v->eflags & FLAGS_REFUSED) || v->shadow)
		return false;
	if ((v->events & VCPU_EV_STEP) || v->halted || (v->cr4 & CR4_PVI))
		return false;
	if (!(cs->attr & SEG_DB) || !(ss->attr & SEG_DB))
		return false;
	if (cs->limit < v->eip || cs->limit - v->eip < PAGE_SIZE)
		return false;
	return direct_segments_kernel_fit(d, v);
}

static void to_frame(struct direct *d, struct vcpu *v, u32 native)
{
	struct direct_frame *f = &direct_frame;

	f->eax = v->gpr[REG_EAX];
	f->ecx = v->gpr[REG_ECX];
	f->edx = v->gpr[REG_EDX];
	f->ebx = v->gpr[REG_EBX];
	f->esp = v->gpr[REG_ESP];
	f->ebp = v->gpr[REG_EBP];
	f->esi = v->gpr[REG_ESI];
	f->edi = v->gpr[REG_EDI];
	f->eip = native;
	f->eflags = (vcpu_eflags(v) & FLAGS_REAL) | FLAGS_FIXED | FLAG_IF;
	*d->host.esp0 = (u32)(&f->ss + 1);
	translate_enter(d->translator, v->eflags);
}

static void from_frame(struct translate_regs *r)
{
	const struct direct_frame *f = &direct_frame;

	r->gpr[REG_EAX] = f->eax;
	r->gpr[REG_ECX] = f->ecx;
	r->gpr[REG_EDX] = f->edx;
	r->gpr[REG_EBX] = f->ebx;
	r->gpr[REG_ESP] = f->esp;
	r->gpr[REG_EBP] = f->ebp;
	r->gpr[REG_ESI] = f->esi;
	r->gpr[REG_EDI] = f->edi;
	r->eip = f->eip;
	r->eflags = f->eflags;
}

static void to_vcpu(struct vcpu *v, const struct translate_regs *r)
{
	u32 own = FLAGS_REAL | FLAG_IF | FLAG_IOPL;

	for (unsigned i = 0; i < 8; i++)
		v->gpr[i] = r->gpr[i];
	v->eip = r->eip;
	vcpu_set_eflags(v, (v->eflags & ~own) | (r->eflags & own) | FLAGS_FIXED);
	if (r->shadow) {
		v->shadow = SHADOW_STI;
		cpu_mode_changed(v);
	}
}

static void stop(struct direct *d, struct vcpu *v)
{
	struct translate_regs r;

	from_frame(&r);
	if (!translate_stopped(d->translator, &r))
		d->host.broken(direct_frame.vector, direct_frame.eip);
	to_vcpu(v, &r);
}

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

static void translated_written(void *ctx, u32 gpa)
{
	struct direct *d = ctx;

	translate_drop_page(d->translator, gpa);
	d->vcpu->mem->page_flags[gpa >> PAGE_SHIFT] &= (u8)~PHYS_PAGE_TRANSLATED;
	mem_tlb_protect(d->vcpu, gpa & PAGE_MASK);
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
	if (!host || gpa >> PAGE_SHIFT >= v->mem->flag_pages)
		return false;
	*u = translate_find(d->translator, v->eip, gpa);
	if (!*u) {
		*u = translate_make(d->translator, v->eip, gpa, host);
		watch(v, gpa);
	}
	return false;
}

/* False: something is due before translated code can run. With IF clear an interrupt is not. */
static bool go(struct direct *d, struct vcpu *v, u32 *cr2)
{
	struct translate_state *state = d->host.state;
	u32 root = shadow_root(d->shadow);

	if (!root)
		return false;
	direct_segments_kernel_enter(d, v);
	direct_irq_off();
	if (v->events & ~v->event_hold & (state->vif ? ~0u : ~VCPU_EV_INTR)) {
		direct_irq_on();
		return false;
	}
	state->pending = v->events & ~v->event_hold & VCPU_EV_INTR;
	direct_go(d, v, root, cr2);
	return true;
}

/* False: on at the same native instruction. */
static bool page_fault(struct direct *d, struct vcpu *v, u32 lin, enum direct_next *next)
{
	u64 dropped = translate_stats(d->translator)->dropped;
	bool filled = false;

	if (direct_fill_raised(d, lin, direct_frame.error & PF_WRITE, &filled)) {
		d->stats.exits[EXITS_FAULT]++;
		stop(d, v);
		*next = direct_deliver_fault(v);
		return true;
	}
	if (filled && dropped == translate_stats(d->translator)->dropped) {
		d->stats.exits[EXITS_FILL]++;
		return false;
	}
	stop(d, v);
	d->stats.exits[EXITS_MEMORY]++;
	*next = NEXT_STEP; /* also where its own page was dropped: it would be translated again */
	return true;
}

static enum direct_next left(struct direct *d, struct vcpu *v)
{
	struct translate_regs r;
	bool interpret;

	from_frame(&r);
	interpret = translate_left(d->translator, &r) == TRANSLATE_INTERPRET;
	to_vcpu(v, &r);
	d->stats.translated_left[interpret]++;
	return interpret ? NEXT_STEP : NEXT_ANY;
}

/* What ended translated code. False: on at the same native instruction. */
static bool exit_kernel(struct direct *d, struct vcpu *v, u32 cr2, enum direct_next *next)
{
	u32 vector = direct_frame.vector;

	if (vector == VEC_PF)
		return page_fault(d, v, cr2, next);
	/* Before all else: an interrupt may have come there, ahead of the fault. */
	if (direct_frame.eip == (u32)(uintptr_t)d->host.code) {
		*next = left(d, v);
		return true;
	}
	if (vector == VEC_NM && direct_fpu_usable(v) && !v->fpu_native) {
		d->stats.exits[EXITS_FPU]++;
		fpu_go_native(v);
		return false;
	}
	if (vector == VEC_NMI || vector == VEC_DF || vector == VEC_MC)
		d->host.broken(vector, direct_frame.eip);
	stop(d, v);
	*next = vector >= VEC_IRQ_FIRST ? NEXT_ANY : NEXT_STEP;
	d->stats.exits[vector >= VEC_IRQ_FIRST ? EXITS_INTERRUPT : EXITS_OTHER]++;
	if (vector < VEC_IRQ_FIRST)
		d->stats.vectors[vector]++;
	return true;
}

/* Translated code from v's state on until it is left. */
static enum direct_next run(struct direct *d, struct vcpu *v)
{
	enum direct_next next;
	u32 cr2;

	do {
		if (!go(d, v, &cr2)) {
			stop(d, v);
			return NEXT_ANY;
		}
	} while (!exit_kernel(d, v, cr2, &next));
	return next;
}

/*
 * Ways between translations are by EIP, so they are good for one CS and one mapping. Entries made
 * for CPL 0 with CR0.WP clear may be writable where they are not with WP set.
 */
static void drop_outdated(struct direct *d, struct vcpu *v)
{
	const struct segment *cs = &v->seg[SEG_CS];

	if ((d->kernel_cr0 ^ v->cr0) & CR0_WP)
		shadow_flush(d->shadow);
	d->kernel_cr0 = v->cr0;
	if (d->links_at == v->tlb_flushes && d->links_base == cs->base &&
	    d->links_limit == cs->limit)
		return;
	d->links_at = v->tlb_flushes;
	d->links_base = cs->base;
	d->links_limit = cs->limit;
	translate_drop_links(d->translator);
}

enum direct_next direct_kernel(struct direct *d, struct vcpu *v)
{
	struct translate_unit *u;
	enum direct_next next;

	d->stats.entries++;
	direct_enter_cr4(d, v);
	do {
		drop_outdated(d, v);
		next = NEXT_STEP;
		if (find_raised(d, v, &u)) {
			next = direct_deliver_fault(v);
			break;
		}
		if (!u)
			break;
		if (d->single)
			translate_drop_links(d->translator);
		else
			translate_connect(d->translator, u);
		to_frame(d, v, translate_entry(u));
		next = run(d, v);
	} while (next == NEXT_ANY && !d->single && v->cpl == 0 && !direct_events(v) &&
		 direct_kernel_fit(d, v));
	direct_leave_cr4(d);
	return next;
}

/* --- construction --- */

size_t direct_kernel_arena_size(void)
{
	return translate_arena_size(DIRECT_CODE_SIZE - LEAVE_SIZE);
}

void direct_kernel_init(struct direct *d, void *arena)
{
	struct translate_host host = {.code = d->host.code + LEAVE_SIZE,
				      .code_size = DIRECT_CODE_SIZE - LEAVE_SIZE,
				      .state = d->host.state,
				      .state_prefix = PREFIX_FS,
				      .leave = (u32)(uintptr_t)d->host.code};

	d->host.code[0] = OPCODE_HLT;
	d->translator = translate_init(arena, &host);
	d->kernel_cr0 = d->vcpu->cr0;
	d->vcpu->mem->translated_written = translated_written;
	d->vcpu->mem->translated_ctx = d;
}
