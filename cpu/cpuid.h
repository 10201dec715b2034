/* SPDX-License-Identifier: BSD-2-Clause */
/* The features this CPU can show (SDM vol. 2, CPUID, leaf 1 EDX). */
#ifndef FARBUS_CPU_CPUID_H
#define FARBUS_CPU_CPUID_H

#include "cpu/vcpu.h"

#define CPUID_FPU  BIT(0)
#define CPUID_VME  BIT(1)
#define CPUID_DE   BIT(2)
#define CPUID_PSE  BIT(3)
#define CPUID_TSC  BIT(4)
#define CPUID_MSR  BIT(5)
#define CPUID_PAE  BIT(6)
#define CPUID_CX8  BIT(8)
#define CPUID_SEP  BIT(11)
#define CPUID_PGE  BIT(13)
#define CPUID_CMOV BIT(15)
#define CPUID_MMX  BIT(23)
#define CPUID_FXSR BIT(24)
#define CPUID_SSE  BIT(25)

/* What the engines carry out, the FPU parts given a host that has them. */
#define CPUID_INTEGER                                                                              \
	(CPUID_VME | CPUID_DE | CPUID_PSE | CPUID_TSC | CPUID_MSR | CPUID_PAE | CPUID_CX8 |        \
	 CPUID_SEP | CPUID_PGE | CPUID_CMOV)
#define CPUID_HOST_FPU (CPUID_FPU | CPUID_MMX | CPUID_FXSR | CPUID_SSE)

/* Leaf 1 EDX as the guest sees it: all of the above that v->feature_mask lets through. */
static inline u32 cpu_features(const struct vcpu *v)
{
	return (CPUID_INTEGER | CPUID_HOST_FPU) & v->feature_mask;
}

#endif
