/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dynamic translator: guest code of CPL 0 to 2 becomes code that may run outside of CPL 0. It
 * knows 16-bit and 32-bit code and stacks; what it makes is 32-bit code, with the guest's stack.
 * Most instructions are copied as they are; branches lead to other translations; CLI, STI, PUSHF
 * and POPF work on a virtual IF; all else that reads or changes more than registers, memory and
 * arithmetic flags leaves translated code, for the interpreter to carry out. The guest's general
 * registers and stack are the CPU's meanwhile.
 *
 * At whatever instruction translated code is stopped, by a fault or by an interrupt,
 * translate_stopped() gives the guest's exact state between two of its instructions.
 *
 * Pure code: the places of code and state, and the way out, are the caller's.
 */
#ifndef FARBUS_CPU_TRANSLATE_TRANSLATE_H
#define FARBUS_CPU_TRANSLATE_TRANSLATE_H

#include "lib/types.h"

#define TRANSLATE_SEGS	    6u
#define TRANSLATE_SLOTS	    256u
#define TRANSLATE_SELECTORS 256u    /* those that segment registers may be loaded with */
#define TRANSLATE_LOADED    BIT(16) /* in state->loaded */

/* In EFLAGS. */
#define TRANSLATE_IF   BIT(9)
#define TRANSLATE_IOPL (3u << 12)

/* What translated code reads and writes itself, beside the guest's memory. */
struct translate_state {
	u32 eax, ecx;		 /* the guest's, while translated code needs the registers */
	u32 flags;		 /* LAHF's AH, and OF in bit 0 */
	u32 target;		 /* EIP that an indirect branch leads to */
	u32 new_if;		 /* POPF's */
	u32 vif;		 /* the guest's IF: 0 or TRANSLATE_IF */
	u32 iopl;		 /* the guest's, at its place in EFLAGS */
	u32 flags_add;		 /* what PUSHF's image lacks but for vif */
	u32 pending;		 /* not 0: an interrupt waits for IF */
	u32 exit;		 /* which exit was taken */
	u32 cr0, cr2, cr3, dr6;	 /* what MOV from them reads at CPL 0 */
	u32 dr7, dr7_set;	 /* the same; 0: to write 0 to it changes nothing */
	u32 bounds[2];		 /* of EIP in CS, for BOUND: with the highest bit flipped */
	u32 sel[TRANSLATE_SEGS]; /* the guest's selectors */
	/* With TRANSLATE_LOADED: the selector that translated code has put into a register. */
	u32 loaded[TRANSLATE_SEGS];
	u32 ret[TRANSLATE_SLOTS];  /* native code by a return address's low byte */
	u32 jump[TRANSLATE_SLOTS]; /* the same by a hash, for all indirect branches */
	/*
	 * What loads of a selector into DS, ES, FS and GS are carried out with, while the
	 * descriptor at that linear address is as it was; the selector that stands for it on the
	 * CPU. See translate_know().
	 */
	struct {
		u32 lin, low, high, native;
	} known[TRANSLATE_SELECTORS];
	u32 nothing[2]; /* zeros: what null selectors' descriptors are compared with */
};

struct translate_host {
	u8 *code; /* where translations go: executable at the same linear address */
	u32 code_size;
	struct translate_state *state;
	/* How translated code addresses *state: this displacement, after a segment prefix (64h FS,
	 * 65h GS). That segment begins at linear address 0. Guest instructions that use it are not
	 * translated, the other one is the guest's like DS, ES and SS. */
	u32 state_disp;
	u8 state_prefix;
	/* Linear address to which translated code jumps to leave, registers being the guest's
	 * except for what state->exit stands for: translate_left(). */
	u32 leave;
};

struct translate_stats {
	u64 units, insns;	  /* translated: units of code, guest instructions in them */
	u64 parts;		  /* units that are the ends of others */
	u64 links, unlinks, pads; /* exits that became jumps, and back; targets in the table */
	u64 dropped, flushes;
	u64 called, uncalled; /* instructions that kept faulting, and no longer did */
};

struct segment; /* cpu/vcpu.h */
struct translator;
struct translate_unit;

/* The CPU's registers while translated code runs, and the guest's. */
struct translate_regs {
	u32 gpr[8];
	u32 eip, eflags;
	bool shadow; /* the guest's STI holds interrupts off until after the next instruction */
};

enum translate_reason {
	TRANSLATE_GO_ON,     /* the code at EIP has not been reached from here before */
	TRANSLATE_INTERPRET, /* the instruction at EIP is not translated */
};

/*
 * What code is translated for: its code segment, and the stack. There are translations for several
 * of these at the same time; they do not lead to each other.
 */
#define TRANSLATE_CODE16  BIT(0) /* CS.D is 0 */
#define TRANSLATE_STACK16 BIT(1) /* SS.B is 0 */
#define TRANSLATE_OUTER	  BIT(2) /* CPL is 1 or 2: control registers are not to be read */
struct translate_context {
	u32 base, limit; /* of CS, in bytes; the last one that code may be at */
	u32 mode;	 /* TRANSLATE_* */
};

/* code_size: of 64 KB or more. The arena is zeroed and 16-byte aligned. */
size_t translate_arena_size(u32 code_size);
struct translator *translate_init(void *arena, const struct translate_host *host);

/*
 * What code is found, made and entered for from now on; after translate_init() that is flat 32-bit
 * code and stack. False: it was another one, and all places in translated code mean nothing now.
 */
bool translate_context(struct translator *t, const struct translate_context *c);

/* Before translated code runs: IF and IOPL of these EFLAGS, all else that POPF could set being 0;
 * and the guest's selectors, of TRANSLATE_SEGS segment registers. */
void translate_enter(struct translator *t, u32 eflags, const struct segment *seg);
/* The same where the selectors are those that the state has, and nothing in it is loaded. */
static inline void translate_enter_flags(struct translate_state *s, u32 eflags)
{
	s->vif = eflags & TRANSLATE_IF;
	s->iopl = eflags & TRANSLATE_IOPL;
	s->flags_add = s->iopl - TRANSLATE_IF;
}

/*
 * From now on translated code loads selector `sel` by itself: while the descriptor at lin is
 * low:high, `native` does for it (0, with lin 0: a null selector, for FS and GS only). Nothing is
 * known of other selectors, and after translate_know_nothing().
 */
void translate_know(struct translator *t, u8 sel, u32 lin, u32 low, u32 high, u16 native);
void translate_know_nothing(struct translator *t);

/*
 * The translation of the code at guest EIP, which lies at guest-physical gpa; NULL: none yet.
 * translate_make() makes one, from the 4 KB page that gpa is in, and may forget all others first.
 */
struct translate_unit *translate_find(const struct translator *t, u32 eip, u32 gpa);
struct translate_unit *translate_make(struct translator *t, u32 eip, u32 gpa, const u8 *page);

/*
 * The same for an instruction that begins at `off` in a page and ends in the next one, which
 * translate_crosses() asks for. The unit is that instruction, and depends on both pages.
 */
bool translate_crosses(const struct translator *t, const u8 *page, u32 off);
struct translate_unit *translate_find_across(const struct translator *t, u32 eip, u32 gpa,
					     u32 next_gpa);
struct translate_unit *translate_make_across(struct translator *t, u32 eip, u32 gpa, u32 next_gpa,
					     const u8 *page, const u8 *next_page);
u32 translate_entry(const struct translate_unit *u); /* linear address */

/*
 * After translated code has come to host.leave: *r, the CPU's registers, becomes the guest's. Then
 * translate_connect() may make the exit that was taken a jump to the unit of r->eip.
 */
enum translate_reason translate_left(struct translator *t, struct translate_regs *r);
void translate_connect(struct translator *t, struct translate_unit *to);

/*
 * An instruction that translated code leaves to the caller, and goes on behind: what of the state
 * the translator takes for granted must be as before (see translate_enter()).
 */
struct translate_call {
	u32 eip;
	u32 native; /* linear address: translated code behind it, with the guest's registers */
	u8 len;
	u8 what; /* TRANSLATE_PORT_* or TRANSLATE_CONTROL_*; 0: the guest's code says it */
	u8 operand;
};
#define TRANSLATE_PORT_WIDTH 7u /* 1, 2 or 4; 0: it is no IN or OUT */
#define TRANSLATE_PORT_OUT   BIT(3)
#define TRANSLATE_PORT_DX    BIT(4) /* without it the operand is the port */
/* The operand: the general register's number and, 3 bits further up, the control or debug
 * register's. */
#define TRANSLATE_CONTROL_CLTS	 (1u << 5)
#define TRANSLATE_CONTROL_FROM	 (2u << 5) /* MOV from a control register */
#define TRANSLATE_CONTROL_TO	 (3u << 5)
#define TRANSLATE_CONTROL_INVLPG (4u << 5) /* of the address in a register, in DS */
#define TRANSLATE_MEMORY	 (5u << 5) /* what would have been copied, but kept faulting */
#define TRANSLATE_DEBUG_FROM	 (6u << 5) /* MOV from and to a debug register */
#define TRANSLATE_DEBUG_TO	 (7u << 5)

/* The one that the exit was taken for, or NULL. If it says what it is, the CPU's registers are the
 * guest's. It holds as long as no unit and no link is dropped. */
const struct translate_call *translate_called(const struct translator *t);

/*
 * The transfer to another privilege level that translated code was left for, with the CPU's
 * registers being the guest's, but for EIP and the flags that translated code has of its own.
 */
enum translate_transfer {
	TRANSLATE_NO_TRANSFER,
	TRANSLATE_IRET, /* of 32-bit code and stack, without prefixes */
	TRANSLATE_SYSEXIT,
	TRANSLATE_STI_SYSEXIT, /* STI, which holds interrupts off, and SYSEXIT */
};
enum translate_transfer translate_transfer(const struct translator *t);

/* Goes up with each unit and each way between units that is forgotten. */
u32 translate_forgotten(const struct translator *t);

/* As translate_left() for translated code that was stopped at r->eip; false: that is no translated
 * code. */
bool translate_stopped(const struct translator *t, struct translate_regs *r);

/*
 * The guest's instruction at eip has faulted at that place, not for want of a mapping. True: it has
 * kept doing that and will be a call; its unit is dropped.
 */
bool translate_faulted(struct translator *t, u32 native, u32 eip);
/* A call for TRANSLATE_MEMORY is done. quiet: it would not have faulted. True: it is to be
 * translated again; its unit is dropped. */
bool translate_call_done(struct translator *t, const struct translate_call *c, bool quiet);

/* Where in the same unit, from that place in it on, the guest is at eip; 0: nowhere near. */
u32 translate_place(const struct translator *t, u32 native, u32 eip);

/* The bytes of a guest page have changed, or are about to. True: something was made from them. */
bool translate_drop_page(struct translator *t, u32 gpa);
/* The same for bytes of one page: only what was made from them goes. */
bool translate_drop_range(struct translator *t, u32 gpa, u32 len);
/* Whether there is a translation of anything in the page. */
bool translate_in_page(const struct translator *t, u32 gpa);
/* Linear addresses may lead elsewhere: no way from one guest page to another stays. */
void translate_drop_links(struct translator *t);
void translate_flush(struct translator *t);

const struct translate_stats *translate_stats(const struct translator *t);

#endif
