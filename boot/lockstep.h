/* SPDX-License-Identifier: BSD-2-Clause */
/* The lockstep engine on this PC. Inside boot/ only. */
#ifndef FARBUS_BOOT_LOCKSTEP_H
#define FARBUS_BOOT_LOCKSTEP_H

#include "boot/vm.h"

/* Bytes that lockstep_build() takes for a guest with `ram` bytes. */
u32 lockstep_own_size(u32 ram);
/* After direct_build(): makes lockstep vm's engine. Without memory: boot_fail(). */
void lockstep_build(struct vm *vm);

#endif
