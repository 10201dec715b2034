/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commonest transfers between CPL 3 and CPL 0, by 32-bit gates and IRET between flat kernels
 * and their programs: everything they need is at hand (in the TLB, with descriptors that are as
 * they were the last time), and nothing can fault. Both look only; the caller commits. False: go
 * the long way, which checks everything in its order.
 */
#ifndef FARBUS_CPU_QUICK_H
#define FARBUS_CPU_QUICK_H

#include "cpu/vcpu.h"

/* Into CPL 0 through an interrupt or trap gate. */
struct quick_entry {
	const struct segment *cs, *ss;
	u16 sel;	     /* of CS, with RPL 0 */
	bool interrupt_gate; /* IF goes off */
	u32 eip, esp;
	u32 *frame; /* host memory at esp: EIP, CS, EFLAGS, ESP, SS, after the error code if any */
};
bool quick_entry(struct vcpu *v, u8 vector, bool software, bool has_error, struct quick_entry *q);

/* Back to CPL 3 by IRETD. */
struct quick_return {
	const struct segment *cs, *ss;
	u32 eip, eflags, esp;
};
bool quick_return(struct vcpu *v, struct quick_return *q);

#endif
