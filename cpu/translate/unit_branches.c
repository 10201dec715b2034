/* SPDX-License-Identifier: BSD-2-Clause */
/* Near branches, calls and returns: see unit.c. */
#include "cpu/translate/emit.h"
#include "cpu/vcpu.h"

#define STATE(field) offsetof(struct translate_state, field)
#define PREFIX_A16   0x67
#define OPCODE_BOUND 0x62

void unit_jcc(struct translator *t, struct translate_unit *u, const struct guest_insn *g, u32 next)
{
	unit_exit(t, u, emit_jcc(t, g->opcode), AT, TRANSLATE_GO_ON, unit_target(g, next));
	unit_point(t, u, AT, next);
}

/* These have no long form. */
void unit_loop(struct translator *t, struct translate_unit *u, const struct guest_insn *g, u32 next)
{
	static const u8 over_jump[] = {2, 0xeb, 5};
	u32 target = unit_target(g, next);

	if (g->a16)
		emit8(t, PREFIX_A16);
	emit8(t, g->opcode);
	emit_bytes(t, over_jump, 1);
	unit_point(t, u, AT, next);
	emit_bytes(t, over_jump + 1, 2);
	unit_point(t, u, LEAVING, target);
	unit_jump_out(t, u, target);
	unit_point(t, u, AT, next);
}

static void push_eip(struct translator *t, u32 eip, bool o16)
{
	emit_o16(t, o16);
	emit8(t, 0x68);
	if (o16)
		emit_bytes(t, (const u8 *)&eip, 2);
	else
		emit32(t, eip);
}

/* Where the call returns to; the place of its address is filled in by make_landing(). */
static u8 *predict_return(struct translator *t, u32 ret)
{
	emit_store_imm(t, STATE(ret) + (ret & (TRANSLATE_SLOTS - 1)) * 4, 0);
	return t->next - 4;
}

static void make_landing(struct translator *t, struct translate_unit *u, u8 *imm, u32 ret)
{
	u32 here = (u32)(uintptr_t)t->next;

	__builtin_memcpy(imm, &here, 4);
	unit_point(t, u, TARGET, 0);
	emit_landing(t, ret, t->lookup);
	unit_point(t, u, AT, ret);
}

void unit_call(struct translator *t, struct translate_unit *u, const struct guest_insn *g, u32 next)
{
	u32 target = unit_target(g, next);
	u8 *imm;

	push_eip(t, next, g->o16);
	unit_point(t, u, LEAVING, target);
	imm = predict_return(t, next);
	unit_jump_out(t, u, target);
	make_landing(t, u, imm, next);
}

/* #BR, and with it the interpreter, where ECX, an EIP, is beyond the limit of CS. */
static void check_target(struct translator *t)
{
	static const u8 flip[] = {0x8d, 0x89, 0, 0, 0, 0x80}; /* lea ecx, [ecx + 80000000h] */

	emit_bytes(t, flip, sizeof(flip)); /* BOUND compares signed values */
	emit_field(t, OPCODE_BOUND, REG_ECX, STATE(bounds));
	emit_load(t, REG_ECX, STATE(target));
}

/*
 * ECX, an EIP, into the state. Where 16-bit code takes 4 bytes of it, the upper half is zero or the
 * CPU raises something: for the interpreter. So is what leads 32-bit code out of its segment.
 */
static void set_target(struct translator *t, struct translate_unit *u, bool o16, u32 eip)
{
	bool code16 = unit_context(t)->mode & TRANSLATE_CODE16;

	emit_store(t, REG_ECX, STATE(target));
	if (!code16 && unit_context(t)->limit < (o16 ? 0xffff : ~0u))
		check_target(t);
	if (o16 || !code16)
		return;
	emit_load_half(t, REG_ECX, STATE(target) + 2);
	emit8(t, 0xe3); /* jecxz, over the jmp */
	emit8(t, 5);
	unit_exit(t, u, emit_jmp(t, t->next), SAVED_ECX, TRANSLATE_INTERPRET, eip);
	emit_load(t, REG_ECX, STATE(target));
}

void unit_ret(struct translator *t, struct translate_unit *u, const struct guest_insn *g, u32 eip)
{
	static const u8 movzx_ecx_cl[] = {0x0f, 0xb6, 0xc9};

	emit_store(t, REG_ECX, STATE(ecx));
	unit_point(t, u, SAVED_ECX, eip);
	emit_top(t, REG_ECX, g->o16);
	set_target(t, u, g->o16, eip);
	emit_bytes(t, movzx_ecx_cl, sizeof(movzx_ecx_cl));
	emit_drop(t, (g->o16 ? 2 : 4) + g->operand);
	unit_point(t, u, TARGET, 0);
	emit_jmp_table(t, STATE(ret));
}

/* The target into ECX and the state: MOV ECX, or MOVZX, with the guest's prefixes and operand. */
static void load_target(struct translator *t, struct translate_unit *u, const u8 *bytes,
			const struct guest_insn *g, u32 eip)
{
	static const u8 mov[] = {0x8b}, movzx[] = {0x0f, 0xb7};

	emit_store(t, REG_ECX, STATE(ecx));
	emit_prefixes(t, bytes, g, false);
	if (g->o16)
		emit_bytes(t, movzx, sizeof(movzx));
	else
		emit_bytes(t, mov, sizeof(mov));
	emit8(t, (u8)((bytes[g->rm_at] & 0xc7) | REG_ECX << 3));
	emit_bytes(t, bytes + g->rm_at + 1, g->len - g->rm_at - 1u);
	unit_point(t, u, SAVED_ECX, eip);
	set_target(t, u, g->o16, eip);
}

void unit_jump_to_target(struct translator *t)
{
	emit_hash(t);
	emit_jmp_table(t, STATE(jump));
}

void unit_jmp_rm(struct translator *t, struct translate_unit *u, const u8 *bytes,
		 const struct guest_insn *g, u32 eip)
{
	load_target(t, u, bytes, g, eip);
	unit_point(t, u, TARGET, 0);
	unit_jump_to_target(t);
}

void unit_call_rm(struct translator *t, struct translate_unit *u, const u8 *bytes,
		  const struct guest_insn *g, u32 eip)
{
	u8 *imm;

	load_target(t, u, bytes, g, eip);
	push_eip(t, eip + g->len, g->o16);
	unit_point(t, u, TARGET, 0);
	imm = predict_return(t, eip + g->len);
	unit_jump_to_target(t);
	make_landing(t, u, imm, eip + g->len);
}
