/* SPDX-License-Identifier: BSD-2-Clause */
/* What the run loop asks of a CPU engine. */
#ifndef FARBUS_CPU_ENGINE_H
#define FARBUS_CPU_ENGINE_H

#include "cpu/vcpu.h"

struct engine {
	const char *name;
	/*
	 * Carries out guest instructions until something needs the run loop. Delivers interrupts
	 * (through ops->intack) and exceptions itself. On return v is exact: EFLAGS materialised,
	 * EIP at the next instruction to execute.
	 */
	enum exit_reason (*run)(struct vcpu *v);
	/* Exactly one instruction (or one event delivery), for the monitor and for lockstep. */
	enum exit_reason (*step)(struct vcpu *v);
};

extern const struct engine interp_engine;

/*
 * Makes the interpreter's caches from `arena` (interp_arena_size() bytes, 16-byte aligned) and
 * hooks it to v->mem. v->mem, v->ops and v->ops_ctx must be set. Returns 0.
 */
size_t interp_arena_size(u32 guest_ram_size);
int interp_init(struct vcpu *v, void *arena, size_t size);

/* The next run() asks v->hand_over not only where CPL, mode or segments have changed. */
void interp_ask_often(struct vcpu *v);

/*
 * From now on run() asks `stop` before each instruction at CS:eip whose first byte is at gpa, with
 * all of v exact but for the lazy flags; true makes it return EXIT_HAND_OVER. NULL: no longer.
 */
void interp_stop_at(struct vcpu *v, u32 eip, u32 gpa, bool (*stop)(struct vcpu *v));

#endif
