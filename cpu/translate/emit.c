/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native instructions, one function each. None of them but what unit.c writes as bytes changes
 * arithmetic flags: these are the guest's. So sums are LEAs, and comparisons are a LEA and a JECXZ.
 */
#include "cpu/translate/private.h"
#include "cpu/vcpu.h"
#include "lib/str.h"

#define MOD_DISP32 0x05

void emit8(struct translator *t, u8 byte)
{
	*t->next++ = byte;
}

void emit32(struct translator *t, u32 value)
{
	__builtin_memcpy(t->next, &value, 4);
	t->next += 4;
}

void emit_bytes(struct translator *t, const u8 *bytes, u32 count)
{
	memcpy(t->next, bytes, count);
	t->next += count;
}

static void emit_prefix(struct translator *t)
{
	emit8(t, t->host.state_prefix);
}

void emit_field(struct translator *t, u8 opcode, unsigned reg, u32 offset)
{
	emit_prefix(t);
	emit8(t, opcode);
	emit8(t, (u8)(reg << 3 | MOD_DISP32));
	emit32(t, t->host.state_disp + offset);
}

void emit_load(struct translator *t, unsigned reg, u32 offset)
{
	emit_field(t, 0x8b, reg, offset);
}

void emit_store(struct translator *t, unsigned reg, u32 offset)
{
	emit_field(t, 0x89, reg, offset);
}

void emit_store_imm(struct translator *t, u32 offset, u32 value)
{
	emit_field(t, 0xc7, 0, offset);
	emit32(t, value);
}

void patch(u8 *rel32, const u8 *to)
{
	u32 rel = (u32)(to - (rel32 + 4));

	__builtin_memcpy(rel32, &rel, 4);
}

u8 *emit_jmp(struct translator *t, const u8 *to)
{
	u8 *rel32 = t->next + 1;

	emit8(t, 0xe9);
	t->next += 4;
	patch(rel32, to);
	return rel32;
}

u8 *emit_jcc(struct translator *t, u8 condition)
{
	emit8(t, 0x0f);
	emit8(t, 0x80 | condition);
	t->next += 4;
	return t->next - 4;
}

void emit_jmp_table(struct translator *t, u32 offset)
{
	static const u8 jmp_ecx_4[] = {0xff, 0x24, 0x8d};

	emit_prefix(t);
	emit_bytes(t, jmp_ecx_4, sizeof(jmp_ecx_4));
	emit32(t, t->host.state_disp + offset);
}

void emit_hash(struct translator *t)
{
	static const u8 hash[] = {
		0x8d, 0x0c, 0xc9,		    /* lea ecx, [ecx + ecx * 8] */
		0x8d, 0x0c, 0xc9, 0x0f, 0xb6, 0xcd, /* movzx ecx, ch */
	};

	emit_bytes(t, hash, sizeof(hash));
}

u32 jump_hash(u32 eip)
{
	return (eip * 81 >> 8) & (TRANSLATE_SLOTS - 1);
}

void emit_landing(struct translator *t, u32 eip, const u8 *otherwise)
{
	emit_load(t, REG_ECX, offsetof(struct translate_state, target));
	emit8(t, 0x8d); /* lea ecx, [ecx - eip] */
	emit8(t, 0x89);
	emit32(t, 0u - eip);
	emit8(t, 0xe3); /* jecxz, over the jmp */
	emit8(t, 5);
	emit_jmp(t, otherwise);
	emit_load(t, REG_ECX, offsetof(struct translate_state, ecx));
}
