/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest code into native code, instruction by instruction. The comments beside the sequences give
 * what translate_stopped() has to know: see enum recovery. A sequence changes what the guest can
 * see in one native instruction; before it the guest is still at the instruction, after it past.
 */
#include "cpu/translate/private.h"
#include "cpu/vcpu.h"
#include "lib/str.h"

#define STATE(field) offsetof(struct translate_state, field)

#define UNIT_INSNS_MAX 24u
#define INSN_MAX       15u /* bytes */

/* POPF of any of these is for the interpreter, but for IOPL as it is. */
#define FLAGS_RARE                                                                                 \
	(FLAG_TF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP |       \
	 BIT(15))

/* Whether a state in which the guest is at eip is one right behind STI. */
static u8 held(const struct translator *t, enum recovery r, u32 eip)
{
	return t->held && eip == t->held_eip && r != TARGET ? HELD : 0;
}

void unit_point(struct translator *t, struct translate_unit *u, enum recovery r, u32 eip)
{
	struct point *p = &t->point[u->first_point + u->points];

	if (u->points && p[-1].off == (u16)(t->next - u->code)) {
		u->points--; /* the last one has no code */
		p--;
	}
	*p = (struct point){
		.off = (u16)(t->next - u->code), .recovery = (u8)(r | held(t, r, eip)), .eip = eip};
	u->points++;
}

/* A way out through the rel32 at `site`; its stub follows the unit's code. */
static struct exit *add_exit(struct translator *t, struct translate_unit *u, u8 *site,
			     enum recovery r, enum translate_reason reason, u32 eip)
{
	struct exit *e = &t->exit[u->first_exit + u->exits++];

	*e = (struct exit){
		.call.eip = eip, .recovery = (u8)r, .reason = (u8)reason, .site = site, .from = u};
	if (reason == TRANSLATE_INTERPRET)
		e->recovery |= held(t, r, eip);
	return e;
}

static void leave(struct translator *t, u32 exit)
{
	emit_store_imm(t, STATE(exit), exit);
	emit_jmp(t, (const u8 *)(uintptr_t)t->host.leave);
}

/* JMP to where the code at EIP is translated, once it is linked. */
static void jump_out(struct translator *t, struct translate_unit *u, u32 eip)
{
	add_exit(t, u, emit_jmp(t, t->next), AT, TRANSLATE_GO_ON, eip);
}

static void leave_for(struct translator *t, struct translate_unit *u, u32 eip, u8 transfer)
{
	add_exit(t, u, emit_jmp(t, t->next), AT, TRANSLATE_INTERPRET, eip)->transfer = transfer;
}

/* What the instruction in bytes[0, avail), which is not translated, is as an exit. */
static u8 transfer_of(const u8 *bytes, u32 avail)
{
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
	for (u32 n = u->first_exit; n < u->first_exit + u->exits; n++) {
		struct exit *e = &t->exit[n];

		if (!e->site)
			continue; /* make_host()'s */
		unit_point(t, u, e->recovery, e->call.eip);
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

/* Its stub is here: it is always taken. */
static void make_host(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		      u32 eip, u32 next)
{
	struct exit *e = add_exit(t, u, NULL, AT, TRANSLATE_INTERPRET, eip);

	e->call.what = g->opcode;
	e->call.operand = (u8)g->operand;
	leave(t, (u32)(e - t->exit));
	unit_comes_back(t, u, eip, next);
	unit_point(t, u, AT, next);
}

/* --- flags --- */

static void make_cli(struct translator *t, struct translate_unit *u, u32 next)
{
	emit_store_imm(t, STATE(vif), 0);
	unit_point(t, u, AT, next);
}

/* While an interrupt waits it is the interpreter's, which holds the interrupt off. */
static void make_sti(struct translator *t, struct translate_unit *u, u32 eip, u32 next)
{
	emit_store(t, REG_ECX, STATE(ecx));
	emit_load(t, REG_ECX, STATE(pending));
	unit_point(t, u, SAVED_ECX, eip);
	emit8(t, 0xe3); /* jecxz, over the jmp */
	emit8(t, 5);
	add_exit(t, u, emit_jmp(t, t->next), SAVED_ECX, TRANSLATE_INTERPRET, eip);
	emit_load(t, REG_ECX, STATE(ecx));
	unit_point(t, u, AT, eip);
	emit_store_imm(t, STATE(vif), FLAG_IF);
	t->held = true;
	t->held_eip = next;
	unit_point(t, u, AT, next);
}

/* The real image has IF on and IOPL 0; what is added makes the guest's of it. */
static void make_pushf(struct translator *t, struct translate_unit *u, u32 eip, u32 next)
{
	static const u8 add[] = {0x8d, 0x04, 0x08}; /* lea eax, [eax + ecx] */
	static const u8 mov_eax_top[] = {0x8b, 0x04, 0x24}, mov_top_eax[] = {0x89, 0x04, 0x24};

	emit_store(t, REG_EAX, STATE(eax));
	emit_store(t, REG_ECX, STATE(ecx));
	emit8(t, 0x9c);
	unit_point(t, u, PUSHED, eip);
	emit_bytes(t, mov_eax_top, sizeof(mov_eax_top));
	emit_load(t, REG_ECX, STATE(vif));
	emit_bytes(t, add, sizeof(add));
	emit_load(t, REG_ECX, STATE(flags_add));
	emit_bytes(t, add, sizeof(add));
	emit_bytes(t, mov_top_eax, sizeof(mov_top_eax));
	emit_load(t, REG_ECX, STATE(ecx));
	emit_load(t, REG_EAX, STATE(eax));
	unit_point(t, u, AT, next);
}

void unit_leave_if(struct translator *t, struct translate_unit *u, u8 condition, u32 eip)
{
	add_exit(t, u, emit_jcc(t, condition), SAVED_FLAGS, TRANSLATE_INTERPRET, eip);
}

static void make_popf(struct translator *t, struct translate_unit *u, u32 eip, u32 next)
{
	static const u8 save[] = {0x9f, 0x0f, 0x90, 0xc0};	/* lahf; seto al */
	static const u8 top[] = {0x8b, 0x04, 0x24, 0x89, 0xc1}; /* mov eax, [esp]; mov ecx, eax */
	static const u8 jz = 0x74;
	u8 *over;

	emit_store(t, REG_EAX, STATE(eax));
	emit_store(t, REG_ECX, STATE(ecx));
	unit_point(t, u, SAVED, eip);
	emit_bytes(t, save, sizeof(save));
	emit_store(t, REG_EAX, STATE(flags));
	emit_bytes(t, top, sizeof(top));
	unit_point(t, u, SAVED_FLAGS, eip);
	emit8(t, 0x81); /* and ecx, FLAGS_RARE */
	emit8(t, 0xe1);
	emit32(t, FLAGS_RARE);
	emit_field(t, 0x3b, REG_ECX, STATE(iopl));
	unit_leave_if(t, u, 5, eip);
	emit8(t, 0x25); /* and eax, FLAG_IF */
	emit32(t, FLAG_IF);
	emit_store(t, REG_EAX, STATE(new_if));
	emit8(t, jz);
	over = t->next++;
	emit_load(t, REG_ECX, STATE(pending));
	emit8(t, 0x85); /* test ecx, ecx */
	emit8(t, 0xc9);
	unit_leave_if(t, u, 5, eip);
	*over = (u8)(t->next - over - 1);
	emit_load(t, REG_ECX, STATE(ecx));
	emit8(t, 0x9d);
	unit_point(t, u, POPPED, next);
	emit_load(t, REG_EAX, STATE(new_if));
	emit_store(t, REG_EAX, STATE(vif));
	emit_load(t, REG_EAX, STATE(eax));
	unit_comes_back(t, u, eip, next);
	unit_point(t, u, AT, next);
}

/* --- branches --- */

static void make_jcc(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		     u32 next)
{
	add_exit(t, u, emit_jcc(t, g->opcode), AT, TRANSLATE_GO_ON, next + g->operand);
	unit_point(t, u, AT, next);
}

/* These have no long form. */
static void make_loop(struct translator *t, struct translate_unit *u, const struct guest_insn *g,
		      u32 next)
{
	static const u8 over_jump[] = {2, 0xeb, 5};

	emit8(t, g->opcode);
	emit_bytes(t, over_jump, 1);
	unit_point(t, u, AT, next);
	emit_bytes(t, over_jump + 1, 2);
	unit_point(t, u, AT, next + g->operand);
	jump_out(t, u, next + g->operand);
	unit_point(t, u, AT, next);
}

static void push_imm(struct translator *t, u32 value)
{
	emit8(t, 0x68);
	emit32(t, value);
}

/* Where the call returns to; the place of its address is filled in by make_landing(). */
static u8 *predict_return(struct translator *t, u32 ret)
{
	emit_store_imm(t, STATE(ret) + (ret & (TRANSLATE_SLOTS - 1)) * 4, 0);
	return t->next - 4;
}

static void make_landing(struct translator *t, struct translate_unit *u, u8 *imm, u32 ret)
{
	u32 here = (u32)(uintptr_t)t->next;

	__builtin_memcpy(imm, &here, 4);
	unit_point(t, u, TARGET, 0);
	emit_landing(t, ret, t->lookup);
	unit_point(t, u, AT, ret);
}

static void make_call(struct translator *t, struct translate_unit *u, u32 target, u32 next)
{
	u8 *imm;

	push_imm(t, next);
	unit_point(t, u, AT, target);
	imm = predict_return(t, next);
	jump_out(t, u, target);
	make_landing(t, u, imm, next);
}

static void make_ret(struct translator *t, struct translate_unit *u, u32 drop, u32 eip)
{
	static const u8 mov_ecx_top[] = {0x8b, 0x0c, 0x24}, movzx_ecx_cl[] = {0x0f, 0xb6, 0xc9};
	static const u8 lea_esp[] = {0x8d, 0xa4, 0x24};

	emit_store(t, REG_ECX, STATE(ecx));
	emit_bytes(t, mov_ecx_top, sizeof(mov_ecx_top));
	unit_point(t, u, SAVED_ECX, eip);
	emit_store(t, REG_ECX, STATE(target));
	emit_bytes(t, movzx_ecx_cl, sizeof(movzx_ecx_cl));
	emit_bytes(t, lea_esp, sizeof(lea_esp));
	emit32(t, 4 + drop);
	unit_point(t, u, TARGET, 0);
	emit_jmp_table(t, STATE(ret));
}

/* The target into ECX and the state: MOV ECX with the guest's prefixes and operand. */
static void load_target(struct translator *t, struct translate_unit *u, const u8 *bytes,
			const struct guest_insn *g, u32 eip)
{
	emit_store(t, REG_ECX, STATE(ecx));
	emit_bytes(t, bytes, g->rm_at - 1u);
	emit8(t, 0x8b);
	emit8(t, (u8)((bytes[g->rm_at] & 0xc7) | REG_ECX << 3));
	emit_bytes(t, bytes + g->rm_at + 1, g->len - g->rm_at - 1u);
	unit_point(t, u, SAVED_ECX, eip);
	emit_store(t, REG_ECX, STATE(target));
}

static void jump_to_target(struct translator *t)
{
	emit_hash(t);
	emit_jmp_table(t, STATE(jump));
}

static void make_jmp_rm(struct translator *t, struct translate_unit *u, const u8 *bytes,
			const struct guest_insn *g, u32 eip)
{
	load_target(t, u, bytes, g, eip);
	unit_point(t, u, TARGET, 0);
	jump_to_target(t);
}

static void make_call_rm(struct translator *t, struct translate_unit *u, const u8 *bytes,
			 const struct guest_insn *g, u32 eip)
{
	u8 *imm;

	load_target(t, u, bytes, g, eip);
	push_imm(t, eip + g->len);
	unit_point(t, u, TARGET, 0);
	imm = predict_return(t, eip + g->len);
	jump_to_target(t);
	make_landing(t, u, imm, eip + g->len);
}

/* --- units --- */

/* False: nothing follows it in the unit. */
static bool make_insn(struct translator *t, struct translate_unit *u, const u8 *bytes,
		      const struct guest_insn *g, u32 eip)
{
	u32 next = eip + g->len;

	switch (g->class) {
	case INSN_COPY:
		emit_bytes(t, bytes, g->len);
		unit_point(t, u, AT, next);
		return true;
	case INSN_HOST:
		make_host(t, u, g, eip, next);
		return true;
	case INSN_CLI:
		make_cli(t, u, next);
		return true;
	case INSN_STI:
		make_sti(t, u, eip, next);
		return true;
	case INSN_PUSHF:
		make_pushf(t, u, eip, next);
		return true;
	case INSN_POPF:
		make_popf(t, u, eip, next);
		return true;
	case INSN_PUSH_SEG:
		unit_push_seg(t, u, g->opcode, next);
		return true;
	case INSN_POP_SEG:
		unit_pop_seg(t, u, g->opcode, eip, next);
		return true;
	case INSN_LOAD_SEG:
		unit_load_seg(t, u, bytes, g, eip, next);
		return true;
	case INSN_STORE_SEG:
		unit_store_seg(t, u, bytes[g->rm_at], g->opcode, next);
		return true;
	case INSN_JCC:
		make_jcc(t, u, g, next);
		return true;
	case INSN_LOOP:
		make_loop(t, u, g, next);
		return true;
	case INSN_CALL:
		make_call(t, u, next + g->operand, next);
		return true;
	case INSN_CALL_RM:
		make_call_rm(t, u, bytes, g, eip);
		return true;
	case INSN_JMP:
		jump_out(t, u, next + g->operand);
		return false;
	case INSN_JMP_RM:
		make_jmp_rm(t, u, bytes, g, eip);
		return false;
	case INSN_RET:
		make_ret(t, u, g->operand, eip);
		return false;
	default:
		leave_for(t, u, eip, g->opcode);
		return false;
	}
}

static struct translate_unit *begin(struct translator *t, u32 eip, u32 gpa)
{
	struct translate_unit *u = &t->unit[t->units++];

	*u = (struct translate_unit){.eip = eip,
				     .gpa = gpa,
				     .next_gpa = NO_PAGE,
				     .code = t->next,
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

/* STI in front of what is the interpreter's is so, too: it holds interrupts off until that is done.
 */
static bool holds(const u8 *bytes, u32 avail, unsigned own)
{
	struct guest_insn then = classify(bytes, avail, own);

	return then.class != INSN_INTERPRET && then.class != INSN_STI;
}

struct translate_unit *unit_make(struct translator *t, u32 eip, u32 gpa, const u8 *page)
{
	struct translate_unit *u = begin(t, eip, gpa);
	u32 off = gpa & ~PAGE_MASK, n;
	unsigned own = unit_own_segment(t);
	bool sti = false, more = true;

	unit_point(t, u, AT, eip);
	for (n = 0; more && (n < UNIT_INSNS_MAX || sti) && off < PAGE_SIZE; n++) {
		struct guest_insn g;

		if (n && !sti && translate_find(t, eip, (gpa & PAGE_MASK) + off))
			break; /* go on there */
		g = classify(page + off, PAGE_SIZE - off, own);
		if (n && !g.len && classify_cut(page + off, PAGE_SIZE - off))
			break; /* a unit of its own */
		if (g.class == INSN_COPY && faulting_is_call(t, (gpa & PAGE_MASK) + off)) {
			g.class = INSN_HOST;
			g.opcode = TRANSLATE_MEMORY;
		}
		if (g.class == INSN_STI && !holds(page + off + 1, PAGE_SIZE - off - 1, own))
			g.class = INSN_INTERPRET;
		if (g.class == INSN_INTERPRET)
			g.opcode = transfer_of(page + off, PAGE_SIZE - off);
		t->stats.insns++;
		more = make_insn(t, u, page + off, &g, eip);
		off += g.len;
		eip += g.len;
		t->held = t->held && !sti;
		sti = t->held;
	}
	if (more)
		jump_out(t, u, eip);
	return end(t, u);
}

struct translate_unit *unit_make_across(struct translator *t, u32 eip, u32 gpa, const u8 *page,
					const u8 *next_page)
{
	struct translate_unit *u = begin(t, eip, gpa);
	u32 off = gpa & ~PAGE_MASK, first = PAGE_SIZE - off;
	u8 bytes[2 * INSN_MAX];
	struct guest_insn g;

	memcpy(bytes, page + off, first);
	memcpy(bytes + first, next_page, INSN_MAX);
	g = classify(bytes, first + INSN_MAX, unit_own_segment(t));
	if (g.class == INSN_STI)
		g.class = INSN_INTERPRET;
	if (g.class == INSN_INTERPRET)
		g.opcode = transfer_of(bytes, sizeof(bytes));
	unit_point(t, u, AT, eip);
	t->stats.insns++;
	if (make_insn(t, u, bytes, &g, eip))
		jump_out(t, u, eip + g.len);
	return end(t, u);
}

struct translate_unit *unit_make_pad(struct translator *t, u32 to)
{
	struct translate_unit *u = begin(t, to, 0);

	unit_point(t, u, TARGET, 0);
	emit_landing(t, to, t->miss);
	unit_point(t, u, AT, to);
	jump_out(t, u, to);
	return end(t, u);
}

void unit_make_lookup(struct translator *t)
{
	struct translate_unit *u = begin(t, 0, 0);

	unit_point(t, u, TARGET, 0);
	t->lookup = t->next;
	emit_load(t, REG_ECX, STATE(target));
	jump_to_target(t);
	t->miss = t->next;
	add_exit(t, u, emit_jmp(t, t->next), TARGET, TRANSLATE_GO_ON, 0);
	t->exit[u->first_exit].fixed = true;
	end(t, u);
}
