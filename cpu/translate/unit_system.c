/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves with control and debug registers that need no exit: kernels read CR2 in each page fault and
 * CR3 to flush the TLB; Linux 1.3 reads DR6 in each system call and sets DR7 to 0 in each fault.
 */
#include "cpu/translate/emit.h"
#include "cpu/vcpu.h"

#define STATE(field) offsetof(struct translate_state, field)
#define OPCODE_JECXZ 0xe3

/* Where the state has what the register is read as; 0: nowhere. */
static u32 shown(u8 what, unsigned number)
{
	static const u32 cr[8] = {[0] = STATE(cr0), [2] = STATE(cr2), [3] = STATE(cr3)};
	static const u32 dr[8] = {[6] = STATE(dr6), [7] = STATE(dr7)};

	return what == TRANSLATE_CONTROL_FROM ? cr[number]
	       : what == TRANSLATE_DEBUG_FROM ? dr[number]
					      : 0;
}

static u8 *jecxz(struct translator *t)
{
	emit8(t, OPCODE_JECXZ);
	return t->next++;
}

static void short_to_here(struct translator *t, u8 *rel8)
{
	*rel8 = (u8)(t->next - rel8 - 1);
}

/* MOV DR7, reg: no exit if it writes 0 and that is what was written before. */
static void mov_to_dr7(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		       u32 eip, u32 next)
{
	unsigned reg = g->operand & 7;
	u8 *differs, *zero, *same;

	emit_store(t, REG_ECX, STATE(ecx));
	if (reg != REG_ECX) { /* mov ecx, reg */
		emit8(t, 0x89);
		emit8(t, (u8)(0xc0 | reg << 3 | REG_ECX));
	}
	unit_point(t, u, SAVED_ECX, eip);
	zero = jecxz(t);
	differs = t->next;
	emit_load(t, REG_ECX, STATE(ecx));
	unit_point(t, u, AT, eip);
	unit_leave_for(t, u, g, eip);
	short_to_here(t, zero);
	unit_point(t, u, SAVED_ECX, eip);
	emit_load(t, REG_ECX, STATE(dr7_set));
	same = jecxz(t);
	emit_jmp(t, differs);
	short_to_here(t, same);
	unit_point(t, u, SAVED_ECX, next);
	emit_load(t, REG_ECX, STATE(ecx));
	unit_comes_back(t, u, eip, next);
	unit_point(t, u, AT, next);
}

bool unit_system(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		 u32 eip, u32 next)
{
	unsigned number = g->operand >> 3 & 7;
	u32 field = shown(g->opcode, number);

	if (unit_context(t)->mode & TRANSLATE_OUTER)
		return false;
	if (g->opcode == TRANSLATE_DEBUG_TO && number == 7)
		mov_to_dr7(t, u, g, eip, next);
	else if (!field)
		return false;
	else {
		emit_load(t, g->operand & 7, field);
		unit_point(t, u, AT, next);
	}
	return true;
}
