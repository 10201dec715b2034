/* SPDX-License-Identifier: BSD-2-Clause */
/* Snippets of real-mode code: from flat protected mode there, and back when they end. */
#ifndef FARBUS_TESTS_GUESTS_RT_REAL_H
#define FARBUS_TESTS_GUESTS_RT_REAL_H

#include "lib/types.h"

/* The snippet's registers when it ended. */
struct real_result {
	u32 eax, ebx, ecx, edx, esi, edi, flags;
};
#define REAL_RESULT ((volatile struct real_result *)0x4f000)

/* Each vector leads to code that sets SI to the vector and DI to the return IP, and ends the
 * snippet. */
void real_vectors(void);
/*
 * Runs what lies at seg:0 with CS, DS, ES and SS = seg, SP = FFFEh, all other registers and flags
 * 0, until INT 80h. unreal: all segments but SS have limits of 4 GB.
 */
void real_run(u16 seg, bool unreal);
void real_show(const char *label);

#endif
