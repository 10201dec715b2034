/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The accesses under way. One that goes to the peer leaves an entry; when its instruction is
 * restarted, it finds its answer there. Interrupt handlers that ran meanwhile had entries of their
 * own.
 */
#include "lib/str.h"
#include "net-ne2000/remote_parts.h"

/* --- the table --- */

struct remote_access *remote_access_find(struct remote *r, const struct remote_key *k, u8 opcode,
					 u16 port, unsigned width, u32 value)
{
	bool write = opcode == PROTO_OUT || opcode == PROTO_OUTS;

	for (unsigned i = 0; i < REMOTE_ACCESSES; i++) {
		struct remote_access *a = &r->access[i];

		if (a->state != ACCESS_FREE && a->key.eip == k->eip && a->key.esp == k->esp &&
		    a->key.cr3 == k->cr3 && a->opcode == opcode && a->port == port &&
		    a->width == width && (!write || a->value == value))
			return a;
	}
	return NULL;
}

/* Instructions that never came back leave answers behind, such as those of a task that was killed.
 */
static struct remote_access *evict(struct remote *r)
{
	struct remote_access *oldest = NULL;

	for (unsigned i = 0; i < REMOTE_ACCESSES; i++) {
		struct remote_access *a = &r->access[i];

		if (a->state != ACCESS_SENT && (!oldest || a->born < oldest->born))
			oldest = a;
	}
	if (oldest && !r->stats.forgotten++)
		remote_say(r,
			   "the answer of an access to 0x%x was never fetched (its task was "
			   "killed?); it is dropped, as will be others of that kind",
			   oldest->port);
	return oldest;
}

struct remote_access *remote_access_new(struct remote *r, const struct remote_key *k, u8 opcode,
					u16 port, unsigned width)
{
	struct remote_access *a = NULL;

	for (unsigned i = 0; i < REMOTE_ACCESSES && !a; i++)
		if (r->access[i].state == ACCESS_FREE)
			a = &r->access[i];
	if (!a && !(a = evict(r)))
		return NULL;
	a->state = ACCESS_SENT;
	a->key = *k;
	a->born = ++r->births;
	a->opcode = opcode;
	a->port = port;
	a->width = (u8)width;
	a->polls = a->timed_out = a->seen = false;
	a->polled_us = 0;
	a->value = 0;
	a->count = 1;
	a->taken = 0;
	return a;
}

void remote_access_forget(struct remote *r)
{
	for (unsigned i = 0; i < LINK_WINDOW; i++)
		r->request[i].plan.access = NULL;
	for (unsigned i = 0; i < REMOTE_ACCESSES; i++)
		r->access[i].state = ACCESS_FREE;
}

/* --- answers --- */

u32 remote_get_value(const u8 *p, unsigned width)
{
	u32 value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (u32)p[i] << 8 * i;
	return value;
}

void remote_put_value(u8 *p, unsigned width, u32 value)
{
	for (unsigned i = 0; i < width; i++)
		p[i] = (u8)(value >> 8 * i);
}

static void take_poll(struct remote_access *a, const struct proto_op *op)
{
	a->value = remote_get_value(op->data, a->width);
	if (a->seen)
		return; /* the look at what is read along; how long it took is known */
	a->polled_us = proto_get32(op->data + 4);
	a->timed_out = a->polls && op->note == PROTO_CONDITION;
}

void remote_access_answered(struct remote *r, struct remote_access *a, const struct proto_op *op)
{
	u32 bytes = a->count * a->width;

	if (op->opcode == PROTO_POLL && a->opcode == PROTO_IN && op->note <= PROTO_CONDITION)
		take_poll(a, op);
	else if (op->opcode == PROTO_IN && a->opcode == PROTO_IN && op->width == a->width)
		a->value = op->note == PROTO_OK ? remote_get_value(op->data, a->width)
						: remote_ones(a->width);
	else if (op->opcode == PROTO_INS && op->note == PROTO_OK && op->data_len == bytes &&
		 bytes <= sizeof(a->data))
		memcpy(a->data, op->data, bytes);
	else if (a->opcode == PROTO_INS)
		memset(a->data, 0xff, sizeof(a->data));
	else if (a->opcode == PROTO_IN)
		a->value = remote_ones(a->width);
	a->seen = true;
	a->state = ACCESS_ANSWERED;
	r->hooks->wake(r->ctx);
}

void remote_access_failed(struct remote *r, struct remote_access *a, bool unknown)
{
	a->state = unknown ? ACCESS_UNKNOWN : ACCESS_FREE;
	r->hooks->wake(r->ctx);
}
