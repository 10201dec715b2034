/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames, codec, tags and keys: known answers, every form there and back, and damaged bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/str.h"
#include "net-ne2000/blake2s.h"
#include "net-ne2000/frame.h"
#include "net-ne2000/proto.h"
#include "net-ne2000/session.h"
#include "net-ne2000/siphash.h"

static const u8 client_mac[6] = {0x52, 0x54, 0, 0, 0, 1};
static const u8 server_mac[6] = {0x52, 0x54, 0, 0, 0, 2};
static const u8 key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* The vectors of the SipHash paper (appendix A) and of the BLAKE2 reference's test file. */
static void known_answers(void **state)
{
	static const u8 abc[8] = {0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2};
	static const u8 keyed[8] = {0x40, 0xd1, 0x5f, 0xee, 0x7c, 0x32, 0x88, 0x30};
	u8 bytes[64], digest[32];
	struct siphash s;
	struct blake2s b;

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)i;
	for (unsigned cut = 0; cut <= 15; cut++) {
		siphash_init(&s, bytes);
		siphash_add(&s, bytes, cut);
		siphash_add(&s, bytes + cut, 15 - cut);
		assert_true(siphash_end(&s) == 0xa129ca6149be45e5ull);
	}
	blake2s_init(&b, NULL, 0);
	blake2s_add(&b, "abc", 3);
	blake2s_end(&b, digest);
	assert_memory_equal(digest, abc, sizeof(abc));
	blake2s_init(&b, bytes, 32);
	blake2s_add(&b, bytes, 1);
	blake2s_end(&b, digest);
	assert_memory_equal(digest, keyed, sizeof(keyed));
}

static u32 build(u8 *frame, enum frame_form form, struct proto_header *h)
{
	struct proto_writer w;
	u32 value = 0x12345678;
	struct proto_op ops[] = {
		{.opcode = PROTO_IN, .width = 2, .count = 1, .addr = 0x1f0},
		{.opcode = PROTO_OUT,
		 .width = 1,
		 .count = 1,
		 .addr = 0x1f6,
		 .data = (u8 *)&value,
		 .data_len = 1},
		{.opcode = PROTO_OUTS,
		 .width = 2,
		 .count = 2,
		 .addr = 0x170,
		 .data = (u8 *)&value,
		 .data_len = 4},
		{.opcode = PROTO_POLL,
		 .width = 1,
		 .note = PROTO_POLL_UNEQUAL,
		 .count = 500,
		 .addr = 0x1f7,
		 .data_len = 8},
	};

	proto_begin(&w, frame + frame_overhead(form), PROTO_OPS_MAX);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++)
		assert_non_null(proto_add(&w, &ops[i]));
	return frame_finish(frame, form, server_mac, client_mac,
			    proto_seal(&w, h, key, server_mac, client_mac));
}

static void there_and_back(void **state)
{
	(void)state;
	for (unsigned form = 0; form < FRAME_FORMS; form++) {
		struct proto_header h = {.type = PROTO_REQ,
					 .session = 7,
					 .seq = 0xfffffffe,
					 .ack = 3,
					 .irq = 0x8010,
					 .tries = 2},
				    back;
		struct frame_view view;
		struct proto_op op;
		u8 frame[FRAME_MAX] = {0};
		u32 at = 0, len = build(frame, (enum frame_form)form, &h);

		assert_true(len >= FRAME_MIN);
		assert_true(frame_parse(frame, len, &view));
		assert_int_equal(view.form, form);
		assert_int_equal(proto_peek(view.payload, view.len, &back), PROTO_GOOD);
		assert_memory_equal(&h, &back, sizeof(h));
		assert_int_equal(proto_check(view.payload, &back, key, view.dst, view.src),
				 PROTO_GOOD);
		assert_int_equal(proto_next(proto_body(view.payload), &back, false, &at, &op), 1);
		assert_int_equal(op.opcode, PROTO_IN);
		assert_int_equal(op.addr, 0x1f0);
		assert_int_equal(proto_next(proto_body(view.payload), &back, false, &at, &op), 1);
		assert_int_equal(op.data[0], 0x78);
		assert_int_equal(proto_next(proto_body(view.payload), &back, false, &at, &op), 1);
		assert_int_equal(op.data_len, 4);
		assert_int_equal(proto_next(proto_body(view.payload), &back, false, &at, &op), 1);
		assert_int_equal(op.note, PROTO_POLL_UNEQUAL);
		assert_int_equal(op.count, 500);
		assert_int_equal(proto_next(proto_body(view.payload), &back, false, &at, &op), 0);
	}
}

/* One bit anywhere in what the tag covers, another address, key or length: never taken for good. */
static void damage(void **state)
{
	struct proto_header h = {.type = PROTO_REQ, .session = 7, .seq = 1}, back;
	u8 frame[FRAME_MAX] = {0}, bad[FRAME_MAX];
	struct frame_view view;
	u32 len = build(frame, FRAME_SNAP_FORM, &h);

	(void)state;
	for (u32 bit = 0; bit < len * 8; bit++) {
		memcpy(bad, frame, len);
		bad[bit / 8] ^= (u8)(1 << bit % 8);
		if (!frame_parse(bad, len, &view) ||
		    proto_peek(view.payload, view.len, &back) != PROTO_GOOD)
			continue;
		if (view.form == FRAME_SNAP_FORM)
			assert_int_equal(proto_check(view.payload, &back, key, view.dst, view.src),
					 PROTO_BAD_TAG);
	}
	for (u32 cut = 0; cut < len; cut++) {
		if (!frame_parse(frame, cut, &view))
			continue;
		assert_int_not_equal(proto_peek(view.payload, view.len, &back), PROTO_GOOD);
	}
	assert_true(frame_parse(frame, len, &view));
	assert_int_equal(proto_peek(view.payload, view.len, &back), PROTO_GOOD);
	assert_int_equal(proto_check(view.payload, &back, key, client_mac, view.src),
			 PROTO_BAD_TAG);
	assert_int_equal(proto_check(view.payload, &back, key + 0, view.src, view.dst),
			 PROTO_BAD_TAG);
}

static void full_frames(void **state)
{
	u8 frame[FRAME_MAX] = {0}, data[PROTO_OPS_MAX];
	struct proto_writer w;
	struct proto_op op = {.opcode = PROTO_OUTS,
			      .width = 2,
			      .count = 728,
			      .addr = 0x1f0,
			      .data = data,
			      .data_len = 1456};
	struct proto_header h = {.type = PROTO_REQ};
	u32 len;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	proto_begin(&w, frame + frame_overhead(FRAME_SNAP_FORM), PROTO_OPS_MAX);
	assert_non_null(proto_add(&w, &op));
	assert_null(proto_add(&w, &op));
	assert_false(proto_add_bytes(&w, data, 1));
	len = frame_finish(frame, FRAME_SNAP_FORM, server_mac, client_mac,
			   proto_seal(&w, &h, key, server_mac, client_mac));
	assert_int_equal(len, FRAME_MAX);
	op.data_len = 0xfffffff0;
	proto_begin(&w, frame, PROTO_OPS_MAX);
	assert_null(proto_add(&w, &op));
}

static void foreign_frames(void **state)
{
	struct frame_view view;
	u8 frame[64] = {0};

	(void)state;
	frame[12] = 0x08; /* IPv4 */
	assert_false(frame_parse(frame, 60, &view));
	frame[12] = 0;
	frame[13] = 46;
	frame[14] = frame[15] = 0xff; /* Novell IPX on raw 802.3 */
	assert_false(frame_parse(frame, 60, &view));
	frame[13] = 0;
	assert_false(frame_parse(frame, 60, &view));
	frame[13] = 200; /* longer than what came */
	assert_false(frame_parse(frame, 60, &view));
}

static void keys_differ(void **state)
{
	u8 shared[SESSION_KEY] = {0};
	struct session_secrets s = {.client_epoch = 1, .server_epoch = 2};
	struct session_keys a, b, greeting;

	(void)state;
	session_greeting_keys(shared, &greeting);
	session_derive(shared, &s, &a);
	assert_memory_not_equal(a.to_server, a.to_client, 16);
	assert_memory_not_equal(a.to_server, greeting.to_server, 16);
	s.server_epoch++;
	session_derive(shared, &s, &b);
	assert_memory_not_equal(a.to_server, b.to_server, 16);
	s.server_epoch--;
	s.client_nonce[15] ^= 1;
	session_derive(shared, &s, &b);
	assert_memory_not_equal(a.to_server, b.to_server, 16);
	s.client_nonce[15] ^= 1;
	shared[31] = 1;
	session_derive(shared, &s, &b);
	assert_memory_not_equal(a.to_server, b.to_server, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),  cmocka_unit_test(there_and_back),
		cmocka_unit_test(damage),	  cmocka_unit_test(full_frames),
		cmocka_unit_test(foreign_frames), cmocka_unit_test(keys_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
