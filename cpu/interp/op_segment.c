/* SPDX-License-Identifier: BSD-2-Clause */
/* Segment loads, far transfers, software interrupts, SYSENTER and BOUND: cpu/ does their work. */
#include "cpu/interp/ops.h"
#include "cpu/segment.h"

/* In real and V86 mode only the base changes, unless attributes of protected mode are left over. */
static inline bool load_seg_quick(unsigned seg, u16 sel)
{
	struct segment *s = &cpu->seg[seg];

	if (vcpu_protected(cpu) ? !vcpu_v86(cpu) || s->attr != ATTR_V86 || s->limit != 0xffff
				: s->attr != ATTR_REAL)
		return false;
	s->sel = sel;
	s->base = (u32)sel << 4;
	return true;
}

static void load_seg(unsigned seg, u16 sel)
{
	if (load_seg_quick(seg, sel))
		return;
	op_sync();
	cpu_load_seg(cpu, seg, sel);
}
/*
 * MOV SS and POP SS hold off interrupts and debug traps for one instruction: where the next one
 * does not follow at once, as at a block's end, an interrupt of this PC may bring about an event
 * before it.
 */
static void leave_behind(unsigned seg)
{
	if (seg == SEG_SS) {
		cpu->shadow |= SHADOW_MOVSS;
		cpu_mode_changed(cpu);
	}
	leave_at(next_eip());
}
/* SS.B and flat segments are part of how code is decoded. */
static bool segment_leaves(void)
{
	if (unlikely(mode_of_data(cpu) != (cpu->interp->mode & (MODE_FLAT | MODE_STACK32)))) {
		cpu->generation++;
		return true;
	}
	return must_leave();
}
static void after_load(unsigned seg)
{
	if (segment_leaves() || (seg == SEG_SS && !(ip[1].flags & INSN_FIRST)))
		leave_behind(seg);
	else
		NEXT;
}

void op_mov_to_seg(void)
{
	load_seg(ip->index, *slot16(ip->base));
	after_load(ip->index);
}
void op_mov_from_seg(void)
{
	u16 sel = cpu->seg[ip->index].sel;

	if (ip->flags & INSN_O16)
		*slot16(ip->reg) = sel;
	else
		*slot32(ip->reg) = sel;
	NEXT;
}
void op_pop_seg(void)
{
	u32 esp = cpu->gpr[REG_ESP];
	u16 sel = load16(SEG_UNITS(SEG_SS), stack_off(esp));

	load_seg(ip->index, sel);
	set_esp(esp + operand_bytes());
	after_load(ip->index);
}

/* LES, LDS, LSS, LFS, LGS: offset, then selector. */
void op_load_far(void)
{
	u32 off = ea(), value;
	u16 sel;

	if (ip->flags & INSN_O16) {
		value = load16(ip->seg, off);
		sel = load16(ip->seg, ip->flags & INSN_A16 ? (u16)(off + 2) : off + 2);
	} else {
		value = load32(ip->seg, off);
		sel = load16(ip->seg, ip->flags & INSN_A16 ? (u16)(off + 4) : off + 4);
	}
	op_sync();
	cpu_load_seg(cpu, ip->index, sel); /* LSS holds nothing off, unlike MOV SS */
	if (ip->flags & INSN_O16)
		*slot16(ip->reg) = (u16)value;
	else
		*slot32(ip->reg) = value;
	if (segment_leaves())
		leave_at(next_eip());
	else
		NEXT;
}

/*
 * Far transfers count as retired before they start: a task switch that faults in the new task
 * leaves nothing to count from.
 */
#define FAR_BEGIN                                                                                  \
	u32 retired = ip->n, next = next_eip();                                                    \
	op_sync()
#define FAR_END cpu->icount += retired

void op_jmp_far(void)
{
	FAR_BEGIN;
	cpu_far_jmp(cpu, (u16)ip->disp, ip->imm, operand_bytes(), next);
	FAR_END;
}
void op_call_far(void)
{
	FAR_BEGIN;
	cpu_far_call(cpu, (u16)ip->disp, ip->imm, operand_bytes(), next);
	FAR_END;
}
static u32 far_pointer(u16 *sel)
{
	u32 off = ea(), sel_off = off + operand_bytes();
	u32 value = ip->flags & INSN_O16 ? load16(ip->seg, off) : load32(ip->seg, off);

	*sel = load16(ip->seg, ip->flags & INSN_A16 ? (u16)sel_off : sel_off);
	return value;
}
void op_jmp_far_m(void)
{
	FAR_BEGIN;
	u16 sel;
	u32 off = far_pointer(&sel);

	cpu_far_jmp(cpu, sel, off, operand_bytes(), next);
	FAR_END;
}
void op_call_far_m(void)
{
	FAR_BEGIN;
	u16 sel;
	u32 off = far_pointer(&sel);

	cpu_far_call(cpu, sel, off, operand_bytes(), next);
	FAR_END;
}
void op_ret_far(void)
{
	FAR_BEGIN;
	(void)next;
	cpu_far_ret(cpu, operand_bytes(), ip->imm);
	FAR_END;
}
void op_iret(void)
{
	FAR_BEGIN;
	cpu_iret(cpu, operand_bytes(), next);
	FAR_END;
}
void op_int(void)
{
	FAR_BEGIN;
	cpu->interp->no_trap = true;
	cpu_int(cpu, (u8)ip->imm, next);
	FAR_END;
}
void op_int3(void)
{
	FAR_BEGIN;
	cpu->interp->no_trap = true;
	cpu_int3(cpu, next);
	FAR_END;
}
void op_into(void)
{
	if (cpu->cc & CC_OF) {
		FAR_BEGIN;
		cpu->interp->no_trap = true;
		cpu_into(cpu, next);
		FAR_END;
		return;
	}
	NEXT;
}
void op_icebp(void)
{
	FAR_BEGIN;
	cpu->interp->no_trap = true;
	cpu_icebp(cpu, next);
	FAR_END;
}
void op_sysenter(void)
{
	FAR_BEGIN;
	(void)next;
	cpu_sysenter(cpu);
	FAR_END;
}
void op_sysexit(void)
{
	FAR_BEGIN;
	(void)next;
	cpu_sysexit(cpu);
	FAR_END;
}

void op_bound(void)
{
	u32 off = ea();
	bool outside;

	if (ip->flags & INSN_O16) {
		s16 low = (s16)load16(ip->seg, off);
		s16 high = (s16)load16(ip->seg, ip->flags & INSN_A16 ? (u16)(off + 2) : off + 2);
		s16 index = (s16)*slot16(ip->reg);

		outside = index < low || index > high;
	} else {
		s32 low = (s32)load32(ip->seg, off);
		s32 high = (s32)load32(ip->seg, ip->flags & INSN_A16 ? (u16)(off + 4) : off + 4);
		s32 index = (s32)*slot32(ip->reg);

		outside = index < low || index > high;
	}
	if (outside) {
		op_sync();
		cpu_raise(cpu, VEC_BR, 0);
	}
	NEXT;
}
