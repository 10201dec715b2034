/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of a route's DMA. */
#ifndef FARBUS_NET_REMOTE_DMA_PARTS_H
#define FARBUS_NET_REMOTE_DMA_PARTS_H

#include "net-ne2000/remote_dma.h"

/* The 8237's read transfer: memory to device. */
static inline bool remote_dma_takes(const struct remote_dma_channel *ch)
{
	return (ch->mode & 0x0c) == 0x08;
}

/* Auto-init. */
static inline bool remote_dma_goes_round(const struct remote_dma_channel *ch)
{
	return (ch->mode & 0x10) != 0;
}

/* In a cookie: the request is a stop. */
#define REMOTE_DMA_STOPS BIT(8)

/* Bytes that are to be sent now, 0: not worth a frame. */
u32 remote_dma_missing(const struct remote_dma_channel *ch);
/* Sends them, as far as there is room for requests. */
void remote_dma_send_data(struct remote_dma *d, unsigned channel, u64 now);
/* What the guest has written over since it was sent goes out again. */
void remote_dma_send_again(struct remote_dma *d, unsigned channel, u64 now);
/* False: no room now. */
bool remote_dma_send_stop(struct remote_dma *d, unsigned channel, u64 now);
/* With the first bytes; owed: how many have to follow. True, too, when there is nothing to arm. */
bool remote_dma_send_arm(struct remote_dma *d, unsigned channel, u64 now);

#endif
