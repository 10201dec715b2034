/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct engine: guest code of CPL 3 runs on the CPU itself, under shadow page tables, until it
 * faults or an interrupt comes, V86 mode and, in V86 mode of this PC, real mode included; that of
 * CPL 0 to 2 translated. Everything else is the interpreter's: states that the CPU could not hold
 * exactly. docs/direct.md says what guest code
 * can see there that it could not see in the interpreter.
 */
#ifndef FARBUS_CPU_DIRECT_DIRECT_H
#define FARBUS_CPU_DIRECT_DIRECT_H

#include "cpu/engine.h"
#include "cpu/mmu/shadow.h"
#include "cpu/translate/translate.h"

#define DIRECT_KERNEL_LDT   264u /* entries */
#define DIRECT_LEAVE_VECTOR 31u	 /* how translated code leaves: an exception that there is not */

extern const struct engine direct_engine;

/* What the engine needs of the place it runs in. */
struct direct_host {
	/* The GDT and LDT that the CPU uses, 8192 entries each. Guest selectors are below
	 * own_selectors in the GDT. */
	u64 *gdt, *ldt;
	u16 own_selectors;
	u16 ldt_selector, small_selector; /* small_selector's descriptor is the engine's */
	bool cpuid_faults;		  /* at CPL 3 */
	u32 *esp0;			  /* in the TSS */
	void (*interrupt)(u32 vector);	  /* a hardware interrupt came; IF is off */
	/* The CPU reported something that no guest code can bring about (NMI, machine check). */
	__attribute__((noreturn)) void (*broken)(u32 vector, u32 eip);
	/* CPL 3 was in V86 mode by itself, which no CPU allows: the guest is shut down. */
	void (*astray)(void);
	struct shadow_config shadow;
	/*
	 * For guest code of CPL 0. code_size bytes for translations, which guest code may
	 * execute with the roots for CPL 0, and their state, which it may write to; NULL: CPL 0 is
	 * interpreted. And an LDT of DIRECT_KERNEL_LDT entries.
	 */
	u8 *code;
	u32 code_size; /* 64 KB or more */
	struct translate_state *state;
	u64 *kernel_ldt;
	u16 kernel_ldt_selector;
	u32 *leave_gate; /* upper half of the interrupt gate of DIRECT_LEAVE_VECTOR */
};

/* flag_pages: physmem's; shadow_pages: those of the host's shadow tables. */
/* code_size: of direct_host; 0: CPL 0 is interpreted. */
size_t direct_arena_size(u32 flag_pages, u32 shadow_pages, u32 code_size);
/* After interp_init(), in a zeroed arena; `host` is copied. */
void direct_init(struct vcpu *v, void *arena, const struct direct_host *host);

/* Why a state is interpreted. */
enum direct_refusal {
	REFUSE_NOTHING,
	REFUSE_CPL,	 /* 0 to 2, and nothing is translated; or 1 or 2 with a lower IOPL */
	REFUSE_CODE16,	 /* 0 to 2 with 16-bit code or stack */
	REFUSE_BARRED,	 /* 0 to 2 in a page with code and data, or in a loop around a port */
	REFUSE_REAL,	 /* real mode that V86 mode cannot stand for, or not worth while */
	REFUSE_FLAGS,	 /* CPL 3: IF off, IOPL 3, VIF or VIP; 0 to 2: TF, NT, AC */
	REFUSE_STEP,	 /* TF, debug registers, an interrupt shadow */
	REFUSE_SEGMENTS, /* not to be held by descriptors; 0 to 2: DS or ES null, near CS's limit */
	REFUSE_TABLES,	 /* page tables outside RAM; 0 to 2: that map Farbus's place */
	REFUSE_COUNT,
};

enum direct_exit {
	EXITS_INTERRUPT, /* of this PC */
	EXITS_FILL,	 /* page faults of the shadow tables alone */
	EXITS_FAULT,	 /* page faults of the guest */
	EXITS_MEMORY,	 /* accesses to devices: one instruction interpreted */
	EXITS_SYSTEM,	 /* INT n, SYSENTER; V86 mode: what v86_emulate.c does */
	EXITS_FPU,	 /* the guest's FPU state was loaded */
	EXITS_TRAP,	 /* single step, INT1 */
	EXITS_OTHER,	 /* one instruction interpreted: it faults, or does what CPL 3 may not */
	EXITS_COUNT,
};

struct direct_stats {
	u64 entries; /* from another engine to guest code on the CPU */
	u64 exits[EXITS_COUNT];
	u64 refused[REFUSE_COUNT];     /* times that the interpreter began for this reason */
	u64 interpreted[REFUSE_COUNT]; /* instructions */
	u64 crossed;		       /* between CPL 3 and 0, by cross.c */
	u64 translated;		       /* to translated code */
	u64 translated_left[2];	       /* translated code: to find more; for an instruction */
	u64 translated_calls; /* it went on behind an instruction that was carried out for it */
	u64 translated_steps; /* ... that the interpreter carried out */
	u64 real;	      /* entries of real mode */
	u64 real_pages;	      /* pages of it that were looked at */
	u64 vectors[32];      /* exceptions that ended direct execution */
};
extern const char *const direct_refusal_name[REFUSE_COUNT], *const direct_exit_name[EXITS_COUNT];

const struct direct_stats *direct_stats(const struct vcpu *v);
/* NULL where CPL 0 is interpreted. */
const struct translate_stats *direct_translate_stats(const struct vcpu *v);
const struct shadow_stats *direct_shadow_stats(const struct vcpu *v);

#endif
