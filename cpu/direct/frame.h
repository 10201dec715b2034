/* SPDX-License-Identifier: BSD-2-Clause */
/* General registers between the frame of guest code on the CPU and an array in their order. */
#ifndef FARBUS_CPU_DIRECT_FRAME_H
#define FARBUS_CPU_DIRECT_FRAME_H

#include "cpu/direct/switch.h"
#include "cpu/vcpu.h"

static inline void frame_put(const u32 *gpr)
{
	struct direct_frame *f = &direct_frame;

	f->eax = gpr[REG_EAX];
	f->ecx = gpr[REG_ECX];
	f->edx = gpr[REG_EDX];
	f->ebx = gpr[REG_EBX];
	f->esp = gpr[REG_ESP];
	f->ebp = gpr[REG_EBP];
	f->esi = gpr[REG_ESI];
	f->edi = gpr[REG_EDI];
}

static inline void frame_get(u32 *gpr)
{
	const struct direct_frame *f = &direct_frame;

	gpr[REG_EAX] = f->eax;
	gpr[REG_ECX] = f->ecx;
	gpr[REG_EDX] = f->edx;
	gpr[REG_EBX] = f->ebx;
	gpr[REG_ESP] = f->esp;
	gpr[REG_EBP] = f->ebp;
	gpr[REG_ESI] = f->esi;
	gpr[REG_EDI] = f->edi;
}

#endif
