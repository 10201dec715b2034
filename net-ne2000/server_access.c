/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may do what: the shared keys that a server knows, and the limits of each. */
#include "lib/str.h"
#include "net-ne2000/server_parts.h"

static int find_key(const struct server *s, const u8 shared[SESSION_KEY])
{
	for (unsigned k = 0; k < s->keys; k++)
		if (!memcmp(s->key[k].access.shared, shared, SESSION_KEY))
			return (int)k;
	return -1;
}

bool server_set_access(struct server *s, const struct server_access *a)
{
	int k = find_key(s, a->shared);

	if (k < 0) {
		if (s->keys == SERVER_KEYS)
			return false;
		k = (int)s->keys++;
		session_greeting_keys(a->shared, &s->key[k].greeting);
	}
	s->key[k].access = *a;
	return true;
}

int server_key_of(struct server *s, const struct packet *p)
{
	for (unsigned k = 0; k + 1 < s->keys; k++)
		if (proto_check(p->payload, &p->h, s->key[k].greeting.to_server, p->dst, p->src) ==
		    PROTO_GOOD)
			return (int)k;
	/* The last one counts the frame as dropped if it is not the one either. */
	return endpoint_check(&s->e, p, s->key[s->keys - 1].greeting.to_server) ? (int)s->keys - 1
										: -1;
}

bool server_may_lease(const struct server *s, unsigned key, unsigned i)
{
	const struct server_access *a = &s->key[key].access;

	if (!s->export[i].name[0]) /* taken back */
		return false;
	for (unsigned n = 0; n < a->names; n++)
		if (!strcmp(a->name[n], s->export[i].name))
			return true;
	return a->names == 0;
}

struct port_export server_seen_by(const struct server *s, unsigned key, unsigned i)
{
	struct port_export x = s->export[i];

	x.irqs &= (u16)~s->key[key].access.no_irqs;
	x.dma &= (u8)~s->key[key].access.no_dma;
	return x;
}

static bool only_reads(u8 opcode)
{
	switch (opcode) {
	case PROTO_IN:
	case PROTO_INS:
	case PROTO_POLL:
	case PROTO_DELAY:
	case PROTO_MMIO_READ:
	case PROTO_PCI_READ:
	case PROTO_IRQ_MASK:
	case PROTO_IRQ_UNMASK:
	case PROTO_IRQ_EOI:
		return true;
	default:
		return false;
	}
}

static bool in_bits(u32 bits, u32 number)
{
	return number < 32 && bits & BIT(number);
}

/* Whether the key's lists have the ports, the line or the channel that the operation is about. */
static bool listed(const struct server_access *a, const struct proto_op *op)
{
	switch (op->opcode) {
	case PROTO_IN:
	case PROTO_OUT:
	case PROTO_INS:
	case PROTO_OUTS:
	case PROTO_POLL:
		return !a->ranges || ports_cover(a->range, a->ranges, op->addr, op->width);
	case PROTO_IRQ_MASK:
	case PROTO_IRQ_UNMASK:
	case PROTO_IRQ_EOI:
		return !in_bits(a->no_irqs, op->addr);
	case PROTO_DMA_ARM:
	case PROTO_DMA_DATA:
	case PROTO_DMA_STOP:
		return !in_bits(a->no_dma, op->addr & 0xffff);
	default:
		return true;
	}
}

bool server_may_run(const struct server *s, unsigned i, const struct proto_op *op)
{
	const struct server_access *a = &s->key[s->lease[i].key].access;

	return listed(a, op) && (!a->read_only || only_reads(op->opcode));
}

static u32 accesses_of(const struct proto_op *op)
{
	switch (op->opcode) {
	case PROTO_INS:
	case PROTO_OUTS:
	case PROTO_MMIO_READ:
	case PROTO_MMIO_WRITE:
		return op->count;
	case PROTO_DELAY:
		return 0;
	default:
		return 1;
	}
}

/*
 * The key's account of time, over all of its leases: each access takes its share, in the order in
 * which they are asked for, and SERVER_BURST_NS may be owed.
 */
u64 server_pace(struct server *s, unsigned i, const struct proto_op *op, u64 now)
{
	struct server_key *k = &s->key[s->lease[i].key];
	u64 start = now;

	if (!k->access.rate)
		return now;
	if (k->paced > now + SERVER_BURST_NS)
		start = k->paced - SERVER_BURST_NS;
	if (k->paced < now)
		k->paced = now;
	k->paced += accesses_of(op) * 1000000000ull / k->access.rate;
	return start;
}
