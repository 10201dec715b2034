/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a frame's tag costs, by the frame's size, and a session's keys: in ticks of the time-stamp
 * counter, the least of many rounds, as only that has no interrupt in it. Header and codec are in
 * it, addresses too: all that a frame needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "net-ne2000/frame.h"
#include "net-ne2000/proto.h"
#include "net-ne2000/session.h"

#define ROUNDS	  2000u
#define FRAME_TOP (FRAME_HEADER + FRAME_SNAP) /* bytes before the payload */
#define NOT_OPS	  (FRAME_TOP + PROTO_HEADER + PROTO_TAG)

static const u8 dst[6] = {2, 0, 0, 0, 0, 1}, src[6] = {2, 0, 0, 0, 0, 2};
static u8 buf[FRAME_MAX];
static u32 sink; /* so that nothing is left out */

static unsigned long long least(void (*work)(u32 ops), u32 ops)
{
	u64 best = ~0ull;

	for (u32 i = 0; i < ROUNDS; i++) {
		u64 began = __rdtsc(), took;

		work(ops);
		took = __rdtsc() - began;
		best = took < best ? took : best;
	}
	return best;
}

static void seal(u32 ops)
{
	static const u8 key[16] = "a key of a frame";
	struct proto_header h = {.type = PROTO_REQ, .session = 7, .seq = 9};
	struct proto_writer w;

	proto_begin(&w, buf + FRAME_TOP, PROTO_OPS_MAX);
	w.len = ops;
	sink += proto_seal(&w, &h, key, dst, src);
}

static void check(u32 ops)
{
	static const u8 key[16] = "a key of a frame";
	struct proto_header h = {.length = (u16)ops};

	sink += proto_check(buf + FRAME_TOP, &h, key, dst, src);
}

static void keys(u32 ops)
{
	static const u8 shared[SESSION_KEY] = "a key that both sides have";
	struct session_secrets s = {.client_epoch = ops};
	struct session_keys k;

	session_derive(shared, &s, &k);
	sink += k.to_client[0];
}

int main(void)
{
	static const u32 sizes[] = {60, 64, 128, 256, 574, 1086, 1514};

	printf("%u-bit: frame  ops  ticks to sign  to check  per byte\n",
	       (unsigned)sizeof(void *) * 8);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 ops = sizes[i] - NOT_OPS;
		unsigned long long signs = least(seal, ops), checks = least(check, ops);

		printf("%13u %4u %14llu %9llu %9.1f\n", sizes[i], ops, signs, checks,
		       (double)checks / (sizes[i] - FRAME_TOP));
	}
	printf("keys of a session: %llu ticks\n", least(keys, 1));
	return sink == 0xdeadbeef;
}
