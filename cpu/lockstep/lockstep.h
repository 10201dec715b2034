/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lockstep: what an engine runs on the CPU is carried out by the interpreter as well, and the two
 * are compared. The CPU goes first, from the guest's state on until it stops somewhere. Then the
 * guest's memory and registers are put back, and the interpreter follows to the same place. What
 * comes next goes on with the interpreter's result.
 *
 * A stretch that differs is taken back once more and repeated one instruction at a time. What
 * differs then is reported, with the instruction; flags that the SDM leaves undefined and
 * instructions that show the CPU itself (docs/lockstep.md) are not compared.
 */
#ifndef FARBUS_CPU_LOCKSTEP_LOCKSTEP_H
#define FARBUS_CPU_LOCKSTEP_LOCKSTEP_H

#include "cpu/vcpu.h"

struct lockstep;

/* What the CPU's stretch ended with. */
enum lockstep_next {
	LOCKSTEP_ANY,	/* nothing in particular: look at the state */
	LOCKSTEP_STEP,	/* the instruction at v->eip is the interpreter's own */
	LOCKSTEP_DOWN,	/* shutdown */
	LOCKSTEP_UNFIT, /* it did not begin: not a state for the CPU */
};

struct lockstep_host {
	/*
	 * Runs guest code on the CPU, from the vcpu's state on; on return the vcpu's state is
	 * exact. single: one instruction at CPL 3, a short stretch otherwise.
	 */
	enum lockstep_next (*native)(void *native_ctx, bool single);
	void *native_ctx;
	/* Instructions that read and write memory fault as reads on this CPU. */
	bool reads_first;
	/* CMPXCHG8B does not leave the flags beside ZF alone on this CPU. */
	bool cmpxchg8b_flags;
	/* Has VCPU_EV_HOST set in a while, within a second; NULL: no one can. */
	void (*alarm)(void *ctx);
	/*
	 * The guest's clock stands still from one call with true to the next with false: while all
	 * but `native` is done. Comparing takes many times what it compares; with the clock going
	 * on a guest would get no further than its timer's next interrupt. NULL: it has no clock.
	 */
	void (*hold_clock)(void *ctx, bool hold);
	/* A difference was found; lockstep_report() says which. */
	void (*differs)(void *ctx);
	void *ctx;
};

struct lockstep_stats {
	u64 stretches;	  /* compared */
	u64 insns;	  /* in them */
	u64 repeated;	  /* stretches that were repeated one instruction at a time */
	u64 singles;	  /* instructions compared that way; not among `insns` */
	u64 not_compared; /* instructions that show the CPU itself */
	u64 undefined;	  /* instructions whose undefined flags differed */
	u64 crossed; /* of the stretches: those at more than one CPL, or in more than one mode */
	u64 ports;   /* port accesses within stretches */
	u64 unrepeatable; /* stretches in which a device has changed memory: not compared */
	u64 differences;
};

/* `flag_pages` is physmem's. */
size_t lockstep_arena_size(u32 flag_pages);
/*
 * In a zeroed arena, 16-byte aligned; hooks itself to v->mem, for good. `host` is copied. The
 * interpreter is there already.
 */
struct lockstep *lockstep_init(struct vcpu *v, void *arena, const struct lockstep_host *host);

/* One stretch on the CPU and in the interpreter. */
enum lockstep_next lockstep_run(struct lockstep *l);

const struct lockstep_stats *lockstep_stats(const struct lockstep *l);
/* The last difference: lines of text, each ends with a newline. "" while there was none. */
const char *lockstep_report(const struct lockstep *l);

/* For `native`: this stretch goes on behind a change of CPL or mode. */
void lockstep_crossed(struct lockstep *l);

/*
 * Before code that the CPU runs may change the page at gpa without anybody's seeing it: for hosts
 * whose `native` has no write protection.
 */
void lockstep_keep(struct lockstep *l, u32 gpa);

/* Flags that the SDM leaves undefined after an instruction; modrm is 0 where it has none. */
u32 lockstep_undefined_flags(bool two_byte, u8 opcode, u8 modrm);
/* Those that it gives a value, whatever they were. Not with REP, which may do nothing. */
u32 lockstep_defined_flags(bool two_byte, u8 opcode, u8 modrm);

#endif
