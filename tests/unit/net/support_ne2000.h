/* SPDX-License-Identifier: BSD-2-Clause */
/* What the NE2000 tests share: one driver on one model, and frames that can be told apart. */
#ifndef FARBUS_TESTS_UNIT_NET_SUPPORT_NE2000_H
#define FARBUS_TESTS_UNIT_NET_SUPPORT_NE2000_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/str.h"
#include "net-ne2000/dp8390.h"
#include "support_ne2000_model.h"

#define MS	      1000000ull
#define NE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const u8 mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static struct ne2000_model model;
static struct ne2000 card;
static u8 buf[FRAME_MAX];

static inline void start(unsigned width)
{
	model_power_on(&model, mac);
	assert_null(ne2000_start(&card, &model_ops, &model, MODEL_BASE, width, true));
	assert_memory_equal(card.nic.mac, mac, 6);
	model.violations = 0; /* what a width that the card lacks has led to */
}

static inline int setup(void **state)
{
	(void)state;
	memset(&model, 0, sizeof(model));
	return 0;
}

/* No test may end with the chip having been misused. */
static inline int teardown(void **state)
{
	(void)state;
	if (model.violations)
		print_error("%u violations, first: %s\n", model.violations, model.violation);
	return model.violations ? -1 : 0;
}

static inline void poll(void)
{
	card.nic.poll(&card.nic, model.now);
}

/* A frame with bytes that tell it from others. */
static inline const u8 *frame_of(u32 len, u8 seed)
{
	static u8 frame[FRAME_MAX];

	memcpy(frame, mac, 6);
	for (u32 i = 6; i < len; i++)
		frame[i] = (u8)(seed + i * 3 + (i >> 7));
	return frame;
}

static inline void expect_received(u32 len, u8 seed)
{
	u8 beyond[FRAME_MAX + 8];

	memset(beyond, 0xa5, sizeof(beyond));
	assert_int_equal(card.nic.receive(&card.nic, beyond), len);
	assert_memory_equal(beyond, frame_of(len, seed), len);
	assert_int_equal(beyond[len], 0xa5);
}

static inline void expect_sent(u32 index, u32 len, u8 seed)
{
	assert_true(index < model.sent_count);
	assert_int_equal(model.sent_len[index % MODEL_SENT], len);
	assert_memory_equal(model.sent[index % MODEL_SENT], frame_of(len, seed), len);
}

#endif
