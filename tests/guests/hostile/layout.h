/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the hostile guest has what in its 16 MB, beside the program at 10000h. */
#ifndef FARBUS_TESTS_GUESTS_HOSTILE_LAYOUT_H
#define FARBUS_TESTS_GUESTS_HOSTILE_LAYOUT_H

#include "lib/types.h"

#define TSS_FAULT_AT 0x9000u /* the double fault's */
#define TSS_AT	     0x9100u
#define GDT_AT	     0xa000u
#define LDT_AT	     0xb000u
#define IDT_AT	     0xc000u
#define STACK_AT     0xf000u   /* its top: of handlers */
#define CODE_AT	     0x900000u /* many places for it: pages that are often rewritten ... */
#define CODE_PLACES  400u      /* ... are not translated */
#define CODE_LOW_AT  0x60000u  /* real mode's and V86 mode's */
#define CODE_LOW     15u
#define CODE_SIZE    0x2000u
#define DATA_AT	     0x40000u
#define DATA_SIZE    0x1000u
#define PD_AT	     0x50000u
#define PT_LOW_AT    0x51000u /* of the first 4 MB */
#define PT_SLOT_AT   0x52000u
#define PDPT_AT	     0x53000u
#define PAE_LOW_AT   0x54000u
#define PAE_HIGH_AT  0x55000u
#define PAE_PT_AT    0x56000u  /* of the first 2 MB */
#define FOUND_AT     0x400000u /* what was read at Farbus's addresses */

/* Shared with entry.asm, which has the offsets as well. */
#define POOL 64u
struct shared {
	u32 left;	/* faults until the round ends */
	u32 random;	/* xorshift32 */
	u32 code, mask; /* pieces begin at code + (random & mask) */
	u32 resume;	/* not 0: where to go on after a fault */
	u32 flags;	/* EFLAGS that a piece may have set */
	u32 stack;	/* ESP of pieces outside of CPL 0 */
	u32 faults, traps;
	u32 segment;	/* of code in real mode */
	u32 pool[POOL]; /* what registers may be set to */
};
#define SHARED_AT 0x8000u
#define shared	  ((volatile struct shared *)SHARED_AT)

/* As enter() takes it from the stack. */
struct start {
	u32 es, fs, gs, ds;
	u32 edi, esi, ebp, unused, ebx, edx, ecx, eax;
	u32 eip, cs, eflags, esp, ss;
	u32 v86_es, v86_ds, v86_fs, v86_gs;
};

/* entry.asm */
void enter(u32 esp, u32 ss) __attribute__((noreturn));
/* To shared->segment:ip in real mode. */
void enter_real(u32 ip) __attribute__((noreturn));
void end_round(void) __attribute__((noreturn));
/* Copies dwords; returns how many could not be. */
u32 copy(u32 dst, u32 src, u32 count);
/* At the ROM's end. */
struct rom {
	u32 seed;	/* the test's */
	u32 idt;	/* linear address */
	u32 real_fault; /* offset at F000h, for real mode's vectors */
	u32 rounds;	/* the test's: ROUNDS_* */
};
#define ROUNDS_REAL   1u /* there are rounds in real mode */
#define ROUNDS_SEARCH 2u /* ... and none but those that search */
#define rom	      ((const volatile struct rom *)0xfffe0)

#endif
