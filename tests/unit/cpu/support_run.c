// SPDX-License-Identifier: BSD-2-Clause
/* Runs a case in both worlds and compares registers, flags, memory, FPU state and faults. */
#include <stdio.h>
#include <string.h>
#include "cpu/interp/fpu_host.h"
#include "tests/unit/cpu/support.h"

/* TLS selector and what Linux changes behind a signal are no part of the comparison. */
#define FLAGS_COMPARED                                                                             \
	(FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID | FLAG_IF | FLAG_RF)

u32 rng_next(struct rng *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (u32)(r->state >> 32);
}

u32 rng_below(struct rng *r, u32 n)
{
	return (u32)((u64)rng_next(r) * n >> 32);
}

u32 rng_value(struct rng *r)
{
	static const u32 edge[] = {0,	  1,	  2,	      0x7f,	  0x80,	      0xff,
				   0x100, 0x7fff, 0x8000,     0xffff,	  0x10000,    0x7fffffff,
				   ~0u,	  ~1u,	  0x80000000, 0x80000001, 0xffffff80, 0xffff8000,
				   0x1f,  0x20,	  0x99,	      0x0a};
	u32 value = rng_next(r);

	switch (rng_below(r, 4)) {
	case 0:
		return edge[rng_below(r, ARRAY_SIZE(edge))];
	case 1:
		return edge[rng_below(r, ARRAY_SIZE(edge))] ^ (value & 0xff00ff);
	case 2:
		return value >> rng_below(r, 32);
	default:
		return value;
	}
}

static void apply_patches(const struct test_case *t)
{
	for (u32 i = 0; i < t->patches; i++) {
		const struct patch *p = &t->patch[i];

		memcpy((void *)(uintptr_t)p->lin, p->bytes, p->len);
		memcpy(guest_data() + (p->lin - DATA_LIN), p->bytes, p->len);
	}
	if (t->fx_lin >= DATA_LIN && t->fx_lin + FX_BYTES <= DATA_LIN + DATA_RW) {
		memcpy((void *)(uintptr_t)t->fx_lin, t->fx_mem, FX_BYTES);
		memcpy(guest_data() + (t->fx_lin - DATA_LIN), t->fx_mem, FX_BYTES);
	}
}

/* Control, status, tags, MXCSR, ST and XMM; not the pointers, which FNSTENV cases compare. */
static bool same_fx(const u8 *a, const u8 *b)
{
	if (memcmp(a, b, 5) || memcmp(a + FX_MXCSR, b + FX_MXCSR, 4))
		return false;
	for (unsigned i = 0; i < 8; i++) {
		if (memcmp(a + FX_ST + 16 * i, b + FX_ST + 16 * i, 10))
			return false;
	}
	return memcmp(a + FX_XMM, b + FX_XMM, FX_END - FX_XMM) == 0;
}

static bool is_fault(u32 vector)
{
	return vector != VEC_EXIT;
}

/* Linux gives any null selector back as 0. */
static bool same_segments(const u16 *a, const u16 *b)
{
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		if (a[i] != b[i] && (a[i] > 3 || b[i] > 3))
			return false;
	}
	return true;
}

/* Where an operand of many parts faults first is the CPU's own affair. */
static bool same_cr2(const struct test_case *t, u32 native, u32 guest)
{
	bool far_return = !t->two_byte && t->opcode >= 0xca && t->opcode <= 0xcf;
	u32 reach = far_return ? 16 : 0;

	return native - guest + reach <= 2 * reach;
}

/*
 * Two faults at once, in an order that CPUs do not agree on: CMPS with both operands (AMD looks at
 * EDI first), the parts of a long FPU operand, CALL with a bad target and a bad stack (SDM: the
 * target; AMD: the stack), RETF with a selector of another RPL and a stack that ends.
 */
static bool either_fault(const struct test_case *t, const struct outcome *n,
			 const struct outcome *g)
{
	bool stack = n->vector == VEC_SS || n->vector == VEC_PF || n->vector == VEC_AC;

	bool image = t->two_byte ? t->opcode == 0xae : t->opcode == 0xd9 || t->opcode == 0xdd;

	if (image && (n->vector == VEC_PF || n->vector == VEC_AC) && is_fault(g->vector))
		return true;
	if (t->two_byte && t->opcode == 0xae) /* misaligned: the SDM allows either */
		return n->vector == VEC_AC && g->vector == VEC_GP;
	if (t->two_byte || !is_fault(n->vector) || !is_fault(g->vector))
		return false;
	if ((t->opcode & 0xfe) == 0xa6 || !is_reference_cpu())
		return true;
	return (t->opcode == 0xe8 || t->opcode == 0xff || t->opcode == 0x9a || t->opcode == 0xca ||
		t->opcode == 0xcf) &&
	       g->vector == VEC_GP && stack;
}

static bool same_outcome(const struct test_case *t, const struct outcome *n,
			 const struct outcome *g)
{
	u32 flags = FLAGS_COMPARED & (is_reference_cpu() ? ~0u : ~undefined_flags(t));
	u32 error_bits = n->vector == VEC_PF ? 7 : ~0u; /* without the NX guest's fetch bit */

	if (either_fault(t, n, g))
		return true;
	/* POPA: some have loaded part of the registers by then. */
	if (memcmp(n->regs.gpr, g->regs.gpr, sizeof(n->regs.gpr)) &&
	    !(is_fault(n->vector) && !t->two_byte && t->opcode == 0x61))
		return false;
	if (n->vector != g->vector || n->regs.eip != g->regs.eip ||
	    !same_segments(n->regs.seg, g->regs.seg))
		return false;
	if (!is_fault(n->vector))
		flags &= ~(u32)FLAG_RF;
	if ((n->regs.eflags ^ g->regs.eflags) & flags)
		return false;
	if (is_fault(n->vector) && ((n->error ^ g->error) & error_bits))
		return false;
	if (n->vector == VEC_PF && !same_cr2(t, n->cr2, g->cr2))
		return false;
	if (t->two_byte && t->opcode == 0xf7 && is_fault(n->vector))
		return true; /* MASKMOVQ: some have made the x87 state MMX's by then */
	return !t->uses_fpu || same_fx(n->fx, g->fx);
}

static void print_regs(const char *name, const struct regs *r)
{
	printf("  %-7s eax %08x ecx %08x edx %08x ebx %08x esp %08x ebp %08x esi %08x edi %08x\n"
	       "          eip %08x efl %08x es %04x cs %04x ss %04x ds %04x fs %04x gs %04x\n",
	       name, r->gpr[0], r->gpr[1], r->gpr[2], r->gpr[3], r->gpr[4], r->gpr[5], r->gpr[6],
	       r->gpr[7], r->eip, r->eflags, r->seg[0], r->seg[1], r->seg[2], r->seg[3], r->seg[4],
	       r->seg[5]);
}

static void print_fx(const char *name, const u8 *fx)
{
	printf("  %-7s cw %02x%02x sw %02x%02x tags %02x mxcsr %02x%02x\n", name, fx[1], fx[0],
	       fx[3], fx[2], fx[4], fx[25], fx[24]);
	for (unsigned i = 0; i < 8; i++) {
		const u8 *p = fx + FX_ST + 16 * i;
		const u8 *x = fx + FX_XMM + 16 * i;

		printf("          st%u %02x%02x %02x%02x%02x%02x%02x%02x%02x%02x  xmm%u", i, p[9],
		       p[8], p[7], p[6], p[5], p[4], p[3], p[2], p[1], p[0], i);
		for (int j = 15; j >= 0; j--)
			printf("%s%02x", j % 4 == 3 ? " " : "", x[j]);
		printf("\n");
	}
}

void case_print(const struct test_case *t)
{
	printf("  code   ");
	for (u32 i = 0; i < t->len; i++)
		printf(" %02x", t->code[i]);
	printf("  at %08x%s\n", t->lin, t->special ? " (special)" : "");
	print_regs("before", &t->in);
	if (t->uses_fpu)
		print_fx("before", t->fx);
	for (u32 i = 0; i < t->patches; i++) {
		printf("  [%08x]", t->patch[i].lin);
		for (u32 j = 0; j < t->patch[i].len; j++)
			printf(" %02x", t->patch[i].bytes[j]);
		printf("\n");
	}
}

static void print_outcome(const char *name, const struct test_case *t, const struct outcome *o)
{
	print_regs(name, &o->regs);
	if (is_fault(o->vector))
		printf("          vector %u error %x cr2 %08x\n", o->vector, o->error, o->cr2);
	if (t->uses_fpu)
		print_fx(name, o->fx);
}

static void print_memory(const u8 *native, const u8 *guest)
{
	unsigned shown = 0;

	for (u32 i = 0; i < DATA_RW && shown < 16; i++) {
		if (native[i] == guest[i])
			continue;
		printf("  memory  %08x: native %02x interpreter %02x\n", DATA_LIN + i, native[i],
		       guest[i]);
		shown++;
	}
}

bool run_both(const struct test_case *t, bool verbose)
{
	static struct outcome native, guest;
	u8 *data = (u8 *)(uintptr_t)DATA_LIN;
	bool same_memory, same;

	apply_patches(t);
	native_run(t, &native);
	guest_run(t, &guest);
	/* Another case's exit, where a patch went over this one's target. */
	if (native.vector == VEC_BP && guest.vector == VEC_EXIT &&
	    native.regs.eip - 1 == guest.regs.eip) {
		native.vector = VEC_EXIT;
		native.regs.eip--;
	}
	if (t->fxsave_lin && native.regs.eip != t->in.eip)
		memcpy(data + (t->fxsave_lin - DATA_LIN) + FX_MXCSR_MASK, &(u32){MXCSR_VALID}, 4);
	same_memory = memcmp(data, guest_data(), DATA_RW) == 0;
	same = same_memory && same_outcome(t, &native, &guest);
	if (!same && verbose) {
		case_print(t);
		print_outcome("native", t, &native);
		print_outcome("interp", t, &guest);
		print_memory(data, guest_data());
	}
	if (!same_memory)
		memcpy(guest_data(), data, DATA_RW);
	return same;
}
