/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One switch to guest code and back: what is around switch.asm. Here because each system call of
 * the guest's comes through it twice.
 */
#ifndef FARBUS_CPU_DIRECT_GO_H
#define FARBUS_CPU_DIRECT_GO_H

#include "cpu/direct/private.h"

#define VEC_IRQ_FIRST 32u

static inline bool direct_fpu_usable(const struct vcpu *v)
{
	return !(v->cr0 & (CR0_TS | CR0_EM)) && !v->fpu_ferr;
}

/*
 * This PC's CR0 for guest code; 0: as it is. TS stands for everything the interpreter has to do for
 * an FPU instruction.
 */
static inline u32 direct_cr0(struct direct *d, const struct vcpu *v)
{
	u32 now = d->cr0;

	d->cr0 = (now & ~CR0_AM) | (v->cr0 & CR0_AM);
	if (!v->fpu_native || !direct_fpu_usable(v))
		return d->cr0 | CR0_TS;
	return d->cr0 == now ? 0 : d->cr0;
}

#define GATE_DPL_3 (3u << 13)

/* Guest code of CPL 3 must not find the way out: INT n is #GP for it whatever n is. */
static inline void direct_use_ldt(struct direct *d, u16 ldt, u32 dpl)
{
	if (d->ldt == ldt)
		return;
	d->ldt = ldt;
	asm volatile("lldt %w0" ::"r"((u32)ldt));
	if (d->host.leave_gate)
		*d->host.leave_gate = (*d->host.leave_gate & ~GATE_DPL_3) | dpl;
}

static inline void direct_came_back(struct direct *d)
{
	if (direct_frame.vector == VEC_PF)
		asm volatile("movl %%cr2, %0" : "=r"(d->cr2));
	else if ((direct_frame.vector & ~DIRECT_ASTRAY) >= VEC_IRQ_FIRST)
		d->host.interrupt(direct_frame.vector & ~DIRECT_ASTRAY);
	direct_irq_on();
}

/* With interrupts off on the way in, and on behind it; d->cr2: after a page fault. */
static inline void direct_go(struct direct *d, const struct vcpu *v, u32 root)
{
	direct_use_ldt(d, d->host.ldt_selector, 0);
	direct_switch(root, direct_cr0(d, v));
	direct_came_back(d);
}

/* To translated code, where nothing but general registers has changed since: with this CR0, or 0.
 */
static inline void direct_go_on(struct direct *d, u32 root, u32 cr0)
{
	if (unlikely(d->small_stack))
		direct_switch_small(d, root, cr0);
	else
		direct_switch_translated(root, cr0);
	direct_came_back(d);
}

static inline void direct_go_translated(struct direct *d, const struct vcpu *v, u32 root)
{
	direct_use_ldt(d, d->host.kernel_ldt_selector, GATE_DPL_3);
	direct_go_on(d, root, direct_cr0(d, v));
}

#endif
