/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of lockstep share. */
#ifndef FARBUS_CPU_LOCKSTEP_PRIVATE_H
#define FARBUS_CPU_LOCKSTEP_PRIVATE_H

#include "cpu/lockstep/lockstep.h"
#include "cpu/physmem.h"

#define KEPT_MAX     256u
#define KEPT_RESERVE 32u /* for what is written once somebody was asked to stop */
#define REPORT_SIZE  4096u
#define IMAGES_MAX   256u

/* All of the guest's state but memory. */
struct lockstep_state {
	u32 gpr[8];
	u32 eip, eflags;
	struct segment seg[SEG_COUNT], ldtr, tr;
	u32 gdtr_base, gdtr_limit, idtr_base, idtr_limit;
	u32 cr0, cr2, cr3, cr4, dr[8];
	u64 pdpte[4];
	u32 sysenter_cs, sysenter_esp, sysenter_eip;
	u32 cpl, halted, nmi_blocked, debug_hits;
	struct fpu_image fpu;
	u16 fpu_cs, fpu_ds, fpu_opcode;
	u32 fpu_ip, fpu_dp;
	u32 shadow; /* not compared: the interpreter notes STI's only where an event waits */
};

/* Words of a page, from `first` up to `end`. */
struct words {
	u32 first, end;
};

/* A page that a stretch has changed, and what of it the CPU has. */
struct lockstep_page {
	u32 gpa;
	u32 *memory;
	struct words native;
};

/* doubt.c: what may differ because it rests on undefined flags: bits of each. */
struct lockstep_doubt {
	u32 flags, gpr[8];
	struct {
		u32 gpa, bits;
	} image[IMAGES_MAX]; /* of flags in memory, by words */
	u32 images;	     /* taken down, each place once; the oldest go */
	bool used;	     /* something has differed and was let pass */
};

enum lockstep_phase {
	PHASE_NONE,   /* no stretch: changes of memory are only noted */
	PHASE_NATIVE, /* the CPU's */
	PHASE_FOLLOW, /* the interpreter's */
};

/* An instruction, as far as lockstep cares. */
struct lockstep_insn {
	u8 bytes[15];
	u8 len;	     /* 0: cannot be read */
	bool exempt; /* shows the CPU, or TF: not compared */
	bool two_byte;
	u8 opcode, modrm; /* opcode: of two bytes, the second */
	bool memory;	  /* modrm names memory, */
	bool has_lin;	  /* which is at `lin` */
	u32 lin;
	u32 undefined, defined; /* arithmetic flags behind it */
	/* A string instruction with REP, which may stop between two elements. */
	bool rep, a16, uses_si, uses_di, loads_eax;
	u8 size;       /* of an element */
	bool compares; /* CMPS and SCAS: it ends behind an element that leaves ZF != while_zf */
	bool while_zf;
};

/* A port access of the CPU's, for the interpreter to repeat without the device. */
struct lockstep_access {
	u16 port;
	u8 width;
	bool out;
	u32 value;
};

#define ACCESSES_MAX 1024u

/* ports.c: between v and its ops. */
struct lockstep_ports {
	struct vcpu_ops ops;
	const struct vcpu_ops *before;
	void *before_ctx;
	struct lockstep_access done[ACCESSES_MAX];
	u32 count, at;		    /* those of this stretch; the next to be repeated */
	bool unrepeatable;	    /* one of them has changed more than it has answered */
	u8 known[8192], loud[8192]; /* by port: was accessed; ... and has done so */
};

struct lockstep {
	struct vcpu *v;
	struct lockstep_host host;
	struct lockstep_stats stats;
	enum lockstep_phase phase;

	/* Frames without PHYS_PAGE_CLEAN; each is there once. */
	u32 *changed;
	u32 changed_count, changed_native; /* all, and those that were when the CPU stopped */
	struct lockstep_page kept[KEPT_MAX];
	u32 kept_count, kept_native; /* the same */
	u32 *before, *after; /* KEPT_MAX pages: before, and what the CPU has made of `native` */
	bool lost;	     /* more pages than can be kept: it cannot be taken back */

	struct lockstep_state start, native, now;
	u64 tlb_fills; /* these two of the vcpu, when the stretch began */
	u32 tables;
	enum lockstep_next next;
	bool crossed;	/* the CPU's stretch goes across changes of CPL or mode */
	bool repeating; /* what has differed, one by one: devices have been asked already */
	u32 error_code; /* where the CPU's fault would have its error code in memory; 1: nowhere */
	/*
	 * Bytes below the stack that the instruction at which the CPU stopped may have left:
	 * translated code puts this CPU's flags there before it makes the guest's of them, and CPUs
	 * carry out PUSHA and ENTER push by push. In one page; the same twice: none.
	 */
	u32 below_first, below_end;
	/* The interpreter's way to where the CPU stopped. */
	struct lockstep_insn target; /* the instruction there, once it has been looked at */
	bool target_known;
	u32 target_gpa;
	bool can_ask;
	bool arrived, cut;
	struct lockstep_doubt doubt;
	u32 flags_differ; /* arithmetic flags that do, once registers agree */
	u32 passes;	  /* of the interpreter at the place where the CPU stopped */
	u32 looks;	  /* in vain, with registers that agreed */
	/* Of its states there the one with the most of these registers; how many, and 1. */
	struct lockstep_state nearest;
	u32 nearest_count;
	/* Where memory differed at the first of them, and its two words. */
	u32 miss_gpa, miss_native, miss_now;
	bool host_due;

	struct lockstep_ports ports;
	char text[REPORT_SIZE], report[REPORT_SIZE]; /* of this stretch; of the last difference */
	u32 text_length;
};

static inline struct lockstep *lockstep_of(const struct vcpu *v)
{
	return v->mem->clean_ctx;
}

/*
 * General registers, EIP and CPL of v as in s: the quick test, which ends with the first that
 * differs. In a loop it is made each time around.
 */
static inline bool lockstep_near(const struct vcpu *v, const struct lockstep_state *s)
{
	for (unsigned i = 0; i < 8; i++)
		if (likely(v->gpr[i] != s->gpr[i]))
			return false;
	return v->eip == s->eip && v->cpl == s->cpl;
}

/* state.c */
void lockstep_save(struct vcpu *v, struct lockstep_state *s);
void lockstep_load(struct vcpu *v, const struct lockstep_state *s);
/* All but arithmetic flags and memory. */
bool lockstep_same(const struct lockstep_state *a, const struct lockstep_state *b);
bool lockstep_same_fpu(const u8 *a, const u8 *b);

/* pages.c */
void lockstep_pages_init(struct lockstep *l);
void lockstep_pages_begin(struct lockstep *l); /* of a stretch */
void lockstep_pages_swap(struct lockstep *l);  /* the CPU's result is kept, memory is as before */
void lockstep_pages_undo(struct lockstep *l);  /* memory as before */
bool lockstep_pages_full(const struct lockstep *l); /* nearly: no more should be changed */
bool lockstep_pages_same(struct lockstep *l);
/* A word of page `n` before the stretch, and after the CPU's. */
u32 lockstep_before(const struct lockstep *l, u32 n, u32 word);
u32 lockstep_native(const struct lockstep *l, u32 n, u32 word);

/* doubt.c, for the way one by one. */
void lockstep_doubt_clear(struct lockstep_doubt *doubt);
/* What is before an instruction is carried out, and is not known behind it. */
struct lockstep_before {
	u32 eip, top, operand; /* gpa of the stack's top and of the operand; 1: nowhere */
	u16 cs;
};
void lockstep_doubt_before(const struct lockstep *l, const struct lockstep_insn *insn,
			   struct lockstep_before *before);
void lockstep_doubt_after(struct lockstep *l, const struct lockstep_insn *insn,
			  const struct lockstep_before *before);
/* Bits of the word at gpa. */
u32 lockstep_doubt_at(const struct lockstep_doubt *doubt, u32 gpa);

/* insn.c: the instruction at CS:EIP of v, without side effects. */
void lockstep_insn(struct vcpu *v, struct lockstep_insn *insn);

/* follow.c */
/*
 * From the start to where the CPU stopped; false: it does not get there, or not so. by_steps: slow,
 * and flags that an instruction shortly before leaves undefined may differ.
 */
bool lockstep_follow(struct lockstep *l, bool by_steps);
/* The same for one instruction. */
bool lockstep_follow_single(struct lockstep *l, const struct lockstep_insn *insn);

/*
 * ports.c: devices are asked once, by whoever comes to a port first. What the CPU does in a stretch
 * is taken down, and the interpreter gets the same answers to the same questions, or none. A port
 * that was never accessed, or whose device has changed more than its answer then, ends a stretch.
 */
void lockstep_ports_init(struct lockstep *l);
void lockstep_ports_begin(struct lockstep *l); /* of a stretch */
/* Whether accesses of the CPU's wait to be repeated. */
static inline bool lockstep_ports_left(const struct lockstep *l)
{
	return l->ports.at < l->ports.count;
}

/* report.c */
void lockstep_describe(struct lockstep *l, bool single);

#endif
