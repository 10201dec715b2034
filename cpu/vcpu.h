/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of one IA-32 CPU. Every engine works on this one structure, and any engine may hand any
 * state to any other between two instructions. Names are the Intel SDM's.
 */
#ifndef FARBUS_CPU_VCPU_H
#define FARBUS_CPU_VCPU_H

#include "lib/types.h"

enum { REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI };

/* In the order of the Sreg field of instructions (SDM vol. 2, 3.1.1.3). */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_COUNT };

/* EFLAGS */
#define FLAG_CF	  BIT(0)
#define FLAG_PF	  BIT(2)
#define FLAG_AF	  BIT(4)
#define FLAG_ZF	  BIT(6)
#define FLAG_SF	  BIT(7)
#define FLAG_TF	  BIT(8)
#define FLAG_IF	  BIT(9)
#define FLAG_DF	  BIT(10)
#define FLAG_OF	  BIT(11)
#define FLAG_IOPL (3u << 12)
#define FLAG_NT	  BIT(14)
#define FLAG_RF	  BIT(16)
#define FLAG_VM	  BIT(17)
#define FLAG_AC	  BIT(18)
#define FLAG_VIF  BIT(19)
#define FLAG_VIP  BIT(20)
#define FLAG_ID	  BIT(21)
#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define FLAGS_FIXED BIT(1) /* always set */
#define FLAGS_EXIST 0x003f7fd5u /* all others there are; the rest of EFLAGS is reserved and 0 */

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME	       BIT(0)
#define CR4_PVI	       BIT(1)
#define CR4_TSD	       BIT(2)
#define CR4_DE	       BIT(3)
#define CR4_PSE	       BIT(4)
#define CR4_PAE	       BIT(5)
#define CR4_MCE	       BIT(6)
#define CR4_PGE	       BIT(7)
#define CR4_PCE	       BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)

/* Exception vectors (SDM vol. 3, table 6-1) */
enum {
	VEC_DE = 0, VEC_DB = 1, VEC_NMI = 2, VEC_BP = 3, VEC_OF = 4, VEC_BR = 5, VEC_UD = 6,
	VEC_NM = 7, VEC_DF = 8, VEC_TS = 10, VEC_NP = 11, VEC_SS = 12, VEC_GP = 13, VEC_PF = 14,
	VEC_MF = 16, VEC_AC = 17, VEC_MC = 18, VEC_XM = 19,
};

/*
 * Segment attributes: the descriptor's access byte in bits 0-7 (type 0-3, S 4, DPL 5-6, P 7) and
 * its flags in bits 12-15 (AVL 12, L 13, D/B 14, G 15), as VMX and SVM keep them.
 */
#define SEG_TYPE     0x000fu
#define SEG_ACCESSED BIT(0)
#define SEG_RW	     BIT(1) /* data: writable; code: readable */
#define SEG_EC	     BIT(2) /* data: expand-down; code: conforming */
#define SEG_CODE     BIT(3)
#define SEG_S	     BIT(4) /* code or data, not system */
#define SEG_DPL_SHIFT 5
#define SEG_P	     BIT(7)
#define SEG_AVL	     BIT(12)
#define SEG_DB	     BIT(14)
#define SEG_G	     BIT(15)

struct segment {
	u32 base;
	u32 limit; /* last valid offset (first invalid one minus 1 for expand-down), G applied */
	u16 sel;
	u16 attr;
	/*
	 * Derived by segment_derive(): an access at `off` with off < rd_count (wr_count) of up to 16
	 * bytes needs no further limit or type check. 0 sends every access to the exact check.
	 */
	u32 rd_count, wr_count;
};

struct desc_table {
	u32 base;
	u16 limit;
};

/* The FXSAVE area (SDM vol. 1, 10.5.1); an FSAVE-only host keeps the x87 part in the same form. */
struct fpu_image {
	u8 bytes[512];
} __attribute__((aligned(16)));

/* Events an engine looks at between blocks; set from interrupt handlers too. */
#define VCPU_EV_INTR BIT(0) /* the PIC's INTR is high */
#define VCPU_EV_NMI  BIT(1)
#define VCPU_EV_HOST BIT(2) /* leave run(): the run loop has something to do */
#define VCPU_EV_STEP BIT(3) /* engine-internal: TF, shadow or a breakpoint needs the slow path */
#define VCPU_EV_ONCE BIT(4) /* engine-internal: come back after the current instruction */

/* v->shadow: what MOV SS and STI hold off until after the next instruction. */
#define SHADOW_STI   BIT(0)
#define SHADOW_MOVSS BIT(1)

enum exit_reason {
	EXIT_EVENT,	  /* VCPU_EV_HOST was set */
	EXIT_HLT,	  /* HLT executed; v->halted is set */
	EXIT_SHUTDOWN,	  /* triple fault */
	EXIT_IO_WAIT,	  /* a port access is not answered yet; EIP is still at the instruction */
	EXIT_STEP,	  /* the monitor's single step or breakpoint */
	EXIT_HAND_OVER,	  /* between engines: v->hand_over() said yes */
	EXIT_REASON_COUNT,
};

/* LOCAL: all but global pages; PAGE: one page, or the large page that an address is in. */
enum tlb_flush { TLB_FLUSH_ALL, TLB_FLUSH_LOCAL, TLB_FLUSH_PAGE };

struct vcpu;
struct physmem;
struct interp;

/*
 * What the CPU's pins lead to. Ports come with width 1, 2 or 4. in/out return false when the answer
 * is not there yet: the instruction is then restarted later (EXIT_IO_WAIT). ins/outs return how many
 * elements were carried out, 0 meaning "not yet".
 */
struct vcpu_ops {
	bool (*in)(void *ctx, u16 port, unsigned width, u32 *value);
	bool (*out)(void *ctx, u16 port, unsigned width, u32 value);
	u32 (*ins)(void *ctx, u16 port, unsigned width, void *buf, u32 count);
	u32 (*outs)(void *ctx, u16 port, unsigned width, const void *buf, u32 count);
	int (*intack)(void *ctx);	     /* PIC acknowledge cycle: the vector, 0-255 */
	u64 (*tsc)(void *ctx);		     /* the time-stamp counter, host cycles */
	void (*ferr)(void *ctx, bool level); /* FERR#: the PC's IRQ 13 */
	bool (*ignne)(void *ctx);	     /* IGNNE# (port F0h) is asserted; NULL: never */
};

/* The catch point of cpu_raise(): jump buffer for __builtin_longjmp, and what was raised. */
struct cpu_fault {
	void *jmp[5];
	u8 vector;
	u32 error;
};

struct vcpu_stats {
	u64 insns;		/* guest instructions retired */
	u64 exits[EXIT_REASON_COUNT];
	u64 io_in, io_out, io_string, mmio;
	u64 exceptions[32];
	u64 interrupts;
	u64 blocks_decoded, pages_dropped, slow_steps, tlb_fills;
};

struct vcpu {
	/* The hot part: engines address it with short displacements. */
	u32 gpr[8];
	u32 eip;	      /* of the current instruction whenever other code may look */
	u32 eflags;	      /* arithmetic bits are lazy inside an engine: vcpu_eflags() */
	/* Private to the interpreter, see cpu/interp/interp.h: arithmetic flags, pseudo registers. */
	u32 cc, zero, ea, tmp;
	volatile u32 events;  /* VCPU_EV_* */
	u32 event_mask;	      /* interpreter: those worth leaving a block for (INTR not with IF off) */
	u32 event_hold;	      /* those that have to wait: lockstep carries something out again */
	const void *cur;      /* interpreter: the decoded instruction being carried out */
	u32 page_eip;	      /* EIP of offset 0 of the page being executed (may be "negative") */
	u32 icount;	      /* retired since the last fold into stats.insns */
	void *tlb_set;	      /* the half of the TLB that belongs to the CPL */
	struct segment seg[SEG_COUNT];
	u8 cpl;
	u8 shadow;	      /* SHADOW_* */
	bool halted;
	bool ext;	      /* an event other than INT n is being delivered: error codes get EXT */
	bool nmi_blocked;     /* an NMI was delivered and no IRET executed since */
	bool mem_slow;	      /* #AC or a data breakpoint may be due: all rd_count, wr_count are 0 */
	/*
	 * Goes up with whatever makes a cached translation, CPL or mode derived from it stale: TLB
	 * flushes, CPL, CR0, CR4, VM and CS.D changes. An engine compares it with its own copy.
	 */
	u32 generation;
	/*
	 * Goes up with TLB flushes and with changes of GDTR, IDTR, LDTR and TR: where descriptors and
	 * the TSS lie in memory holds while it stays.
	 */
	u32 tables;
	/* How many of these were loads of CR3 that left global pages and noted large ones as they
	 * were: tlb_outlasts(). */
	u32 kept_loads;
	u32 flushes; /* of the whole TLB, loads of CR3 included */
	u32 debug_hits;	      /* DR6 bits since the last cpu_debug_trap() */
	struct cpu_fault fault;

	u32 cr0, cr2, cr3, cr4;
	u32 dr[8];
	u64 pdpte[4];	      /* PAE: loaded by MOV CR3 (SDM vol. 3, 4.4.1) */
	struct segment ldtr, tr;
	struct desc_table gdtr, idtr;

	u32 msr_sysenter_cs, msr_sysenter_esp, msr_sysenter_eip;
	u64 msr_apic_base, msr_debugctl;
	u64 tsc_offset;

	struct fpu_image fpu; /* valid when the host FPU does not hold it (fpu_loaded false) */
	bool fpu_loaded;
	bool fpu_native;      /* ... and the host FPU also has what fpu_cs to fpu_dp are for */
	bool fpu_ferr;	      /* FERR# as last driven */
	u16 fpu_cs, fpu_ds, fpu_opcode; /* last x87 instruction and operand, for FSTENV and FSAVE */
	u32 fpu_ip, fpu_dp;

	u32 feature_mask;     /* CPUID.1:EDX bits this VM may show (what is really carried out) */
	const struct vcpu_ops *ops;
	void *ops_ctx;
	struct physmem *mem;
	struct interp *interp;
	/* Told of each flush of the TLB, after it: linear addresses may lead elsewhere. Or NULL. */
	void (*flushed)(struct vcpu *v, enum tlb_flush what, u32 lin);
	void (*was_reset)(struct vcpu *v); /* or NULL */
	void *direct;	      /* the direct engine's own state (cpu/direct/), NULL without it */
	/*
	 * Asked by the interpreter where CPL, mode or segments have changed: true makes its run()
	 * return EXIT_HAND_OVER. NULL: never.
	 */
	bool (*hand_over)(struct vcpu *v);
	struct vcpu_stats stats;
};

/*
 * EFLAGS with the arithmetic bits materialised, and all of it set at once. The lazy form is the
 * interpreter's, so cpu/interp/ has both; other code may still test and change the other bits of
 * v->eflags in place.
 */
u32 vcpu_eflags(struct vcpu *v);
void vcpu_set_eflags(struct vcpu *v, u32 value);

/* One instruction each: interrupt handlers set bits at any time. */
static inline void vcpu_event_set(struct vcpu *v, u32 bits)
{
	asm volatile("orl %1, %0" : "+m"(v->events) : "ri"(bits) : "cc");
}
static inline void vcpu_event_clear(struct vcpu *v, u32 bits)
{
	asm volatile("andl %1, %0" : "+m"(v->events) : "ri"(~bits) : "cc");
}

/* Power-on or INIT state (SDM vol. 3, table 9-1): CS:EIP = F000:FFF0, base FFFF0000h. */
void vcpu_reset(struct vcpu *v);

static inline bool vcpu_protected(const struct vcpu *v)
{
	return v->cr0 & CR0_PE;
}
static inline bool vcpu_v86(const struct vcpu *v)
{
	return v->eflags & FLAG_VM;
}
/* Real-address or virtual-8086 mode: segment registers load as selector * 16. */
static inline bool vcpu_real_segments(const struct vcpu *v)
{
	return !(v->cr0 & CR0_PE) || (v->eflags & FLAG_VM);
}
static inline unsigned vcpu_iopl(const struct vcpu *v)
{
	return (v->eflags & FLAG_IOPL) >> 12;
}

#endif
