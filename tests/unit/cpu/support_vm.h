// SPDX-License-Identifier: BSD-2-Clause
/*
 * A bare vcpu with a little guest RAM for tests of the folder cpu/ without an engine: tables are
 * built by hand, functions are called directly, and what they raise is caught.
 */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_VM_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_VM_H

#include "cpu/cpu.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"
#include "tests/unit/cpu/support_check.h"

#define VM_RAM	  (8 * MB)
#define VM_GDT	  0x1000u
#define VM_IDT	  0x2000u
#define VM_TSS	  0x3000u
#define VM_TSS2	  0x3100u
#define VM_TSS16  0x3200u
#define VM_LDT	  0x3400u
#define VM_STACK0 0x8000u
#define VM_STACK3 0x9000u

struct vm {
	struct vcpu v;
	struct physmem pm;
	struct tlb tlb;
	u8 ram[VM_RAM] __attribute__((aligned(4096)));
	u8 flags[VM_RAM / PAGE_SIZE];
	u32 code_writes, code_gpa,
		code_len; /* calls of code_written, and the last one's arguments */
};
extern struct vm vm;

/* Descriptor flags: access byte in bits 0-7, G and D/B in 8-11 as they lie in byte 6's high half.
 */
#define D_CODE0 0x9a
#define D_DATA0 0x92
#define D_CODE3 0xfa
#define D_DATA3 0xf2
#define D_32	0x400 /* D/B */
#define D_4K	0x800 /* G */

/* Reset state with empty tables; then protected mode with flat segments at CPL 0. */
void vm_init(void);
void vm_protected(void);
/* The same at CPL 3. */
void vm_user(void);
/* The selectors vm_protected() leaves. */
enum {
	S_CODE0 = 0x08,
	S_DATA0 = 0x10,
	S_CODE3 = 0x1b,
	S_DATA3 = 0x23,
	S_TSS = 0x28,
	S_FREE = 0x30
};

void set_desc(u32 table, u16 sel, u32 base, u32 limit, u32 flags);
void set_gate(u32 table, u16 index, u16 sel, u32 off, u8 access, u8 params);
u32 ram32(u32 addr);
u16 ram16(u32 addr);
void set_ram32(u32 addr, u32 value);
void set_ram16(u32 addr, u16 value);

/* True when the statement raises; then vm.v.fault says what. */
#define RAISES(statement)                                                                          \
	__extension__({                                                                            \
		volatile bool raised = true;                                                       \
		if (!__builtin_setjmp(vm.v.fault.jmp)) {                                           \
			statement;                                                                 \
			raised = false;                                                            \
		}                                                                                  \
		vm.v.fault.jmp[1] = NULL;                                                          \
		raised;                                                                            \
	})
#define CHECK_RAISES(statement, vec, err)                                                          \
	do {                                                                                       \
		CHECK(RAISES(statement));                                                          \
		check_eq(vm.v.fault.vector, vec, #statement " vector", __FILE__, __LINE__);        \
		check_eq(vm.v.fault.error, err, #statement " error", __FILE__, __LINE__);          \
	} while (0)

#endif
