/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors as they lie in the GDT, LDT and IDT (SDM vol. 3, 3.4.5 and 5.8). */
#ifndef FARBUS_CPU_DESCRIPTOR_H
#define FARBUS_CPU_DESCRIPTOR_H

#include "cpu/vcpu.h"

/* System descriptor types: attr & (SEG_S | SEG_TYPE). */
enum {
	SYS_TSS16 = 1,
	SYS_LDT = 2,
	SYS_TSS16_BUSY = 3,
	SYS_CALL16 = 4,
	SYS_TASK_GATE = 5,
	SYS_INT16 = 6,
	SYS_TRAP16 = 7,
	SYS_TSS32 = 9,
	SYS_TSS32_BUSY = 11,
	SYS_CALL32 = 12,
	SYS_INT32 = 14,
	SYS_TRAP32 = 15,
};
#define SYS_BUSY BIT(1) /* tells a busy TSS type from an available one */
#define SYS_32	 BIT(3) /* tells a 386 TSS or gate from a 286 one */

#define SEL_RPL(sel)   ((sel)&3u)
#define SEL_LDT	       BIT(2)
#define SEL_NULL(sel)  (((sel)&0xfffcu) == 0)
#define SEL_ERROR(sel) ((sel)&0xfffcu)

struct descriptor {
	u32 lin; /* where it lies */
	u32 low, high;
};

/* Reads the descriptor of a selector that is not null; false beyond the table's limit. */
bool descriptor_read(struct vcpu *v, u16 sel, struct descriptor *d);
/* The same, raising `vector` with the selector as error code. */
struct descriptor descriptor_need(struct vcpu *v, u16 sel, u8 vector);

/* The segment registers' form: limit with G applied, derived fields still to be made. */
struct segment descriptor_segment(const struct descriptor *d, u16 sel);

/* Sets the accessed bit of a code or data segment's descriptor in memory and in d. */
void descriptor_accessed(struct vcpu *v, struct descriptor *d);

static inline u16 descriptor_attr(const struct descriptor *d)
{
	return (d->high >> 8) & 0xf0ff;
}
static inline unsigned descriptor_dpl(const struct descriptor *d)
{
	return (d->high >> 13) & 3;
}
static inline bool descriptor_present(const struct descriptor *d)
{
	return d->high & BIT(15);
}
static inline bool descriptor_is_system(const struct descriptor *d)
{
	return !(d->high & BIT(12));
}
static inline unsigned descriptor_system_type(const struct descriptor *d)
{
	return descriptor_is_system(d) ? (d->high >> 8) & 15 : 0;
}
static inline bool attr_is_code(u16 attr)
{
	return (attr & (SEG_S | SEG_CODE)) == (SEG_S | SEG_CODE);
}
static inline bool attr_is_conforming(u16 attr)
{
	return (attr & (SEG_S | SEG_CODE | SEG_EC)) == (SEG_S | SEG_CODE | SEG_EC);
}
static inline bool attr_is_writable(u16 attr)
{
	return (attr & (SEG_S | SEG_CODE | SEG_RW)) == (SEG_S | SEG_RW);
}
static inline bool attr_is_readable(u16 attr)
{
	return (attr & SEG_S) && (attr & (SEG_CODE | SEG_RW)) != SEG_CODE;
}
static inline unsigned attr_dpl(u16 attr)
{
	return (attr >> SEG_DPL_SHIFT) & 3;
}

/* Gates: the target selector, its offset (16 bits of it in a 286 gate), and the parameter count. */
static inline u16 gate_selector(const struct descriptor *d)
{
	return (u16)(d->low >> 16);
}
static inline u32 gate_offset(const struct descriptor *d)
{
	u32 low = d->low & 0xffff;

	return descriptor_system_type(d) & SYS_32 ? low | (d->high & 0xffff0000) : low;
}
static inline unsigned gate_params(const struct descriptor *d)
{
	return d->high & 31;
}

#endif
