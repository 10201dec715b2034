/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commonest instructions by a table, because translating costs mostly what decoding costs:
 * one-byte opcodes without prefixes that are copied, and near branches. What is not in the table is
 * for the decoder, which test_translate_classes.c holds both against.
 */
#include "cpu/translate/private.h"

/* Bytes behind the opcode: none, an immediate, ModR/M with what belongs to it, or both. */
enum shape {
	NOT = 0,
	BARE,
	IMM8,
	IMM32,
	MODRM,
	MODRM8,
	MODRM32,
	GROUP8, /* ModR/M whose /1 (F6h, F7h) or /6 (shifts) is no instruction of its own */
	GROUP,
	ZERO8, /* only /0 is an instruction */
	ZERO32,
	MEMORY, /* ModR/M with a memory operand */
	STEP,	/* FEh, FFh: /0 and /1, and /6 of FFh */
};

#define ALU(first) [first... first + 3] = MODRM, [first + 4] = IMM8, [first + 5] = IMM32

static const u8 shapes[256] = {
	ALU(0x00),
	ALU(0x08),
	ALU(0x10),
	ALU(0x18),
	ALU(0x20),
	ALU(0x28),
	ALU(0x30),
	ALU(0x38),
	[0x40 ... 0x5f] = BARE, /* INC, DEC, PUSH, POP */
	[0x68] = IMM32,
	[0x69] = MODRM32,
	[0x6a] = IMM8,
	[0x6b] = MODRM8,
	[0x80] = MODRM8,
	[0x81] = MODRM32,
	[0x83] = MODRM8,
	[0x84 ... 0x8b] = MODRM, /* TEST, XCHG, MOV */
	[0x8d] = MEMORY,	 /* LEA */
	[0x90] = BARE,
	[0x98 ... 0x99] = BARE,
	[0xa0 ... 0xa3] = IMM32, /* MOV with an address */
	[0xa8] = IMM8,
	[0xa9] = IMM32,
	[0xb0 ... 0xb7] = IMM8,
	[0xb8 ... 0xbf] = IMM32,
	[0xc0 ... 0xc1] = GROUP8,
	[0xc6] = ZERO8,
	[0xc7] = ZERO32,
	[0xc9] = BARE, /* LEAVE */
	[0xd0 ... 0xd3] = GROUP,
	[0xf6 ... 0xf7] = GROUP,
	[0xfe ... 0xff] = STEP,
};

/* Bytes of ModR/M, SIB and displacement. */
static u32 modrm_bytes(const u8 *p)
{
	u32 mod = p[0] >> 6, rm = p[0] & 7, len = 1;

	if (mod == 3)
		return 1;
	if (rm == 4) {
		len = 2;
		if (mod == 0 && (p[1] & 7) == 5)
			return 6;
	}
	if (mod == 0)
		return rm == 5 ? 5 : len;
	return len + (mod == 1 ? 1 : 4);
}

static u32 with_modrm(const u8 *bytes, enum shape shape)
{
	u32 reg = bytes[1] >> 3 & 7, len = 1 + modrm_bytes(bytes + 1);
	bool f6 = (bytes[0] & 0xfe) == 0xf6;

	switch (shape) {
	case MODRM8:
		return len + 1;
	case MODRM32:
		return len + 4;
	case ZERO8:
		return reg == 0 ? len + 1 : 0;
	case ZERO32:
		return reg == 0 ? len + 4 : 0;
	case GROUP8:
		return reg == 6 ? 0 : len + 1;
	case GROUP:
		if (!f6)
			return reg == 6 ? 0 : len;
		if (reg == 0)
			return len + (bytes[0] == 0xf6 ? 1 : 4);
		return reg == 1 ? 0 : len;
	case MEMORY:
		return bytes[1] >= 0xc0 ? 0 : len;
	case STEP:
		return reg < 2 || (reg == 6 && bytes[0] == 0xff) ? len : 0;
	default:
		return len;
	}
}

static void branch(struct guest_insn *g, enum insn_class class, u32 len, u32 operand)
{
	g->class = class;
	g->len = (u8)len;
	g->operand = operand;
}

static u32 at32(const u8 *p)
{
	u32 value;

	__builtin_memcpy(&value, p, 4);
	return value;
}

static bool near_branch(const u8 *bytes, struct guest_insn *g)
{
	u8 opcode = bytes[0];

	if ((opcode & 0xf0) == 0x70) {
		branch(g, INSN_JCC, 2, (u32)(s8)bytes[1]);
		g->opcode = opcode & 15;
	} else if (opcode == 0x0f && (bytes[1] & 0xf0) == 0x80) {
		branch(g, INSN_JCC, 6, at32(bytes + 2));
		g->opcode = bytes[1] & 15;
	} else if (opcode == 0xe8 || opcode == 0xe9) {
		branch(g, opcode == 0xe8 ? INSN_CALL : INSN_JMP, 5, at32(bytes + 1));
	} else if (opcode == 0xeb) {
		branch(g, INSN_JMP, 2, (u32)(s8)bytes[1]);
	} else if (opcode == 0xc3) {
		branch(g, INSN_RET, 1, 0);
	} else {
		return false;
	}
	return true;
}

u32 classify_copied(const u8 *bytes)
{
	enum shape shape = shapes[bytes[0]];

	switch (shape) {
	case NOT:
		return 0;
	case BARE:
		return 1;
	case IMM8:
		return 2;
	case IMM32:
		return 5;
	case MODRM:
		return 1 + modrm_bytes(bytes + 1);
	default:
		return with_modrm(bytes, shape);
	}
}

bool classify_quick(const u8 *bytes, u32 avail, struct guest_insn *g)
{
	*g = (struct guest_insn){.class = INSN_COPY};
	if (avail < QUICK_BYTES)
		return false;
	g->len = (u8)classify_copied(bytes);
	return g->len || (shapes[bytes[0]] == NOT && near_branch(bytes, g));
}
