/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOVS, STOS, LODS, SCAS, CMPS. With a REP prefix they run in pieces: between two pieces the events
 * are looked at, and registers and EIP are those of a CPU that was interrupted there (SDM vol. 2,
 * REP). MOVS and STOS work on spans of host memory where both ends have one, upwards, in the order
 * of the elements, so that overlapping operands repeat as they do on a CPU.
 */
#include "cpu/interp/ops.h"

#define REP_ANY (INSN_REP | INSN_REPNE)

/* Registers step down with DF set. */
static u32 step_of(u32 size)
{
	return cpu->eflags & FLAG_DF ? 0 - size : size;
}
static void move_si(u32 bytes)
{
	set_reg_a(REG_ESI, reg_a(REG_ESI) + bytes);
}
static void move_di(u32 bytes)
{
	set_reg_a(REG_EDI, reg_a(REG_EDI) + bytes);
}

/* The instruction is not complete: it goes on from its beginning after the event. */
static void interrupted(void)
{
	cpu->icount += ip->n - 1;
	cpu->eip = cur_eip();
}

/* How many elements from `off` on may be done in one piece: 0 means one, the slow way. */
static u32 piece(u32 off, u32 count, u32 size)
{
	u32 room;

	/* An event that waits is let in after one element, as on a CPU. */
	if (event_due_in_string())
		return 0;
	if (ip->flags & INSN_A16) {
		room = (0x10000 - off) / size;
		if (count > room)
			count = room;
	}
	return count > PAGE_SIZE ? PAGE_SIZE : count;
}

/*
 * Stores to a page with decoded code go the slow way one by one. Where a long run of them is to
 * come, what was decoded from the page is dropped first.
 */
static void prepare_stores(u32 off, u32 bytes)
{
	const struct tlb_entry *e = tlb_at(cpu->seg[SEG_ES].base + off);

	if (bytes >= 128 && e->rd_tag == ((cpu->seg[SEG_ES].base + off) & PAGE_MASK))
		cache_drop_page(cpu, e->gpa_page & PAGE_MASK);
}

/* One piece of each instruction: returns the number of elements done. Registers are advanced. */
#define STRING_PIECES(bits)                                                                        \
	static u32 movs_piece##bits(u32 count)                                                     \
	{                                                                                          \
		const u32 size = bits / 8;                                                         \
		u32 si = reg_a(REG_ESI), di = reg_a(REG_EDI), len, out;                            \
		const void *src;                                                                   \
		void *dst;                                                                         \
                                                                                                   \
		len = piece(si, piece(di, count, size), size) * size;                              \
		out = len;                                                                         \
		if (count > 1 && len && !(cpu->eflags & FLAG_DF) &&                                \
		    (src = mem_span(cpu, ip->seg / SEG_UNITS(1), si, &len, false)) &&              \
		    (dst = mem_span(cpu, SEG_ES, di, &out, true))) {                               \
			count = (len < out ? len : out) / size;                                    \
			if (count) {                                                               \
				host_copy(dst, src, count, size);                                  \
				move_si(count *size);                                              \
				move_di(count *size);                                              \
				return count;                                                      \
			}                                                                          \
		}                                                                                  \
		store##bits(SEG_UNITS(SEG_ES), di, load##bits(ip->seg, si));                       \
		move_si(step_of(size));                                                            \
		move_di(step_of(size));                                                            \
		return 1;                                                                          \
	}                                                                                          \
	static u32 stos_piece##bits(u32 count)                                                     \
	{                                                                                          \
		const u32 size = bits / 8;                                                         \
		u32 di = reg_a(REG_EDI), out;                                                      \
		void *dst;                                                                         \
                                                                                                   \
		out = piece(di, count, size) * size;                                               \
		if (count > 1 && out && !(cpu->eflags & FLAG_DF) &&                                \
		    (dst = mem_span(cpu, SEG_ES, di, &out, true)) && out >= size) {                \
			count = out / size;                                                        \
			host_fill(dst, cpu->gpr[REG_EAX], count, size);                            \
			move_di(count *size);                                                      \
			return count;                                                              \
		}                                                                                  \
		store##bits(SEG_UNITS(SEG_ES), di, *slot##bits(REG_EAX * 4));                      \
		move_di(step_of(size));                                                            \
		return 1;                                                                          \
	}                                                                                          \
	static u32 lods_piece##bits(u32 count)                                                     \
	{                                                                                          \
		(void)count;                                                                       \
		*slot##bits(REG_EAX * 4) = load##bits(ip->seg, reg_a(REG_ESI));                    \
		move_si(step_of(bits / 8));                                                        \
		return 1;                                                                          \
	}

STRING_PIECES(8)
STRING_PIECES(16)
STRING_PIECES(32)

/* True when the instruction is complete. */
static bool __attribute__((noinline)) repeat(u32 (*one_piece)(u32 count), u32 size)
{
	u32 count = reg_a(REG_ECX);

	op_sync();
	if (count * size >= 128)
		prepare_stores(reg_a(REG_EDI), count * size);
	while (count) {
		count -= one_piece(count);
		set_reg_a(REG_ECX, count);
		if (count && unlikely(event_due_in_string())) {
			interrupted();
			return false;
		}
	}
	/* A trap after the last element comes before the instruction counts as done. */
	return true;
}

#define STRING_OP(name, bits)                                                                      \
	static void name##bits(void)                                                               \
	{                                                                                          \
		name##_piece##bits(1);                                                             \
		NEXT;                                                                              \
	}                                                                                          \
	static void rep_##name##bits(void)                                                         \
	{                                                                                          \
		if (repeat(name##_piece##bits, bits / 8))                                          \
			NEXT;                                                                      \
	}
#define STRING_SIZES(name)                                                                         \
	STRING_OP(name, 8)                                                                         \
	STRING_OP(name, 16)                                                                        \
	STRING_OP(name, 32)
STRING_SIZES(movs)
STRING_SIZES(stos)
STRING_SIZES(lods)

/* CMPS and SCAS: one element, and the loop that ends on ZF as well. */
#define COMPARE(sfx, q, a, b)                                                                      \
	do {                                                                                       \
		u32 f_;                                                                            \
		asm("cmp" sfx " %2, %1\n\t" FLAGS_SAVE : "=a"(f_) : q(a), q(b) : "cc");            \
		cpu->cc = f_;                                                                      \
	} while (0)
#define COMPARE_OP(sfx, q, bits)                                                                   \
	static void cmps_one##bits(void)                                                           \
	{                                                                                          \
		u##bits a = load##bits(ip->seg, reg_a(REG_ESI));                                   \
		u##bits b = load##bits(SEG_UNITS(SEG_ES), reg_a(REG_EDI));                         \
                                                                                                   \
		COMPARE(sfx, q, a, b);                                                             \
		move_si(step_of(bits / 8));                                                        \
		move_di(step_of(bits / 8));                                                        \
	}                                                                                          \
	static void scas_one##bits(void)                                                           \
	{                                                                                          \
		u##bits b = load##bits(SEG_UNITS(SEG_ES), reg_a(REG_EDI));                         \
                                                                                                   \
		COMPARE(sfx, q, *slot##bits(REG_EAX * 4), b);                                      \
		move_di(step_of(bits / 8));                                                        \
	}                                                                                          \
	static void cmps##bits(void)                                                               \
	{                                                                                          \
		cmps_one##bits();                                                                  \
		NEXT;                                                                              \
	}                                                                                          \
	static void scas##bits(void)                                                               \
	{                                                                                          \
		scas_one##bits();                                                                  \
		NEXT;                                                                              \
	}                                                                                          \
	static void rep_cmps##bits(void)                                                           \
	{                                                                                          \
		if (repeat_compare(cmps_one##bits))                                                \
			NEXT;                                                                      \
	}                                                                                          \
	static void rep_scas##bits(void)                                                           \
	{                                                                                          \
		if (repeat_compare(scas_one##bits))                                                \
			NEXT;                                                                      \
	}

static bool __attribute__((noinline)) repeat_compare(void (*one)(void))
{
	u32 count = reg_a(REG_ECX), go_on = ip->flags & INSN_REPNE ? 0 : CC_ZF;

	while (count) {
		one();
		count--;
		set_reg_a(REG_ECX, count);
		if ((cpu->cc & CC_ZF) != go_on)
			break;
		if (count && unlikely(event_due_in_string())) {
			interrupted();
			return false;
		}
	}
	return true;
}
COMPARE_OP("b", "q", 8)
COMPARE_OP("w", "r", 16)
COMPARE_OP("l", "r", 32)

#define SIZES(name)                                                                                \
	{                                                                                          \
		{name##8, name##16, name##32},                                                     \
		{                                                                                  \
			rep_##name##8, rep_##name##16, rep_##name##32                              \
		}                                                                                  \
	}
const op_fn op_movs[2][3] = SIZES(movs);
const op_fn op_stos[2][3] = SIZES(stos);
const op_fn op_lods[2][3] = SIZES(lods);
const op_fn op_cmps[2][3] = SIZES(cmps);
const op_fn op_scas[2][3] = SIZES(scas);
