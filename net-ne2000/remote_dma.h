/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA DMA of a remote route, the client's half (docs/protocol.md, "ISA DMA"): when the guest has
 * programmed and unmasked a channel, the peer's is armed for as many bytes, what the device will
 * take is sent ahead of it, and what the peer tells of the device moves the guest's channel. It
 * knows no 8237: hooks look at the guest's.
 */
#ifndef FARBUS_NET_REMOTE_DMA_H
#define FARBUS_NET_REMOTE_DMA_H

#include "lib/types.h"
#include "net-ne2000/client.h"

#define REMOTE_CHANNELS 8u

/* Cookies with this bit are of requests made here. */
#define REMOTE_DMA_COOKIE BIT(31)

/*
 * How far the bytes sent are ahead of the device. At first as much as any device of the ISA bus
 * takes in 40 ms; then what this one takes in REMOTE_DMA_LEAD_NS and REMOTE_DMA_SPARE. With
 * auto-init never more than 3/8 of the block, as the guest refills what the device has left behind
 * by halves at most.
 */
#define REMOTE_DMA_FIRST   8192u /* and never more than this */
#define REMOTE_DMA_LEAD_NS 40000000ull
#define REMOTE_DMA_SPARE   1024u
/*
 * The floppy controller's channel on every PC. Its blocks go out whole: an emulated controller
 * takes them at once, and nothing is lost by the time that takes.
 */
#define REMOTE_DMA_FLOPPY 2u
/*
 * What was sent ahead is compared with the guest's memory whenever the device has moved, and sent
 * again where the guest has written since. So many channels of a route at a time:
 */
#define REMOTE_DMA_COPIES 2u
/* A mask for less than this is not passed on: drivers mask while they read the position. */
#define REMOTE_DMA_MASK_NS 500000ull

struct remote_dma_program {
	u32 left;  /* bytes to the next terminal count */
	u32 block; /* bytes of a round, as auto-init repeats it */
	u8 mode;   /* 8237 mode byte */
};

/* The guest's 8237. devices/dma8237.h has what is wanted: dma_programmed() and so on. */
struct remote_dma_hooks {
	/* False: the channel is not ready. */
	bool (*programmed)(void *ctx, unsigned channel, struct remote_dma_program *p);
	/* The bytes that the device will be given after `skip` more; how many of len there are. */
	u32 (*look)(void *ctx, unsigned channel, u32 skip, u8 *buf, u32 len);
	/* The device has moved len bytes more. data: it gave these; NULL: it took them. */
	void (*account)(void *ctx, unsigned channel, const u8 *data, u32 len);
	/* The peer will not; text says why, for the log. Once until the next lease. */
	void (*refused)(void *ctx, unsigned channel, const char *text);
};

struct remote_dma_channel {
	bool want;	 /* to be armed before the guest's next access to the device */
	bool armed;	 /* at the peer, the device not at the block's end */
	bool stop;	 /* the peer is to be told that it ended */
	bool counts;	 /* what the peer tells of this arming moves the guest's channel */
	bool whole;	 /* all of the block is sent at once */
	bool refused;	 /* by the peer, and said so */
	u8 stopping;	 /* stops without an answer */
	u8 copy;	 /* of remote_dma.copy[], counted from 1; 0: none */
	u8 mode;	 /* 8237 mode byte */
	u16 arming;	 /* its number */
	u32 block;	 /* bytes, as armed */
	u32 owed;	 /* bytes to be sent before the guest goes on */
	u32 peak;	 /* most that the device took in REMOTE_DMA_LEAD_NS, bytes */
	u64 stop_at;	 /* when a stop is sent, if no access to the device is earlier */
	u64 sent, moved; /* bytes since the arming */
	u64 window_at, window_moved; /* where the measurement of `peak` began */
};

struct remote_dma {
	struct client *c;
	const struct remote_dma_hooks *hooks;
	void *ctx;
	u8 channels; /* of the route, a bit each */
	bool full;   /* no room for a request: goes on when one is answered */
	struct remote_dma_channel channel[REMOTE_CHANNELS];
	u64 armings, bytes, again; /* bytes moved by devices; sent again */
	/* Bytes sent that the device has not had, by their place. */
	u8 copy[REMOTE_DMA_COPIES][REMOTE_DMA_FIRST];
};

/* channels: a bit each. The client's hooks lead to remote_dma_moved() and remote_dma_done(). */
void remote_dma_init(struct remote_dma *d, struct client *c, u8 channels,
		     const struct remote_dma_hooks *hooks, void *ctx);
/* The lease begins, or it is over. */
void remote_dma_begin(struct remote_dma *d);
void remote_dma_lost(struct remote_dma *d);
/*
 * The guest has unmasked or masked a channel, or (reprogrammed) written its address, count, page or
 * mode. Posted writes to the device go first.
 */
void remote_dma_changed(struct remote_dma *d, unsigned channel, bool reprogrammed, u64 now);
/* Whether remote_dma_flush() has anything to do. */
bool remote_dma_due(const struct remote_dma *d);
/*
 * Sends what the peer has to know before the guest's next access to the device. False: there is
 * more, and no room for it now; to be asked again when a request is done.
 */
bool remote_dma_flush(struct remote_dma *d, u64 now);
/* From the client's dma hook. */
void remote_dma_moved(struct remote_dma *d, unsigned channel, u16 arming, const u8 *data, u32 len,
		      u64 now);
/* From the client's done hook, for REMOTE_DMA_COOKIE. */
void remote_dma_done(struct remote_dma *d, u32 cookie, enum client_outcome outcome,
		     const struct proto_header *h, const u8 *body, u64 now);
/* When it is due, and after every request that was done, of whomever. */
void remote_dma_poll(struct remote_dma *d, u64 now);
/* 0: at once; ~0: not before the next frame. */
u64 remote_dma_deadline(const struct remote_dma *d);

#endif
