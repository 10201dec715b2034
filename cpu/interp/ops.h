/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all instruction handlers share. Only for cpu/interp/op_*.c: the two register variables make
 * every function of the including file keep ESI and EDI for the vcpu and the current insn.
 *
 * A handler ends with NEXT (go on with the following insn), with branch_taken() or goto_eip(), or
 * returns to the run loop with v->eip and v->icount exact.
 */
#ifndef FARBUS_CPU_INTERP_OPS_H
#define FARBUS_CPU_INTERP_OPS_H

#include "cpu/interp/interp.h"
#include "cpu/interp/optable.h"

register struct vcpu *cpu asm("esi");
register const struct insn *ip asm("edi");

#define FAST __attribute__((regparm(3)))

#define NEXT                                                                                       \
	do {                                                                                       \
		ip++;                                                                              \
		ip->fn();                                                                          \
		return;                                                                            \
	} while (0)

static inline u8 *slot8(unsigned slot)
{
	return (u8 *)cpu + slot;
}
static inline u16 *slot16(unsigned slot)
{
	return (u16 *)(void *)((u8 *)cpu + slot);
}
static inline u32 *slot32(unsigned slot)
{
	return (u32 *)(void *)((u8 *)cpu + slot);
}

/* EIP of the current instruction and of the one after it. */
static inline u32 cur_eip(void)
{
	return cpu->page_eip + ip->off;
}
static inline u32 next_eip(void)
{
	u32 eip = cpu->page_eip + ip->off + ip->len;

	return cpu->seg[SEG_CS].attr & SEG_DB ? eip : (u16)eip;
}
/* Before anything that may fault or that looks at v->eip. */
static inline void op_sync(void)
{
	cpu->cur = ip;
	cpu->eip = cur_eip();
}

/* Memory operands: the hits inline, everything else in op_access.c. */
u32 FAST slow_load(u32 seg_units, u32 off, u32 size);
void FAST slow_store(u32 seg_units, u32 off, u32 value, u32 size);
u32 FAST slow_rmw_load(u32 seg_units, u32 off, u32 size);

static inline const struct segment *seg_at(u32 units)
{
	return (const struct segment *)(const void *)((const u32 *)(void *)cpu->seg + units);
}
static inline const struct tlb_entry *tlb_at(u32 lin)
{
	_Static_assert(sizeof(struct tlb_entry) == 16, "scaled by hand");
	return (const struct tlb_entry *)(void *)((u8 *)cpu->tlb_set +
						  ((lin >> 8) & ((TLB_ENTRIES - 1) << 4)));
}

#define OP_ACCESS(bits)                                                                            \
	static inline u##bits load##bits(u32 seg_units, u32 off)                                   \
	{                                                                                          \
		const struct segment *s = seg_at(seg_units);                                       \
		u32 lin = s->base + off;                                                           \
		const struct tlb_entry *e = tlb_at(lin);                                           \
                                                                                                   \
		if (unlikely(off >= s->rd_count) ||                                                \
		    unlikely(((lin + bits / 8 - 1) & PAGE_MASK) != e->rd_tag))                     \
			return (u##bits)slow_load(seg_units, off, bits / 8);                       \
		return *(const u##bits *)(lin + e->addend);                                        \
	}                                                                                          \
	/* Host memory to write in place, or NULL. */                                              \
	static inline u##bits *write_ptr##bits(u32 seg_units, u32 off)                             \
	{                                                                                          \
		const struct segment *s = seg_at(seg_units);                                       \
		u32 lin = s->base + off;                                                           \
		const struct tlb_entry *e = tlb_at(lin);                                           \
                                                                                                   \
		if (unlikely(off >= s->wr_count) ||                                                \
		    unlikely(((lin + bits / 8 - 1) & PAGE_MASK) != e->wr_tag))                     \
			return NULL;                                                               \
		return (u##bits *)(lin + e->addend);                                               \
	}                                                                                          \
	static inline void store##bits(u32 seg_units, u32 off, u##bits value)                      \
	{                                                                                          \
		u##bits *p = write_ptr##bits(seg_units, off);                                      \
                                                                                                   \
		if (likely(p))                                                                     \
			*p = value;                                                                \
		else                                                                               \
			slow_store(seg_units, off, value, bits / 8);                               \
	}
OP_ACCESS(8)
OP_ACCESS(16)
OP_ACCESS(32)

/* Offset of the current insn's memory operand. */
static inline u32 ea(void)
{
	return ip->disp + *slot32(ip->base);
}

/*
 * Arithmetic flags are not lazy: LAHF and SETO after the host's own instruction cost less than
 * remembering operands would, and give undefined flags the value that this CPU gives them. v->cc:
 * bits 0-7 OF, bits 8-15 as LAHF has them, the rest is garbage.
 */
#define FLAGS_SAVE    "lahf\n\tseto %%al"
#define FLAGS_RESTORE "addb $0x7f, %%al\n\tsahf"
#define CC_CF	      0x100u
#define CC_PF	      0x400u
#define CC_AF	      0x1000u
#define CC_ZF	      0x4000u
#define CC_SF	      0x8000u
#define CC_OF	      0x1u
static inline u32 cc_to_eflags(u32 cc)
{
	return ((cc >> 8) & (FLAGS_ARITH & 0xff)) | (cc & CC_OF ? FLAG_OF : 0);
}
static inline u32 cc_from_eflags(u32 eflags)
{
	return ((eflags & (FLAGS_ARITH & 0xff)) << 8) | (eflags & FLAG_OF ? CC_OF : 0);
}
static inline void set_zf(bool zf)
{
	cpu->cc = (cpu->cc & ~CC_ZF) | (zf ? CC_ZF : 0);
}

/* A taken branch whose event check failed: makes EIP that of *ip and returns to the run loop. */
void branch_event(void);
static inline void branch_taken(void)
{
	cpu->icount += ip->n;
	ip = ip->target;
	if (unlikely(cpu->events)) {
		branch_event();
		return;
	}
	ip->fn();
}

/* Goes on at eip, after the current instruction was counted. */
void FAST goto_eip(u32 eip);

/* Ends an instruction that may have changed anything: back to the run loop, eip is next. */
static inline void leave_at(u32 eip)
{
	cpu->icount += ip->n;
	cpu->eip = eip;
}

/* Stack: the width of the stack pointer is that of SS.B. */
static inline u32 stack_off(u32 esp)
{
	return ip->flags & INSN_STACK16 ? (u16)esp : esp;
}
static inline void set_esp(u32 esp)
{
	if (ip->flags & INSN_STACK16)
		*slot16(REG_ESP * 4) = (u16)esp;
	else
		cpu->gpr[REG_ESP] = esp;
}

/* Registers used as addresses or counters by string, loop and I/O instructions. */
static inline u32 reg_a(unsigned reg)
{
	return ip->flags & INSN_A16 ? (u16)cpu->gpr[reg] : cpu->gpr[reg];
}
static inline void set_reg_a(unsigned reg, u32 value)
{
	if (ip->flags & INSN_A16)
		*slot16(reg * 4) = (u16)value;
	else
		cpu->gpr[reg] = value;
}

#endif
