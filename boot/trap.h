/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions and interrupts in Farbus itself. Inside boot/ only. */
#ifndef FARBUS_BOOT_TRAP_H
#define FARBUS_BOOT_TRAP_H

#include "lib/types.h"

#define TRAP_EXCEPTIONS 32
#define TRAP_IRQ_BASE	32 /* the PIC's vectors: 32-47 */
#define TRAP_COUNT	48

/* As boot/trap_entry.asm pushes it. */
struct trap_frame {
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
	u32 vector, error;
	u32 eip, cs, eflags;
};

/* Loads IDT, TSS and (again) the GDT. Interrupts stay off. */
void trap_init(void);
/* Remaps the PIC to TRAP_IRQ_BASE with every line masked. */
void irq_init(void);
/* A hardware interrupt, from trap(). */
void irq_dispatch(unsigned line);
/* Calibrates the TSC and hooks IRQ 0. */
void clock_init(void);

#endif
