/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two-byte opcode map (SDM vol. 2, table A-3) as far as the Pentium III has it. What MMX and
 * SSE use is decoded by fpu.h.
 */
#include "cpu/interp/decode.h"

/* SLDT, STR, LLDT, LTR, VERR, VERW: protected mode only. */
static void group6(struct decoder *d)
{
	fetch_modrm(d);
	emit(d, op_check_protected);
	switch (d->reg) {
	case 0:
	case 1:
		emit_reg(d, op_store_selector, write_rm(d, operand_size(d)), 0)->index = d->reg;
		finish_rm(d, SZ16);
		break;
	case 2:
	case 3:
		emit(d, op_check_cpl0);
		emit_reg(d, d->reg == 2 ? op_lldt : op_ltr, read_rm(d, SZ16), 0);
		break;
	case 4:
	case 5:
		emit_reg(d, op_verify, read_rm(d, SZ16), 0)->index = d->reg & 1;
		break;
	default:
		emit_ud(d);
		break;
	}
}

/* SGDT, SIDT, LGDT, LIDT, SMSW, LMSW, INVLPG. */
static void group7(struct decoder *d)
{
	fetch_modrm(d);
	if (d->reg == 4) {
		emit_reg(d, op_smsw, write_rm(d, operand_size(d)), 0);
		finish_rm(d, SZ16);
		return;
	}
	if (d->reg == 6) {
		emit(d, op_check_cpl0);
		emit_reg(d, op_lmsw, read_rm(d, SZ16), 0);
		d->end = true;
		return;
	}
	if (!d->memory || d->reg == 5) {
		emit_ud(d);
		return;
	}
	switch (d->reg) {
	case 0:
	case 1:
		emit_mem(d, op_store_table, 0)->index = d->reg;
		break;
	case 2:
	case 3:
		emit(d, op_check_cpl0);
		emit_mem(d, d->reg == 2 ? op_lgdt : op_lidt, 0);
		d->end = true;
		break;
	default:
		emit_mem(d, op_invlpg, 0);
		d->end = true;
		break;
	}
}

static void lar_lsl(struct decoder *d, bool lsl)
{
	struct insn *i;
	u8 slot;

	fetch_modrm(d);
	emit(d, op_check_protected);
	slot = read_rm(d, SZ16);
	i = emit_reg(d, op_lar_lsl, slot_of(d->reg, SZ32), slot);
	i->index = lsl;
}

/* MOV to and from CRx and DRx: the mod field is ignored (SDM vol. 2, MOV CRx). */
static void mov_special(struct decoder *d, u8 opcode)
{
	static const op_fn handler[4] = {op_mov_from_cr, op_mov_from_dr, op_mov_to_cr,
					 op_mov_to_dr};
	u8 modrm = fetch8(d), number = (modrm >> 3) & 7;
	struct insn *i;

	if (!(opcode & 1) && (number == 1 || number > 4)) {
		emit_ud(d);
		return;
	}
	i = emit_reg(d, handler[opcode & 3], slot_of(modrm & 7, SZ32), 0);
	i->index = number;
	d->end = opcode & 2;
}

static void extend(struct decoder *d, u8 opcode)
{
	unsigned from = opcode & 1 ? SZ16 : SZ8, to = operand_size(d);
	op_fn fn;

	fetch_modrm(d);
	fn = opcode < 0xb8 ? BY_OPERAND(d, op_movzx)[d->memory][from - SZ8][to - SZ16]
			   : BY_OPERAND(d, op_movsx)[d->memory][from - SZ8][to - SZ16];
	if (d->memory)
		emit_mem(d, fn, slot_of(d->reg, to));
	else
		emit_reg(d, fn, slot_of(d->reg, to), slot_of(d->rm, from));
}

/* reg = reg op r/m: IMUL, BSF, BSR, CMOVcc. */
static void reg_rm(struct decoder *d, op_fn fn)
{
	unsigned size = operand_size(d);
	u8 slot;

	fetch_modrm(d);
	slot = read_rm(d, size);
	emit_reg(d, fn, slot_of(d->reg, size), slot);
}

static void set_cc(struct decoder *d, u8 opcode)
{
	fetch_modrm(d);
	emit_reg(d, op_setcc[opcode & 15], write_rm(d, SZ8), 0);
	finish_rm(d, SZ8);
}

static void double_shift(struct decoder *d, const op_fn op[2][3], u8 opcode)
{
	unsigned size = operand_size(d);
	bool by_cl = opcode & 1;
	u32 imm;
	u8 slot;

	fetch_modrm(d);
	imm = by_cl ? 0 : fetch8(d);
	slot = modify_rm(d, size);
	d->lockable = false;
	emit_reg(d, op[by_cl][size], slot, slot_of(d->reg, size))->imm = imm;
	finish_rm(d, size);
}

/* BT only reads. */
static void bit_on_slot(struct decoder *d, unsigned which, bool by_imm, u8 number, u32 imm)
{
	unsigned size = operand_size(d);
	u8 slot = which == 0 ? read_rm(d, size) : modify_rm(d, size);

	emit_reg(d, op_bit[which][by_imm][size], slot, number)->imm = imm;
	if (which != 0)
		finish_rm(d, size);
}
static void bit_by_reg(struct decoder *d, unsigned which)
{
	u8 number;

	fetch_modrm(d);
	number = slot_of(d->reg, operand_size(d));
	if (d->memory) {
		emit_mem(d, d->o16 ? op_ea_bits16 : op_ea_bits32, number);
		d->base = SLOT_EA;
		d->disp = 0;
	}
	bit_on_slot(d, which, false, number, 0);
}
static void bit_by_imm(struct decoder *d)
{
	u32 imm;

	fetch_modrm(d);
	imm = fetch8(d);
	if (d->reg < 4)
		emit_ud(d);
	else
		bit_on_slot(d, d->reg & 3, true, 0, imm);
}

/* CMPXCHG and XADD change a register that the address may depend on. */
static void exchange_with(struct decoder *d, const op_fn op[3], u8 opcode)
{
	unsigned size = size_of(d, opcode);
	u8 slot;

	fetch_modrm(d);
	if (d->memory)
		fix_address(d);
	slot = modify_rm(d, size);
	emit_reg(d, op[size], slot, slot_of(d->reg, size));
	finish_rm(d, size);
}

static void load_far(struct decoder *d, unsigned seg)
{
	fetch_modrm(d);
	if (d->memory)
		emit_mem(d, op_load_far, slot_of(d->reg, operand_size(d)))->index = (u8)seg;
	else
		emit_ud(d);
}

static void group9(struct decoder *d)
{
	fetch_modrm(d);
	if (!d->memory || d->reg != 1) {
		emit_ud(d);
		return;
	}
	d->lockable = true;
	emit_mem(d, op_cmpxchg8b, 0);
}

static void last(struct decoder *d, op_fn fn)
{
	emit(d, fn);
	d->end = true;
}

static void opcode_00_3f(struct decoder *d, u8 opcode)
{
	switch (opcode) {
	case 0x00:
		group6(d);
		break;
	case 0x01:
		group7(d);
		break;
	case 0x02:
	case 0x03:
		lar_lsl(d, opcode & 1);
		break;
	case 0x06:
		emit(d, op_clts);
		break;
	case 0x08:
	case 0x09:
		emit(d, op_wbinvd);
		break;
	case 0x0d:
	case 0x18 ... 0x1f:
		fetch_modrm(d);
		emit(d, op_nop);
		break;
	case 0x20 ... 0x23:
		mov_special(d, opcode);
		break;
	case 0x30:
		last(d, op_wrmsr);
		break;
	case 0x31:
		emit(d, op_rdtsc);
		break;
	case 0x32:
		emit(d, op_rdmsr);
		break;
	case 0x33:
		emit(d, op_rdpmc);
		break;
	case 0x34:
		last(d, op_sysenter);
		break;
	case 0x35:
		last(d, op_sysexit);
		break;
	default:
		emit_ud(d);
		break;
	}
}

static void opcode_80_ff(struct decoder *d, u8 opcode)
{
	unsigned size = operand_size(d);
	u32 imm;

	switch (opcode) {
	case 0x80 ... 0x8f:
		imm = fetch_imm(d, size);
		emit_branch(d, op_jcc[opcode & 15], NULL, d->o16 ? (u32)(s16)imm : imm);
		break;
	case 0x90 ... 0x9f:
		set_cc(d, opcode);
		break;
	case 0xa0:
	case 0xa8:
		emit_reg(d, op_mov_from_seg, SLOT_TMP, 0)->index = opcode == 0xa0 ? SEG_FS : SEG_GS;
		emit_reg(d, BY_STACK(d, op_push_r)[stack32(d)][size], SLOT_TMP, 0);
		break;
	case 0xa1:
	case 0xa9:
		emit(d, op_pop_seg)->index = opcode == 0xa1 ? SEG_FS : SEG_GS;
		break;
	case 0xa2:
		emit(d, op_cpuid);
		break;
	case 0xa3:
	case 0xab:
	case 0xb3:
	case 0xbb:
		bit_by_reg(d, (opcode >> 3) & 3);
		break;
	case 0xa4:
	case 0xa5:
		double_shift(d, op_shld, opcode);
		break;
	case 0xac:
	case 0xad:
		double_shift(d, op_shrd, opcode);
		break;
	case 0xaf:
		reg_rm(d, op_imul_rr[size]);
		break;
	case 0xb0:
	case 0xb1:
		exchange_with(d, op_cmpxchg, opcode);
		break;
	case 0xb2:
		load_far(d, SEG_SS);
		break;
	case 0xb4:
	case 0xb5:
		load_far(d, opcode == 0xb4 ? SEG_FS : SEG_GS);
		break;
	case 0xb6:
	case 0xb7:
		extend(d, opcode);
		break;
	case 0xb9:
	case 0xff:
		fetch_modrm(d); /* UD1 and UD0 have a modrm byte, whose fetch may fault */
		emit_ud(d);
		break;
	case 0xba:
		bit_by_imm(d);
		break;
	case 0xbc:
		reg_rm(d, op_bsf[size]);
		break;
	case 0xbd:
		reg_rm(d, op_bsr[size]);
		break;
	case 0xbe:
	case 0xbf:
		extend(d, opcode);
		break;
	case 0xc0:
	case 0xc1:
		exchange_with(d, op_xadd, opcode);
		break;
	case 0xc7:
		group9(d);
		break;
	case 0xc8 ... 0xcf:
		emit_reg(d, op_bswap, slot_of(opcode & 7, SZ32), 0);
		break;
	default:
		emit_ud(d);
		break;
	}
}

void decode_two(struct decoder *d, u8 opcode)
{
	if (decode_fpu(d, true, opcode))
		return;
	if (opcode < 0x40)
		opcode_00_3f(d, opcode);
	else if (opcode >= 0x40 && opcode <= 0x4f)
		reg_rm(d, op_cmovcc[opcode & 15]);
	else if (opcode >= 0x80)
		opcode_80_ff(d, opcode);
	else
		emit_ud(d);
}
