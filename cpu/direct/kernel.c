/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest code of CPL 0 to 2, translated (cpu/translate/translate.h), at CPL 3, with shadow roots
 * that show what supervisors may reach. Farbus is kept from it by paging, as from CPL 3 itself.
 */
#include "cpu/cpu.h"
#include "cpu/direct/frame.h"
#include "cpu/direct/go.h"
#include "cpu/interp/fpu.h"
#include "cpu/mmu/walk.h"
#include "cpu/physmem.h"

#define OPCODE_INT    0xcd /* at host.leave */
#define PREFIX_GS     0x65
#define LEAVE_SIZE    16 /* and the translations behind it stay aligned */
#define PF_WRITE      BIT(1)
#define FLAGS_REFUSED (FLAG_TF | FLAG_NT | FLAG_AC | FLAG_RF | FLAG_VIF | FLAG_VIP)
#define FLAGS_REAL    (FLAGS_ARITH | FLAG_DF | FLAG_ID)

/* Two entries of the page directory at gpa; index: in words. In no memory they may say anything. */
static const u32 *directory_entries(const struct vcpu *v, u32 gpa, u32 index)
{
	static const u32 anything[4] = {PTE_P};
	const struct phys_region *r;

	gpa = (gpa & PAGE_MASK & v->mem->a20_mask) + index * 4;
	r = physmem_find(v->mem, gpa);
	return r && r->rd ? (const u32 *)(const void *)(r->rd + (gpa - r->first)) : anything;
}

void direct_kernel_own(const struct direct *d, const struct vcpu *v, const u32 *own[2])
{
	static const u32 nothing;
	u32 index = d->host.shadow.own_index, at = v->cr3;
	bool pae = v->cr4 & CR4_PAE;

	own[0] = own[1] = &nothing;
	if (!(v->cr0 & CR0_PG) || (pae && !(v->pdpte[3] & 1)))
		return;
	if (pae) {
		index = (index & 255) * 4;
		at = (u32)v->pdpte[3];
	}
	own[0] = directory_entries(v, at, index);
	own[1] = own[0] + (pae ? 2 : 0);
}

bool direct_kernel_maps_own(const struct direct *d, const struct vcpu *v)
{
	const u32 *own[2];

	direct_kernel_own(d, v, own);
	return direct_own_used(own);
}

/* Not every emulator checks limits, and small stacks are small on purpose often enough. */
static bool ends_nowhere(const struct segment *ss)
{
	return !(ss->attr & SEG_EC) && ss->limit >= (ss->attr & SEG_DB ? ~0u : 0xffff);
}

/* CPL 1 and 2 where IOPL lets them use CLI, STI, POPF and ports as CPL 0 does. */
static bool privileged(const struct vcpu *v, const struct segment *ss)
{
	return v->cpl == 0 || (v->cpl <= vcpu_iopl(v) && ends_nowhere(ss));
}

/* 16-bit code, or a 16-bit stack. */
static bool is_narrow(const struct vcpu *v)
{
	return !(v->seg[SEG_CS].attr & v->seg[SEG_SS].attr & SEG_DB);
}

/*
 * 16-bit code in protected mode is a few instructions on the way from or to real mode, most of the
 * time, or has its data in so many segments that it would be left all the time. So it is translated
 * when the interpreter has carried out that many instructions of it in a row, until one is left to
 * the interpreter again.
 */
#define NARROW_AFTER 512u

static bool worth_narrow(struct direct *d, const struct vcpu *v)
{
	const struct segment *ss = &v->seg[SEG_SS];

	if (!(ss->attr & SEG_DB) && !ends_nowhere(ss))
		return false;
	if (d->refusal == REFUSE_CODE16 &&
	    v->stats.insns + v->icount - d->narrow_since >= NARROW_AFTER)
		d->narrow = true;
	return d->narrow || d->lockstep;
}

/* What the translator takes for granted of its code; EFLAGS that PUSHF would show, or POPF change.
 */
enum direct_refusal direct_kernel_refuses(struct direct *d, struct vcpu *v)
{
	const struct segment *cs = &v->seg[SEG_CS], *ss = &v->seg[SEG_SS];

	if (!d->translator || !privileged(v, ss))
		return REFUSE_CPL;
	if (unlikely(is_narrow(v)) && !worth_narrow(d, v))
		return REFUSE_CODE16;
	if ((v->eflags & FLAGS_REFUSED) || (v->cr4 & CR4_PVI))
		return REFUSE_FLAGS;
	if ((v->events & VCPU_EV_STEP) || v->halted || v->shadow || debug_guarded(v))
		return REFUSE_STEP;
	if (cs->limit < v->eip || cs->limit - v->eip < PAGE_SIZE)
		return REFUSE_SEGMENTS;
	if (direct_kernel_barred(d, v))
		return REFUSE_BARRED;
	if (direct_kernel_maps_own(d, v))
		return REFUSE_TABLES;
	kernel_segments_privilege(d, v);
	return kernel_segments_fit(d, v, ss) ? REFUSE_NOTHING : REFUSE_SEGMENTS;
}

bool direct_kernel_fit(struct direct *d, struct vcpu *v)
{
	return vcpu_protected(v) && direct_kernel_refuses(d, v) == REFUSE_NOTHING;
}

void direct_kernel_frame(struct direct *d, struct vcpu *v, u32 native)
{
	struct direct_frame *f = &direct_frame;

	frame_put(v->gpr);
	f->eip = native;
	f->eflags = (vcpu_eflags(v) & FLAGS_REAL) | FLAGS_FIXED | FLAG_IF;
	*d->host.esp0 = (u32)(&f->ss + 1);
	translate_enter(d->translator, v->eflags, v->seg);
	direct_show(d, v);
}

static void from_frame(struct translate_regs *r)
{
	const struct direct_frame *f = &direct_frame;

	frame_get(r->gpr);
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

/* False: the guest has written to the translator's state, through addresses at which it has
 * nothing mapped, and is nowhere now. */
static bool stop(struct direct *d, struct vcpu *v)
{
	struct translate_regs r;

	direct_unsettle(d);
	from_frame(&r);
	if (!translate_stopped(d->translator, &r))
		return false;
	to_vcpu(v, &r);
	return true;
}

/* False: something is due before translated code can run. With IF clear an interrupt is not. */
static bool go(struct direct *d, struct vcpu *v, u32 root)
{
	if (!root)
		return false;
	kernel_segments_enter(d);
	direct_irq_off();
	if (direct_kernel_events(d, v)) {
		direct_irq_on();
		return false;
	}
	d->host.state->pending = v->events & ~v->event_hold & VCPU_EV_INTR;
	direct_go_translated(d, v, root);
	return true;
}

/* False: on at the same native instruction. */
static bool page_fault(struct direct *d, struct vcpu *v, u32 lin, enum direct_next *next)
{
	u64 dropped = translate_stats(d->translator)->dropped;
	bool filled = false;

	if (direct_fill_raised(d, lin, direct_frame.error & PF_WRITE, &filled)) {
		d->stats.exits[EXITS_FAULT]++;
		*next = stop(d, v) ? direct_deliver_fault(v) : NEXT_DOWN;
		return true;
	}
	if (filled && dropped == translate_stats(d->translator)->dropped) {
		d->stats.exits[EXITS_FILL]++;
		return false;
	}
	d->stats.exits[EXITS_MEMORY]++;
	*next = stop(d, v) ? NEXT_STEP : NEXT_DOWN; /* also where its own page was dropped: it would
						       be translated again */
	if (!filled)
		translate_faulted(d->translator, direct_frame.eip, v->eip);
	return true;
}

/* Translated code has come to an exit. */
static void left(struct direct *d, struct vcpu *v, enum direct_next *next)
{
	struct translate_regs r;
	bool interpret;

	if (cross_out(d, v)) {
		*next = NEXT_CROSSED;
		return;
	}
	from_frame(&r);
	interpret = translate_left(d->translator, &r) == TRANSLATE_INTERPRET;
	to_vcpu(v, &r);
	d->stats.translated_left[interpret]++;
	*next = NEXT_ANY;
	if (!interpret)
		return;
	direct_unsettle(d);
	if (!d->single && !v->shadow && emulate(d, v, next))
		return;
	d->stats.translated_steps++;
	d->narrow = false;
	*next = NEXT_STEP;
}

/* What ended translated code. False: on at the same native instruction. */
static bool exit_kernel(struct direct *d, struct vcpu *v, enum direct_next *next)
{
	u32 vector = direct_frame.vector;

	if (vector == VEC_PF)
		return page_fault(d, v, d->cr2, next);
	/* Before all else: an interrupt may have come there, ahead of the INT. */
	if (vector == DIRECT_LEAVE_VECTOR)
		direct_frame.eip -= DIRECT_LEAVE_SIZE;
	if (direct_frame.eip == (u32)(uintptr_t)d->host.code) {
		left(d, v, next);
		return true;
	}
	if (vector == VEC_NM && direct_fpu_usable(v) && !v->fpu_native) {
		d->stats.exits[EXITS_FPU]++;
		fpu_go_native(v);
		return false;
	}
	if (vector == VEC_NMI || vector == VEC_DF || vector == VEC_MC)
		d->host.broken(vector, direct_frame.eip);
	*next = vector >= VEC_IRQ_FIRST ? NEXT_ANY : NEXT_STEP;
	if (!stop(d, v))
		*next = NEXT_DOWN;
	else if (vector == VEC_GP && !d->single && emulate(d, v, next)) /* RDTSC */
		return true;
	if (vector == VEC_GP || vector == VEC_SS)
		kernel_segments_fault(d, v);
	d->stats.exits[vector >= VEC_IRQ_FIRST ? EXITS_INTERRUPT : EXITS_OTHER]++;
	if (vector < VEC_IRQ_FIRST)
		d->stats.vectors[vector]++;
	return true;
}

/* Translated code from v's state on until it is left. */
static enum direct_next run(struct direct *d, struct vcpu *v)
{
	enum direct_next next;
	u64 dropped;
	u32 root;
	bool on;

	do {
		root = shadow_root(d->shadow);
		if (!go(d, v, root))
			return stop(d, v) ? NEXT_ANY : NEXT_DOWN;
		if (direct_at_exit(d) && cross_out(d, v))
			return NEXT_CROSSED;
		on = direct_calls(d, v, root);
		kernel_segments_leave(d, v);
		if (!on)
			return stop(d, v) ? NEXT_ANY : NEXT_DOWN;
		dropped = translate_stats(d->translator)->dropped;
	} while (!exit_kernel(d, v, &next) ||
		 (next != NEXT_CROSSED && direct_goes_on(d, v, dropped, &next)));
	return next;
}

/* Behind a crossing, where all that find() does has been done for one like it. */
static bool at_hand(struct direct *d, const struct vcpu *v)
{
	if (!d->crossed || !d->settled.native ||
	    d->settled.forgotten != translate_forgotten(d->translator))
		return false;
	d->crossed = false;
	direct_frame.eip = d->settled.native;
	translate_enter_flags(d->host.state, v->eflags);
	return true;
}

/* The translation that comes next, and the frame for it. False: none; *next says what is. */
static bool find(struct direct *d, struct vcpu *v, enum direct_next *next)
{
	struct translate_unit *u;
	bool raised;

	direct_update_cr4(d, v);
	kernel_map_check(d, v);
	raised = kernel_find_raised(d, v, &u);
	if ((raised || !u) && d->crossed)
		cross_registers(v);
	*next = raised ? direct_deliver_fault(v) : NEXT_STEP;
	if (raised || !u)
		return false;
	if (d->single)
		translate_drop_links(d->translator);
	else
		translate_connect(d->translator, u);
	if (d->crossed) {
		direct_frame.eip = translate_entry(u);
		translate_enter(d->translator, v->eflags, v->seg);
		direct_show(d, v);
		d->settled.native = translate_entry(u);
		d->settled.forgotten = translate_forgotten(d->translator);
	} else {
		direct_kernel_frame(d, v, translate_entry(u));
	}
	d->crossed = false;
	return true;
}

enum direct_next direct_kernel(struct direct *d, struct vcpu *v)
{
	enum direct_next next;
	u32 cpl = v->cpl;

	do {
		if (!at_hand(d, v)) {
			kernel_find_entered(d);
			if (!find(d, v, &next))
				break;
		}
		d->stats.translated++;
		next = run(d, v);
	} while (next == NEXT_ANY && !d->single && !direct_fault_is_looked_at(d) && v->cpl == cpl &&
		 !direct_events(v) && direct_kernel_fit(d, v));
	d->crossed = next == NEXT_CROSSED;
	return next;
}

/* What the guest has written over the translator's state does not outlive a reset. */
static void was_reset(struct vcpu *v)
{
	struct direct *d = direct_of(v);

	translate_flush(d->translator);
	kernel_segments_forget(d, v);
}

/* --- construction --- */

static size_t aligned(size_t size)
{
	return (size + 15) & ~(size_t)15;
}

size_t direct_kernel_arena_size(u32 code_size)
{
	return kernel_find_size() + aligned(kernel_map_size()) + aligned(kernel_segments_size()) +
	       translate_arena_size(code_size - LEAVE_SIZE);
}

void direct_kernel_init(struct direct *d, void *arena)
{
	struct translate_host host = {.code = d->host.code + LEAVE_SIZE,
				      .code_size = d->host.code_size - LEAVE_SIZE,
				      .state = d->host.state,
				      .state_disp = (u32)(uintptr_t)d->host.state,
				      .state_prefix = PREFIX_GS,
				      .leave = (u32)(uintptr_t)d->host.code};
	u8 *at = arena;

	d->written = (void *)at;
	at += kernel_find_size();
	d->map = (void *)at;
	at += aligned(kernel_map_size());
	d->kernel = (void *)at;
	at += aligned(kernel_segments_size());
	d->host.code[0] = OPCODE_INT;
	d->host.code[1] = DIRECT_LEAVE_VECTOR;
	d->translator = translate_init(at, &host);
	kernel_segments_init(d);
	d->vcpu->mem->translated_written = kernel_find_written;
	d->vcpu->mem->stores_apart = kernel_find_apart;
	d->vcpu->mem->translated_ctx = d;
	d->vcpu->flushed = kernel_map_flushed;
	d->vcpu->was_reset = was_reset;
}
