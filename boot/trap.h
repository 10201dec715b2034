/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts in Farbus itself. Inside boot/ only. */
#ifndef FARBUS_BOOT_TRAP_H
#define FARBUS_BOOT_TRAP_H

#include "lib/types.h"

#define TRAP_EXCEPTIONS 32
#define TRAP_IRQ_BASE	32 /* the PIC's vectors: 32-47 */
#define TRAP_COUNT	48

/*
 * The GDT has its full size, and Farbus's own descriptors are its last: all other selectors, and
 * the LDT, are there for guest code that runs directly on the CPU (cpu/direct/).
 */
#define TRAP_TABLE     8192
#define SEL_KERNEL_LDT 0xffc8 /* for translated code (cpu/direct/kernel_segments.c) */
#define SEL_SMALL      0xffd0 /* for cpu/direct/switch.h's direct_small_stack */
#define SEL_GUEST_LDT  0xffd8
#define SEL_CODE       0xffe0
#define SEL_DATA       0xffe8
#define SEL_TSS	       0xfff0
#define SEL_DF	       0xfff8 /* the double fault's task */
#define SEL_OWN	       SEL_KERNEL_LDT
extern u64 trap_gdt[TRAP_TABLE], trap_ldt[TRAP_TABLE];

/* As boot/trap_entry.asm pushes it. */
struct trap_frame {
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
	u32 vector, error;
	u32 eip, cs, eflags;
};

/* ESP0: the stack of exceptions and interrupts in guest code. */
u32 *trap_stack(void);

/* The upper half of a vector's gate, in which its DPL is. */
u32 *trap_gate(unsigned vector);
/* The GDT's descriptor of an LDT. */
void trap_ldt_set(u16 sel, const u64 *ldt, u32 size);
/* Loads IDT, TSS and (again) the GDT. Interrupts stay off. */
void trap_init(void);
/* Remaps the PIC to TRAP_IRQ_BASE with every line masked. */
void irq_init(void);
/* A hardware interrupt, from trap(). */
void irq_dispatch(unsigned line);
/* Calibrates the TSC and hooks IRQ 0. */
void clock_init(void);

#endif
