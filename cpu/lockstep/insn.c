/* SPDX-License-Identifier: BSD-2-Clause */
/* What lockstep knows of single instructions: what of them is not to be compared. */
#include "cpu/interp/decode.h"
#include "cpu/lockstep/private.h"
#include "lib/str.h"

#define OPCODE_0F    0x0f
#define OPCODE_ARPL  0x63 /* emulators ask for the right to write, CPUs only where it writes */
#define OPCODE_NOP   0x90 /* with REP: PAUSE, behind which QEMU's TCG forgets the trap */
#define OPCODE_PUSHF 0x9c
#define OPCODE_POPF  0x9d

#define OPCODE_0F_CMPXCHG8B 0xc7

#define PREFIX_REPE 0xf3

static void read_bytes(struct vcpu *v, struct lockstep_insn *insn, u32 *avail)
{
	u32 lin = v->seg[SEG_CS].base + v->eip, gpa, piece;

	for (*avail = 0; *avail < sizeof(insn->bytes); *avail += piece) {
		piece = PAGE_SIZE - ((lin + *avail) & ~PAGE_MASK);
		if (piece > sizeof(insn->bytes) - *avail)
			piece = sizeof(insn->bytes) - *avail;
		if (!mem_peek_translate(v, lin + *avail, &gpa))
			return;
		physmem_read(v->mem, gpa, insn->bytes + *avail, piece);
	}
}

/* SLDT, STR, VERR, VERW; SGDT, SIDT, SMSW; LAR, LSL; CPUID: docs/direct.md has their table. */
static bool shows_cpu(u8 opcode, u8 modrm)
{
	u8 reg = (modrm >> 3) & 7;

	switch (opcode) {
	case 0x00:
		return reg == 0 || reg == 1 || reg == 4 || reg == 5;
	case 0x01:
		return reg == 0 || reg == 1 || reg == 4;
	case 0x02:
	case 0x03:
	case 0xa2:
		return true;
	default:
		return false;
	}
}

/* PUSH Sreg of 32 bits: some CPUs write 16 of them, some all (SDM vol. 2, PUSH). */
static bool pushes_selector(bool two_byte, u8 opcode)
{
	return two_byte ? opcode == 0xa0 || opcode == 0xa8 : (opcode & 0xe7) == 0x06;
}

/* Far pointers are read in an order of the CPU's own, and most of what follows is no CPL 3 code's.
 */
static bool far(bool two_byte, u8 opcode, u8 modrm)
{
	u8 reg = (modrm >> 3) & 7;

	if (two_byte)
		return opcode == 0xb2 || opcode == 0xb4 || opcode == 0xb5;
	return opcode == 0xc4 || opcode == 0xc5 || opcode == 0xca || opcode == 0xcb ||
	       opcode == 0xcf || (opcode == 0xff && (reg == 3 || reg == 5));
}

/* ... or end it: single instructions are run with TF. */
static bool shows_trap_flag(u8 opcode)
{
	return opcode == OPCODE_PUSHF || opcode == OPCODE_POPF;
}

static void string(const struct decoder *d, u8 opcode, struct lockstep_insn *insn)
{
	bool movs = (opcode & 0xfe) == 0xa4, cmps = (opcode & 0xfe) == 0xa6;
	bool lods = (opcode & 0xfe) == 0xac;

	if (!d->rep || opcode < 0xa4 || opcode > 0xaf || (opcode & 0xfe) == 0xa8)
		return;
	insn->rep = true;
	insn->a16 = d->a16;
	insn->uses_si = movs || cmps || lods;
	insn->uses_di = !lods;
	insn->loads_eax = lods;
	insn->compares = cmps || (opcode & 0xfe) == 0xae;
	insn->while_zf = d->rep == PREFIX_REPE;
	insn->size = !(opcode & 1) ? 1 : d->o16 ? 2 : 4;
}

static u32 slot(const struct vcpu *v, u8 at)
{
	return *(const u32 *)(const void *)((const u8 *)v + at);
}

/* Of an operand with an index there is no more than the decoder's pseudo register. */
static void find_operand(const struct vcpu *v, const struct decoder *d, struct lockstep_insn *insn)
{
	insn->memory = d->memory;
	insn->has_lin = d->memory && !d->a16 && d->base != SLOT_EA;
	if (insn->has_lin)
		insn->lin = v->seg[d->seg].base + slot(v, d->base) + d->disp;
}

void lockstep_insn(struct vcpu *v, struct lockstep_insn *insn)
{
	static struct decoder d;
	static struct insn out[DECODE_SHAPE_INSNS];
	u32 mode = (v->seg[SEG_CS].attr & SEG_DB ? MODE_CODE32 : 0) |
		   (v->seg[SEG_SS].attr & SEG_DB ? MODE_STACK32 : 0);
	u32 avail;
	bool two_byte;
	u8 opcode;

	memset(insn, 0, sizeof(*insn));
	read_bytes(v, insn, &avail);
	if (!decode_shape(&d, insn->bytes, avail, mode, out))
		return;
	insn->len = (u8)d.pos;
	opcode = insn->bytes[d.opcode_at];
	two_byte = opcode == OPCODE_0F && d.opcode_at + 1u < d.pos;
	if (two_byte)
		opcode = insn->bytes[d.opcode_at + 1];
	insn->opcode = opcode;
	insn->two_byte = two_byte;
	insn->modrm = d.modrm;
	find_operand(v, &d, insn);
	insn->undefined = lockstep_undefined_flags(two_byte, opcode, d.modrm);
	if (!d.rep)
		insn->defined = lockstep_defined_flags(two_byte, opcode, d.modrm);
	insn->exempt =
		(!d.o16 && pushes_selector(two_byte, opcode)) || far(two_byte, opcode, d.modrm);
	if (two_byte) {
		insn->exempt |= shows_cpu(opcode, d.modrm);
		if (opcode == OPCODE_0F_CMPXCHG8B && lockstep_of(v)->host.cmpxchg8b_flags)
			insn->undefined = FLAGS_ARITH & ~FLAG_ZF;
		return;
	}
	insn->exempt |= shows_trap_flag(opcode) || (opcode == OPCODE_ARPL && d.memory) ||
			(opcode == OPCODE_NOP && d.rep);
	string(&d, opcode, insn);
}
