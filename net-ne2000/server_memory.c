/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and PCI configuration space of an export. PCI Local Bus Specification 2.2, chapter 6, for
 * the registers of a function.
 */
#include "net-ne2000/server_parts.h"

#define PCI_COMMAND	   0x04
#define PCI_COMMAND_MASTER BIT(2)
#define PCI_BAR_FIRST	   0x10 /* base addresses */
#define PCI_BAR_LAST	   0x27
#define PCI_ROM_FIRST	   0x30 /* expansion ROM's base address */
#define PCI_ROM_LAST	   0x33

unsigned server_memory_op(struct server *s, unsigned i, const struct proto_op *op, u8 *data)
{
	if (!export_covers_memory(&s->export[i], op -> addr, (u32)op -> width * op -> count))
		return PROTO_REFUSED;
	if (op->opcode == PROTO_MMIO_READ)
		s->backend->mem_read(s->ctx, op->addr, op->width, data, op->count);
	else
		s->backend->mem_write(s->ctx, op->addr, op->width, op->data, op->count);
	return PROTO_OK;
}

/* Where a function's ranges lie is the server's business: moved, they would cover other devices. */
static bool moves_ranges(u32 addr, unsigned width)
{
	u32 first = addr & 0xff, last = first + width - 1;

	return (first <= PCI_BAR_LAST && last >= PCI_BAR_FIRST) ||
	       (first <= PCI_ROM_LAST && last >= PCI_ROM_FIRST);
}

/*
 * A bus master reads and writes any memory of the server, at addresses that the guest means as its
 * own: it stays off.
 */
static u32 without_master(u32 addr, u32 value)
{
	u32 offset = addr & 0xff;

	return offset == PCI_COMMAND ? value & ~(u32)PCI_COMMAND_MASTER : value;
}

unsigned server_pci_op(struct server *s, unsigned i, const struct proto_op *op, u8 *data)
{
	u32 value;

	if (!export_covers_pci(&s->export[i], op -> addr, op -> width))
		return PROTO_REFUSED;
	if (op->opcode == PROTO_PCI_READ) {
		value = s->backend->pci_read(s->ctx, op->addr, op->width);
		server_put_value(data, op->width, value);
		return PROTO_OK;
	}
	if (moves_ranges(op->addr, op->width))
		return PROTO_REFUSED;
	value = server_get_value(op->data, op->width);
	s->backend->pci_write(s->ctx, op->addr, op->width, without_master(op->addr, value));
	return PROTO_OK;
}
