/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu/disasm.h"
#include <stdarg.h>
#include "cpu/disasm_tables.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define INSN_MAX 15

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

static const char *const seg_name[8] = {"es", "cs", "ss", "ds", "fs", "gs", "?", "?"};
static const char *const reg8[8] = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
static const char *const reg32[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};

__attribute__((format(printf, 2, 3))) static void emit(struct insn *n, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (n->out < n->size)
		n->out += (size_t)fmt_va(n->text + n->out, n->size - n->out, format, ap);
	va_end(ap);
}

static u32 fetch(struct insn *n, unsigned bytes)
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
	s32 disp = n->mod == 1 ? (s8)fetch(n, 1) : n->mod == 2 ? (s16)fetch(n, 2) : 0;

	if (n->mod == 0 && n->rm == 6) {
		u32 at = fetch(n, 2);

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
	u8 sib = n->rm == 4 ? (u8)fetch(n, 1) : 0;
	unsigned base = n->rm == 4 ? sib & 7 : n->rm, index = sib >> 3 & 7;
	bool has_base = n->mod || base != 5, has_index = n->rm == 4 && index != 4;
	size_t size = sizeof(n->memory);
	s32 disp = 0;
	int len = 0;

	if (n->mod == 1)
		disp = (s8)fetch(n, 1);
	else if (n->mod == 2 || !has_base)
		disp = (s32)fetch(n, 4);
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

static void fetch_modrm(struct insn *n)
{
	u8 modrm = (u8)fetch(n, 1);

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
	emit(n, "%s", size_name(n, size));
	if (n->seg >= 0 && !n->seg_used)
		emit(n, "%s:", seg_name[n->seg]);
	n->seg_used = true;
	emit(n, "%s", n->memory);
}

static void put_register(struct insn *n, unsigned reg, char size)
{
	bool wide = size == 'd' || (size != 'w' && n->opsize32);

	emit(n, "%s", size == 'b' ? reg8[reg] : reg_name(reg, wide));
}

static void put_immediate(struct insn *n, char size)
{
	u32 value;

	if (size == 'b')
		value = fetch(n, 1);
	else if (size == 'w')
		value = fetch(n, 2);
	else if (size == 's')
		value = (u32)(s8)fetch(n, 1);
	else
		value = fetch(n, n->opsize32 ? 4 : 2);
	if (size == 's' && !n->opsize32)
		value &= 0xffff;
	emit(n, "0x%x", value);
}

static void put_target(struct insn *n, char size)
{
	s32 rel =
		size == 'b' ? (s8)fetch(n, 1) : (n->opsize32 ? (s32)fetch(n, 4) : (s16)fetch(n, 2));
	u32 target = n->eip + n->at + (u32)rel;

	emit(n, "0x%x", n->opsize32 ? target : target & 0xffff);
}

static void put_far_pointer(struct insn *n)
{
	u32 off = fetch(n, n->opsize32 ? 4 : 2);

	emit(n, "0x%x:0x%x", fetch(n, 2), off);
}

/* Implied addresses: ds:[esi] (which takes an override), es:[edi], ds:[ebx]. */
static void put_implied(struct insn *n, char what, char size)
{
	unsigned reg = what == 'X' ? 6 : what == 'Y' ? 7 : 3;
	int seg = what == 'Y' ? 0 : n->seg < 0 ? 3 : n->seg;

	if (what != 'Y')
		n->seg_used = true;
	emit(n, "%s%s:[%s]", size_name(n, size), seg_name[seg], reg_name(reg, n->addr32));
}

static void put_offset(struct insn *n)
{
	u32 off = fetch(n, n->addr32 ? 4 : 2);

	n->seg_used = true;
	emit(n, "%s:0x%x", seg_name[n->seg < 0 ? 3 : n->seg], off);
}

/* r/m of a register file of its own: MMX or SSE. */
static void put_rm(struct insn *n, const char *file, char size)
{
	if (n->mod == 3)
		emit(n, "%s%u", file, n->rm);
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
		emit(n, "%s", seg_name[n->reg]);
		break;
	case 'C':
		emit(n, "cr%u", n->reg);
		break;
	case 'D':
		emit(n, "dr%u", n->reg);
		break;
	case 'X':
	case 'Y':
	case 'B':
		put_implied(n, what, size);
		break;
	case 'P':
		emit(n, "mm%u", n->reg);
		break;
	case 'V':
		emit(n, "xmm%u", n->reg);
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

static bool is_operand(const char *s)
{
	return *s >= 'A' && *s <= 'Z';
}

/* Whether any operand of a form needs a ModR/M byte. */
static bool needs_modrm(const char *form)
{
	for (; *form; form++)
		if (is_operand(form) && strchr("EMGRSCDPQVWNU", *form))
			return true;
	return false;
}

/* Whether operands of the form can be what ModR/M names: memory for M, a register for R, N and U.
 */
static bool form_possible(const struct insn *n, const char *form)
{
	for (; *form; form++) {
		if (*form == 'M' && n->mod == 3)
			return false;
		if ((*form == 'N' || *form == 'U') && n->mod != 3)
			return false;
		if (*form == 'S' && n->reg > 5)
			return false;
	}
	return true;
}

static void put_operands(struct insn *n, const char *s)
{
	while (*s && !n->too_few) {
		if (is_operand(s) && s[0] == 'F') {
			emit(n, "st(%u)", n->rm);
			s++;
		} else if (is_operand(s)) {
			put_operand(n, s[0], s[1]);
			s += 2;
		} else {
			emit(n, "%c", *s++);
		}
	}
}

/* The name proper, of its alternatives by operand or address size. Returns the operands. */
static const char *put_name(struct insn *n, const char *form)
{
	const char *end = form + strlen(form), *space = strchr(form, ' ');

	if (space)
		end = space;
	for (const char *s = form; s < end; s++) {
		if (*s != '/' && *s != '%')
			continue;
		if (*s == '/' ? n->opsize32 : n->addr32)
			form = s + 1;
		else
			end = s;
		break;
	}
	for (; form < end; form++) {
		if (*form != '*')
			emit(n, "%c", *form);
		else if (n->opsize32 != n->big)
			emit(n, "%c", n->opsize32 ? 'd' : 'w');
	}
	return space ? space + 1 : "";
}

static void put_prefixes(struct insn *n, const char *form)
{
	bool string = strchr(form, 'X') || strchr(form, 'Y');

	if (n->lock)
		emit(n, "lock ");
	if (!n->rep || n->rep_used)
		return;
	if (!string)
		emit(n, n->rep == 0xf3 ? "repz " : "repnz ");
	else if (!strncmp(form, "cmps", 4) || !strncmp(form, "scas", 4))
		emit(n, n->rep == 0xf3 ? "repz " : "repnz ");
	else
		emit(n, n->rep == 0xf3 ? "rep " : "repnz ");
}

/* SSE's comparison as a mnemonic of its own: cmpltps and so on. */
static bool put_comparison(struct insn *n, const char *form)
{
	const char *operands = n->rep_used ? "Vx,Wd" : "Vx,Wx";

	/* The immediate is the next byte, after ModR/M and what belongs to it. */
	if (strncmp(form, "cmpps", 5) && strncmp(form, "cmpss", 5))
		return false;
	if (n->at >= n->len || n->code[n->at] > 7)
		return false;
	emit(n, "cmp%s%s ", disasm_comparison[n->code[n->at++]], n->rep_used ? "ss" : "ps");
	put_operands(n, operands);
	return true;
}

/* `A~B` by the F3 prefix, `A|B` by memory or register; what is chosen, copied to buf. */
static const char *choose(struct insn *n, const char *form, char *buf, size_t size)
{
	const char *bar, *end;

	if (strchr(form, '~')) {
		const char *second = strchr(form, '~') + 1;

		if (n->rep == 0xf3) {
			n->rep_used = true;
			form = second;
			end = form + strlen(form);
		} else {
			end = second - 1;
		}
	} else {
		end = form + strlen(form);
	}
	bar = strchr(form, '|');
	if (bar && bar < end) {
		if (!n->has_modrm)
			fetch_modrm(n);
		if (n->mod == 3)
			form = bar + 1;
		else
			end = bar;
	}
	if ((size_t)(end - form) >= size)
		return NULL;
	memcpy(buf, form, (size_t)(end - form));
	buf[end - form] = 0;
	return buf[0] ? buf : NULL;
}

/* Writes the instruction of one form of the tables. false: it is none. */
static bool put_form(struct insn *n, const char *form)
{
	char chosen[40], joined[48];

	if (form[0] == '@') {
		const char *member;

		fetch_modrm(n);
		member = disasm_group[form[1] - 'a'][n->reg];
		if (!member)
			return false;
		/* The members' operands follow their names, or the group's. */
		fmt(joined, sizeof(joined), "%s%s", member, form + 2);
		form = joined;
	}
	form = choose(n, form, chosen, sizeof(chosen));
	if (!form)
		return false;
	if (*form == '+' || *form == '^') {
		if (n->rm != (*form == '+'))
			return false;
		form++;
	}
	if (!n->has_modrm && needs_modrm(form))
		fetch_modrm(n);
	if (n->has_modrm && !form_possible(n, strchr(form, ' ') ? strchr(form, ' ') : ""))
		return false;
	put_prefixes(n, form);
	if (put_comparison(n, form))
		return true;
	form = put_name(n, form);
	if (*form)
		emit(n, " ");
	put_operands(n, form);
	return true;
}

static bool put_x87(struct insn *n)
{
	unsigned op = n->opcode & 7;
	const char *form;

	fetch_modrm(n);
	if (n->mod != 3)
		form = disasm_x87_memory[op][n->reg];
	else if (op == 1 && n->reg >= 4)
		form = disasm_x87_d9[(n->reg - 4) * 8 + n->rm];
	else if (op == 1 && n->reg == 2)
		form = n->rm ? NULL : "fnop";
	else if (op == 3 && n->reg == 4)
		form = disasm_x87_db[n->rm];
	else
		form = disasm_x87_register[op][n->reg];
	return form && put_form(n, form);
}

/* Prefixes in any order; the last of a kind counts. */
static void fetch_prefixes(struct insn *n)
{
	for (; n->at < n->len; n->at++) {
		u8 byte = n->code[n->at];

		if ((byte & 0xe7) == 0x26)
			n->seg = byte >> 3 & 3;
		else if (byte == 0x64 || byte == 0x65)
			n->seg = byte & 0x0f;
		else if (byte == 0x66)
			n->opsize32 = !n->big;
		else if (byte == 0x67)
			n->addr32 = !n->big;
		else if (byte == 0xf0)
			n->lock = true;
		else if (byte == 0xf2 || byte == 0xf3)
			n->rep = byte;
		else
			break;
	}
}

static bool put_instruction(struct insn *n)
{
	const char *form;

	fetch_prefixes(n);
	n->opcode = (u8)fetch(n, 1);
	if (n->opcode >= 0xd8 && n->opcode <= 0xdf)
		return put_x87(n);
	if (n->opcode == 0x0f) {
		n->opcode = (u8)fetch(n, 1);
		form = disasm_two_byte[n->opcode];
	} else {
		form = disasm_one_byte[n->opcode];
	}
	return form && put_form(n, form);
}

unsigned disasm(const u8 *code, unsigned len, u32 eip, bool big, char *text, size_t size)
{
	struct insn n = {.code = code,
			 .len = len < INSN_MAX ? len : INSN_MAX,
			 .eip = eip,
			 .big = big,
			 .opsize32 = big,
			 .addr32 = big,
			 .seg = -1,
			 .text = text,
			 .size = size};

	if (size)
		text[0] = 0;
	if (put_instruction(&n) && !n.too_few)
		return n.at;
	fmt(text, size, "(bad)");
	return 1;
}
