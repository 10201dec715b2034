/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translated code on the real CPU: it runs in this process, on memory at the same linear addresses
 * as the guest's, with its state behind an LDT segment in FS. A second guest with memory of its
 * own, in the interpreter, says what is right.
 */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_TRANSLATE_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_TRANSLATE_H

#include "cpu/translate/translate.h"
#include "tests/unit/cpu/support.h"

#define PROGRAM_LIN  0x30000000u
#define PROGRAM_SIZE 0x8000u
#define MEMORY_LIN   0x30100000u /* nothing is mapped around it */
#define MEMORY_SIZE  0x8000u
#define STACK_TOP    (MEMORY_LIN + MEMORY_SIZE)
#define MEMORY_BASE  (MEMORY_LIN + 0x800) /* programs have it in EBP */
#define TABLE_LIN    (MEMORY_LIN + 0x10)  /* of functions, for indirect calls */
#define GDT_LIN	     (MEMORY_LIN + 0x100)
#define SEL_FIRST    0x10 /* flat data segments, as far as SEL_LAST */
#define SEL_KNOWN    0x20 /* ... of which the translator knows those below this one */
#define SEL_LAST     0x28

#define PROGRAM_FUNCTIONS 8u

/* Beside TRANSLATE_* in a program's mode: CS begins at PROGRAM_LIN, the others at MEMORY_LIN. */
#define PROGRAM_SEGMENTS BIT(8)

enum program_kind {
	PROGRAM_USER,	   /* runs at any CPL */
	PROGRAM_SYSTEM,	   /* has instructions for CPL 0 only */
	PROGRAM_SYSTEM_ID, /* ... and changes EFLAGS.ID, which Linux's sigreturn does not restore */
};

struct program {
	u8 code[PROGRAM_SIZE];
	u32 len, end; /* EIP of the HLT that ends it */
	u32 function[PROGRAM_FUNCTIONS];
	enum program_kind kind;
	u32 mode, seed;
};

/* EIP of its first byte; base of its data segments. */
static inline u32 program_eip(const struct program *p)
{
	return p->mode & PROGRAM_SEGMENTS ? 0 : PROGRAM_LIN;
}
static inline u32 program_data(const struct program *p)
{
	return p->mode & PROGRAM_SEGMENTS ? MEMORY_LIN : 0;
}

/* support_program.c: a program that ends, whatever the registers are. */
void program_make(struct program *p, u32 seed, enum program_kind kind, u32 mode);
/* support_program16.c: the same as 16-bit code; TRANSLATE_STACK16 or 0. */
void program_make16(struct program *p, u32 seed, enum program_kind kind, u32 mode);

/* support_translate.c */
enum run_end { RUN_HLT, RUN_FAULT };
void machine_init(u32 code_size);
void machine_load(const struct program *p); /* code, memory and registers of both guests */
void machine_start(struct translate_regs *r, u32 eip);
/* From *r on to the HLT, or to a fault. `chain`: units lead to each other. */
enum run_end machine_translated(struct translate_regs *r, bool chain);
/* Only until the unit at r->eip is left. */
void machine_leave_once(struct translate_regs *r);
/* ... and nothing is carried out then. */
enum translate_reason machine_left(struct translate_regs *r);
/* The same with a look at the guest's state at every native instruction; false: it was wrong. */
bool machine_stepped(struct translate_regs *r);
/* The code as it is; HLT's place has a jump out. */
void machine_untranslated(struct translate_regs *r, u32 end);
/* The reference until `eip`, or a unit's worth of instructions further on. */
bool reference_run(u32 eip, u32 steps_max);
u64 reference_insns(void); /* how many the interpreter has carried out */
bool reference_equals(const struct translate_regs *r, bool verbose); /* registers */
bool reference_memory_equals(void);
void reference_patch(u32 lin, const void *bytes, u32 len);
extern struct translator *machine_translator;
extern struct translate_state *machine_state;
extern u64 machine_exits;    /* from translated code */
extern u64 machine_calls;    /* ... of them for instructions that it goes on behind */
extern u64 machine_crossing; /* entries at instructions that cross a page's end */
u64 machine_tsc(void);

/* Data segments with base 0 or MEMORY_LIN, and 16-bit stacks. */
enum native_segments { NATIVE_FLAT, NATIVE_MEMORY, NATIVE_MEMORY16 };
void native_segments(enum native_segments which); /* DS, ES and SS from now on */

/* support_translate_native.c: from *r on at `entry` to native_leave; false: stopped by a fault, and
 * *r is the CPU's registers then. `step`: machine_look() sees each instruction. */
bool native_run_at(struct translate_regs *r, u32 entry, bool step);
void native_leave(void);
u16 native_data(void);				     /* the selector of those */
void native_code_init(void);			     /* FS is flat */
u8 *native_map(u32 lin, u32 size);		     /* at lin; 0: anywhere */
bool machine_look(const struct translate_regs *cpu); /* false: not in translated code */

#endif
