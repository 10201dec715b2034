/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guests/rt/real.h"
#include "tests/guests/rt/rt.h"

#define VECTORS 256u
#define STUBS	((u8 *)0x4e000) /* 8 bytes for each vector */

/*
 * From flat protected mode to real mode at real_segment:0 and back: the snippet ends with INT 80h,
 * whose real-mode vector leads back here. ESP and the segments are restored.
 */
void real_mode_enter(u32 unreal_limits);
extern u8 real_back[], real_tramp[];
extern u16 real_segment;
__asm__(".text\n.globl real_mode_enter\nreal_mode_enter:\n"
	" mov 4(%esp), %ecx\n pushal\n pushfl\n cli\n mov %esp, real_esp\n"
	" lidt real_idt\n ljmp $0x48, $0\n" /* SEL_CODE16 with base at the trampoline */
	".code16\nreal_tramp:\n"
	" mov $0x50, %ax\n test %ecx, %ecx\n jnz 1f\n mov %ax, %ds\n mov %ax, %es\n mov %ax, %fs\n"
	" mov %ax, %gs\n 1: mov %ax, %ss\n mov %cr0, %eax\n and $0xfe, %al\n mov %eax, %cr0\n"
	" ljmpl $0x1000, $1f - 0x10000\n" /* the program lies at 10000h */
	"1: mov $0x1000, %ax\n mov %ax, %ds\n xor %eax, %eax\n mov %ax, %fs\n mov %ax, %gs\n"
	" addr32 movw real_segment - 0x10000, %ax\n mov %ax, %ds\n mov %ax, %es\n mov %ax, %ss\n"
	" mov $0xfffe, %esp\n push %ax\n push $0\n"
	" xor %eax, %eax\n xor %ebx, %ebx\n xor %ecx, %ecx\n xor %edx, %edx\n xor %esi, %esi\n"
	" xor %edi, %edi\n xor %ebp, %ebp\n push %eax\n popfl\n lret\n"
	"real_back:\n push %ds\n push %eax\n mov $0x4f00, %ax\n mov %ax, %ds\n pop %eax\n"
	" mov %eax, 0\n mov %ebx, 4\n mov %ecx, 8\n mov %edx, 12\n mov %esi, 16\n mov %edi, 20\n"
	" pop %ax\n pop %ax\n pop %ax\n pop %ax\n movzwl %ax, %eax\n mov %eax, 24\n"
	" mov $0x1000, %ax\n mov %ax, %ds\n addr32 lgdtl real_gdt - 0x10000\n"
	" mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n data32 ljmp $8, $real_prot\n"
	".code32\nreal_prot:\n mov $0x10, %ax\n mov %ax, %ds\n mov %ax, %es\n mov %ax, %ss\n"
	" mov %ax, %fs\n mov %ax, %gs\n mov real_esp, %esp\n lidt prot_idt\n popfl\n popal\n ret\n"
	".align 4\nreal_idt: .word 0x3ff\n .long 0\nprot_idt: .word 0x7ff\n .long idt\n"
	"real_gdt: .word 0x1ff\n .long gdt\nreal_esp: .long 0\nreal_segment: .long 0\n");

void real_vectors(void)
{
	u32 *ivt = 0;

	__asm__("" : "+r"(ivt)); /* address 0 is the interrupt vector table */
	for (u32 v = 0; v < VECTORS; v++) {
		u8 *s = STUBS + v * 8;

		s[0] = 0xbe; /* mov si, vector */
		s[1] = (u8)v;
		s[2] = 0;
		s[3] = 0x5f; /* pop di */
		s[4] = 0xcd; /* int 80h */
		s[5] = 0x80;
		ivt[v] = (u32)STUBS >> 4 << 16 | v * 8;
	}
	ivt[0x80] = 0x1000u << 16 | (u16)((u32)real_back - 0x10000);
}

void real_run(u16 seg, bool unreal)
{
	memset((void *)REAL_RESULT, 0, sizeof(*REAL_RESULT));
	gdt_set(SEL_CODE16, descriptor((u32)real_tramp, 0xffff, 0x9b, 0));
	gdt_set(SEL_DATA16, descriptor(0, 0xffff, 0x93, 0));
	real_segment = seg;
	real_mode_enter(unreal);
}

void real_show(const char *label)
{
	volatile struct real_result *r = REAL_RESULT;

	print("%s: eax=%x ebx=%x ecx=%x edx=%x esi=%x edi=%x flags=%x\n", label, r->eax, r->ebx,
	      r->ecx, r->edx, r->esi, r->edi, r->flags);
}
