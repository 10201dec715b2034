/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMA channels of exports: this PC's two 8237s with their page registers, and for each channel
 * a buffer that the ISA bus reaches and that crosses no boundary of the 8237. In peer mode there is
 * no guest, so the memory above 1 MB is free.
 */
#ifndef FARBUS_BOOT_PEER_DMA_H
#define FARBUS_BOOT_PEER_DMA_H

#include "lib/types.h"

/*
 * Masks the channels (a bit each) and takes a buffer for each: 64 KB, for word channels 128 KB.
 * ram_end: RAM is without a hole from 1 MB to there. False: not enough RAM between 1 MB and 16 MB.
 */
bool peer_dma_start(u8 channels, u32 ram_end);

/* For struct server_backend. */
bool peer_dma_arm(void *ctx, unsigned channel, u32 bytes, u8 mode);
void peer_dma_run(void *ctx, unsigned channel, bool run);
u32 peer_dma_position(void *ctx, unsigned channel);
void peer_dma_put(void *ctx, unsigned channel, u32 at, const u8 *data, u32 len);
void peer_dma_get(void *ctx, unsigned channel, u32 at, u8 *data, u32 len);

#endif
