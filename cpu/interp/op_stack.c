/* SPDX-License-Identifier: BSD-2-Clause */
/* PUSH, POP, PUSHA, POPA, ENTER, LEAVE. ESP changes only after the last access that may fault. */
#include "cpu/interp/ops.h"

#define STACK_FORMS(bits, sbits, esp_slot)                                                         \
	static void push_r##bits##_##sbits(void)                                                   \
	{                                                                                          \
		u##sbits off = (u##sbits)(*esp_slot - bits / 8);                                   \
                                                                                                   \
		store##bits(SEG_UNITS(SEG_SS), off, *slot##bits(ip->reg));                         \
		*esp_slot = off;                                                                   \
		NEXT;                                                                              \
	}                                                                                          \
	static void push_i##bits##_##sbits(void)                                                   \
	{                                                                                          \
		u##sbits off = (u##sbits)(*esp_slot - bits / 8);                                   \
                                                                                                   \
		store##bits(SEG_UNITS(SEG_SS), off, (u##bits)ip->imm);                             \
		*esp_slot = off;                                                                   \
		NEXT;                                                                              \
	}                                                                                          \
	/* POP ESP ends with the popped value: the register is written last. */                    \
	static void pop_r##bits##_##sbits(void)                                                    \
	{                                                                                          \
		u##sbits esp = *esp_slot;                                                          \
		u##bits value = load##bits(SEG_UNITS(SEG_SS), esp);                                \
                                                                                                   \
		*esp_slot = (u##sbits)(esp + bits / 8);                                            \
		*slot##bits(ip->reg) = value;                                                      \
		NEXT;                                                                              \
	}                                                                                          \
	/* The decoder has added the operand size to an address that depends on ESP. */            \
	static void pop_m##bits##_##sbits(void)                                                    \
	{                                                                                          \
		u##sbits esp = *esp_slot;                                                          \
		u##bits value = load##bits(SEG_UNITS(SEG_SS), esp);                                \
                                                                                                   \
		store##bits(ip->seg, ea(), value);                                                 \
		*esp_slot = (u##sbits)(esp + bits / 8);                                            \
		NEXT;                                                                              \
	}                                                                                          \
	static void leave##bits##_##sbits(void)                                                    \
	{                                                                                          \
		u##sbits esp = (u##sbits)cpu->gpr[REG_EBP];                                        \
		u##bits value = load##bits(SEG_UNITS(SEG_SS), esp);                                \
                                                                                                   \
		*esp_slot = (u##sbits)(esp + bits / 8);                                            \
		*slot##bits(REG_EBP * 4) = value;                                                  \
		NEXT;                                                                              \
	}
STACK_FORMS(16, 16, slot16(REG_ESP * 4))
STACK_FORMS(16, 32, slot32(REG_ESP * 4))
STACK_FORMS(32, 16, slot16(REG_ESP * 4))
STACK_FORMS(32, 32, slot32(REG_ESP * 4))

#define BY_STACK(name)                                                                             \
	{                                                                                          \
		{NULL, name##16_16, name##32_16},                                                  \
		{                                                                                  \
			NULL, name##16_32, name##32_32                                             \
		}                                                                                  \
	}
const op_fn op_push_r[2][3] = BY_STACK(push_r);
const op_fn op_push_i[2][3] = BY_STACK(push_i);
const op_fn op_pop_r[2][3] = BY_STACK(pop_r);
const op_fn op_pop_m[2][3] = BY_STACK(pop_m);
const op_fn op_leave[2][3] = BY_STACK(leave);

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
static u32 operand_bytes(void)
{
	return ip->flags & INSN_O16 ? 2 : 4;
}

void op_pusha(void)
{
	u32 size = operand_bytes(), esp = cpu->gpr[REG_ESP];

	/* Both ends first: a fault on either page of the frame then leaves memory alone. */
	op_sync();
	slow_rmw_load(SEG_UNITS(SEG_SS), stack_off(esp - size), size);
	slow_rmw_load(SEG_UNITS(SEG_SS), stack_off(esp - 8 * size), size);
	for (unsigned reg = 0; reg < 8; reg++)
		stack_store(esp - (reg + 1) * size, cpu->gpr[reg]);
	set_esp(esp - 8 * size);
	NEXT;
}

void op_popa(void)
{
	u32 size = operand_bytes(), esp = cpu->gpr[REG_ESP], value[8];

	for (unsigned reg = 0; reg < 8; reg++)
		value[reg] = stack_load(esp + (7 - reg) * size);
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
	frame = esp;
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
	slow_rmw_load(SEG_UNITS(SEG_SS), stack_off(esp), size);
	if (ip->flags & INSN_O16)
		*slot16(REG_EBP * 4) = (u16)frame;
	else
		cpu->gpr[REG_EBP] = ip->flags & INSN_STACK16
					    ? (cpu->gpr[REG_ESP] & 0xffff0000) | (u16)frame
					    : frame;
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
