/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop: what happens between blocks. Events and traps are taken here, in the order of SDM
 * vol. 3, table 6-2, and faults arrive here from wherever they were raised.
 */
#include "cpu/interp/interp.h"

/*
 * Of the run loop, some ten instructions each: what they cost is about what it costs to hand over
 * and to come back.
 */
#define ROUNDS 16u

static void fold_count(struct vcpu *v)
{
	v->stats.insns += v->icount;
	v->icount = 0;
}

static enum exit_reason leave(struct vcpu *v, enum exit_reason reason)
{
	v->interp->often = 0;
	fold_count(v);
	return reason;
}

/* What is derived from segments, CPL and paging, after v->generation has moved. */
static void refresh(struct vcpu *v)
{
	struct interp *in = v->interp;
	const struct segment *cs = &v->seg[SEG_CS];
	u32 last = cs->limit;

	if (in->flush_due)
		cache_flush(v);
	in->mode = (cs->attr & SEG_DB ? MODE_CODE32 : 0) | mode_of_data(v);
	if (!(cs->attr & SEG_DB) && last > 0xffff)
		last = 0xffff;
	in->page_eip_count = last >= PAGE_SIZE - 1 ? last - (PAGE_SIZE - 2) : 0;
	in->goto_eip_count = in->often ? 0 : in->page_eip_count;
	v->tlb_set = vcpu_tlb(v)->set[v->cpl == 3];
	in->generation = v->generation;
}

/* The block at v->eip, decoded now if need be, or NULL. Faults as the fetch would. */
static const struct block *find_block(struct vcpu *v)
{
	struct interp *in = v->interp;
	const struct segment *cs = &v->seg[SEG_CS];
	u32 lin = cs->base + v->eip, page_off = lin & ~PAGE_MASK, page_eip = v->eip - page_off;
	u32 mode = in->mode, gpa;
	const struct block *b;
	const u8 *host;

	if (v->eip > cs->limit)
		cpu_raise_gp0(v);
	gpa = (mem_fetch_page(v, lin, &host) & PAGE_MASK) | page_off;
	if (!host || gpa >> PAGE_SHIFT >= in->page_count)
		return NULL;
	if (page_eip >= in->page_eip_count)
		mode |= MODE_EDGE;
	b = cache_find(in, gpa, mode);
	if (!b)
		b = decode_block(v, gpa, host, mode);
	if (!b)
		return NULL;
	if (mode & MODE_EDGE) {
		u32 last = v->eip + (b->end - b->first) - 1;

		if (last > cs->limit || last < v->eip || (!(mode & MODE_CODE32) && last > 0xffff))
			return NULL;
	}
	v->page_eip = page_eip;
	return b;
}

/* The block at v->eip where everything it takes to find it is at hand; as goto_eip() does it. */
static const struct block *quick_block(struct vcpu *v)
{
	struct interp *in = v->interp;
	u32 lin = v->seg[SEG_CS].base + v->eip;
	const struct tlb_entry *e =
		(const struct tlb_entry *)v->tlb_set + ((lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1));
	u32 off = lin ^ e->rd_tag, page_eip = v->eip - off, gpa;
	const struct block *b;

	if (off >= PAGE_SIZE || page_eip >= in->page_eip_count)
		return NULL;
	gpa = (e->gpa_page & PAGE_MASK) + off;
	b = in->hash[interp_hash(gpa)];
	if (b->gpa != gpa || b->mode != in->mode)
		return NULL;
	v->page_eip = page_eip;
	return b;
}

/* One instruction, uncached, with everything that is looked at between instructions. */
static bool single(struct vcpu *v)
{
	struct interp *in = v->interp;
	u32 rf = v->eflags & FLAG_RF, shadow = v->shadow;
	bool trap = v->eflags & FLAG_TF, held = shadow || rf;
	const struct insn *first;

	v->stats.slow_steps++;
	in->single_due = false;
	/* The T bit of a task just entered comes before its first instruction. */
	if (unlikely(v->debug_hits) && !v->shadow && cpu_debug_trap(v, false))
		return cpu_deliver(v, VEC_DB, EVENT_TRAP);
	/* None between MOV SS and what loads ESP (6.8.3). */
	if ((v->dr[7] & 0xff) && !(v->shadow & SHADOW_MOVSS) &&
	    cpu_code_breakpoint(v, v->seg[SEG_CS].base + v->eip))
		cpu_raise(v, VEC_DB, 0);
	first = decode_single(v);
	if (held) {
		v->shadow = 0;
		v->eflags &= ~FLAG_RF;
		cpu_mode_changed(v);
		refresh(v);
	}
	in->no_trap = false;
	vcpu_event_set(v, VCPU_EV_ONCE);
	interp_exec(v, first);
	vcpu_event_clear(v, VCPU_EV_ONCE);
	v->cur = NULL;
	if (held && in->exit_due && in->exit == EXIT_IO_WAIT) { /* it is still to come */
		v->shadow = (u8)shadow;
		v->eflags |= rf;
		cpu_mode_changed(v);
	}
	if (held) /* what kept the state from another engine is gone: go() is to ask */
		in->generation = v->generation - 1;
	trap = trap && !in->no_trap;
	if (trap && v->halted) /* HLT ends with the step */
		in->exit_due = false;
	if (in->exit_due || (v->shadow & SHADOW_MOVSS) || !(trap || v->debug_hits))
		return true;
	if (!cpu_debug_trap(v, trap))
		return true;
	return cpu_deliver(v, VEC_DB, EVENT_TRAP);
}

/* NMI and INTR, where they may be taken now. *done: one was. Returns false on shutdown. */
static bool take_interrupt(struct vcpu *v, bool *done)
{
	u32 events = v->events & ~v->event_hold;

	*done = true;
	if (v->shadow)
		goto none;
	if ((events & VCPU_EV_NMI) && !v->nmi_blocked) {
		vcpu_event_clear(v, VCPU_EV_NMI);
		return cpu_deliver(v, VEC_NMI, EVENT_EXTERNAL);
	}
	if ((events & VCPU_EV_INTR) && (v->eflags & FLAG_IF)) {
		return cpu_deliver(v, (u8)v->ops->intack(v->ops_ctx), EVENT_EXTERNAL);
	}
none:
	*done = false;
	return true;
}

/*
 * RF does nothing without breakpoints: after the one chance to be pushed with an interrupt it goes,
 * so that the instruction a fault returns to needs no slow step.
 */
static void forget_rf(struct vcpu *v)
{
	if (!(v->eflags & FLAG_RF) || (v->dr[7] & 0xff))
		return;
	v->eflags &= ~FLAG_RF;
	cpu_mode_changed(v);
}

/* Carries out guest code until there is a reason to leave; under the catch point. */
static enum exit_reason go(struct vcpu *v, bool step)
{
	struct interp *in = v->interp;
	const struct block *b;
	bool done, alive = true;

	for (;;) {
		v->event_mask = interp_event_mask(v);
		if (unlikely((v->events & v->event_mask) || step)) {
			vcpu_event_clear(v, VCPU_EV_ONCE);
			if ((v->events & v->event_mask & VCPU_EV_HOST) && !step)
				return EXIT_EVENT;
			alive = take_interrupt(v, &done);
			if (!alive)
				return EXIT_SHUTDOWN;
			if (done && step)
				return EXIT_STEP;
			if (done)
				continue;
			forget_rf(v);
		}
		if (unlikely(v->halted))
			return EXIT_HLT;
		if (in->generation != v->generation || in->flush_due) {
			refresh(v);
			if (v->hand_over && !step && v->hand_over(v))
				return EXIT_HAND_OVER;
		} else if (unlikely(in->often) && !step && !--in->often) {
			if (v->hand_over(v))
				return EXIT_HAND_OVER;
			in->often = ROUNDS;
		}
		b = NULL;
		if (!step && !(v->events & VCPU_EV_STEP) && !in->single_due)
			b = quick_block(v) ?: find_block(v);
		if (in->generation != v->generation)
			refresh(v);
		if (b)
			interp_exec(v, b->insn);
		else if (unlikely(in->stop) && !step && v->eip == in->stop_eip && in->stop(v))
			return EXIT_HAND_OVER;
		else
			alive = single(v);
		v->cur = NULL;
		if (!alive)
			return EXIT_SHUTDOWN;
		if (in->exit_due) {
			in->exit_due = false;
			return in->exit;
		}
		if (step)
			return EXIT_STEP;
	}
}

static enum exit_reason run_caught(struct vcpu *v, bool step)
{
	struct vcpu *volatile kept = v;
	volatile bool keep_step = step;

	for (;;) {
		if (!__builtin_setjmp(cpu_fault_of(kept)->jmp))
			return leave(kept, go(kept, keep_step));
		v = kept;
		vcpu_event_clear(v, VCPU_EV_ONCE);
		if (v->cur)
			v->icount += ((const struct insn *)v->cur)->n - 1u;
		v->cur = NULL;
		v->interp->exit_due = false;
		if (!cpu_exception(v, v->fault.vector, v->fault.error))
			return leave(v, EXIT_SHUTDOWN);
		if (keep_step)
			return leave(v, EXIT_STEP);
	}
}

static enum exit_reason interp_run(struct vcpu *v)
{
	v->interp->exit_due = false;
	v->interp->generation = v->generation - 1;
	v->cur = NULL;
	return run_caught(v, false);
}

static enum exit_reason interp_step(struct vcpu *v)
{
	v->interp->exit_due = false;
	v->interp->generation = v->generation - 1;
	v->cur = NULL;
	return run_caught(v, true);
}

void interp_ask_often(struct vcpu *v)
{
	v->interp->often = ROUNDS;
}

/* Code around the place is decoded with, or without, the question in front of it. */
void interp_stop_at(struct vcpu *v, u32 eip, u32 gpa, bool (*stop)(struct vcpu *v))
{
	struct interp *in = v->interp;

	if (in->stop)
		cache_drop_range(v, in->stop_gpa, 1);
	in->stop = stop;
	in->stop_eip = eip;
	in->stop_gpa = gpa;
	if (stop)
		cache_drop_range(v, gpa, 1);
}

const struct engine interp_engine = {.name = "interp", .run = interp_run, .step = interp_step};
