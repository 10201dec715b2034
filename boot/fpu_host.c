// SPDX-License-Identifier: BSD-2-Clause
/*
 * The host FPU in the kernel: it holds the guest's state from the first guest FPU instruction until
 * somebody asks for it (fpu_sync). Farbus's own code never uses the FPU. Hosts without FXSR (the
 * Pentium) save with FNSAVE.
 */
#include "boot/fpu_host.h"
#include "cpu/interp/fpu_host.h"

#define FEATURE_FPU  BIT(0)
#define FEATURE_MMX  BIT(23)
#define FEATURE_FXSR BIT(24)
#define FEATURE_SSE  BIT(25)

static u8 code[FPU_CODE_SIZE] __attribute__((aligned(4096)));
static u32 features;

u32 fpu_host_features(void)
{
	return features;
}

void fpu_host_init(void)
{
	u32 eax = 1, ebx, ecx, edx, cr;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	features = edx & (FEATURE_FPU | FEATURE_MMX | FEATURE_FXSR | FEATURE_SSE);
	if (!(features & FEATURE_FXSR))
		features &= ~FEATURE_SSE;
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr));
	cr = (cr & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE;
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr));
	if (features & FEATURE_FXSR) {
		__asm__ volatile("mov %%cr4, %0" : "=r"(cr));
		cr |= CR4_OSFXSR | (features & FEATURE_SSE ? CR4_OSXMMEXCPT : 0);
		__asm__ volatile("mov %0, %%cr4" : : "r"(cr));
	}
	__asm__ volatile("fninit");
}

u8 *fpu_host_code(void)
{
	return code;
}

void fpu_host_load(struct vcpu *v)
{
	u8 fsave[108];

	if (v->fpu_loaded)
		return;
	if (features & FEATURE_FXSR) {
		__asm__ volatile("fxrstor %0" : : "m"(v->fpu));
	} else {
		fpu_fx_to_fsave(v->fpu.bytes, fsave);
		__asm__ volatile("fninit; frstor %0" : : "m"(fsave));
	}
	v->fpu_loaded = true;
}

u32 fpu_host_call(struct vcpu *v, const void *stub, void *mem, u32 eax, u32 *fault)
{
	u32 vector = 0;

	fpu_host_load(v);
	__asm__ volatile("call *%3"
			 : "+a"(eax), "+d"(vector)
			 : "c"(mem), "r"(stub)
			 : "memory", "cc");
	*fault = vector;
	return eax;
}

u16 fpu_host_status(struct vcpu *v)
{
	u16 status;

	if (!v->fpu_loaded)
		return v->fpu.bytes[FX_FSW] | v->fpu.bytes[FX_FSW + 1] << 8;
	__asm__ volatile("fnstsw %0" : "=a"(status));
	return status;
}

void fpu_host_store(struct vcpu *v)
{
	u8 fsave[108];

	if (!v->fpu_loaded)
		return;
	if (features & FEATURE_FXSR) {
		__asm__ volatile("fxsave %0" : "=m"(v->fpu));
		return;
	}
	__asm__ volatile("fnsave %0" : "=m"(fsave)); /* also empties the FPU */
	fpu_fsave_to_fx(fsave, v->fpu.bytes);
	v->fpu_loaded = false;
}

void fpu_host_replace(struct vcpu *v)
{
	v->fpu_loaded = false;
}
