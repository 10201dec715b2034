/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Near transfers of control and the ends of blocks. A taken branch goes to insn.target: another
 * block of the same page, or an end insn behind its own block (op_chain, op_goto) that finds the
 * target. EIP beyond the CS limit faults at the branch itself, before it has changed anything
 * (SDM vol. 2, JMP, CALL, RET).
 */
#include "cpu/interp/ops.h"

/* Where the end insn *ip leads. The branch is already counted as retired. */
static u32 goto_target(void)
{
	u32 eip = cpu->page_eip + ip->imm;

	if (ip->flags & INSN_GOTO16)
		eip = (u16)eip;
	if (unlikely(eip > cpu->seg[SEG_CS].limit)) {
		ip = ip->owner;
		cpu->icount -= ip->n;
		op_sync();
		cpu_raise_gp0(cpu);
	}
	return eip;
}

void __attribute__((noinline)) branch_event(void)
{
	cpu->eip = ip->flags & INSN_GOTO ? goto_target() : cpu->page_eip + ip->off;
}

void FAST __attribute__((noinline)) goto_eip(u32 eip)
{
	u32 lin = cpu->seg[SEG_CS].base + eip, gpa;
	const struct tlb_entry *e = tlb_at(lin);
	u32 off = lin ^ e->rd_tag; /* of the page, on a hit */
	const struct interp *in;
	const struct block *b;

	cpu->eip = eip;
	if (unlikely(event_due()) || unlikely(off >= PAGE_SIZE))
		return;
	gpa = (e->gpa_page & PAGE_MASK) + off;
	in = cpu->interp;
	eip -= off;
	b = in->hash[interp_hash(gpa)];
	if (unlikely(eip >= in->goto_eip_count || b->gpa != gpa || b->mode != in->mode))
		return;
	cpu->page_eip = eip;
	ip = b->insn;
	ip->fn();
}

_Noreturn void beyond_limit(void)
{
	op_sync();
	cpu_raise_gp0(cpu);
}

void op_goto(void)
{
	goto_eip(goto_target());
}

/* The target is in the same page: makes the branch lead straight there once it is decoded. */
void op_chain(void)
{
	struct interp *in = cpu->interp;
	const struct block *b = in->hash[interp_hash(ip->imm)];

	if (b->gpa != ip->imm || b->mode != in->mode) {
		cpu->eip = cpu->page_eip + ip->off;
		return;
	}
	ip->owner->target = b->insn;
	ip = b->insn;
	ip->fn();
}

/*
 * In front of an instruction that crosses into the next page: its bytes there must be those that
 * were decoded. So nothing has to watch the second page. index is their number.
 */
void op_cross(void)
{
	const struct cross_bytes *want = (const struct cross_bytes *)(const void *)&ip[1];
	u32 eip = cpu->page_eip + PAGE_SIZE, lin = cpu->seg[SEG_CS].base + eip;
	const struct tlb_entry *e = tlb_at(lin);
	const u8 *have = (const u8 *)(lin + e->addend);
	u32 n = 0;

	if (lin == e->rd_tag && eip < cpu->interp->page_eip_count) {
		while (n < ip->index && have[n] == want->byte[n])
			n++;
		if (n == ip->index) {
			ip++;
			NEXT;
		}
	}
	cpu->interp->single_due = true;
	cpu->eip = cur_eip();
}

/* In front of the instruction of interp_stop_at(). */
void op_ask(void)
{
	struct interp *in = cpu->interp;

	cpu->eip = cur_eip();
	if (cpu->eip == in->stop_eip && in->stop && in->stop(cpu)) {
		cpu->icount += ip->n - 1;
		in->exit = EXIT_HAND_OVER;
		in->exit_due = true;
		return;
	}
	NEXT;
}

/* First insn of every instruction in a dropped block: starts again with what memory holds now. */
void op_stale(void)
{
	cpu->icount += ip->n - 1;
	cpu->eip = cur_eip();
}

/* End of the uncached single instruction. */
void op_stop(void)
{
	cpu->icount += ip->n;
	cpu->eip = cur_eip();
}

void op_jmp(void)
{
	branch_taken();
}

#define JCC(name, taken)                                                                           \
	static void j##name(void)                                                                  \
	{                                                                                          \
		if (taken) {                                                                       \
			branch_taken();                                                            \
			return;                                                                    \
		}                                                                                  \
		NEXT;                                                                              \
	}
/* Conditions on SF and OF together go back to the host's flags. */
#define JCC_SIGNED(name)                                                                           \
	static void j##name(void)                                                                  \
	{                                                                                          \
		asm goto("movl %0, %%eax\n\t" FLAGS_RESTORE "\n\tj" #name " %l[taken]"             \
			 :                                                                         \
			 : "m"(cpu->cc)                                                            \
			 : "cc", "eax"                                                             \
			 : taken);                                                                 \
		NEXT;                                                                              \
	taken:                                                                                     \
		branch_taken();                                                                    \
	}
JCC(o, cpu->cc &CC_OF)
JCC(no, !(cpu->cc & CC_OF))
JCC(c, cpu->cc &CC_CF)
JCC(nc, !(cpu->cc & CC_CF))
JCC(z, cpu->cc &CC_ZF)
JCC(nz, !(cpu->cc & CC_ZF))
JCC(be, cpu->cc &(CC_CF | CC_ZF))
JCC(a, !(cpu->cc & (CC_CF | CC_ZF)))
JCC(s, cpu->cc &CC_SF)
JCC(ns, !(cpu->cc & CC_SF))
JCC(p, cpu->cc &CC_PF)
JCC(np, !(cpu->cc & CC_PF))
JCC_SIGNED(l)
JCC_SIGNED(ge)
JCC_SIGNED(le)
JCC_SIGNED(g)
const op_fn op_jcc[16] = {jo, jno, jc, jnc, jz, jnz, jbe, ja, js, jns, jp, jnp, jl, jge, jle, jg};

/* LOOPNE, LOOPE, LOOP, JCXZ (E0h-E3h). */
static bool count_down(void)
{
	u32 count = reg_a(REG_ECX) - 1;

	set_reg_a(REG_ECX, count);
	return ip->flags & INSN_A16 ? (u16)count != 0 : count != 0;
}
JCC(loopne, count_down() && !(cpu->cc & CC_ZF))
JCC(loope, count_down() && (cpu->cc & CC_ZF))
JCC(loop, count_down())
JCC(cxz, reg_a(REG_ECX) == 0)
const op_fn op_loop[4] = {jloopne, jloope, jloop, jcxz};

void op_jmp_reg(void)
{
	u32 eip = ip->flags & INSN_O16 ? *slot16(ip->reg) : *slot32(ip->reg);

	check_target(eip);
	cpu->icount += ip->n;
	goto_eip(eip);
}
