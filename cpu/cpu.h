/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the instruction set does beyond moving data, the same for every engine: faults, segment
 * loads, far transfers, interrupts, task switches, control registers. Each function carries out the
 * whole instruction from v->eip to `next_eip`, or leaves through cpu_raise() with the guest state as
 * it was before (exceptions to that are the architecture's own: task switches).
 */
#ifndef FARBUS_CPU_CPU_H
#define FARBUS_CPU_CPU_H

#include "cpu/vcpu.h"

/*
 * Raises a fault at the current instruction: unwinds to the engine's cpu_catch point, which makes
 * v->eip exact and calls cpu_exception(). error is ignored for vectors without an error code.
 * v->cur NULL at the catch point means that v->eip is exact already: a task switch that faults after
 * its point of no return has the new task's EIP there.
 */
_Noreturn void cpu_raise(struct vcpu *v, u8 vector, u32 error);
static inline _Noreturn void cpu_raise_gp0(struct vcpu *v)
{
	cpu_raise(v, VEC_GP, 0);
}
static inline _Noreturn void cpu_raise_ud(struct vcpu *v)
{
	cpu_raise(v, VEC_UD, 0);
}
_Noreturn void cpu_raise_pf(struct vcpu *v, u32 lin, u32 error); /* sets CR2 */

/* The catch point: an engine fills jmp with __builtin_setjmp() before it executes anything. */
static inline struct cpu_fault *cpu_fault_of(struct vcpu *v)
{
	return &v->fault;
}

/* How an event came about: decides pushed EIP, EXT bit, privilege check and error code. */
enum event_kind { EVENT_FAULT, EVENT_TRAP, EVENT_SOFT_INT, EVENT_INT3_INTO, EVENT_EXTERNAL, EVENT_ICEBP };

/*
 * Delivers a raised fault with the double- and triple-fault rules (SDM vol. 3, 6.15, table 6-5).
 * Sets up its own catch point. Returns false on shutdown.
 */
bool cpu_exception(struct vcpu *v, u8 vector, u32 error);
/* The same for an external interrupt, NMI or a debug trap between two instructions. */
bool cpu_deliver(struct vcpu *v, u8 vector, enum event_kind kind);

/* Derived fields of a segment, after any change to base, limit or attr (then cpu_mode_changed()). */
void segment_derive(struct segment *s);
/* MOV/POP/LxS Sreg (not CS). Honours real, V86 and protected mode. */
void cpu_load_seg(struct vcpu *v, unsigned seg, u16 sel);

/* Far transfers and returns; opsize is 2 or 4. */
void cpu_far_jmp(struct vcpu *v, u16 sel, u32 off, unsigned opsize, u32 next_eip);
void cpu_far_call(struct vcpu *v, u16 sel, u32 off, unsigned opsize, u32 next_eip);
void cpu_far_ret(struct vcpu *v, unsigned opsize, u32 pop_bytes);
void cpu_iret(struct vcpu *v, unsigned opsize, u32 next_eip);
void cpu_int(struct vcpu *v, u8 vector, u32 next_eip);	/* INT n: IOPL, VME and gate checks */
void cpu_int3(struct vcpu *v, u32 next_eip);
void cpu_into(struct vcpu *v, u32 next_eip);
void cpu_icebp(struct vcpu *v, u32 next_eip);
void cpu_sysenter(struct vcpu *v);
void cpu_sysexit(struct vcpu *v);

/* Task switch (SDM vol. 3, 7.3), 286 and 386 TSS. next_eip is what the old TSS saves. */
enum task_reason { TASK_JMP, TASK_CALL, TASK_INT, TASK_IRET };
void cpu_task_switch(struct vcpu *v, u16 tss_sel, enum task_reason reason, u32 next_eip,
		     bool has_error, u32 error);

/* System registers and tables. */
void cpu_mov_to_cr(struct vcpu *v, unsigned cr, u32 value);
u32 cpu_mov_from_cr(struct vcpu *v, unsigned cr);
void cpu_mov_to_dr(struct vcpu *v, unsigned dr, u32 value);
u32 cpu_mov_from_dr(struct vcpu *v, unsigned dr);
void cpu_lmsw(struct vcpu *v, u16 value);
void cpu_clts(struct vcpu *v);
void cpu_lgdt(struct vcpu *v, u32 base, u16 limit);
void cpu_lidt(struct vcpu *v, u32 base, u16 limit);
void cpu_lldt(struct vcpu *v, u16 sel);
void cpu_ltr(struct vcpu *v, u16 sel);
bool cpu_lar(struct vcpu *v, u16 sel, u32 *result);  /* the new ZF; result only when true */
bool cpu_lsl(struct vcpu *v, u16 sel, u32 *result);
bool cpu_verr(struct vcpu *v, u16 sel);
bool cpu_verw(struct vcpu *v, u16 sel);
void cpu_invlpg(struct vcpu *v, unsigned seg, u32 off);
void cpu_rdmsr(struct vcpu *v);
void cpu_wrmsr(struct vcpu *v);
void cpu_rdtsc(struct vcpu *v);
void cpu_rdpmc(struct vcpu *v);
void cpu_cpuid(struct vcpu *v);

/* CLI, STI, PUSHF, POPF with IOPL, V86, VME and PVI rules. */
void cpu_cli(struct vcpu *v);
void cpu_sti(struct vcpu *v); /* sets SHADOW_STI where IF went from 0 to 1 */
u32 cpu_pushf_image(struct vcpu *v, unsigned opsize);
void cpu_popf(struct vcpu *v, unsigned opsize, u32 value);

/* #GP(0) unless the CPL, IOPL and the TSS's I/O bitmap allow the port (SDM vol. 1, 19.5). */
void cpu_check_io(struct vcpu *v, u16 port, unsigned width);

/*
 * CR0, CR4, CPL, EFLAGS.VM/TF/AC/RF, DR7, CS or v->shadow changed: recomputes what engines derive
 * from them. Sets VCPU_EV_STEP while TF, a shadow or a code breakpoint needs instruction-by-instruction
 * work, moves v->generation on and re-derives the segments where v->mem_slow changes. Each function
 * above calls it itself; an engine needs it only after changes of its own (loading a state).
 */
void cpu_mode_changed(struct vcpu *v);

/*
 * Debug registers; used while DR7 enables any. cpu_code_breakpoint() is asked before the instruction
 * at lin: it honours RF, sets DR6 and returns true when #DB (EVENT_FAULT) is due. Data hits are
 * collected by the memory slow paths themselves, I/O hits by the engine's IN/OUT handlers.
 */
bool cpu_code_breakpoint(struct vcpu *v, u32 lin);
void cpu_data_breakpoint(struct vcpu *v, u32 lin, unsigned size, bool write);
void cpu_io_breakpoint(struct vcpu *v, u16 port, unsigned size);
/*
 * Asked after an instruction while v->debug_hits is not 0 (data and I/O breakpoints, the T bit of a
 * new TSS) or TF was set before it (single_step): moves the hits to DR6 and returns true when the
 * engine has to cpu_deliver(v, VEC_DB, EVENT_TRAP).
 */
bool cpu_debug_trap(struct vcpu *v, bool single_step);

#endif
