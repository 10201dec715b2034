/* SPDX-License-Identifier: BSD-2-Clause */
/* Lockstep around the direct engine: all that it runs on the CPU is compared. */
#ifndef FARBUS_CPU_LOCKSTEP_DIRECT_H
#define FARBUS_CPU_LOCKSTEP_DIRECT_H

#include "cpu/lockstep/lockstep.h"

/*
 * After direct_init() with shadow tables for RAM only. As lockstep_init(), but for `native`, which
 * becomes the direct engine's.
 */
struct lockstep *lockstep_direct(struct vcpu *v, void *arena, const struct lockstep_host *host);

#endif
