/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's state before, after and in the middle of translated code. */
#include "cpu/translate/private.h"
#include "cpu/vcpu.h"

#define FLAGS_REAL (FLAGS_ARITH | FLAG_DF | FLAG_ID)

void translate_enter(struct translator *t, u32 eflags)
{
	struct translate_state *s = t->host.state;

	s->vif = eflags & FLAG_IF;
	s->iopl = eflags & FLAG_IOPL;
	s->flags_add = s->iopl - FLAG_IF;
}

/* LAHF has them but for OF, which SETO has put below. */
static u32 saved_flags(u32 flags)
{
	return (flags >> 8 & FLAGS_ARITH & 0xff) | (flags & 1 ? FLAG_OF : 0);
}

static void recover(struct translate_state *s, enum recovery how, u32 eip, struct translate_regs *r)
{
	r->eip = how == TARGET ? s->target : eip;
	r->shadow = how == AT_SHADOW;
	if (how == POPPED)
		s->vif = s->new_if;
	if (how == SAVED_FLAGS)
		r->eflags = (r->eflags & ~FLAGS_ARITH) | saved_flags(s->flags);
	if (how != AT && how != AT_SHADOW)
		r->gpr[REG_ECX] = s->ecx;
	if (how == SAVED || how == SAVED_FLAGS || how == PUSHED || how == POPPED)
		r->gpr[REG_EAX] = s->eax;
	if (how == PUSHED)
		r->gpr[REG_ESP] += 4;
	r->eflags = (r->eflags & FLAGS_REAL) | FLAGS_FIXED | s->vif | s->iopl;
}

enum translate_reason translate_left(struct translator *t, struct translate_regs *r)
{
	const struct exit *e = &t->exit[t->host.state->exit];

	recover(t->host.state, e->recovery, e->eip, r);
	t->last_exit = e->reason == TRANSLATE_GO_ON ? t->host.state->exit : NO_EXIT;
	return e->reason;
}

static const struct translate_unit *unit_at(const struct translator *t, u32 native)
{
	u32 low = 0, high = t->units;

	while (low < high) {
		u32 middle = (low + high) / 2;
		const struct translate_unit *u = &t->unit[middle];

		if (native - translate_entry(u) < u->size)
			return u;
		if (native < translate_entry(u))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool translate_stopped(const struct translator *t, struct translate_regs *r)
{
	const struct translate_unit *u = unit_at(t, r->eip);
	const struct point *p;
	u32 off;

	if (!u)
		return false;
	off = r->eip - translate_entry(u);
	p = &t->point[u->first_point + u->points - 1];
	while (p->off > off)
		p--;
	recover(t->host.state, p->recovery, p->eip, r);
	return true;
}
