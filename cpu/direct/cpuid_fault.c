/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/direct/cpuid_fault.h"
#include "lib/str.h"

#define CPUID_ECX_HYPERVISOR BIT(31)
#define CPUID_USER_DIS	     BIT(17) /* leaf 80000021h, EAX: CpuidUserDis */
#define LEAF_XSAVE	     0x0du   /* Intel's CPUs with it have MSR_PLATFORM_INFO */
#define FAMILY_P6	     6u

static u32 family(u32 signature)
{
	return signature >> 8 & 15;
}

enum cpuid_fault cpuid_fault_of(const struct cpuid_words *w)
{
	/* What a hypervisor makes of MSRs that it may not have is not ours to find out. */
	if (w->ecx & CPUID_ECX_HYPERVISOR)
		return CPUID_FAULT_NONE;
	if (!memcmp(w->vendor, "GenuineIntel", sizeof(w->vendor)))
		return w->last >= LEAF_XSAVE && family(w->signature) == FAMILY_P6
			       ? CPUID_FAULT_INTEL
			       : CPUID_FAULT_NONE;
	if (!memcmp(w->vendor, "AuthenticAMD", sizeof(w->vendor)))
		return w->extended_features2 & CPUID_USER_DIS ? CPUID_FAULT_AMD : CPUID_FAULT_NONE;
	return CPUID_FAULT_NONE;
}
