/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 (Aumasson, Bernstein, 2012): the tag on every frame. */
#ifndef FARBUS_NET_SIPHASH_H
#define FARBUS_NET_SIPHASH_H

#include "lib/types.h"

struct siphash {
	u64 v[4];
	u8 tail[8];	/* bytes not yet mixed in */
	u32 tail_bytes; /* 0-7 */
	u32 total;
};

void siphash_init(struct siphash *s, const u8 key[16]);
void siphash_add(struct siphash *s, const void *data, u32 len);
u64 siphash_end(struct siphash *s);

#endif
