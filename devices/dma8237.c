/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: two 8237A as in the PIIX3, with page registers. Datasheet: Intel 8237A (231466); 82371SB
 * (290550), 2.5.1.
 * Modelled: single, block and demand transfers as the device asks for them, read, write and verify,
 * auto-init, address increment and decrement, software requests (status only), byte pointer, mask.
 * Not modelled: memory-to-memory (the PC wires it to nothing useful), cycle timing, priorities
 * (transfers are not simultaneous), the cascade mode of channel 4 beyond its mask.
 */
#include "devices/dma8237.h"
#include "devices/bus.h"
#include "cpu/physmem.h"
#include "lib/str.h"

#define COMMAND_DISABLED 0x04u
#define MODE_TYPE	 0x0cu /* transfer type */
#define MODE_VERIFY	 0x00u
#define MODE_WRITE	 0x04u /* device to memory */
#define MODE_READ	 0x08u
#define MODE_AUTO_INIT	 0x10u
#define MODE_DECREMENT	 0x20u
#define MODE_SERVICE	 0xc0u
#define MODE_CASCADE	 0xc0u

static struct dma_controller *controller_of(struct dma *d, unsigned channel)
{
	return &d->controller[(channel >> 2) & 1];
}

static struct dma_channel *channel_of(struct dma *d, unsigned channel)
{
	return &controller_of(d, channel)->channel[channel & 3];
}

void dma_dreq(struct dma *d, unsigned channel, bool level)
{
	struct dma_controller *c = controller_of(d, channel);

	if (level)
		c->dreq |= BIT(channel & 3);
	else
		c->dreq &= ~BIT(channel & 3);
}

static bool controller_ready(const struct dma_controller *c, unsigned channel)
{
	return !(c->command & COMMAND_DISABLED) && !(c->mask & BIT(channel & 3));
}

bool dma_ready(const struct dma *d, unsigned channel)
{
	const struct dma_controller *c = &d->controller[(channel >> 2) & 1];

	if (channel >= DMA_CHANNELS || channel == 4 || !controller_ready(c, channel))
		return false;
	/* The first controller's requests reach the CPU through channel 4. */
	if (channel < 4 && !controller_ready(&d->controller[1], 4))
		return false;
	return (c->channel[channel & 3].mode & MODE_SERVICE) != MODE_CASCADE;
}

/* Channels 5-7 address words: bit 0 of the page register is not used (82371SB, 2.5.1). */
static u32 memory_address(const struct dma_channel *ch, unsigned channel)
{
	if (channel < 4)
		return (u32)ch->page << 16 | ch->address;
	return (u32)(ch->page & 0xfe) << 16 | (u32)ch->address << 1;
}

static void terminal_count(struct dma *d, unsigned channel)
{
	struct dma_controller *c = controller_of(d, channel);
	struct dma_channel *ch = &c->channel[channel & 3];

	c->status |= BIT(channel & 3);
	c->request &= ~BIT(channel & 3);
	if (ch->mode & MODE_AUTO_INIT) {
		ch->address = ch->base_address;
		ch->count = ch->base_count;
	} else {
		c->mask |= BIT(channel & 3);
		d->were_ready &= (u8)~BIT(channel);
	}
}

/*
 * Units (bytes or words) that can move in one piece: up to `units`, the count, and the end of the
 * 64 K units that the address counter can reach. A decrementing channel moves one at a time.
 */
static u32 run_length(const struct dma_channel *ch, u32 units)
{
	u32 left = (u32)ch->count + 1, span = 0x10000u - ch->address;

	if (ch->mode & MODE_DECREMENT)
		span = 1;
	if (units > left)
		units = left;
	return units < span ? units : span;
}

static bool direction_fits(const struct dma_channel *ch, bool to_memory)
{
	u8 type = ch->mode & MODE_TYPE;

	return type == MODE_VERIFY || type == (to_memory ? MODE_WRITE : MODE_READ);
}

/*
 * Moves until the terminal count. in: device to memory; out: to a device that is here; neither: the
 * device has it already.
 */
static u32 move(struct dma *d, unsigned channel, const u8 *in, u8 *out, u32 len, bool *tc)
{
	struct dma_channel *ch = channel_of(d, channel);
	unsigned shift = channel >= 4;
	u32 done = 0, units, bytes, address;
	u8 type = ch->mode & MODE_TYPE;

	*tc = false;
	while (!*tc && len - done >= 1u << shift) {
		units = run_length(ch, (len - done) >> shift);
		bytes = units << shift;
		address = memory_address(ch, channel);
		if (type == MODE_WRITE)
			physmem_write(d->mem, address, in + done, bytes);
		else if (type == MODE_READ && out)
			physmem_read(d->mem, address, out + done, bytes);
		else if (out)
			memset(out + done, 0, bytes);
		done += bytes;
		ch->address += ch->mode & MODE_DECREMENT ? (u16)-1 : (u16)units;
		*tc = units == (u32)ch->count + 1;
		ch->count -= (u16)units;
	}
	if (*tc)
		terminal_count(d, channel);
	return done;
}

/* Exactly one of in and out is not NULL. */
static u32 transfer(struct dma *d, unsigned channel, const u8 *in, u8 *out, u32 len, bool *tc)
{
	*tc = false;
	if (!dma_ready(d, channel) || !direction_fits(channel_of(d, channel), in != NULL))
		return 0;
	return move(d, channel, in, out, len, tc);
}

u32 dma_read(struct dma *d, unsigned channel, void *buf, u32 len, bool *tc)
{
	return transfer(d, channel, NULL, buf, len, tc);
}

u32 dma_write(struct dma *d, unsigned channel, const void *buf, u32 len, bool *tc)
{
	return transfer(d, channel, buf, NULL, len, tc);
}

bool dma_programmed(const struct dma *d, unsigned channel, struct dma_program *p)
{
	const struct dma_channel *ch = &d->controller[(channel >> 2) & 1].channel[channel & 3];
	unsigned shift = channel >= 4;

	if (!dma_ready(d, channel))
		return false;
	p->left = ((u32)ch->count + 1) << shift;
	p->block = ((u32)ch->base_count + 1) << shift;
	p->mode = ch->mode;
	return true;
}

static bool masked(struct dma *d, unsigned channel)
{
	return (controller_of(d, channel)->mask & BIT(channel & 3)) != 0;
}

/* Runs a copy of the channel, so that looking ahead and transferring cannot differ. */
u32 dma_look(struct dma *d, unsigned channel, u32 skip, void *buf, u32 len)
{
	struct dma ahead = {.mem = d->mem};
	struct dma_channel *ch = channel_of(&ahead, channel);
	u32 done = 0, got;
	bool tc = false;

	*ch = *channel_of(d, channel);
	if (!dma_ready(d, channel) || !direction_fits(ch, false))
		return 0;
	if (dma_account(&ahead, channel, NULL, skip) != skip || masked(&ahead, channel))
		return 0;
	do {
		got = move(&ahead, channel, NULL, (u8 *)buf + done, len - done, &tc);
		done += got;
	} while (got && !masked(&ahead, channel));
	return done;
}

u32 dma_account(struct dma *d, unsigned channel, const void *data, u32 len)
{
	struct dma_channel *ch = channel_of(d, channel);
	u32 done = 0, got;
	bool tc = false;

	if (!direction_fits(ch, data != NULL))
		return 0;
	do {
		const u8 *in = data ? (const u8 *)data + done : NULL;

		got = move(d, channel, in, NULL, len - done, &tc);
		done += got;
	} while (got && (!tc || ch->mode & MODE_AUTO_INIT));
	return done;
}

static void write_half(u16 *reg, bool high, u8 value)
{
	*reg = high ? (u16)((*reg & 0x00ff) | value << 8) : (u16)((*reg & 0xff00) | value);
}

static void write_channel(struct dma_controller *c, unsigned reg, u8 value)
{
	struct dma_channel *ch = &c->channel[reg >> 1];

	if (reg & 1) {
		write_half(&ch->base_count, c->high_byte, value);
		ch->count = ch->base_count;
	} else {
		write_half(&ch->base_address, c->high_byte, value);
		ch->address = ch->base_address;
	}
	c->high_byte = !c->high_byte;
}

static u8 read_channel(struct dma_controller *c, unsigned reg)
{
	struct dma_channel *ch = &c->channel[reg >> 1];
	u16 value = reg & 1 ? ch->count : ch->address;
	bool high = c->high_byte;

	c->high_byte = !high;
	return (u8)(high ? value >> 8 : value);
}

static void master_clear(struct dma_controller *c)
{
	c->command = c->status = c->request = c->temporary = 0;
	c->mask = 0x0f;
	c->high_byte = false;
}

static void set_bit(u8 *reg, u8 value)
{
	if (value & 4)
		*reg |= BIT(value & 3);
	else
		*reg &= ~BIT(value & 3);
}

/* The registers 8-15 in the order of the first controller's ports. */
static void write_control(struct dma_controller *c, unsigned reg, u8 value)
{
	switch (reg) {
	case 0x8:
		c->command = value;
		break;
	case 0x9:
		set_bit(&c->request, value);
		break;
	case 0xa:
		set_bit(&c->mask, value);
		break;
	case 0xb:
		c->channel[value & 3].mode = value & 0xfc;
		break;
	case 0xc:
		c->high_byte = false;
		break;
	case 0xd:
		master_clear(c);
		break;
	case 0xe:
		c->mask = 0;
		break;
	default:
		c->mask = value & 0x0f;
		break;
	}
}

static u8 read_control(struct dma_controller *c, unsigned reg)
{
	u8 value;

	switch (reg) {
	case 0x8:
		value = (u8)((c->status & 0x0f) | (c->dreq | c->request) << 4);
		c->status = 0;
		return value;
	case 0xd:
		return c->temporary;
	case 0xf:
		return c->mask | 0xf0;
	default:
		return 0xff;
	}
}

/* Controller 0 has its registers at every port, controller 1 at every second one. */
static unsigned register_of(u16 port, unsigned *controller)
{
	*controller = port >= 0xc0;
	return *controller ? (port >> 1) & 15 : port & 15;
}

static u32 dma_in(void *dev, u16 port, unsigned width)
{
	struct dma *d = dev;
	unsigned n, reg = register_of(port, &n);

	(void)width;
	return reg < 8 ? read_channel(&d->controller[n], reg)
		       : read_control(&d->controller[n], reg);
}

void dma_listen(struct dma *d, unsigned channel, void (*changed)(void *, unsigned, bool), void *ctx)
{
	d->listener[channel] = (struct dma_listener){changed, ctx};
	if (dma_ready(d, channel))
		d->were_ready |= (u8)BIT(channel);
	else
		d->were_ready &= (u8)~BIT(channel);
}

/* After a write by the guest; reprogrammed: the channel it was for, or none of DMA_CHANNELS. */
static void tell_listeners(struct dma *d, unsigned reprogrammed)
{
	for (unsigned i = 0; i < DMA_CHANNELS; i++) {
		const struct dma_listener *l = &d->listener[i];
		u8 ready = dma_ready(d, i) ? (u8)BIT(i) : 0;

		if (!l->changed || (ready == (d->were_ready & BIT(i)) && i != reprogrammed))
			continue;
		d->were_ready = (u8)((d->were_ready & ~BIT(i)) | ready);
		l->changed(l->ctx, i, i == reprogrammed);
	}
}

static void dma_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct dma *d = dev;
	unsigned n, reg = register_of(port, &n), reprogrammed = DMA_CHANNELS;

	(void)width;
	if (reg < 8) {
		write_channel(&d->controller[n], reg, (u8)value);
		reprogrammed = n << 2 | reg >> 1;
	} else {
		write_control(&d->controller[n], reg, (u8)value);
		if (reg == 0xb)
			reprogrammed = n << 2 | (value & 3);
	}
	tell_listeners(d, reprogrammed);
}

/* The channel a page register belongs to, -1 for the ones that are only memory. */
static int page_channel(u16 port)
{
	static const s8 channel[16] = {-1, 2, 3, 1, -1, -1, -1, 0, -1, 6, 7, 5, -1, -1, -1, 4};

	return channel[port & 15];
}

static u32 page_in(void *dev, u16 port, unsigned width)
{
	struct dma *d = dev;
	int channel = page_channel(port);

	(void)width;
	return channel < 0 ? d->page_scratch[port & 15] : channel_of(d, (unsigned)channel)->page;
}

static void page_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct dma *d = dev;
	int channel = page_channel(port);

	(void)width;
	if (channel < 0) {
		d->page_scratch[port & 15] = (u8)value;
		return;
	}
	channel_of(d, (unsigned)channel)->page = (u8)value;
	tell_listeners(d, (unsigned)channel);
}

static const struct port_ops dma_ops = {.in = dma_in, .out = dma_out, .widths = 1};
static const struct port_ops page_ops = {.in = page_in, .out = page_out, .widths = 1};

void dma_reset(struct dma *d)
{
	for (unsigned i = 0; i < 2; i++)
		master_clear(&d->controller[i]);
	tell_listeners(d, DMA_CHANNELS);
}

void dma_init(struct dma *d, struct bus *bus, struct physmem *mem)
{
	int ports;

	memset(d, 0, sizeof(*d));
	d->mem = mem;
	dma_reset(d);
	ports = bus_register(bus, 0x00, 0x0f, ROUTE_VIRTUAL, &dma_ops, d, "dma");
	if (ports >= 0)
		bus_add_range(bus, ports, 0xc0, 0xdf);
	bus_register(bus, 0x80, 0x8f, ROUTE_VIRTUAL, &page_ops, d, "dma-page");
}
