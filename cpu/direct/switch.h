/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to guest code and back: cpu/direct/switch.asm. */
#ifndef FARBUS_CPU_DIRECT_SWITCH_H
#define FARBUS_CPU_DIRECT_SWITCH_H

#include "lib/types.h"

/*
 * The guest's registers, in the order in which the CPU and switch.asm push them when guest code is
 * left. The TSS's ESP0 leads to where SS ends, or to the end for V86 mode, which has its data
 * segments there: the only stack at CPL 0 while guest code runs.
 */
struct direct_frame {
	u32 gs, fs, es, ds;
	u32 edi, esi, ebp, unused, ebx, edx, ecx, eax;
	u32 vector, error;
	u32 eip, cs, eflags, esp, ss;
	u32 v86_es, v86_ds, v86_fs, v86_gs;
};
extern struct direct_frame direct_frame;

/*
 * In the frame's vector: code of CPL 3 was in V86 mode when it was left, and Farbus has not put it
 * there, so of the rest of the frame nothing is where it should be. EIP is 0. Under QEMU 7.2 IRET
 * takes VM from the stack at CPL 3, too; a CPU does not (SDM vol. 2, IRET).
 */
#define DIRECT_ASTRAY 0x100u

/* Descriptors that are no longer present once the frame's DS, ES, FS and GS are loaded. */
extern u64 *direct_hide[4];

/*
 * IRET to a 16-bit stack leaves the upper half of ESP as it is. When this selector is not 0, IRET
 * is done through this pointer, which leads to the same place with the guest's upper half in ESP.
 */
struct direct_small_stack {
	u32 esp, selector;
};
extern struct direct_small_stack direct_small_stack;

/*
 * Loads CR0 (unless it is 0) and CR3, runs guest code from direct_frame, and returns when it is
 * left: the frame says how. Called and left with interrupts off. CR3 is as before then, CR0.TS is
 * off.
 */
#define DIRECT_SWITCH(way, cr3, cr0)                                                               \
	do {                                                                                       \
		u32 cr3_ = (cr3), cr0_ = (cr0);                                                    \
                                                                                                   \
		asm volatile("call " #way                                                          \
			     : "+c"(cr3_), "+a"(cr0_)                                              \
			     :                                                                     \
			     : "ebx", "edx", "esi", "edi", "memory", "cc");                        \
	} while (0)
static inline void direct_switch(u32 cr3, u32 cr0)
{
	DIRECT_SWITCH(direct_switch_asm, cr3, cr0);
}
/* The same without direct_hide and direct_small_stack. */
static inline void direct_switch_translated(u32 cr3, u32 cr0)
{
	DIRECT_SWITCH(direct_switch_translated_asm, cr3, cr0);
}

/* Where the trap handlers go, with vector and error code pushed, when they come from CPL 3. */
void direct_switch_back(void);

#endif
