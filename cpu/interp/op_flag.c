/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flags and what depends on them: SETcc, CMOVcc, CLC and its kind, LAHF, SAHF, decimal adjustment,
 * bit tests and scans; and the two conversions between v->cc and EFLAGS.
 */
#include "cpu/interp/ops.h"

u32 vcpu_eflags(struct vcpu *v)
{
	return (v->eflags & ~FLAGS_ARITH) | cc_to_eflags(v->cc) | FLAGS_FIXED;
}
void vcpu_set_eflags(struct vcpu *v, u32 value)
{
	v->eflags = (value & ~FLAGS_ARITH) | FLAGS_FIXED;
	v->cc = cc_from_eflags(value);
}

/* Conditions by the low four bits of the opcode (SDM vol. 1, appendix B). */
#define CONDITIONS(X)                                                                              \
	X(0, o)                                                                                    \
	X(1, no)                                                                                   \
	X(2, c)                                                                                    \
	X(3, nc)                                                                                   \
	X(4, z)                                                                                    \
	X(5, nz) X(6, be) X(7, a) X(8, s) X(9, ns) X(10, p) X(11, np) X(12, l) X(13, ge) X(14, le) \
		X(15, g)

#define SETCC(number, cond)                                                                        \
	static void set##cond(void)                                                                \
	{                                                                                          \
		asm("movl %1, %%eax\n\t" FLAGS_RESTORE "\n\tset" #cond " %0"                       \
		    : "=m"(*slot8(ip->reg))                                                        \
		    : "m"(cpu->cc)                                                                 \
		    : "cc", "eax");                                                                \
		NEXT;                                                                              \
	}
CONDITIONS(SETCC)
#define SETCC_ENTRY(number, cond) set##cond,
const op_fn op_setcc[16] = {CONDITIONS(SETCC_ENTRY)};

#define CMOVCC(number, cond)                                                                       \
	static void cmov##cond(void)                                                               \
	{                                                                                          \
		asm goto("movl %0, %%eax\n\t" FLAGS_RESTORE "\n\tj" #cond " %l[move]"              \
			 :                                                                         \
			 : "m"(cpu->cc)                                                            \
			 : "cc", "eax"                                                             \
			 : move);                                                                  \
		NEXT;                                                                              \
	move:                                                                                      \
		if (ip->flags & INSN_O16)                                                          \
			*slot16(ip->reg) = *slot16(ip->base);                                      \
		else                                                                               \
			*slot32(ip->reg) = *slot32(ip->base);                                      \
		NEXT;                                                                              \
	}
CONDITIONS(CMOVCC)
#define CMOVCC_ENTRY(number, cond) cmov##cond,
const op_fn op_cmovcc[16] = {CONDITIONS(CMOVCC_ENTRY)};

void op_clc(void)
{
	cpu->cc &= ~CC_CF;
	NEXT;
}
void op_stc(void)
{
	cpu->cc |= CC_CF;
	NEXT;
}
void op_cmc(void)
{
	cpu->cc ^= CC_CF;
	NEXT;
}
void op_cld(void)
{
	cpu->eflags &= ~FLAG_DF;
	NEXT;
}
void op_std(void)
{
	cpu->eflags |= FLAG_DF;
	NEXT;
}
void op_lahf(void)
{
	*slot8(REG_EAX * 4 + 1) = (u8)(cc_to_eflags(cpu->cc) | FLAGS_FIXED);
	NEXT;
}
void op_sahf(void)
{
	cpu->cc = (cpu->cc & CC_OF) | (u32)*slot8(REG_EAX * 4 + 1) << 8;
	NEXT;
}
void op_salc(void)
{
	*slot8(REG_EAX * 4) = cpu->cc & CC_CF ? 0xff : 0;
	NEXT;
}

/* Decimal adjustment is left to the host's own instructions: they work on AX and the flags. */
#define DECIMAL(name)                                                                              \
	void op_##name(void)                                                                       \
	{                                                                                          \
		u32 ax = cpu->gpr[REG_EAX], cc = cpu->cc;                                          \
		asm("xchgl %%eax, %1\n\t" FLAGS_RESTORE "\n\txchgl %%eax, %1\n\t" #name            \
		    "\n\tmovl %%eax, %1\n\t" FLAGS_SAVE                                            \
		    : "+a"(ax), "+r"(cc)                                                           \
		    :                                                                              \
		    : "cc");                                                                       \
		*slot16(REG_EAX * 4) = (u16)cc;                                                    \
		cpu->cc = ax;                                                                      \
		NEXT;                                                                              \
	}
DECIMAL(daa)
DECIMAL(das)
DECIMAL(aaa)
DECIMAL(aas)

static u32 flags_of_byte(u8 value)
{
	u32 f;

	asm("testb %1, %1\n\t" FLAGS_SAVE : "=a"(f) : "q"(value) : "cc");
	return f;
}
void op_aam(void)
{
	u8 al = *slot8(REG_EAX * 4), base = (u8)ip->imm;

	if (!base) {
		op_sync();
		cpu_raise(cpu, VEC_DE, 0);
	}
	*slot16(REG_EAX * 4) = (u16)((al / base) << 8 | al % base);
	cpu->cc = flags_of_byte(al % base);
	NEXT;
}
void op_aad(void)
{
	u16 ax = *slot16(REG_EAX * 4);
	u8 al = (u8)ax, more = (u8)((ax >> 8) * ip->imm);
	u32 f;

	/* Those of the addition: OF, AF and CF are undefined in the SDM, this is what CPUs do. */
	asm("addb %2, %0\n\t" FLAGS_SAVE : "+q"(al), "=&a"(f) : "q"(more) : "cc");
	*slot16(REG_EAX * 4) = al;
	cpu->cc = f;
	NEXT;
}

/* BT, BTS, BTR, BTC on a register or the pseudo register, bit number in base or imm. */
#define BIT_FORM(name, sfx, bits, form, number)                                                    \
	static void name##_##form##bits(void)                                                      \
	{                                                                                          \
		u##bits value = *slot##bits(ip->reg), n = (u##bits)(number) & (bits - 1);          \
		u32 f;                                                                             \
		asm("movl %2, %%eax\n\t" FLAGS_RESTORE "\n\t" #name sfx " %3, %0\n\t" FLAGS_SAVE   \
		    : "+r"(value), "=&a"(f)                                                        \
		    : "m"(cpu->cc), "r"(n)                                                         \
		    : "cc");                                                                       \
		*slot##bits(ip->reg) = value;                                                      \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
#define BIT_OP(name)                                                                               \
	BIT_FORM(name, "w", 16, r, *slot16(ip->base))                                              \
	BIT_FORM(name, "l", 32, r, *slot32(ip->base))                                              \
	BIT_FORM(name, "w", 16, i, ip->imm)                                                        \
	BIT_FORM(name, "l", 32, i, ip->imm)
BIT_OP(bt)
BIT_OP(bts)
BIT_OP(btr)
BIT_OP(btc)
#define BIT_FORMS(name)                                                                            \
	{                                                                                          \
		{NULL, name##_r16, name##_r32},                                                    \
		{                                                                                  \
			NULL, name##_i16, name##_i32                                               \
		}                                                                                  \
	}
const op_fn op_bit[4][2][3] = {BIT_FORMS(bt), BIT_FORMS(bts), BIT_FORMS(btr), BIT_FORMS(btc)};

/* A source of 0 leaves the destination as it was. */
#define SCAN(name, sfx, bits)                                                                      \
	static void name##bits(void)                                                               \
	{                                                                                          \
		u##bits value = *slot##bits(ip->reg);                                              \
		u32 f;                                                                             \
		asm("movl %2, %%eax\n\t" FLAGS_RESTORE "\n\t" #name sfx " %3, %0\n\t" FLAGS_SAVE   \
		    : "+r"(value), "=&a"(f)                                                        \
		    : "m"(cpu->cc), "m"(*slot##bits(ip->base))                                     \
		    : "cc");                                                                       \
		if (*slot##bits(ip->base))                                                         \
			*slot##bits(ip->reg) = value;                                              \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
SCAN(bsf, "w", 16)
SCAN(bsf, "l", 32)
SCAN(bsr, "w", 16)
SCAN(bsr, "l", 32)
const op_fn op_bsf[3] = {NULL, bsf16, bsf32};
const op_fn op_bsr[3] = {NULL, bsr16, bsr32};
