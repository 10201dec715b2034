/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading descriptors and taking them apart: see descriptor.h. */
#include "cpu/cpu.h"
#include "cpu/descriptor.h"
#include "cpu/mem.h"

bool descriptor_read(struct vcpu *v, u16 sel, struct descriptor *d)
{
	u32 base = v->gdtr.base, limit = v->gdtr.limit;
	u32 offset = sel & 0xfff8u;

	if (sel & SEL_LDT) {
		if (!(v->ldtr.attr & SEG_P))
			return false;
		base = v->ldtr.base;
		limit = v->ldtr.limit;
	}
	if (offset + 7 > limit)
		return false;
	d->lin = base + offset;
	d->low = lin_read32(v, d->lin);
	d->high = lin_read32(v, d->lin + 4);
	return true;
}

struct descriptor descriptor_need(struct vcpu *v, u16 sel, u8 vector)
{
	struct descriptor d;

	if (!descriptor_read(v, sel, &d))
		cpu_raise(v, vector, SEL_ERROR(sel));
	return d;
}

struct segment descriptor_segment(const struct descriptor *d, u16 sel)
{
	u32 limit = (d->low & 0xffff) | (d->high & 0xf0000);
	u16 attr = descriptor_attr(d);

	return (struct segment){
		.base = (d->low >> 16) | (d->high & 0xff) << 16 | (d->high & 0xff000000),
		.limit = attr & SEG_G ? limit << 12 | 0xfff : limit,
		.sel = sel,
		.attr = attr,
	};
}

void descriptor_accessed(struct vcpu *v, struct descriptor *d)
{
	if (d->high & (SEG_ACCESSED << 8))
		return;
	d->high |= SEG_ACCESSED << 8;
	lin_write8(v, d->lin + 5, (u8)(d->high >> 8));
}
