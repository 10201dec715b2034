/* SPDX-License-Identifier: BSD-2-Clause */
/* Native instructions: see emit.h. */
#include "cpu/translate/emit.h"
#include "cpu/vcpu.h"
#include "lib/str.h"

#define MOD_DISP32 0x05
#define PREFIX_SS  0x36
#define PREFIX_O16 0x66
#define PREFIX_A16 0x67

void emit_bytes(struct translator *t, const u8 *bytes, u32 count)
{
	memcpy(t->next, bytes, count);
	t->next += count;
}

void emit_o16(struct translator *t, bool o16)
{
	if (o16)
		emit8(t, PREFIX_O16);
}

/* Native code is of 32 bits: what says otherwise there depends on the guest's code segment. */
void emit_prefixes(struct translator *t, const u8 *bytes, const struct guest_insn *g, bool o16)
{
	for (u32 i = 0; i < g->prefixes; i++) {
		if (bytes[i] != PREFIX_O16 && bytes[i] != PREFIX_A16)
			emit8(t, bytes[i]);
	}
	emit_o16(t, o16);
	if (g->a16)
		emit8(t, PREFIX_A16);
}

static bool stack16(const struct translator *t)
{
	return unit_context(t)->mode & TRANSLATE_STACK16;
}

/* Nothing addresses by SP. */
static void emit_sp(struct translator *t, unsigned reg)
{
	emit8(t, 0x0f); /* movzx reg, sp */
	emit8(t, 0xb7);
	emit8(t, (u8)(0xc0 | reg << 3 | REG_ESP));
}

void emit_top(struct translator *t, unsigned reg, bool o16)
{
	static const u8 mov[] = {0x8b}, movzx[] = {0x0f, 0xb7};

	if (stack16(t)) {
		emit_sp(t, reg);
		emit8(t, PREFIX_SS);
	}
	if (o16)
		emit_bytes(t, movzx, sizeof(movzx));
	else
		emit_bytes(t, mov, sizeof(mov));
	if (stack16(t)) {
		emit8(t, (u8)(reg << 3 | reg)); /* reg, [reg] */
	} else {
		emit8(t, (u8)(reg << 3 | REG_ESP)); /* reg, [esp] */
		emit8(t, 0x24);
	}
}

void emit_set_top(struct translator *t, bool o16)
{
	static const u8 by_ecx[] = {PREFIX_SS, 0x89, 0x01}, by_esp[] = {0x89, 0x04, 0x24};

	if (stack16(t))
		emit_sp(t, REG_ECX);
	emit_o16(t, o16);
	emit_bytes(t, stack16(t) ? by_ecx : by_esp, 3);
}

void emit_drop(struct translator *t, u32 n)
{
	static const u8 lea_esp[] = {0x8d, 0xa4, 0x24}; /* lea esp, [esp + n], or SP */

	emit_o16(t, stack16(t));
	emit_bytes(t, lea_esp, sizeof(lea_esp));
	emit32(t, n);
}

static void emit_prefix(struct translator *t)
{
	emit8(t, t->host.state_prefix);
}

void emit_load_half(struct translator *t, unsigned reg, u32 offset)
{
	emit_prefix(t);
	emit8(t, 0x0f);
	emit8(t, 0xb7);
	emit8(t, (u8)(reg << 3 | MOD_DISP32));
	emit32(t, t->host.state_disp + offset);
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
