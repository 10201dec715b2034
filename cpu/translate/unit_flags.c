/* SPDX-License-Identifier: BSD-2-Clause */
/* CLI, STI, PUSHF and POPF: see unit.c. */
#include "cpu/translate/emit.h"
#include "cpu/vcpu.h"

#define STATE(field) offsetof(struct translate_state, field)

/* POPF of any of these is for the interpreter, but for IOPL as it is. */
#define FLAGS_RARE                                                                                 \
	(FLAG_TF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP |       \
	 BIT(15))

void unit_cli(struct translator *t, struct translate_unit *u, u32 next)
{
	emit_store_imm(t, STATE(vif), 0);
	unit_point(t, u, AT, next);
}

/* While an interrupt waits it is the interpreter's, which holds the interrupt off. */
void unit_sti(struct translator *t, struct translate_unit *u, u32 eip, u32 next)
{
	emit_store(t, REG_ECX, STATE(ecx));
	emit_load(t, REG_ECX, STATE(pending));
	unit_point(t, u, SAVED_ECX, eip);
	emit8(t, 0xe3); /* jecxz, over the jmp */
	emit8(t, 5);
	unit_exit(t, u, emit_jmp(t, t->next), SAVED_ECX, TRANSLATE_INTERPRET, eip);
	emit_load(t, REG_ECX, STATE(ecx));
	unit_point(t, u, AT, eip);
	emit_store_imm(t, STATE(vif), FLAG_IF);
	t->held = true;
	t->held_eip = next;
	unit_point(t, u, AT, next);
}

/* The real image has IF on and IOPL 0; what is added makes the guest's of it. */
void unit_pushf(struct translator *t, struct translate_unit *u, bool o16, u32 eip, u32 next)
{
	static const u8 add[] = {0x8d, 0x04, 0x08}; /* lea eax, [eax + ecx] */

	emit_store(t, REG_EAX, STATE(eax));
	emit_store(t, REG_ECX, STATE(ecx));
	emit_o16(t, o16);
	emit8(t, 0x9c);
	unit_point(t, u, SAVED, eip)->stack = o16 ? 2 : 4;
	emit_top(t, REG_EAX, o16);
	emit_load(t, REG_ECX, STATE(vif));
	emit_bytes(t, add, sizeof(add));
	emit_load(t, REG_ECX, STATE(flags_add));
	emit_bytes(t, add, sizeof(add));
	emit_set_top(t, o16);
	emit_load(t, REG_ECX, STATE(ecx));
	emit_load(t, REG_EAX, STATE(eax));
	unit_point(t, u, AT, next);
}

void unit_leave_if(struct translator *t, struct translate_unit *u, u8 condition, u32 eip)
{
	unit_exit(t, u, emit_jcc(t, condition), SAVED_FLAGS, TRANSLATE_INTERPRET, eip);
}

void unit_popf(struct translator *t, struct translate_unit *u, bool o16, u32 eip, u32 next)
{
	static const u8 save[] = {0x9f, 0x0f, 0x90, 0xc0}; /* lahf; seto al */
	static const u8 mov_ecx_eax[] = {0x89, 0xc1};
	static const u8 jz = 0x74;
	u8 *over;

	emit_store(t, REG_EAX, STATE(eax));
	emit_store(t, REG_ECX, STATE(ecx));
	unit_point(t, u, SAVED, eip);
	emit_bytes(t, save, sizeof(save));
	emit_store(t, REG_EAX, STATE(flags));
	unit_point(t, u, SAVED_FLAGS, eip);
	emit_top(t, REG_EAX, o16);
	emit_bytes(t, mov_ecx_eax, sizeof(mov_ecx_eax));
	emit8(t, 0x81); /* and ecx, FLAGS_RARE */
	emit8(t, 0xe1);
	emit32(t, FLAGS_RARE);
	emit_field(t, 0x3b, REG_ECX, STATE(iopl));
	unit_leave_if(t, u, 5, eip);
	emit8(t, 0x25); /* and eax, FLAG_IF */
	emit32(t, FLAG_IF);
	emit_store(t, REG_EAX, STATE(new_if));
	emit8(t, jz);
	over = t->next++;
	emit_load(t, REG_ECX, STATE(pending));
	emit8(t, 0x85); /* test ecx, ecx */
	emit8(t, 0xc9);
	unit_leave_if(t, u, 5, eip);
	*over = (u8)(t->next - over - 1);
	emit_load(t, REG_ECX, STATE(ecx));
	emit_o16(t, o16);
	emit8(t, 0x9d);
	unit_point(t, u, POPPED, next);
	emit_load(t, REG_EAX, STATE(new_if));
	emit_store(t, REG_EAX, STATE(vif));
	emit_load(t, REG_EAX, STATE(eax));
	unit_comes_back(t, u, eip, next);
	unit_point(t, u, AT, next);
}
