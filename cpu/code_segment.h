/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks that far jumps, calls, returns and gates share for their target code segment. */
#ifndef FARBUS_CPU_CODE_SEGMENT_H
#define FARBUS_CPU_CODE_SEGMENT_H

#include "cpu/descriptor.h"

/*
 * The target of a JMP or CALL without a gate (gate false: the RPL counts) or through one, at the
 * same level. Raises #GP or #NP with the selector.
 */
void code_check_same_level(struct vcpu *v, u16 sel, const struct descriptor *d, bool gate);

/* The target of RET or IRET: a code segment of the selector's RPL, which is at least the CPL. */
struct descriptor code_check_return(struct vcpu *v, u16 sel);

/*
 * A gate or TSS descriptor named by a JMP or CALL: CPL and RPL against its DPL, then P. Raises #GP
 * or #NP with the selector.
 */
void gate_check_access(struct vcpu *v, u16 sel, const struct descriptor *d);

/* The code segment of a call gate: its descriptor, present and DPL <= CPL (SDM vol. 3, 5.8.4). */
struct descriptor gate_target(struct vcpu *v, const struct descriptor *gate, u16 *sel);

#endif
