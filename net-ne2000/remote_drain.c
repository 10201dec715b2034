/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draining a device's FIFO with the read of its status: IN of the data and POLL of 0 us for the
 * status in turn. The request ends at the first status that says that there is no more.
 */
#include "net-ne2000/remote_parts.h"

void remote_drain(struct remote *r, const struct profile_drain *d, struct remote_plan *plan)
{
	struct proto_op in = {.opcode = PROTO_IN, .width = 1, .count = 1, .addr = d->data};
	struct proto_op look = {
		.opcode = PROTO_POLL, .width = plan->access->width, .addr = plan->access->port};
	u32 pair = proto_op_len(PROTO_IN, 1, 1, false) + proto_op_len(PROTO_POLL, 1, 0, false);
	u8 data[8];

	proto_put32(data, d->mask);
	proto_put32(data + 4, d->wanted);
	look.data = data;
	plan->drain_at = r->next.w.ops;
	plan->drain_port = d->data;
	/* Never one without the other. */
	for (unsigned i = 0; i < d->times && r->next.w.len + pair <= PROTO_OPS_MAX &&
			     r->next.w.ops < REMOTE_NO_OP - 2;
	     i++)
		if (!remote_add(r, &in) || !remote_add(r, &look))
			return;
}

void remote_drained(struct remote *r, const struct remote_request *q, unsigned n,
		    const struct proto_op *op)
{
	bool status = (n - q->plan.drain_at) % 2 != 0;

	if (op->opcode != (status ? PROTO_POLL : PROTO_IN) || op->note > PROTO_CONDITION)
		return;
	if (status)
		r->config.profile->drained(&r->profile, r->drained,
					   remote_get_value(op->data, op->width));
	else
		r->drained = op->data[0];
}

bool remote_drains(const struct remote *r, u16 port)
{
	for (unsigned i = 0; i < LINK_WINDOW; i++) {
		const struct remote_request *q = &r->request[i];

		if (q->open && q->plan.drain_at != REMOTE_NO_OP && q->plan.drain_port == port)
			return true;
	}
	return false;
}

static bool owes(struct remote *r)
{
	const struct profile *p = r->config.profile;

	return p->owes && remote_up(r) && r->config.irq >= 0 && !r->raised && !r->held &&
	       !r->eoi_due && p->owes(&r->profile);
}

void remote_owe_irq(struct remote *r)
{
	r->owing = owes(r);
	if (!r->owing || r->now < r->used_at + REMOTE_OWE_NS)
		return;
	r->owing = false;
	r->local = r->raised = true;
	r->hooks->irq(r->ctx, (unsigned)r->config.irq, true);
}

u64 remote_owe_deadline(const struct remote *r)
{
	return r->owing ? r->used_at + REMOTE_OWE_NS : ~0ull;
}
