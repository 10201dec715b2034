/* SPDX-License-Identifier: BSD-2-Clause */
/* Stretches of guest code, run and compared; and repeated where they differ. See lockstep.h. */
#include "cpu/lockstep/lockstep.h"
#include "cpu/cpu.h"
#include "cpu/engine.h"
#include "cpu/lockstep/private.h"
#include "cpu/mem.h"
#include "lib/str.h"

#define REPEAT_MAX 200000u /* instructions; a longer way is tried again from there */
#define NOWHERE	   1u	   /* a guest's error code is not there */

#define OPCODE_PUSHA 0x60
#define OPCODE_PUSHF 0x9c
#define OPCODE_ENTER 0xc8
#define PREFIX_O16   0x66

/* How much the instruction, with operands of `size`, may leave below the stack if it is stopped. */
static u32 leaves_below(u8 opcode, u32 size, u8 cpl)
{
	switch (opcode) {
	case OPCODE_PUSHF: /* translated */
		return cpl == 3 ? 0 : size;
	case OPCODE_PUSHA:
		return 8 * size;
	case OPCODE_ENTER:
		return 32 * size;
	default:
		return 0;
	}
}

/* Sets below_first and below_end. Of two pages, what lies in the lower one is left out. */
static void look_below_stack(struct lockstep *l)
{
	struct vcpu *v = l->v;
	u32 gpa, last, size = v->seg[SEG_CS].attr & SEG_DB ? 4 : 2, most;
	u8 code[2];

	l->below_first = l->below_end = 0;
	if (!l->can_ask)
		return;
	physmem_read(v->mem, l->target_gpa, code, sizeof(code));
	if (code[0] == PREFIX_O16)
		size ^= 6;
	most = leaves_below(code[code[0] == PREFIX_O16], size, v->cpl);
	last = v->gpr[REG_ESP] - 1;
	if (!(v->seg[SEG_SS].attr & SEG_DB))
		last &= 0xffff;
	if (!most || !mem_peek_translate(v, v->seg[SEG_SS].base + last, &gpa))
		return;
	l->below_end = gpa + 1;
	l->below_first = (gpa & ~PAGE_MASK) + 1 > most ? gpa + 1 - most : gpa & PAGE_MASK;
}

/*
 * Memory and registers as they were when the stretch began. What the guest's TLB got since was made
 * from tables, and has set A and D bits in them, that are taken back now. So has what shadow tables
 * got, which loose page tables are compared with at flushes only.
 */
static void begin_again(struct lockstep *l)
{
	struct vcpu *v = l->v;

	lockstep_load(v, &l->start);
	if (v->stats.tlb_fills != l->tlb_fills || v->tables != l->tables || v->mem->tables_loose)
		mem_tlb_flush(v, true);
}

static void hold_clock(const struct lockstep *l, bool hold)
{
	if (l->host.hold_clock)
		l->host.hold_clock(l->host.ctx, hold);
}

/*
 * The first instruction was the interpreter's already. As if there had been no stretch: of code
 * that is not worth translating the engine remembers so, until the mode changes.
 */
static bool did_nothing(const struct lockstep *l)
{
	return l->next == LOCKSTEP_STEP && !l->kept_count && (l->repeating || !l->ports.count) &&
	       lockstep_same(&l->start, &l->native) &&
	       !((l->start.eflags ^ l->native.eflags) & FLAGS_ARITH);
}

/*
 * Begins a stretch with the CPU's part. False: it did not begin, did nothing, or cannot be
 * repeated, and the guest goes on with what the CPU has done.
 */
static bool run_native(struct lockstep *l, bool single)
{
	lockstep_pages_begin(l);
	lockstep_save(l->v, &l->start);
	l->tlb_fills = l->v->stats.tlb_fills;
	l->tables = l->v->tables;
	l->crossed = false;
	lockstep_ports_begin(l);
	l->phase = PHASE_NATIVE;
	hold_clock(l, false);
	l->next = l->host.native(l->host.native_ctx, single);
	hold_clock(l, true);
	if (l->next == LOCKSTEP_UNFIT) {
		l->phase = PHASE_NONE;
		return false;
	}
	lockstep_save(l->v, &l->native);
	l->stats.unrepeatable += l->ports.unrepeatable;
	if (did_nothing(l) || l->ports.unrepeatable) {
		l->phase = PHASE_NONE;
		return false;
	}
	if (!mem_peek_translate(l->v, l->v->seg[SEG_SS].base + l->v->gpr[REG_ESP], &l->error_code))
		l->error_code = NOWHERE;
	l->can_ask = (l->native.cpl == l->start.cpl || l->crossed) &&
		     mem_peek_translate(l->v, l->v->seg[SEG_CS].base + l->v->eip, &l->target_gpa);
	look_below_stack(l);
	lockstep_pages_swap(l);
	begin_again(l);
	l->phase = PHASE_FOLLOW;
	return true;
}

static void take_back(struct lockstep *l)
{
	lockstep_pages_undo(l);
	begin_again(l);
}

/* Where CPL 0 to 2 go is not found one by one on the CPU: so in the interpreter, with its flags. */
static bool follow_undefined(struct lockstep *l)
{
	take_back(l);
	if (lockstep_follow(l, true))
		return true;
	lockstep_describe(l, l->repeating); /* what this way has found is more */
	return false;
}

/* With TF, the CPU stops after one instruction; translated code only after a few. */
static bool one_by_one(const struct lockstep *l)
{
	return l->start.cpl == 3 || !(l->start.cr0 & CR0_PE);
}

/* One instruction (translated: a few) both ways. Sets *excused where they may differ, and do. */
static bool compare_single(struct lockstep *l, const struct lockstep_insn *insn, bool *excused)
{
	bool one = one_by_one(l), same;

	if (one)
		same = lockstep_follow_single(l, insn) && !(l->flags_differ & ~insn->undefined);
	else
		same = lockstep_follow(l, false) || (!l->lost && follow_undefined(l));
	l->phase = PHASE_NONE;
	if (!same)
		return false;
	l->stats.singles += one;
	l->stats.undefined += l->doubt.used;
	*excused |= l->doubt.used;
	return true;
}

static void report(struct lockstep *l)
{
	l->stats.differences++;
	memcpy(l->report, l->text, sizeof(l->report));
	if (l->host.differs)
		l->host.differs(l->host.ctx);
}

/* What devices were asked has to be behind the guest: it must not ask again. */
static bool use_up_ports(struct lockstep *l)
{
	for (u32 n = 0; lockstep_ports_left(l) && n < REPEAT_MAX; n++)
		if (interp_engine.step(l->v) != EXIT_STEP)
			return false;
	return !lockstep_ports_left(l);
}

/*
 * One by one, an instruction that is the interpreter's does not end a stretch that went on behind
 * it. False: the stretch ends here, or devices are asked what the CPU has not asked.
 */
static bool goes_on(struct lockstep *l, bool crossed)
{
	return (crossed || lockstep_ports_left(l)) && interp_engine.step(l->v) == EXIT_STEP;
}

/* The stretch once more, one by one; what its difference looked like is in the report already. */
static enum lockstep_next repeat(struct lockstep *l, u64 insns)
{
	struct vcpu *v = l->v;
	bool excused = false, crossed = l->crossed;
	u32 cpl = v->cpl, most = insns + 64 < REPEAT_MAX ? (u32)insns + 64 : REPEAT_MAX, n;
	struct lockstep_insn insn;

	l->stats.repeated++;
	for (n = 0; n < most && (crossed || v->cpl == cpl); n++) {
		lockstep_insn(v, &insn);
		if (insn.exempt || (!run_native(l, true) && l->next != LOCKSTEP_STEP)) {
			l->stats.not_compared++;
			excused = true;
			interp_engine.step(v);
			continue;
		}
		if (l->phase != PHASE_NONE && !compare_single(l, &insn, &excused)) {
			lockstep_describe(l, true);
			report(l);
			return LOCKSTEP_ANY;
		}
		if (l->next == LOCKSTEP_ANY)
			continue;
		if (l->next != LOCKSTEP_STEP || !goes_on(l, crossed))
			break;
	}
	if (lockstep_ports_left(l))
		l->next = LOCKSTEP_ANY;
	if ((!excused && n < REPEAT_MAX) || !use_up_ports(l))
		report(l);
	return l->next;
}

static enum lockstep_next run(struct lockstep *l)
{
	u64 before = l->v->stats.insns;
	enum lockstep_next next;
	bool same;

	if (!run_native(l, false))
		return l->next;
	same = lockstep_follow(l, false);
	if (!same) {
		lockstep_describe(l, false);
		if (l->lost) {
			l->phase = PHASE_NONE;
			report(l);
			return LOCKSTEP_ANY;
		}
		same = (!one_by_one(l) || l->crossed) && follow_undefined(l);
	}
	l->phase = PHASE_NONE;
	if (same) {
		l->stats.stretches++;
		l->stats.undefined += l->doubt.used;
		l->stats.crossed += l->crossed;
		l->stats.ports += l->ports.count;
		return l->next;
	}
	take_back(l);
	l->v->event_hold = VCPU_EV_HOST | VCPU_EV_INTR | VCPU_EV_NMI;
	l->repeating = true;
	l->ports.at = 0;
	next = repeat(l, l->v->stats.insns - before);
	l->repeating = false;
	l->v->event_hold = 0;
	return next;
}

enum lockstep_next lockstep_run(struct lockstep *l)
{
	enum lockstep_next next;

	hold_clock(l, true);
	next = run(l);
	hold_clock(l, false);
	return next;
}

void lockstep_crossed(struct lockstep *l)
{
	l->crossed = true;
}

/* --- construction --- */

static size_t state_size(u32 flag_pages)
{
	return (sizeof(struct lockstep) + flag_pages * sizeof(u32) + 15) & ~(size_t)15;
}

size_t lockstep_arena_size(u32 flag_pages)
{
	return state_size(flag_pages) + 2 * KEPT_MAX * PAGE_SIZE;
}

struct lockstep *lockstep_init(struct vcpu *v, void *arena, const struct lockstep_host *host)
{
	struct lockstep *l = arena;

	l->v = v;
	l->host = *host;
	l->changed = (u32 *)(void *)(l + 1);
	l->before = (u32 *)(void *)((u8 *)arena + state_size(v->mem->flag_pages));
	l->after = l->before + KEPT_MAX * (PAGE_SIZE / 4);
	lockstep_pages_init(l);
	lockstep_ports_init(l);
	return l;
}

const struct lockstep_stats *lockstep_stats(const struct lockstep *l)
{
	return &l->stats;
}

const char *lockstep_report(const struct lockstep *l)
{
	return l->report;
}
