/* SPDX-License-Identifier: BSD-2-Clause */
/* What a test that must survive anything needs of its host, apart from <ucontext.h>'s names. */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_GUARD_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_GUARD_H

#include "lib/types.h"

/* Zeroed memory, 16-byte aligned, with 1 MB of inaccessible pages before and after it. */
void *guarded_memory(size_t size);
/* Calls tick() every `us` microseconds, and fault() with the address of a bad access. */
void guard_start(u32 us, void (*tick)(void), void (*fault)(const void *address));

#endif
