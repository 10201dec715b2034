/* SPDX-License-Identifier: BSD-2-Clause */
/* Effective addresses, LEA, XCHG, CMPXCHG, XADD, BSWAP, XLAT, sign extension of the accumulator. */
#include "cpu/interp/ops.h"

#define XCHG_SIZE(bits)                                                                            \
	static void xchg_rr##bits(void)                                                            \
	{                                                                                          \
		u##bits value = *slot##bits(ip->reg);                                              \
                                                                                                   \
		asm("xchg %0, %1" : "+q"(value), "+m"(*slot##bits(ip->base)));                     \
		SEQUENCE;                                                                          \
		*slot##bits(ip->reg) = value;                                                      \
		NEXT;                                                                              \
	}
XCHG_SIZE(8)
XCHG_SIZE(16)
XCHG_SIZE(32)
const op_fn op_xchg[3] = {xchg_rr8, xchg_rr16, xchg_rr32};

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
	lo = slow_rmw_load32(ip->seg, off);
	hi = slow_rmw_load32(ip->seg, off + 4);
	if (lo == cpu->gpr[REG_EAX] && hi == cpu->gpr[REG_EDX]) {
		slow_store32(ip->seg, off, cpu->gpr[REG_EBX]);
		slow_store32(ip->seg, off + 4, cpu->gpr[REG_ECX]);
		set_zf(true);
	} else {
		slow_store32(ip->seg, off, lo);
		slow_store32(ip->seg, off + 4, hi);
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
