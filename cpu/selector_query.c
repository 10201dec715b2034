/* SPDX-License-Identifier: BSD-2-Clause */
/* LAR, LSL, VERR and VERW: questions about a selector that never fault for it (SDM vol. 2). */
#include "cpu/cpu.h"
#include "cpu/descriptor.h"

#define LAR_SYSTEM                                                                                 \
	(BIT(SYS_TSS16) | BIT(SYS_LDT) | BIT(SYS_TSS16_BUSY) | BIT(SYS_CALL16) |                   \
	 BIT(SYS_TASK_GATE) | BIT(SYS_TSS32) | BIT(SYS_TSS32_BUSY) | BIT(SYS_CALL32))
#define LSL_SYSTEM                                                                                 \
	(BIT(SYS_TSS16) | BIT(SYS_LDT) | BIT(SYS_TSS16_BUSY) | BIT(SYS_TSS32) | BIT(SYS_TSS32_BUSY))
#define LAR_MASK 0x00ffff00u

/* The descriptor, when it may be seen: CPL and RPL count, except for conforming code. */
static bool visible(struct vcpu *v, u16 sel, struct descriptor *d)
{
	unsigned dpl;

	if (vcpu_real_segments(v))
		cpu_raise_ud(v);
	if (SEL_NULL(sel) || !descriptor_read(v, sel, d))
		return false;
	dpl = descriptor_dpl(d);
	return attr_is_conforming(descriptor_attr(d)) || (dpl >= v->cpl && dpl >= SEL_RPL(sel));
}

static bool type_in(const struct descriptor *d, u32 system_types)
{
	return !descriptor_is_system(d) || (system_types & BIT(descriptor_system_type(d)));
}

bool cpu_lar(struct vcpu *v, u16 sel, u32 *result)
{
	struct descriptor d;

	if (!visible(v, sel, &d) || !type_in(&d, LAR_SYSTEM))
		return false;
	*result = d.high & LAR_MASK;
	return true;
}

bool cpu_lsl(struct vcpu *v, u16 sel, u32 *result)
{
	struct descriptor d;

	if (!visible(v, sel, &d) || !type_in(&d, LSL_SYSTEM))
		return false;
	*result = descriptor_segment(&d, sel).limit;
	return true;
}

bool cpu_verr(struct vcpu *v, u16 sel)
{
	struct descriptor d;

	return visible(v, sel, &d) && attr_is_readable(descriptor_attr(&d));
}

bool cpu_verw(struct vcpu *v, u16 sel)
{
	struct descriptor d;

	return visible(v, sel, &d) && attr_is_writable(descriptor_attr(&d));
}
