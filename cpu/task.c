/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switching (SDM vol. 3, 7.3) with 286 and 386 TSSs. All that can fault for the old
 * task is tried first; then comes the point of no return, after which faults belong to the new task
 * (v->cur is NULL, v->eip its EIP).
 */
#include "cpu/cpu.h"
#include "cpu/debug_regs.h"
#include "cpu/descriptor.h"
#include "cpu/mem.h"
#include "cpu/mmu/walk.h"
#include "cpu/segment.h"

/* Offsets in a 386 TSS (SDM vol. 3, figure 7-2) */
enum {
	TSS32_CR3 = 28,
	TSS32_EIP = 32,
	TSS32_EFLAGS = 36,
	TSS32_GPR = 40,
	TSS32_SEG = 72,
	TSS32_LDT = 96,
	TSS32_TRAP = 100,
	TSS32_SIZE = 104,
};
/* and in a 286 TSS (figure 7-10) */
enum {
	TSS16_IP = 14,
	TSS16_FLAGS = 16,
	TSS16_GPR = 18,
	TSS16_SEG = 34,
	TSS16_LDT = 42,
	TSS16_SIZE = 44,
};

#define DR7_LOCAL 0x155u /* L0-L3 and LE: cleared by every task switch */

/* A task's state as its TSS holds it. */
struct task_state {
	u32 cr3, eip, eflags;
	u32 gpr[8];
	u16 seg[SEG_COUNT];
	u16 ldt;
	bool trap;
};

struct task {
	struct descriptor d;
	struct segment tss;
	u16 sel;
	bool wide; /* 386 */
};

static void check_target(struct vcpu *v, struct task *t, enum task_reason reason)
{
	u8 vector = reason == TASK_IRET ? VEC_TS : VEC_GP;
	u32 error = SEL_ERROR(t->sel);
	unsigned type;

	if (SEL_NULL(t->sel) || (t->sel & SEL_LDT))
		cpu_raise(v, vector, error);
	t->d = descriptor_need(v, t->sel, vector);
	type = descriptor_system_type(&t->d);
	if (reason == TASK_IRET ? type != SYS_TSS16_BUSY && type != SYS_TSS32_BUSY
				: type != SYS_TSS16 && type != SYS_TSS32)
		cpu_raise(v, vector, error);
	if (!descriptor_present(&t->d))
		cpu_raise(v, VEC_NP, error);
	t->tss = descriptor_segment(&t->d, t->sel);
	t->wide = type & SYS_32;
	if (t->tss.limit < (t->wide ? TSS32_SIZE : TSS16_SIZE) - 1)
		cpu_raise(v, VEC_TS, error);
}

/* Page faults of the switch happen here, in the old task. */
static void probe(struct vcpu *v, const struct task *t, enum task_reason reason)
{
	/* Of the old TSS as far as it is written: an LTR never looked at its limit. */
	u32 old_size = v->tr.attr & SYS_32 ? TSS32_LDT : TSS16_LDT;

	if (v->tr.limit < old_size - 1)
		cpu_raise(v, VEC_TS, SEL_ERROR(v->tr.sel));
	lin_probe(v, v->tr.base, old_size, true, false);
	lin_probe(v, t->tss.base, t->wide ? TSS32_SIZE : TSS16_SIZE, false, false);
	if (reason == TASK_CALL || reason == TASK_INT)
		lin_probe(v, t->tss.base, 2, true, false);
	if (reason == TASK_JMP || reason == TASK_IRET)
		lin_probe(v, v->gdtr.base + (v->tr.sel & 0xfff8u) + 5, 1, true, false);
	if (reason != TASK_IRET)
		lin_probe(v, t->d.lin + 5, 1, true, false);
}

static void set_busy(struct vcpu *v, u32 desc_lin, bool busy)
{
	u8 access = lin_read8(v, desc_lin + 5);

	lin_write8(v, desc_lin + 5, (u8)(busy ? access | SYS_BUSY : access & ~SYS_BUSY));
}

static void save_state(struct vcpu *v, u32 eip, u32 eflags)
{
	u32 base = v->tr.base;

	if (v->tr.attr & SYS_32) {
		lin_write32(v, base + TSS32_EIP, eip);
		lin_write32(v, base + TSS32_EFLAGS, eflags);
		for (unsigned i = 0; i < 8; i++)
			lin_write32(v, base + TSS32_GPR + i * 4, v->gpr[i]);
		for (unsigned i = 0; i < SEG_COUNT; i++)
			lin_write16(v, base + TSS32_SEG + i * 4, v->seg[i].sel);
	} else {
		lin_write16(v, base + TSS16_IP, (u16)eip);
		lin_write16(v, base + TSS16_FLAGS, (u16)eflags);
		for (unsigned i = 0; i < 8; i++)
			lin_write16(v, base + TSS16_GPR + i * 2, (u16)v->gpr[i]);
		for (unsigned i = 0; i <= SEG_DS; i++)
			lin_write16(v, base + TSS16_SEG + i * 2, v->seg[i].sel);
	}
}

static void read_state_32(struct vcpu *v, u32 base, struct task_state *s)
{
	s->cr3 = lin_read32(v, base + TSS32_CR3);
	s->eip = lin_read32(v, base + TSS32_EIP);
	s->eflags = lin_read32(v, base + TSS32_EFLAGS);
	for (unsigned i = 0; i < 8; i++)
		s->gpr[i] = lin_read32(v, base + TSS32_GPR + i * 4);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		s->seg[i] = lin_read16(v, base + TSS32_SEG + i * 4);
	s->ldt = lin_read16(v, base + TSS32_LDT);
	s->trap = lin_read16(v, base + TSS32_TRAP) & 1;
}

/* A 286 TSS sets the upper halves of the registers to ones and leaves CR3, FS and GS alone. */
static void read_state_16(struct vcpu *v, u32 base, struct task_state *s)
{
	*s = (struct task_state){.cr3 = v->cr3};
	s->eip = lin_read16(v, base + TSS16_IP);
	s->eflags = lin_read16(v, base + TSS16_FLAGS);
	for (unsigned i = 0; i < 8; i++)
		s->gpr[i] = 0xffff0000 | lin_read16(v, base + TSS16_GPR + i * 2);
	for (unsigned i = 0; i <= SEG_DS; i++)
		s->seg[i] = lin_read16(v, base + TSS16_SEG + i * 2);
	s->ldt = lin_read16(v, base + TSS16_LDT);
}

static void load_cr3(struct vcpu *v, u32 cr3)
{
	bool pae = (v->cr4 & CR4_PAE) && (v->cr0 & CR0_PG);

	if (pae && !pdpte_load(v, cr3))
		cpu_raise_gp0(v);
	v->cr3 = cr3;
	mem_tlb_flush_cr3(v);
}

static void load_ldt(struct vcpu *v, u16 sel)
{
	struct descriptor d;

	if (SEL_NULL(sel))
		return;
	if (sel & SEL_LDT)
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	d = descriptor_need(v, sel, VEC_TS);
	if (descriptor_system_type(&d) != SYS_LDT || !descriptor_present(&d))
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	v->ldtr = descriptor_segment(&d, sel);
}

static void load_ss(struct vcpu *v, u16 sel, unsigned cpl)
{
	struct descriptor d;

	if (SEL_NULL(sel))
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	d = descriptor_need(v, sel, VEC_TS);
	if (!attr_is_writable(descriptor_attr(&d)))
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_SS, SEL_ERROR(sel));
	if (descriptor_dpl(&d) != cpl || SEL_RPL(sel) != cpl)
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	descriptor_accessed(v, &d);
	segment_set(v, SEG_SS, descriptor_segment(&d, sel));
	v->cpl = (u8)cpl;
}

static void load_data(struct vcpu *v, unsigned seg, u16 sel)
{
	struct descriptor d;
	u16 attr;

	if (SEL_NULL(sel))
		return;
	d = descriptor_need(v, sel, VEC_TS);
	attr = descriptor_attr(&d);
	if (!attr_is_readable(attr))
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	if (!attr_is_conforming(attr) && (SEL_RPL(sel) > attr_dpl(attr) || v->cpl > attr_dpl(attr)))
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_NP, SEL_ERROR(sel));
	descriptor_accessed(v, &d);
	segment_set(v, seg, descriptor_segment(&d, sel));
}

static void load_cs(struct vcpu *v, u16 sel)
{
	struct descriptor d;
	u16 attr;

	if (SEL_NULL(sel))
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	d = descriptor_need(v, sel, VEC_TS);
	attr = descriptor_attr(&d);
	if (!attr_is_code(attr) || (attr_is_conforming(attr) ? attr_dpl(attr) > SEL_RPL(sel)
							     : attr_dpl(attr) != SEL_RPL(sel)))
		cpu_raise(v, VEC_TS, SEL_ERROR(sel));
	if (!descriptor_present(&d))
		cpu_raise(v, VEC_NP, SEL_ERROR(sel));
	descriptor_accessed(v, &d);
	segment_set_cs(v, sel, &d, v->cpl);
}

/* Selectors first, with nothing usable behind them: a fault on the way finds them so. */
static void load_selectors(struct vcpu *v, const struct task_state *s)
{
	for (unsigned i = 0; i < SEG_COUNT; i++)
		segment_set_null(v, i, s->seg[i]);
	v->ldtr = (struct segment){.sel = s->ldt};
}

static void load_segments(struct vcpu *v, const struct task_state *s)
{
	load_ldt(v, s->ldt);
	if (vcpu_v86(v)) {
		for (unsigned i = 0; i < SEG_COUNT; i++)
			segment_set_v86(v, i, s->seg[i]);
		return;
	}
	load_ss(v, s->seg[SEG_SS], SEL_RPL(s->seg[SEG_CS]));
	load_data(v, SEG_DS, s->seg[SEG_DS]);
	load_data(v, SEG_ES, s->seg[SEG_ES]);
	load_data(v, SEG_FS, s->seg[SEG_FS]);
	load_data(v, SEG_GS, s->seg[SEG_GS]);
	load_cs(v, s->seg[SEG_CS]);
}

/* The new task's state; from here on faults are its own. */
static void enter_task(struct vcpu *v, const struct task *t, const struct task_state *s)
{
	v->cur = NULL;
	v->tr = t->tss;
	v->tr.attr |= SYS_BUSY;
	v->tables++;
	v->cr0 |= CR0_TS;
	v->dr[7] &= ~DR7_LOCAL;
	v->eip = s->eip;
	vcpu_set_eflags(v, (s->eflags & FLAGS_EXIST) | FLAGS_FIXED);
	for (unsigned i = 0; i < 8; i++)
		v->gpr[i] = s->gpr[i];
	load_selectors(v, s);
	/* Until SS is loaded, a fault must not push to it: from CPL 3 its handler gets a stack. */
	v->cpl = 3;
	cpu_mode_changed(v);
	if (t->wide && (v->cr0 & CR0_PG))
		load_cr3(v, s->cr3);
	load_segments(v, s);
	cpu_mode_changed(v);
}

void cpu_task_switch(struct vcpu *v, u16 tss_sel, enum task_reason reason, u32 next_eip,
		     bool has_error, u32 error)
{
	struct task t = {.sel = tss_sel};
	bool nested = reason == TASK_CALL || reason == TASK_INT;
	u32 old_eflags = vcpu_eflags(v);
	struct task_state s = {0};

	check_target(v, &t, reason);
	probe(v, &t, reason);

	if (!nested)
		set_busy(v, v->gdtr.base + (v->tr.sel & 0xfff8u), false);
	if (reason == TASK_IRET)
		old_eflags &= ~FLAG_NT;
	save_state(v, next_eip, old_eflags);
	if (t.wide)
		read_state_32(v, t.tss.base, &s);
	else
		read_state_16(v, t.tss.base, &s);
	if (nested) {
		lin_write16(v, t.tss.base, v->tr.sel);
		s.eflags |= FLAG_NT;
	}
	if (reason != TASK_IRET)
		set_busy(v, t.d.lin, true);

	enter_task(v, &t, &s);
	if (s.trap) {
		v->debug_hits |= DR6_BT;
		vcpu_event_set(v, VCPU_EV_STEP);
	}
	if (has_error) {
		struct stack st = stack_current(v);

		stack_push(v, &st, t.wide ? 4 : 2, error);
		stack_commit(v, &st);
	}
	code_offset_check(v, &v->seg[SEG_CS], v->eip);
}
