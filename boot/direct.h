/* SPDX-License-Identifier: BSD-2-Clause */
/* What the direct engine needs of this PC. Inside boot/ only. */
#ifndef FARBUS_BOOT_DIRECT_H
#define FARBUS_BOOT_DIRECT_H

#include "boot/vm.h"

/* Bytes that direct_build() takes for a guest with `ram` bytes, with or without the translator. */
u32 direct_own_size(const struct config *c, u32 ram);
/* After interp_init(): makes the direct engine vm's engine. Without memory: boot_fail(). */
void direct_build(struct vm *vm);

#endif
