/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IDE channel's ports. The data port is apart from the other registers: it alone takes accesses
 * of 16 and 32 bits, and a whole block of data at once.
 */
#include "devices/ide_core.h"
#include "lib/str.h"

#define FLOATING 0xff /* the PIIX3 pulls the data lines up where no drive drives them */

static bool data_ready(const struct ide_channel *ch, bool in)
{
	return ch->active && ch->active->number == ch->selected &&
	       (in ? ch->data_in : ch->data_out);
}

/* Bytes of the block that an access of `want` bytes reaches. */
static u32 block_part(const struct ide_channel *ch, u32 want)
{
	u32 rest = ch->len - ch->pos;

	return want < rest ? want : rest;
}

static u32 data_port_in(void *dev, u16 port, unsigned width)
{
	struct ide_channel *ch = dev;
	u32 value = 0, bytes = block_part(ch, width);

	(void)port;
	if (!data_ready(ch, true))
		return ~0u >> (32 - 8 * width);
	memcpy(&value, ch->buffer + ch->pos, bytes);
	ide_data_moved(ch, bytes);
	return value;
}

static void data_port_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct ide_channel *ch = dev;
	u32 bytes = block_part(ch, width);

	(void)port;
	if (!data_ready(ch, false))
		return;
	memcpy(ch->buffer + ch->pos, &value, bytes);
	ide_data_moved(ch, bytes);
}

static u32 data_port_ins(void *dev, u16 port, unsigned width, void *buf, u32 count)
{
	struct ide_channel *ch = dev;
	u32 whole = block_part(ch, ~0u) / width;

	if (count == 0)
		return 0;
	if (!data_ready(ch, true)) {
		memset(buf, FLOATING, (size_t)count * width);
		return count;
	}
	if (whole == 0) { /* less than one element is left */
		u32 value = data_port_in(dev, port, width);

		memcpy(buf, &value, width);
		return 1;
	}
	if (count > whole)
		count = whole;
	memcpy(buf, ch->buffer + ch->pos, (size_t)count * width);
	ide_data_moved(ch, count * width);
	return count;
}

static u32 data_port_outs(void *dev, u16 port, unsigned width, const void *buf, u32 count)
{
	struct ide_channel *ch = dev;
	u32 whole = block_part(ch, ~0u) / width;

	if (count == 0 || !data_ready(ch, false))
		return count;
	if (whole == 0) {
		u32 value = 0;

		memcpy(&value, buf, width);
		data_port_out(dev, port, width, value);
		return 1;
	}
	if (count > whole)
		count = whole;
	memcpy(ch->buffer + ch->pos, buf, (size_t)count * width);
	ide_data_moved(ch, count * width);
	return count;
}

static u32 register_in(void *dev, u16 port, unsigned width)
{
	struct ide_channel *ch = dev;

	(void)width;
	if (ide_channel_empty(ch))
		return FLOATING;
	ide_poll_timer(ch);
	return ide_read_register(ch, (unsigned)(port - ch->command_base));
}

static void register_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct ide_channel *ch = dev;
	unsigned reg = (unsigned)(port - ch->command_base);

	(void)width;
	if (ide_channel_empty(ch))
		return;
	ide_poll_timer(ch);
	if (reg == IDE_REG_DEVICE)
		ide_write_device(ch, (u8)value);
	else if (reg == IDE_REG_STATUS_COMMAND)
		ide_write_command(ch, (u8)value);
	else
		ide_write_register(ch, reg, (u8)value);
}

static u32 control_in(void *dev, u16 port, unsigned width)
{
	struct ide_channel *ch = dev;

	(void)port;
	(void)width;
	if (ide_channel_empty(ch))
		return FLOATING;
	ide_poll_timer(ch);
	return ide_read_status(ch);
}

static void control_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct ide_channel *ch = dev;

	(void)port;
	(void)width;
	if (!ide_channel_empty(ch))
		ide_write_control(ch, (u8)value);
}

static const struct port_ops data_ops = {
	.in = data_port_in,
	.out = data_port_out,
	.ins = data_port_ins,
	.outs = data_port_outs,
	.widths = 1 | 2 | 4,
};

static const struct port_ops register_ops = {
	.in = register_in,
	.out = register_out,
	.widths = 1,
};

static const struct port_ops control_ops = {
	.in = control_in,
	.out = control_out,
	.widths = 1,
};

int ide_ports_register(struct ide_channel *ch, struct bus *bus)
{
	u16 base = ch->command_base, control = ch->control_port;

	if (bus_register(bus, base, base, ROUTE_VIRTUAL, &data_ops, ch, ch->name) < 0 ||
	    bus_register(bus, base + 1, base + 7, ROUTE_VIRTUAL, &register_ops, ch, ch->name) < 0 ||
	    bus_register(bus, control, control, ROUTE_VIRTUAL, &control_ops, ch, ch->name) < 0)
		return -1;
	return 0;
}
