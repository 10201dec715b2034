/* SPDX-License-Identifier: BSD-2-Clause */
/* PUSHA, POPA, ENTER, PUSHF. ESP changes only after the last access that may fault. */
#include "cpu/interp/ops.h"

/* One stack slot of the operand size at `off` from the current top, without moving ESP. */
static u32 stack_load(u32 esp)
{
	u32 off = stack_off(esp);

	return ip->flags & INSN_O16 ? load16(SEG_UNITS(SEG_SS), off)
				    : load32(SEG_UNITS(SEG_SS), off);
}
static void stack_store(u32 esp, u32 value)
{
	u32 off = stack_off(esp);

	if (ip->flags & INSN_O16)
		store16(SEG_UNITS(SEG_SS), off, (u16)value);
	else
		store32(SEG_UNITS(SEG_SS), off, value);
}

void op_pusha(void)
{
	u32 size = operand_bytes(), esp = cpu->gpr[REG_ESP];

	/* What was stored before a fault stays, as on a CPU: ESP has not moved. */
	for (unsigned reg = 0; reg < 8; reg++)
		stack_store(esp - (reg + 1) * size, cpu->gpr[reg]);
	set_esp(esp - 8 * size);
	NEXT;
}

void op_popa(void)
{
	u32 size = operand_bytes(), esp = cpu->gpr[REG_ESP], value[8];

	for (unsigned slot = 0; slot < 8; slot++)
		value[7 - slot] = stack_load(esp + slot * size);
	for (unsigned reg = 0; reg < 8; reg++) {
		if (reg == REG_ESP)
			continue;
		if (ip->flags & INSN_O16)
			*slot16(reg * 4) = (u16)value[reg];
		else
			cpu->gpr[reg] = value[reg];
	}
	set_esp(esp + 8 * size);
	NEXT;
}

/* imm: bytes of locals, disp: nesting level 0-31 (SDM vol. 2, ENTER). */
void op_enter(void)
{
	u32 size = operand_bytes(), esp = cpu->gpr[REG_ESP], ebp = cpu->gpr[REG_EBP], frame;
	u32 level = ip->disp;

	esp -= size;
	stack_store(esp, ebp);
	/* ESP as a push leaves it: a 16-bit stack pointer takes nothing from the upper half. */
	frame = ip->flags & INSN_STACK16 ? (cpu->gpr[REG_ESP] & 0xffff0000) | (u16)esp : esp;
	for (u32 n = 1; n < level; n++) {
		ebp -= size;
		esp -= size;
		stack_store(esp, stack_load(ebp));
	}
	if (level) {
		esp -= size;
		stack_store(esp, frame);
	}
	esp -= ip->imm;
	/* A write to the new top must be possible, though none is done. */
	op_sync();
	mem_rmw_read(cpu, SEG_SS, stack_off(esp), size);
	if (ip->flags & INSN_O16)
		*slot16(REG_EBP * 4) = (u16)frame;
	else
		cpu->gpr[REG_EBP] = frame;
	set_esp(esp);
	NEXT;
}

void op_pushf(void)
{
	u32 size = operand_bytes(), esp = cpu->gpr[REG_ESP] - size;

	op_sync();
	stack_store(esp, cpu_pushf_image(cpu, size));
	set_esp(esp);
	NEXT;
}
