/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that translated code leaves to Farbus and goes on behind: no unit is looked for, and
 * for a port access nothing changes but EAX. What cannot go on leaves translated code for good.
 */
#include "cpu/cpu.h"
#include "cpu/debug_regs.h"
#include "cpu/direct/go.h"

static bool access_port(struct vcpu *v, const struct translate_call *c)
{
	struct direct_frame *f = &direct_frame;
	u32 width = c->what & TRANSLATE_PORT_WIDTH, mask = ~0u >> (32 - width * 8), value = 0;
	u16 port = c->what & TRANSLATE_PORT_DX ? (u16)f->edx : c->operand;

	/* What a trace, or a peer that is asked, takes down. */
	v->eip = c->eip;
	v->gpr[REG_ESP] = f->esp;
	if (c->what & TRANSLATE_PORT_OUT) {
		if (!v->ops->out(v->ops_ctx, port, width, f->eax & mask))
			return false;
		v->stats.io_out++;
		return true;
	}
	if (!v->ops->in(v->ops_ctx, port, width, &value))
		return false;
	f->eax = (f->eax & ~mask) | (value & mask);
	v->stats.io_in++;
	return true;
}

u32 *direct_frame_reg(unsigned reg)
{
	struct direct_frame *f = &direct_frame;
	u32 *const regs[] = {&f->eax, &f->ecx, &f->edx, &f->ebx,
			     &f->esp, &f->ebp, &f->esi, &f->edi};

	return regs[reg];
}

/* Of CR0 only TS changes. */
static bool mov_to_cr(struct vcpu *v, unsigned cr, u32 value)
{
	if (cr == 0 && !((value ^ v->cr0) & ~CR0_TS))
		v->cr0 = value;
	else if (cr == 2 || (cr == 3 && !(v->cr4 & CR4_PAE)))
		cpu_mov_to_cr(v, cr, value);
	else
		return false;
	return true;
}

/* Translated code has no breakpoints, and does not begin to have any. */
static bool mov_to_dr(struct vcpu *v, unsigned dr, u32 value)
{
	if (dr == 7 && (value & (DR7_ENABLE | DR7_GD)))
		return false;
	cpu_mov_to_dr(v, dr, value);
	return true;
}

static bool debug(struct vcpu *v, const struct translate_call *c)
{
	u32 *reg = direct_frame_reg(c->operand & 7);
	unsigned dr = c->operand >> 3;

	if (dr == 4 || dr == 5 || debug_guarded(v))
		return false;
	if (c->what == TRANSLATE_DEBUG_TO)
		return mov_to_dr(v, dr, *reg);
	*reg = cpu_mov_from_dr(v, dr);
	return true;
}

/* What raises nothing, and leaves the CPU in the mode in which it is. */
static bool control(struct vcpu *v, const struct translate_call *c)
{
	u32 *reg = direct_frame_reg(c->operand & 7);
	unsigned cr = c->operand >> 3;

	switch (c->what) {
	case TRANSLATE_CONTROL_CLTS:
		v->cr0 &= ~CR0_TS;
		return true;
	case TRANSLATE_CONTROL_FROM:
		if (cr == 1 || cr > 4)
			return false;
		*reg = cpu_mov_from_cr(v, cr);
		return true;
	case TRANSLATE_CONTROL_TO:
		return mov_to_cr(v, cr, *reg);
	case TRANSLATE_CONTROL_INVLPG:
		kernel_segments_leave(direct_of(v), v); /* it may have loaded DS */
		cpu_invlpg(v, SEG_DS, *reg);
		return true;
	case TRANSLATE_DEBUG_FROM:
	case TRANSLATE_DEBUG_TO:
		return debug(v, c);
	default:
		return false;
	}
}

/* A store to page tables, as a rule: what maps them may change by it. */
static enum direct_store store(struct direct *d, struct vcpu *v, const struct translate_call *c)
{
	kernel_segments_leave(d, v);
	return direct_store(d, v, c);
}

/* The instruction that translated code was left for, where it is known; or NULL. */
static inline const struct translate_call *known_call(const struct direct *d)
{
	const struct translate_call *c;

	if (!direct_at_exit(d))
		return NULL;
	c = translate_called(d->translator);
	return c && c->what ? c : NULL;
}

/* Whether there is a way on after code has changed, or where it lies, or page tables. */
static bool finds_on(struct direct *d, struct vcpu *v, u64 dropped, u32 *root)
{
	if (translate_stats(d->translator)->dropped != dropped || direct_kernel_maps_own(d, v) ||
	    !kernel_map_check(d, v))
		return false;
	*root = shadow_root(d->shadow);
	return *root;
}

/*
 * A loop around port accesses that does nothing else (a driver that looks for a card by two million
 * of them) is cheaper where no access has to come to Farbus and go back: for the interpreter, until
 * something else comes up.
 */
#define POLLING 256u

static bool polls(struct direct *d, const struct vcpu *v, u32 calls)
{
	if (calls < POLLING)
		return false;
	direct_kernel_bar(d, v, true);
	return true;
}

bool direct_calls(struct direct *d, struct vcpu *v, u32 root)
{
	const struct translate_call *c = known_call(d);
	u32 generation = v->generation, calls = 0, cr0;
	bool on = true;
	u64 dropped;

	if (!c || d->single)
		return true;
	dropped = translate_stats(d->translator)->dropped;
	cr0 = direct_cr0(d, v);
	do {
		if (likely(c->what & TRANSLATE_PORT_WIDTH)) {
			if (!access_port(v, c))
				break; /* there is no answer yet */
			on = v->generation == generation;
		} else if (c->what == TRANSLATE_MEMORY) {
			enum direct_store done = store(d, v, c);

			if (done == STORE_NONE)
				break;
			on = done == STORE_IDLE || finds_on(d, v, dropped, &root);
			generation = v->generation;
		} else {
			if (v->cpl != 0 || !control(v, c))
				break;
			cr0 = direct_cr0(d, v);
			direct_show(d, v);
			on = v->generation == generation || finds_on(d, v, dropped, &root);
			generation = v->generation;
		}
		calls++;
		direct_frame.eip = c->native;
		direct_irq_off();
		on = on && !direct_kernel_events(d, v) && !polls(d, v, calls);
		if (!on) {
			direct_irq_on();
			break;
		}
		d->host.state->pending = v->events & ~v->event_hold & VCPU_EV_INTR;
		direct_go_on(d, root, cr0);
	} while ((c = known_call(d)));
	d->stats.translated_calls += calls;
	return on;
}

/* --- any instruction --- */

static enum direct_next step(struct vcpu *v)
{
	switch (interp_engine.step(v)) {
	case EXIT_SHUTDOWN:
		return NEXT_DOWN;
	case EXIT_IO_WAIT:
		return NEXT_STEP; /* again, where the run loop waits for the answer */
	default:
		return NEXT_ANY;
	}
}

/* Where the unit that was left goes on with v->eip; 0: nowhere. */
static u32 place(const struct direct *d, const struct vcpu *v)
{
	const struct translate_call *c;

	if (direct_frame.eip != (u32)(uintptr_t)d->host.code)
		return translate_place(d->translator, direct_frame.eip, v->eip);
	c = translate_called(d->translator);
	return c && v->eip == c->eip + c->len ? c->native : 0;
}

/* Forms of stores that direct_store() does not know may have been loud or not: now and then they
 * are tried again. */
static void memory_stepped(struct direct *d)
{
	const struct translate_call *c = translate_called(d->translator);

	if (direct_frame.eip == (u32)(uintptr_t)d->host.code && c && c->what == TRANSLATE_MEMORY)
		translate_call_done(d->translator, c, true);
}

/*
 * Lockstep has it carried out twice: not so what has faulted, which may have been a port or device
 * memory, but for what this CPU does not know, or not in this mode.
 */
static bool repeatable(const struct direct *d, struct vcpu *v)
{
	return direct_frame.vector == VEC_UD ||
	       (direct_frame.eip == (u32)(uintptr_t)d->host.code && emulate_repeatable(v));
}

bool direct_goes_on(struct direct *d, struct vcpu *v, u64 dropped, enum direct_next *next)
{
	u32 native;

	if (d->single || direct_events(v))
		return false;
	if (*next == NEXT_STEP && (!d->lockstep || repeatable(d, v))) {
		*next = step(v);
		memory_stepped(d);
	}
	if (*next != NEXT_ANY || v->cpl == 3 || direct_events(v))
		return false;
	native = place(d, v);
	if (!native || !direct_kernel_fit(d, v) || !kernel_map_check(d, v) ||
	    translate_stats(d->translator)->dropped != dropped)
		return false;
	d->stats.translated_calls++;
	direct_update_cr4(d, v); /* the instruction may have been what set it, or the TSC */
	direct_kernel_frame(d, v, native);
	return true;
}
