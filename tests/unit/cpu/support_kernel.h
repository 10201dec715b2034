/* SPDX-License-Identifier: BSD-2-Clause */
/* A direct engine that has a translator and no switch to guest code, for tests of
 * direct/kernel_*.c. */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_KERNEL_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_KERNEL_H

#include "cpu/direct/private.h"

extern struct direct kernel_direct;
extern struct translate_state kernel_state;

/* On support_vm's vcpu, at CPL 0 with flat segments. */
void kernel_begin(void);
void kernel_end(void);

#endif
