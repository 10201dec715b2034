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
#define UNIT_MAX   32u	   /* instructions in a short stretch of another CPL than 3 */

/* Begins a stretch with the CPU's part. False: it did not begin. */
static bool run_native(struct lockstep *l, bool single)
{
	lockstep_pages_begin(l);
	lockstep_save(l->v, &l->start);
	l->phase = PHASE_NATIVE;
	l->next = l->host.native(l->host.native_ctx, single);
	if (l->next == LOCKSTEP_UNFIT) {
		l->phase = PHASE_NONE;
		return false;
	}
	lockstep_save(l->v, &l->native);
	if (!mem_peek_translate(l->v, l->v->seg[SEG_SS].base + l->v->gpr[REG_ESP], &l->error_code))
		l->error_code = NOWHERE;
	l->can_ask = l->native.cpl == l->start.cpl &&
		     mem_peek_translate(l->v, l->v->seg[SEG_CS].base + l->v->eip, &l->target_gpa);
	lockstep_pages_swap(l);
	lockstep_load(l->v, &l->start);
	l->phase = PHASE_FOLLOW;
	return true;
}

static u32 flags_that_differ(const struct lockstep *l)
{
	return (l->now.eflags ^ l->native.eflags) & FLAGS_ARITH;
}

/* What may differ after a short stretch of code that was not run one by one. */
static u32 undefined_on_the_way(struct lockstep *l)
{
	struct vcpu *v = l->v;
	struct lockstep_insn insn;
	u32 eip = v->eip, undefined = 0;

	v->eip = l->start.eip;
	for (u32 n = 0; n < UNIT_MAX; n++) {
		lockstep_insn(v, &insn);
		undefined |= insn.undefined;
		v->eip += insn.len;
	}
	v->eip = eip;
	return undefined;
}

/* To the place with the same flags; or else, from the start again, with others there. */
static bool follow_unit(struct lockstep *l)
{
	if (lockstep_follow(l, true))
		return true;
	lockstep_pages_undo(l);
	lockstep_load(l->v, &l->start);
	return lockstep_follow(l, false);
}

/* One instruction (other CPLs: a few) both ways. Sets *excused where they may differ, and do. */
static bool compare_single(struct lockstep *l, const struct lockstep_insn *insn, bool *excused)
{
	bool one = l->start.cpl == 3, same;
	u32 flags;

	same = one ? lockstep_follow_single(l, insn) : follow_unit(l);
	l->phase = PHASE_NONE;
	if (!same)
		return false;
	l->stats.singles += one;
	flags = flags_that_differ(l);
	if (!flags)
		return true;
	if (flags & ~(one ? insn->undefined : undefined_on_the_way(l)))
		return false;
	l->stats.undefined++;
	*excused = true;
	return true;
}

static void report(struct lockstep *l)
{
	l->stats.differences++;
	memcpy(l->report, l->text, sizeof(l->report));
	if (l->host.differs)
		l->host.differs(l->host.ctx);
}

/* The stretch once more, one by one; what its difference looked like is in the report already. */
static enum lockstep_next repeat(struct lockstep *l, u64 insns)
{
	struct vcpu *v = l->v;
	bool excused = false;
	u32 cpl = v->cpl, most = insns + 64 < REPEAT_MAX ? (u32)insns + 64 : REPEAT_MAX, n;
	struct lockstep_insn insn;

	l->stats.repeated++;
	for (n = 0; n < most && v->cpl == cpl; n++) {
		lockstep_insn(v, &insn);
		if (insn.exempt) {
			l->stats.not_compared++;
			excused = true;
			interp_engine.step(v);
			continue;
		}
		if (!run_native(l, true)) {
			l->next = LOCKSTEP_ANY;
			break;
		}
		if (!compare_single(l, &insn, &excused)) {
			lockstep_describe(l, true);
			report(l);
			return LOCKSTEP_ANY;
		}
		if (l->next != LOCKSTEP_ANY)
			break;
	}
	if (!excused && n < REPEAT_MAX)
		report(l);
	return l->next;
}

enum lockstep_next lockstep_run(struct lockstep *l)
{
	u64 before = l->v->stats.insns;
	enum lockstep_next next;
	bool same;

	if (!run_native(l, false))
		return LOCKSTEP_UNFIT;
	same = lockstep_follow(l, true);
	l->phase = PHASE_NONE;
	if (same && !flags_that_differ(l)) {
		l->stats.stretches++;
		return l->next;
	}
	lockstep_describe(l, false);
	if (l->lost) {
		report(l);
		return LOCKSTEP_ANY;
	}
	lockstep_pages_undo(l);
	lockstep_load(l->v, &l->start);
	l->v->event_hold = VCPU_EV_HOST | VCPU_EV_INTR | VCPU_EV_NMI;
	next = repeat(l, l->v->stats.insns - before);
	l->v->event_hold = 0;
	return next;
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
	l->before = (u8 *)arena + state_size(v->mem->flag_pages);
	l->after = l->before + KEPT_MAX * PAGE_SIZE;
	lockstep_pages_init(l);
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
