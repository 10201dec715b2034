/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID: a Pentium III (family 6, model 8) without APIC, MTRRs and machine check. */
#include "cpu/cpu.h"
#include "cpu/cpuid.h"
#include "cpu/mmu/walk.h"
#include "lib/str.h"

#define SIGNATURE	 0x00000683u /* family 6, model 8, stepping 3 */
#define LAST_BASIC	 2u
#define FIRST_EXTENDED	 0x80000000u
#define LAST_EXTENDED	 0x80000008u
#define BRAND_FIRST	 0x80000002u
#define BRAND_LAST	 0x80000004u
#define ADDRESS_SIZES	 0x80000008u
#define LINEAR_ADDR_BITS 32u

struct leaf {
	u32 eax, ebx, ecx, edx;
};

/* Three leaves of 16 characters. */
static const char brand[48] = "Farbus virtual CPU";

static struct leaf basic(const struct vcpu *v, u32 number)
{
	switch (number) {
	case 0: /* "GenuineIntel" */
		return (struct leaf){LAST_BASIC, 0x756e6547, 0x6c65746e, 0x49656e69};
	case 1:
		return (struct leaf){SIGNATURE, 0, 0, cpu_features(v)};
	default: /* a Coppermine's TLBs and caches: 16 KB + 16 KB, 256 KB */
		return (struct leaf){0x03020101, 0, 0, 0x0c040882};
	}
}

static struct leaf extended(u32 number)
{
	struct leaf l = {0, 0, 0, 0};

	if (number == FIRST_EXTENDED)
		l.eax = LAST_EXTENDED;
	else if (number >= BRAND_FIRST && number <= BRAND_LAST)
		memcpy(&l, brand + (number - BRAND_FIRST) * sizeof(l), sizeof(l));
	else if (number == ADDRESS_SIZES)
		l.eax = PHYS_ADDR_BITS | LINEAR_ADDR_BITS << 8;
	return l;
}

void cpu_cpuid(struct vcpu *v)
{
	u32 number = v->gpr[REG_EAX];
	struct leaf l;

	/* Beyond the last leaf Intel CPUs give the last basic one. */
	if (number >= FIRST_EXTENDED && number <= LAST_EXTENDED)
		l = extended(number);
	else
		l = basic(v, number);
	v->gpr[REG_EAX] = l.eax;
	v->gpr[REG_EBX] = l.ebx;
	v->gpr[REG_ECX] = l.ecx;
	v->gpr[REG_EDX] = l.edx;
}
