/* SPDX-License-Identifier: BSD-2-Clause */
/* BLAKE2s with a key (RFC 7693), 32-byte output: derives session keys from the shared one. */
#ifndef FARBUS_NET_BLAKE2S_H
#define FARBUS_NET_BLAKE2S_H

#include "lib/types.h"

struct blake2s {
	u32 h[8];
	u32 t[2];
	u8 buf[64];
	u32 used;
};

/* key_len 0 to 32. */
void blake2s_init(struct blake2s *b, const void *key, u32 key_len);
void blake2s_add(struct blake2s *b, const void *data, u32 len);
void blake2s_end(struct blake2s *b, u8 out[32]);

#endif
