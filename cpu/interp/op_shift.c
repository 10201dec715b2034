/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shifts, rotates, double shifts, multiplication and division on a register or the pseudo register.
 * Each starts from the guest's flags: a count of 0 and the bits an instruction leaves alone then
 * come out right by themselves.
 */
#include "cpu/interp/ops.h"

#define SHIFT_FORM(name, text, bits, form, count)                                                  \
	static void name##_##form##bits(void)                                                      \
	{                                                                                          \
		u32 f;                                                                             \
		asm("movl %2, %%eax\n\t" FLAGS_RESTORE "\n\t" text " %%cl, %0\n\t" FLAGS_SAVE      \
		    : "+m"(*slot##bits(ip->reg)), "=&a"(f)                                         \
		    : "m"(cpu->cc), "c"(count)                                                     \
		    : "cc");                                                                       \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
#define SHIFT_SIZE(name, text, bits)                                                               \
	SHIFT_FORM(name, text, bits, i, ip->imm)                                                   \
	SHIFT_FORM(name, text, bits, c, cpu->gpr[REG_ECX])
#define SHIFT_OP(name)                                                                             \
	SHIFT_SIZE(name, #name "b", 8)                                                             \
	SHIFT_SIZE(name, #name "w", 16)                                                            \
	SHIFT_SIZE(name, #name "l", 32)

SHIFT_OP(rol)
SHIFT_OP(ror)
SHIFT_OP(rcl)
SHIFT_OP(rcr)
SHIFT_OP(shl)
SHIFT_OP(shr)
SHIFT_OP(sar)

#define SHIFT_FORMS(name)                                                                          \
	{                                                                                          \
		{name##_i8, name##_i16, name##_i32},                                               \
		{                                                                                  \
			name##_c8, name##_c16, name##_c32                                          \
		}                                                                                  \
	}
/* By the reg field of group 2 (6 is SHL again), then immediate or CL, then size. */
const op_fn op_shift[8][2][3] = {
	SHIFT_FORMS(rol), SHIFT_FORMS(ror), SHIFT_FORMS(rcl), SHIFT_FORMS(rcr),
	SHIFT_FORMS(shl), SHIFT_FORMS(shr), SHIFT_FORMS(shl), SHIFT_FORMS(sar),
};

#define DOUBLE_FORM(name, text, bits, form, count)                                                 \
	static void name##_##form##bits(void)                                                      \
	{                                                                                          \
		u32 f;                                                                             \
		asm("movl %2, %%eax\n\t" FLAGS_RESTORE "\n\t" text " %%cl, %4, %0\n\t" FLAGS_SAVE  \
		    : "+m"(*slot##bits(ip->reg)), "=&a"(f)                                         \
		    : "m"(cpu->cc), "c"(count), "r"(*slot##bits(ip->base))                         \
		    : "cc");                                                                       \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
#define DOUBLE_OP(name)                                                                            \
	DOUBLE_FORM(name, #name "w", 16, i, ip->imm)                                               \
	DOUBLE_FORM(name, #name "w", 16, c, cpu->gpr[REG_ECX])                                     \
	DOUBLE_FORM(name, #name "l", 32, i, ip->imm)                                               \
	DOUBLE_FORM(name, #name "l", 32, c, cpu->gpr[REG_ECX])

DOUBLE_OP(shld)
DOUBLE_OP(shrd)

const op_fn op_shld[2][3] = {{NULL, shld_i16, shld_i32}, {NULL, shld_c16, shld_c32}};
const op_fn op_shrd[2][3] = {{NULL, shrd_i16, shrd_i32}, {NULL, shrd_c16, shrd_c32}};

/* One-operand MUL and IMUL: accumulator times ip->reg. */
#define MUL8(name)                                                                                 \
	static void name##_8(void)                                                                 \
	{                                                                                          \
		u32 f, product = *slot8(REG_EAX * 4);                                              \
		u32 cc = cpu->cc;                                                                  \
		asm("xchgl %%eax, %1\n\t" FLAGS_RESTORE "\n\txchgl %%eax, %1\n\t" #name            \
		    "b %3\n\tmovl %%eax, %1\n\t" FLAGS_SAVE                                        \
		    : "=&a"(f), "+&d"(cc)                                                          \
		    : "0"(product), "m"(*slot8(ip->reg))                                           \
		    : "cc");                                                                       \
		*slot16(REG_EAX * 4) = (u16)cc;                                                    \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
#define MUL_WIDE(name, sfx, bits)                                                                  \
	static void name##_##bits(void)                                                            \
	{                                                                                          \
		u32 low = *slot##bits(REG_EAX * 4), high = cpu->cc, f;                             \
		asm("xchgl %%eax, %%edx\n\t" FLAGS_RESTORE "\n\tmovl %%edx, %%eax\n\t" #name sfx   \
		    " %3\n\tmovl %%eax, %%ecx\n\t" FLAGS_SAVE                                      \
		    : "=&a"(f), "=&c"(low), "+&d"(high)                                            \
		    : "m"(*slot##bits(ip->reg)), "0"(low)                                          \
		    : "cc");                                                                       \
		*slot##bits(REG_EAX * 4) = (u##bits)low;                                           \
		*slot##bits(REG_EDX * 4) = (u##bits)high;                                          \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
MUL8(mul)
MUL8(imul)
MUL_WIDE(mul, "w", 16)
MUL_WIDE(mul, "l", 32)
MUL_WIDE(imul, "w", 16)
MUL_WIDE(imul, "l", 32)

const op_fn op_mul[3] = {mul_8, mul_16, mul_32};
const op_fn op_imul[3] = {imul_8, imul_16, imul_32};

/* IMUL with two or three operands: reg = base * (imm or reg). */
#define IMUL_FORM(form, sfx, bits, src)                                                            \
	static void imul_##form##bits(void)                                                        \
	{                                                                                          \
		u##bits value = src;                                                               \
		u32 f;                                                                             \
		asm("movl %2, %%eax\n\t" FLAGS_RESTORE "\n\timul" sfx " %3, %0\n\t" FLAGS_SAVE     \
		    : "+r"(value), "=&a"(f)                                                        \
		    : "m"(cpu->cc), "m"(*slot##bits(ip->base))                                     \
		    : "cc");                                                                       \
		*slot##bits(ip->reg) = value;                                                      \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
IMUL_FORM(rr, "w", 16, *slot16(ip->reg))
IMUL_FORM(rr, "l", 32, *slot32(ip->reg))
IMUL_FORM(ri, "w", 16, (u16)ip->imm)
IMUL_FORM(ri, "l", 32, ip->imm)

const op_fn op_imul_rr[3] = {NULL, imul_rr16, imul_rr32};
const op_fn op_imul_ri[3] = {NULL, imul_ri16, imul_ri32};

/*
 * Division: the quotient is checked before the host's DIV can fault. DIV and IDIV leave the flags
 * undefined; this CPU's result for them is kept by running it on the guest's flags.
 */
static _Noreturn void divide_error(void)
{
	op_sync();
	cpu_raise(cpu, VEC_DE, 0);
}

#define DIVIDE(text, low, high, divisor)                                                           \
	do {                                                                                       \
		u32 cc_ = cpu->cc;                                                                 \
		asm("xchgl %%eax, %2\n\t" FLAGS_RESTORE "\n\txchgl %%eax, %2\n\t" text             \
		    " %3\n\tmovl %%eax, %2\n\t" FLAGS_SAVE "\n\txchgl %%eax, %2"                   \
		    : "+&a"(low), "+&d"(high), "+&c"(cc_)                                          \
		    : "b"(divisor)                                                                 \
		    : "cc");                                                                       \
		cpu->cc = cc_;                                                                     \
	} while (0)

static void div_8(void)
{
	u32 low = *slot16(REG_EAX * 4), high = 0;
	u8 divisor = *slot8(ip->reg);

	if (!divisor || (low >> 8) >= divisor)
		divide_error();
	DIVIDE("divb", low, high, divisor);
	*slot16(REG_EAX * 4) = (u16)low;
	NEXT;
}
static void div_16(void)
{
	u32 low = *slot16(REG_EAX * 4), high = *slot16(REG_EDX * 4);
	u16 divisor = *slot16(ip->reg);

	if (high >= divisor)
		divide_error();
	DIVIDE("divw", low, high, divisor);
	*slot16(REG_EAX * 4) = (u16)low;
	*slot16(REG_EDX * 4) = (u16)high;
	NEXT;
}
static void div_32(void)
{
	u32 low = cpu->gpr[REG_EAX], high = cpu->gpr[REG_EDX];
	u32 divisor = *slot32(ip->reg);

	if (high >= divisor)
		divide_error();
	DIVIDE("divl", low, high, divisor);
	cpu->gpr[REG_EAX] = low;
	cpu->gpr[REG_EDX] = high;
	NEXT;
}

/* Whether the quotient of a signed division fits into `bits` bits; divisor is not 0. */
static bool idiv_fits(s64 dividend, s32 divisor, unsigned bits)
{
	u64 top = (u64)1 << (bits - 1);
	u64 a = dividend < 0 ? 0 - (u64)dividend : (u64)dividend;
	u64 b = divisor < 0 ? 0 - (u64)(s64)divisor : (u64)divisor;

	/* |quotient| <= top when the signs differ, < top when they do not. */
	if ((dividend < 0) != (divisor < 0))
		return (a >> (bits - 1)) < b || a - b * top < b;
	return (a >> (bits - 1)) < b;
}

static void idiv_8(void)
{
	u32 low = *slot16(REG_EAX * 4), high = 0;
	s8 divisor = (s8)*slot8(ip->reg);

	if (!divisor || !idiv_fits((s16)low, divisor, 8))
		divide_error();
	DIVIDE("idivb", low, high, divisor);
	*slot16(REG_EAX * 4) = (u16)low;
	NEXT;
}
static void idiv_16(void)
{
	u32 low = *slot16(REG_EAX * 4), high = *slot16(REG_EDX * 4);
	s16 divisor = (s16)*slot16(ip->reg);

	if (!divisor || !idiv_fits((s32)(high << 16 | low), divisor, 16))
		divide_error();
	DIVIDE("idivw", low, high, divisor);
	*slot16(REG_EAX * 4) = (u16)low;
	*slot16(REG_EDX * 4) = (u16)high;
	NEXT;
}
static void idiv_32(void)
{
	u32 low = cpu->gpr[REG_EAX], high = cpu->gpr[REG_EDX];
	s32 divisor = (s32)*slot32(ip->reg);

	if (!divisor || !idiv_fits((s64)((u64)high << 32 | low), divisor, 32))
		divide_error();
	DIVIDE("idivl", low, high, divisor);
	cpu->gpr[REG_EAX] = low;
	cpu->gpr[REG_EDX] = high;
	NEXT;
}

const op_fn op_div[3] = {div_8, div_16, div_32};
const op_fn op_idiv[3] = {idiv_8, idiv_16, idiv_32};
