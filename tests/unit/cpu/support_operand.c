// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory operands of random instructions. They are placed on purpose (inside the data pages, across
 * their borders, in the read-only page, where nothing is mapped), by choosing the displacement or
 * the base register after the fact, and jumps lead to the case's exits; the process that runs the
 * test is in the same address space.
 */
#include <string.h>
#include "tests/unit/cpu/support_gen.h"

#define NOWHERE (CODE_LIN - 0x100) /* reserved, not accessible */

/* What a CPL 3 program may want to put into a data segment register, good or bad. */
u16 data_selector(struct rng *r)
{
	if (rng_one_in(r, 12))
		return (u16)rng_below(r, 4);
	if (rng_one_in(r, 4))
		return SEL_DATA & ~rng_below(r, 4);
	if (rng_one_in(r, 12))
		return SEL_CODE;
	if (rng_one_in(r, 16))
		return (u16)(SEL_LDT(LDT_COUNT) + rng_below(r, 8) * 8);
	if (rng_one_in(r, 16))
		return (u16)(0x80 + rng_below(r, 0x20) * 8 + rng_below(r, 4));
	if (rng_one_in(r, 16))
		return (u16)(8 + rng_below(r, 3) * 8 + rng_below(r, 4));
	return (u16)(SEL_LDT(rng_below(r, LDT_COUNT)) & ~(rng_one_in(r, 4) ? rng_below(r, 4) : 0));
}

u16 code_selector(struct rng *r, bool op16)
{
	static const u16 low[] = {SEL_LDT(LDT_CODE_16), SEL_LDT(LDT_EXEC_16), SEL_LDT(LDT_CODE_32)};
	static const u16 any[] = {SEL_CODE,
				  SEL_CODE,
				  SEL_LDT(LDT_CODE_16),
				  SEL_LDT(LDT_EXEC_16),
				  SEL_LDT(LDT_CONFORMING),
				  SEL_LDT(LDT_CODE_32),
				  SEL_DATA,
				  0,
				  SEL_LDT(LDT_EMPTY),
				  SEL_LDT(LDT_ABSENT),
				  SEL_LDT(LDT_COUNT),
				  0x9b,
				  0x08,
				  SEL_LDT(LDT_CODE_16) & ~3,
				  SEL_CODE & ~3};

	if (op16 && !rng_one_in(r, 4))
		return low[rng_below(r, ARRAY_SIZE(low))];
	return any[rng_below(r, ARRAY_SIZE(any))];
}

void gen_byte(struct gen *g, u8 value)
{
	g->t->code[g->t->len++] = value;
}

void gen_bytes(struct gen *g, u32 value, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		gen_byte(g, (u8)(value >> (8 * i)));
}

void gen_patch(struct gen *g, u32 lin, const void *data, u32 len)
{
	struct test_case *t = g->t;
	struct patch *p = &t->patch[t->patches];

	if (lin < DATA_LIN || lin + len > DATA_LIN + DATA_RW || t->patches == PATCHES)
		return;
	t->patches++;
	p->lin = lin;
	p->len = len;
	memcpy(p->bytes, data, len);
}

/* Where a jump may lead, linear. */
u32 jump_target(struct gen *g)
{
	bool far_call = g->opcode == 0x9a || g->opcode == 0xff; /* may push before it faults */

	if (!far_call && rng_one_in(g->r, 16))
		return NOWHERE + rng_below(g->r, 0x80);
	return g->t->exit_lin[rng_below(g->r, EXITS - 1)];
}

/* Where a memory operand goes. */
u32 operand_target(struct gen *g)
{
	struct rng *r = g->r;
	u32 where = rng_below(r, 100), lin;
	bool far = g->attr & OP_JUMP, one_byte = !g->two_byte;

	/*
	 * What is read there decides where the case goes on, or sets TF, or would set a bit of
	 * MXCSR that a Pentium III has not: no accidents.
	 */
	if (far || (one_byte ? g->opcode == 0xff || g->opcode == 0x9d : g->opcode == 0xae))
		return rng_one_in(r, 16) ? DATA_LIN + DATA_SIZE + rng_below(r, 64)
					 : DATA_LIN + rng_below(r, DATA_RW - FX_BYTES);
	if (where < 72)
		lin = DATA_LIN + rng_below(r, DATA_RW - 512);
	else if (where < 78)
		lin = DATA_LIN + PAGE_SIZE - 16 + rng_below(r, 32);
	else if (where < 84)
		lin = DATA_LIN + DATA_RW - 16 + rng_below(r, 32);
	else if (where < 90)
		lin = DATA_LIN + DATA_RW + rng_below(r, PAGE_SIZE - 16);
	else if (where < 94)
		lin = DATA_LIN + DATA_SIZE - 16 + rng_below(r, 32);
	else if (where < 97)
		lin = DATA_LIN + 0x17ff - 8 + rng_below(r, 16); /* LDT_SMALL's limit */
	else
		lin = DATA_LIN - 32 + rng_below(r, 64);
	if (g->attr & OP_FPU)
		lin &= rng_one_in(r, 4) ? ~0u : ~15u;
	if (g->lock || g->opcode == 0x86 || g->opcode == 0x87) /* no split locks: the host minds */
		lin &= ~15u;
	return lin;
}

static unsigned default_segment(const struct gen *g, unsigned mod, unsigned rm, unsigned base)
{
	if (g->addr16)
		return rm == 2 || rm == 3 || (rm == 6 && mod) ? SEG_SS : SEG_DS;
	if (base == REG_ESP || (base == REG_EBP && mod))
		return SEG_SS;
	return SEG_DS;
}

u32 operand_base(const struct gen *g, unsigned seg)
{
	if (g->seg_override >= 0)
		seg = (unsigned)g->seg_override;
	return segment_base(g->t->in.seg[seg]);
}

void set_low16(u32 *reg, u32 value)
{
	*reg = (*reg & 0xffff0000) | (value & 0xffff);
}

static void modrm_16(struct gen *g, u8 reg)
{
	static const s8 base_of[8] = {REG_EBX, REG_EBX, REG_EBP, REG_EBP,
				      REG_ESI, REG_EDI, REG_EBP, REG_EBX};
	static const s8 index_of[8] = {REG_ESI, REG_EDI, REG_ESI, REG_EDI, -1, -1, -1, -1};
	unsigned mod = rng_below(g->r, 3), rm = rng_below(g->r, 8);
	u32 seg_base = operand_base(g, default_segment(g, mod, rm, 0));
	u32 target = operand_target(g), index = 0, disp = rng_next(g->r);

	g->operand = target;
	target -= seg_base;
	gen_byte(g, (u8)(mod << 6 | (reg & 7) << 3 | rm));
	if (mod == 0 && rm == 6) {
		gen_bytes(g, target, 2);
		return;
	}
	if (index_of[rm] >= 0)
		index = g->t->in.gpr[(unsigned)index_of[rm]];
	if (mod == 2) {
		gen_bytes(g, target - index - g->t->in.gpr[(unsigned)base_of[rm]], 2);
		return;
	}
	disp = mod == 1 ? (u32)(s8)disp : 0;
	set_low16(&g->t->in.gpr[(unsigned)base_of[rm]], target - index - disp);
	if (mod == 1)
		gen_byte(g, (u8)disp);
}

static void modrm_32(struct gen *g, u8 reg)
{
	unsigned mod = rng_below(g->r, 3), rm = rng_below(g->r, 8), base = rm, index = 4, scale = 0;
	u32 target = operand_target(g), rest = 0, disp = rng_next(g->r);
	u8 sib = (u8)rng_next(g->r);

	if (rm == 4) {
		base = sib & 7;
		index = (sib >> 3) & 7;
		scale = sib >> 6;
		if (index == base)
			mod = 2; /* two unknowns at once: leave it to the displacement */
	}
	if (base == REG_ESP && (g->attr & OP_STACK))
		mod = 2; /* ESP is the stack's */
	g->operand = target;
	target -= operand_base(g, default_segment(g, mod, rm, base));
	if (index != 4)
		rest = g->t->in.gpr[index] << scale;
	gen_byte(g, (u8)(mod << 6 | (reg & 7) << 3 | rm));
	if (rm == 4)
		gen_byte(g, sib);
	if (mod == 0 && base == 5) {
		gen_bytes(g, target - rest, 4);
		return;
	}
	if (mod == 2) {
		gen_bytes(g, target - rest - g->t->in.gpr[base], 4);
		return;
	}
	disp = mod == 1 ? (u32)(s8)disp : 0;
	g->t->in.gpr[base] = target - rest - disp;
	if (mod == 1)
		gen_byte(g, (u8)disp);
}

/* BT and its kin reach far from their operand: a bit offset that stays near. */
static bool is_bit_string(const struct gen *g)
{
	return g->two_byte &&
	       (g->opcode == 0xa3 || g->opcode == 0xab || g->opcode == 0xb3 || g->opcode == 0xbb);
}

/* Data for the operand: a jump's target, a selector, or anything. */
static void fill_operand(struct gen *g, u8 reg)
{
	u32 data[4];
	u16 sel;

	for (unsigned i = 0; i < 4; i++)
		data[i] = rng_value(g->r);
	if (g->opcode == 0xff && !g->two_byte && reg >= 2 && reg <= 5) {
		u16 cs = reg & 1 ? code_selector(g->r, g->op16) : g->t->in.seg[SEG_CS];

		data[0] = jump_target(g) - segment_base(cs);
		data[1] = cs;
		if (g->op16)
			data[0] = (data[0] & 0xffff) | (u32)cs << 16;
	} else if (g->attr & OP_SELECT) {
		sel = data_selector(g->r);
		data[0] = g->opcode == 0x8e || g->opcode == 0x63 || (g->two_byte && g->opcode <= 3)
				  ? sel
			  : g->op16 ? (data[0] & 0xffff) | (u32)sel << 16
				    : data[0];
		data[1] = sel;
	} else if (rng_one_in(g->r, 3)) {
		return;
	}
	gen_patch(g, g->operand, data, sizeof(data));
}

/* LDMXCSR, FXRSTOR, FRSTOR, FLDENV: state that is likely, where it is to be loaded from. */
static void fill_fpu_operand(struct gen *g, u8 reg)
{
	struct test_case *t = g->t;
	u32 mxcsr = gen_mxcsr(g->r) | (rng_one_in(g->r, 8) ? 1u << (18 + rng_below(g->r, 14)) : 0);

	if (g->two_byte && g->opcode == 0xae && reg == 0)
		t->fxsave_lin = g->operand;
	if (g->two_byte && g->opcode == 0xae && reg == 2) {
		gen_patch(g, g->operand, &mxcsr, 4);
	} else if (g->two_byte && g->opcode == 0xae && reg == 1) {
		gen_fpu_state(g->r, t->fx_mem);
		if (rng_one_in(g->r, 8))
			memcpy(t->fx_mem + 24, &mxcsr, 4);
		t->fx_lin = g->operand;
	}
}

static void modrm_register(struct gen *g, u8 reg)
{
	u8 rm = (u8)rng_below(g->r, 8);
	u32 target = jump_target(g) - segment_base(g->t->in.seg[SEG_CS]);

	if (g->opcode == 0xff && !g->two_byte && (reg == 2 || reg == 4)) {
		if (rm == REG_ESP) /* CALL ESP would push onto code */
			rm = REG_EDI;
		g->t->in.gpr[rm] = target;
	} else if (g->attr & OP_SELECT) {
		g->t->in.gpr[rm] = (g->t->in.gpr[rm] & 0xffff0000) | data_selector(g->r);
	}
	gen_byte(g, (u8)(0xc0 | reg << 3 | rm));
}

void put_modrm(struct gen *g)
{
	u8 reg = (u8)rng_below(g->r, 8);
	bool memory = !g->registers && ((g->attr & OP_MEM) || rng_below(g->r, 100) < 60);

	if (g->two_byte && g->opcode == 0 && reg < 2)
		reg += 4; /* SLDT and STR tell about the machine, or trap */
	if (g->two_byte && g->opcode == 0xc7)
		reg = 1;
	if (!g->two_byte && g->opcode == 0x8f)
		reg = 0; /* XOP, to a decoder that knows it */
	if (g->two_byte && g->opcode == 0xae && (reg > 3 || !memory)) {
		reg = (u8)rng_below(g->r, 4);
		memory = true;
	}
	if ((g->opcode & 0xf8) == 0xd8 && !g->two_byte && memory && (g->opcode & 1) && reg == 1 &&
	    g->opcode != 0xd9)
		reg = 0; /* FISTTP */
	if (!memory) {
		modrm_register(g, reg);
		if (g->opcode == 0xff && !g->two_byte)
			g->attr &= ~(u32)OP_LOCK;
	} else {
		if (is_bit_string(g))
			g->t->in.gpr[reg] = rng_below(g->r, 0x20000) - 0x10000;
		if (g->addr16)
			modrm_16(g, reg);
		else
			modrm_32(g, reg);
		fill_operand(g, reg);
		if (g->attr & OP_FPU)
			fill_fpu_operand(g, reg);
	}
	g->t->modrm = (u8)(reg << 3);
	if ((g->opcode & 0xfe) == 0xf6 && !g->two_byte && reg < 2)
		g->attr |= g->opcode & 1 ? OP_IZ : OP_IB;
}
