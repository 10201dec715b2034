/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/siphash.h"

static u64 rotate(u64 x, unsigned n)
{
	return x << n | x >> (64 - n);
}

/* The state is in variables of their own here, so that a 64-bit CPU keeps it in registers. */
#define ROUND(v0, v1, v2, v3)                                                                      \
	do {                                                                                       \
		v0 += v1;                                                                          \
		v2 += v3;                                                                          \
		v1 = rotate(v1, 13) ^ v0;                                                          \
		v3 = rotate(v3, 16) ^ v2;                                                          \
		v0 = rotate(v0, 32);                                                               \
		v2 += v1;                                                                          \
		v0 += v3;                                                                          \
		v1 = rotate(v1, 17) ^ v2;                                                          \
		v3 = rotate(v3, 21) ^ v0;                                                          \
		v2 = rotate(v2, 32);                                                               \
	} while (0)

static u32 load32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

static u64 load64(const u8 *p)
{
	return load32(p) | (u64)load32(p + 4) << 32;
}

/* Whole words. */
static void mix(struct siphash *s, const u8 *p, u32 words)
{
	u64 v0 = s->v[0], v1 = s->v[1], v2 = s->v[2], v3 = s->v[3];

	for (; words > 0; words--, p += 8) {
		u64 word = load64(p);

		v3 ^= word;
		ROUND(v0, v1, v2, v3);
		ROUND(v0, v1, v2, v3);
		v0 ^= word;
	}
	s->v[0] = v0;
	s->v[1] = v1;
	s->v[2] = v2;
	s->v[3] = v3;
}

void siphash_init(struct siphash *s, const u8 key[16])
{
	u64 k0 = load64(key), k1 = load64(key + 8);

	s->v[0] = k0 ^ 0x736f6d6570736575ull;
	s->v[1] = k1 ^ 0x646f72616e646f6dull;
	s->v[2] = k0 ^ 0x6c7967656e657261ull;
	s->v[3] = k1 ^ 0x7465646279746573ull;
	s->tail_bytes = 0;
	s->total = 0;
}

void siphash_add(struct siphash *s, const void *data, u32 len)
{
	const u8 *p = data;

	s->total += len;
	while (len > 0 && (s->tail_bytes || len < 8)) {
		s->tail[s->tail_bytes++] = *p++;
		len--;
		if (s->tail_bytes < 8)
			continue;
		mix(s, s->tail, 1);
		s->tail_bytes = 0;
	}
	mix(s, p, len / 8);
	p += len & ~7u;
	for (len &= 7; len > 0; len--)
		s->tail[s->tail_bytes++] = *p++;
}

u64 siphash_end(struct siphash *s)
{
	u64 v0, v1, v2, v3;

	while (s->tail_bytes < 7)
		s->tail[s->tail_bytes++] = 0;
	s->tail[7] = (u8)s->total;
	mix(s, s->tail, 1);
	v0 = s->v[0];
	v1 = s->v[1];
	v2 = s->v[2] ^ 0xff;
	v3 = s->v[3];
	for (unsigned i = 0; i < 4; i++)
		ROUND(v0, v1, v2, v3);
	return v0 ^ v1 ^ v2 ^ v3;
}
