/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment registers and stacks, as far transfers, interrupts and task switches load them. */
#ifndef FARBUS_CPU_SEGMENT_H
#define FARBUS_CPU_SEGMENT_H

#include "cpu/descriptor.h"
#include "cpu/vcpu.h"

#define ATTR_REAL (SEG_P | SEG_S | SEG_RW | SEG_ACCESSED)
#define ATTR_V86  (ATTR_REAL | 3u << SEG_DPL_SHIFT)

/* Puts s into a segment register, with its derived fields. */
void segment_set(struct vcpu *v, unsigned seg, struct segment s);
void segment_set_null(struct vcpu *v, unsigned seg, u16 sel);
/* The derived fields of all of them, honouring v->mem_slow. */
void segment_derive_all(struct vcpu *v);

/* Real-address mode: base only, limit and D/B stay (unreal mode). V86 mode: 64 KB at DPL 3. */
void segment_set_real(struct vcpu *v, unsigned seg, u16 sel);
/* Present, writable, DPL 0, as a load in real-address mode leaves it; all else stays. */
void segment_set_real_rights(struct vcpu *v, unsigned seg);
void segment_set_v86(struct vcpu *v, unsigned seg, u16 sel);

/*
 * CS of a new privilege level from a checked descriptor: sets v->cpl and the RPL. The caller ends
 * with cpu_mode_changed().
 */
void segment_set_cs(struct vcpu *v, u16 sel, const struct descriptor *d, unsigned cpl);

/* #GP(0) where off is beyond the limit of a code segment about to be entered. */
void code_offset_check(struct vcpu *v, const struct segment *cs, u32 off);

/* The stack a transfer pushes to or pops from; nothing changes in v before stack_commit(). */
struct stack {
	struct segment ss;
	u32 sp;
	u32 mask;  /* ffffh or ffffffffh, from ss's B bit */
	bool user; /* paging rights of its accesses */
	u16 error; /* of #SS: the selector of an inner stack, 0 for the current one */
};
struct stack stack_current(struct vcpu *v);
/* A 16-bit stack leaves the upper half of ESP as it is. */
struct stack stack_make(struct vcpu *v, const struct segment *ss, u32 sp, unsigned cpl);
void stack_push(struct vcpu *v, struct stack *st, unsigned size, u32 value);
u32 stack_pop(struct vcpu *v, struct stack *st, unsigned size);
/* `skip` bytes above the pointer. */
u32 stack_peek(struct vcpu *v, const struct stack *st, u32 skip, unsigned size);
void stack_skip(struct stack *st, u32 bytes);
/* ESP only; an outer or inner stack's SS is set with segment_set(). */
void stack_commit(struct vcpu *v, const struct stack *st);

/*
 * The stack for an inner level from the current TSS (SDM vol. 3, 5.8.5), with its #TS and #SS. *d
 * is its descriptor: descriptor_accessed() is for when all is pushed.
 */
struct stack stack_inner(struct vcpu *v, unsigned cpl, struct descriptor *d);

/* Checks a return to an outer level's SS and gives its descriptor. absent: what is raised for one
 * that is not present, VEC_SS (RET) or VEC_NP (IRET). */
struct descriptor stack_outer_check(struct vcpu *v, u16 sel, unsigned cpl, u8 absent);
/* After such a return: data segments that the outer level may not use become null. */
void segments_drop_inner(struct vcpu *v);

#endif
