/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commonest instructions by tables, because translating costs mostly what decoding costs: those
 * that are copied without a prefix or with the most usual ones, near branches, ports and flags.
 * What is not here is for the decoder, which test_translate_classes.c holds both against.
 */
#include "cpu/translate/quick.h"

#define BARE	1
#define IMM8	2
#define IMM32	(5 | FORM_IMM32)
#define ADDRESS 5
#define MODRM	(1 | FORM_MODRM)
#define MODRM8	(2 | FORM_MODRM)
#define MODRM32 (5 | FORM_MODRM | FORM_IMM32)
#define RARE	FORM_RARE

#define ALU(first) [first... first + 3] = MODRM, [first + 4] = IMM8, [first + 5] = IMM32

const u8 quick_form[256] = {
	ALU(0x00),
	ALU(0x08),
	ALU(0x10),
	ALU(0x18),
	ALU(0x20),
	ALU(0x28),
	ALU(0x30),
	ALU(0x38),
	[0x0f] = RARE,
	[0x40 ... 0x5f] = BARE, /* INC, DEC, PUSH, POP */
	[0x66] = RARE,
	[0x68] = IMM32,
	[0x69] = MODRM32,
	[0x6a] = IMM8,
	[0x6b] = MODRM8,
	[0x80] = MODRM8,
	[0x81] = MODRM32,
	[0x83] = MODRM8,
	[0x84 ... 0x8b] = MODRM, /* TEST, XCHG, MOV */
	[0x8d] = RARE,		 /* LEA */
	[0x90 ... 0x99] = BARE,
	[0x9e ... 0x9f] = BARE,	   /* SAHF, LAHF */
	[0xa0 ... 0xa3] = ADDRESS, /* MOV with an address */
	[0xa4 ... 0xa7] = BARE,	   /* string instructions */
	[0xa8] = IMM8,
	[0xa9] = IMM32,
	[0xaa ... 0xaf] = BARE,
	[0xb0 ... 0xb7] = IMM8,
	[0xb8 ... 0xbf] = IMM32,
	[0xc0 ... 0xc1] = RARE, /* shifts */
	[0xc6] = RARE,		/* MOV */
	[0xc7] = RARE | FORM_IMM32,
	[0xc9] = BARE, /* LEAVE */
	[0xd0 ... 0xd3] = RARE,
	[0xf2 ... 0xf3] = RARE,
	[0xf5] = BARE, /* CMC */
	[0xf6 ... 0xf7] = RARE,
	[0xf8 ... 0xf9] = BARE, /* CLC, STC */
	[0xfc ... 0xfd] = BARE, /* CLD, STD */
	[0xfe ... 0xff] = RARE,
};

/* Behind 0Fh, which is not counted. */
static const u8 forms_two[256] = {
	[0x40 ... 0x4f] = MODRM, /* CMOVcc */
	[0x90 ... 0x9f] = MODRM, /* SETcc */
	[0xa3] = MODRM,		 /* BT */
	[0xa4] = MODRM8,	 /* SHLD, SHRD */
	[0xa5] = MODRM,		 [0xab] = MODRM,	  [0xac] = MODRM8,
	[0xad] = MODRM,		 [0xaf] = MODRM,				  /* IMUL */
	[0xb3] = MODRM,		 [0xb6 ... 0xb7] = MODRM,			  /* MOVZX, MOVSX */
	[0xba] = RARE,		 [0xbb ... 0xbf] = MODRM, [0xc8 ... 0xcf] = BARE, /* BSWAP */
};

#define TIMES8(...)                                                                                \
	__VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, \
		__VA_ARGS__

const u8 quick_modrm[256] = {
	TIMES8(1, 1, 1, 1, 2 | QUICK_MODRM_SIB, 5, 1, 1),
	TIMES8(2, 2, 2, 2, 3, 2, 2, 2),
	TIMES8(5, 5, 5, 5, 6, 5, 5, 5),
	TIMES8(1, 1, 1, 1, 1, 1, 1, 1),
};

/* Those whose ModR/M byte says whether it is an instruction of its own, and which. */
static u32 group(const u8 *bytes)
{
	u32 reg = bytes[1] >> 3 & 7, len = 1 + quick_modrm_bytes(bytes + 1);

	switch (bytes[0]) {
	case 0x8d:
		return bytes[1] >= 0xc0 ? 0 : len;
	case 0xc0 ... 0xc1:
		return reg == 6 ? 0 : len + 1;
	case 0xc6:
		return reg == 0 ? len + 1 : 0;
	case 0xc7:
		return reg == 0 ? len + 4 : 0;
	case 0xd0 ... 0xd3:
		return reg == 6 ? 0 : len;
	case 0xf6:
		return reg == 0 ? len + 1 : reg == 1 ? 0 : len;
	case 0xf7:
		return reg == 0 ? len + 4 : reg == 1 ? 0 : len;
	case 0xfe:
		return reg < 2 ? len : 0;
	case 0xff:
		return reg < 2 || reg == 6 ? len : 0;
	default:
		return 0;
	}
}

static u32 two_byte(const u8 *bytes)
{
	u32 form = forms_two[bytes[1]];

	if (bytes[1] == 0xba) /* BT and its like, with an immediate, from /4 on */
		return bytes[2] & 0x20 ? 3 + quick_modrm_bytes(bytes + 2) : 0;
	if (!form)
		return 0;
	return 1 + (form & FORM_LEN) + (form & FORM_MODRM ? quick_modrm_bytes(bytes + 2) : 0);
}

static bool has_imm32(const u8 *bytes)
{
	if (bytes[0] == 0xf7)
		return !(bytes[1] & 0x38);
	return quick_form[bytes[0]] & FORM_IMM32;
}

/* Behind 66h, which is counted. */
static u32 with_o16(const u8 *bytes)
{
	u32 len = bytes[0] == 0x66 ? 0 : classify_copied(bytes);

	return len ? len + 1 - (has_imm32(bytes) ? 2 : 0) : 0;
}

static bool is_string(u8 opcode)
{
	return (opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf);
}

u32 classify_rarer(const u8 *bytes)
{
	switch (bytes[0]) {
	case 0x0f:
		return two_byte(bytes);
	case 0x66:
		return with_o16(bytes + 1);
	case 0xf2:
	case 0xf3:
		return is_string(bytes[1]) ? 2 : 0;
	default:
		return group(bytes);
	}
}

static u32 at32(const u8 *p)
{
	u32 value;

	__builtin_memcpy(&value, p, 4);
	return value;
}

static bool of_a_class(struct guest_insn *g, enum insn_class class, u32 len, u32 operand)
{
	g->class = class;
	g->len = (u8)len;
	g->operand = operand;
	return true;
}

static bool jcc(struct guest_insn *g, u8 opcode, u32 len, u32 operand)
{
	g->opcode = opcode & 15;
	return of_a_class(g, INSN_JCC, len, operand);
}

/* Those with classes of their own. */
static bool not_copied(const u8 *bytes, struct guest_insn *g)
{
	switch (bytes[0]) {
	case 0x0f:
		return (bytes[1] & 0xf0) == 0x80 && jcc(g, bytes[1], 6, at32(bytes + 2));
	case 0x70 ... 0x7f:
		return jcc(g, bytes[0], 2, (u32)(s8)bytes[1]);
	case 0x9c:
		return of_a_class(g, INSN_PUSHF, 1, 0);
	case 0x9d:
		return of_a_class(g, INSN_POPF, 1, 0);
	case 0xc3:
		return of_a_class(g, INSN_RET, 1, 0);
	case 0xe4 ... 0xe7:
		g->opcode = classify_port(bytes[0], false);
		return of_a_class(g, INSN_HOST, 2, bytes[1]);
	case 0xe8:
		return of_a_class(g, INSN_CALL, 5, at32(bytes + 1));
	case 0xe9:
		return of_a_class(g, INSN_JMP, 5, at32(bytes + 1));
	case 0xeb:
		return of_a_class(g, INSN_JMP, 2, (u32)(s8)bytes[1]);
	case 0xec ... 0xef:
		g->opcode = classify_port(bytes[0], false);
		return of_a_class(g, INSN_HOST, 1, 0);
	case 0xfa:
		return of_a_class(g, INSN_CLI, 1, 0);
	case 0xfb:
		return of_a_class(g, INSN_STI, 1, 0);
	default:
		return false;
	}
}

bool classify_quick(const u8 *bytes, u32 avail, struct guest_insn *g)
{
	u32 len;

	if (avail < QUICK_BYTES)
		return false;
	if (not_copied(bytes, g)) /* first: copied ones are in runs as a rule */
		return true;
	len = classify_copied(bytes);
	return len && of_a_class(g, INSN_COPY, len, 0);
}
