/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the direct engine share: their functions. state.h has the data. */
#ifndef FARBUS_CPU_DIRECT_PRIVATE_H
#define FARBUS_CPU_DIRECT_PRIVATE_H

#include "cpu/debug_regs.h"
#include "cpu/direct/state.h"
#include "cpu/direct/switch.h"

static inline void direct_irq_off(void)
{
	asm volatile("cli" ::: "memory");
}

static inline void direct_irq_on(void)
{
	asm volatile("sti" ::: "memory");
}

/* The time-stamp counter's lower half. */
static inline u32 direct_cycles(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return low;
}

static inline struct direct *direct_of(struct vcpu *v)
{
	return v->direct;
}

/* What has to be taken care of before the next guest instruction. */
static inline u32 direct_events(const struct vcpu *v)
{
	u32 events = v->events & ~v->event_hold;

	return v->eflags & FLAG_IF ? events : events & ~VCPU_EV_INTR;
}

/*
 * Whether RF, which IRET takes from what a fault has pushed, may go at once: it is for breakpoints,
 * and would keep guest code from running on the CPU for one instruction. An interrupt that waits
 * pushes it once more.
 */
static inline bool direct_forgets_rf(const struct vcpu *v)
{
	return !debug_enabled(v) && !(v->events & ~v->event_hold & ~(u32)VCPU_EV_STEP);
}

/* Lockstep is to see what this CPU has made of a page fault's error code. */
static inline bool direct_fault_is_looked_at(const struct direct *d)
{
	return d->looks_at_faults && direct_frame.vector == VEC_PF;
}

/* engine.c: whether v can run on the CPU; prepares what that takes. */
enum direct_refusal direct_refuses(struct direct *d, struct vcpu *v);

static inline bool direct_same_segment(const struct segment *a, const struct segment *b)
{
	u32 x, y; /* sel and attr */

	_Static_assert(offsetof(struct segment, attr) == offsetof(struct segment, sel) + 2, "");
	__builtin_memcpy(&x, &a->sel, 4);
	__builtin_memcpy(&y, &b->sel, 4);
	return !((x ^ y) | (a->base ^ b->base) | (a->limit ^ b->limit));
}

/* segments.c */
/* Whether a descriptor can say it, and the descriptor. */
bool direct_segment_fits(const struct segment *s);
u64 direct_descriptor(const struct segment *s);
/* Whether they hold v's data segments and these already. */
bool direct_segments_hold(const struct direct *d, const struct vcpu *v, const struct segment *cs,
			  const struct segment *ss);
void direct_segments_init(struct direct *d);
/* Makes the CPU's descriptor tables hold v's segments; false: they cannot. */
bool direct_segments_prepare(struct direct *d, struct vcpu *v);
/* Right before guest code runs: the descriptors are there for the loads, selectors in the frame. */
void direct_segments_enter(struct direct *d, const struct vcpu *v);
/* Guest code has loaded selectors itself: null ones, and those of CS and SS. */
static inline bool direct_segments_changed(const struct vcpu *v)
{
	const struct direct_frame *f = &direct_frame;

	return ((u16)f->ds ^ v->seg[SEG_DS].sel) | ((u16)f->es ^ v->seg[SEG_ES].sel) |
	       ((u16)f->fs ^ v->seg[SEG_FS].sel) | ((u16)f->gs ^ v->seg[SEG_GS].sel);
}
/* A switch to translated code with a 16-bit stack; the frame has its selectors. */
void direct_switch_small(struct direct *d, u32 root, u32 cr0);
/* They become v's. */
void direct_segments_leave(struct direct *d, struct vcpu *v);
/*
 * Guest code was left at v->eip for what has come up meanwhile: that has to wait if code has just
 * loaded SS (SDM vol. 3, 6.8.3), and the instruction behind that has faulted, for Farbus alone.
 */
void direct_hold_behind_mov_ss(struct vcpu *v);
/* Both for V86 mode and real mode. */
void direct_segments_enter_v86(struct direct *d, const struct vcpu *v);
void direct_segments_leave_v86(struct vcpu *v);

/* engine.c: guest code on the CPU until something else has to run. v was found fit just now. */
enum direct_next direct_guest(struct direct *d, struct vcpu *v);

/* SGDT, SIDT, SLDT, STR and SMSW fault for guest code. */
bool direct_hides_tables(const struct direct *d);

/* native.c: the same for CPL 3 outside V86 mode. */
enum direct_next direct_native(struct direct *d, struct vcpu *v);

/* v86.c: and in V86 mode, and in real mode. */
enum direct_next direct_v86(struct direct *d, struct vcpu *v);

/*
 * v86_emulate.c: carries out the instruction at v->eip if it is one of those that 16-bit programs
 * use all the time. False: it is none of them, and nothing has changed.
 */
bool v86_emulate(struct direct *d, struct vcpu *v, enum direct_next *next);

enum v86_call {
	V86_CALL_NONE, /* nothing has changed, but that CS and SS may be v's already */
	V86_CALL_ON,   /* the instruction is carried out, and guest code goes on behind it */
	V86_CALL_DUE,  /* ... and something has to be looked at first */
};
/*
 * The same for the commonest of them, ports and the interrupt flag, and for real mode that is not
 * behind STI: all else stays in the frame. Not with d->single.
 */
enum v86_call v86_call(struct direct *d, struct vcpu *v);

/* --- real.c --- */

/* SGDT, SIDT and SMSW; CPUID. */
#define REAL_TABLES BIT(0)
#define REAL_CPUID  BIT(1)
/* Whether code of the page could have such an instruction, or end with a part of one. */
bool real_page_shows(const u8 *page, u32 what);
/* Whether it is as V86 mode would have it, but for the DPL and a larger limit. */
bool real_segment(const struct segment *s);

/* Whether real mode at v's state can, and should, run in V86 mode of this PC. */
bool direct_real_fit(struct direct *d, struct vcpu *v);
/* Guest code that was found fit ran in V86 mode for so many cycles, the switch included. */
void real_account(struct direct *d, u32 cycles);
void direct_real_init(struct direct *d);

/* shadow_fill(), and whether it raised. */
bool direct_fill_raised(struct direct *d, u32 lin, bool write, bool *filled);
enum direct_next direct_deliver_fault(struct vcpu *v);
/* Whether the #DB at hand is that of TF; DR6 is read and cleared. */
bool direct_single_stepped(void);
/* This PC's CR4 for guest code. */
void direct_enter_cr4(struct direct *d, struct vcpu *v);
void direct_leave_cr4(struct direct *d);
/* direct_enter_cr4() again where it would be another. */
static inline void direct_update_cr4(struct direct *d, struct vcpu *v)
{
	if (unlikely(v->cr4 != d->guest_cr4 || v->tsc_offset != d->guest_tsc_offset))
		direct_enter_cr4(d, v);
}
/* --- kernel.c: guest code of CPL 0 to 2, translated --- */

/* Why v's state, in protected mode, does not run translated; without a translator none does. */
enum direct_refusal direct_kernel_refuses(struct direct *d, struct vcpu *v);
/* Whether v is in protected mode, and its state does. */
bool direct_kernel_fit(struct direct *d, struct vcpu *v);
/* The state was found fit for it just now. */
enum direct_next direct_kernel(struct direct *d, struct vcpu *v);
/*
 * Whether the guest maps anything where translations and state lie, which CPL 3 can reach: asked
 * each time, because it takes no flush to map what was not.
 */
bool direct_kernel_maps_own(const struct direct *d, const struct vcpu *v);
/* Where that is said, as long as CR0, CR3 and CR4 are what they are. */
void direct_kernel_own(const struct direct *d, const struct vcpu *v, const u32 *own[2]);
static inline bool direct_own_used(const u32 *const own[2])
{
	return (*own[0] | *own[1]) & 1;
}
/*
 * Code in the page that v is in is the interpreter's, until modes or segments change; if it does
 * not wait for a port, until so many instructions of such pages were interpreted. To come to one
 * counts like some.
 */
#define DIRECT_BARRED_INSNS   1500u
#define DIRECT_BARRED_MEETING 50u
static inline void direct_kernel_bar(struct direct *d, const struct vcpu *v, bool polls)
{
	d->barred_generation = v->generation;
	d->barred_eip = v->eip & PAGE_MASK;
	d->barred_polls = polls;
}
/* What translated code reads of v's control and debug registers without an exit; DR7.GD is clear.
 */
static inline void direct_show(const struct direct *d, const struct vcpu *v)
{
	struct translate_state *s = d->host.state;

	s->cr0 = v->cr0;
	s->cr2 = v->cr2;
	s->cr3 = v->cr3;
	s->dr6 = v->dr[6];
	s->dr7 = v->dr[7];
	s->dr7_set = v->dr[7] ^ DR7_FIXED;
}
/* v's state into the frame, with translated code at this linear address next. */
void direct_kernel_frame(struct direct *d, struct vcpu *v, u32 native);
/* Whether v is in such a page, and still to be interpreted. */
static inline bool direct_kernel_barred(const struct direct *d, const struct vcpu *v)
{
	return d->barred_generation == v->generation && d->barred_eip == (v->eip & PAGE_MASK) &&
	       (d->barred_polls || d->barred_insns + v->icount < DIRECT_BARRED_INSNS);
}
size_t direct_kernel_arena_size(u32 code_size);
void direct_kernel_init(struct direct *d, void *arena);

/* --- kernel_find.c: the translation that comes next --- */

/* For v->eip; NULL where there is none. And whether fetching the code there raised. */
bool kernel_find_raised(struct direct *d, struct vcpu *v, struct translate_unit **u);
/* Translated code is entered from other code: now and then what was barred gets another chance. */
void kernel_find_entered(struct direct *d);
/* physmem's hooks for pages that have translations. */
void kernel_find_written(void *ctx, u32 gpa, u32 len);
bool kernel_find_apart(void *ctx, u32 gpa);
size_t kernel_find_size(void); /* of d->written */

/* --- kernel_segments.c: its segment registers --- */

size_t kernel_segments_size(void);
void kernel_segments_init(struct direct *d);
/* Whether the CPU can hold them, with this SS; makes the descriptors of those that have changed. */
bool kernel_segments_fit(struct direct *d, const struct vcpu *v, const struct segment *ss);
/* Before that, where CPL may be another: what CPL 0 has loaded is not for CPL 2 to load. */
void kernel_segments_privilege(struct direct *d, const struct vcpu *v);
/* Translated code loads nothing by itself any more. */
void kernel_segments_forget(struct direct *d, const struct vcpu *v);
/* Right before translated code runs, after the above: selectors in the frame. */
void kernel_segments_enter(struct direct *d);
/* After it: what it has loaded becomes the guest's. */
void kernel_segments_take(struct direct *d, struct vcpu *v);
static inline void kernel_segments_leave(struct direct *d, struct vcpu *v)
{
	const u32 *loaded = d->host.state->loaded;

	if (unlikely(loaded[SEG_DS] | loaded[SEG_ES] | loaded[SEG_FS] | loaded[SEG_GS]))
		kernel_segments_take(d, v);
}
/* Translated code has met #GP or #SS, or cannot run with what a segment reaches. */
void kernel_segments_fault(struct direct *d, const struct vcpu *v);
/* v->seg[seg] was just loaded with its selector: translated code may do that itself from now on. */
void kernel_segments_learn(struct direct *d, struct vcpu *v, unsigned seg);

/* --- kernel_map.c: which memory code pages lead to --- */

size_t kernel_map_size(void);
void kernel_map_flushed(struct vcpu *v, enum tlb_flush what, u32 lin); /* v's hook */
/* Before translated code is looked for: what it is looked for, and ways that no longer hold go.
 * False: some did, or it is other code than before. */
bool kernel_map_check(struct direct *d, struct vcpu *v);
/* There is a translation for lin, which leads to gpa as the TLB has just said. */
void kernel_map_add(struct direct *d, u32 lin, u32 gpa);

#define DIRECT_LEAVE_SIZE 2u /* INT n, at host.code */

/* --- call.c: instructions in the midst of translated code --- */

/* Whether translated code was left by itself: an exception or an interrupt may have come there. */
static inline bool direct_at_exit(const struct direct *d)
{
	return direct_frame.vector == DIRECT_LEAVE_VECTOR &&
	       direct_frame.eip == (u32)(uintptr_t)d->host.code + DIRECT_LEAVE_SIZE;
}

/* What has to be taken care of before the next instruction of translated code. */
static inline u32 direct_kernel_events(const struct direct *d, const struct vcpu *v)
{
	u32 events = v->events & ~v->event_hold;

	return d->host.state->vif ? events : events & ~VCPU_EV_INTR;
}

/*
 * Translated code was left, and goes on as long as that was for a port or a control register.
 * False: something is due first; the frame is where translated code would go on.
 */
bool direct_calls(struct direct *d, struct vcpu *v, u32 root);
/*
 * Translated code was left with all of v exact, and `dropped` units had been before. An instruction
 * that is for the interpreter is carried out. True: the frame is where translated code goes on.
 */
bool direct_goes_on(struct direct *d, struct vcpu *v, u64 dropped, enum direct_next *next);

/* Where the frame has a general register. */
u32 *direct_frame_reg(unsigned reg);

/* --- store.c --- */

enum direct_store {
	STORE_NONE,    /* not carried out */
	STORE_QUIET,   /* to memory that nobody watches */
	STORE_WATCHED, /* or to a device */
	STORE_IDLE,    /* the same, without any effect on what was made from the page */
};
/* The guest's instruction at c, if it is a store of a common form; registers are in the frame. */
enum direct_store direct_store(struct direct *d, struct vcpu *v, const struct translate_call *c);

/* --- gates.c: what transfers were found to lead to; NULL: not at hand, or not of that kind --- */

const struct direct_gate *direct_gate_find(struct direct *d, struct vcpu *v, struct direct_gate *g,
					   u8 vector);
const struct direct_return *direct_return_find(struct direct *d, struct vcpu *v, u16 cs, u16 ss);

static inline const struct direct_gate *direct_gate(struct direct *d, struct vcpu *v, u8 vector)
{
	struct direct_gate *g = &d->gate[vector % DIRECT_GATES];

	return likely(g->vector == vector && g->known && g->tables == v->tables &&
		      direct_gate_same(g))
		       ? g
		       : direct_gate_find(d, v, g, vector);
}

static inline const struct direct_return *direct_return(struct direct *d, struct vcpu *v, u16 cs,
							u16 ss)
{
	const struct direct_return *r = &d->back;

	return likely(r->cs.sel == cs && r->ss.sel == ss && r->known && r->tables == v->tables &&
		      direct_return_same(r))
		       ? r
		       : direct_return_find(d, v, cs, ss);
}

/* Something else than a crossing is about to look at all of v, and may change it. */
static inline void direct_unsettle(struct direct *d)
{
	d->settled.gate = NULL;
	d->settled.back = NULL;
}

/* --- cross.c: between CPL 3 and translated code; true: NEXT_CROSSED --- */

/* Guest code of CPL 3 was left; the frame has all of its registers. eip: behind INT n. */
bool cross_int(struct direct *d, struct vcpu *v, u8 vector, u32 eip);
bool cross_page_fault(struct direct *d, struct vcpu *v, u32 error);
bool cross_sysenter(struct direct *d, struct vcpu *v);
/* Where one of the first two has not: its stack was not in the TLB, and is now. */
bool cross_filled(struct direct *d, struct vcpu *v, u8 vector);
/* Translated code has come to an exit, which may be a transfer. */
bool cross_out(struct direct *d, struct vcpu *v);
/* v's general registers and arithmetic flags become the frame's. */
void cross_registers(struct vcpu *v);

/* --- emulate.c --- */

/*
 * Carries out the instruction at v->eip, which translated code was left for: those that kernels use
 * all the time, without the interpreter. False: it is none of them, and nothing has changed; or it
 * is REP INS, and what is left of it is for the interpreter. *next, where it did: not NEXT_STEP.
 */
bool emulate(struct direct *d, struct vcpu *v, enum direct_next *next);
/*
 * Whether the instruction at v->eip, another than those, can be carried out twice, and to the same
 * effect: it is known to reach no port and no counter.
 */
bool emulate_repeatable(struct vcpu *v);

#endif
