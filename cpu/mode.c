/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows from the CPU's mode: see cpu_mode_changed() in cpu.h. */
#include "cpu/cpu.h"
#include "cpu/debug_regs.h"
#include "cpu/segment.h"

void cpu_mode_changed(struct vcpu *v)
{
	bool align = v->cpl == 3 && (v->eflags & FLAG_AC) && (v->cr0 & CR0_AM);
	bool slow = align || debug_watches_data(v);

	if (slow != v->mem_slow) {
		v->mem_slow = slow;
		segment_derive_all(v);
	}
	if ((v->eflags & (FLAG_TF | FLAG_RF)) || v->shadow || debug_enabled(v) || v->debug_hits)
		vcpu_event_set(v, VCPU_EV_STEP);
	else
		vcpu_event_clear(v, VCPU_EV_STEP);
	v->generation++;
}
