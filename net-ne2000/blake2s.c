/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/blake2s.h"

#include "lib/str.h"

static const u32 iv[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const u8 sigma[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static u32 rotate(u32 x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void quarter(u32 v[16], const u8 at[4], u32 x, u32 y)
{
	u32 *a = &v[at[0]], *b = &v[at[1]], *c = &v[at[2]], *d = &v[at[3]];

	*a += *b + x;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b + y;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

static void compress(struct blake2s *b, bool last)
{
	static const u8 at[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
				    {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};
	u32 v[16], m[16];

	for (unsigned i = 0; i < 16; i++)
		m[i] = (u32)b->buf[4 * i] | (u32)b->buf[4 * i + 1] << 8 |
		       (u32)b->buf[4 * i + 2] << 16 | (u32)b->buf[4 * i + 3] << 24;
	memcpy(v, b->h, sizeof(b->h));
	memcpy(v + 8, iv, sizeof(iv));
	v[12] ^= b->t[0];
	v[13] ^= b->t[1];
	if (last)
		v[14] = ~v[14];
	for (unsigned r = 0; r < 10; r++)
		for (unsigned g = 0; g < 8; g++)
			quarter(v, at[g], m[sigma[r][2 * g]], m[sigma[r][2 * g + 1]]);
	for (unsigned i = 0; i < 8; i++)
		b->h[i] ^= v[i] ^ v[i + 8];
}

static void count(struct blake2s *b, u32 bytes)
{
	b->t[0] += bytes;
	if (b->t[0] < bytes)
		b->t[1]++;
}

void blake2s_init(struct blake2s *b, const void *key, u32 key_len)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->h, iv, sizeof(iv));
	b->h[0] ^= 0x01010000 | key_len << 8 | 32;
	if (key_len) {
		memcpy(b->buf, key, key_len);
		b->used = 64;
	}
}

void blake2s_add(struct blake2s *b, const void *data, u32 len)
{
	const u8 *p = data;

	while (len > 0) {
		u32 room;

		if (b->used ==
		    64) { /* only once more follows: the last block is compressed at the end */
			count(b, 64);
			compress(b, false);
			b->used = 0;
		}
		room = 64 - b->used;
		if (room > len)
			room = len;
		memcpy(b->buf + b->used, p, room);
		b->used += room;
		p += room;
		len -= room;
	}
}

void blake2s_end(struct blake2s *b, u8 out[32])
{
	count(b, b->used);
	memset(b->buf + b->used, 0, 64 - b->used);
	compress(b, true);
	for (unsigned i = 0; i < 32; i++)
		out[i] = (u8)(b->h[i / 4] >> (8 * (i % 4)));
}
