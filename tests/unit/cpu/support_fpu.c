// SPDX-License-Identifier: BSD-2-Clause
/*
 * The FPU code's place to run in a hosted test: the guest's state is in v->fpu between instructions
 * and swapped with the test's own around each one. Unmasked SSE exceptions come as SIGFPE: the
 * test's handler asks fpu_fixup().
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "cpu/interp/fpu_host.h"

u32 fpu_host_features(void)
{
	return BIT(0) | BIT(23) | BIT(24) | BIT(25);
}

u8 *fpu_host_code(void)
{
	static u8 *code;

	if (!code) {
		code = mmap(NULL, FPU_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (code == MAP_FAILED) {
			perror("mmap of the FPU stubs");
			exit(1);
		}
	}
	return code;
}

u32 fpu_host_call(struct vcpu *v, const void *stub, void *mem, u32 eax, u32 *fault)
{
	static struct fpu_image own;
	u32 vector = 0;

	__asm__ volatile("fxsave %0" : "=m"(own));
	__asm__ volatile("fxrstor %0" : : "m"(v->fpu));
	__asm__ volatile("call *%3"
			 : "+a"(eax), "+d"(vector)
			 : "c"(mem), "r"(stub)
			 : "memory", "cc");
	__asm__ volatile("fxsave %0" : "=m"(v->fpu));
	__asm__ volatile("fnclex; fxrstor %0" : : "m"(own));
	*fault = vector;
	return eax;
}

u16 fpu_host_status(struct vcpu *v)
{
	return (u16)(v->fpu.bytes[FX_FSW] | v->fpu.bytes[FX_FSW + 1] << 8);
}

void fpu_host_store(struct vcpu *v)
{
	(void)v;
}

void fpu_host_load(struct vcpu *v)
{
	(void)v;
}

void fpu_host_replace(struct vcpu *v)
{
	(void)v;
}
