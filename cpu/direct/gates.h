/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gates and IRET frames were found to lead to, and how long that holds. gates.c finds it; see
 * there. Part of private.h.
 */
#ifndef FARBUS_CPU_DIRECT_GATES_H
#define FARBUS_CPU_DIRECT_GATES_H

#include "cpu/vcpu.h"

/* 8 bytes of the guest's that something was found in, and what they were. */
struct direct_found {
	const u32 *at;
	u32 low, high;
};

/* What a 32-bit interrupt or trap gate leads to from CPL 3: CPL 0, and its stack. */
struct direct_gate {
	u32 tables;   /* of v, when it was found or last found to hold */
	bool lasting; /* all of it lies in pages that loads of CR3 leave */
	u32 found;    /* direct_lasting() when it was found */
	struct direct_found gate, code, stack;
	const u32 *tss; /* ESP0, SS0 */
	struct segment cs, ss;
	u32 eip;
	u32 flag_if; /* IF behind it */
	u16 ss0;
	u8 vector;
	bool known, open; /* open: to INT n */
};
#define DIRECT_GATES 32u

/* CS and SS of CPL 3 that IRET leads to. */
struct direct_return {
	u32 tables;
	bool lasting;
	u32 found;
	struct direct_found code, stack;
	struct segment cs, ss;
	bool known;
};

static inline bool direct_found_same(const struct direct_found *f)
{
	return !((f->at[0] ^ f->low) | (f->at[1] ^ f->high));
}

/* What v->tables goes up with, without loads of CR3 that leave what is `lasting` where it is. */
static inline u32 direct_lasting(const struct vcpu *v)
{
	return v->tables - v->kept_loads;
}

static inline bool direct_gate_same(const struct direct_gate *g)
{
	return direct_found_same(&g->gate) && direct_found_same(&g->code) &&
	       direct_found_same(&g->stack) && (u16)g->tss[1] == g->ss0;
}

static inline bool direct_return_same(const struct direct_return *r)
{
	return direct_found_same(&r->code) && direct_found_same(&r->stack);
}

/*
 * What was found out for one crossing holds for the next one like it, as long as nothing comes
 * between them but crossings, calls, and faults that the shadow tables alone are to blame for.
 * `generation` says so of flushes, CR0, CR4 and modes. All else that could change v, or what
 * stands for it on this PC, calls direct_unsettle().
 */
struct direct_settled {
	u32 generation;			  /* v's, after the last crossing */
	const struct direct_gate *gate;	  /* translated code can run with its CS and SS, */
	u32 native, forgotten;		  /* and begins there, while so many were forgotten; or 0 */
	const struct direct_return *back; /* CPL 3 can run with its CS and SS */
	const u32 *own[2];		  /* see direct_kernel_maps_own() */
	/* What translated code may have put into state->loaded without a change to v; or 0. */
	u32 put_back[SEG_COUNT];
};

#endif
