/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs that can be told to let CPUID fault at CPL 3, so that guest code on the CPU sees the CPU
 * that Farbus shows (Intel: application note 323850, "CPUID faulting"; AMD: APM vol. 2, 3.2.11).
 */
#ifndef FARBUS_CPU_DIRECT_CPUID_FAULT_H
#define FARBUS_CPU_DIRECT_CPUID_FAULT_H

#include "lib/types.h"

enum cpuid_fault {
	CPUID_FAULT_NONE,
	CPUID_FAULT_INTEL, /* if bit 31 of MSR_PLATFORM_INFO says so: MISC_FEATURES_ENABLES, bit 0
			    */
	CPUID_FAULT_AMD,   /* HWCR, bit 35 */
};

/* What CPUID says, as far as it matters. Leaves that there are not: 0. */
struct cpuid_words {
	u32 last;		/* leaf 0: EAX */
	u32 vendor[3];		/* leaf 0: EBX, EDX, ECX */
	u32 signature, ecx;	/* leaf 1: EAX, ECX */
	u32 extended_features2; /* leaf 80000021h: EAX */
};

/* Which MSRs there are to ask and to set; a CPU without them would raise #GP. */
enum cpuid_fault cpuid_fault_of(const struct cpuid_words *w);

#endif
