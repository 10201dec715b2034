/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Posted writes: collected in the next request, those of one port and width in a row as one OUTS.
 * They leave with the next access that waits, when the request is full, or after REMOTE_POST_NS.
 */
#include "lib/str.h"
#include "net-ne2000/remote_parts.h"

static void set_op(u8 *p, u8 opcode, u16 count)
{
	p[0] = opcode;
	proto_put16(p + 2, count);
}

/* The last operation becomes, or is, an OUTS, and gets `count` elements more. */
static u32 extend(struct remote *r, u16 port, unsigned width, const u8 *data, u32 count)
{
	struct remote_frame *f = &r->next;
	u8 *p = f->buf + PROTO_HEADER + f->last;
	u32 had, room, bytes;

	if (!f->w.ops || (p[0] != PROTO_OUT && p[0] != PROTO_OUTS) || p[1] != width ||
	    proto_get32(p + 4) != port)
		return 0;
	had = p[0] == PROTO_OUT ? 1 : proto_get16(p + 2);
	room = (PROTO_OPS_MAX - f->last - PROTO_OP) / width - had;
	count = count < room ? count : room;
	if (!count)
		return 0;
	set_op(p, PROTO_OUTS, (u16)(had + count));
	memcpy(p + PROTO_OP + had * width, data, count * width);
	bytes = (had + count) * width;
	while (bytes % 4)
		p[PROTO_OP + bytes++] = 0;
	f->w.len = f->last + PROTO_OP + bytes;
	return count;
}

static u32 append(struct remote *r, u16 port, unsigned width, const u8 *data, u32 count)
{
	u32 room = remote_room(r, PROTO_OUTS, width, 0);
	struct proto_op op = {.width = (u8)width, .addr = port, .data = data};

	op.count = (u16)(count < room ? count : room);
	op.opcode = op.count == 1 ? PROTO_OUT : PROTO_OUTS;
	return op.count && remote_add(r, &op) ? op.count : 0;
}

/* The guest's pause since the write before, where the device may need it. */
static void keep_pause(struct remote *r)
{
	u64 us = (r->now - r->next.previous) / 1000;
	struct proto_op op = {.opcode = PROTO_DELAY, .width = 1};

	if (!r->config.profile->timed || !r->next.w.ops || us < 1)
		return;
	op.count = (u16)(us < REMOTE_PAUSE_US ? us : REMOTE_PAUSE_US);
	remote_add(r, &op);
}

u32 remote_post(struct remote *r, u16 port, unsigned width, const void *data, u32 count)
{
	u32 taken;

	keep_pause(r);
	taken = extend(r, port, width, data, count);
	if (!taken)
		taken = append(r, port, width, data, count);
	if (!taken && remote_send_posts(r))
		taken = append(r, port, width, data, count);
	if (!taken)
		return 0;
	if (!r->next.first)
		r->next.first = r->now;
	r->next.previous = r->now;
	r->stats.posted += taken;
	return taken;
}

bool remote_send_posts(struct remote *r)
{
	static const struct remote_plan plan = {
		.data_at = REMOTE_NO_OP, .peek_at = REMOTE_NO_OP, .drain_at = REMOTE_NO_OP};

	if (!r->next.w.ops)
		return true;
	if (!remote_can_send(r))
		return false;
	remote_send(r, &plan);
	return true;
}

u64 remote_post_deadline(const struct remote *r)
{
	/* With a full window the next answer is the sign. */
	return r->next.w.ops && remote_can_send(r) ? r->next.first + REMOTE_POST_NS : ~0ull;
}

void remote_drop_posts(struct remote *r)
{
	if (r->next.w.ops)
		remote_say(r, "%u posted operation%s never sent", r->next.w.ops,
			   r->next.w.ops == 1 ? " was" : "s were");
	remote_begin_request(r);
}
