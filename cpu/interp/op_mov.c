/* SPDX-License-Identifier: BSD-2-Clause */
/* Data movement: MOV and its extensions, LEA, XCHG, effective addresses, CMPXCHG, XADD, BSWAP. */
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
		slow_store(ip->seg, ea(), *slot##bits(ip->reg), bits / 8);                         \
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
		slow_store(ip->seg, ea(), (u##bits)ip->imm, bits / 8);                             \
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
	static void xchg_rr##bits(void)                                                            \
	{                                                                                          \
		u##bits value = *slot##bits(ip->reg);                                              \
                                                                                                   \
		asm("xchg %0, %1" : "+q"(value), "+m"(*slot##bits(ip->base)));                     \
		SEQUENCE;                                                                          \
		*slot##bits(ip->reg) = value;                                                      \
		NEXT;                                                                              \
	}                                                                                          \
	/* Into the pseudo register, with every check for the write that will follow. */           \
	SLOW load_rmw##bits##_slow(void)                                                           \
	{                                                                                          \
		*slot##bits(SLOT_TMP) = (u##bits)slow_rmw_load(ip->seg, ea(), bits / 8);           \
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

const struct alu_forms op_mov = {
	.rr = {mov_rr8, mov_rr16, mov_rr32},
	.ri = {mov_ri8, mov_ri16, mov_ri32},
	.rm = {mov_rm8, mov_rm16, mov_rm32},
	.mr = {mov_mr8, mov_mr16, mov_mr32},
	.mi = {mov_mi8, mov_mi16, mov_mi32},
};
const op_fn op_xchg[3] = {xchg_rr8, xchg_rr16, xchg_rr32};
const op_fn op_load_rmw[3] = {load_rmw8, load_rmw16, load_rmw32};

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
const op_fn op_movzx[2][2][2] = {
	{{movzx16_8_r, movzx32_8_r}, {mov16_16_r, movzx32_16_r}},
	{{movzx16_8_m, movzx32_8_m}, {mov16_16_m, movzx32_16_m}},
};
const op_fn op_movsx[2][2][2] = {
	{{movsx16_8_r, movsx32_8_r}, {mov16_16_r, movsx32_16_r}},
	{{movsx16_8_m, movsx32_8_m}, {mov16_16_m, movsx32_16_m}},
};

/* Effective addresses; also LEA, whose destination is then a guest register. */
static void lea16(void)
{
	*slot16(ip->reg) = (u16)ea();
	NEXT;
}
static void lea32(void)
{
	*slot32(ip->reg) = ea();
	NEXT;
}
const op_fn op_lea[3] = {NULL, lea16, lea32};
void op_ea_sib(void)
{
	u32 value = *slot32(ip->index) << ip->shift;

	SEQUENCE;
	value += ip->disp;
	value += *slot32(ip->base);
	SEQUENCE;
	*slot32(ip->reg) = value;
	NEXT;
}
void op_ea16(void)
{
	u32 value = *slot32(ip->index);

	SEQUENCE;
	cpu->ea = (u16)(value + ea());
	NEXT;
}

/* Bit-string addressing of BT and its kind: the register counts bits from the operand's address. */
void op_ea_bits16(void)
{
	u32 off = ea() + (u32)((s32)(s16)*slot16(ip->reg) >> 4) * 2;

	cpu->ea = ip->flags & INSN_A16 ? (u16)off : off;
	NEXT;
}
void op_ea_bits32(void)
{
	u32 off = ea() + (u32)((s32)*slot32(ip->reg) >> 5) * 4;

	cpu->ea = ip->flags & INSN_A16 ? (u16)off : off;
	NEXT;
}

void op_xlat(void)
{
	u32 off = cpu->gpr[REG_EBX] + *slot8(REG_EAX * 4);

	*slot8(REG_EAX * 4) = load8(ip->seg, ip->flags & INSN_A16 ? (u16)off : off);
	NEXT;
}
void op_bswap(void)
{
	u32 value = *slot32(ip->reg);

	/* With 16 bits the CPU gives 0 (documented as undefined). */
	if (ip->flags & INSN_O16)
		*slot16(ip->reg) = 0;
	else
		*slot32(ip->reg) = __builtin_bswap32(value);
	NEXT;
}

/* CMPXCHG: reg is the destination (register or pseudo register), base the source. */
#define CMPXCHG_SIZE(sfx, bits, q)                                                                 \
	static void cmpxchg##bits(void)                                                            \
	{                                                                                          \
		u##bits old = *slot##bits(ip->reg), acc = *slot##bits(REG_EAX * 4);                \
		u32 f;                                                                             \
		asm("cmp" sfx " %2, %1\n\t" FLAGS_SAVE : "=a"(f) : q(acc), q(old) : "cc");         \
		if (acc == old)                                                                    \
			*slot##bits(ip->reg) = *slot##bits(ip->base);                              \
		else                                                                               \
			*slot##bits(REG_EAX * 4) = old;                                            \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}                                                                                          \
	static void xadd##bits(void)                                                               \
	{                                                                                          \
		u##bits old = *slot##bits(ip->reg), sum = old;                                     \
		u32 f;                                                                             \
		asm("add" sfx " %2, %0\n\t" FLAGS_SAVE                                             \
		    : "+" q(sum), "=&a"(f)                                                         \
		    : "m"(*slot##bits(ip->base))                                                   \
		    : "cc");                                                                       \
		*slot##bits(ip->base) = old;                                                       \
		*slot##bits(ip->reg) = sum;                                                        \
		cpu->cc = f;                                                                       \
		NEXT;                                                                              \
	}
CMPXCHG_SIZE("b", 8, "q")
CMPXCHG_SIZE("w", 16, "r")
CMPXCHG_SIZE("l", 32, "r")
const op_fn op_cmpxchg[3] = {cmpxchg8, cmpxchg16, cmpxchg32};
const op_fn op_xadd[3] = {xadd8, xadd16, xadd32};

void op_cmpxchg8b(void)
{
	u32 off = ea(), lo, hi;

	op_sync();
	/* Both halves are checked for writing before either is changed, and the whole for #AC. */
	mem_probe_write(cpu, ip->seg / SEG_UNITS(1), off, 8);
	lo = slow_rmw_load(ip->seg, off, 4);
	hi = slow_rmw_load(ip->seg, off + 4, 4);
	if (lo == cpu->gpr[REG_EAX] && hi == cpu->gpr[REG_EDX]) {
		slow_store(ip->seg, off, cpu->gpr[REG_EBX], 4);
		slow_store(ip->seg, off + 4, cpu->gpr[REG_ECX], 4);
		set_zf(true);
	} else {
		slow_store(ip->seg, off, lo, 4);
		slow_store(ip->seg, off + 4, hi, 4);
		cpu->gpr[REG_EAX] = lo;
		cpu->gpr[REG_EDX] = hi;
		set_zf(false);
	}
	NEXT;
}

void op_cbw(void)
{
	if (ip->flags & INSN_O16)
		*slot16(REG_EAX * 4) = (u16)(s8)*slot8(REG_EAX * 4);
	else
		cpu->gpr[REG_EAX] = (u32)(s16)*slot16(REG_EAX * 4);
	NEXT;
}
void op_cwd(void)
{
	if (ip->flags & INSN_O16)
		*slot16(REG_EDX * 4) = (s16)*slot16(REG_EAX * 4) < 0 ? 0xffff : 0;
	else
		cpu->gpr[REG_EDX] = (s32)cpu->gpr[REG_EAX] < 0 ? ~0u : 0;
	NEXT;
}
