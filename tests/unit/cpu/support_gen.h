/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator's parts among themselves: support_gen.c puts cases together from support_operand.c.
 */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_GEN_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_GEN_H

#include "cpu/vcpu.h"
#include "tests/unit/cpu/support.h"

struct gen {
	struct rng *r;
	struct test_case *t;
	u32 attr;
	bool code16, op16, addr16; /* the code segment's default, and what is in effect */
	bool two_byte, lock;
	bool registers; /* no memory operands: several instructions share one set of registers */
	u8 rep;		/* F2h, F3h or 0 */
	u8 opcode;
	int seg_override; /* SEG_*, or -1 */
	u32 operand;	  /* linear address of the memory operand, 0 without one */
};

/* What a CPL 3 program may want to put into a data or code segment register, good or bad. */
u16 data_selector(struct rng *r);
u16 code_selector(struct rng *r, bool op16);

/* Code bytes, little-endian; and memory before the case, inside the writable pages. */
void gen_byte(struct gen *g, u8 value);
void gen_bytes(struct gen *g, u32 value, unsigned n);
void gen_patch(struct gen *g, u32 lin, const void *data, u32 len);

/* Linear addresses: where a jump may lead, and where a memory operand goes. */
u32 jump_target(struct gen *g);
u32 operand_target(struct gen *g);
/* The base of the segment in effect where `seg` is the default. */
u32 operand_base(const struct gen *g, unsigned seg);
void set_low16(u32 *reg, u32 value);

/* ModRM byte, SIB and displacement, the registers and the memory that they lead to. */
void put_modrm(struct gen *g);

#endif
