/* SPDX-License-Identifier: BSD-2-Clause */
/* The one-byte opcode map (SDM vol. 2, table A-2). */
#include "cpu/interp/decode_forms.h"

static void opcode_00_3f(struct decoder *d, u8 opcode)
{
	switch (opcode) {
	case 0x06:
	case 0x0e:
	case 0x16:
	case 0x1e:
		decode_push_seg(d, opcode >> 3);
		break;
	case 0x07:
	case 0x17:
	case 0x1f:
		decode_pop_seg(d, opcode >> 3);
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
		decode_arithmetic(d, opcode >> 3, opcode);
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
		decode_push_slot(d, slot);
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
		decode_bound_or_far(d, op_bound, 0);
		break;
	case 0x63:
		decode_arpl(d);
		break;
	case 0x68:
	case 0x6a:
		emit(d, BY_STACK(d, op_push_i)[stack32(d)][size])->imm =
			opcode == 0x6a ? fetch_imm8s(d) : fetch_imm(d, size);
		break;
	case 0x69:
	case 0x6b:
		decode_imul_imm(d, opcode);
		break;
	case 0x6c:
	case 0x6d:
		decode_io(d, op_ins, opcode);
		break;
	case 0x6e:
	case 0x6f:
		decode_io(d, op_outs, opcode);
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
		decode_group1(d, opcode);
		break;
	case 0x84:
	case 0x85:
		decode_arithmetic(d, ALU_TEST, opcode & 1);
		break;
	case 0x86:
	case 0x87:
		decode_exchange(d, size_of(d, opcode));
		break;
	case 0x88 ... 0x8b:
		decode_mov_rm(d, opcode);
		break;
	case 0x8c:
	case 0x8e:
		decode_mov_seg(d, opcode == 0x8e);
		break;
	case 0x8d:
		decode_lea(d);
		break;
	case 0x8f:
		decode_pop_rm(d);
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
		decode_far_direct(d, op_call_far);
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
		decode_mov_offset(d, opcode);
		break;
	case 0xa4:
	case 0xa5:
		decode_string(d, op_movs, opcode);
		break;
	case 0xa6:
	case 0xa7:
		decode_string(d, op_cmps, opcode);
		break;
	case 0xa8:
	case 0xa9:
		decode_arithmetic(d, ALU_TEST, 4 | (opcode & 1));
		break;
	case 0xaa:
	case 0xab:
		decode_string(d, op_stos, opcode);
		break;
	case 0xac:
	case 0xad:
		decode_string(d, op_lods, opcode);
		break;
	case 0xae:
	case 0xaf:
		decode_string(d, op_scas, opcode);
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
		decode_shift(d, opcode);
		break;
	case 0xc2:
		decode_near_ret(d, fetch16(d));
		break;
	case 0xc3:
		decode_near_ret(d, 0);
		break;
	case 0xc4:
	case 0xc5:
		decode_bound_or_far(d, op_load_far, opcode == 0xc4 ? SEG_ES : SEG_DS);
		break;
	case 0xc6:
	case 0xc7:
		fetch_modrm(d);
		imm = fetch_imm(d, size_of(d, opcode));
		if (d->reg == 0)
			decode_rm_imm(d, &BY_OPERAND(d, op_mov), size_of(d, opcode), imm);
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
		decode_last(d, op_ret_far, fetch16(d));
		break;
	case 0xcb:
		decode_last(d, op_ret_far, 0);
		break;
	case 0xcc:
		decode_last(d, op_int3, 0);
		break;
	case 0xcd:
		decode_last(d, op_int, fetch8(d));
		break;
	case 0xce:
		emit(d, op_into);
		break;
	case 0xcf:
		decode_last(d, op_iret, 0);
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
		decode_io(d, opcode & 2 ? op_out_imm : op_in_imm, opcode);
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
		decode_far_direct(d, op_jmp_far);
		break;
	case 0xec ... 0xef:
		decode_io(d, opcode & 2 ? op_out_dx : op_in_dx, opcode);
		break;
	case 0xf1:
		decode_last(d, op_icebp, 0);
		break;
	case 0xf4:
		decode_last(d, op_hlt, 0);
		break;
	case 0xf5:
		emit(d, op_cmc);
		break;
	case 0xf6:
	case 0xf7:
		decode_group3(d, opcode);
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
		decode_group5(d, opcode);
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
