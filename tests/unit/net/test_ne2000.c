/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000 driver on cards that work: starting, sending, receiving, interrupts. */
#include "support_ne2000.h"

static const u8 broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

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

/* The line rises for being asked, falls again, and the card works on. */
static void raised_line(void **state)
{
	(void)state;
	for (unsigned width = 1; width <= 4; width *= 2) {
		start(width);
		for (unsigned turn = 0; turn < 3; turn++) {
			u32 rises = model.rises;

			ne2000_raise(&card);
			assert_true(model.line);
			assert_int_equal(model.rises, rises + 1);
			ne2000_lower(&card);
			assert_false(model.line);
		}
		ne2000_interrupts(&card, false);
		assert_true(model_receive(&model, frame_of(61, 3), 61));
		assert_false(model.line);
		ne2000_raise(&card);
		assert_true(model.line);
		ne2000_lower(&card);
		assert_false(model.line);
		ne2000_interrupts(&card, true);
		assert_true(model.line);
		expect_received(61, 3);
	}
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

/* --- reception --- */

static void wrap_around(void **state)
{
	static const u32 lens[] = {60, 1514, 252, 248, 249, 700, 1513, 61};

	(void)state;
	model.no_dma_wrap = true;
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

/* A frame may come between the look at CURR and the clearing of the bit that announced it. */
static void late_frame(void **state)
{
	(void)state;
	start(2);
	assert_true(model_receive(&model, frame_of(60, 1), 60));
	expect_received(60, 1);
	model.late_len = 70;
	model.late = frame_of(70, 2);
	expect_received(70, 2);
	assert_null(model.late);
}

/* The line has to rise again for what was not yet looked at. */
static void both_interrupts(void **state)
{
	(void)state;
	start(2);
	assert_true(card.nic.send(&card.nic, frame_of(60, 1), 60));
	model_pass(&model, 2 * MS);
	assert_true(model_receive(&model, frame_of(60, 1), 60));
	assert_int_equal(model.rises, 1);
	expect_received(60, 1);
	assert_int_equal(card.nic.receive(&card.nic, buf), 0);
	assert_int_equal(model.rises, 2);
	assert_true(model.line);
	poll();
	assert_false(model.line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NE_TEST(widths),       NE_TEST(eight_bit),    NE_TEST(no_card),
		NE_TEST(raised_line),  NE_TEST(both_buffers), NE_TEST(every_length),
		NE_TEST(short_frames), NE_TEST(wrap_around),  NE_TEST(filter),
		NE_TEST(interrupts),   NE_TEST(late_frame),   NE_TEST(both_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
