/* SPDX-License-Identifier: BSD-2-Clause */
/* MOV in all forms, MOVZX and MOVSX. */
#include "cpu/interp/ops.h"

#define MOV_SIZE(bits)                                                                             \
	static void mov_rr##bits(void)                                                             \
	{                                                                                          \
		*slot##bits(ip->reg) = *slot##bits(ip->base);                                      \
		NEXT;                                                                              \
	}                                                                                          \
	static void mov_ri##bits(void)                                                             \
	{                                                                                          \
		*slot##bits(ip->reg) = (u##bits)ip->imm;                                           \
		NEXT;                                                                              \
	}                                                                                          \
	SLOW mov_rm##bits##_slow(void)                                                             \
	{                                                                                          \
		*slot##bits(ip->reg) = (u##bits)slow_load(ip->seg, ea(), bits / 8);                \
		NEXT;                                                                              \
	}                                                                                          \
	static void mov_rm##bits(void)                                                             \
	{                                                                                          \
		const u##bits *p = rd_ea##bits();                                                  \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			mov_rm##bits##_slow();                                                     \
			return;                                                                    \
		}                                                                                  \
		*slot##bits(ip->reg) = *p;                                                         \
		NEXT;                                                                              \
	}                                                                                          \
	SLOW mov_mr##bits##_slow(void)                                                             \
	{                                                                                          \
		slow_store##bits(ip->seg, ea(), *slot##bits(ip->reg));                             \
		NEXT;                                                                              \
	}                                                                                          \
	static void mov_mr##bits(void)                                                             \
	{                                                                                          \
		u##bits *p = wr_ea##bits();                                                        \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			mov_mr##bits##_slow();                                                     \
			return;                                                                    \
		}                                                                                  \
		*p = *slot##bits(ip->reg);                                                         \
		NEXT;                                                                              \
	}                                                                                          \
	SLOW mov_mi##bits##_slow(void)                                                             \
	{                                                                                          \
		slow_store##bits(ip->seg, ea(), (u##bits)ip->imm);                                 \
		NEXT;                                                                              \
	}                                                                                          \
	static void mov_mi##bits(void)                                                             \
	{                                                                                          \
		u##bits *p = wr_ea##bits();                                                        \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			mov_mi##bits##_slow();                                                     \
			return;                                                                    \
		}                                                                                  \
		*p = (u##bits)ip->imm;                                                             \
		NEXT;                                                                              \
	}                                                                                          \
	/* Into the pseudo register, with every check for the write that will follow. */           \
	SLOW load_rmw##bits##_slow(void)                                                           \
	{                                                                                          \
		*slot##bits(SLOT_TMP) = (u##bits)slow_rmw_load##bits(ip->seg, ea());               \
		NEXT;                                                                              \
	}                                                                                          \
	static void load_rmw##bits(void)                                                           \
	{                                                                                          \
		u##bits *p = wr_ea##bits();                                                        \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			load_rmw##bits##_slow();                                                   \
			return;                                                                    \
		}                                                                                  \
		*slot##bits(SLOT_TMP) = *p;                                                        \
		NEXT;                                                                              \
	}
MOV_SIZE(8)
MOV_SIZE(16)
MOV_SIZE(32)

const struct alu_forms TABLE(op_mov) = {
	.rr = {mov_rr8, mov_rr16, mov_rr32},
	.ri = {mov_ri8, mov_ri16, mov_ri32},
	.rm = {mov_rm8, mov_rm16, mov_rm32},
	.mr = {mov_mr8, mov_mr16, mov_mr32},
	.mi = {mov_mi8, mov_mi16, mov_mi32},
};
const op_fn TABLE(op_load_rmw)[3] = {load_rmw8, load_rmw16, load_rmw32};

#define EXTEND(name, to, from, type)                                                               \
	static void name##_r(void)                                                                 \
	{                                                                                          \
		*slot##to(ip->reg) = (u##to)(type)*slot##from(ip->base);                           \
		NEXT;                                                                              \
	}                                                                                          \
	SLOW name##_m_slow(void)                                                                   \
	{                                                                                          \
		*slot##to(ip->reg) = (u##to)(type)slow_load(ip->seg, ea(), from / 8);              \
		NEXT;                                                                              \
	}                                                                                          \
	static void name##_m(void)                                                                 \
	{                                                                                          \
		const u##from *p = rd_ea##from();                                                  \
                                                                                                   \
		if (unlikely(!p)) {                                                                \
			name##_m_slow();                                                           \
			return;                                                                    \
		}                                                                                  \
		*slot##to(ip->reg) = (u##to)(type)*p;                                              \
		NEXT;                                                                              \
	}
EXTEND(movzx16_8, 16, 8, u8)
EXTEND(movzx32_8, 32, 8, u8)
EXTEND(movzx32_16, 32, 16, u16)
EXTEND(movsx16_8, 16, 8, s8)
EXTEND(movsx32_8, 32, 8, s8)
EXTEND(movsx32_16, 32, 16, s16)
EXTEND(mov16_16, 16, 16, u16)

/* [register or memory][8 or 16 bits wide source][destination: 16, 32 bits] */
const op_fn TABLE(op_movzx)[2][2][2] = {
	{{movzx16_8_r, movzx32_8_r}, {mov16_16_r, movzx32_16_r}},
	{{movzx16_8_m, movzx32_8_m}, {mov16_16_m, movzx32_16_m}},
};
const op_fn TABLE(op_movsx)[2][2][2] = {
	{{movsx16_8_r, movsx32_8_r}, {mov16_16_r, movsx32_16_r}},
	{{movsx16_8_m, movsx32_8_m}, {mov16_16_m, movsx32_16_m}},
};
