/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes, opcode maps and names; the operands are disasm_operand.c's. */
#include "cpu/disasm.h"
#include "cpu/disasm_insn.h"
#include "cpu/disasm_tables.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define INSN_MAX 15

/* Whether any operand of a form needs a ModR/M byte. */
static bool needs_modrm(const char *form)
{
	for (; *form; form++)
		if (disasm_is_operand(form) && strchr("EMGRSCDPQVWNU", *form))
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
			disasm_emit(n, "%c", *form);
		else if (n->opsize32 != n->big)
			disasm_emit(n, "%c", n->opsize32 ? 'd' : 'w');
	}
	return space ? space + 1 : "";
}

static void put_prefixes(struct insn *n, const char *form)
{
	bool string = strchr(form, 'X') || strchr(form, 'Y');

	if (n->lock)
		disasm_emit(n, "lock ");
	if (!n->rep || n->rep_used)
		return;
	if (!string)
		disasm_emit(n, n->rep == 0xf3 ? "repz " : "repnz ");
	else if (!strncmp(form, "cmps", 4) || !strncmp(form, "scas", 4))
		disasm_emit(n, n->rep == 0xf3 ? "repz " : "repnz ");
	else
		disasm_emit(n, n->rep == 0xf3 ? "rep " : "repnz ");
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
	disasm_emit(n, "cmp%s%s ", disasm_comparison[n->code[n->at++]], n->rep_used ? "ss" : "ps");
	disasm_put_operands(n, operands);
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
			disasm_fetch_modrm(n);
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

		disasm_fetch_modrm(n);
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
		disasm_fetch_modrm(n);
	if (n->has_modrm && !form_possible(n, strchr(form, ' ') ? strchr(form, ' ') : ""))
		return false;
	put_prefixes(n, form);
	if (put_comparison(n, form))
		return true;
	form = put_name(n, form);
	if (*form)
		disasm_emit(n, " ");
	disasm_put_operands(n, form);
	return true;
}

static bool put_x87(struct insn *n)
{
	unsigned op = n->opcode & 7;
	const char *form;

	disasm_fetch_modrm(n);
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
	n->opcode = (u8)disasm_fetch(n, 1);
	if (n->opcode >= 0xd8 && n->opcode <= 0xdf)
		return put_x87(n);
	if (n->opcode == 0x0f) {
		n->opcode = (u8)disasm_fetch(n, 1);
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
