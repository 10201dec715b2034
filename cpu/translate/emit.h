/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native instructions, one function each, into t->next. None of them but what unit*.c write as
 * bytes changes arithmetic flags: these are the guest's. So sums are LEAs, and comparisons are a
 * LEA and a JECXZ. What most units have is inline.
 */
#ifndef FARBUS_CPU_TRANSLATE_EMIT_H
#define FARBUS_CPU_TRANSLATE_EMIT_H

#include "cpu/translate/private.h"

static inline void emit8(struct translator *t, u8 byte)
{
	*t->next++ = byte;
}

static inline void emit32(struct translator *t, u32 value)
{
	__builtin_memcpy(t->next, &value, 4);
	t->next += 4;
}

void emit_bytes(struct translator *t, const u8 *bytes, u32 count);
/* The operand-size prefix of 16-bit operands, in native code; or nothing. */
void emit_o16(struct translator *t, bool o16);
/* The guest's prefixes for native code, with operands of that size. */
void emit_prefixes(struct translator *t, const u8 *bytes, const struct guest_insn *g, bool o16);
/* Register := what is on top of the guest's stack, of 2 bytes zero-extended; only it changes. */
void emit_top(struct translator *t, unsigned reg, bool o16);
/* The same back, from EAX; ECX changes. */
void emit_set_top(struct translator *t, bool o16);
/* The guest's stack pointer goes up by n; flags stay. */
void emit_drop(struct translator *t, u32 n);

/* `opcode` with a ModR/M byte of `reg` and the state's field at this offset. */
static inline void emit_field(struct translator *t, u8 opcode, unsigned reg, u32 offset)
{
	u8 *p = t->next;
	u32 disp = t->host.state_disp + offset;

	p[0] = t->host.state_prefix;
	p[1] = opcode;
	p[2] = (u8)(reg << 3 | 5); /* [disp32] */
	__builtin_memcpy(p + 3, &disp, 4);
	t->next = p + 7;
}

static inline void emit_load(struct translator *t, unsigned reg, u32 offset)
{
	emit_field(t, 0x8b, reg, offset);
}

/* 2 bytes, zero-extended. */
void emit_load_half(struct translator *t, unsigned reg, u32 offset);

static inline void emit_store(struct translator *t, unsigned reg, u32 offset)
{
	emit_field(t, 0x89, reg, offset);
}

static inline void emit_store_imm(struct translator *t, u32 offset, u32 value)
{
	emit_field(t, 0xc7, 0, offset);
	emit32(t, value);
}

static inline void patch(u8 *rel32, const u8 *to)
{
	u32 rel = (u32)(to - (rel32 + 4));

	__builtin_memcpy(rel32, &rel, 4);
}

/* JMP to native code; returns its rel32. */
static inline u8 *emit_jmp(struct translator *t, const u8 *to)
{
	u8 *p = t->next;

	p[0] = 0xe9;
	patch(p + 1, to);
	t->next = p + 5;
	return p + 1;
}

/* Jcc to where patch() says. */
static inline u8 *emit_jcc(struct translator *t, u8 condition)
{
	u8 *p = t->next;

	p[0] = 0x0f;
	p[1] = 0x80 | condition;
	t->next = p + 6;
	return p + 2;
}

/* JMP through a table of the state, index in ECX. */
void emit_jmp_table(struct translator *t, u32 offset);
/* ECX becomes the index in state->jump for the target in ECX; flags stay. */
void emit_hash(struct translator *t);
u32 jump_hash(u32 eip);
/* Checks that state->target is eip, goes to the lookup otherwise; ECX is the guest's after it. */
void emit_landing(struct translator *t, u32 eip, const u8 *otherwise);

#endif
