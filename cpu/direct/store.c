/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores that kept faulting (cpu/translate/faulting.c), without the interpreter: the forms in which
 * kernels write page table entries. The general registers are in the frame.
 */
#include "cpu/cpu.h"
#include "cpu/direct/private.h"
#include "cpu/direct/switch.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"

#define PREFIX_LOCK 0xf0
#define PREFIX_DS   0x3e /* also what Linux makes of LOCK on one CPU */
#define PREFIX_O16  0x66
#define CODE_MAX    16u
#define VGA_FIRST   0xa0000u
#define VGA_SIZE    0x20000u

struct store {
	const u8 *p; /* behind what is decoded */
	u8 opcode;
	unsigned seg, reg, size;
	u32 off;
	bool ds;   /* the prefix */
	bool idle; /* see idle() */
};

/* The code at v->eip; NULL: of 16 bits, not in memory, or near the page's end. */
static const u8 *code(struct vcpu *v)
{
	u32 lin = v->seg[SEG_CS].base + v->eip;
	const u8 *page;

	if (!(v->seg[SEG_CS].attr & SEG_DB) || (lin & ~PAGE_MASK) > PAGE_SIZE - CODE_MAX)
		return NULL;
	mem_fetch_page(v, lin, &page);
	return page ? page + (lin & ~PAGE_MASK) : NULL;
}

static u32 at32(const u8 *p)
{
	u32 value;

	__builtin_memcpy(&value, p, 4);
	return value;
}

/* SIB byte; `none`: mod is 0, and base 5 means a displacement alone. */
static u32 sib(struct store *s, bool none)
{
	u8 byte = *s->p++;
	unsigned base = byte & 7, index = byte >> 3 & 7;
	u32 off = index == 4 ? 0 : *direct_frame_reg(index) << (byte >> 6);

	if (base == 4 || (base == 5 && !none))
		s->seg = SEG_SS;
	if (base != 5 || !none)
		return off + *direct_frame_reg(base);
	s->p += 4;
	return off + at32(s->p - 4);
}

/* ModR/M of a memory operand, 32-bit addresses. False: a register. */
static bool operand(struct store *s)
{
	u8 byte = *s->p++;
	unsigned mod = byte >> 6, rm = byte & 7;

	s->reg = byte >> 3 & 7;
	s->seg = SEG_DS;
	if (mod == 3)
		return false;
	if (rm == 4) {
		s->off = sib(s, mod == 0);
	} else if (rm == 5 && mod == 0) {
		s->off = at32(s->p);
		s->p += 4;
	} else {
		s->off = *direct_frame_reg(rm);
		if (rm == 5)
			s->seg = SEG_SS;
	}
	if (mod == 1)
		s->off += (u32)(s8)*s->p++;
	if (mod == 2) {
		s->off += at32(s->p);
		s->p += 4;
	}
	return true;
}

#define ALU(name, insn)                                                                            \
	static u32 name(u32 a, u32 b, u32 *flags)                                                  \
	{                                                                                          \
		asm(insn " %2, %0\n\tpushf\n\tpop %1" : "+r"(a), "=r"(*flags) : "r"(b) : "cc");    \
		return a;                                                                          \
	}
ALU(alu_add, "addl")
ALU(alu_or, "orl")
ALU(alu_and, "andl")
ALU(alu_sub, "subl")
ALU(alu_xor, "xorl")

static u32 (*const alu[8])(u32 a, u32 b, u32 *flags) = {
	[0] = alu_add, [1] = alu_or, [4] = alu_and, [5] = alu_sub, [6] = alu_xor};

static bool arithmetic(struct vcpu *v, const struct store *s, unsigned op, u32 value)
{
	u32 flags;

	if (!alu[op])
		return false;
	value = alu[op](mem_rmw_read(v, s->seg, s->off, 4), value, &flags);
	mem_write32(v, s->seg, s->off, value);
	direct_frame.eflags = (direct_frame.eflags & ~FLAGS_ARITH) | (flags & FLAGS_ARITH);
	return true;
}

/*
 * To the page directory in use, where nothing was made from the entry: kernels clear all of one.
 * The TLB has to allow the store, and nobody else to watch the page. False: it is not carried out.
 */
static bool idle(struct direct *d, struct vcpu *v, const struct store *s, u32 value)
{
	const struct segment *seg = &v->seg[s->seg];
	u32 lin = seg->base + s->off, gpa;
	const struct tlb_entry *e = &vcpu_tlb(v)->set[0][(lin >> PAGE_SHIFT) & (TLB_ENTRIES - 1)];
	struct direct_again *a = &d->again;

	if (s->size != 4 || s->off >= seg->wr_count || (lin & 3) || v->mem_slow || v->cpl == 3 ||
	    e->rd_tag != (lin & PAGE_MASK) || !(e->gpa_page & TLB_DIRTY))
		return false;
	gpa = (e->gpa_page & PAGE_MASK) | (lin & ~PAGE_MASK);
	if ((physmem_flags(v->mem, gpa) & PHYS_PAGE_WATCHED) != PHYS_PAGE_TABLE ||
	    !shadow_idle_find(d->shadow, gpa, &a->idle) || !shadow_idle_store(&a->idle, gpa))
		return false;
	*(u32 *)(lin + e->addend) = value;
	a->page = lin & PAGE_MASK;
	a->addend = e->addend;
	a->flags = &v->mem->page_flags[gpa >> PAGE_SHIFT];
	return true;
}

/* Lockstep has it carried out twice: what is no RAM, or may be the VGA's, is not for here. */
static bool once_only(struct vcpu *v, const struct store *s)
{
	u32 gpa, last = s->off + s->size - 1;

	for (u32 off = s->off;; off = last) {
		if (!mem_peek_translate(v, v->seg[s->seg].base + off, &gpa) ||
		    gpa >> PAGE_SHIFT >= v->mem->flag_pages || gpa - VGA_FIRST < VGA_SIZE)
			return true;
		if (off == last)
			return false;
	}
}

static u32 byte_reg(unsigned reg)
{
	return *direct_frame_reg(reg & 3) >> (reg & 4 ? 8 : 0);
}

/* What MOV is to store; false: it is another instruction. */
static bool value_of(const struct store *s, u32 *value)
{
	switch (s->opcode) {
	case 0x88:
		*value = byte_reg(s->reg);
		return true;
	case 0x89:
		*value = *direct_frame_reg(s->reg);
		return true;
	case 0xa2:
	case 0xa3:
		*value = direct_frame.eax;
		return true;
	case 0xc6:
		*value = *s->p;
		return true;
	case 0xc7:
		*value = at32(s->p);
		return true;
	default:
		return false;
	}
}

static void put(struct direct *d, struct vcpu *v, struct store *s, u32 value)
{
	s->idle = idle(d, v, s, value);
	if (s->idle)
		return;
	if (s->size == 4)
		mem_write32(v, s->seg, s->off, value);
	else if (s->size == 2)
		mem_write16(v, s->seg, s->off, (u16)value);
	else
		mem_write8(v, s->seg, s->off, (u8)value);
}

/* Other instructions than MOV, of 32 bits. */
static bool other(struct vcpu *v, struct store *s)
{
	u32 value;

	switch (s->opcode) {
	case 0x87:
		value = mem_rmw_read(v, s->seg, s->off, 4);
		mem_write32(v, s->seg, s->off, *direct_frame_reg(s->reg));
		*direct_frame_reg(s->reg) = value;
		return true;
	case 0x01:
	case 0x09:
	case 0x21:
	case 0x29:
	case 0x31:
		return arithmetic(v, s, s->opcode >> 3, *direct_frame_reg(s->reg));
	case 0x81:
		return arithmetic(v, s, s->reg, at32(s->p));
	case 0x83:
		return arithmetic(v, s, s->reg, (u32)(s8)*s->p);
	default:
		return false;
	}
}

/* MOV with an address alone, behind the opcode. */
static bool is_plain(u8 opcode)
{
	return (opcode & 0xfe) == 0xa2;
}

static bool plain_operand(struct store *s)
{
	s->seg = SEG_DS;
	s->off = at32(s->p);
	return true;
}

/* False: it is a register. */
static bool destination(struct store *s)
{
	bool memory = is_plain(s->opcode) ? plain_operand(s) : operand(s);

	if (s->ds)
		s->seg = SEG_DS;
	return memory;
}

static bool one(struct direct *d, struct vcpu *v, struct store *s)
{
	u32 value;

	s->opcode = *s->p++;
	if (!(s->opcode & 1))
		s->size = 1;
	if (!destination(s) || (direct_of(v)->lockstep && once_only(v, s)))
		return false;
	if (!value_of(s, &value))
		return s->size == 4 && other(v, s);
	put(d, v, s, value);
	return true;
}

/* Whether the CPU would have carried it out, as far as the guest's TLB knows. */
static bool quiet(struct vcpu *v, const struct store *s)
{
	return mem_rmw_ptr(v, s->seg, s->off, s->size) != NULL;
}

/* An idle store is taken apart: c is [register + displacement] := register or immediate. */
static void remember(struct direct *d, const struct vcpu *v, const struct translate_call *c,
		     const struct store *s, const u8 *opcode)
{
	struct direct_again *a = &d->again;
	unsigned rm = opcode[1] & 7;

	if (d->lockstep || is_plain(s->opcode) || rm == 4 || (rm == 5 && opcode[1] < 0x40))
		return;
	a->call = c;
	a->generation = v->generation;
	a->forgotten = translate_forgotten(d->translator);
	a->seg = (u8)s->seg;
	a->base = direct_frame_reg(rm);
	a->disp = s->off - *a->base;
	a->immediate = at32(s->p);
	a->value = s->opcode == 0xc7 ? &a->immediate : direct_frame_reg(s->reg);
}

/*
 * Loops that clear a page directory: the same instruction, another entry. The unit that c belongs
 * to is still there, so its bytes are the same, and generation says that nothing else is another.
 */
static bool again(struct direct *d, const struct vcpu *v, const struct translate_call *c)
{
	const struct direct_again *a = &d->again;
	const struct segment *seg = &v->seg[a->seg];
	u32 off, lin;

	if (a->call != c || a->generation != v->generation ||
	    a->forgotten != translate_forgotten(d->translator))
		return false;
	off = *a->base + a->disp;
	lin = seg->base + off;
	if (off >= seg->wr_count || (lin & (PAGE_MASK | 3)) != a->page ||
	    (*a->flags & PHYS_PAGE_WATCHED) != PHYS_PAGE_TABLE || !shadow_idle_store(&a->idle, lin))
		return false;
	*(u32 *)(lin + a->addend) = *a->value;
	return true;
}

/* One that is not like the last. */
static __attribute__((noinline)) enum direct_store first(struct direct *d, struct vcpu *v,
							 const struct translate_call *c)
{
	struct store s = {.size = 4};
	u32 cr2 = v->cr2;
	const u8 *opcode;

	v->eip = c->eip;
	v->cur = NULL;
	d->again.call = NULL;
	if (__builtin_setjmp(cpu_fault_of(v)->jmp)) {
		v->cr2 = cr2;
		return STORE_NONE; /* nothing is written: the interpreter raises it again */
	}
	s.p = code(v);
	if (!s.p)
		return STORE_NONE;
	s.ds = *s.p == PREFIX_DS;
	if (*s.p == PREFIX_LOCK || s.ds || *s.p == PREFIX_O16)
		s.size = *s.p++ == PREFIX_O16 ? 2 : 4;
	opcode = s.p;
	if (!one(d, v, &s))
		return STORE_NONE;
	if (s.idle) {
		remember(d, v, c, &s, opcode);
		return STORE_IDLE;
	}
	return quiet(v, &s) ? STORE_QUIET : STORE_WATCHED;
}

enum direct_store direct_store(struct direct *d, struct vcpu *v, const struct translate_call *c)
{
	enum direct_store done;

	if (again(d, v, c))
		return STORE_IDLE;
	done = first(d, v, c);
	if (done != STORE_NONE)
		translate_call_done(d->translator, c, done == STORE_QUIET);
	return done;
}
