/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for lockstep whose stretches run on this machine's CPU: its memory lies at its own linear
 * addresses in this process. It is stopped by a fault, by an alarm, or after some instructions.
 */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_STRETCH_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_STRETCH_H

#include "tests/unit/cpu/support_translate.h"

/* What the CPU is made to do wrong: other bytes at `lin` while it runs. len 0: nothing. */
struct stretch_flaw {
	u32 lin, len;
	u8 bytes[8];
};

struct lockstep;
extern struct lockstep *stretch_lockstep;
extern struct stretch_flaw stretch_flaw;
extern u32 stretch_traps;   /* not 0: the CPU stops after so many instructions */
extern u32 stretch_differs; /* how often a difference was reported */

/* Memory that only the interpreter can reach. */
#define FAR_LIN	 0x20000000u
#define FAR_SIZE 0x200000u

/* Ports, which guest code of CPL 0 may access; before stretch_init(). NULL: none. */
extern const struct vcpu_ops *stretch_device;

void stretch_init(void);
/* The program, with random memory; the guest is at its start. */
void stretch_load(const struct program *p);
/* *p becomes this code with HLTs behind it, and is loaded; the CPU does nothing wrong. */
void stretch_make(struct program *p, const char *code, u32 len);
/* From now on the CPU finds these bytes at the program's offset. */
void stretch_spoil(u32 off, const char *bytes, u32 len);
void stretch_restart(u32 seed); /* at its start with other registers; memory stays */
struct vcpu *stretch_vcpu(void);
/* What the guest's CPL is from now on; whatever it is, the CPU runs it in this process. */
void stretch_cpl(u8 cpl);
/* support_stretch.c: guest code from *r on; so many instructions, 0: until something comes. */
void stretch_run(struct translate_regs *r, u32 traps);
void stretch_signals(void);
/* An alarm every so many microseconds from now on; 0: none. */
void stretch_alarms(u32 us);

#endif
