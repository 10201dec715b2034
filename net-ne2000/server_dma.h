/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA DMA at the server (docs/protocol.md, "ISA DMA"): one channel of an export, armed by the
 * holder of the lease for a block that lies in a buffer of the backend's.
 */
#ifndef FARBUS_NET_SERVER_DMA_H
#define FARBUS_NET_SERVER_DMA_H

#include "lib/types.h"

#define SERVER_CHANNELS 8u

/* While a channel is armed: between two looks at how far its device has come. */
#define SERVER_DMA_POLL_NS 2000000ull
/* The same between two events about it, unless much has happened or something waits for them. */
#define SERVER_DMA_TELL_NS 8000000ull
#define SERVER_DMA_TELL	   512u
/* A device that is nearer than this to bytes that are not there yet is held up. */
#define SERVER_DMA_MARGIN 512u

struct server_dma {
	bool armed;
	bool running; /* the channel answers its device */
	u16 arming;   /* the client's number for it */
	u8 mode;      /* 8237 mode byte, channel bits 0 */
	u32 block;    /* bytes; auto-init goes round in them */
	/* Bytes since the arming: */
	u64 filled; /* that are there for the device to take */
	u64 moved;  /* by the device */
	u64 told;   /* of moved, in events */
	u64 poll_at, told_at;
	u32 held_up; /* times that the device had to wait for us */
};

#endif
