/* SPDX-License-Identifier: BSD-2-Clause */
/* Datasheet: Intel 8237A (231466); page registers as in the 82371SB (290550), 2.5.1. */
#include "boot/peer_dma.h"
#include "boot/host.h"
#include "boot/memory.h"
#include "boot/port.h"
#include "lib/str.h"

#define CHANNELS 8u
#define ISA_END	 0x1000000u /* the bus has 24 address lines */

/* Registers of a controller, by their numbers; those of the second one are two ports apart. */
enum { REG_COMMAND = 8, REG_STATUS = 8, REG_MASK = 10, REG_MODE, REG_CLEAR_POINTER };

#define MASK_SET       0x04u
#define MODE_MASK      0x1cu /* auto-init and the type of transfer */
#define MODE_AUTO_INIT 0x10u
#define MODE_SINGLE    0x40u
#define MODE_SERVICE   0xc0u
#define MODE_CASCADE   0xc0u

static const u8 page_port[CHANNELS] = {0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a};

static struct {
	u32 buffer[CHANNELS]; /* physical; 0: not exported */
	u32 block[CHANNELS];  /* bytes, as armed */
	u8 auto_init;	      /* channels, a bit each */
	u8 ended;	      /* had their terminal count since they were armed */
} dma;

static u16 port_of(unsigned channel, unsigned reg)
{
	return channel < 4 ? (u16)reg : (u16)(0xc0 + 2 * reg);
}

static u16 address_port(unsigned channel)
{
	return port_of(channel, 2 * (channel & 3));
}

static u16 count_port(unsigned channel)
{
	return port_of(channel, 2 * (channel & 3) + 1);
}

/* Words on channels 5 to 7. */
static unsigned shift_of(unsigned channel)
{
	return channel >= 4;
}

void peer_dma_run(void *ctx, unsigned channel, bool run)
{
	(void)ctx;
	outb(port_of(channel, REG_MASK), (u8)((run ? 0 : MASK_SET) | (channel & 3)));
}

/* The second controller passes on the first one's requests through its channel 4. */
static void start_controllers(void)
{
	outb(port_of(0, REG_COMMAND), 0);
	outb(port_of(4, REG_COMMAND), 0);
	outb(port_of(4, REG_MODE), MODE_CASCADE);
	peer_dma_run(NULL, 4, true);
}

bool peer_dma_start(u8 channels, u32 ram_end)
{
	u32 next = MB; /* words first: 1 MB is at a boundary of 128 KB, and so each one stays */

	for (unsigned i = CHANNELS; i-- > 0;) {
		if (!(channels & BIT(i)))
			continue;
		peer_dma_run(NULL, i, false);
		dma.buffer[i] = next;
		next += 0x10000u << shift_of(i);
	}
	if (!channels)
		return true;
	start_controllers();
	return next <= ram_end && next <= ISA_END && memory_set_floor(next);
}

/* The reading of the status clears the terminal counts of all four channels. */
static void note_ended(unsigned channel)
{
	unsigned status = inb(port_of(channel, REG_STATUS)) & 15u;

	dma.ended |= (u8)(status << (channel & 4));
}

static void out_16(unsigned channel, u16 port, u16 value)
{
	outb(port_of(channel, REG_CLEAR_POINTER), 0);
	outb(port, (u8)value);
	outb(port, (u8)(value >> 8));
}

/* Block mode would keep the bus for a whole block, so it becomes single; demand stays. */
static u8 service_of(u8 mode)
{
	return mode & MODE_SERVICE ? MODE_SINGLE : 0;
}

bool peer_dma_arm(void *ctx, unsigned channel, u32 bytes, u8 mode)
{
	unsigned shift = shift_of(channel);
	u32 start = dma.buffer[channel];

	if (!start)
		return false;
	peer_dma_run(ctx, channel, false);
	note_ended(channel);
	dma.ended &= (u8)~BIT(channel);
	dma.block[channel] = bytes;
	if (mode & MODE_AUTO_INIT)
		dma.auto_init |= (u8)BIT(channel);
	else
		dma.auto_init &= (u8)~BIT(channel);
	outb(port_of(channel, REG_MODE),
	     (u8)(service_of(mode) | (mode & MODE_MASK) | (channel & 3)));
	out_16(channel, address_port(channel), (u16)(start >> shift));
	outb(page_port[channel], (u8)(start >> 16));
	out_16(channel, count_port(channel), (u16)((bytes >> shift) - 1));
	return true;
}

static u16 read_count(unsigned channel)
{
	u16 port = count_port(channel);
	u8 low;

	outb(port_of(channel, REG_CLEAR_POINTER), 0);
	low = inb(port);
	return (u16)(low | inb(port) << 8);
}

/* The count may move between its two halves: two readings in a row have the same high one. */
static u16 steady_count(unsigned channel)
{
	u16 before, count = read_count(channel);
	unsigned tries = 4;

	do {
		before = count;
		count = read_count(channel);
	} while ((before ^ count) & 0xff00 && --tries > 0);
	return count;
}

u32 peer_dma_position(void *ctx, unsigned channel)
{
	unsigned shift = shift_of(channel);
	u32 units = dma.block[channel] >> shift;
	u32 left = (u32)steady_count(channel) + 1;

	(void)ctx;
	if (dma.auto_init & BIT(channel))
		return left <= units ? (units - left) << shift : 0;
	note_ended(channel);
	/* After the end the count is FFFFh, which is also where 64 K units begin. */
	if (dma.ended & BIT(channel) || left > units)
		return dma.block[channel];
	return (units - left) << shift;
}

void peer_dma_put(void *ctx, unsigned channel, u32 at, const u8 *data, u32 len)
{
	(void)ctx;
	memcpy((u8 *)phys_ptr(dma.buffer[channel]) + at, data, len);
}

void peer_dma_get(void *ctx, unsigned channel, u32 at, u8 *data, u32 len)
{
	(void)ctx;
	memcpy(data, (const u8 *)phys_ptr(dma.buffer[channel]) + at, len);
}
