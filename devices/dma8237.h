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

/* Hears of the guest's programming of one channel, after the write that did it. */
struct dma_listener {
	/*
	 * The channel has begun or ceased to be ready, or (reprogrammed) its address, count, page
	 * or mode was written. Not called for what transfers do: a terminal count masks silently.
	 */
	void (*changed)(void *ctx, unsigned channel, bool reprogrammed);
	void *ctx;
};

struct dma {
	struct dma_controller controller[2];
	u8 page_scratch[16]; /* page registers that drive no channel: 80h, 84h-86h, 88h, 8Ch-8Fh */
	struct physmem *mem;
	struct dma_listener listener[DMA_CHANNELS];
	u8 were_ready; /* channels, as their listeners know them */
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

/*
 * A device that is elsewhere does its transfers before they are heard of here. What the guest
 * programmed, what the device will be given, and what it has done:
 */
struct dma_program {
	u32 left;  /* bytes to the next terminal count */
	u32 block; /* bytes of a whole round, as auto-init repeats it */
	u8 mode;   /* the 8237's mode register, channel bits 0 */
};

/* changed NULL: nobody any more. Channel 4 has nobody to listen. */
void dma_listen(struct dma *d, unsigned channel, void (*changed)(void *, unsigned, bool),
		void *ctx);
/* False, with *p unchanged: the channel is not ready. */
bool dma_programmed(const struct dma *d, unsigned channel, struct dma_program *p);
/*
 * Copies up to len bytes that the device will be given after `skip` more, without moving anything;
 * over the terminal count only with auto-init. Whole words on the word channels. Zeros in verify
 * mode. Returns the number of bytes.
 */
u32 dma_look(struct dma *d, unsigned channel, u32 skip, void *buf, u32 len);
/*
 * The device has moved len bytes, whatever the mask says by now: data has what it stored, NULL: it
 * took them. Returns the bytes that counted: not those beyond the terminal count without auto-init,
 * and none against the programmed direction.
 */
u32 dma_account(struct dma *d, unsigned channel, const void *data, u32 len);

#endif
