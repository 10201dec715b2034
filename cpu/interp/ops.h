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

/* Full-width moves in place of the Pentium's XOR and byte move: one instruction less each. */
#pragma GCC target("tune=generic")

#include "cpu/interp/interp.h"
#include "cpu/interp/optable.h"

register struct vcpu *cpu asm("esi");
register const struct insn *ip asm("edi");

#define FAST __attribute__((regparm(3)))
/* Slow halves of handlers: apart, so that the fast ones need no stack frame. */
/* Keeps GCC from loading everything at once, and so from saving registers on the stack. */
#define SEQUENCE asm volatile("" ::: "memory")
#define SLOW	 static __attribute__((noinline)) void

/* The asm keeps GCC from spreading the step over three instructions. */
#define NEXT                                                                                       \
	do {                                                                                       \
		asm volatile("addl %1, %0" : "+r"(ip) : "i"(sizeof(struct insn)) : "cc");          \
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

/*
 * EIP of the current instruction and of the one after it. Going on past FFFFh is not cut to 16
 * bits, as on P6 CPUs: the fetch there faults, or works with a larger limit.
 */
static inline u32 cur_eip(void)
{
	return cpu->page_eip + ip->off;
}
/* Not cut to 16 bits in 16-bit code: past FFFFh the next fetch is #GP, only jumps wrap. */
static inline u32 next_eip(void)
{
	return cpu->page_eip + ip->off + ip->len;
}
/* Before anything that may fault or that looks at v->eip. */
static inline void op_sync(void)
{
	cpu->cur = ip;
	cpu->eip = cur_eip();
}

/* Memory operands: the hits inline, everything else in op_access.c. */
u32 FAST slow_load(u32 seg_units, u32 off, u32 size);
void FAST slow_store8(u32 seg_units, u32 off, u32 value);
void FAST slow_store16(u32 seg_units, u32 off, u32 value);
void FAST slow_store32(u32 seg_units, u32 off, u32 value);
u32 FAST slow_rmw_load8(u32 seg_units, u32 off);
u32 FAST slow_rmw_load16(u32 seg_units, u32 off);
u32 FAST slow_rmw_load32(u32 seg_units, u32 off);

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

/* Offset of the current insn's memory operand. */
static inline u32 ea(void)
{
	return ip->disp + *slot32(ip->base);
}

/*
 * From an offset in %[p] to a host address there: segment limit, linear address, TLB tag. In
 * assembler because it is most of what a memory access costs, and GCC finds no way to do it in
 * three registers. Files that define OP_FLAT are built for segments that are flat (MODE_FLAT): no
 * limit to check, and an offset is a linear address.
 */
#ifdef OP_FLAT
#define TABLE(name)		    name##_flat
#define LINEAR(seg_base, seg_count) ""
#define SEGMENT			    ""
#else
#define TABLE(name) name
#define LINEAR(seg_base, seg_count)                                                                \
	"cmpl " seg_count ", %[p]\n\t"                                                             \
	"jae %l[slow]\n\t"                                                                         \
	"addl " seg_base ", %[p]\n\t"
#define SEGMENT "movzbl %[seg], %%ecx\n\t"
#endif
#define LOOK_UP(seg_base, seg_count)                                                               \
	LINEAR(seg_base, seg_count)                                                                \
	"movl %[p], %%ecx\n\t"                                                                     \
	"shrl $8, %%ecx\n\t"                                                                       \
	"andl %[mask], %%ecx\n\t"                                                                  \
	"addl %[set], %%ecx\n\t"                                                                   \
	"leal %c[last](%[p]), %%eax\n\t"                                                           \
	"andl $0xfffff000, %%eax\n\t"                                                              \
	"cmpl %c[tag](%%ecx), %%eax\n\t"                                                           \
	"jne %l[slow]\n\t"                                                                         \
	"addl %c[addend](%%ecx), %[p]"
#define LOOK_UP_INPUTS(bits, which)                                                                \
	[mask] "i"((TLB_ENTRIES - 1) << 4), [set] "m"(cpu->tlb_set), [last] "i"((bits) / 8 - 1),   \
		[tag] "i"(offsetof(struct tlb_entry, which##_tag)),                                \
		[addend] "i"(offsetof(struct tlb_entry, addend)),                                  \
		[segs] "i"(offsetof(struct vcpu, seg) + offsetof(struct segment, base)),           \
		[counts] "i"(offsetof(struct vcpu, seg) + offsetof(struct segment, which##_count))

/*
 * Host memory of an operand for reading (rd) or writing (wr), NULL for the slow way: that of the
 * current insn's address (_ea), or at an offset from the stack segment (_ss).
 */
#define OP_POINTER(bits, which)                                                                    \
	static inline u##bits *which##_ea##bits(void)                                              \
	{                                                                                          \
		u##bits *p;                                                                        \
                                                                                                   \
		asm goto("movl %[disp], %[p]\n\t"                                                  \
			 "movzbl %[base], %%ecx\n\t"                                               \
			 "addl (%[cpu],%%ecx), %[p]\n\t" SEGMENT LOOK_UP(                          \
				 "%c[segs](%[cpu],%%ecx,4)", "%c[counts](%[cpu],%%ecx,4)")         \
			 : [p] "=&d"(p)                                                            \
			 : [disp] "m"(ip->disp), [base] "m"(ip->base), [seg] "m"(ip->seg),         \
			   [cpu] "r"(cpu), LOOK_UP_INPUTS(bits, which)                             \
			 : "eax", "ecx", "cc", "memory"                                            \
			 : slow);                                                                  \
		if (!p)                                                                            \
			__builtin_unreachable();                                                   \
		return p;                                                                          \
	slow:                                                                                      \
		return NULL;                                                                       \
	}                                                                                          \
	static inline u##bits *which##_ss##bits(u32 off)                                           \
	{                                                                                          \
		u32 p = off;                                                                       \
                                                                                                   \
		asm goto(LOOK_UP("%c[segs]+%c[ss](%[cpu])", "%c[counts]+%c[ss](%[cpu])")           \
			 : [p] "+d"(p)                                                             \
			 : [cpu] "r"(cpu), [ss] "i"(SEG_SS * sizeof(struct segment)),              \
			   LOOK_UP_INPUTS(bits, which)                                             \
			 : "eax", "ecx", "cc", "memory"                                            \
			 : slow);                                                                  \
		if (!p)                                                                            \
			__builtin_unreachable();                                                   \
		return (u##bits *)p;                                                               \
	slow:                                                                                      \
		return NULL;                                                                       \
	}
#define OP_ACCESS(bits)                                                                            \
	OP_POINTER(bits, rd)                                                                       \
	OP_POINTER(bits, wr)                                                                       \
	static inline u##bits load_ea##bits(void)                                                  \
	{                                                                                          \
		const u##bits *p = rd_ea##bits();                                                  \
                                                                                                   \
		return likely(p) ? *p : (u##bits)slow_load(ip->seg, ea(), bits / 8);               \
	}                                                                                          \
	static inline u##bits load_ss##bits(u32 off)                                               \
	{                                                                                          \
		const u##bits *p = rd_ss##bits(off);                                               \
                                                                                                   \
		return likely(p) ? *p : (u##bits)slow_load(SEG_UNITS(SEG_SS), off, bits / 8);      \
	}                                                                                          \
	/* Any segment and offset: for the rarer instructions. */                                  \
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
	static inline void store##bits(u32 seg_units, u32 off, u##bits value)                      \
	{                                                                                          \
		const struct segment *s = seg_at(seg_units);                                       \
		u32 lin = s->base + off;                                                           \
		const struct tlb_entry *e = tlb_at(lin);                                           \
                                                                                                   \
		if (unlikely(off >= s->wr_count) ||                                                \
		    unlikely(((lin + bits / 8 - 1) & PAGE_MASK) != e->wr_tag))                     \
			slow_store##bits(seg_units, off, value);                                   \
		else                                                                               \
			*(u##bits *)(lin + e->addend) = value;                                     \
	}
OP_ACCESS(8)
OP_ACCESS(16)
OP_ACCESS(32)

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

/* Whether the run loop has something to do; and after EFLAGS.IF changed inside a block. */
static inline bool event_due(void)
{
	return cpu->events & cpu->event_mask;
}
/* The same between two pieces of a string instruction: a single step takes it to its end. */
static inline bool event_due_in_string(void)
{
	return cpu->events & cpu->event_mask & ~(u32)VCPU_EV_ONCE;
}
static inline void if_changed(void)
{
	cpu->event_mask = interp_event_mask(cpu);
}

/* #GP(0) at a near transfer whose target lies beyond the CS limit. */
_Noreturn void beyond_limit(void);
static inline void check_target(u32 eip)
{
	if (unlikely(eip > cpu->seg[SEG_CS].limit))
		beyond_limit();
}

/* A taken branch whose event check failed: makes EIP that of *ip and returns to the run loop. */
void branch_event(void);
static inline void branch_taken(void)
{
	cpu->icount += ip->n;
	ip = ip->target;
	if (unlikely(event_due())) {
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

/* After anything that may have raised an event or changed how the next instruction runs. */
static inline bool must_leave(void)
{
	return unlikely(event_due() || cpu->generation != cpu->interp->generation ||
			cpu->interp->flush_due);
}
static inline void next_or_leave(void)
{
	if (must_leave()) {
		leave_at(next_eip());
		return;
	}
	NEXT;
}

static inline u32 operand_bytes(void)
{
	return ip->flags & INSN_O16 ? 2 : 4;
}

/* A table of handlers by SS.B and operand size, from functions named by both. */
#define STACK_FORMS_OF(name)                                                                       \
	{                                                                                          \
		{NULL, name##16_16, name##32_16},                                                  \
		{                                                                                  \
			NULL, name##16_32, name##32_32                                             \
		}                                                                                  \
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
