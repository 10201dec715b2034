/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The opcode maps, as text: mnemonic, space, operands. An operand is one letter for what it is and
 * one for its size; other words stand for themselves.
 *
 *	E r/m, general register     M r/m, memory only          G reg, general register
 *	I immediate                 J relative target           A far pointer
 *	O absolute offset           S reg, segment register     C D reg, control, debug register
 *	R r/m, register only        X Y ds:[esi], es:[edi]      Z register in the opcode
 *	P Q reg, r/m: MMX           V W reg, r/m: SSE           N U r/m, register only: MMX, SSE
 *	F x87 register st(i)        L accumulator               B ds:[ebx], for XLAT
 *
 *	b w d q t x 8 to 128 bits   v 16 or 32 by operand size  p far pointer: 32 or 48
 *	a BOUND's pair: 32 or 64    n memory without size       s byte, sign-extended (I); 16 bits
 *in memory, v in a register (E)
 *
 * In a mnemonic, `A/B` are the names for 16 and 32-bit operands, `A%B` those for 16 and 32-bit
 * addresses, and a final `*` stands for a `w` or `d` where the operand size is not the default one.
 * `A|B` is A for memory and B for register operands, `A~B` is B with an F3 prefix, `@g` is group g,
 * chosen by the reg field. Register forms after `+` exist for register 1 only, those after `^` for
 * register 0 only. NULL: no instruction.
 */
#ifndef FARBUS_CPU_DISASM_TABLES_H
#define FARBUS_CPU_DISASM_TABLES_H

extern const char *const disasm_one_byte[256];
extern const char *const disasm_two_byte[256]; /* after 0Fh */
/* Groups by letter, 'a' first. */
extern const char *const disasm_group[][8];
/* x87, by the low three bits of the opcode and the reg field. */
extern const char *const disasm_x87_memory[8][8];
extern const char *const disasm_x87_register[8][8];
/* x87 instructions without an operand: D9 E0 to D9 FF, DB E0 to DB E7. */
extern const char *const disasm_x87_d9[32];
extern const char *const disasm_x87_db[8];
/* SSE's comparisons, by the immediate. */
extern const char *const disasm_comparison[8];

#endif
