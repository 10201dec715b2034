/* SPDX-License-Identifier: BSD-2-Clause */
/* What far jumps, calls, returns and IRET have in common. */
#ifndef FARBUS_CPU_FAR_H
#define FARBUS_CPU_FAR_H

#include "cpu/descriptor.h"

/* What a system descriptor named by a JMP or CALL leads to; raises #GP for the others. */
enum far_target { FAR_CALL_GATE, FAR_TASK_GATE, FAR_TSS };
enum far_target far_system_target(struct vcpu *v, u16 sel, const struct descriptor *d);

/* The commit of a transfer: CS, CPL and EIP. */
void far_enter_real(struct vcpu *v, u16 sel, u32 off);
void far_enter(struct vcpu *v, u16 sel, struct descriptor *d, unsigned cpl, u32 off);

#endif
