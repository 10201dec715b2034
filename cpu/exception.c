/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raising faults, and delivering them with the double-fault rules (SDM vol. 3, 6.15). A fault
 * unwinds to the innermost catch point; while an event is delivered that is the one here.
 */
#include "cpu/debug_regs.h"
#include "cpu/event.h"
#include "lib/str.h"

static bool error_has_ext(u8 vector)
{
	return vector >= VEC_TS && vector <= VEC_GP;
}

_Noreturn void cpu_raise(struct vcpu *v, u8 vector, u32 error)
{
	v->fault.vector = vector;
	v->fault.error = vector_has_error(vector) ? error : 0;
	if (v->ext && error_has_ext(vector))
		v->fault.error |= 1;
	v->ext = false;
	__builtin_longjmp(v->fault.jmp, 1);
}

_Noreturn void cpu_raise_pf(struct vcpu *v, u32 lin, u32 error)
{
	v->cr2 = lin;
	cpu_raise(v, VEC_PF, error);
}

/* One try under a catch point of its own; false when it raised: see v->fault. */
static __attribute__((noinline)) bool try_deliver(struct vcpu *v, u8 vector, enum event_kind kind,
						  u32 error)
{
	void *saved[5];

	memcpy(saved, v->fault.jmp, sizeof(saved));
	if (__builtin_setjmp(v->fault.jmp)) {
		memcpy(v->fault.jmp, saved, sizeof(saved));
		return false;
	}
	event_deliver(v, vector, kind, error, v->eip);
	memcpy(v->fault.jmp, saved, sizeof(saved));
	return true;
}

static bool contributory(u8 vector)
{
	return vector == VEC_DE || (vector >= VEC_TS && vector <= VEC_GP);
}

/* Table 6-5: does `second`, raised while `first` was delivered, make a double fault? */
static bool makes_double_fault(u8 first, u8 second)
{
	if (contributory(first))
		return contributory(second);
	if (first == VEC_PF)
		return contributory(second) || second == VEC_PF;
	return false;
}

/* Faults push RF set, so that the handler's return does not meet its own breakpoint (17.3.1.1). */
static bool fault_sets_rf(u8 vector)
{
	return vector != VEC_DB && vector != VEC_DF && vector != VEC_MC;
}

/*
 * #AC while pushing to a misaligned CPL 3 stack is benign, and so is the next one: a CPU goes on
 * like this until RESET. Here it is a shutdown, after more faults than any other chain can have.
 */
#define DELIVERY_ROUNDS 8u

static bool deliver(struct vcpu *v, u8 vector, enum event_kind kind, u32 error)
{
	unsigned round = 0;

	for (;;) {
		u8 second;

		if (kind == EVENT_FAULT && fault_sets_rf(vector))
			v->eflags |= FLAG_RF;
		if (kind == EVENT_FAULT && vector < ARRAY_SIZE(v->stats.exceptions))
			v->stats.exceptions[vector]++;
		if (try_deliver(v, vector, kind, error))
			break;
		if (++round == DELIVERY_ROUNDS)
			return false;
		second = v->fault.vector;
		error = v->fault.error;
		if (kind == EVENT_FAULT && vector == VEC_DF &&
		    (contributory(second) || second == VEC_PF))
			return false;
		if (kind == EVENT_FAULT && makes_double_fault(vector, second)) {
			second = VEC_DF;
			error = 0;
		}
		vector = second;
		kind = EVENT_FAULT;
	}
	if (vector == VEC_DB && kind != EVENT_EXTERNAL)
		v->dr[7] &= ~DR7_GD;
	return true;
}

bool cpu_exception(struct vcpu *v, u8 vector, u32 error)
{
	return deliver(v, vector, EVENT_FAULT, error);
}

bool cpu_deliver(struct vcpu *v, u8 vector, enum event_kind kind)
{
	if (kind == EVENT_EXTERNAL && vector == VEC_NMI)
		v->nmi_blocked = true;
	if (kind == EVENT_EXTERNAL)
		v->stats.interrupts++;
	v->halted = false;
	return deliver(v, vector, kind, 0);
}
