/* SPDX-License-Identifier: BSD-2-Clause */
/* The direct engine: which engine carries out what is next. See direct.h. */
#include "cpu/cpu.h"
#include "cpu/cpuid.h"
#include "cpu/physmem.h"
#include "cpu/direct/private.h"

#define CPUID_FEATURES7 7u /* leaf */
#define CPUID7_ECX_UMIP BIT(2)
#define CR4_UMIP	BIT(11)

const char *const direct_refusal_name[REFUSE_COUNT] = {
	[REFUSE_NOTHING] = "none",	 [REFUSE_CPL] = "cpl",
	[REFUSE_CODE16] = "16-bit",	 [REFUSE_BARRED] = "rewritten",
	[REFUSE_REAL] = "real-mode",	 [REFUSE_FLAGS] = "flags",
	[REFUSE_STEP] = "step",		 [REFUSE_SEGMENTS] = "segments",
	[REFUSE_TABLES] = "page-tables",
};
const char *const direct_exit_name[EXITS_COUNT] = {
	[EXITS_INTERRUPT] = "interrupt", [EXITS_FILL] = "shadow-fill",
	[EXITS_FAULT] = "guest-fault",	 [EXITS_MEMORY] = "device-memory",
	[EXITS_SYSTEM] = "system-call",	 [EXITS_FPU] = "fpu-load",
	[EXITS_TRAP] = "trap",		 [EXITS_OTHER] = "other",
};

/* In protected mode PUSHF and POPF do not fault: what they show and change has to be the guest's.
 */
static bool flags_visible(const struct vcpu *v)
{
	return (v->eflags & FLAG_IF) && vcpu_iopl(v) < 3 && !(v->eflags & (FLAG_VIF | FLAG_VIP)) &&
	       !(v->cr4 & CR4_PVI);
}

enum direct_refusal direct_refuses(struct direct *d, struct vcpu *v)
{
	enum direct_refusal kernel;

	if (!vcpu_protected(v))
		return direct_real_fit(d, v) && shadow_root(d->shadow) ? REFUSE_NOTHING
								       : REFUSE_REAL;
	if (v->cpl != 3) {
		kernel = direct_kernel_refuses(d, v);
		return kernel != REFUSE_NOTHING || shadow_root(d->shadow) ? kernel : REFUSE_TABLES;
	}
	if (!vcpu_v86(v) && !flags_visible(v))
		return REFUSE_FLAGS;
	if ((v->events & VCPU_EV_STEP) || v->halted)
		return REFUSE_STEP;
	if (v->eip > v->seg[SEG_CS].limit || !direct_segments_prepare(d, v))
		return REFUSE_SEGMENTS;
	if (!shadow_root(d->shadow))
		return REFUSE_TABLES;
	return REFUSE_NOTHING;
}

/* What was interpreted since the last time is for the reason that there was, the next for `why`. */
static void account(struct direct *d, const struct vcpu *v, enum direct_refusal why)
{
	u64 insns = v->stats.insns + v->icount;

	d->stats.interpreted[d->refusal] += insns - d->accounted;
	d->stats.refused[why] += why != d->refusal && why != REFUSE_NOTHING;
	if (why == REFUSE_CODE16 && d->refusal != REFUSE_CODE16)
		d->narrow_since = insns;
	d->accounted = insns;
	d->refusal = (u8)why;
}

static bool hand_over(struct vcpu *v)
{
	enum direct_refusal why = direct_refuses(direct_of(v), v);

	account(direct_of(v), v, why);
	return why == REFUSE_NOTHING;
}

/* One instruction or event in the interpreter. True: the run loop is wanted. */
static bool step_leaves(struct vcpu *v, enum exit_reason *reason)
{
	*reason = interp_engine.step(v);
	return *reason != EXIT_STEP;
}

/* The same in a page that is not translated, for as long as control stays there. */
static enum exit_reason interp_barred(struct direct *d, struct vcpu *v)
{
	u64 before = v->stats.insns;
	enum exit_reason reason;

	interp_ask_often(v);
	reason = interp_engine.run(v);
	if (!d->barred_polls)
		d->barred_insns += (u32)(v->stats.insns - before);
	return reason;
}

/* The interpreter until it hands over, or the run loop is wanted. */
static enum exit_reason interp(struct direct *d, struct vcpu *v, enum direct_refusal why)
{
	account(d, v, why);
	if (direct_kernel_barred(d, v))
		return interp_barred(d, v);
	if (why == REFUSE_CODE16) /* until it is worth translating */
		interp_ask_often(v);
	return interp_engine.run(v);
}

enum direct_next direct_guest(struct direct *d, struct vcpu *v)
{
	enum direct_next next;

	if (vcpu_real_segments(v))
		return direct_v86(d, v);
	d->stats.entries++;
	d->crossed = false;
	direct_unsettle(d);
	direct_enter_cr4(d, v);
	do {
		next = v->cpl < 3 ? direct_kernel(d, v) : direct_native(d, v);
	} while (next == NEXT_CROSSED && !direct_fault_is_looked_at(d));
	direct_leave_cr4(d);
	if (next == NEXT_CROSSED) {
		cross_registers(v);
		next = NEXT_ANY;
	}
	return next;
}

/* Guest code on the CPU, and what it left to do. True: the run loop is wanted. */
static bool native_leaves(struct direct *d, struct vcpu *v, enum exit_reason *reason)
{
	if (v->events & VCPU_EV_HOST) {
		*reason = EXIT_EVENT;
		return true;
	}
	if (direct_events(v))
		return step_leaves(v, reason);
	switch (d->guest(d, v)) {
	case NEXT_STEP:
		return step_leaves(v, reason);
	case NEXT_DOWN:
		*reason = EXIT_SHUTDOWN;
		return true;
	default:
		break;
	}
	return false;
}

static enum exit_reason direct_run(struct vcpu *v)
{
	struct direct *d = direct_of(v);
	enum exit_reason reason;

	for (;;) {
		enum direct_refusal why = direct_refuses(d, v);

		if (why != REFUSE_NOTHING) {
			reason = interp(d, v, why);
			if (reason != EXIT_HAND_OVER)
				return reason;
		}
		if (native_leaves(d, v, &reason))
			return reason;
	}
}

static enum exit_reason direct_step(struct vcpu *v)
{
	return interp_engine.step(v);
}

const struct engine direct_engine = {.name = "direct", .run = direct_run, .step = direct_step};

bool direct_hides_tables(const struct direct *d)
{
	return d->own_cr4 & CR4_UMIP;
}

/* --- construction --- */

static size_t state_size(void)
{
	return (sizeof(struct direct) + 15) & ~(size_t)15;
}

/* SGDT, SIDT, SLDT, STR and SMSW fault at CPL 3 where the CPU can make them, and are interpreted.
 */
static bool has_umip(void)
{
	u32 eax = 0, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (eax < CPUID_FEATURES7)
		return false;
	eax = CPUID_FEATURES7;
	ecx = 0;
	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ecx & CPUID7_ECX_UMIP;
}

static bool has_vme(void)
{
	u32 eax = 1, ebx, ecx, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return edx & CPUID_VME;
}

/* The translator's, behind the rest, begins at 16 bytes. */
static size_t plain_size(u32 flag_pages, u32 shadow_pages)
{
	return state_size() + ((shadow_arena_size(flag_pages, shadow_pages) + 15) & ~(size_t)15);
}

size_t direct_arena_size(u32 flag_pages, u32 shadow_pages, u32 code_size)
{
	return plain_size(flag_pages, shadow_pages) +
	       (code_size ? direct_kernel_arena_size(code_size) : 0);
}

void direct_init(struct vcpu *v, void *arena, const struct direct_host *host)
{
	struct direct *d = arena;

	d->vcpu = v;
	d->host = *host;
	d->guest = direct_guest;
	d->shadow = shadow_init(v, (u8 *)arena + state_size(), &host->shadow);
	asm volatile("movl %%cr0, %0" : "=r"(d->cr0));
	asm volatile("movl %%cr4, %0" : "=r"(d->own_cr4));
	d->cr4 = d->own_cr4;
	if (has_umip())
		d->own_cr4 |= CR4_UMIP;
	d->vme = has_vme();
	direct_segments_init(d);
	direct_real_init(d);
	if (host->code)
		direct_kernel_init(
			d, (u8 *)arena + plain_size(v->mem->flag_pages, host->shadow.page_count));
	v->direct = d;
	v->hand_over = hand_over;
}

const struct direct_stats *direct_stats(const struct vcpu *v)
{
	return &((const struct direct *)v->direct)->stats;
}

const struct translate_stats *direct_translate_stats(const struct vcpu *v)
{
	const struct direct *d = v->direct;

	return d->translator ? translate_stats(d->translator) : NULL;
}

const struct shadow_stats *direct_shadow_stats(const struct vcpu *v)
{
	return shadow_stats(((const struct direct *)v->direct)->shadow);
}
