/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disassembler for the instruction set of a Pentium III, in the Intel syntax that GNU objdump and
 * gdb write. For people: the engines decode for themselves.
 */
#ifndef FARBUS_CPU_DISASM_H
#define FARBUS_CPU_DISASM_H

#include "lib/types.h"

#define DISASM_TEXT_MAX 80

/*
 * Writes the instruction in code[0..len) to text. eip is its offset, for relative jumps; big is the
 * code segment's D bit. Returns its length, 1 to 15; where the bytes are no instruction, or too
 * few, the text is "(bad)" and the length 1.
 */
unsigned disasm(const u8 *code, unsigned len, u32 eip, bool big, char *text, size_t size);

#endif
