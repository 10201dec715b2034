/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts. A line that fires is masked and told to the holder of its lease under a new
 * generation; the EOI of that generation unmasks it. So a line has at most one event under way.
 */
#include "net-ne2000/server_parts.h"

void server_irq(struct server *s, unsigned line, u64 now)
{
	struct server_event e;

	if (line >= SERVER_LINES)
		return;
	s->backend->irq_mask(s->ctx, line, true);
	for (unsigned i = 0; i < s->exports; i++) {
		struct server_lease *l = &s->lease[i];

		if (!l->active || !(s->export[i].irqs & BIT(line)))
			continue;
		if ((l->unended | l->masked) & BIT(line))
			break;
		l->generation[line]++;
		l->unended |= (u16)BIT(line);
		l->waiting |= (u16)BIT(line);
		server_dma_sync(s, i, now); /* what it moved comes before its interrupt */
		e = (struct server_event){PROTO_IRQ_MASK, (u8)line, l->generation[line], 0, 0};
		server_queue(s, i, &e, now);
		return;
	}
	s->spurious++;
}

/* State first: the backend may call server_irq() as soon as a line is unmasked. */
static void set_mask(struct server *s, unsigned i, unsigned line)
{
	struct server_lease *l = &s->lease[i];

	s->backend->irq_mask(s->ctx, line, ((l->unended | l->masked) & BIT(line)) != 0);
}

unsigned server_irq_op(struct server *s, unsigned i, const struct proto_op *op)
{
	struct server_lease *l = &s->lease[i];
	u16 bit;

	if (op->addr >= SERVER_LINES || !(s->export[i].irqs & BIT(op->addr)))
		return PROTO_REFUSED;
	bit = (u16)BIT(op->addr);
	switch (op->opcode) {
	case PROTO_IRQ_MASK:
		l->masked |= bit;
		break;
	case PROTO_IRQ_UNMASK:
		l->masked &= (u16)~bit;
		break;
	default: /* the end of an older generation ends nothing */
		if (!(l->unended & bit) || l->waiting & bit || op->count != l->generation[op->addr])
			return PROTO_OK;
		l->unended &= (u16)~bit;
		break;
	}
	set_mask(s, i, op->addr);
	return PROTO_OK;
}

void server_irq_end(struct server *s, unsigned i)
{
	for (unsigned line = 0; line < SERVER_LINES; line++)
		if (s->export[i].irqs & BIT(line))
			s->backend->irq_mask(s->ctx, line, true);
}
