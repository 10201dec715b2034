/* SPDX-License-Identifier: BSD-2-Clause */
/* Operands of the disassembler: registers, addresses, immediates, as Intel's manuals write them. */
#include "cpu/disasm_insn.h"
#include <stdarg.h>
#include "lib/fmt.h"
#include "lib/str.h"

static const char *const seg_name[8] = {"es", "cs", "ss", "ds", "fs", "gs", "?", "?"};
static const char *const reg8[8] = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
static const char *const reg32[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};

void disasm_emit(struct insn *n, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (n->out < n->size)
		n->out += (size_t)fmt_va(n->text + n->out, n->size - n->out, format, ap);
	va_end(ap);
}

u32 disasm_fetch(struct insn *n, unsigned bytes)
{
	u32 value = 0;

	for (unsigned i = 0; i < bytes; i++) {
		if (n->at >= n->len) {
			n->too_few = true;
			return 0;
		}
		value |= (u32)n->code[n->at++] << (8 * i);
	}
	return value;
}

static const char *reg_name(unsigned reg, bool wide)
{
	return wide ? reg32[reg] : reg32[reg] + 1;
}

/* ModR/M's memory forms (SDM vol. 2, tables 2-1 to 2-3). */
static void address16(struct insn *n)
{
	static const char *const base[8] = {"bx+si", "bx+di", "bp+si", "bp+di",
					    "si",    "di",    "bp",    "bx"};
	s32 disp = n->mod == 1 ? (s8)disasm_fetch(n, 1) : n->mod == 2 ? (s16)disasm_fetch(n, 2) : 0;

	if (n->mod == 0 && n->rm == 6) {
		u32 at = disasm_fetch(n, 2);

		fmt(n->memory, sizeof(n->memory), "%s:0x%x", seg_name[n->seg < 0 ? 3 : n->seg], at);
		n->seg_used = true;
		return;
	}
	if (n->mod == 0)
		fmt(n->memory, sizeof(n->memory), "[%s]", base[n->rm]);
	else
		fmt(n->memory, sizeof(n->memory), "[%s%c0x%x]", base[n->rm], disp < 0 ? '-' : '+',
		    (u32)(disp < 0 ? -disp : disp));
}

static void address32(struct insn *n)
{
	u8 sib = n->rm == 4 ? (u8)disasm_fetch(n, 1) : 0;
	unsigned base = n->rm == 4 ? sib & 7 : n->rm, index = sib >> 3 & 7;
	bool has_base = n->mod || base != 5, has_index = n->rm == 4 && index != 4;
	size_t size = sizeof(n->memory);
	s32 disp = 0;
	int len = 0;

	if (n->mod == 1)
		disp = (s8)disasm_fetch(n, 1);
	else if (n->mod == 2 || !has_base)
		disp = (s32)disasm_fetch(n, 4);
	if (!has_base && !has_index) {
		fmt(n->memory, size, "%s:0x%x", seg_name[n->seg < 0 ? 3 : n->seg], (u32)disp);
		n->seg_used = true;
		return;
	}
	n->memory[len++] = '[';
	if (has_base)
		len += fmt(n->memory + len, size - (size_t)len, "%s", reg32[base]);
	if (has_index)
		len += fmt(n->memory + len, size - (size_t)len, "%s%s*%u", has_base ? "+" : "",
			   reg32[index], 1u << (sib >> 6));
	if (n->mod || !has_base)
		len += fmt(n->memory + len, size - (size_t)len, "%c0x%x", disp < 0 ? '-' : '+',
			   disp < 0 ? 0u - (u32)disp : (u32)disp);
	fmt(n->memory + len, size - (size_t)len, "]");
}

void disasm_fetch_modrm(struct insn *n)
{
	u8 modrm = (u8)disasm_fetch(n, 1);

	n->has_modrm = true;
	n->mod = modrm >> 6;
	n->reg = modrm >> 3 & 7;
	n->rm = modrm & 7;
	n->memory[0] = 0;
	if (n->mod == 3)
		return;
	if (n->addr32)
		address32(n);
	else
		address16(n);
}

static const char *size_name(const struct insn *n, char size)
{
	switch (size) {
	case 'b':
		return "BYTE PTR ";
	case 'w':
	case 's':
		return "WORD PTR ";
	case 'd':
		return "DWORD PTR ";
	case 'q':
		return "QWORD PTR ";
	case 't':
		return "TBYTE PTR ";
	case 'x':
		return "XMMWORD PTR ";
	case 'v':
		return n->opsize32 ? "DWORD PTR " : "WORD PTR ";
	case 'p':
		return n->opsize32 ? "FWORD PTR " : "DWORD PTR ";
	case 'a':
		return n->opsize32 ? "QWORD PTR " : "DWORD PTR ";
	}
	return "";
}

static void put_memory(struct insn *n, char size)
{
	disasm_emit(n, "%s", size_name(n, size));
	if (n->seg >= 0 && !n->seg_used)
		disasm_emit(n, "%s:", seg_name[n->seg]);
	n->seg_used = true;
	disasm_emit(n, "%s", n->memory);
}

static void put_register(struct insn *n, unsigned reg, char size)
{
	bool wide = size == 'd' || (size != 'w' && n->opsize32);

	disasm_emit(n, "%s", size == 'b' ? reg8[reg] : reg_name(reg, wide));
}

static void put_immediate(struct insn *n, char size)
{
	u32 value;

	if (size == 'b')
		value = disasm_fetch(n, 1);
	else if (size == 'w')
		value = disasm_fetch(n, 2);
	else if (size == 's')
		value = (u32)(s8)disasm_fetch(n, 1);
	else
		value = disasm_fetch(n, n->opsize32 ? 4 : 2);
	if (size == 's' && !n->opsize32)
		value &= 0xffff;
	disasm_emit(n, "0x%x", value);
}

static void put_target(struct insn *n, char size)
{
	s32 rel = size == 'b' ? (s8)disasm_fetch(n, 1)
			      : (n->opsize32 ? (s32)disasm_fetch(n, 4) : (s16)disasm_fetch(n, 2));
	u32 target = n->eip + n->at + (u32)rel;

	disasm_emit(n, "0x%x", n->opsize32 ? target : target & 0xffff);
}

static void put_far_pointer(struct insn *n)
{
	u32 off = disasm_fetch(n, n->opsize32 ? 4 : 2);

	disasm_emit(n, "0x%x:0x%x", disasm_fetch(n, 2), off);
}

/* Implied addresses: ds:[esi] (which takes an override), es:[edi], ds:[ebx]. */
static void put_implied(struct insn *n, char what, char size)
{
	unsigned reg = what == 'X' ? 6 : what == 'Y' ? 7 : 3;
	int seg = what == 'Y' ? 0 : n->seg < 0 ? 3 : n->seg;

	if (what != 'Y')
		n->seg_used = true;
	disasm_emit(n, "%s%s:[%s]", size_name(n, size), seg_name[seg], reg_name(reg, n->addr32));
}

static void put_offset(struct insn *n)
{
	u32 off = disasm_fetch(n, n->addr32 ? 4 : 2);

	n->seg_used = true;
	disasm_emit(n, "%s:0x%x", seg_name[n->seg < 0 ? 3 : n->seg], off);
}

/* r/m of a register file of its own: MMX or SSE. */
static void put_rm(struct insn *n, const char *file, char size)
{
	if (n->mod == 3)
		disasm_emit(n, "%s%u", file, n->rm);
	else
		put_memory(n, size);
}

static void put_operand(struct insn *n, char what, char size)
{
	switch (what) {
	case 'E':
		if (n->mod != 3)
			put_memory(n, size);
		else
			put_register(n, n->rm, size);
		break;
	case 'M':
		put_memory(n, size);
		break;
	case 'G':
		put_register(n, n->reg, size);
		break;
	case 'Z':
		put_register(n, n->opcode & 7, size);
		break;
	case 'L':
		put_register(n, 0, size);
		break;
	case 'R':
		put_register(n, n->rm, size);
		break;
	case 'I':
		put_immediate(n, size);
		break;
	case 'J':
		put_target(n, size);
		break;
	case 'A':
		put_far_pointer(n);
		break;
	case 'O':
		put_offset(n);
		break;
	case 'S':
		disasm_emit(n, "%s", seg_name[n->reg]);
		break;
	case 'C':
		disasm_emit(n, "cr%u", n->reg);
		break;
	case 'D':
		disasm_emit(n, "dr%u", n->reg);
		break;
	case 'X':
	case 'Y':
	case 'B':
		put_implied(n, what, size);
		break;
	case 'P':
		disasm_emit(n, "mm%u", n->reg);
		break;
	case 'V':
		disasm_emit(n, "xmm%u", n->reg);
		break;
	case 'Q':
	case 'N':
		put_rm(n, "mm", size);
		break;
	case 'W':
	case 'U':
		put_rm(n, "xmm", size);
		break;
	}
}

void disasm_put_operands(struct insn *n, const char *s)
{
	while (*s && !n->too_few) {
		if (disasm_is_operand(s) && s[0] == 'F') {
			disasm_emit(n, "st(%u)", n->rm);
			s++;
		} else if (disasm_is_operand(s)) {
			put_operand(n, s[0], s[1]);
			s += 2;
		} else {
			disasm_emit(n, "%c", *s++);
		}
	}
}
