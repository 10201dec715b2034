/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest instruction is to the translator. The interpreter's decoder says how long it is and
 * whether it exists; the opcode says the rest.
 */
#include "cpu/interp/decode.h"
#include "cpu/translate/quick.h"
#include "lib/str.h"

/* Opcodes that are not copied, one bit each; branches have their own classes before that. */
#define RANGE(first, last) ((~0u >> (31 - ((last)&31))) & (~0u << ((first)&31)))
#define ONE(n)		   RANGE(n, n)

static const u32 interpret_one[8] = {
	[0] = ONE(0x17),	     /* POP SS */
	[3] = RANGE(0x6c, 0x6f),     /* INS, OUTS */
	[4] = ONE(0x9a) | ONE(0x9b), /* far CALL, FWAIT */
	/* LES, LDS, far RET, INT3, INT, INTO, IRET, x87: its state has the address of its code */
	[6] = ONE(0xc4) | ONE(0xc5) | RANGE(0xca, 0xcf) | RANGE(0xd8, 0xdf),
	/* far JMP, INT1, HLT */
	[7] = ONE(0xea) | ONE(0xf1) | ONE(0xf4),
};

static const u32 interpret_two[8] = {
	/* groups 6 and 7, LAR, LSL, CLTS, INVD, WBINVD; hints that newer CPUs take for more */
	[0] = RANGE(0x00, 0x03) | ONE(0x06) | RANGE(0x08, 0x09) | ONE(0x0d) | RANGE(0x19, 0x1e),
	/* MOV with CRx and DRx, MSRs, counters, SYSENTER, SYSEXIT */
	[1] = RANGE(0x20, 0x23) | ONE(0x30) | RANGE(0x32, 0x35),
	/* CPUID, FXSAVE and its like, LSS, LFS, LGS */
	[5] = ONE(0xa2) | ONE(0xae) | ONE(0xb2) | RANGE(0xb4, 0xb5),
};

/* Those of them behind which nothing follows. */
static const u32 end_one[8] = {
	[4] = ONE(0x9a),
	[6] = RANGE(0xca, 0xcf),
	[7] = ONE(0xea) | ONE(0xf1) | ONE(0xf4),
};
static const u32 end_two[8] = {
	[1] = RANGE(0x34, 0x35),
};

/* Of 16-bit code, those to which 66h means the operand size, or nothing. */
static const u32 copy_two16[8] = {
	[1] = ONE(0x31),					  /* RDTSC */
	[2] = RANGE(0x40, 0x4f),				  /* CMOVcc */
	[4] = RANGE(0x90, 0x9f),				  /* SETcc */
	[5] = RANGE(0xa3, 0xa5) | RANGE(0xab, 0xad) | ONE(0xaf) | /* BT to IMUL */
	      RANGE(0xb0, 0xb1) | ONE(0xb3) | RANGE(0xb6, 0xb7) | RANGE(0xba, 0xbf),
	[6] = RANGE(0xc0, 0xc1), /* XADD */
};

/* Native code may need both prefixes where the guest's has none. */
#define LEN_MAX16 (INSN_BYTES_MAX - 2)

static u32 decoder_mode(u32 mode)
{
	return MODE_FLAT | (mode & TRANSLATE_CODE16 ? 0 : MODE_CODE32) |
	       (mode & TRANSLATE_STACK16 ? 0 : MODE_STACK32);
}

static bool code16(const struct decoder *d)
{
	return !(d->mode & MODE_CODE32);
}

static bool in_set(const u32 *set, u8 opcode)
{
	return set[opcode >> 5] >> (opcode & 31) & 1;
}

static void for_host(struct guest_insn *g)
{
	g->class = INSN_HOST;
	g->opcode = 0;
	g->operand = 0;
}

/* The distance of a near branch, of the operands' size. */
static u32 last_distance(const struct decoder *d)
{
	u32 value;
	s16 half;

	if (d->o16) {
		memcpy(&half, d->bytes + d->pos - 2, 2);
		return (u32)half;
	}
	memcpy(&value, d->bytes + d->pos - 4, 4);
	return value;
}

static u32 last8s(const struct decoder *d)
{
	return (u32)(s8)d->bytes[d->pos - 1];
}

static void set(struct guest_insn *g, enum insn_class class, u32 operand)
{
	g->class = class;
	g->operand = operand;
}

static void segment(struct guest_insn *g, enum insn_class class, unsigned seg)
{
	g->class = class;
	g->opcode = (u8)seg;
}

/* MOV with a segment register. The operand size means nothing to a load. */
static void mov_segment(const struct decoder *d, struct guest_insn *g, bool load)
{
	for_host(g);
	g->rm_at = (u8)(d->opcode_at + 1);
	if (load && d->reg != SEG_SS && d->reg != SEG_CS)
		g->class = INSN_LOAD_SEG;
	else if (!load && !d->memory)
		g->class = INSN_STORE_SEG;
	else
		return;
	g->opcode = d->reg;
}

/* What was a hint, or had a prefix without meaning, and is something else on newer CPUs. */
static bool newer(const struct decoder *d, u8 opcode)
{
	if (opcode == 0x18) /* PREFETCH */
		return !d->memory || d->reg > 3;
	return d->rep && (opcode == 0xbc || opcode == 0xbd); /* BSF, BSR */
}

/* INVLPG, CLTS, MOV with CRx and DRx: what kernels go on behind. False: it is none of them. */
static bool control(const struct decoder *d, u8 opcode, struct guest_insn *g)
{
	u8 modrm = opcode == 0x06 ? 0 : d->bytes[d->opcode_at + 2];
	bool plain = modrm < 0x40 && (modrm & 7) != 4 && (modrm & 7) != 5;

	/* The CPU takes memory operands of MOV for registers; nobody writes that. */
	if ((opcode & 0xfc) == 0x20 && modrm < 0xc0) {
		g->class = INSN_INTERPRET;
		return true;
	}
	if (opcode == 0x20 || opcode == 0x22)
		g->opcode = opcode == 0x20 ? TRANSLATE_CONTROL_FROM : TRANSLATE_CONTROL_TO;
	else if (opcode == 0x21 || opcode == 0x23)
		g->opcode = opcode == 0x21 ? TRANSLATE_DEBUG_FROM : TRANSLATE_DEBUG_TO;
	else if (opcode == 0x06)
		g->opcode = TRANSLATE_CONTROL_CLTS;
	else if (opcode == 0x01 && d->reg == 7)
		g->opcode = plain && !d->seg_override && !d->a16 ? TRANSLATE_CONTROL_INVLPG : 0;
	else
		return false;
	g->class = INSN_HOST;
	g->operand = modrm & 0x3f;
	return true;
}

u8 classify_port(u8 opcode, bool o16)
{
	u8 what = !(opcode & 1) ? 1 : o16 ? 2 : 4;

	return (u8)(what | (opcode & 2 ? TRANSLATE_PORT_OUT : 0) |
		    (opcode & 8 ? TRANSLATE_PORT_DX : 0));
}

static void port(const struct decoder *d, u8 opcode, struct guest_insn *g)
{
	g->class = INSN_HOST;
	g->opcode = classify_port(opcode, d->o16);
	if (!(opcode & 8))
		g->operand = d->bytes[d->pos - 1];
}

static void two_byte(const struct decoder *d, u8 opcode, struct guest_insn *g)
{
	if (opcode >= 0x80 && opcode <= 0x8f) {
		set(g, INSN_JCC, last_distance(d));
		g->opcode = opcode & 15;
		return;
	}
	if (opcode == 0xa0 || opcode == 0xa8)
		segment(g, INSN_PUSH_SEG, opcode == 0xa0 ? SEG_FS : SEG_GS);
	else if (opcode == 0xa1 || opcode == 0xa9)
		segment(g, INSN_POP_SEG, opcode == 0xa1 ? SEG_FS : SEG_GS);
	else if (control(d, opcode, g))
		return;
	else if (in_set(end_two, opcode))
		g->class = INSN_INTERPRET;
	else if (in_set(interpret_two, opcode) || newer(d, opcode) ||
		 (code16(d) && !in_set(copy_two16, opcode)))
		for_host(g);
}

/* Group 5: near CALL and JMP by an operand; the far ones are not translated. */
static void group5(const struct decoder *d, struct guest_insn *g)
{
	g->rm_at = (u8)(d->opcode_at + 1);
	if (d->reg == 2)
		g->class = INSN_CALL_RM;
	else if (d->reg == 4)
		g->class = INSN_JMP_RM;
	else if (d->reg == 3 || d->reg == 5)
		g->class = INSN_INTERPRET;
}

/* Those with classes of their own. */
static bool own_class(const struct decoder *d, u8 opcode, struct guest_insn *g)
{
	switch (opcode) {
	case 0x06:
	case 0x0e:
	case 0x16:
	case 0x1e:
		segment(g, INSN_PUSH_SEG, opcode >> 3);
		break;
	case 0x07:
	case 0x1f:
		segment(g, INSN_POP_SEG, opcode >> 3);
		break;
	case 0x8c:
	case 0x8e:
		mov_segment(d, g, opcode == 0x8e);
		break;
	case 0x70 ... 0x7f:
		set(g, INSN_JCC, last8s(d));
		g->opcode = opcode & 15;
		break;
	case 0x9c:
		g->class = INSN_PUSHF;
		break;
	case 0x9d:
		g->class = INSN_POPF;
		break;
	case 0xc2:
		set(g, INSN_RET, d->bytes[d->pos - 2] | (u32)d->bytes[d->pos - 1] << 8);
		break;
	case 0xc3:
		g->class = INSN_RET;
		break;
	case 0xe0 ... 0xe3:
		set(g, INSN_LOOP, last8s(d));
		g->opcode = opcode;
		break;
	case 0xe8:
	case 0xe9:
		set(g, opcode == 0xe8 ? INSN_CALL : INSN_JMP, last_distance(d));
		break;
	case 0xeb:
		set(g, INSN_JMP, last8s(d));
		break;
	default:
		return false;
	}
	return true;
}

static void one_byte(const struct decoder *d, u8 opcode, struct guest_insn *g)
{
	if (own_class(d, opcode, g))
		return;
	if ((opcode & 0xf4) == 0xe4)
		port(d, opcode, g);
	else if (opcode == 0xfa)
		g->class = INSN_CLI;
	else if (opcode == 0xfb)
		g->class = INSN_STI;
	else if (opcode == 0xff)
		group5(d, g);
	else if (in_set(end_one, opcode))
		g->class = INSN_INTERPRET;
	else if (in_set(interpret_one, opcode))
		for_host(g);
}

bool classify_cut(const u8 *bytes, u32 avail, u32 mode)
{
	struct insn out[DECODE_SHAPE_INSNS];
	struct decoder d;

	return avail < INSN_BYTES_MAX && !decode_shape(&d, bytes, avail, decoder_mode(mode), out);
}

struct guest_insn classify(const u8 *bytes, u32 avail, unsigned own_seg, u32 mode)
{
	struct insn out[DECODE_SHAPE_INSNS];
	struct guest_insn g = {.class = INSN_INTERPRET};
	struct decoder d;

	if (!(mode & TRANSLATE_CODE16) && classify_quick(bytes, avail, &g))
		return g;
	if (!decode_shape(&d, bytes, avail < INSN_BYTES_MAX ? avail : INSN_BYTES_MAX,
			  decoder_mode(mode), out))
		return g;
	g.len = (u8)d.pos;
	g.prefixes = d.opcode_at;
	g.o16 = d.o16;
	g.a16 = d.a16;
	/* CS leads to all linear addresses, as does the segment of the translator's own state. */
	if (out[d.count - 1].fn == op_ud ||
	    (d.seg_override && (d.seg == SEG_CS || d.seg == own_seg)))
		return g;
	g.class = INSN_COPY;
	if (bytes[d.opcode_at] == 0x0f)
		two_byte(&d, bytes[d.opcode_at + 1], &g);
	else
		one_byte(&d, bytes[d.opcode_at], &g);
	if (code16(&d) && g.len > LEN_MAX16)
		g.class = INSN_INTERPRET;
	return g;
}
