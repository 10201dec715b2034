/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/siphash.h"

static u64 rotate(u64 x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void round_once(u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static u32 load32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

static u64 load64(const u8 *p)
{
	return load32(p) | (u64)load32(p + 4) << 32;
}

static void mix(struct siphash *s, u64 word)
{
	s->v[3] ^= word;
	round_once(s->v);
	round_once(s->v);
	s->v[0] ^= word;
}

void siphash_init(struct siphash *s, const u8 key[16])
{
	u64 k0 = load64(key), k1 = load64(key + 8);

	s->v[0] = k0 ^ 0x736f6d6570736575ull;
	s->v[1] = k1 ^ 0x646f72616e646f6dull;
	s->v[2] = k0 ^ 0x6c7967656e657261ull;
	s->v[3] = k1 ^ 0x7465646279746573ull;
	s->tail = 0;
	s->tail_bytes = 0;
	s->total = 0;
}

void siphash_add(struct siphash *s, const void *data, u32 len)
{
	const u8 *p = data;

	s->total += len;
	while (len > 0 && (s->tail_bytes || len < 8)) {
		s->tail |= (u64)*p++ << (8 * s->tail_bytes);
		len--;
		if (++s->tail_bytes < 8)
			continue;
		mix(s, s->tail);
		s->tail = 0;
		s->tail_bytes = 0;
	}
	for (; len >= 8; len -= 8, p += 8)
		mix(s, load64(p));
	for (; len > 0; len--)
		s->tail |= (u64)*p++ << (8 * s->tail_bytes++);
}

u64 siphash_end(struct siphash *s)
{
	mix(s, s->tail | (u64)(s->total & 0xff) << 56);
	s->v[2] ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		round_once(s->v);
	return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}
