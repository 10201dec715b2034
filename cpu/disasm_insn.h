/* SPDX-License-Identifier: BSD-2-Clause */
/* What the disassembler's files share: an instruction on its way to text. */
#ifndef FARBUS_CPU_DISASM_INSN_H
#define FARBUS_CPU_DISASM_INSN_H

#include "lib/types.h"

struct insn {
	const u8 *code;
	unsigned len, at; /* bytes there are, and the next one to look at */
	bool too_few;	  /* a byte past the end was asked for */
	u32 eip;
	bool big; /* the segment's D bit */
	bool opsize32, addr32;
	int seg; /* override, -1: none */
	bool lock;
	u8 rep;	       /* F2h, F3h or 0 */
	bool rep_used; /* it chose the instruction */
	u8 opcode;
	bool has_modrm;
	u8 mod, reg, rm;
	char memory[48]; /* the address form of r/m, without a size */
	bool seg_used;
	char *text;
	size_t size, out;
};

/* An operand of the tables' notation: a capital letter. */
static inline bool disasm_is_operand(const char *s)
{
	return *s >= 'A' && *s <= 'Z';
}

/* printf to the text, as far as it has room. */
__attribute__((format(printf, 2, 3))) void disasm_emit(struct insn *n, const char *format, ...);
/* The next bytes as a little-endian number; sets too_few and gives 0 where there are none. */
u32 disasm_fetch(struct insn *n, unsigned bytes);
/* ModR/M, SIB and displacement: mod, reg, rm and the address's text. */
void disasm_fetch_modrm(struct insn *n);
/* Writes operands, as in "Ev,Gv"; immediates are fetched on the way. */
void disasm_put_operands(struct insn *n, const char *s);

#endif
