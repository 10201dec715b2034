// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which x87, MMX and SSE instructions a Pentium III has (SDM vol. 2, appendix A, tables
 * for x87, A-3 for the rest), with their operands. What came later (SSE2 and its 66 and F2 forms,
 * FISTTP, 3DNow!) is #UD.
 */
#include "cpu/interp/fpu_host.h"

/* A memory form: the operand's size and direction, and how it is carried out. */
struct mem_form {
	u8 size;
	u8 kind;
	u16 flags; /* 0: no such instruction */
};

#define RD(n)                                                                                      \
	{                                                                                          \
		n, FPU_K_STUB, FPU_READS | FPU_WAITING                                             \
	}
#define WR(n)                                                                                      \
	{                                                                                          \
		n, FPU_K_STUB, FPU_WRITES | FPU_WAITING                                            \
	}
#define CTL(n, f)                                                                                  \
	{                                                                                          \
		n, FPU_K_STUB, (f) | FPU_CONTROL                                                   \
	}
#define RD8(n)                                                                                     \
	{                                                                                          \
		RD(n), RD(n), RD(n), RD(n), RD(n), RD(n), RD(n), RD(n)                             \
	}

/* Environment and state images have their size in bytes set by fpu_decode() (operand size). */
#define ENV(kind, f)                                                                               \
	{                                                                                          \
		28, kind, (f) | FPU_CONTROL                                                        \
	}
#define NONE                                                                                       \
	{                                                                                          \
		0, 0, 0                                                                            \
	}

static const struct mem_form x87_mem[8][8] = {
	RD8(4),
	{RD(4), NONE, WR(4), WR(4), ENV(FPU_K_FLDENV, FPU_READS | FPU_WAITING),
	 CTL(2, FPU_READS | FPU_WAITING), ENV(FPU_K_FNSTENV, FPU_WRITES), CTL(2, FPU_WRITES)},
	RD8(4),
	{RD(4), NONE, WR(4), WR(4), NONE, RD(10), NONE, WR(10)},
	RD8(8),
	{RD(8), NONE, WR(8), WR(8), ENV(FPU_K_FRSTOR, FPU_READS | FPU_WAITING), NONE,
	 ENV(FPU_K_FNSAVE, FPU_WRITES), CTL(2, FPU_WRITES)},
	RD8(2),
	{RD(2), NONE, WR(2), WR(2), RD(10), RD(8), WR(10), WR(8)},
};

/*
 * Register forms: one bit for each rm of (opcode, reg). Includes the aliases that no manual lists
 * but every processor since the 8087 carries out (FSTP at D9 /3 and DF /2-3, FXCH at DD /1 and
 * DF /1, FCOM(P) at DC /2-3 and DE /2, FFREEP), and FENI, FDISI, FSETPM, which do nothing.
 */
static const u8 x87_reg[8][8] = {
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	{0xff, 0xff, 0x01, 0xff, 0x33, 0x7f, 0xff, 0xff},
	{0xff, 0xff, 0xff, 0xff, 0x00, 0x02, 0x00, 0x00},
	{0xff, 0xff, 0xff, 0xff, 0x1f, 0xff, 0xff, 0x00},
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00},
	{0xff, 0xff, 0xff, 0x02, 0xff, 0xff, 0xff, 0xff},
	{0xff, 0xff, 0xff, 0xff, 0x01, 0xff, 0xff, 0x00},
};

static enum fpu_class x87_memory(unsigned prefixes, u8 opcode, u8 modrm, struct fpu_op *op)
{
	const struct mem_form *form = &x87_mem[opcode & 7][(modrm >> 3) & 7];
	bool is_16 = prefixes & FPU_OPSIZE16;

	if (!form->flags)
		return FPU_UD;
	op->kind = form->kind;
	op->flags = form->flags;
	op->size = form->size;
	op->modrm = (modrm & 0x38) | 1;
	if (form->kind == FPU_K_FLDENV || form->kind == FPU_K_FNSTENV)
		op->size = is_16 ? 14 : 28;
	if (form->kind == FPU_K_FRSTOR || form->kind == FPU_K_FNSAVE)
		op->size = is_16 ? 94 : 108;
	if (form->kind != FPU_K_STUB && is_16)
		op->flags |= FPU_IS_16;
	return FPU_X87;
}

static enum fpu_class x87_register(u8 opcode, u8 modrm, struct fpu_op *op)
{
	unsigned reg = (modrm >> 3) & 7;

	if (!(x87_reg[opcode & 7][reg] & BIT(modrm & 7)))
		return FPU_UD;
	op->flags = FPU_WAITING;
	if (opcode == 0xda && reg < 4)
		op->flags |= FPU_FLAGS; /* FCMOVcc */
	if (opcode == 0xdb && reg != 4)
		op->flags |= FPU_FLAGS; /* FCMOVNcc, FUCOMI, FCOMI */
	if (opcode == 0xdf && reg >= 5)
		op->flags |= FPU_FLAGS; /* FUCOMIP, FCOMIP */
	if (opcode == 0xdb && reg == 4) {
		op->flags = FPU_CONTROL;
		op->kind = modrm == 0xe3 ? FPU_K_FNINIT : modrm == 0xe2 ? FPU_K_STUB : FPU_K_NOP;
	}
	if (opcode == 0xdf && modrm == 0xe0) { /* FNSTSW AX, done as FNSTSW m16 */
		op->flags = FPU_CONTROL | FPU_GPR_MEM;
		op->opcode = 0xdd;
		op->modrm = 0x39;
		op->gpr = REG_EAX;
	}
	return FPU_X87;
}

/* The two-byte map: what a row without `forms` names does not exist. */
struct row {
	u8 class;
	u8 size; /* of the memory operand */
	u8 forms;
	u16 flags;
};
#define MEM 1
#define REG 2
#define RM  (MEM | REG)

#define MMX_RD(n)                                                                                  \
	{                                                                                          \
		FPU_MMX, n, RM, FPU_READS | FPU_WAITING                                            \
	}
#define MMX_WR(n, f)                                                                               \
	{                                                                                          \
		FPU_MMX, n, f, FPU_WRITES | FPU_WAITING                                            \
	}
#define XMX_RD                                                                                     \
	{                                                                                          \
		FPU_MMX, 8, RM, FPU_READS | FPU_WAITING | FPU_NEEDS_SSE                            \
	}
#define PS                                                                                         \
	{                                                                                          \
		FPU_SSE, 16, RM, FPU_READS | FPU_ALIGN16                                           \
	}
#define SS                                                                                         \
	{                                                                                          \
		FPU_SSE, 4, RM, FPU_READS                                                          \
	}

/* clang-format off */
static const struct row np_rows[256] = {
	[0x10] = {FPU_SSE, 16, RM, FPU_READS},
	[0x11] = {FPU_SSE, 16, RM, FPU_WRITES},
	[0x12] = {FPU_SSE, 8, RM, FPU_READS},
	[0x13] = {FPU_SSE, 8, MEM, FPU_WRITES},
	[0x14] = PS, PS,
	[0x16] = {FPU_SSE, 8, RM, FPU_READS},
	[0x17] = {FPU_SSE, 8, MEM, FPU_WRITES},
	[0x28] = PS,
	[0x29] = {FPU_SSE, 16, RM, FPU_WRITES | FPU_ALIGN16},
	[0x2a] = {FPU_SSE, 8, RM, FPU_READS | FPU_WAITING},
	[0x2b] = {FPU_SSE, 16, MEM, FPU_WRITES | FPU_ALIGN16},
	[0x2c] = {FPU_SSE, 8, RM, FPU_READS | FPU_WAITING},
	[0x2d] = {FPU_SSE, 8, RM, FPU_READS | FPU_WAITING},
	[0x2e] = {FPU_SSE, 4, RM, FPU_READS | FPU_FLAGS},
	[0x2f] = {FPU_SSE, 4, RM, FPU_READS | FPU_FLAGS},
	[0x50] = {FPU_SSE, 0, REG, FPU_GPR_OUT},
	[0x51] = PS, PS, PS, PS, PS, PS, PS, PS, PS,
	[0x5c] = PS, PS, PS, PS,
	[0x60] = MMX_RD(4), MMX_RD(4), MMX_RD(4), MMX_RD(8), MMX_RD(8), MMX_RD(8), MMX_RD(8),
		 MMX_RD(8), MMX_RD(8), MMX_RD(8), MMX_RD(8), MMX_RD(8),
	[0x6e] = {FPU_MMX, 4, RM, FPU_READS | FPU_WAITING | FPU_GPR_MEM},
	[0x6f] = MMX_RD(8),
	[0x70] = {FPU_MMX, 8, RM, FPU_READS | FPU_WAITING | FPU_NEEDS_SSE | FPU_IMM8},
	[0x71] = {FPU_MMX, 0, REG, FPU_WAITING | FPU_IMM8},
	[0x72] = {FPU_MMX, 0, REG, FPU_WAITING | FPU_IMM8},
	[0x73] = {FPU_MMX, 0, REG, FPU_WAITING | FPU_IMM8},
	[0x74] = MMX_RD(8), MMX_RD(8), MMX_RD(8),
	[0x7e] = {FPU_MMX, 4, RM, FPU_WRITES | FPU_WAITING | FPU_GPR_MEM},
	[0x7f] = MMX_WR(8, RM),
	[0xc2] = {FPU_SSE, 16, RM, FPU_READS | FPU_ALIGN16 | FPU_IMM8},
	[0xc4] = {FPU_MMX, 2, RM, FPU_READS | FPU_WAITING | FPU_NEEDS_SSE | FPU_IMM8 | FPU_GPR_MEM},
	[0xc5] = {FPU_MMX, 0, REG, FPU_WAITING | FPU_NEEDS_SSE | FPU_IMM8 | FPU_GPR_OUT},
	[0xc6] = {FPU_SSE, 16, RM, FPU_READS | FPU_ALIGN16 | FPU_IMM8},
	[0xd1] = MMX_RD(8), MMX_RD(8), MMX_RD(8),
	[0xd5] = MMX_RD(8),
	[0xd7] = {FPU_MMX, 0, REG, FPU_WAITING | FPU_NEEDS_SSE | FPU_GPR_OUT},
	[0xd8] = MMX_RD(8), MMX_RD(8), XMX_RD, MMX_RD(8), MMX_RD(8), MMX_RD(8), XMX_RD, MMX_RD(8),
	[0xe0] = XMX_RD, MMX_RD(8), MMX_RD(8), XMX_RD, XMX_RD, MMX_RD(8),
	[0xe7] = {FPU_MMX, 8, MEM, FPU_WRITES | FPU_WAITING | FPU_NEEDS_SSE},
	[0xe8] = MMX_RD(8), MMX_RD(8), XMX_RD, MMX_RD(8), MMX_RD(8), MMX_RD(8), XMX_RD, MMX_RD(8),
	[0xf1] = MMX_RD(8), MMX_RD(8), MMX_RD(8),
	[0xf5] = MMX_RD(8), XMX_RD,
	[0xf7] = {FPU_MMX, 8, REG, FPU_WRITES | FPU_WAITING | FPU_NEEDS_SSE | FPU_DI},
	[0xf8] = MMX_RD(8), MMX_RD(8), MMX_RD(8),
	[0xfc] = MMX_RD(8), MMX_RD(8), MMX_RD(8),
};
/* clang-format on */

static const struct row *f3_row(u8 opcode)
{
	static const struct row ss = SS;
	static const struct row store = {FPU_SSE, 4, RM, FPU_WRITES};
	static const struct row from_int = {FPU_SSE, 4, RM, FPU_READS | FPU_GPR_MEM};
	static const struct row to_int = {FPU_SSE, 4, RM, FPU_READS | FPU_GPR_OUT};
	static const struct row compare = {FPU_SSE, 4, RM, FPU_READS | FPU_IMM8};

	switch (opcode) {
	case 0x10:
	case 0x51 ... 0x53:
	case 0x58 ... 0x59:
	case 0x5c ... 0x5f:
		return &ss;
	case 0x11:
		return &store;
	case 0x2a:
		return &from_int;
	case 0x2c ... 0x2d:
		return &to_int;
	case 0xc2:
		return &compare;
	default:
		return NULL;
	}
}

bool fpu_owns(bool two_byte, u8 opcode)
{
	if (!two_byte)
		return (opcode & 0xf8) == 0xd8 || opcode == 0x9b;
	return (opcode >= 0x10 && opcode <= 0x17) || (opcode >= 0x28 && opcode <= 0x2f) ||
	       (opcode >= 0x50 && opcode <= 0x7f) || opcode == 0xae ||
	       (opcode >= 0xc2 && opcode <= 0xc6) || opcode >= 0xd0;
}

/* 0F AE: FXSAVE, FXRSTOR, LDMXCSR, STMXCSR, SFENCE. */
static enum fpu_class group_15(u8 modrm, struct fpu_op *op)
{
	static const struct {
		u8 kind;
		u16 flags, size;
	} form[4] = {
		{FPU_K_FXSAVE, FPU_WRITES | FPU_ALIGN16, FX_SIZE},
		{FPU_K_FXRSTOR, FPU_READS | FPU_ALIGN16, FX_SIZE},
		{FPU_K_LDMXCSR, FPU_READS, 4},
		{FPU_K_STMXCSR, FPU_WRITES, 4},
	};
	unsigned reg = (modrm >> 3) & 7;

	if (modrm >= 0xc0) {
		op->kind = FPU_K_NOP;
		return reg == 7 ? FPU_SSE : FPU_UD;
	}
	if (reg > 3)
		return FPU_UD;
	op->kind = form[reg].kind;
	op->flags = form[reg].flags;
	op->size = form[reg].size;
	op->modrm = reg << 3 | 1;
	return FPU_SSE;
}

/* The immediate shifts have the operation in the reg field: 71 and 72 /2 /4 /6, 73 /2 /6. */
static bool is_shift(u8 opcode, unsigned reg)
{
	return reg == 2 || reg == 6 || (reg == 4 && opcode != 0x73);
}

static enum fpu_class simd(unsigned prefixes, u8 opcode, u8 modrm, struct fpu_op *op)
{
	bool f3 = prefixes & FPU_PREFIX_F3;
	const struct row *row = f3 ? f3_row(opcode) : &np_rows[opcode];
	bool is_mem = modrm < 0xc0;
	unsigned reg = (modrm >> 3) & 7;

	if (!row || !(row->forms & (is_mem ? MEM : REG)))
		return FPU_UD;
	if (opcode >= 0x71 && opcode <= 0x73 && !is_shift(opcode, reg))
		return FPU_UD;
	op->flags = row->flags;
	op->prefix = f3 ? 0xf3 : 0x0f;
	if (is_mem) {
		op->size = row->size;
		op->flags &= ~FPU_GPR_MEM;
		op->modrm = reg << 3 | 1;
		if (opcode == 0x2a)
			op->flags &= ~FPU_WAITING; /* CVTPI2PS from memory leaves MMX alone */
	} else if (opcode == 0xf7) {
		op->kind = FPU_K_MASKMOVQ;
		op->size = row->size;
	} else {
		op->flags &= ~(FPU_HAS_MEM | FPU_ALIGN16);
		if (op->flags & FPU_GPR_MEM) {
			op->gpr = modrm & 7;
			op->modrm = reg << 3 | 1;
		}
	}
	if (op->flags & FPU_GPR_OUT) { /* the stub leaves it in EAX */
		op->gpr = reg;
		op->modrm &= ~0x38;
	}
	return row->class;
}

static enum fpu_class two_byte_op(unsigned prefixes, u8 opcode, u8 modrm, struct fpu_op *op)
{
	if (prefixes & (FPU_PREFIX_66 | FPU_PREFIX_F2))
		return FPU_UD;
	op->prefix = 0x0f;
	if (opcode == 0x77) {
		op->flags = FPU_WAITING;
		return prefixes & FPU_PREFIX_F3 ? FPU_UD : FPU_MMX;
	}
	if (opcode == 0xae)
		return prefixes & FPU_PREFIX_F3 ? FPU_UD : group_15(modrm, op);
	return simd(prefixes, opcode, modrm, op);
}

enum fpu_class fpu_decode(unsigned prefixes, bool two_byte, u8 opcode, u8 modrm, struct fpu_op *op)
{
	enum fpu_class class;

	*op = (struct fpu_op){
		.opcode = opcode, .modrm = modrm, .guest_modrm = modrm, .kind = FPU_K_STUB};
	if (!fpu_owns(two_byte, opcode)) {
		class = FPU_NONE;
	} else if (prefixes & FPU_PREFIX_LOCK) {
		class = FPU_UD;
	} else if (two_byte) {
		class = two_byte_op(prefixes, opcode, modrm, op);
	} else if (opcode == 0x9b) {
		op->kind = FPU_K_FWAIT;
		op->flags = FPU_WAITING | FPU_CONTROL;
		class = FPU_X87;
	} else {
		class = modrm < 0xc0 ? x87_memory(prefixes, opcode, modrm, op)
				     : x87_register(opcode, modrm, op);
	}
	if (class == FPU_UD)
		op->flags = two_byte ? np_rows[opcode].flags & FPU_IMM8 : 0;
	op->class = class;
	return class;
}
