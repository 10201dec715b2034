/* SPDX-License-Identifier: BSD-2-Clause */
/* The one-byte opcodes' forms: operands, groups and what follows the opcode (SDM vol. 2, A.3, A.4).
 */
#include "cpu/interp/decode_forms.h"

/* Opcodes 00h-3Fh with the low three bits 0-5: the eight arithmetic operations. */
void decode_arithmetic(struct decoder *d, unsigned which, u8 opcode)
{
	unsigned size = size_of(d, opcode);
	const struct alu_forms *op = &op_alu[which];
	bool compare = which == ALU_CMP || which == ALU_TEST;

	if ((opcode & 7) >= 4) {
		emit_reg(d, op->ri[size], slot_of(REG_EAX, size), 0)->imm = fetch_imm(d, size);
		return;
	}
	fetch_modrm(d);
	if (d->memory) {
		bool to_memory = !(opcode & 2);

		op = &BY_OPERAND(d, op_alu)[which];
		d->lockable = to_memory && !compare;
		emit_mem(d, to_memory ? op->mr[size] : op->rm[size], slot_of(d->reg, size));
	} else if (opcode & 2) {
		emit_reg(d, op->rr[size], slot_of(d->reg, size), slot_of(d->rm, size));
	} else {
		emit_reg(d, op->rr[size], slot_of(d->rm, size), slot_of(d->reg, size));
	}
}

/* An operation between r/m and an immediate. */
void decode_rm_imm(struct decoder *d, const struct alu_forms *op, unsigned size, u32 imm)
{
	struct insn *i = d->memory ? emit_mem(d, op->mi[size], 0)
				   : emit_reg(d, op->ri[size], slot_of(d->rm, size), 0);

	i->imm = imm;
}

/* An operation on r/m alone that has handlers for both forms. */
static void rm_alone(struct decoder *d, const op_fn op[2][3], unsigned size)
{
	if (d->memory) {
		d->lockable = true;
		emit_mem(d, op[1][size], 0);
	} else {
		emit_reg(d, op[0][size], slot_of(d->rm, size), 0);
	}
}

void decode_group1(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);
	u32 imm;

	fetch_modrm(d);
	imm = opcode == 0x83 ? fetch_imm8s(d) : fetch_imm(d, size);
	d->lockable = d->memory && d->reg != ALU_CMP;
	decode_rm_imm(d, &BY_OPERAND(d, op_alu)[d->reg], size, imm);
}

void decode_shift(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);
	bool by_cl = opcode == 0xd2 || opcode == 0xd3;
	u32 imm;
	u8 slot;

	fetch_modrm(d);
	imm = opcode < 0xd0 ? fetch8(d) : 1;
	slot = modify_rm(d, size);
	d->lockable = false;
	emit_reg(d, op_shift[d->reg][by_cl][size], slot, 0)->imm = imm;
	finish_rm(d, size);
}

void decode_group3(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);

	fetch_modrm(d);
	switch (d->reg) {
	case 0:
	case 1:
		decode_rm_imm(d, &BY_OPERAND(d, op_alu)[ALU_TEST], size, fetch_imm(d, size));
		break;
	case 2:
		rm_alone(d, BY_OPERAND(d, op_not), size);
		break;
	case 3:
		rm_alone(d, BY_OPERAND(d, op_neg), size);
		break;
	case 4:
		emit_reg(d, op_mul[size], read_rm(d, size), 0);
		break;
	case 5:
		emit_reg(d, op_imul[size], read_rm(d, size), 0);
		break;
	case 6:
		emit_reg(d, op_div[size], read_rm(d, size), 0);
		break;
	default:
		emit_reg(d, op_idiv[size], read_rm(d, size), 0);
		break;
	}
}

void decode_push_slot(struct decoder *d, u8 slot)
{
	emit_reg(d, BY_STACK(d, op_push_r)[stack32(d)][operand_size(d)], slot, 0);
}

/* Groups 4 and 5. */
void decode_group5(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);

	fetch_modrm(d);
	if (d->reg > 1 && opcode == 0xfe) {
		emit_ud(d);
		return;
	}
	switch (d->reg) {
	case 0:
	case 1:
		rm_alone(d, d->reg ? BY_OPERAND(d, op_dec) : BY_OPERAND(d, op_inc), size);
		break;
	case 2:
		emit_reg(d, BY_STACK(d, op_call_reg)[stack32(d)][size], read_rm(d, size), 0);
		d->end = true;
		break;
	case 4:
		emit_reg(d, op_jmp_reg, read_rm(d, size), 0);
		d->end = true;
		break;
	case 3:
	case 5:
		if (!d->memory) {
			emit_ud(d);
			break;
		}
		emit_mem(d, d->reg == 3 ? op_call_far_m : op_jmp_far_m, 0);
		d->end = true;
		break;
	case 6:
		decode_push_slot(d, read_rm(d, size));
		break;
	default:
		emit_ud(d);
		break;
	}
}

void decode_exchange(struct decoder *d, unsigned size)
{
	u8 slot;

	fetch_modrm(d);
	if (d->memory)
		fix_address(d);
	slot = modify_rm(d, size);
	emit_reg(d, op_xchg[size], slot_of(d->reg, size), slot);
	finish_rm(d, size);
}

void decode_mov_rm(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);
	u8 reg;

	fetch_modrm(d);
	reg = slot_of(d->reg, size);
	if (d->memory)
		emit_mem(d,
			 opcode & 2 ? BY_OPERAND(d, op_mov).rm[size]
				    : BY_OPERAND(d, op_mov).mr[size],
			 reg);
	else if (opcode & 2)
		emit_reg(d, op_mov.rr[size], reg, slot_of(d->rm, size));
	else
		emit_reg(d, op_mov.rr[size], slot_of(d->rm, size), reg);
}

/* 8Ch and 8Eh. A segment register in memory is always 16 bits wide. */
void decode_mov_seg(struct decoder *d, bool to_seg)
{
	fetch_modrm(d);
	if (d->reg >= SEG_COUNT || (to_seg && d->reg == SEG_CS)) {
		emit_ud(d);
	} else if (to_seg) {
		u8 slot = read_rm(d, SZ16);

		emit_reg(d, op_mov_to_seg, 0, slot)->index = d->reg;
	} else {
		emit_reg(d, op_mov_from_seg, write_rm(d, operand_size(d)), 0)->index = d->reg;
		finish_rm(d, SZ16);
	}
}

void decode_push_seg(struct decoder *d, unsigned seg)
{
	emit_reg(d, op_mov_from_seg, SLOT_TMP, 0)->index = (u8)seg;
	decode_push_slot(d, SLOT_TMP);
}
void decode_pop_seg(struct decoder *d, unsigned seg)
{
	emit(d, op_pop_seg)->index = (u8)seg;
}

void decode_lea(struct decoder *d)
{
	unsigned size = operand_size(d);

	fetch_modrm(d);
	if (!d->memory) {
		emit_ud(d);
		return;
	}
	emit_mem(d, op_lea[size], slot_of(d->reg, size));
}

/* POP m: an address that depends on ESP is computed with its value after the pop. */
void decode_pop_rm(struct decoder *d)
{
	unsigned size = operand_size(d);

	fetch_modrm(d);
	if (d->reg != 0) {
		emit_ud(d);
		return;
	}
	if (!d->memory) {
		emit_reg(d, BY_STACK(d, op_pop_r)[stack32(d)][size], slot_of(d->rm, size), 0);
		return;
	}
	if (d->base == slot_of(REG_ESP, SZ32))
		d->disp += size == SZ16 ? 2 : 4;
	emit_mem(d, BY_OPERAND(d, op_pop_m)[stack32(d)][size], 0);
}

void decode_mov_offset(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);

	d->disp = d->a16 ? fetch16(d) : fetch32(d);
	emit_mem(d, opcode & 2 ? BY_OPERAND(d, op_mov).mr[size] : BY_OPERAND(d, op_mov).rm[size],
		 slot_of(REG_EAX, size));
}

void decode_string(struct decoder *d, const op_fn op[2][3], u8 opcode)
{
	emit(d, op[d->rep != 0][size_of(d, opcode)]);
}
void decode_io(struct decoder *d, op_fn fn, u8 opcode)
{
	static const u8 width[3] = {1, 2, 4};

	emit(d, fn)->index = width[size_of(d, opcode)];
}

void decode_imul_imm(struct decoder *d, u8 opcode)
{
	unsigned size = operand_size(d);
	u32 imm;

	fetch_modrm(d);
	imm = opcode == 0x6b ? fetch_imm8s(d) : fetch_imm(d, size);
	emit_reg(d, op_imul_ri[size], 0, read_rm(d, size));
	d->out[d->count - 1].reg = slot_of(d->reg, size);
	d->out[d->count - 1].imm = imm;
}

void decode_far_direct(struct decoder *d, op_fn fn)
{
	u32 off = fetch_imm(d, operand_size(d)), sel = fetch16(d);
	struct insn *i = emit(d, fn);

	i->imm = off;
	i->disp = sel;
	d->end = true;
}

void decode_near_ret(struct decoder *d, u32 bytes)
{
	emit(d, BY_STACK(d, op_ret)[stack32(d)][operand_size(d)])->imm = bytes + (d->o16 ? 2 : 4);
	d->end = true;
}

/* A handler without operands that ends the block. */
void decode_last(struct decoder *d, op_fn fn, u32 imm)
{
	emit(d, fn)->imm = imm;
	d->end = true;
}

/* BOUND, LES, LDS, ARPL: memory forms and mode checks of their own. */
void decode_bound_or_far(struct decoder *d, op_fn fn, unsigned seg)
{
	fetch_modrm(d);
	if (!d->memory) {
		emit_ud(d);
		return;
	}
	emit_mem(d, fn, slot_of(d->reg, operand_size(d)))->index = (u8)seg;
}

void decode_arpl(struct decoder *d)
{
	u8 slot;

	fetch_modrm(d);
	emit(d, op_check_protected);
	if (d->memory) {
		emit_mem(d, op_arpl_m, slot_of(d->reg, SZ16));
		return;
	}
	slot = modify_rm(d, SZ16);
	d->lockable = false;
	emit_reg(d, op_arpl, slot, slot_of(d->reg, SZ16));
	finish_rm(d, SZ16);
}
