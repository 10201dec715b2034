/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports under lockstep. All of v's accesses come through here. Within a stretch the CPU's are
 * carried out and taken down, and the interpreter's are compared with these and answered from them.
 * A device may do more than answer: write to memory, move it, raise FERR#. That cannot be taken
 * back and done again, so a port at which it has happened is accessed between stretches from then
 * on, as is one of which nothing is known yet.
 */
#include "cpu/lockstep/private.h"

static bool bit_of(const u8 *map, u16 port)
{
	return map[port >> 3] & BIT(port & 7);
}

static void set_bit(u8 *map, u16 port)
{
	map[port >> 3] |= (u8)BIT(port & 7);
}

/* What changes with whatever a device does beside its answer. */
struct effects {
	u32 written, mapping, generation;
	bool ferr;
};

static struct effects effects_now(const struct lockstep *l)
{
	const struct vcpu *v = l->v;

	return (struct effects){v->mem->written, v->mem->mapping, v->generation, v->fpu_ferr};
}

static bool same_effects(const struct effects *a, const struct effects *b)
{
	return a->written == b->written && a->mapping == b->mapping &&
	       a->generation == b->generation && a->ferr == b->ferr;
}

/* The device is asked. False: it has not answered yet. */
static bool ask(struct lockstep *l, struct lockstep_access *a)
{
	struct lockstep_ports *p = &l->ports;
	struct effects before = effects_now(l), after;
	bool done;

	done = a->out ? p->before->out(p->before_ctx, a->port, a->width, a->value)
		      : p->before->in(p->before_ctx, a->port, a->width, &a->value);
	after = effects_now(l);
	set_bit(p->known, a->port);
	if (same_effects(&before, &after))
		return done;
	set_bit(p->loud, a->port);
	if (l->phase == PHASE_NATIVE) {
		p->unrepeatable = true;
		vcpu_event_set(l->v, VCPU_EV_HOST); /* the stretch ends here */
	}
	return done;
}

static bool ask_once(struct lockstep *l, struct lockstep_access *a)
{
	struct lockstep_ports *p = &l->ports;

	if (l->repeating || p->count == ACCESSES_MAX || !bit_of(p->known, a->port) ||
	    bit_of(p->loud, a->port) || !ask(l, a))
		return false;
	p->done[p->count++] = *a;
	return true;
}

static bool repeat(struct lockstep *l, struct lockstep_access *a)
{
	const struct lockstep_access *done = &l->ports.done[l->ports.at];

	if (!lockstep_ports_left(l) || done->port != a->port || done->width != a->width ||
	    done->out != a->out || (a->out && done->value != a->value))
		return false;
	a->value = done->value;
	l->ports.at++;
	return true;
}

static bool carry_out(struct lockstep *l, struct lockstep_access *a)
{
	if (l->phase == PHASE_NATIVE)
		return ask_once(l, a);
	if (l->phase == PHASE_FOLLOW || l->repeating)
		return repeat(l, a);
	return ask(l, a);
}

static bool in(void *ctx, u16 port, unsigned width, u32 *value)
{
	struct lockstep_access a = {.port = port, .width = (u8)width, .value = *value};
	bool done = carry_out(ctx, &a);

	if (done)
		*value = a.value;
	return done;
}

static bool out(void *ctx, u16 port, unsigned width, u32 value)
{
	struct lockstep_access a = {.port = port, .width = (u8)width, .out = true, .value = value};

	return carry_out(ctx, &a);
}

/* INS and OUTS end a stretch. */
static u32 ins(void *ctx, u16 port, unsigned width, void *buf, u32 count)
{
	struct lockstep *l = ctx;

	if (l->phase != PHASE_NONE || l->repeating)
		return 0;
	return l->ports.before->ins(l->ports.before_ctx, port, width, buf, count);
}

static u32 outs(void *ctx, u16 port, unsigned width, const void *buf, u32 count)
{
	struct lockstep *l = ctx;

	if (l->phase != PHASE_NONE || l->repeating)
		return 0;
	return l->ports.before->outs(l->ports.before_ctx, port, width, buf, count);
}

/* --- the other pins --- */

static int intack(void *ctx)
{
	const struct lockstep_ports *p = &((struct lockstep *)ctx)->ports;

	return p->before->intack(p->before_ctx);
}

static u64 tsc(void *ctx)
{
	const struct lockstep_ports *p = &((struct lockstep *)ctx)->ports;

	return p->before->tsc(p->before_ctx);
}

static void ferr(void *ctx, bool level)
{
	const struct lockstep_ports *p = &((struct lockstep *)ctx)->ports;

	p->before->ferr(p->before_ctx, level);
}

static bool ignne(void *ctx)
{
	const struct lockstep_ports *p = &((struct lockstep *)ctx)->ports;

	return p->before->ignne(p->before_ctx);
}

void lockstep_ports_init(struct lockstep *l)
{
	struct lockstep_ports *p = &l->ports;

	p->before = l->v->ops;
	p->before_ctx = l->v->ops_ctx;
	p->ops = (struct vcpu_ops){
		.in = in,
		.out = out,
		.ins = ins,
		.outs = outs,
		.intack = intack,
		.tsc = p->before->tsc ? tsc : NULL,
		.ferr = p->before->ferr ? ferr : NULL,
		.ignne = p->before->ignne ? ignne : NULL,
	};
	l->v->ops = &p->ops;
	l->v->ops_ctx = l;
}

void lockstep_ports_begin(struct lockstep *l)
{
	if (l->repeating)
		return;
	l->ports.count = l->ports.at = 0;
	l->ports.unrepeatable = false;
}
