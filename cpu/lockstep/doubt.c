/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rests on flags that the SDM leaves undefined, on the interpreter's way one by one: the flags
 * until an instruction defines them, and where they are kept meanwhile. Flags get to memory by
 * PUSHF, by interrupts and faults; POP and MOV take them on, POPF and IRET take them back. That is
 * what kernels do to save them. What is computed from them is not in doubt.
 */
#include "cpu/lockstep/private.h"
#include "cpu/mem.h"
#include "lib/str.h"

#define NOWHERE 1u

#define OPCODE_XOR_RM	0x31
#define OPCODE_XOR_REG	0x33
#define OPCODE_PUSH_REG 0x50 /* and the seven behind it */
#define OPCODE_POP_REG	0x58
#define OPCODE_MOV_RM	0x89
#define OPCODE_MOV_REG	0x8b
#define OPCODE_LEA	0x8d
#define OPCODE_CALL_FAR 0x9a
#define OPCODE_PUSHF	0x9c
#define OPCODE_POPF	0x9d
#define OPCODE_MOV_IMM	0xb8
#define OPCODE_IRET	0xcf
#define OPCODE_CALL	0xe8
#define OPCODE_GROUP5	0xff /* CALL among others */

/* EIP, CS, EFLAGS: what interrupts and faults push, below what they push for another CPL. */
#define FRAME_WORDS 3u

void lockstep_doubt_clear(struct lockstep_doubt *doubt)
{
	doubt->flags = doubt->images = 0;
	memset(doubt->gpr, 0, sizeof(doubt->gpr));
	doubt->used = false;
}

static bool any(const struct lockstep_doubt *doubt)
{
	u32 bits = doubt->flags | doubt->images;

	for (unsigned i = 0; i < 8; i++)
		bits |= doubt->gpr[i];
	return bits;
}

static u32 images(const struct lockstep_doubt *doubt)
{
	return doubt->images < IMAGES_MAX ? doubt->images : IMAGES_MAX;
}

u32 lockstep_doubt_at(const struct lockstep_doubt *doubt, u32 gpa)
{
	for (u32 i = 0; i < images(doubt); i++)
		if (doubt->image[i].gpa == gpa)
			return doubt->image[i].bits;
	return 0;
}

/* The oldest image is given up where there is no more room. */
static void set_image(struct lockstep_doubt *doubt, u32 gpa, u32 bits)
{
	u32 i = 0;

	while (i < images(doubt) && doubt->image[i].gpa != gpa)
		i++;
	if (i == images(doubt)) {
		if (!bits || gpa == NOWHERE)
			return;
		i = doubt->images++ % IMAGES_MAX;
	}
	doubt->image[i].gpa = gpa;
	doubt->image[i].bits = bits;
}

static u32 gpa_of(struct vcpu *v, u32 lin)
{
	u32 gpa;

	return mem_peek_translate(v, lin, &gpa) ? gpa : NOWHERE;
}

static u32 stack_at(struct vcpu *v, u32 offset)
{
	return gpa_of(v, v->seg[SEG_SS].base + v->gpr[REG_ESP] + offset);
}

void lockstep_doubt_before(const struct lockstep *l, const struct lockstep_insn *insn,
			   struct lockstep_before *before)
{
	before->eip = l->v->eip;
	before->cs = l->v->seg[SEG_CS].sel;
	before->top = before->operand = NOWHERE;
	if (!any(&l->doubt))
		return;
	before->top = stack_at(l->v, !insn->two_byte && insn->opcode == OPCODE_IRET ? 8 : 0);
	if (insn->has_lin)
		before->operand = gpa_of(l->v, insn->lin);
}

static bool is_call(const struct lockstep_insn *insn)
{
	u8 reg = insn->modrm >> 3 & 7;

	return !insn->two_byte && (insn->opcode == OPCODE_CALL || insn->opcode == OPCODE_CALL_FAR ||
				   (insn->opcode == OPCODE_GROUP5 && (reg == 2 || reg == 3)));
}

/* Where an interrupt or a fault has just pushed the flags, at this or the next instruction. */
static u32 pushed_at(struct lockstep *l, const struct lockstep_insn *insn,
		     const struct lockstep_before *before)
{
	u32 words[FRAME_WORDS + 1] = {0};

	if (is_call(insn))
		return NOWHERE;
	for (u32 i = 0; i <= FRAME_WORDS; i++) {
		u32 gpa = stack_at(l->v, i * 4);

		if (gpa != NOWHERE)
			physmem_read(l->v->mem, gpa, &words[i], 4);
	}
	for (u32 i = 0; i < 2; i++) /* behind an error code */
		if ((words[i] == before->eip || words[i] == before->eip + insn->len) &&
		    (u16)words[i + 1] == before->cs)
			return stack_at(l->v, (i + 2) * 4);
	return NOWHERE;
}

/* What has become of registers. */
static void move_two_operands(struct lockstep_doubt *doubt, const struct lockstep_insn *insn,
			      u32 operand)
{
	u32 *reg = &doubt->gpr[insn->modrm >> 3 & 7], *rm = &doubt->gpr[insn->modrm & 7];

	switch (insn->opcode) {
	case OPCODE_MOV_RM:
		if (!insn->memory)
			*rm = *reg;
		else
			set_image(doubt, operand, *reg);
		break;
	case OPCODE_MOV_REG:
		*reg = insn->memory ? lockstep_doubt_at(doubt, operand) : *rm;
		break;
	case OPCODE_LEA:
		*reg = 0;
		break;
	case OPCODE_XOR_RM:
	case OPCODE_XOR_REG:
		if (!insn->memory && reg == rm)
			*reg = 0;
		break;
	default:
		break;
	}
}

static void move(struct lockstep *l, const struct lockstep_insn *insn,
		 const struct lockstep_before *before)
{
	struct lockstep_doubt *doubt = &l->doubt;
	u32 *reg = &doubt->gpr[insn->opcode & 7];

	if (insn->two_byte)
		return;
	switch (insn->opcode) {
	case OPCODE_PUSHF:
		set_image(doubt, stack_at(l->v, 0), doubt->flags);
		return;
	case OPCODE_POPF:
	case OPCODE_IRET:
		doubt->flags = lockstep_doubt_at(doubt, before->top);
		return;
	default:
		break;
	}
	switch (insn->opcode & ~7u) {
	case OPCODE_PUSH_REG:
		set_image(doubt, stack_at(l->v, 0), *reg);
		break;
	case OPCODE_POP_REG:
		*reg = lockstep_doubt_at(doubt, before->top);
		break;
	case OPCODE_MOV_IMM:
		*reg = 0;
		break;
	default:
		move_two_operands(doubt, insn, before->operand);
	}
}

void lockstep_doubt_after(struct lockstep *l, const struct lockstep_insn *insn,
			  const struct lockstep_before *before)
{
	struct lockstep_doubt *doubt = &l->doubt;
	u32 pushed;

	if (any(doubt)) {
		pushed = pushed_at(l, insn, before);
		if (pushed != NOWHERE) {
			set_image(doubt, pushed, doubt->flags);
			return;
		}
		move(l, insn, before);
	}
	doubt->flags = (doubt->flags & ~insn->defined) | insn->undefined;
}
