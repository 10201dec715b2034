/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000 driver against a model: what cards do, what emulators do, and what broken ones do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/str.h"
#include "net-ne2000/dp8390.h"
#include "support_ne2000_model.h"

#define MS 1000000ull

static const u8 mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
static const u8 broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static struct ne2000_model model;
static struct ne2000 card;
static u8 buf[FRAME_MAX];

static void start(unsigned width)
{
	model_power_on(&model, mac);
	assert_null(ne2000_start(&card, &model_ops, &model, MODEL_BASE, width, true));
	assert_memory_equal(card.nic.mac, mac, 6);
	model.violations = 0; /* what a width that the card lacks has led to */
}

static int setup(void **state)
{
	(void)state;
	memset(&model, 0, sizeof(model));
	return 0;
}

/* No test may end with the chip having been misused. */
static int teardown(void **state)
{
	(void)state;
	if (model.violations)
		print_error("%u violations, first: %s\n", model.violations, model.violation);
	return model.violations ? -1 : 0;
}

static void poll(void)
{
	card.nic.poll(&card.nic, model.now);
}

/* A frame with bytes that tell it from others. */
static const u8 *frame_of(u32 len, u8 seed)
{
	static u8 frame[FRAME_MAX];

	memcpy(frame, mac, 6);
	for (u32 i = 6; i < len; i++)
		frame[i] = (u8)(seed + i * 3 + (i >> 7));
	return frame;
}

static void expect_received(u32 len, u8 seed)
{
	u8 beyond[FRAME_MAX + 8];

	memset(beyond, 0xa5, sizeof(beyond));
	assert_int_equal(card.nic.receive(&card.nic, beyond), len);
	assert_memory_equal(beyond, frame_of(len, seed), len);
	assert_int_equal(beyond[len], 0xa5);
}

static void expect_sent(u32 index, u32 len, u8 seed)
{
	assert_true(index < model.sent_count);
	assert_int_equal(model.sent_len[index % MODEL_SENT], len);
	assert_memory_equal(model.sent[index % MODEL_SENT], frame_of(len, seed), len);
}

/* --- starting --- */

static void widths(void **state)
{
	(void)state;
	start(4);
	assert_int_equal(card.width, 4);
	start(2);
	assert_int_equal(card.width, 2);
	start(1);
	assert_int_equal(card.width, 1);
	assert_int_equal(card.first_page, 0x40);
	assert_int_equal(card.ring, 0x4c);
	assert_int_equal(card.stop, 0x80);
	model.refuses_32 = true;
	start(4);
	assert_int_equal(card.width, 2);
}

static void eight_bit(void **state)
{
	(void)state;
	model.eight_bit = true;
	start(4);
	assert_int_equal(card.width, 1);
	assert_int_equal(card.first_page, 0x20);
	assert_int_equal(card.ring, 0x2c);
	assert_int_equal(card.stop, 0x40);
	assert_true(card.nic.send(&card.nic, frame_of(1513, 1), 1513));
	model_pass(&model, 2 * MS);
	expect_sent(0, 1513, 1);
	for (u8 i = 0; i < 20; i++) {
		assert_true(model_receive(&model, frame_of(61u + i * 50u, i), 61u + i * 50u));
		expect_received(61u + i * 50u, i);
	}
}

static void no_card(void **state)
{
	(void)state;
	model_power_on(&model, mac);
	model.gone = true;
	assert_non_null(ne2000_start(&card, &model_ops, &model, MODEL_BASE, 2, true));
	assert_false(card.nic.send(&card.nic, frame_of(60, 0), 60));
	assert_int_equal(card.nic.receive(&card.nic, buf), 0);
	poll();
	assert_int_equal(ne2000_probe(&model_ops, &model), 0);
	model.gone = false;
	assert_int_equal(ne2000_probe(&model_ops, &model), MODEL_BASE);
	model.stuck_reset = true;
	assert_string_equal(ne2000_start(&card, &model_ops, &model, MODEL_BASE, 2, true),
			    "no answer to a reset");
	model.stuck_reset = false;
	memset(model.prom, 0xff, sizeof(model.prom));
	assert_string_equal(ne2000_start(&card, &model_ops, &model, MODEL_BASE, 2, true),
			    "its PROM holds no Ethernet address");
	assert_true(ne2000_is_pci(0x10ec, 0x8029));
	assert_false(ne2000_is_pci(0x10ec, 0x8139));
}

/* --- transmission --- */

static void both_buffers(void **state)
{
	(void)state;
	start(2);
	assert_true(card.nic.send(&card.nic, frame_of(1514, 1), 1514));
	assert_true(card.nic.send(&card.nic, frame_of(1000, 2), 1000));
	assert_false(card.nic.send(&card.nic, frame_of(60, 3), 60));
	assert_int_equal(model.sent_count, 0);
	model_pass(&model, 2 * MS);
	expect_sent(0, 1514, 1);
	poll(); /* starts the second */
	assert_true(card.nic.send(&card.nic, frame_of(61, 3), 61));
	model_pass(&model, 2 * MS);
	expect_sent(1, 1000, 2);
	poll();
	model_pass(&model, 2 * MS);
	poll();
	expect_sent(2, 61, 3);
	assert_int_equal(model.sent_count, 3);
	assert_int_equal(card.nic.stats.sent, 3);
	assert_int_equal(card.nic.stats.dropped, 0);
	assert_int_equal(model.isr & (ISR_PTX | ISR_TXE), 0);
	assert_int_equal(model.rises, 3);
}

static void every_length(void **state)
{
	(void)state;
	model.tx_at_once = true;
	for (unsigned width = 1; width <= 4; width *= 2) {
		model.sent_count = 0;
		start(width);
		for (u32 len = FRAME_MIN; len <= FRAME_MAX; len++) {
			assert_true(card.nic.send(&card.nic, frame_of(len, (u8)len), len));
			expect_sent(len - FRAME_MIN, len, (u8)len);
			assert_true(model_receive(&model, frame_of(len, (u8)len), len));
			expect_received(len, (u8)len);
		}
	}
}

static void short_frames(void **state)
{
	static const u8 zero[FRAME_MIN];

	(void)state;
	start(2);
	assert_false(card.nic.send(&card.nic, frame_of(0, 0), 0));
	assert_false(card.nic.send(&card.nic, frame_of(13, 0), 13));
	assert_false(card.nic.send(&card.nic, frame_of(14, 0), FRAME_MAX + 1));
	assert_true(card.nic.send(&card.nic, frame_of(33, 7), 33));
	model_pass(&model, 2 * MS);
	assert_int_equal(model.sent_len[0], FRAME_MIN);
	assert_memory_equal(model.sent[0], frame_of(33, 7), 33);
	assert_memory_equal(model.sent[0] + 33, zero, FRAME_MIN - 33);
}

/* A completion without PTX is seen by TXP; one that never comes ends in a fresh start. */
static void lost_completions(void **state)
{
	(void)state;
	model.no_ptx = true;
	start(2);
	assert_true(card.nic.send(&card.nic, frame_of(60, 1), 60));
	model_pass(&model, 2 * MS);
	poll();
	assert_int_equal(card.nic.stats.sent, 1);
	model.no_ptx = false;
	model.stuck_tx = true;
	assert_true(card.nic.send(&card.nic, frame_of(60, 2), 60));
	model_pass(&model, 400 * MS);
	poll();
	assert_int_equal(card.nic.stats.resets, 0);
	model_pass(&model, 200 * MS);
	poll();
	assert_int_equal(card.nic.stats.resets, 1);
	assert_int_equal(card.nic.stats.dropped, 1);
	model.stuck_tx = false;
	assert_true(card.nic.send(&card.nic, frame_of(60, 3), 60));
	model_pass(&model, 2 * MS);
	expect_sent(1, 60, 3);
}

/* --- reception --- */

static void wrap_around(void **state)
{
	static const u32 lens[] = {60, 1514, 252, 248, 249, 700, 1513, 61};

	(void)state;
	start(4);
	for (u32 i = 0; i < 400; i++) {
		u32 a = lens[i % ARRAY_SIZE(lens)], b = lens[(i * 5 + 3) % ARRAY_SIZE(lens)];

		assert_true(model_receive(&model, frame_of(a, (u8)i), a));
		assert_true(model_receive(&model, frame_of(b, (u8)(i + 9)), b));
		expect_received(a, (u8)i);
		expect_received(b, (u8)(i + 9));
		assert_int_equal(card.nic.receive(&card.nic, buf), 0);
	}
	assert_int_equal(card.nic.stats.received, 800);
	assert_int_equal(card.nic.stats.bad + card.nic.stats.resets, 0);
	assert_int_equal(model.isr & ISR_PRX, 0);
}

static void filter(void **state)
{
	u8 frame[FRAME_MIN];

	(void)state;
	start(2);
	memcpy(frame, frame_of(60, 1), 60);
	memcpy(frame, broadcast, 6);
	assert_true(model_receive(&model, frame, 60));
	assert_int_equal(card.nic.receive(&card.nic, buf), 60);
	memset(frame, 2, 6);
	assert_false(model_receive(&model, frame, 60));
}

/* One rise for each frame that comes when the driver thought that it was done. */
static void interrupts(void **state)
{
	(void)state;
	start(2);
	for (u32 i = 1; i <= 10; i++) {
		assert_true(model_receive(&model, frame_of(60, 1), 60));
		assert_int_equal(model.rises, i);
		expect_received(60, 1);
		assert_int_equal(card.nic.receive(&card.nic, buf), 0);
		assert_false(model.line);
	}
}

static void bad_frames(void **state)
{
	static const struct {
		u8 status, next;
		u16 count;
	} bad[] = {
		{1, 0x00, 64},	 {1, 0xff, 64},	   {1, 0x4b, 64}, {1, 0x80, 64},
		{1, 0x4c, 64},	 {1, 0x60, 64},	   {1, 0x4d, 0},  {1, 0x4d, 63},
		{1, 0x4d, 1519}, {1, 0x4d, 65535}, {0, 0x4d, 64}, {3, 0x4d, 64},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		u8 *page;

		start(2);
		assert_true(model_receive(&model, frame_of(60, 1), 60));
		page = model_page(&model, 0x4c);
		page[0] = bad[i].status;
		page[1] = bad[i].next;
		page[2] = (u8)bad[i].count;
		page[3] = (u8)(bad[i].count >> 8);
		assert_int_equal(card.nic.receive(&card.nic, buf), 0);
		assert_int_equal(card.nic.stats.bad, 1);
		assert_int_equal(card.nic.stats.resets, 0);
		/* Nothing of it is left in the way. */
		assert_true(model_receive(&model, frame_of(1514, 5), 1514));
		expect_received(1514, 5);
	}
}

static void curr_outside(void **state)
{
	(void)state;
	start(2);
	model.curr = 0x20;
	assert_int_equal(card.nic.receive(&card.nic, buf), 0);
	assert_int_equal(card.nic.stats.resets, 1);
	assert_true(model_receive(&model, frame_of(300, 5), 300));
	expect_received(300, 5);
}

/* --- a full ring --- */

static u32 fill_ring(void)
{
	u32 taken = 0;

	while (model_receive(&model, frame_of(1514, (u8)taken), 1514))
		taken++;
	return taken;
}

static void drain(u32 frames)
{
	for (u32 i = 0; i < frames; i++)
		expect_received(1514, (u8)i);
	assert_int_equal(card.nic.receive(&card.nic, buf), 0);
}

static void overrun(void **state)
{
	u32 taken;

	(void)state;
	start(2);
	taken = fill_ring();
	assert_true(taken >= 7);
	assert_int_equal(card.nic.receive(&card.nic, buf), 0); /* stops the chip first */
	assert_int_equal(card.state, NE2000_STOPPING);
	assert_false(card.nic.send(&card.nic, frame_of(60, 1), 60));
	model_pass(&model, MS);
	poll();
	assert_int_equal(card.nic.receive(&card.nic, buf), 0);
	model_pass(&model, MS);
	poll();
	assert_int_equal(card.state, NE2000_DRAINING);
	drain(taken);
	assert_int_equal(card.state, NE2000_RUNNING);
	assert_int_equal(card.nic.stats.overruns, 1);
	assert_int_equal(model.isr & ISR_OVW, 0);
	assert_true(model_receive(&model, frame_of(200, 99), 200));
	expect_received(200, 99);
	poll();
	assert_int_equal(model.sent_count, 0);
}

/* The frame on the wire, and the one that waits behind it, leave once each, in order. */
static void overrun_while_sending(void **state)
{
	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		u32 taken;

		memset(&model, 0, sizeof(model));
		model.stop_cuts_tx = cut;
		start(2);
		assert_true(card.nic.send(&card.nic, frame_of(900, 50), 900));
		assert_true(card.nic.send(&card.nic, frame_of(800, 51), 800));
		model.tx_end = model.now + MS; /* still on the wire */
		taken = fill_ring();
		poll();
		assert_int_equal(card.state, NE2000_STOPPING);
		model_pass(&model, 2 * MS);
		assert_int_equal(model.sent_count, cut ? 0 : 1);
		poll();
		drain(taken);
		for (int i = 0; i < 3; i++) {
			model_pass(&model, 2 * MS);
			poll();
		}
		assert_int_equal(model.sent_count, 2);
		expect_sent(0, 900, 50);
		expect_sent(1, 800, 51);
		assert_int_equal(card.nic.stats.sent, 2);
		assert_int_equal(model.violations, 0);
	}
}

/* It ended just before the overflow was seen: nothing to send again. */
static void overrun_after_sending(void **state)
{
	u32 taken;

	(void)state;
	start(2);
	assert_true(card.nic.send(&card.nic, frame_of(900, 50), 900));
	model_pass(&model, 2 * MS);
	taken = fill_ring();
	poll();
	model_pass(&model, 2 * MS);
	poll();
	drain(taken);
	poll();
	model_pass(&model, 2 * MS);
	poll();
	assert_int_equal(model.sent_count, 1);
	assert_int_equal(card.nic.stats.sent, 1);
}

/* QEMU: the ring is full, the frame is lost, and nobody says so. */
static void silently_full(void **state)
{
	u32 taken;

	(void)state;
	model.silent_full = true;
	model.tx_at_once = true;
	model.no_rst_on_stop = true;
	start(4);
	taken = fill_ring();
	drain(taken);
	assert_int_equal(card.nic.stats.overruns, 0);
	assert_true(model_receive(&model, frame_of(200, 99), 200));
	expect_received(200, 99);
}

/* --- a card that fails --- */

static void expect_gone(void)
{
	for (int i = 0; i < 20; i++) {
		card.nic.send(&card.nic, frame_of(60, 1), 60);
		assert_int_equal(card.nic.receive(&card.nic, buf), 0);
		model_pass(&model, 2 * MS);
		poll();
	}
	assert_int_equal(card.state, NE2000_GONE);
	assert_int_equal(model.said, 1);
	assert_false(card.nic.send(&card.nic, frame_of(60, 1), 60));
}

static void vanished(void **state)
{
	(void)state;
	for (int when = 0; when < 4; when++) {
		memset(&model, 0, sizeof(model));
		start(2);
		if (when == 1)
			assert_true(card.nic.send(&card.nic, frame_of(60, 1), 60));
		if (when == 2)
			assert_true(model_receive(&model, frame_of(60, 1), 60));
		if (when == 3) {
			fill_ring();
			poll();
		}
		model.gone = true;
		expect_gone();
		assert_int_equal(card.nic.stats.sent + card.nic.stats.received, 0);
	}
}

/* Every access after the card vanished, at each point of a send and a receive: bounded, no frame.
 */
static void vanishes_at_any_access(void **state)
{
	(void)state;
	for (u64 when = 0; when < 400; when += 2) {
		memset(&model, 0, sizeof(model));
		start(2);
		assert_true(model_receive(&model, frame_of(300, 1), 300));
		model.gone_at = model.now + when * 1000;
		for (int i = 0; i < 4; i++) {
			u32 len;

			card.nic.send(&card.nic, frame_of(60, 1), 60);
			len = card.nic.receive(&card.nic, buf);
			if (len)
				assert_memory_equal(buf, frame_of(300, 1), 300);
			poll();
		}
		model.gone_at = 0;
		model.gone = true;
		expect_gone();
	}
}

static void stuck_dma(void **state)
{
	u64 before;

	(void)state;
	start(2);
	model.stuck_rdc = true;
	before = model.now;
	assert_false(card.nic.send(&card.nic, frame_of(60, 1), 60));
	assert_true(model.now - before < 30 * MS);
	assert_int_equal(card.nic.stats.resets, 1);
	model.stuck_rdc = false;
	assert_true(card.nic.send(&card.nic, frame_of(60, 2), 60));
	model_pass(&model, 2 * MS);
	expect_sent(0, 60, 2);
	model.stuck_rdc = true;
	model.stuck_reset = true;
	expect_gone();
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(widths),
		T(eight_bit),
		T(no_card),
		T(both_buffers),
		T(every_length),
		T(short_frames),
		T(lost_completions),
		T(wrap_around),
		T(filter),
		T(interrupts),
		T(bad_frames),
		T(curr_outside),
		T(overrun),
		T(overrun_while_sending),
		T(overrun_after_sending),
		T(silently_full),
		T(vanished),
		T(vanishes_at_any_access),
		T(stuck_dma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
