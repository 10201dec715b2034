/* SPDX-License-Identifier: BSD-2-Clause */
/* What the direct engine keeps between one stretch of guest code and the next. */
#ifndef FARBUS_CPU_DIRECT_STATE_H
#define FARBUS_CPU_DIRECT_STATE_H

#include "cpu/direct/direct.h"
#include "cpu/direct/gates.h"

/* What guest code on the CPU has left to do. */
enum direct_next {
	NEXT_ANY,     /* look at the state */
	NEXT_STEP,    /* the instruction at v->eip is for the interpreter */
	NEXT_DOWN,    /* shutdown */
	NEXT_CROSSED, /* between CPL 3 and 0: see cross.c */
};

/* What VIF and VIP of this PC stand for while V86 mode runs (SDM vol. 3, 20.3). */
enum v86_vif {
	VIF_UNUSED,  /* CR4.VME is off: CLI, STI, PUSHF, POPF and IRET fault */
	VIF_IS_IF,   /* the guest's IOPL is 3: IF, and an interrupt that waits */
	VIF_IS_SAME, /* the guest uses VME itself */
};

/* What is known of a page of the 1 MB and 64 KB that real mode reaches. */
#define REAL_PAGES 0x110u
enum real_state {
	REAL_UNKNOWN,
	REAL_CLEAN, /* no instruction in it shows that it is V86 mode; it is watched */
	REAL_SHOWS,
};
struct real_page {
	const u8 *memory; /* that it is about; NULL: none */
	u32 mapping;	  /* physmem's, when that was looked up */
	u8 state, rewritten, epoch;
	u8 asked;    /* times that it was refused because of its state */
	bool barred; /* for the interpreter */
	u32 barred_at;
	s32 balance; /* cycles that the interpreter would have taken, less what was taken */
};
struct direct_real {
	struct real_page page[REAL_PAGES];
	struct real_page *begun; /* the page in which guest code was found fit last */
	u32 fit_generation;	 /* v's, when all segments were found to be as in V86 mode */
	bool fit;
	u32 switch_cycles; /* the fewest that guest code has run for, the switch included */
};

/* The translation of what is at an EIP, while nothing is forgotten. */
struct direct_entry {
	u32 eip, forgotten;
	struct translate_unit *unit;
};
#define DIRECT_ENTRIES 64u

/* The last store that was STORE_IDLE: store.c. Its instruction, where that is an easy one; NULL. */
struct direct_again {
	const struct translate_call *call;
	u32 generation; /* of v */
	u32 forgotten;	/* translate_forgotten() */
	const u32 *base, *value;
	u32 disp, immediate;
	u8 seg;
	u32 page; /* linear */
	uintptr_t addend;
	const u8 *flags; /* of the guest frame */
	struct shadow_idle idle;
};

struct direct {
	struct vcpu *vcpu;
	struct direct_host host;
	struct shadow *shadow;
	struct direct_stats stats;
	u64 accounted;	  /* guest instructions, when that was last put down to a refusal */
	u8 refusal;	  /* enum direct_refusal: why the interpreter runs */
	u64 narrow_since; /* `accounted` when 16-bit code was last met */
	bool narrow;	  /* 16-bit code is translated */
	bool small_stack; /* that of translated code is one of 16 bits */
	struct segment loaded[SEG_COUNT]; /* what the descriptor tables were last made from */
	u64 descriptor[SEG_COUNT];	  /* the same as descriptors, 0: null */
	bool loaded_ok;			  /* ... and could hold it */
	bool inner_data;		  /* ... and some that IRET would make null */
	bool entered;			  /* ... and the frame has the selectors */
	bool apart;			  /* ... or had, before CPL 0's */
	bool segments_changed;		  /* by guest code, since they were prepared */
	u32 cr0, cr4;			  /* of this PC now, but for CR0.TS */
	u32 cr2;			  /* of this PC after a page fault of guest code's */
	u64 guest_tsc_offset;
	u32 guest_cr4;			/* v's, that cr4 is made from */
	u32 own_cr4;			/* while Farbus runs, but for TSD */
	struct translator *translator;	/* NULL: CPL 0 is interpreted */
	struct kernel_segments *kernel; /* ... and this too */
	struct kernel_map *map;
	u16 ldt;		      /* LDTR on this PC */
	struct written_page *written; /* kernel_find.c */
	u32 kernel_entries;
	u32 barred_generation, barred_eip; /* of v, when EIP was in a page for the interpreter */
	bool barred_polls;		   /* ... because it waits for a port */
	u32 barred_insns;		   /* interpreted in such pages since one was translated */
	bool vme;			   /* this PC has it */
	u8 vif;				   /* enum v86_vif: what VIF is now */
	bool after_sti; /* V86 mode: one instruction is to run before an interrupt may come */
	bool single;	/* one instruction (translated: unit) only; then NEXT_ANY */
	bool crossed;	/* the frame has v's general registers and flags */
	struct direct_gate gate[DIRECT_GATES];
	struct direct_return back;
	struct direct_gate sysenter; /* what SYSENTER and SYSEXIT lead to, the same way: */
	struct direct_return sysexit;
	struct direct_settled settled;
	struct direct_again again;
	struct direct_entry entry[DIRECT_ENTRIES];
	/* What runs guest code: direct_guest(), or lockstep around it. */
	enum direct_next (*guest)(struct direct *d, struct vcpu *v);
	struct lockstep *lockstep; /* NULL: there is none */
	bool looks_at_faults;	   /* guest code stops behind each page fault that it gets */
	struct direct_real real;
};

#endif
