/* SPDX-License-Identifier: BSD-2-Clause */
/* Near branches, calls and returns: see unit.c. */
#include "cpu/translate/private.h"
#include "cpu/vcpu.h"

#define STATE(field) offsetof(struct translate_state, field)

void unit_jcc(struct translator *t, struct translate_unit *u, const struct guest_insn *g, u32 next)
{
	unit_exit(t, u, emit_jcc(t, g->opcode), AT, TRANSLATE_GO_ON, next + g->operand);
	unit_point(t, u, AT, next);
}

/* These have no long form. */
void unit_loop(struct translator *t, struct translate_unit *u, const struct guest_insn *g, u32 next)
{
	static const u8 over_jump[] = {2, 0xeb, 5};

	emit8(t, g->opcode);
	emit_bytes(t, over_jump, 1);
	unit_point(t, u, AT, next);
	emit_bytes(t, over_jump + 1, 2);
	unit_point(t, u, AT, next + g->operand);
	unit_jump_out(t, u, next + g->operand);
	unit_point(t, u, AT, next);
}

static void push_imm(struct translator *t, u32 value)
{
	emit8(t, 0x68);
	emit32(t, value);
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

void unit_call(struct translator *t, struct translate_unit *u, u32 target, u32 next)
{
	u8 *imm;

	push_imm(t, next);
	unit_point(t, u, AT, target);
	imm = predict_return(t, next);
	unit_jump_out(t, u, target);
	make_landing(t, u, imm, next);
}

void unit_ret(struct translator *t, struct translate_unit *u, u32 drop, u32 eip)
{
	static const u8 mov_ecx_top[] = {0x8b, 0x0c, 0x24}, movzx_ecx_cl[] = {0x0f, 0xb6, 0xc9};
	static const u8 lea_esp[] = {0x8d, 0xa4, 0x24};

	emit_store(t, REG_ECX, STATE(ecx));
	emit_bytes(t, mov_ecx_top, sizeof(mov_ecx_top));
	unit_point(t, u, SAVED_ECX, eip);
	emit_store(t, REG_ECX, STATE(target));
	emit_bytes(t, movzx_ecx_cl, sizeof(movzx_ecx_cl));
	emit_bytes(t, lea_esp, sizeof(lea_esp));
	emit32(t, 4 + drop);
	unit_point(t, u, TARGET, 0);
	emit_jmp_table(t, STATE(ret));
}

/* The target into ECX and the state: MOV ECX with the guest's prefixes and operand. */
static void load_target(struct translator *t, struct translate_unit *u, const u8 *bytes,
			const struct guest_insn *g, u32 eip)
{
	emit_store(t, REG_ECX, STATE(ecx));
	emit_bytes(t, bytes, g->rm_at - 1u);
	emit8(t, 0x8b);
	emit8(t, (u8)((bytes[g->rm_at] & 0xc7) | REG_ECX << 3));
	emit_bytes(t, bytes + g->rm_at + 1, g->len - g->rm_at - 1u);
	unit_point(t, u, SAVED_ECX, eip);
	emit_store(t, REG_ECX, STATE(target));
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
	push_imm(t, eip + g->len);
	unit_point(t, u, TARGET, 0);
	imm = predict_return(t, eip + g->len);
	unit_jump_to_target(t);
	make_landing(t, u, imm, eip + g->len);
}
