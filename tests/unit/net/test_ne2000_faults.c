/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000 driver when the ring is full, and on cards that fail, lie or vanish. */
#include "support_ne2000.h"

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

/* It ended just before the overflow was seen: nothing to send again, PTX or not. */
static void overrun_after_sending(void **state)
{
	(void)state;
	for (int silent = 0; silent < 2; silent++) {
		u32 taken;

		memset(&model, 0, sizeof(model));
		model.no_ptx = silent;
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
		assert_int_equal(model.violations, 0);
	}
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

/* --- nonsense --- */

static void bad_frames(void **state)
{
	static const struct {
		u8 status, next;
		u16 count;
	} bad[] = {
		{1, 0x00, 64}, {1, 0xff, 64},	 {1, 0x4b, 64}, {1, 0x80, 64},	 {1, 0x4c, 64},
		{1, 0x60, 64}, {1, 0x4d, 0},	 {1, 0x4d, 63}, {1, 0x4d, 1519}, {1, 0x52, 1518},
		{1, 0x4c, 0},  {1, 0x4d, 65535}, {0, 0x4d, 64}, {3, 0x4d, 64},
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

/* Two pages on from 7Ch, but outside the ring. */
static void next_below_ring(void **state)
{
	(void)state;
	start(2);
	for (int i = 0; i < 8; i++) {
		assert_true(model_receive(&model, frame_of(1500, 1), 1500));
		expect_received(1500, 1);
	}
	assert_int_equal(card.next, 0x7c);
	assert_true(model_receive(&model, frame_of(300, 1), 300));
	model_page(&model, 0x7c)[1] = 0x4a;
	assert_int_equal(card.nic.receive(&card.nic, buf), 0);
	assert_int_equal(card.nic.stats.bad, 1);
	assert_int_equal(card.next, 0x7e);
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
	const struct CMUnitTest tests[] = {
		NE_TEST(overrun),
		NE_TEST(overrun_while_sending),
		NE_TEST(overrun_after_sending),
		NE_TEST(silently_full),
		NE_TEST(bad_frames),
		NE_TEST(next_below_ring),
		NE_TEST(curr_outside),
		NE_TEST(lost_completions),
		NE_TEST(vanished),
		NE_TEST(vanishes_at_any_access),
		NE_TEST(stuck_dma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
