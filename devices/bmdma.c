/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: the bus master IDE function of the 82371SB (PIIX3).
 * Documentation: 82371FB/82371SB datasheet (290550-002), 2.7; "Programming Interface for Bus Master
 *	IDE Controller", revision 1.0 (Intel, 1994).
 * Modelled: command, status and descriptor-table registers of both channels, PRD tables with the
 *	64 KB rule, early ends on either side.
 * Not modelled: bus timing; the data moves at once when the drive is ready.
 */
#include "devices/bmdma.h"
#include "cpu/physmem.h"
#include "devices/ide.h"
#include "lib/str.h"

/* Registers of a channel */
enum { REG_COMMAND = 0, REG_STATUS = 2, REG_TABLE = 4, CHANNEL_PORTS = 8, PORTS = 16 };

#define COMMAND_START	  0x01
#define COMMAND_TO_MEMORY 0x08

#define STATUS_ACTIVE	 0x01
#define STATUS_ERROR	 0x02
#define STATUS_INTERRUPT 0x04
#define STATUS_CAPABLE	 0x60 /* read-write: the BIOS says which drives can do DMA */

#define PRD_SIZE 8
#define PRD_LAST 0x80000000u

static struct bmdma_channel *channel_of(struct bmdma *bm, u16 port)
{
	return &bm->channel[(port & CHANNEL_PORTS) != 0];
}

static u8 read_byte(const struct bmdma_channel *c, unsigned reg)
{
	if (reg == REG_COMMAND)
		return c->command;
	if (reg == REG_STATUS)
		return c->status;
	if (reg >= REG_TABLE)
		return (u8)(c->table >> (8 * (reg - REG_TABLE)));
	return 0;
}

static u32 bmdma_in(void *dev, u16 port, unsigned width)
{
	struct bmdma *bm = dev;
	const struct bmdma_channel *c = channel_of(bm, port);
	u32 value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (u32)read_byte(c, (port & (CHANNEL_PORTS - 1)) + i) << (8 * i);
	return value;
}

static void write_command(struct bmdma_channel *c, u8 value)
{
	bool start = !(c->command & COMMAND_START) && (value & COMMAND_START);

	c->command = value & (COMMAND_START | COMMAND_TO_MEMORY);
	if (!(value & COMMAND_START))
		c->status &= ~STATUS_ACTIVE;
	if (!start)
		return;
	c->status |= STATUS_ACTIVE;
	c->next_prd = c->table;
	c->remain = 0;
	c->last = false;
	ide_dma_ready(c->ide);
}

static void write_status(struct bmdma_channel *c, u8 value)
{
	c->status &= ~(value & (STATUS_ERROR | STATUS_INTERRUPT));
	c->status = (c->status & ~STATUS_CAPABLE) | (value & STATUS_CAPABLE);
}

static void write_byte(struct bmdma_channel *c, unsigned reg, u8 value)
{
	unsigned shift = 8 * (reg & 3);

	if (reg == REG_COMMAND)
		write_command(c, value);
	else if (reg == REG_STATUS)
		write_status(c, value);
	else if (reg >= REG_TABLE)
		c->table = ((c->table & ~(0xffu << shift)) | (u32)value << shift) & ~3u;
}

static void bmdma_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct bmdma *bm = dev;
	struct bmdma_channel *c = channel_of(bm, port);

	for (unsigned i = 0; i < width; i++)
		write_byte(c, (port & (CHANNEL_PORTS - 1)) + i, (u8)(value >> (8 * i)));
}

static const struct port_ops bmdma_ops = {
	.in = bmdma_in,
	.out = bmdma_out,
	.widths = 1 | 2 | 4,
};

static u32 le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* The next memory region of the table; false at its end. */
static bool next_region(struct bmdma_channel *c)
{
	u8 prd[PRD_SIZE];
	u32 count;

	if (c->last)
		return false;
	physmem_read(c->mem, c->next_prd, prd, sizeof(prd));
	count = le32(prd + 4);
	c->next_prd += PRD_SIZE;
	c->address = le32(prd) & ~1u;
	c->remain = count & 0xfffe;
	if (c->remain == 0)
		c->remain = 0x10000;
	c->last = (count & PRD_LAST) != 0;
	return true;
}

bool bmdma_started(const struct bmdma_channel *c, bool to_memory)
{
	return (c->command & COMMAND_START) && (c->status & STATUS_ACTIVE) &&
	       to_memory == ((c->command & COMMAND_TO_MEMORY) != 0);
}

u32 bmdma_transfer(struct bmdma_channel *c, bool to_memory, void *buf, u32 len)
{
	u32 done = 0;

	while (done < len && bmdma_started(c, to_memory)) {
		u32 part = len - done;

		if (c->remain == 0 && !next_region(c))
			break;
		if (part > c->remain)
			part = c->remain;
		if (to_memory)
			physmem_write(c->mem, c->address, (u8 *)buf + done, part);
		else
			physmem_read(c->mem, c->address, (u8 *)buf + done, part);
		c->address += part;
		c->remain -= part;
		done += part;
		if (c->remain == 0 && c->last)
			c->status &= ~STATUS_ACTIVE;
	}
	return done;
}

void bmdma_interrupt(struct bmdma_channel *c)
{
	c->status |= STATUS_INTERRUPT;
}

int bmdma_init(struct bmdma *bm, struct bus *bus, struct physmem *mem, struct ide_channel *primary,
	       struct ide_channel *secondary)
{
	struct ide_channel *ide[2] = {primary, secondary};

	memset(bm, 0, sizeof(*bm));
	bm->bus = bus;
	for (unsigned i = 0; i < 2; i++) {
		bm->channel[i].mem = mem;
		bm->channel[i].ide = ide[i];
		ide[i]->dma = &bm->channel[i];
	}
	/* An empty range: the ports come with BAR 4. */
	bm->handler = bus_register(bus, 1, 0, ROUTE_VIRTUAL, &bmdma_ops, bm, "bmdma");
	return bm->handler < 0 ? -1 : 0;
}

void bmdma_reset(struct bmdma *bm)
{
	bmdma_map(bm, 0, false);
	for (unsigned i = 0; i < 2; i++) {
		struct bmdma_channel *c = &bm->channel[i];

		c->command = c->status = 0;
		c->table = c->next_prd = c->address = c->remain = 0;
		c->last = false;
	}
}

void bmdma_map(struct bmdma *bm, u32 base, bool enabled)
{
	u16 port = enabled && base < 0x10000 ? (u16)(base & ~(PORTS - 1u)) : 0;

	if (port == bm->base)
		return;
	if (bm->base)
		bus_release(bm->bus, bm->handler, bm->base, bm->base + PORTS - 1);
	bm->base = port;
	if (port)
		bus_claim(bm->bus, bm->handler, port, port + PORTS - 1);
}
