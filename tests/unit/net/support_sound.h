/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device with ISA DMA behind the server of a test, the 8237 there, and a guest with its own 8237
 * at a client. The device moves bytes at a given rate, all at once each `burst` of time, and
 * interrupts after `length` bytes. What it took or gave is kept.
 */
#ifndef FARBUS_TEST_NET_SOUND_H
#define FARBUS_TEST_NET_SOUND_H

#include "cpu/physmem.h"
#include "devices/bus.h"
#include "devices/dma8237.h"
#include "net-ne2000/remote_dma.h"
#include "tests/unit/net/support.h"

#define SOUND_PORT    0x220   /* OUT of 4 bytes: length in the low 24 bits, SOUND_ flags; starts */
#define SOUND_STOP    0x224   /* OUT: stops */
#define SOUND_STATUS  0x228   /* IN of 4 bytes: moved so far */
#define SOUND_16BIT   BIT(24) /* channel 5 instead of 1 */
#define SOUND_RECORDS BIT(25)
#define SOUND_AGAIN   BIT(26) /* another block after each interrupt */
#define SOUND_FLOPPY  BIT(27) /* channel 2 */
#define SOUND_LINE    7
#define SOUND_LOG     (1u << 20)

/* The server's own channel. */
struct sound_channel {
	u8 buffer[0x20000];
	u32 block, at; /* at: block when a block without auto-init has ended */
	u8 mode;
	bool run;
	unsigned armed;
};

struct sound {
	struct sound_channel channel[8];
	bool refuses; /* the backend cannot arm */
	bool reloads; /* as QEMU's 8237: back at the start after the last byte */
	/* the device */
	bool playing;
	u32 command, length, left;
	u32 rate;	/* bytes a second */
	u64 burst;	/* ns */
	u64 last, next; /* when it last moved, when it will again */
	u64 owing;	/* bytes * 10^9 that it is behind its rate, below a byte or word */
	u32 moved;	/* log[]: what it took or gave */
	u32 starved;	/* bytes that it had to do without in time */
	u32 irqs;
	bool masked, pending;
	u8 log[SOUND_LOG];
};

/* Makes the device and the server's export "sound" for it. Freed with the world. */
struct sound *world_sound(struct world *w);
/* For the world and its backend. */
bool sound_has(const struct world *w, u16 port);
u32 sound_in(struct world *w, u16 port);
void sound_out(struct world *w, u16 port, u32 value);
void sound_mask(struct world *w, bool masked);
void sound_quiesce(struct world *w);
void sound_poll(struct world *w);
u64 sound_deadline(const struct world *w);
bool sound_dma_arm(void *ctx, unsigned channel, u32 bytes, u8 mode);
void sound_dma_run(void *ctx, unsigned channel, bool run);
u32 sound_dma_position(void *ctx, unsigned channel);
void sound_dma_put(void *ctx, unsigned channel, u32 at, const u8 *data, u32 len);
void sound_dma_get(void *ctx, unsigned channel, u32 at, u8 *data, u32 len);

#define PLAYER_RAM (1u << 20)

/* A guest at a station of the world. */
struct player {
	struct world *w;
	struct station *st;
	struct bus bus;
	struct physmem mem;
	struct dma dma;
	struct remote_dma remote;
	u8 *ram, flags[PLAYER_RAM / 4096];
	u32 irqs, refused;
	void (*isr)(struct player *p); /* before the EOI */
	u32 answers, seen;	       /* to the guest's accesses; the last value read */
	u32 note;		       /* the test's own */
};

/* Gets the lease of "sound" at station n. */
struct player *player_new(struct world *w, unsigned n);
void player_free(struct player *p);
/* The guest's own ports. */
void player_out(struct player *p, u16 port, u8 value);
u8 player_in(struct player *p, u16 port);
/* Masks, programs and unmasks a channel as drivers do; 5 and above count in bytes, too. */
void player_program(struct player *p, unsigned channel, u8 mode, u32 address, u32 bytes);
void player_mask(struct player *p, unsigned channel, bool masked);
/* Bytes to the terminal count, from the guest's 8237; 0x10000 (0x20000) beyond it. */
u32 player_left(struct player *p, unsigned channel);
/* The device's ports; each waits for its answer. False: the lease is over. */
bool player_command(struct player *p, u16 port, u32 value);
bool player_status(struct player *p, u32 *value);

#endif
