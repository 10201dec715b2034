/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions whose work is done by cpu/: flags that guard interrupts, system registers and
 * tables; and the privilege and mode checks that come before it.
 */
#include "cpu/interp/ops.h"

static void require_cpl0(void)
{
	op_sync();
	if (cpu->cpl != 0)
		cpu_raise_gp0(cpu);
}

void op_ud(void)
{
	op_sync();
	cpu_raise_ud(cpu);
}
void op_nop(void)
{
	NEXT;
}

/* In front of instructions that exist in protected mode only, or at CPL 0 only. */
void op_check_protected(void)
{
	if (vcpu_real_segments(cpu))
		op_ud();
	NEXT;
}
void op_check_cpl0(void)
{
	require_cpl0();
	NEXT;
}

/* CLI and STI: the plain cases here. STI's shadow matters only when an event is waiting. */
static bool may_change_if(void)
{
	return !(cpu->eflags & FLAG_VM) && (!vcpu_protected(cpu) || cpu->cpl <= vcpu_iopl(cpu));
}
void op_cli(void)
{
	if (likely(may_change_if())) {
		cpu->eflags &= ~FLAG_IF;
		if_changed();
		NEXT;
	}
	op_sync();
	cpu_cli(cpu);
	if_changed();
	next_or_leave();
}
void op_sti(void)
{
	if (likely(may_change_if()) && likely(!cpu->events) && (ip[1].flags & INSN_FIRST)) {
		cpu->eflags |= FLAG_IF;
		cpu->interp->sti_eip = next_eip();
		if_changed();
		NEXT;
	}
	op_sync();
	cpu_sti(cpu);
	leave_at(next_eip());
}
void op_popf(void)
{
	u32 esp = cpu->gpr[REG_ESP], size = operand_bytes(), off = stack_off(esp);
	u32 value = size == 2 ? load16(SEG_UNITS(SEG_SS), off) : load32(SEG_UNITS(SEG_SS), off);

	op_sync();
	cpu_popf(cpu, size, value);
	if_changed();
	set_esp(esp + size);
	next_or_leave();
}

void op_hlt(void)
{
	struct interp *in = cpu->interp;

	require_cpl0();
	cpu->halted = true;
	in->exit = EXIT_HLT;
	in->exit_due = true;
	leave_at(next_eip());
}

/* Control, debug and machine registers. */
void op_mov_to_cr(void)
{
	require_cpl0();
	cpu_mov_to_cr(cpu, ip->index, *slot32(ip->reg));
	leave_at(next_eip());
}
void op_mov_from_cr(void)
{
	require_cpl0();
	*slot32(ip->reg) = cpu_mov_from_cr(cpu, ip->index);
	NEXT;
}
/* DR4 and DR5 may be #UD, which comes before the #GP of a CPL that may not. */
void op_mov_to_dr(void)
{
	op_sync();
	cpu_mov_to_dr(cpu, ip->index, *slot32(ip->reg));
	leave_at(next_eip());
}
void op_mov_from_dr(void)
{
	op_sync();
	*slot32(ip->reg) = cpu_mov_from_dr(cpu, ip->index);
	NEXT;
}
void op_clts(void)
{
	require_cpl0();
	cpu_clts(cpu);
	next_or_leave();
}
void op_lmsw(void)
{
	require_cpl0();
	cpu_lmsw(cpu, *slot16(ip->reg));
	leave_at(next_eip());
}
void op_smsw(void)
{
	if (ip->flags & INSN_O16)
		*slot16(ip->reg) = (u16)cpu->cr0;
	else
		*slot32(ip->reg) = cpu->cr0;
	NEXT;
}

/* LGDT, LIDT: a 16-bit operand size takes 24 bits of base. */
static u32 table_operand(u16 *limit)
{
	u32 off = ea(), base;

	require_cpl0();
	*limit = load16(ip->seg, off);
	base = load32(ip->seg, ip->flags & INSN_A16 ? (u16)(off + 2) : off + 2);
	return ip->flags & INSN_O16 ? base & 0xffffff : base;
}
void op_lgdt(void)
{
	u16 limit;
	u32 base = table_operand(&limit);

	cpu_lgdt(cpu, base, limit);
	leave_at(next_eip());
}
void op_lidt(void)
{
	u16 limit;
	u32 base = table_operand(&limit);

	cpu_lidt(cpu, base, limit);
	leave_at(next_eip());
}
/* SGDT (index 0), SIDT (1): all 32 bits of the base whatever the operand size. */
void op_store_table(void)
{
	const struct desc_table *table = ip->index ? &cpu->idtr : &cpu->gdtr;
	u32 off = ea(), second = ip->flags & INSN_A16 ? (u16)(off + 2) : off + 2;

	op_sync();
	mem_rmw_read(cpu, ip->seg / SEG_UNITS(1), off, 2);
	slow_rmw_load32(ip->seg, second);
	store16(ip->seg, off, table->limit);
	store32(ip->seg, second, table->base);
	NEXT;
}
/* SLDT (index 0), STR (1). */
void op_store_selector(void)
{
	u16 sel = ip->index ? cpu->tr.sel : cpu->ldtr.sel;

	if (ip->flags & INSN_O16)
		*slot16(ip->reg) = sel;
	else
		*slot32(ip->reg) = sel;
	NEXT;
}
void op_lldt(void)
{
	require_cpl0();
	cpu_lldt(cpu, *slot16(ip->reg));
	NEXT;
}
void op_ltr(void)
{
	require_cpl0();
	cpu_ltr(cpu, *slot16(ip->reg));
	NEXT;
}
/* LAR (index 0), LSL (1): reg is the destination, base the selector. */
static void lar_lsl(void)
{
	u16 sel = *slot16(ip->base);
	u32 result;
	bool ok;

	op_sync();
	ok = ip->index ? cpu_lsl(cpu, sel, &result) : cpu_lar(cpu, sel, &result);
	set_zf(ok);
	if (ok && (ip->flags & INSN_O16))
		*slot16(ip->reg) = (u16)result;
	else if (ok)
		*slot32(ip->reg) = result;
}
void op_lar_lsl(void)
{
	lar_lsl();
	NEXT;
}
/* VERR (index 0), VERW (1). */
void op_verify(void)
{
	u16 sel = *slot16(ip->reg);

	op_sync();
	set_zf(ip->index ? cpu_verw(cpu, sel) : cpu_verr(cpu, sel));
	NEXT;
}
void op_arpl(void)
{
	u16 dst = *slot16(ip->reg), src = *slot16(ip->base);
	bool raise = (dst & 3) < (src & 3);

	if (raise)
		*slot16(ip->reg) = (u16)((dst & ~3) | (src & 3));
	set_zf(raise);
	NEXT;
}
/* Memory is written only where the RPL rises: CPUs do so even in read-only pages otherwise. */
void op_arpl_m(void)
{
	u32 off = ea();
	u16 dst = load16(ip->seg, off), src = *slot16(ip->reg);
	bool raise = (dst & 3) < (src & 3);

	if (raise)
		store16(ip->seg, off, (u16)((dst & ~3) | (src & 3)));
	set_zf(raise);
	NEXT;
}
void op_invlpg(void)
{
	require_cpl0();
	cpu_invlpg(cpu, ip->seg / SEG_UNITS(1), ea());
	leave_at(next_eip());
}
/* INVD, WBINVD: there is no cache to speak of. */
void op_wbinvd(void)
{
	require_cpl0();
	NEXT;
}
void op_rdmsr(void)
{
	require_cpl0();
	cpu_rdmsr(cpu);
	NEXT;
}
void op_wrmsr(void)
{
	require_cpl0();
	cpu_wrmsr(cpu);
	leave_at(next_eip());
}
void op_rdtsc(void)
{
	op_sync();
	cpu_rdtsc(cpu);
	NEXT;
}
void op_rdpmc(void)
{
	op_sync();
	cpu_rdpmc(cpu);
	NEXT;
}
void op_cpuid(void)
{
	op_sync();
	cpu_cpuid(cpu);
	NEXT;
}

/* x87, MMX, SSE: the following insn slot holds the decoded form (cpu/interp/fpu.h). */
_Static_assert(sizeof(struct fpu_op) <= sizeof(struct insn), "fpu_op rides in an insn");
void op_fpu(void)
{
	const struct fpu_op *op = (const struct fpu_op *)(const void *)&ip[1];

	op_sync();
	if (unlikely(!fpu_exec(cpu, op, ip->seg / SEG_UNITS(1), ea()))) {
		cpu->icount += ip->n - 1;
		return;
	}
	if (unlikely(event_due())) {
		leave_at(next_eip());
		return;
	}
	ip++;
	NEXT;
}
