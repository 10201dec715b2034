/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the translator's files share. A unit is the translation of guest code that runs on from one
 * entry: past conditional branches, and past calls, to which it goes on when they return.
 *
 * Units, exits and points lie in arrays in the order in which they were made, which is that of
 * their code; all of them are forgotten at once when one of the arrays is full.
 */
#ifndef FARBUS_CPU_TRANSLATE_PRIVATE_H
#define FARBUS_CPU_TRANSLATE_PRIVATE_H

#include "cpu/translate/translate.h"

/* How the guest's registers are to be had from the CPU's. */
enum recovery {
	AT,	     /* they are the same */
	LEAVING,     /* ... and the code there only leads to where the guest is already */
	COPIED,	     /* ... and EIP goes up as the native one does */
	SAVED_ECX,   /* ECX is in the state */
	SAVED,	     /* EAX and ECX are */
	SAVED_FLAGS, /* ... and so are the arithmetic flags */
	POPPED,	     /* EAX and ECX; vif is still to become new_if */
	TARGET,	     /* ECX, and EIP is state->target */
};

/* Beside one of them: STI holds interrupts off until the instruction is past. */
#define HELD 0x80u

/* From `off` in a unit's code on until the next point. */
struct point {
	u16 off;
	u8 recovery;
	u8 stack; /* by how much the stack pointer is still to go up, for the guest's */
	u32 eip;
};

struct exit {
	/* Its EIP. With a length of 0 the code does not go on, and `native` is the stub's address.
	 */
	struct translate_call call;
	u8 recovery, reason;
	u8 transfer;	/* enum translate_transfer */
	bool fixed : 1; /* never linked */
	bool waits : 1; /* for a unit of its page: in the translator's list of these */
	u8 *site;	/* a rel32 that leads to the stub or, linked, to a unit; NULL when fixed */
	struct translate_unit *from, *to;
	struct exit *next; /* of those that lead to the same unit, or wait */
};

struct translate_unit {
	u32 eip, gpa, context;
	u32 next_gpa; /* of the page in which its one instruction ends, or NO_PAGE */
	u32 source;   /* bytes from gpa on, in that page, on which it rests */
	u8 *code;
	u32 size;
	u8 *entry; /* code, or a place in that of the unit that it is a part of */
	/* A part has no code; it comes and goes with the unit. */
	struct translate_unit *whole, *parts, *part_next;
	struct translate_unit *hash_next, *page_next, *across_next;
	struct exit *in;
	u32 first_exit, exits, first_point, points;
	u32 stubs;   /* offset of its exits' in the code */
	bool listed; /* by its page, until it is dropped */
};

/* What one unit may take at most; unit.c's UNIT_INSNS_MAX times the longest sequence. */
#define UNIT_CODE_MAX	(8u * KB)
#define UNIT_EXITS_MAX	128u
#define UNIT_POINTS_MAX 256u

/* An instruction that has faulted, by the place of its first byte; faulting.c. */
struct faulting {
	u32 gpa;
	u8 faults, quiet; /* quiet: times in a row that it would not have faulted */
};
#define FAULTING_MAX 256u
#define FAULTS_MAX   4u

#define UNIT_HASH 1024u
#define INSN_MAX  15u /* bytes */
#define MARKS	  65536u
#define COVERS	  1024u
#define WAITING	  4096u
#define NO_EXIT	  (~0u)
#define NO_PAGE	  (~0u)
#define CONTEXTS  32u

struct translator {
	struct translate_host host;
	struct translate_stats stats;
	struct translate_unit *unit;
	struct exit *exit;
	struct point *point;
	u32 units_max, exits_max, points_max, units, exits, points;
	u8 *next; /* in host.code */
	u8 *lookup, *miss;
	bool held; /* the instruction at held_eip, which is being translated, follows STI */
	u32 held_eip;
	u32 forgotten;
	u32 last_exit; /* the one translate_connect() is about, or NO_EXIT */
	struct translate_context context[CONTEXTS];
	u32 contexts, current;
	struct translate_unit *hash[UNIT_HASH], *page[UNIT_HASH];
	struct translate_unit *across[UNIT_HASH]; /* by next_gpa */
	struct exit *waiting[WAITING];		  /* by the EIP that they lead to */
	u32 granules[UNIT_HASH];	       /* of their pages: those that any of them rests on */
	struct translate_unit *covers[COVERS]; /* see unit_cover() */
	u32 marks[MARKS / 32]; /* by the low bits of guest-physical addresses: see marked() */
	struct faulting faulting[FAULTING_MAX];
};

/* --- what begins where --- */

/* False: no unit begins at gpa, and no instruction there is a call because it faults. */
static inline bool marked(const struct translator *t, u32 gpa)
{
	return t->marks[gpa % MARKS / 32] >> gpa % 32 & 1;
}
static inline void mark(struct translator *t, u32 gpa)
{
	t->marks[gpa % MARKS / 32] |= BIT(gpa % 32);
}

/* --- classify.c --- */

enum insn_class {
	INSN_COPY,
	INSN_INTERPRET,
	INSN_HOST, /* as INTERPRET, and what follows it comes next as a rule */
	INSN_JCC,
	INSN_LOOP, /* LOOP, LOOPE, LOOPNE, JECXZ */
	INSN_JMP,
	INSN_CALL,
	INSN_RET,
	INSN_JMP_RM,
	INSN_CALL_RM,
	INSN_CLI,
	INSN_STI,
	INSN_PUSHF,
	INSN_POPF,
	INSN_PUSH_SEG,
	INSN_POP_SEG,	/* DS, ES, FS, GS */
	INSN_LOAD_SEG,	/* MOV to one of them */
	INSN_STORE_SEG, /* MOV to a general register */
};

struct guest_insn {
	enum insn_class class;
	u8 len;
	u8 opcode;     /* JCC: the condition; LOOP: the opcode; *_SEG: the segment register; HOST:
			  struct translate_call's `what`; INTERPRET: enum translate_transfer */
	u8 rm_at;      /* JMP_RM, CALL_RM, LOAD_SEG, STORE_SEG: offset of ModR/M */
	u8 prefixes;   /* bytes before the opcode */
	bool o16, a16; /* size of operands and addresses, prefixes included */
	u32 operand;   /* relative branches: the distance; RET: bytes to drop; HOST: its operand */
};

/* What the instruction in bytes[0, avail) is; INSN_INTERPRET too when it does not end there.
 * own_seg: the segment register that leads to the state; mode: TRANSLATE_CODE16 and _STACK16. */
struct guest_insn classify(const u8 *bytes, u32 avail, unsigned own_seg, u32 mode);

/* The `what` of IN and OUT, E4h to E7h and ECh to EFh. */
u8 classify_port(u8 opcode, bool o16);

/* Whether the instruction there goes on behind `avail`, which is less than it could have. */
bool classify_cut(const u8 *bytes, u32 avail, u32 mode);

/* --- unit.c; emit.h has what code is written with --- */

static inline const struct translate_context *unit_context(const struct translator *t)
{
	return &t->context[t->current];
}
/* Where a relative branch leads. */
static inline u32 unit_target(const struct guest_insn *g, u32 next)
{
	return g->o16 ? (next + g->operand) & 0xffff : next + g->operand;
}
/* Whether a state in which the guest is at eip is one right behind STI. */
static inline u8 unit_held(const struct translator *t, enum recovery r, u32 eip)
{
	return unlikely(t->held) && eip == t->held_eip && r != TARGET ? HELD : 0;
}

/* From here on in the unit's code the guest's state is to be had like this. */
static inline struct point *unit_point(struct translator *t, struct translate_unit *u,
				       enum recovery r, u32 eip)
{
	struct point *p = &t->point[u->first_point + u->points];
	u16 off = (u16)(t->next - u->code);

	if (u->points && p[-1].off == off)
		p--; /* the last one has no code */
	else
		u->points++;
	p->off = off;
	p->recovery = (u8)(r | unit_held(t, r, eip));
	p->stack = 0;
	p->eip = eip;
	return p;
}
/* A way out through the rel32 at `site`; its stub follows the unit's code. */
struct exit *unit_exit(struct translator *t, struct translate_unit *u, u8 *site, enum recovery r,
		       enum translate_reason reason, u32 eip);
/* JMP to where the code at EIP is translated, once it is linked. */
void unit_jump_out(struct translator *t, struct translate_unit *u, u32 eip);
/* Those of this instruction so far come back here once it is carried out. */
void unit_comes_back(struct translator *t, struct translate_unit *u, u32 eip, u32 next);

/* The last one in the arrays, without code yet. */
struct translate_unit *unit_new(struct translator *t, u32 eip, u32 gpa);

/* The way out for an instruction that the caller carries out; its stub is here. */
void unit_leave_for(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		    u32 eip);

/* Room for one more unit is there. */
struct translate_unit *unit_make(struct translator *t, u32 eip, u32 gpa, const u8 *page);
/* One instruction that goes on in the next page. */
struct translate_unit *unit_make_across(struct translator *t, u32 eip, u32 gpa, const u8 *page,
					const u8 *next_page);
/* Code at whose end EIP `to` follows if state->target is that. */
struct translate_unit *unit_make_pad(struct translator *t, u32 to);
/* The code that indirect branches share, the first in the cache. */
void unit_make_lookup(struct translator *t);

#define UNIT_INSNS_MAX 24u

/* --- unit_copies.c --- */

/* Where in the page and in the unit the guest instruction is that comes next. */
struct unit_place {
	u32 eip, off, count;
};
/* Whether an instruction that is not the first is left to the unit that begins there. */
static inline bool unit_begins(const struct translator *t, const struct translate_unit *u,
			       const struct unit_place *at)
{
	u32 gpa = (u->gpa & PAGE_MASK) + at->off;

	return at->count && marked(t, gpa) && translate_find(t, at->eip, gpa);
}
/* Instructions of 32-bit code that are copied, as many as come one after the other. */
void unit_copies(struct translator *t, struct translate_unit *u, const u8 *page,
		 struct unit_place *at);

/* --- unit_parts.c --- */

/* u is made of the bytes that it rests on: what begins with one of them may be a part of it. */
void unit_cover(struct translator *t, struct translate_unit *u);
/* A new part of a unit that has the code at gpa in its middle; NULL: there is none. */
struct translate_unit *unit_make_part(struct translator *t, u32 eip, u32 gpa);

/* --- unit_flags.c --- */

/* A way to the interpreter where the condition holds; the flags are saved. */
void unit_leave_if(struct translator *t, struct translate_unit *u, u8 condition, u32 eip);
void unit_cli(struct translator *t, struct translate_unit *u, u32 next);
void unit_sti(struct translator *t, struct translate_unit *u, u32 eip, u32 next);
void unit_pushf(struct translator *t, struct translate_unit *u, bool o16, u32 eip, u32 next);
void unit_popf(struct translator *t, struct translate_unit *u, bool o16, u32 eip, u32 next);

/* --- unit_branches.c --- */

/* To where state->jump says that state->target is translated; ECX is the target. */
void unit_jump_to_target(struct translator *t);
void unit_jcc(struct translator *t, struct translate_unit *u, const struct guest_insn *g, u32 next);
void unit_loop(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
	       u32 next);
void unit_call(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
	       u32 next);
void unit_ret(struct translator *t, struct translate_unit *u, const struct guest_insn *g, u32 eip);
void unit_jmp_rm(struct translator *t, struct translate_unit *u, const u8 *bytes,
		 const struct guest_insn *g, u32 eip);
void unit_call_rm(struct translator *t, struct translate_unit *u, const u8 *bytes,
		  const struct guest_insn *g, u32 eip);

/* --- unit_segments.c --- */

/* The segment register that leads to the state: the guest's is not in it. */
unsigned unit_own_segment(const struct translator *t);
void unit_push_seg(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		   u32 next);
void unit_pop_seg(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		  u32 eip, u32 next);
void unit_load_seg(struct translator *t, struct translate_unit *u, const u8 *bytes,
		   const struct guest_insn *g, u32 eip, u32 next);
void unit_store_seg(struct translator *t, struct translate_unit *u, unsigned rm,
		    const struct guest_insn *g, u32 next);

/* --- unit_system.c --- */

/* MOV with a control or debug register, where it takes no exit; false: nothing was made. */
bool unit_system(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		 u32 eip, u32 next);

/* --- faulting.c --- */

static inline struct faulting *faulting_entry(struct translator *t, u32 gpa)
{
	return &t->faulting[(gpa ^ gpa >> 7) % FAULTING_MAX];
}
/* Whether the instruction at gpa is for the caller to carry out. */
static inline bool faulting_is_call(struct translator *t, u32 gpa)
{
	const struct faulting *f = faulting_entry(t, gpa);

	return unlikely(f->gpa == gpa) && f->faults >= FAULTS_MAX;
}
void faulting_forget(struct translator *t, u32 page_gpa);
/* Marks all of them. */
void faulting_mark(struct translator *t);

/* --- state.c --- */

struct translate_unit *unit_of(const struct translator *t, u32 native);
/* Where in the unit's code, from this offset on, which is at point n, the guest is at eip; or NULL.
 * It takes `points` of them, and those that are LEAVING if it is to. */
u8 *state_place(const struct translator *t, const struct translate_unit *u, u32 n, u32 off,
		u32 points, u32 eip, bool leaving);

/* --- unit.c: what an exit that has a site ends in --- */

#define STUB_SIZE 16u
#define STUB_EXIT 7u /* offset of its number */

/* --- cache.c --- */

/* If it is not dropped yet. */
void unit_drop(struct translator *t, struct translate_unit *u);

/* --- links.c --- */

void exit_link(struct translator *t, struct exit *e, struct translate_unit *to);
/* It leads to its stub again. */
void exit_unlink(struct translator *t, struct exit *e);
/* Of a new unit: its exits to its own page, and those of units there that have waited for it. */
void exits_link_near(struct translator *t, struct translate_unit *u);
/* All that lead from one page to another. */
void exits_unlink_far(struct translator *t);

#endif
