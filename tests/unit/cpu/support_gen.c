// SPDX-License-Identifier: BSD-2-Clause
/* Random cases: opcode, prefixes, segments and registers are random, what they touch is not. */
#include <string.h>
#include "tests/unit/cpu/support_gen.h"

#define SLOT	  128u
#define SLOT_CODE 40u	  /* four exits stand before it, one follows the code */
#define LOW_AREA  0xfe00u /* within 16 bits; HLTs where the low half of NOWHERE leads */

static void put_string(struct gen *g)
{
	u32 *esi = &g->t->in.gpr[REG_ESI], *edi = &g->t->in.gpr[REG_EDI],
	    *ecx = &g->t->in.gpr[REG_ECX];
	u32 source = operand_target(g), target = operand_target(g);

	/* Which of two faulting operands is reported differs between CPUs. */
	if (rng_one_in(g->r, 2))
		source = DATA_LIN + rng_below(g->r, 0x400) + 0x600;
	else
		target = DATA_LIN + rng_below(g->r, 0x400) + 0x600;
	source -= operand_base(g, SEG_DS);
	target -= segment_base(g->t->in.seg[SEG_ES]);
	if (g->addr16) {
		set_low16(esi, source);
		set_low16(edi, target);
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
		gen_bytes(g, rng_one_in(g->r, 2) ? rng_below(g->r, 64) : value & 0xfff, 2);
	if (attr & OP_IZ)
		gen_bytes(g, value, size);
	if (attr & OP_IB) {
		if (!g->two_byte && g->opcode == 0xcd && (value & 0xff) != 4 && (value & 0xff) != 3)
			value = 0x40 + rng_below(g->r, 0x40); /* not INT 80h, nor our exit */
		gen_byte(g, (u8)(rng_one_in(g->r, 4) ? value : rng_next(g->r)));
		if (!g->two_byte && g->opcode == 0xcd)
			g->t->code[g->t->len - 1] = (u8)value;
	}
	if (attr & OP_MOFFS)
		gen_bytes(g, (g->operand = operand_target(g)) - operand_base(g, SEG_DS),
			  g->addr16 ? 2 : 4);
}

/* Relative jumps and far pointers; what follows the opcode is all there is. */
static void put_target(struct gen *g)
{
	unsigned size = g->op16 ? 2 : 4;
	u32 next;

	if (g->attr & OP_FAR) {
		u16 sel = code_selector(g->r, g->op16);

		gen_bytes(g, jump_target(g) - segment_base(sel), size);
		gen_bytes(g, sel, 2);
	} else if (g->attr & OP_REL8) {
		next = g->t->lin + g->t->len + 1;
		gen_byte(g,
			 rng_one_in(g->r, 3) ? 0 : (u8)(g->t->exit_lin[rng_below(g->r, 4)] - next));
	} else if (g->attr & OP_RELZ) {
		next = g->t->lin + g->t->len + size;
		gen_bytes(g, rng_one_in(g->r, 3) ? 0 : jump_target(g) - next, size);
	}
}

/* What RET, IRET, POP Sreg and POPF find on the stack. */
static void fill_stack(struct gen *g)
{
	u32 esp = segment_base(g->t->in.seg[SEG_SS]) + g->t->in.gpr[REG_ESP], items[4];
	u16 sel = code_selector(g->r, g->op16);
	bool far = g->opcode >= 0xca && !g->two_byte;
	u32 image[4];
	u16 image16[4];

	if (g->t->in.seg[SEG_SS] == SEL_LDT(LDT_STACK_16))
		esp = DATA_LIN + (g->t->in.gpr[REG_ESP] & 0xffff);
	items[0] = rng_value(g->r);
	if ((g->attr & OP_JUMP) && g->opcode != 0xff)
		items[0] = jump_target(g) -
			   (far ? segment_base(sel) : segment_base(g->t->in.seg[SEG_CS]));
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
		gen_patch(g, esp, image16, sizeof(image16));
	else
		gen_patch(g, esp, image, sizeof(image));
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
			gen_byte(g, 0x3e);
	while (n > 0) {
		u8 i = (u8)rng_below(g->r, n);

		gen_byte(g, list[i]);
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
	if (!(g->attr & (OP_REL8 | OP_RELZ | OP_FAR)) && g->opcode != 0xb9 && rng_one_in(g->r, 400))
		t->lin = CODE_LIN + (g->code16 ? 0x10000 : CODE_SIZE) - 1 - rng_below(g->r, 7);
	for (unsigned i = 0; i < EXITS - 1; i++)
		t->exit_lin[i] = (t->lin & ~7u) - SLOT_CODE + i * 8;
	t->in.eip = t->lin - segment_base(g->t->in.seg[SEG_CS]);
}

static void finish_place(struct gen *g)
{
	struct test_case *t = g->t;
	u32 end = CODE_LIN + (g->code16 ? 0x10000 : CODE_SIZE);

	while (t->lin + t->len < end && t->lin + t->len + 8 > end)
		gen_byte(g, 0xf4);
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

		g->t->in.gpr[REG_EBX] = target - (g->t->in.gpr[REG_EAX] & 0xff);
	}
	if (g->attr & OP_STRING)
		put_string(g);
	put_prefixes(g);
	if (g->two_byte)
		gen_byte(g, 0x0f);
	gen_byte(g, g->opcode);
	if (g->attr & OP_MODRM)
		put_modrm(g);
	if (g->two_byte && g->opcode == 0xf7) /* MASKMOVQ */
		g->t->in.gpr[REG_EDI] = operand_target(g) - operand_base(g, SEG_DS);
	put_immediates(g);
	if (g->attr & (OP_FAR | OP_REL8 | OP_RELZ))
		put_target(g);
	if ((g->attr & OP_STACK) && !g->operand)
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
			gen_byte(g, 0x0f);
		gen_byte(g, g->opcode);
		if (g->attr & OP_MODRM)
			put_modrm(g);
		put_immediates(g);
		if (g->attr & OP_REL8)
			gen_byte(g, 0);
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
