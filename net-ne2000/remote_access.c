/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's accesses: fetched from where their answers wait, answered here, posted, or sent. */
#include "lib/str.h"
#include "net-ne2000/remote_parts.h"

/* --- while the peer is lost --- */

static bool frozen(const struct remote *r)
{
	return r->state == REMOTE_LOST && r->config.on_loss == REMOTE_FREEZE;
}

static u32 lost_value(struct remote *r, u16 port, unsigned width)
{
	const struct profile *p = r->config.profile;

	if (r->state == REMOTE_LOST && r->config.on_loss == REMOTE_ERROR && p->error)
		return p->error(&r->profile, port, width);
	return remote_ones(width);
}

static void lost_block(struct remote *r, u16 port, unsigned width, u8 *buf, u32 count)
{
	for (; count > 0; count--, buf += width)
		remote_put_value(buf, width, lost_value(r, port, width));
}

/* --- sending --- */

/* After what is posted, or in a request of its own where there is no room. */
static bool add_op(struct remote *r, const struct proto_op *op)
{
	if (remote_add(r, op))
		return true;
	return r->next.w.ops && remote_send_posts(r) && remote_can_send(r) && remote_add(r, op);
}

/* The time that the device needs between what is posted and a read. CANCEL may end this pause. */
static void settle(struct remote *r, const struct proto_op *op)
{
	const struct profile *p = r->config.profile;
	struct proto_op pause = {.opcode = PROTO_DELAY, .width = 1};
	bool delays = r->next.delays;

	if (!p->settle || !r->next.w.ops || op->opcode == PROTO_OUT || op->opcode == PROTO_OUTS)
		return;
	pause.count = p->settle(&r->profile, (u16)op->addr, op->width);
	if (pause.count)
		remote_add(r, &pause);
	r->next.delays = delays;
}

/* NULL: no room now. The guest's opcode differs from op's where a read becomes a POLL. */
static struct remote_access *add_access(struct remote *r, const struct remote_key *k, u8 opcode,
					const struct proto_op *op, struct remote_plan *plan)
{
	struct remote_access *a;

	if (!remote_can_send(r))
		return NULL;
	a = remote_access_new(r, k, opcode, (u16)op->addr, op->width);
	if (!a)
		return NULL;
	settle(r, op);
	if (!add_op(r, op)) {
		a->state = ACCESS_FREE;
		return NULL;
	}
	*plan = (struct remote_plan){.access = a,
				     .access_at = (u8)(r->next.w.ops - 1),
				     .access_ops = 1,
				     .data_at = REMOTE_NO_OP,
				     .peek_at = REMOTE_NO_OP,
				     .drain_at = REMOTE_NO_OP};
	r->stats.waits++;
	return a;
}

static void wrote(struct remote *r, u16 port, unsigned width, const u8 *data, u32 count)
{
	if (r->config.profile->wrote)
		r->config.profile->wrote(&r->profile, port, width, data, count);
}

static void was_read(struct remote *r, u16 port, unsigned width, u8 *data, u32 count)
{
	if (r->config.profile->read)
		r->config.profile->read(&r->profile, port, width, data, count);
}

/* --- IN --- */

/* What the read goes as: IN, or a POLL. */
static void send_in(struct remote *r, const struct remote_key *k, u16 port, unsigned width)
{
	const struct profile *p = r->config.profile;
	struct proto_op op = {.opcode = PROTO_IN, .width = (u8)width, .count = 1, .addr = port};
	struct profile_follow follow;
	struct profile_drain drain;
	struct profile_poll poll;
	struct remote_access *a;
	struct remote_plan plan;
	u8 data[8];
	bool polls = remote_loop_polls(r, k, port, width, &poll);
	bool follows =
		p->follow && !remote_buffered(r) && p->follow(&r->profile, port, width, &follow);
	bool drains = p->drain && !polls && !follows && p->drain(&r->profile, port, width, &drain);

	if (remote_drains(r, port))
		return;
	if (!remote_dma_ready(r) || (follows && !remote_follow_room(r)))
		return;
	if (follows && !polls)
		poll = (struct profile_poll){.mask = follow.mask, .value = follow.wanted};
	if (drains)
		poll = (struct profile_poll){.mask = drain.mask, .value = drain.wanted};
	if (polls || follows || drains) {
		/* CANCEL would end a pause as well, and the writes after it. */
		if (r->next.delays && !remote_send_posts(r))
			return;
		op.opcode = PROTO_POLL;
		op.note = poll.unequal ? PROTO_POLL_UNEQUAL : 0;
		op.count = poll.max_us;
		op.data = data;
		proto_put32(data, poll.mask);
		proto_put32(data + 4, poll.value);
	}
	a = add_access(r, k, PROTO_IN, &op, &plan);
	if (!a)
		return;
	a->polls = polls && poll.max_us;
	r->stats.polls += polls;
	if (follows)
		remote_follow(r, &follow, polls, &plan);
	if (drains)
		remote_drain(r, &drain, &plan);
	remote_send(r, &plan);
}

/* A read that needs no round trip. */
static bool local_in(struct remote *r, const struct remote_key *k, u16 port, unsigned width,
		     u32 *value, bool *wait)
{
	const struct profile *p = r->config.profile;
	u8 data[4] = {0};
	u32 taken;

	if (p->known && p->known(&r->profile, port, width, remote_buffered(r), value)) {
		remote_put_value(data, width, *value);
	} else if (remote_ahead_take(r, port, width, data, 1, &taken)) {
		*wait = !taken;
	} else if (remote_loop_credit(r, k, port, width, value)) {
		remote_put_value(data, width, *value);
	} else {
		return false;
	}
	if (*wait)
		return true;
	was_read(r, port, width, data, 1);
	*value = remote_get_value(data, width);
	r->stats.local++;
	return true;
}

static bool fetch_in(struct remote *r, const struct remote_key *k, struct remote_access *a,
		     u32 *value)
{
	u8 data[4];

	if (a->state == ACCESS_SENT || (a->state == ACCESS_UNKNOWN && frozen(r)))
		return false;
	if (a->state == ACCESS_UNKNOWN) {
		*value = lost_value(r, a->port, a->width);
	} else {
		remote_loop_read(r, k, a);
		remote_put_value(data, a->width, a->value);
		was_read(r, a->port, a->width, data, 1);
		*value = remote_get_value(data, a->width);
	}
	a->state = ACCESS_FREE;
	return true;
}

bool remote_in(struct remote *r, const struct remote_key *k, u16 port, unsigned width, u32 *value,
	       u64 now)
{
	struct remote_access *a = remote_access_find(r, k, PROTO_IN, port, width, 0);
	bool wait = false;

	r->now = now;
	if (a) {
		wait = !fetch_in(r, k, a, value);
	} else if (!remote_up(r)) {
		wait = frozen(r);
		*value = lost_value(r, port, width);
	} else if (!local_in(r, k, port, width, value, &wait)) {
		send_in(r, k, port, width);
		wait = true;
	}
	r->used_at = now;
	r->stats.accesses += !wait;
	remote_pump(r);
	return !wait;
}

/* --- OUT --- */

static bool posts(struct remote *r, u16 port, unsigned width, u32 value)
{
	const struct profile *p = r->config.profile;

	return p->posts && p->posts(&r->profile, port, width, value);
}

static void before_write(struct remote *r, u16 port, unsigned width, u32 value)
{
	const struct profile *p = r->config.profile;

	remote_loop_break(r);
	if (p->drops_ahead && p->drops_ahead(&r->profile, port, width, value))
		remote_ahead_void(r);
}

/* Elements that are done with: posted, or vanished with the peer. 0: the guest waits. */
static u32 write_block(struct remote *r, const struct remote_key *k, u8 opcode, u16 port,
		       unsigned width, const u8 *data, u32 count)
{
	struct proto_op op = {
		.opcode = opcode, .width = (u8)width, .count = 1, .addr = port, .data = data};
	u32 first = remote_get_value(data, width), room, taken;
	struct remote_access *a;
	struct remote_plan plan;

	if (!remote_dma_ready(r))
		return 0;
	before_write(r, port, width, first);
	if (posts(r, port, width, first)) {
		taken = remote_post(r, port, width, data, count);
		if (taken)
			wrote(r, port, width, data, taken);
		return taken;
	}
	if (opcode == PROTO_OUTS) {
		room = remote_block_room(r, PROTO_OUTS, width, count);
		op.count = (u16)(count < room ? count : room);
	}
	a = op.count ? add_access(r, k, opcode, &op, &plan) : NULL;
	if (!a)
		return 0;
	a->value = first;
	a->count = op.count;
	wrote(r, port, width, data, op.count);
	remote_send(r, &plan);
	return 0;
}

static u32 write(struct remote *r, const struct remote_key *k, u8 opcode, u16 port, unsigned width,
		 const u8 *data, u32 count)
{
	struct remote_access *a =
		remote_access_find(r, k, opcode, port, width, remote_get_value(data, width));
	u32 done = 0;

	if (a && (a->state == ACCESS_ANSWERED || (a->state == ACCESS_UNKNOWN && !frozen(r)))) {
		done = a->count < count ? a->count : count;
		a->state = ACCESS_FREE;
	} else if (!a && remote_up(r)) {
		done = write_block(r, k, opcode, port, width, data, count);
	} else if (!a && !frozen(r)) {
		done = count;
	}
	r->used_at = r->now;
	r->stats.accesses += done;
	remote_pump(r);
	return done;
}

bool remote_out(struct remote *r, const struct remote_key *k, u16 port, unsigned width, u32 value,
		u64 now)
{
	u8 data[4];

	r->now = now;
	remote_put_value(data, width, value);
	return write(r, k, PROTO_OUT, port, width, data, 1) != 0;
}

u32 remote_outs(struct remote *r, const struct remote_key *k, u16 port, unsigned width,
		const void *buf, u32 count, u64 now)
{
	r->now = now;
	return count ? write(r, k, PROTO_OUTS, port, width, buf, count) : 0;
}

/* --- INS --- */

static u32 fetch_ins(struct remote *r, struct remote_access *a, u8 *buf, u32 count)
{
	u32 n = a->count - a->taken;

	if (a->state == ACCESS_SENT || (a->state == ACCESS_UNKNOWN && frozen(r)))
		return 0;
	n = n < count ? n : count;
	if (a->state == ACCESS_UNKNOWN) {
		lost_block(r, a->port, a->width, buf, n);
	} else {
		memcpy(buf, a->data + a->taken * a->width, n * a->width);
		was_read(r, a->port, a->width, buf, n);
	}
	a->taken += n;
	if (a->taken == a->count)
		a->state = ACCESS_FREE;
	return n;
}

static void send_ins(struct remote *r, const struct remote_key *k, u16 port, unsigned width,
		     u32 count)
{
	u32 room = remote_dma_ready(r) ? remote_block_room(r, PROTO_INS, width, count) : 0;
	struct proto_op op = {.opcode = PROTO_INS,
			      .width = (u8)width,
			      .count = (u16)(count < room ? count : room),
			      .addr = port};
	struct remote_access *a;
	struct remote_plan plan;

	remote_loop_break(r);
	if (remote_drains(r, port))
		return;
	a = op.count ? add_access(r, k, PROTO_INS, &op, &plan) : NULL;
	if (!a)
		return;
	a->count = op.count;
	remote_send(r, &plan);
}

static bool known_element(struct remote *r, u16 port, unsigned width, u8 *buf)
{
	const struct profile *p = r->config.profile;
	u32 value;

	if (!p->known || !p->known(&r->profile, port, width, remote_buffered(r), &value))
		return false;
	remote_put_value(buf, width, value);
	was_read(r, port, width, buf, 1);
	r->stats.local++;
	return true;
}

u32 remote_ins(struct remote *r, const struct remote_key *k, u16 port, unsigned width, void *buf,
	       u32 count, u64 now)
{
	struct remote_access *a = remote_access_find(r, k, PROTO_INS, port, width, 0);
	u32 done = 0;

	r->now = now;
	if (a) {
		done = fetch_ins(r, a, buf, count);
	} else if (!remote_up(r)) {
		done = frozen(r) ? 0 : count;
		lost_block(r, port, width, buf, done);
	} else if (remote_ahead_take(r, port, width, buf, count, &done)) {
		was_read(r, port, width, buf, done);
		r->stats.local += done;
	} else if (known_element(r, port, width, buf)) {
		done = 1;
	} else if (count) {
		send_ins(r, k, port, width, count);
	}
	r->used_at = now;
	r->stats.accesses += done;
	remote_pump(r);
	return done;
}
