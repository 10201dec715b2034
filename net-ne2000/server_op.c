/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations, each checked against the lease before it reaches the hardware. */
#include "lib/str.h"
#include "net-ne2000/server_parts.h"

void server_put_value(u8 *p, unsigned width, u32 value)
{
	for (unsigned i = 0; i < width; i++)
		p[i] = (u8)(value >> 8 * i);
}

u32 server_get_value(const u8 *p, unsigned width)
{
	u32 value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (u32)p[i] << 8 * i;
	return value;
}

static unsigned delay(struct server_run *run, u64 now)
{
	u64 end = run->op_began + 1000ull * run->op.count;

	if (now >= end)
		return PROTO_OK;
	if (run->cancelled)
		return PROTO_CONDITION;
	run->next_step = end;
	return SERVER_WAIT;
}

static unsigned poll(struct server *s, struct server_run *run, u8 *data, u64 now)
{
	const struct proto_op *op = &run->op;
	u32 mask = proto_get32(op->data), wanted = proto_get32(op->data + 4);
	u32 value = s->backend->in(s->ctx, (u16)op->addr, op->width);
	u64 end = run->op_began + 1000ull * op->count;
	u64 spent = now - run->op_began;

	proto_put32(data, value);
	/* Beyond what count can ask for only when we were not called for long. */
	proto_put32(data + 4, spent < 0xffffffffull ? (u32)spent / 1000 : 0xffffffff / 1000);
	if (((value & mask) == wanted) != (op->note == PROTO_POLL_UNEQUAL))
		return PROTO_OK;
	if (now >= end || run->cancelled)
		return PROTO_CONDITION;
	run->next_step = end < now + SERVER_POLL_NS ? end : now + SERVER_POLL_NS;
	return SERVER_WAIT;
}

static unsigned port_op(struct server *s, struct server_run *run, u8 *data, u64 now)
{
	const struct server_backend *b = s->backend;
	const struct proto_op *op = &run->op;
	u16 port = (u16)op->addr;

	switch (op->opcode) {
	case PROTO_IN:
		server_put_value(data, op->width, b->in(s->ctx, port, op->width));
		return PROTO_OK;
	case PROTO_OUT:
		b->out(s->ctx, port, op->width, server_get_value(op->data, op->width));
		return PROTO_OK;
	case PROTO_INS:
		b->ins(s->ctx, port, op->width, data, op->count);
		return PROTO_OK;
	case PROTO_OUTS:
		b->outs(s->ctx, port, op->width, op->data, op->count);
		return PROTO_OK;
	default:
		return poll(s, run, data, now);
	}
}

unsigned server_op(struct server *s, unsigned i, u8 *data, u64 now)
{
	struct server_run *run = &s->lease[i].run;
	const struct proto_op *op = &run->op;

	memset(data, 0, proto_data_len(op->opcode, op->width, op->count, true));
	if (!server_may_run(s, i, op))
		return PROTO_REFUSED;
	switch (op->opcode) {
	case PROTO_IN:
	case PROTO_OUT:
	case PROTO_INS:
	case PROTO_OUTS:
	case PROTO_POLL:
		if (!export_covers(&s->export[i], op->addr, op->width))
			return PROTO_REFUSED;
		return port_op(s, run, data, now);
	case PROTO_DELAY:
		return delay(run, now);
	case PROTO_MMIO_READ:
	case PROTO_MMIO_WRITE:
		return server_memory_op(s, i, op, data);
	case PROTO_PCI_READ:
	case PROTO_PCI_WRITE:
		return server_pci_op(s, i, op, data);
	case PROTO_IRQ_MASK:
	case PROTO_IRQ_UNMASK:
	case PROTO_IRQ_EOI:
		return server_irq_op(s, i, op);
	case PROTO_DMA_ARM:
	case PROTO_DMA_DATA:
	case PROTO_DMA_STOP:
		return server_dma_op(s, i, now);
	case PROTO_RESET:
		s->backend->reset(s->ctx, i);
		return PROTO_OK;
	case PROTO_QUIESCE:
		server_dma_end(s, i);
		s->backend->quiesce(s->ctx, i);
		return PROTO_OK;
	default:
		return PROTO_UNKNOWN;
	}
}
