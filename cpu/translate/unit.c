/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest code into native code, instruction by instruction. The comments beside the sequences give
 * what translate_stopped() has to know: see enum recovery. A sequence changes what the guest can
 * see in one native instruction; before it the guest is still at the instruction, after it past.
 */
#include "cpu/translate/emit.h"
#include "cpu/vcpu.h"
#include "lib/str.h"

#define STATE(field) offsetof(struct translate_state, field)

struct exit *unit_exit(struct translator *t, struct translate_unit *u, u8 *site, enum recovery r,
		       enum translate_reason reason, u32 eip)
{
	struct exit *e = &t->exit[u->first_exit + u->exits++];

	*e = (struct exit){
		.call.eip = eip, .recovery = (u8)r, .reason = (u8)reason, .site = site, .from = u};
	if (reason == TRANSLATE_INTERPRET)
		e->recovery |= unit_held(t, r, eip);
	return e;
}

static void leave(struct translator *t, u32 exit)
{
	emit_store_imm(t, STATE(exit), exit);
	emit_jmp(t, (const u8 *)(uintptr_t)t->host.leave);
}

void unit_jump_out(struct translator *t, struct translate_unit *u, u32 eip)
{
	unit_exit(t, u, emit_jmp(t, t->next), AT, TRANSLATE_GO_ON, eip);
}

static void leave_for(struct translator *t, struct translate_unit *u, u32 eip, u8 transfer)
{
	struct exit *e = unit_exit(t, u, emit_jmp(t, t->next), AT, TRANSLATE_INTERPRET, eip);

	if (e->recovery == AT) /* and not right behind STI */
		e->transfer = transfer;
}

/* What the instruction in bytes[0, avail), which is not translated, is as an exit. */
static u8 transfer_of(const struct translator *t, const u8 *bytes, u32 avail)
{
	if (unit_context(t)->mode & (TRANSLATE_CODE16 | TRANSLATE_STACK16))
		return TRANSLATE_NO_TRANSFER;
	if (bytes[0] == 0xcf)
		return TRANSLATE_IRET;
	if (avail >= 2 && bytes[0] == 0x0f && bytes[1] == 0x35)
		return TRANSLATE_SYSEXIT;
	if (avail >= 3 && bytes[0] == 0xfb && bytes[1] == 0x0f && bytes[2] == 0x35)
		return TRANSLATE_STI_SYSEXIT;
	return TRANSLATE_NO_TRANSFER;
}

static void make_stubs(struct translator *t, struct translate_unit *u)
{
	u->stubs = (u32)(t->next - u->code);
	for (u32 n = u->first_exit; n < u->first_exit + u->exits; n++) {
		struct exit *e = &t->exit[n];

		if (!e->site)
			continue; /* unit_leave_for()'s */
		patch(e->site, t->next);
		if (e->fixed || e->reason == TRANSLATE_INTERPRET)
			e->site = NULL;
		else
			e->call.native = (u32)(uintptr_t)t->next;
		leave(t, n);
	}
}

void unit_comes_back(struct translator *t, struct translate_unit *u, u32 eip, u32 next)
{
	for (u32 n = u->exits; n-- > 0;) {
		struct exit *e = &t->exit[u->first_exit + n];

		if (e->call.eip != eip || e->reason != TRANSLATE_INTERPRET)
			break;
		e->call.len = (u8)(next - eip);
		e->call.native = (u32)(uintptr_t)t->next;
	}
}

void unit_leave_for(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		    u32 eip)
{
	struct exit *e = unit_exit(t, u, NULL, AT, TRANSLATE_INTERPRET, eip);

	e->call.what = g->opcode;
	e->call.operand = (u8)g->operand;
	leave(t, (u32)(e - t->exit));
}

static void make_host(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		      u32 eip, u32 next)
{
	if (unit_system(t, u, g, eip, next))
		return;
	unit_leave_for(t, u, g, eip);
	unit_comes_back(t, u, eip, next);
	unit_point(t, u, AT, next);
}

/* False: nothing follows it in the unit. */
static bool make_insn(struct translator *t, struct translate_unit *u, const u8 *bytes,
		      const struct guest_insn *g, u32 eip)
{
	u32 next = eip + g->len;

	switch (g->class) {
	case INSN_COPY:
		emit_prefixes(t, bytes, g, g->o16);
		emit_bytes(t, bytes + g->prefixes, g->len - (u32)g->prefixes);
		unit_point(t, u, AT, next);
		return true;
	case INSN_HOST:
		make_host(t, u, g, eip, next);
		return true;
	case INSN_CLI:
		unit_cli(t, u, next);
		return true;
	case INSN_STI:
		unit_sti(t, u, eip, next);
		return true;
	case INSN_PUSHF:
		unit_pushf(t, u, g->o16, eip, next);
		return true;
	case INSN_POPF:
		unit_popf(t, u, g->o16, eip, next);
		return true;
	case INSN_PUSH_SEG:
		unit_push_seg(t, u, g, next);
		return true;
	case INSN_POP_SEG:
		unit_pop_seg(t, u, g, eip, next);
		return true;
	case INSN_LOAD_SEG:
		unit_load_seg(t, u, bytes, g, eip, next);
		return true;
	case INSN_STORE_SEG:
		unit_store_seg(t, u, bytes[g->rm_at], g, next);
		return true;
	case INSN_JCC:
		unit_jcc(t, u, g, next);
		return true;
	case INSN_LOOP:
		unit_loop(t, u, g, next);
		return true;
	case INSN_CALL:
		unit_call(t, u, g, next);
		return true;
	case INSN_CALL_RM:
		unit_call_rm(t, u, bytes, g, eip);
		return true;
	case INSN_JMP:
		unit_jump_out(t, u, unit_target(g, next));
		return false;
	case INSN_JMP_RM:
		unit_jmp_rm(t, u, bytes, g, eip);
		return false;
	case INSN_RET:
		unit_ret(t, u, g, eip);
		return false;
	default:
		leave_for(t, u, eip, g->opcode);
		return false;
	}
}

struct translate_unit *unit_new(struct translator *t, u32 eip, u32 gpa)
{
	struct translate_unit *u = &t->unit[t->units++];

	*u = (struct translate_unit){.eip = eip,
				     .gpa = gpa,
				     .context = t->current,
				     .next_gpa = NO_PAGE,
				     .code = t->next,
				     .entry = t->next,
				     .first_exit = t->exits,
				     .first_point = t->points};
	return u;
}

static struct translate_unit *end(struct translator *t, struct translate_unit *u)
{
	make_stubs(t, u);
	u->size = (u32)(t->next - u->code);
	t->exits += u->exits;
	t->points += u->points;
	t->stats.units++;
	return u;
}

static struct guest_insn classify_here(const struct translator *t, const u8 *bytes, u32 avail)
{
	return classify(bytes, avail, unit_own_segment(t), unit_context(t)->mode);
}

/*
 * Branches that leave the code segment raise what they raise at themselves. Those that are known
 * to, and those of 16-bit code that could, are for the interpreter.
 */
static bool may_leave_segment(const struct translator *t, const struct guest_insn *g, u32 eip)
{
	const struct translate_context *c = unit_context(t);

	switch (g->class) {
	case INSN_JCC:
	case INSN_LOOP:
	case INSN_JMP:
	case INSN_CALL:
		return unit_target(g, eip + g->len) > c->limit;
	case INSN_RET:
	case INSN_JMP_RM:
	case INSN_CALL_RM:
		return (c->mode & TRANSLATE_CODE16) && c->limit < 0xffff;
	default:
		return false;
	}
}

/* STI in front of what is the interpreter's is so, too: it holds interrupts off until that is done.
 */
static bool holds(const struct translator *t, const u8 *bytes, u32 avail, u32 eip)
{
	struct guest_insn then = classify_here(t, bytes, avail);

	return then.class != INSN_INTERPRET && then.class != INSN_STI &&
	       !may_leave_segment(t, &then, eip);
}

/* What the instruction there is to this unit. */
static struct guest_insn insn_of(struct translator *t, const struct translate_unit *u,
				 const u8 *page, u32 off, u32 eip)
{
	struct guest_insn g = classify_here(t, page + off, PAGE_SIZE - off);

	if (may_leave_segment(t, &g, eip))
		g.class = INSN_INTERPRET;
	if (g.class == INSN_COPY && faulting_is_call(t, (u->gpa & PAGE_MASK) + off)) {
		g.class = INSN_HOST;
		g.opcode = TRANSLATE_MEMORY;
	}
	if (g.class == INSN_STI && !holds(t, page + off + 1, PAGE_SIZE - off - 1, eip + 1))
		g.class = INSN_INTERPRET;
	if (g.class == INSN_INTERPRET)
		g.opcode = transfer_of(t, page + off, PAGE_SIZE - off);
	return g;
}

static bool cut_here(const struct translator *t, const u8 *bytes, u32 avail)
{
	return classify_cut(bytes, avail, unit_context(t)->mode);
}

/* What an instruction that is left to others rests on is all that it may have. */
static u32 source_of(const struct guest_insn *g)
{
	return g->class == INSN_INTERPRET ? INSN_MAX : g->len;
}

struct translate_unit *unit_make(struct translator *t, u32 eip, u32 gpa, const u8 *page)
{
	struct translate_unit *u = unit_new(t, eip, gpa);
	u32 first = gpa & ~PAGE_MASK;
	struct unit_place at = {.eip = eip, .off = first};
	bool plain = !(unit_context(t)->mode & TRANSLATE_CODE16);
	bool sti = false, more = true;

	unit_point(t, u, AT, eip);
	while (more && (at.count < UNIT_INSNS_MAX || sti) && at.off < PAGE_SIZE) {
		struct guest_insn g;

		if (!sti && plain)
			unit_copies(t, u, page, &at);
		if (!sti &&
		    (at.count >= UNIT_INSNS_MAX || at.off >= PAGE_SIZE || unit_begins(t, u, &at)))
			break; /* go on there */
		g = insn_of(t, u, page, at.off, at.eip);
		if (at.count && !g.len && cut_here(t, page + at.off, PAGE_SIZE - at.off))
			break; /* a unit of its own */
		more = make_insn(t, u, page + at.off, &g, at.eip);
		at.off += source_of(&g);
		at.eip += g.len;
		at.count++;
		t->held = t->held && !sti;
		sti = t->held;
	}
	if (more)
		unit_jump_out(t, u, at.eip);
	u->source = (at.off < PAGE_SIZE ? at.off : PAGE_SIZE) - first;
	t->stats.insns += at.count;
	return end(t, u);
}

struct translate_unit *unit_make_across(struct translator *t, u32 eip, u32 gpa, const u8 *page,
					const u8 *next_page)
{
	struct translate_unit *u = unit_new(t, eip, gpa);
	u32 off = gpa & ~PAGE_MASK, first = PAGE_SIZE - off;
	u8 bytes[2 * INSN_MAX];
	struct guest_insn g;

	memcpy(bytes, page + off, first);
	memcpy(bytes + first, next_page, INSN_MAX);
	g = classify_here(t, bytes, first + INSN_MAX);
	if (g.class == INSN_STI || may_leave_segment(t, &g, eip))
		g.class = INSN_INTERPRET;
	if (g.class == INSN_INTERPRET)
		g.opcode = transfer_of(t, bytes, sizeof(bytes));
	unit_point(t, u, AT, eip);
	u->source = first;
	t->stats.insns++;
	if (make_insn(t, u, bytes, &g, eip))
		unit_jump_out(t, u, eip + g.len);
	return end(t, u);
}

struct translate_unit *unit_make_pad(struct translator *t, u32 to)
{
	struct translate_unit *u = unit_new(t, to, 0);

	unit_point(t, u, TARGET, 0);
	emit_landing(t, to, t->miss);
	unit_point(t, u, AT, to);
	unit_jump_out(t, u, to);
	return end(t, u);
}

void unit_make_lookup(struct translator *t)
{
	struct translate_unit *u = unit_new(t, 0, 0);

	unit_point(t, u, TARGET, 0);
	t->lookup = t->next;
	emit_load(t, REG_ECX, STATE(target));
	unit_jump_to_target(t);
	t->miss = t->next;
	unit_exit(t, u, emit_jmp(t, t->next), TARGET, TRANSLATE_GO_ON, 0);
	t->exit[u->first_exit].fixed = true;
	end(t, u);
}
