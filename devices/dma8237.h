/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two 8237A DMA controllers with page registers, and what a device on the ISA bus does with them.
 * Channels 0-3 move bytes, 5-7 words; channel 4 is the cascade.
 */
#ifndef FARBUS_DEVICES_DMA8237_H
#define FARBUS_DEVICES_DMA8237_H

#include "lib/types.h"

struct bus;
struct physmem;

#define DMA_CHANNELS 8

struct dma_channel {
	u16 base_address, base_count; /* as programmed, reloaded by auto-init */
	u16 address, count;	      /* current; in words on channels 4-7 */
	u8 mode;
	u8 page;
};

struct dma_controller {
	struct dma_channel channel[4];
	u8 command, mask, request, status; /* status: bits 0-3 TC since last read */
	u8 dreq;			   /* devices' request lines */
	u8 temporary;
	bool high_byte; /* the byte pointer flip-flop */
};

struct dma {
	struct dma_controller controller[2];
	u8 page_scratch[16]; /* page registers that drive no channel: 80h, 84h-86h, 88h, 8Ch-8Fh */
	struct physmem *mem;
};

void dma_init(struct dma *d, struct bus *bus, struct physmem *mem);
void dma_reset(struct dma *d);

/* The device's DREQ line; only software that reads the status register sees it. */
void dma_dreq(struct dma *d, unsigned channel, bool level);

/* True while the channel would answer a DREQ: programmed, unmasked, controller enabled. */
bool dma_ready(const struct dma *d, unsigned channel);

/*
 * Moves up to len bytes between memory and the device: dma_read() memory to device (the 8237's
 * "read transfer"), dma_write() device to memory. Stops at terminal count and then sets *tc; a
 * channel without auto-init is masked there. Returns the number of bytes moved, 0 when the channel
 * is not ready or is programmed for the other direction. In verify mode nothing is stored, and
 * dma_read() gives zeros. len of the word channels is rounded down to even.
 */
u32 dma_read(struct dma *d, unsigned channel, void *buf, u32 len, bool *tc);
u32 dma_write(struct dma *d, unsigned channel, const void *buf, u32 len, bool *tc);

#endif
