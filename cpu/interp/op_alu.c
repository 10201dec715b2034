/* SPDX-License-Identifier: BSD-2-Clause */
/* ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NOT NEG: one handler per size and operand form. */
#include "cpu/interp/ops.h"

/* How the register operand of an asm statement is allowed to be named, by size. */
#define Q8  "q"
#define Q16 "r"
#define Q32 "r"

#define CARRY_IN "btl $8, %3\n\t"

/* One binary operation on a destination lvalue and a source; leaves LAHF's and SETO's result in f.
 */
#define BINARY(pre, text, q, f, dst, dst_constraint, src)                                          \
	asm(pre text " %2, %0\n\t" FLAGS_SAVE                                                      \
	    : dst_constraint(dst), "=a"(f)                                                         \
	    : q(src), "m"(cpu->cc)                                                                 \
	    : "cc")

#define BINARY_REG_FORMS(name, pre, text, bits)                                                    \
	static void name##_rr##bits(void)                                                          \
	{                                                                                          \
		u32 f;                                                                             \
		BINARY(pre, text, Q##bits, f, *slot##bits(ip->reg), "+m", *slot##bits(ip->base));  \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}                                                                                          \
	static void name##_ri##bits(void)                                                          \
	{                                                                                          \
		u32 f;                                                                             \
		BINARY(pre, text, Q##bits, f, *slot##bits(ip->reg), "+m", (u##bits)ip->imm);       \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}                                                                                          \
	SLOW name##_rm##bits##_slow(void)                                                          \
	{                                                                                          \
		u##bits src = (u##bits)slow_load(ip->seg, ea(), bits / 8);                         \
		u32 f;                                                                             \
		BINARY(pre, text, Q##bits, f, *slot##bits(ip->reg), "+m", src);                    \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}                                                                                          \
	static void name##_rm##bits(void)                                                          \
	{                                                                                          \
		const u##bits *p = rd_ea##bits();                                                  \
		u32 f;                                                                             \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			name##_rm##bits##_slow();                                                  \
			return;                                                                    \
		}                                                                                  \
		u##bits src = *p;                                                                  \
		SEQUENCE;                                                                          \
		BINARY(pre, text, Q##bits, f, *slot##bits(ip->reg), "+m", src);                    \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}

/* Destination in memory: in place, or read, change and write the slow way. */
#define BINARY_MEM_FORM(name, form, pre, text, bits, src)                                          \
	static void name##_##form##bits(void)                                                      \
	{                                                                                          \
		u##bits *p = wr_ea##bits();                                                        \
		u32 f;                                                                             \
                                                                                                   \
		if (likely(p)) {                                                                   \
			BINARY(pre, text, Q##bits, f, *p, "+m", src);                              \
			cpu->cc = f;                                                               \
			NEXT;                                                                      \
		}                                                                                  \
		u##bits value = (u##bits)slow_rmw_load##bits(ip->seg, ea());                       \
		BINARY(pre, text, Q##bits, f, value, "+" Q##bits, src);                            \
		slow_store##bits(ip->seg, ea(), value);                                            \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}

/* The same for CMP and TEST, which only read. */
#define COMPARE_MEM_FORM(name, form, text, bits, src)                                              \
	SLOW name##_##form##bits##_slow(void)                                                      \
	{                                                                                          \
		u##bits value = (u##bits)slow_load(ip->seg, ea(), bits / 8);                       \
		u32 f;                                                                             \
		BINARY("", text, Q##bits, f, value, "+" Q##bits, src);                             \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}                                                                                          \
	static void name##_##form##bits(void)                                                      \
	{                                                                                          \
		u##bits *p = rd_ea##bits();                                                        \
		u32 f;                                                                             \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			name##_##form##bits##_slow();                                              \
			return;                                                                    \
		}                                                                                  \
		BINARY("", text, Q##bits, f, *p, "+m", src);                                       \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}

#define BINARY_SIZE(name, pre, text, bits)                                                         \
	BINARY_REG_FORMS(name, pre, text, bits)                                                    \
	BINARY_MEM_FORM(name, mr, pre, text, bits, *slot##bits(ip->reg))                           \
	BINARY_MEM_FORM(name, mi, pre, text, bits, (u##bits)ip->imm)
#define COMPARE_SIZE(name, text, bits)                                                             \
	BINARY_REG_FORMS(name, "", text, bits)                                                     \
	COMPARE_MEM_FORM(name, mr, text, bits, *slot##bits(ip->reg))                               \
	COMPARE_MEM_FORM(name, mi, text, bits, (u##bits)ip->imm)

#define BINARY_OP(name, pre)                                                                       \
	BINARY_SIZE(name, pre, #name "b", 8)                                                       \
	BINARY_SIZE(name, pre, #name "w", 16)                                                      \
	BINARY_SIZE(name, pre, #name "l", 32)
#define COMPARE_OP(name)                                                                           \
	COMPARE_SIZE(name, #name "b", 8)                                                           \
	COMPARE_SIZE(name, #name "w", 16)                                                          \
	COMPARE_SIZE(name, #name "l", 32)

BINARY_OP(add, "")
BINARY_OP(or, "")
BINARY_OP(adc, CARRY_IN)
BINARY_OP(sbb, CARRY_IN)
BINARY_OP(and, "")
BINARY_OP(sub, "")
BINARY_OP(xor, "")
COMPARE_OP(cmp)
COMPARE_OP(test)

#define FORMS(name)                                                                                \
	{                                                                                          \
		.rr = {name##_rr8, name##_rr16, name##_rr32},                                      \
		.ri = {name##_ri8, name##_ri16, name##_ri32},                                      \
		.rm = {name##_rm8, name##_rm16, name##_rm32},                                      \
		.mr = {name##_mr8, name##_mr16, name##_mr32},                                      \
		.mi = {name##_mi8, name##_mi16, name##_mi32},                                      \
	}

/* In the order of the opcode's bits 3-5 (SDM vol. 2, A.3); TEST behind them. */
const struct alu_forms TABLE(op_alu)[9] = {
	FORMS(add), FORMS(or),	FORMS(adc), FORMS(sbb),	 FORMS(and),
	FORMS(sub), FORMS(xor), FORMS(cmp), FORMS(test),
};

/* INC and DEC leave CF alone, NOT all flags: they start from the old ones. */
#define UNARY(text, f, dst, dst_constraint)                                                        \
	asm("movl %2, %%eax\n\t" FLAGS_RESTORE "\n\t" text " %0\n\t" FLAGS_SAVE                    \
	    : dst_constraint(dst), "=&a"(f)                                                        \
	    : "m"(cpu->cc)                                                                         \
	    : "cc")

#define UNARY_SIZE(name, text, bits)                                                               \
	static void name##_r##bits(void)                                                           \
	{                                                                                          \
		u32 f;                                                                             \
		UNARY(text, f, *slot##bits(ip->reg), "+m");                                        \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}                                                                                          \
	static void name##_m##bits(void)                                                           \
	{                                                                                          \
		u##bits *p = wr_ea##bits();                                                        \
		u32 f;                                                                             \
                                                                                                   \
		if (likely(p)) {                                                                   \
			UNARY(text, f, *p, "+m");                                                  \
			cpu->cc = f;                                                               \
			NEXT;                                                                      \
		}                                                                                  \
		u##bits value = (u##bits)slow_rmw_load##bits(ip->seg, ea());                       \
		UNARY(text, f, value, "+" Q##bits);                                                \
		slow_store##bits(ip->seg, ea(), value);                                            \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
#define UNARY_OP(name)                                                                             \
	UNARY_SIZE(name, #name "b", 8)                                                             \
	UNARY_SIZE(name, #name "w", 16)                                                            \
	UNARY_SIZE(name, #name "l", 32)

UNARY_OP(inc)
UNARY_OP(dec)
UNARY_OP(not )
UNARY_OP(neg)

const op_fn TABLE(op_inc)[2][3] = {{inc_r8, inc_r16, inc_r32}, {inc_m8, inc_m16, inc_m32}};
const op_fn TABLE(op_dec)[2][3] = {{dec_r8, dec_r16, dec_r32}, {dec_m8, dec_m16, dec_m32}};
const op_fn TABLE(op_not)[2][3] = {{not_r8, not_r16, not_r32}, {not_m8, not_m16, not_m32}};
const op_fn TABLE(op_neg)[2][3] = {{neg_r8, neg_r16, neg_r32}, {neg_m8, neg_m16, neg_m32}};
