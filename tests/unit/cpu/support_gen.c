// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random cases. Instructions are random in all their bytes, but what they touch is not: a memory
 * operand is placed on purpose (inside the data pages, across their borders, in the read-only page,
 * where nothing is mapped), by choosing the displacement or the base register after the fact, and
 * jumps lead to the case's exits; the process that runs the test is in the same address space.
 */
#include <string.h>
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support.h"

#define SLOT	  128u
#define SLOT_CODE 40u		     /* four exits stand before it, one follows the code */
#define NOWHERE	  (CODE_LIN - 0x100) /* reserved, not accessible */
#define LOW_AREA  0xfe00u	     /* within 16 bits; HLTs where NOWHERE's low half leads */

struct gen {
	struct rng *r;
	struct test_case *t;
	u32 attr;
	bool code16, op16, addr16; /* the code segment's default, and what is in effect */
	bool two_byte, lock;
	bool registers; /* no memory operands: several instructions share one set of registers */
	u8 rep;		/* F2h, F3h or 0 */
	u8 opcode;
	int seg_override; /* SEG_*, or -1 */
	u32 operand;	  /* linear address of the memory operand, 0 without one */
};

/* What a CPL 3 program may want to put into a data segment register, good or bad. */
static u16 data_selector(struct rng *r)
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

static u16 code_selector(struct rng *r, bool op16)
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

static void byte(struct gen *g, u8 value)
{
	g->t->code[g->t->len++] = value;
}

static void bytes(struct gen *g, u32 value, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		byte(g, (u8)(value >> (8 * i)));
}

static void patch(struct gen *g, u32 lin, const void *data, u32 len)
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

static u32 cs_base(const struct gen *g)
{
	return segment_base(g->t->in.seg[SEG_CS]);
}

/* Where a jump may lead, linear. */
static u32 jump_target(struct gen *g)
{
	bool far_call = g->opcode == 0x9a || g->opcode == 0xff; /* may push before it faults */

	if (!far_call && rng_one_in(g->r, 16))
		return NOWHERE + rng_below(g->r, 0x80);
	return g->t->exit_lin[rng_below(g->r, EXITS - 1)];
}

/* Where a memory operand goes. */
static u32 operand_target(struct gen *g)
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

static u32 operand_base(const struct gen *g, unsigned seg)
{
	if (g->seg_override >= 0)
		seg = (unsigned)g->seg_override;
	return segment_base(g->t->in.seg[seg]);
}

/* The stack pointer as addresses see it; POP m has popped already, which only moves the target. */
static u32 *gpr(struct gen *g, unsigned reg)
{
	return &g->t->in.gpr[reg];
}

static void low16(u32 *reg, u32 value)
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
	byte(g, (u8)(mod << 6 | (reg & 7) << 3 | rm));
	if (mod == 0 && rm == 6) {
		bytes(g, target, 2);
		return;
	}
	if (index_of[rm] >= 0)
		index = *gpr(g, (unsigned)index_of[rm]);
	if (mod == 2) {
		bytes(g, target - index - *gpr(g, (unsigned)base_of[rm]), 2);
		return;
	}
	disp = mod == 1 ? (u32)(s8)disp : 0;
	low16(gpr(g, (unsigned)base_of[rm]), target - index - disp);
	if (mod == 1)
		byte(g, (u8)disp);
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
	g->operand = target;
	target -= operand_base(g, default_segment(g, mod, rm, base));
	if (index != 4)
		rest = *gpr(g, index) << scale;
	byte(g, (u8)(mod << 6 | (reg & 7) << 3 | rm));
	if (rm == 4)
		byte(g, sib);
	if (mod == 0 && base == 5) {
		bytes(g, target - rest, 4);
		return;
	}
	if (mod == 2) {
		bytes(g, target - rest - *gpr(g, base), 4);
		return;
	}
	disp = mod == 1 ? (u32)(s8)disp : 0;
	*gpr(g, base) = target - rest - disp;
	if (mod == 1)
		byte(g, (u8)disp);
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
	patch(g, g->operand, data, sizeof(data));
}

/* LDMXCSR, FXRSTOR, FRSTOR, FLDENV: state that is likely, where it is to be loaded from. */
static void fill_fpu_operand(struct gen *g, u8 reg)
{
	struct test_case *t = g->t;
	u32 mxcsr = gen_mxcsr(g->r) | (rng_one_in(g->r, 8) ? 1u << (18 + rng_below(g->r, 14)) : 0);

	if (g->two_byte && g->opcode == 0xae && reg == 0)
		t->fxsave_lin = g->operand;
	if (g->two_byte && g->opcode == 0xae && reg == 2) {
		patch(g, g->operand, &mxcsr, 4);
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
	u32 target = jump_target(g) - cs_base(g);

	if (g->opcode == 0xff && !g->two_byte && (reg == 2 || reg == 4)) {
		if (rm == REG_ESP) /* CALL ESP would push onto code */
			rm = REG_EDI;
		*gpr(g, rm) = target;
	} else if (g->attr & OP_SELECT) {
		*gpr(g, rm) = (*gpr(g, rm) & 0xffff0000) | data_selector(g->r);
	}
	byte(g, (u8)(0xc0 | reg << 3 | rm));
}

static void put_modrm(struct gen *g)
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
			*gpr(g, reg) = rng_below(g->r, 0x20000) - 0x10000;
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

static void put_string(struct gen *g)
{
	u32 *esi = gpr(g, REG_ESI), *edi = gpr(g, REG_EDI), *ecx = gpr(g, REG_ECX);
	u32 source = operand_target(g), target = operand_target(g);

	/* Which of two faulting operands is reported differs between CPUs. */
	if (rng_one_in(g->r, 2))
		source = DATA_LIN + rng_below(g->r, 0x400) + 0x600;
	else
		target = DATA_LIN + rng_below(g->r, 0x400) + 0x600;
	source -= operand_base(g, SEG_DS);
	target -= segment_base(g->t->in.seg[SEG_ES]);
	if (g->addr16) {
		low16(esi, source);
		low16(edi, target);
	} else {
		*esi = source;
		*edi = target;
	}
	if (g->rep)
		*ecx = (g->addr16 ? *ecx & 0xffff0000 : 0) | rng_below(g->r, 40);
}

static void put_immediates(struct gen *g)
{
	u32 attr = g->attr, value = rng_value(g->r);
	unsigned size = g->op16 ? 2 : 4;

	if (attr & OP_IW)
		bytes(g, rng_one_in(g->r, 2) ? rng_below(g->r, 64) : value & 0xfff, 2);
	if (attr & OP_IZ)
		bytes(g, value, size);
	if (attr & OP_IB) {
		if (!g->two_byte && g->opcode == 0xcd && (value & 0xff) != 4 && (value & 0xff) != 3)
			value = 0x40 + rng_below(g->r, 0x40); /* not INT 80h, nor our exit */
		byte(g, (u8)(rng_one_in(g->r, 4) ? value : rng_next(g->r)));
		if (!g->two_byte && g->opcode == 0xcd)
			g->t->code[g->t->len - 1] = (u8)value;
	}
	if (attr & OP_MOFFS)
		bytes(g, (g->operand = operand_target(g)) - operand_base(g, SEG_DS),
		      g->addr16 ? 2 : 4);
}

/* Relative jumps and far pointers; what follows the opcode is all there is. */
static void put_target(struct gen *g)
{
	unsigned size = g->op16 ? 2 : 4;
	u32 next;

	if (g->attr & OP_FAR) {
		u16 sel = code_selector(g->r, g->op16);

		bytes(g, jump_target(g) - segment_base(sel), size);
		bytes(g, sel, 2);
	} else if (g->attr & OP_REL8) {
		next = g->t->lin + g->t->len + 1;
		byte(g, rng_one_in(g->r, 3) ? 0 : (u8)(g->t->exit_lin[rng_below(g->r, 4)] - next));
	} else if (g->attr & OP_RELZ) {
		next = g->t->lin + g->t->len + size;
		bytes(g, rng_one_in(g->r, 3) ? 0 : jump_target(g) - next, size);
	}
}

/* What RET, IRET, POP Sreg and POPF find on the stack. */
static void fill_stack(struct gen *g)
{
	u32 esp = segment_base(g->t->in.seg[SEG_SS]) + *gpr(g, REG_ESP), items[4];
	u16 sel = code_selector(g->r, g->op16);
	bool far = g->opcode >= 0xca && !g->two_byte;
	u32 image[4];
	u16 image16[4];

	if (g->t->in.seg[SEG_SS] == SEL_LDT(LDT_STACK_16))
		esp = DATA_LIN + (*gpr(g, REG_ESP) & 0xffff);
	items[0] = rng_value(g->r);
	if ((g->attr & OP_JUMP) && g->opcode != 0xff)
		items[0] = jump_target(g) - (far ? segment_base(sel) : cs_base(g));
	else if (g->attr & OP_SEG)
		items[0] = data_selector(g->r);
	else if (g->opcode == 0x9d && !g->two_byte)
		items[0] &= ~(FLAG_TF | FLAG_VM);
	items[1] = sel;
	items[2] = rng_next(g->r) & ~(FLAG_TF | FLAG_NT | FLAG_VM | FLAG_AC);
	items[3] = rng_value(g->r);
	for (unsigned i = 0; i < 4; i++) {
		image[i] = items[i];
		image16[i] = (u16)items[i];
	}
	if (g->op16)
		patch(g, esp, image16, sizeof(image16));
	else
		patch(g, esp, image, sizeof(image));
}

static void put_prefixes(struct gen *g)
{
	static const u8 seg_prefix[6] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
	u8 list[6], n = 0;

	if (g->op16 != g->code16)
		list[n++] = 0x66;
	if (g->addr16 != g->code16)
		list[n++] = 0x67;
	if (g->seg_override >= 0)
		list[n++] = seg_prefix[g->seg_override];
	if (g->lock)
		list[n++] = 0xf0;
	if (g->rep)
		list[n++] = g->rep;
	if (g->opcode != 0xb9 && !g->registers && rng_one_in(g->r, 200)) /* too long: #GP */
		for (unsigned i = 0; i < 12; i++)
			byte(g, 0x3e);
	while (n > 0) {
		u8 i = (u8)rng_below(g->r, n);

		byte(g, list[i]);
		list[i] = list[--n];
	}
}

static void choose_prefixes(struct gen *g)
{
	struct rng *r = g->r;
	bool special = g->t->special;

	g->op16 = g->code16 != (!(g->attr & OP_NO_66) && rng_one_in(r, 3));
	g->addr16 = g->code16 != rng_one_in(r, g->code16 ? 3 : 8);
	g->seg_override = -1;
	if (rng_one_in(r, g->addr16 ? 2 : 6))
		g->seg_override = (int)rng_below(r, special ? 6 : 5);
	if (g->addr16 && !special && rng_one_in(r, 2))
		g->seg_override = SEG_FS; /* without it the operand is near 0, never mapped */
	if (g->addr16 && special && g->seg_override == SEG_CS)
		g->seg_override = SEG_DS; /* 64 KB from CODE_LIN on is code, not the same bytes */
	g->lock = rng_one_in(r, g->attr & OP_LOCK ? 4 : 40);
	if (g->two_byte && g->opcode == 0)
		g->lock = false; /* LOCK VERW runs on AMD */
	if (g->two_byte && g->opcode >= 0x20 && g->opcode <= 0x23)
		g->lock = false; /* AMD: another way to CR8 */
	g->rep = 0;
	if (!(g->attr & (OP_NO_REP | OP_NO_66)) && rng_one_in(r, g->attr & OP_STRING ? 2 : 20))
		g->rep = rng_one_in(r, 2) ? 0xf2 : 0xf3;
	if ((g->attr & OP_F3) && rng_one_in(r, 2))
		g->rep = 0xf3;
}

static u16 data_segment(struct rng *r, bool special)
{
	static const u16 list[] = {SEL_LDT(LDT_DATA),	   SEL_LDT(LDT_SMALL),	  SEL_LDT(LDT_FLAT),
				   SEL_LDT(LDT_READ_ONLY), SEL_LDT(LDT_DOWN),	  SEL_DATA,
				   SEL_LDT(LDT_DOWN_16),   SEL_LDT(LDT_STACK_16), 0};
	u16 sel = list[rng_below(r, ARRAY_SIZE(list))];

	return special && sel ? sel | 3 : sel; /* sigreturn sets the RPL */
}

static void choose_segments(struct gen *g)
{
	static const u16 codes[] = {SEL_CODE, SEL_LDT(LDT_CODE_16), SEL_LDT(LDT_CODE_16),
				    SEL_LDT(LDT_EXEC_16), SEL_LDT(LDT_CODE_32)};
	static const u16 stacks[] = {
		SEL_DATA,	    SEL_DATA,	       SEL_LDT(LDT_STACK_16), SEL_LDT(LDT_DATA),
		SEL_LDT(LDT_SMALL), SEL_LDT(LDT_DOWN), SEL_LDT(LDT_DOWN_16)};
	u16 *seg = g->t->in.seg;

	seg[SEG_ES] = seg[SEG_DS] = seg[SEG_SS] = SEL_DATA;
	seg[SEG_CS] = SEL_CODE;
	seg[SEG_GS] = SEL_TLS;
	seg[SEG_FS] = data_segment(g->r, g->t->special);
	if (!g->t->special)
		return;
	seg[SEG_CS] = codes[rng_below(g->r, ARRAY_SIZE(codes))];
	seg[SEG_SS] = stacks[rng_below(g->r, ARRAY_SIZE(stacks))];
	seg[SEG_GS] = data_segment(g->r, true);
	if (!rng_one_in(g->r, 3))
		seg[SEG_DS] = data_segment(g->r, true);
	if (!rng_one_in(g->r, 3))
		seg[SEG_ES] = data_segment(g->r, true);
	g->code16 = seg[SEG_CS] == SEL_LDT(LDT_CODE_16) || seg[SEG_CS] == SEL_LDT(LDT_EXEC_16);
}

/* CPUs differ in whether POP Sreg reads 2 or 4 bytes. */
static bool pops_segment(const struct gen *g)
{
	return (g->attr & (OP_STACK | OP_SEG | OP_JUMP)) == (OP_STACK | OP_SEG);
}

static void choose_registers(struct gen *g)
{
	struct test_case *t = g->t;
	u32 stack = DATA_LIN + 0x1000 + (rng_below(g->r, 0xc00) & ~3u);

	for (unsigned i = 0; i < 8; i++)
		t->in.gpr[i] = rng_value(g->r);
	if (g->attr & OP_STACK) {
		if (!pops_segment(g) && rng_one_in(g->r, 8))
			stack = operand_target(g);
		t->in.gpr[REG_ESP] = stack - segment_base(t->in.seg[SEG_SS]);
		t->in.gpr[REG_EBP] = DATA_LIN + 0x800 + rng_below(g->r, 0x1000) -
				     segment_base(t->in.seg[SEG_SS]);
	}
	t->in.eflags = (rng_next(g->r) & (FLAGS_ARITH | FLAG_DF)) | FLAGS_FIXED | FLAG_IF;
	if (!pops_segment(g) && rng_one_in(g->r, 8))
		t->in.eflags |= FLAG_AC;
	if (t->special) {
		if (rng_one_in(g->r, 8))
			t->in.eflags |= FLAG_TF;
		return;
	}
	t->in.eflags |= rng_next(g->r) & FLAG_ID;
	if (rng_one_in(g->r, 8))
		t->in.eflags |= FLAG_NT;
}

static void choose_place(struct gen *g, u32 index)
{
	struct test_case *t = g->t;
	/* A 16-bit offset reaches no further. */
	bool low = g->code16 || (g->attr & (OP_JUMP | OP_REL8 | OP_RELZ)) ||
		   (!g->two_byte && g->opcode == 0xff);
	u32 slot = index * SLOT % (low ? LOW_AREA : CODE_SIZE);

	if (slot >= LOW_AREA && slot < 0x10000)
		slot -= 0x400;
	t->lin = CODE_LIN + slot + SLOT_CODE + rng_below(g->r, 8);
	/* Across the end; UD1 has a modrm byte on some CPUs and none on others. */
	if (!(g->attr & (OP_REL8 | OP_RELZ)) && g->opcode != 0xb9 && rng_one_in(g->r, 400))
		t->lin = CODE_LIN + (g->code16 ? 0x10000 : CODE_SIZE) - 1 - rng_below(g->r, 7);
	for (unsigned i = 0; i < EXITS - 1; i++)
		t->exit_lin[i] = (t->lin & ~7u) - SLOT_CODE + i * 8;
	t->in.eip = t->lin - cs_base(g);
}

static void finish_place(struct gen *g)
{
	struct test_case *t = g->t;
	u32 end = CODE_LIN + (g->code16 ? 0x10000 : CODE_SIZE);

	while (t->lin + t->len < end && t->lin + t->len + 8 > end)
		byte(g, 0xf4);
	if (t->lin + t->len > CODE_LIN + CODE_SIZE)
		t->len = CODE_LIN + CODE_SIZE - t->lin;
	t->exit_lin[EXITS - 1] = t->lin + t->len + 8 > end ? 0 : t->lin + t->len;
}

static void choose_opcode(struct gen *g)
{
	do {
		g->two_byte = rng_below(g->r, 100) < 45;
		g->opcode = (u8)rng_next(g->r);
		g->attr = map_attributes(g->two_byte, g->opcode);
	} while (!g->attr);
}

static void put_instruction(struct gen *g)
{
	bool reg_only = !g->two_byte && g->opcode == 0xd7;

	choose_prefixes(g);
	if (reg_only) { /* XLAT: DS:EBX + AL */
		u32 target = operand_target(g) - operand_base(g, SEG_DS);

		*gpr(g, REG_EBX) = target - (*gpr(g, REG_EAX) & 0xff);
	}
	if (g->attr & OP_STRING)
		put_string(g);
	put_prefixes(g);
	if (g->two_byte)
		byte(g, 0x0f);
	byte(g, g->opcode);
	if (g->attr & OP_MODRM)
		put_modrm(g);
	if (g->two_byte && g->opcode == 0xf7) /* MASKMOVQ */
		*gpr(g, REG_EDI) = operand_target(g) - operand_base(g, SEG_DS);
	put_immediates(g);
	if (g->attr & (OP_FAR | OP_REL8 | OP_RELZ))
		put_target(g);
	if (g->attr & OP_STACK)
		fill_stack(g);
}

/* Straight-line code on registers and flags; a Jcc to what follows it counts as that. */
static bool is_straight(const struct gen *g)
{
	u32 allowed = OP_MODRM | OP_IB | OP_IZ | OP_LOCK | OP_PLAIN | OP_NO_REP | OP_REL8;
	bool jump = (g->attr & OP_REL8) && (g->two_byte || (g->opcode & 0xf0) != 0x70);

	if ((g->attr & ~allowed) || jump)
		return false;
	if (g->two_byte) /* without the privileged ones */
		return g->opcode >= 0x40 && g->opcode != 0xb9;
	return g->opcode < 0xcc || (g->opcode >= 0xd0 && g->opcode < 0xd7) || g->opcode >= 0xf5;
}

static void put_sequence(struct gen *g)
{
	g->registers = true;
	for (unsigned n = 2 + rng_below(g->r, 5); n > 0; n--) {
		do {
			choose_opcode(g);
		} while (!is_straight(g));
		choose_prefixes(g);
		put_prefixes(g);
		if (g->two_byte)
			byte(g, 0x0f);
		byte(g, g->opcode);
		if (g->attr & OP_MODRM)
			put_modrm(g);
		put_immediates(g);
		if (g->attr & OP_REL8)
			byte(g, 0);
	}
}

static void gen_sequence(struct gen *g, u32 index)
{
	struct test_case *t = g->t;

	g->attr = 0;
	t->two_byte = false;
	t->opcode = 0x90;
	t->special = t->uses_fpu = false;
	choose_segments(g);
	choose_registers(g);
	g->attr = OP_REL8; /* a place with all its exits */
	choose_place(g, index);
	put_sequence(g);
	finish_place(g);
}

void gen_case(struct rng *r, u32 index, struct test_case *t)
{
	struct gen g = {.r = r, .t = t};

	t->len = t->patches = t->fx_lin = t->fxsave_lin = 0;
	if (is_reference_cpu() && rng_one_in(r, 6)) {
		gen_sequence(&g, index);
		return;
	}
	choose_opcode(&g);
	t->two_byte = g.two_byte;
	t->opcode = g.opcode;
	t->special = (g.attr & OP_SEG) || (!g.two_byte && g.opcode == 0xff) || rng_one_in(r, 6);
	t->uses_fpu = g.attr & OP_FPU;
	choose_segments(&g);
	choose_registers(&g);
	choose_place(&g, index);
	if (t->uses_fpu)
		gen_fpu_state(r, t->fx);
	put_instruction(&g);
	if (!g.two_byte && g.opcode == 0xcf)
		t->in.eflags &= ~FLAG_NT; /* a 64-bit kernel has no task to return to */
	finish_place(&g);
}
