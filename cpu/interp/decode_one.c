/* SPDX-License-Identifier: BSD-2-Clause */
/* The one-byte opcode map (SDM vol. 2, table A-2). */
#include "cpu/interp/decode.h"

/* Opcodes 00h-3Fh with the low three bits 0-5: the eight arithmetic operations. */
static void arithmetic(struct decoder *d, unsigned which, u8 opcode)
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
static void rm_imm(struct decoder *d, const struct alu_forms *op, unsigned size, u32 imm)
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

static void group1(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);
	u32 imm;

	fetch_modrm(d);
	imm = opcode == 0x83 ? fetch_imm8s(d) : fetch_imm(d, size);
	d->lockable = d->memory && d->reg != ALU_CMP;
	rm_imm(d, &BY_OPERAND(d, op_alu)[d->reg], size, imm);
}

static void shift(struct decoder *d, u8 opcode)
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

static void group3(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);

	fetch_modrm(d);
	switch (d->reg) {
	case 0:
	case 1:
		rm_imm(d, &BY_OPERAND(d, op_alu)[ALU_TEST], size, fetch_imm(d, size));
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

static void push_slot(struct decoder *d, u8 slot)
{
	emit_reg(d, BY_STACK(d, op_push_r)[stack32(d)][operand_size(d)], slot, 0);
}

/* Groups 4 and 5. */
static void group5(struct decoder *d, u8 opcode)
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
		push_slot(d, read_rm(d, size));
		break;
	default:
		emit_ud(d);
		break;
	}
}

static void exchange(struct decoder *d, unsigned size)
{
	u8 slot;

	fetch_modrm(d);
	if (d->memory)
		fix_address(d);
	slot = modify_rm(d, size);
	emit_reg(d, op_xchg[size], slot_of(d->reg, size), slot);
	finish_rm(d, size);
}

static void mov_rm(struct decoder *d, u8 opcode)
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
static void mov_seg(struct decoder *d, bool to_seg)
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

static void push_seg(struct decoder *d, unsigned seg)
{
	emit_reg(d, op_mov_from_seg, SLOT_TMP, 0)->index = (u8)seg;
	push_slot(d, SLOT_TMP);
}
static void pop_seg(struct decoder *d, unsigned seg)
{
	emit(d, op_pop_seg)->index = (u8)seg;
}

static void lea(struct decoder *d)
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
static void pop_rm(struct decoder *d)
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

static void mov_offset(struct decoder *d, u8 opcode)
{
	unsigned size = size_of(d, opcode);

	d->disp = d->a16 ? fetch16(d) : fetch32(d);
	emit_mem(d, opcode & 2 ? BY_OPERAND(d, op_mov).mr[size] : BY_OPERAND(d, op_mov).rm[size],
		 slot_of(REG_EAX, size));
}

static void string(struct decoder *d, const op_fn op[2][3], u8 opcode)
{
	emit(d, op[d->rep != 0][size_of(d, opcode)]);
}
static void io(struct decoder *d, op_fn fn, u8 opcode)
{
	static const u8 width[3] = {1, 2, 4};

	emit(d, fn)->index = width[size_of(d, opcode)];
}

static void imul_imm(struct decoder *d, u8 opcode)
{
	unsigned size = operand_size(d);
	u32 imm;

	fetch_modrm(d);
	imm = opcode == 0x6b ? fetch_imm8s(d) : fetch_imm(d, size);
	emit_reg(d, op_imul_ri[size], 0, read_rm(d, size));
	d->out[d->count - 1].reg = slot_of(d->reg, size);
	d->out[d->count - 1].imm = imm;
}

static void far_direct(struct decoder *d, op_fn fn)
{
	u32 off = fetch_imm(d, operand_size(d)), sel = fetch16(d);
	struct insn *i = emit(d, fn);

	i->imm = off;
	i->disp = sel;
	d->end = true;
}

static void near_ret(struct decoder *d, u32 bytes)
{
	emit(d, BY_STACK(d, op_ret)[stack32(d)][operand_size(d)])->imm = bytes + (d->o16 ? 2 : 4);
	d->end = true;
}

/* A handler without operands that ends the block. */
static void last(struct decoder *d, op_fn fn, u32 imm)
{
	emit(d, fn)->imm = imm;
	d->end = true;
}

/* BOUND, LES, LDS, ARPL: memory forms and mode checks of their own. */
static void bound_or_far(struct decoder *d, op_fn fn, unsigned seg)
{
	fetch_modrm(d);
	if (!d->memory) {
		emit_ud(d);
		return;
	}
	emit_mem(d, fn, slot_of(d->reg, operand_size(d)))->index = (u8)seg;
}

static void arpl(struct decoder *d)
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

static void opcode_00_3f(struct decoder *d, u8 opcode)
{
	switch (opcode) {
	case 0x06:
	case 0x0e:
	case 0x16:
	case 0x1e:
		push_seg(d, opcode >> 3);
		break;
	case 0x07:
	case 0x17:
	case 0x1f:
		pop_seg(d, opcode >> 3);
		break;
	case 0x27:
		emit(d, op_daa);
		break;
	case 0x2f:
		emit(d, op_das);
		break;
	case 0x37:
		emit(d, op_aaa);
		break;
	case 0x3f:
		emit(d, op_aas);
		break;
	default:
		arithmetic(d, opcode >> 3, opcode);
		break;
	}
}

static void opcode_40_7f(struct decoder *d, u8 opcode)
{
	unsigned size = operand_size(d);
	u8 slot = slot_of(opcode & 7, size);

	switch (opcode) {
	case 0x40 ... 0x47:
		emit_reg(d, op_inc[0][size], slot, 0);
		break;
	case 0x48 ... 0x4f:
		emit_reg(d, op_dec[0][size], slot, 0);
		break;
	case 0x50 ... 0x57:
		push_slot(d, slot);
		break;
	case 0x58 ... 0x5f:
		emit_reg(d, BY_STACK(d, op_pop_r)[stack32(d)][size], slot, 0);
		break;
	case 0x60:
		emit(d, op_pusha);
		break;
	case 0x61:
		emit(d, op_popa);
		break;
	case 0x62:
		bound_or_far(d, op_bound, 0);
		break;
	case 0x63:
		arpl(d);
		break;
	case 0x68:
	case 0x6a:
		emit(d, BY_STACK(d, op_push_i)[stack32(d)][size])->imm =
			opcode == 0x6a ? fetch_imm8s(d) : fetch_imm(d, size);
		break;
	case 0x69:
	case 0x6b:
		imul_imm(d, opcode);
		break;
	case 0x6c:
	case 0x6d:
		io(d, op_ins, opcode);
		break;
	case 0x6e:
	case 0x6f:
		io(d, op_outs, opcode);
		break;
	case 0x70 ... 0x7f:
		emit_branch(d, op_jcc[opcode & 15], NULL, fetch_imm8s(d));
		break;
	default:
		emit_ud(d);
		break;
	}
}

static void opcode_80_bf(struct decoder *d, u8 opcode)
{
	unsigned size = operand_size(d);

	switch (opcode) {
	case 0x80 ... 0x83:
		group1(d, opcode);
		break;
	case 0x84:
	case 0x85:
		arithmetic(d, ALU_TEST, opcode & 1);
		break;
	case 0x86:
	case 0x87:
		exchange(d, size_of(d, opcode));
		break;
	case 0x88 ... 0x8b:
		mov_rm(d, opcode);
		break;
	case 0x8c:
	case 0x8e:
		mov_seg(d, opcode == 0x8e);
		break;
	case 0x8d:
		lea(d);
		break;
	case 0x8f:
		pop_rm(d);
		break;
	case 0x90:
		emit(d, op_nop);
		break;
	case 0x91 ... 0x97:
		emit_reg(d, op_xchg[size], slot_of(REG_EAX, size), slot_of(opcode & 7, size));
		break;
	case 0x98:
		emit(d, op_cbw);
		break;
	case 0x99:
		emit(d, op_cwd);
		break;
	case 0x9a:
		far_direct(d, op_call_far);
		break;
	case 0x9c:
		emit(d, op_pushf);
		break;
	case 0x9d:
		emit(d, op_popf);
		break;
	case 0x9e:
		emit(d, op_sahf);
		break;
	case 0x9f:
		emit(d, op_lahf);
		break;
	case 0xa0 ... 0xa3:
		mov_offset(d, opcode);
		break;
	case 0xa4:
	case 0xa5:
		string(d, op_movs, opcode);
		break;
	case 0xa6:
	case 0xa7:
		string(d, op_cmps, opcode);
		break;
	case 0xa8:
	case 0xa9:
		arithmetic(d, ALU_TEST, 4 | (opcode & 1));
		break;
	case 0xaa:
	case 0xab:
		string(d, op_stos, opcode);
		break;
	case 0xac:
	case 0xad:
		string(d, op_lods, opcode);
		break;
	case 0xae:
	case 0xaf:
		string(d, op_scas, opcode);
		break;
	case 0xb0 ... 0xb7:
		emit_reg(d, op_mov.ri[SZ8], slot_of(opcode & 7, SZ8), 0)->imm = fetch8(d);
		break;
	case 0xb8 ... 0xbf:
		emit_reg(d, op_mov.ri[size], slot_of(opcode & 7, size), 0)->imm =
			fetch_imm(d, size);
		break;
	default:
		emit_ud(d);
		break;
	}
}

static void opcode_c0_df(struct decoder *d, u8 opcode)
{
	u32 imm;

	switch (opcode) {
	case 0xc0:
	case 0xc1:
	case 0xd0 ... 0xd3:
		shift(d, opcode);
		break;
	case 0xc2:
		near_ret(d, fetch16(d));
		break;
	case 0xc3:
		near_ret(d, 0);
		break;
	case 0xc4:
	case 0xc5:
		bound_or_far(d, op_load_far, opcode == 0xc4 ? SEG_ES : SEG_DS);
		break;
	case 0xc6:
	case 0xc7:
		fetch_modrm(d);
		imm = fetch_imm(d, size_of(d, opcode));
		if (d->reg == 0)
			rm_imm(d, &BY_OPERAND(d, op_mov), size_of(d, opcode), imm);
		else
			emit_ud(d);
		break;
	case 0xc8:
		imm = fetch16(d);
		emit(d, op_enter)->imm = imm;
		d->out[d->count - 1].disp = fetch8(d) & 31;
		break;
	case 0xc9:
		emit(d, BY_STACK(d, op_leave)[stack32(d)][operand_size(d)]);
		break;
	case 0xca:
		last(d, op_ret_far, fetch16(d));
		break;
	case 0xcb:
		last(d, op_ret_far, 0);
		break;
	case 0xcc:
		last(d, op_int3, 0);
		break;
	case 0xcd:
		last(d, op_int, fetch8(d));
		break;
	case 0xce:
		emit(d, op_into);
		break;
	case 0xcf:
		last(d, op_iret, 0);
		break;
	case 0xd4:
		emit(d, op_aam)->imm = fetch8(d);
		break;
	case 0xd5:
		emit(d, op_aad)->imm = fetch8(d);
		break;
	case 0xd6:
		emit(d, op_salc);
		break;
	case 0xd7:
		emit(d, op_xlat);
		break;
	default:
		emit_ud(d);
		break;
	}
}

static void opcode_e0_ff(struct decoder *d, u8 opcode)
{
	unsigned size = operand_size(d);
	u32 imm;

	switch (opcode) {
	case 0xe0 ... 0xe3:
		emit_branch(d, op_loop[opcode & 3], NULL, fetch_imm8s(d));
		break;
	case 0xe4 ... 0xe7:
		imm = fetch8(d);
		io(d, opcode & 2 ? op_out_imm : op_in_imm, opcode);
		d->out[d->count - 1].imm = imm;
		break;
	case 0xe8:
		imm = fetch_imm(d, size);
		emit_branch(d, BY_STACK(d, op_call)[stack32(d)][size],
			    BY_STACK(d, op_call_goto)[stack32(d)][size],
			    d->o16 ? (u32)(s16)imm : imm);
		d->end = true;
		break;
	case 0xe9:
	case 0xeb:
		imm = opcode == 0xeb ? fetch_imm8s(d) : fetch_imm(d, size);
		emit_branch(d, op_jmp, NULL, d->o16 ? (u32)(s16)imm : imm);
		d->end = true;
		break;
	case 0xea:
		far_direct(d, op_jmp_far);
		break;
	case 0xec ... 0xef:
		io(d, opcode & 2 ? op_out_dx : op_in_dx, opcode);
		break;
	case 0xf1:
		last(d, op_icebp, 0);
		break;
	case 0xf4:
		last(d, op_hlt, 0);
		break;
	case 0xf5:
		emit(d, op_cmc);
		break;
	case 0xf6:
	case 0xf7:
		group3(d, opcode);
		break;
	case 0xf8:
		emit(d, op_clc);
		break;
	case 0xf9:
		emit(d, op_stc);
		break;
	case 0xfa:
		emit(d, op_cli);
		break;
	case 0xfb:
		emit(d, op_sti);
		break;
	case 0xfc:
		emit(d, op_cld);
		break;
	case 0xfd:
		emit(d, op_std);
		break;
	case 0xfe:
	case 0xff:
		group5(d, opcode);
		break;
	default:
		emit_ud(d);
		break;
	}
}

void decode_one(struct decoder *d, u8 opcode)
{
	if ((opcode >= 0xd8 && opcode <= 0xdf) || opcode == 0x9b) {
		if (!decode_fpu(d, false, opcode))
			emit_ud(d);
		return;
	}
	if (opcode < 0x40)
		opcode_00_3f(d, opcode);
	else if (opcode < 0x80)
		opcode_40_7f(d, opcode);
	else if (opcode < 0xc0)
		opcode_80_bf(d, opcode);
	else if (opcode < 0xe0)
		opcode_c0_df(d, opcode);
	else
		opcode_e0_ff(d, opcode);
}
