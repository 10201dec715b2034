/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter against the real CPU: one case is a few bytes of code with the registers, memory
 * and FPU state before it; it runs natively in this 32-bit process and by the interpreter in a
 * guest whose linear addresses, selectors and descriptors are the same.
 */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_H

#include "lib/types.h"

struct vcpu;

/* Linear addresses, the same in both worlds. */
#define CODE_LIN   0x10000000u
#define CODE_SIZE  0x40000u
#define DATA_LIN   0x20000000u /* writable, then read-only, nothing mapped around it */
#define DATA_RW	   0x2000u
#define DATA_SIZE  0x3000u
#define DATA_GUARD 0x10000u /* reserved and inaccessible before and after */

/* Selectors: what a 32-bit process on a 64-bit Linux has, and the LDT that the tests make. */
#define SEL_CODE   0x23
#define SEL_DATA   0x2b
#define SEL_TLS	   0x63
#define SEL_LDT(n) ((n) << 3 | 7)
enum {
	LDT_DATA,	/* base DATA_LIN, limit FFFFh */
	LDT_SMALL,	/* base DATA_LIN, limit 17FFh */
	LDT_READ_ONLY,	/* base DATA_LIN, limit 1FFFh */
	LDT_DOWN,	/* expand-down from 1000h up, 32-bit */
	LDT_DOWN_16,	/* the same, 16-bit: up to FFFFh */
	LDT_STACK_16,	/* base DATA_LIN, limit 1FFFh, B = 0 */
	LDT_CODE_16,	/* base CODE_LIN, limit FFFFh, readable, D = 0 */
	LDT_EXEC_16,	/* the same, execute-only */
	LDT_ABSENT,	/* not present */
	LDT_CONFORMING, /* conforming code, not present (Linux gives no other) */
	LDT_CODE_32,	/* base CODE_LIN, limit FFFFFh */
	LDT_FLAT,	/* flat data, 4 GB */
	LDT_EMPTY,	/* an all-zero descriptor in the middle */
	LDT_LAST,	/* data, to give the table its length */
	LDT_COUNT
};

#define FX_BYTES 512
#define EXITS	 5
#define VEC_EXIT 0x30 /* the case ran to one of its exits */
#define PATCHES	 6

struct regs {
	u32 gpr[8];
	u32 eip, eflags;
	u16 seg[6];
};

struct outcome {
	struct regs regs; /* at an exit: eip is the exit's */
	u32 vector, error, cr2;
	u8 fx[FX_BYTES] __attribute__((aligned(16)));
};

struct patch {
	u32 lin, len;
	u8 bytes[32];
};

struct test_case {
	u8 code[96];
	u32 len; /* of the code */
	bool two_byte;
	u8 opcode, modrm;
	u32 lin;	     /* where it starts */
	u32 exit_lin[EXITS]; /* the last right behind it (0: no room), the others before */
	bool special;	     /* sets segment registers or TF: entered and left by signals */
	bool uses_fpu;
	struct regs in;
	struct patch patch[PATCHES];
	u32 patches;
	u32 fxsave_lin; /* not 0: FXSAVE writes there, with another MXCSR_MASK than ours */
	u32 fx_lin;	/* not 0: fx_mem goes there first */
	u8 fx_mem[FX_BYTES];
	u8 fx[FX_BYTES] __attribute__((aligned(16)));
};

/* A pseudo-random stream (xorshift), the same on every machine. */
struct rng {
	u64 state;
};
u32 rng_next(struct rng *r);
u32 rng_below(struct rng *r, u32 n);
static inline bool rng_one_in(struct rng *r, u32 n)
{
	return rng_below(r, n) == 0;
}
u32 rng_value(struct rng *r); /* with a liking for edges */

/* support_gen.c: the next random case. `index` chooses its place in the code pages. */
void gen_case(struct rng *r, u32 index, struct test_case *t);

/* support_map.c: what stands behind each opcode; 0 for those that the tests leave out. */
#define OP_MODRM  BIT(0)
#define OP_MEM	  BIT(1) /* memory forms only: the others mean something else here */
#define OP_IB	  BIT(2)
#define OP_IW	  BIT(3)
#define OP_IZ	  BIT(4)
#define OP_REL8	  BIT(5)
#define OP_RELZ	  BIT(6)
#define OP_FAR	  BIT(7)
#define OP_MOFFS  BIT(8)
#define OP_STACK  BIT(9)
#define OP_STRING BIT(10)
#define OP_SEG	  BIT(11) /* changes segment registers: a special case */
#define OP_JUMP	  BIT(12) /* its operand or the stack holds where to go */
#define OP_NO_REP BIT(13) /* F2 and F3 make something newer of it */
#define OP_FPU	  BIT(14)
#define OP_PLAIN  BIT(15) /* exists, with nothing special about it */
#define OP_NO_66  BIT(16)
#define OP_F3	  BIT(17) /* has a scalar form */
#define OP_LOCK	  BIT(18) /* LOCK is allowed with memory */
#define OP_SELECT BIT(19) /* the operand is a selector */
u32 map_attributes(bool two_byte, u8 opcode);

/* support_fx.c: random x87, MMX and SSE state in the FXSAVE form. */
void gen_fpu_state(struct rng *r, u8 *fx);
u32 gen_mxcsr(struct rng *r);

/* support_native.c */
void native_init(void);
void native_watch(void); /* from now on a case that runs for seconds is stopped */
void native_run(const struct test_case *t, struct outcome *out);
/* The descriptors as the process has them, for the guest to copy. */
extern u64 native_gdt[16], native_ldt[LDT_COUNT];

/* support_guest.c */
void guest_init(void); /* after native_init() */
void guest_run(const struct test_case *t, struct outcome *out);
u8 *guest_data(void); /* the guest's copy of DATA_LIN, DATA_SIZE bytes */
struct vcpu *guest_vcpu(void);
/* A trap in the test's own code: does it belong to a stub of the FPU code? */
bool guest_fixup(u32 vector, u32 *eip);
void guest_interrupt(void); /* makes a running guest stop soon; from a signal handler */
u32 segment_base(u16 sel);  /* of a selector in the tables above */

#define VEC_HUNG 0xff /* outcome.vector: stopped by the watchdog */

/* support_run.c: both worlds, and what differs. Returns true when they agree. */
bool run_both(const struct test_case *t, bool verbose);
void case_print(const struct test_case *t);

/* support_flags.c: whether this CPU is of the make that the interpreter follows where the SDM says
 * "undefined", and what the SDM says that of after this instruction. */
bool is_reference_cpu(void);
u32 undefined_flags(const struct test_case *t);

#endif
