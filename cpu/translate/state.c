/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's state before, after and in the middle of translated code. */
#include "cpu/translate/quick.h"
#include "cpu/vcpu.h"

#define FLAGS_REAL (FLAGS_ARITH | FLAG_DF | FLAG_ID)

/* Where translated code finds the state. */
static u32 state_lin(const struct translator *t)
{
	return t->host.state_disp;
}

void translate_enter(struct translator *t, u32 eflags, const struct segment *seg)
{
	struct translate_state *s = t->host.state;

#pragma GCC unroll 6
	for (unsigned i = 0; i < TRANSLATE_SEGS; i++) {
		s->sel[i] = seg[i].sel;
		s->loaded[i] = 0;
	}
	translate_enter_flags(s, eflags);
}

void translate_know(struct translator *t, u8 sel, u32 lin, u32 low, u32 high, u16 native)
{
	struct translate_state *s = t->host.state;

	s->known[sel].lin = lin ? lin : state_lin(t) + offsetof(struct translate_state, nothing);
	s->known[sel].low = low;
	s->known[sel].high = high;
	s->known[sel].native = native;
}

/* No descriptor is like what is compared with then. */
void translate_know_nothing(struct translator *t)
{
	t->host.state->nothing[0] = t->host.state->nothing[1] = 0;
	for (unsigned sel = 0; sel < TRANSLATE_SELECTORS; sel++)
		translate_know(t, (u8)sel, 0, 1, 0, 0);
}

/* LAHF has them but for OF, which SETO has put below. */
static u32 saved_flags(u32 flags)
{
	return (flags >> 8 & FLAGS_ARITH & 0xff) | (flags & 1 ? FLAG_OF : 0);
}

static void recover(struct translate_state *s, u8 recovery, u32 eip, struct translate_regs *r)
{
	enum recovery how = recovery & ~HELD;

	r->eip = how == TARGET ? s->target : eip;
	r->shadow = recovery & HELD;
	if (how == POPPED)
		s->vif = s->new_if;
	if (how == SAVED_FLAGS)
		r->eflags = (r->eflags & ~FLAGS_ARITH) | saved_flags(s->flags);
	if (how > COPIED)
		r->gpr[REG_ECX] = s->ecx;
	if (how > SAVED_ECX && how != TARGET)
		r->gpr[REG_EAX] = s->eax;
	r->eflags = (r->eflags & FLAGS_REAL) | FLAGS_FIXED | s->vif | s->iopl;
}

/* The stack pointer goes up by n, in code for that context. */
static void drop(const struct translate_context *c, u32 n, u32 *esp)
{
	u32 mask = c->mode & TRANSLATE_STACK16 ? 0xffff : ~0u;

	*esp = (*esp & ~mask) | ((*esp + n) & mask);
}

enum translate_reason translate_left(struct translator *t, struct translate_regs *r)
{
	u32 n = t->host.state->exit; /* which the guest may have written over */
	const struct exit *e = &t->exit[n < t->exits ? n : 0];

	recover(t->host.state, e->recovery, e->call.eip, r);
	t->last_exit = e->reason == TRANSLATE_GO_ON ? (u32)(e - t->exit) : NO_EXIT;
	return e->reason;
}

const struct translate_call *translate_called(const struct translator *t)
{
	u32 n = t->host.state->exit;
	const struct exit *e = &t->exit[n < t->exits ? n : 0];

	return e->call.len ? &e->call : NULL;
}

enum translate_transfer translate_transfer(const struct translator *t)
{
	u32 n = t->host.state->exit;

	return n < t->exits ? t->exit[n].transfer : TRANSLATE_NO_TRANSFER;
}

struct translate_unit *unit_of(const struct translator *t, u32 native)
{
	u32 low = 0, high = t->units;

	while (low < high) {
		u32 middle = (low + high) / 2;
		struct translate_unit *u = &t->unit[middle];

		if (native - (u32)(uintptr_t)u->code < u->size)
			return u;
		if (native < (u32)(uintptr_t)u->code)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The number, in the unit, of the point that this offset in its code is at. */
static u32 point_at(const struct translator *t, const struct translate_unit *u, u32 off)
{
	const struct point *points = &t->point[u->first_point];
	u32 low = 0, high = u->points;

	while (high - low > 1) {
		u32 middle = (low + high) / 2;

		if (points[middle].off <= off)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* In the stub of an exit, where the guest is as when it is left by it. */
static void stopped_in_stub(const struct translator *t, const struct translate_unit *u, u32 off,
			    struct translate_regs *r)
{
	const u8 *stub = u->code + u->stubs + (off - u->stubs) / STUB_SIZE * STUB_SIZE;
	const struct exit *e;
	u32 n;

	__builtin_memcpy(&n, stub + STUB_EXIT, 4);
	e = &t->exit[n];
	recover(t->host.state, e->recovery, e->call.eip, r);
}

bool translate_stopped(const struct translator *t, struct translate_regs *r)
{
	const struct translate_unit *u = unit_of(t, r->eip);
	const struct point *p;
	u32 off;

	if (!u)
		return false;
	off = r->eip - (u32)(uintptr_t)u->code;
	if (off >= u->stubs) {
		stopped_in_stub(t, u, off, r);
		return true;
	}
	p = &t->point[u->first_point + point_at(t, u, off)];
	if (p->recovery == COPIED)
		recover(t->host.state, AT, p->eip + (off - p->off), r);
	else
		recover(t->host.state, p->recovery, p->eip, r);
	drop(&t->context[u->context], p->stack, &r->gpr[REG_ESP]);
	return true;
}

/* More than the points of one instruction. */
#define POINTS_NEAR 8u

/* Where in copied code from `off` to `end`, at which the guest is at eip, it is at `want`. */
static u8 *place_in_run(const struct translate_unit *u, u32 off, u32 end, u32 eip, u32 want)
{
	while (off < end && eip != want) {
		u32 len = classify_copied(u->code + off);

		off += len;
		eip += len;
	}
	return off < end ? u->code + off : NULL;
}

u8 *state_place(const struct translator *t, const struct translate_unit *u, u32 n, u32 off,
		u32 points, u32 eip, bool leaving)
{
	for (; points; n++, points--) {
		const struct point *p = &t->point[u->first_point + n];

		off = off > p->off ? off : p->off;
		if ((p->recovery == AT || (leaving && p->recovery == LEAVING)) && p->eip == eip)
			return u->code + p->off;
		if (p->recovery == COPIED && eip - p->eip < (u32)p[1].off - p->off)
			return place_in_run(u, off, p[1].off, p->eip + (off - p->off), eip);
	}
	return NULL;
}

u32 translate_place(const struct translator *t, u32 native, u32 eip)
{
	const struct translate_unit *u = unit_of(t, native);
	u32 off, n, left;

	if (!u || native - (u32)(uintptr_t)u->code >= u->stubs)
		return 0;
	off = native - (u32)(uintptr_t)u->code;
	n = point_at(t, u, off);
	left = u->points - n;
	left = left < POINTS_NEAR ? left : POINTS_NEAR;
	return (u32)(uintptr_t)state_place(t, u, n, off, left, eip, true);
}
