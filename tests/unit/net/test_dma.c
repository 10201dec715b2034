/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA DMA through both 8237s: what the device at the server takes is the guest's memory in its
 * order, what it gives gets there before its interrupt, and the guest's registers move with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_sound.h"

#define ADDRESS 0x40000u

struct stage {
	struct world *w;
	struct sound *s;
	struct player *p;
};

static struct stage stage(u64 seed)
{
	struct stage t;

	t.w = world_new(seed);
	t.s = world_sound(t.w);
	t.p = player_new(t.w, 1);
	return t;
}

static void strike(struct stage *t)
{
	assert_int_equal(t->w->overflow, 0);
	assert_int_equal(t->w->server.e.drops[DROP_MALFORMED], 0);
	assert_int_equal(t->p->st->e.drops[DROP_MALFORMED], 0);
	player_free(t->p);
	world_free(t->w);
}

static u8 sample(u32 n)
{
	return (u8)(n * 31 + (n >> 8) * 5 + (n >> 16));
}

static void fill(struct player *p, u32 address, u32 first, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		p->ram[address + i] = sample(first + i);
}

static u32 wrong_samples(const struct sound *s, u32 count)
{
	u32 wrong = 0;

	for (u32 i = 0; i < count; i++)
		wrong += s->log[i] != sample(i);
	return wrong;
}

static void wait_irqs(struct stage *t, u32 count)
{
	u64 until = t->w->now + 60000 * MS;

	while (t->p->irqs < count && t->w->now < until)
		world_step(t->w, until);
	assert_int_equal(t->p->irqs, count);
}

/* One block of that many bytes, on channel 1 or 5, on any segment. */
static void play_block(struct stage *t, u32 bytes, bool words)
{
	unsigned channel = words ? 5 : 1;
	u32 before = t->s->moved, irqs = t->p->irqs;

	fill(t->p, ADDRESS, before, bytes);
	player_program(t->p, channel, 0x48, ADDRESS, bytes);
	assert_true(player_command(t->p, SOUND_PORT, bytes | (words ? SOUND_16BIT : 0)));
	wait_irqs(t, irqs + 1);
	assert_int_equal(t->s->moved, before + bytes);
	assert_int_equal(wrong_samples(t->s, t->s->moved), 0);
}

static void at_terminal_count(struct stage *t, unsigned channel)
{
	u16 status = channel < 4 ? 0x08 : 0xd0;

	assert_false(dma_ready(&t->p->dma, channel));
	assert_int_equal(player_in(t->p, status) & 15, BIT(channel & 3));
	assert_int_equal(player_in(t->p, status) & 15, 0);
	assert_int_equal(player_left(t->p, channel), channel < 4 ? 0x10000 : 0x20000);
}

static void single_blocks(void **state)
{
	static const u32 bytes[] = {1,	  2,	3,    100,   1448,  1449,
				    4096, 8192, 8193, 20001, 65535, 65536};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
		struct stage t = stage(i + 1);

		play_block(&t, bytes[i], false);
		at_terminal_count(&t, 1);
		assert_int_equal(t.s->starved, 0);
		assert_int_equal(t.w->server.dma[1].held_up, 0);
		strike(&t);
	}
}

static void single_blocks_of_words(void **state)
{
	static const u32 bytes[] = {2, 4, 1446, 9000, 65536, 131072};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
		struct stage t = stage(i + 1);

		t.s->rate = 176400;
		play_block(&t, bytes[i], true);
		at_terminal_count(&t, 5);
		assert_int_equal(t.s->starved, 0);
		strike(&t);
	}
}

/* A player that programs one block after the other, with a device that takes them in bursts. */
static void block_after_block(void **state)
{
	struct stage t = stage(5);

	(void)state;
	t.s->burst = 10 * MS;
	t.s->reloads = true;
	for (u32 i = 0; i < 40; i++)
		play_block(&t, 300 + 511 * i, false);
	assert_int_equal(t.s->starved, 0);
	assert_int_equal(t.p->remote.armings, 40);
	strike(&t);
}

/* --- auto-init: two halves, the one refilled while the other plays --- */

#define HALF 2048u

static void refill(struct player *p)
{
	u32 half = p->irqs & 1; /* the first interrupt ends the first half */

	fill(p, ADDRESS + (half ? 0 : HALF), (p->irqs + 1) * HALF, HALF);
}

static void play_round(struct stage *t, u32 halves, bool words)
{
	unsigned channel = words ? 5 : 1;

	t->p->isr = refill;
	fill(t->p, ADDRESS, 0, 2 * HALF);
	player_program(t->p, channel, 0x58, ADDRESS, 2 * HALF);
	assert_true(
		player_command(t->p, SOUND_PORT, HALF | SOUND_AGAIN | (words ? SOUND_16BIT : 0)));
	wait_irqs(t, halves);
}

static void auto_init(void **state)
{
	static const u32 rates[] = {8000, 22050, 44100};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(rates); i++) {
		struct stage t = stage(i + 1);

		t.s->rate = rates[i / 2];
		play_round(&t, 200, i & 1);
		assert_true(t.s->moved >= 200 * HALF);
		assert_int_equal(wrong_samples(t.s, t.s->moved), 0);
		assert_int_equal(t.s->starved, 0);
		assert_int_equal(t.w->server.dma[i & 1 ? 5 : 1].held_up, 0);
		assert_true(dma_ready(&t.p->dma, i & 1 ? 5 : 1));
		strike(&t);
	}
}

/*
 * A slow guest: it refills a half when a third of the next one has been played. What was sent ahead
 * of that is wrong by then, and is sent again.
 */
static void late_refills(void **state)
{
	struct stage t = stage(7);

	(void)state;
	fill(t.p, ADDRESS, 0, 2 * HALF);
	player_program(t.p, 1, 0x58, ADDRESS, 2 * HALF);
	assert_true(player_command(t.p, SOUND_PORT, HALF | SOUND_AGAIN));
	for (u32 i = 1; i < 100; i++) {
		wait_irqs(&t, i);
		world_run(t.w, i % 60 * MS);
		refill(t.p);
	}
	assert_int_equal(wrong_samples(t.s, 99 * HALF), 0);
	assert_true(t.p->remote.again > 0);
	assert_int_equal(t.s->starved, 0);
	strike(&t);
}

/* 44.1 kHz, stereo, 16 bits through a large block. */
static void fast_rounds(void **state)
{
	struct stage t = stage(3);

	(void)state;
	t.s->rate = 176400;
	fill(t.p, ADDRESS, 0, 65536);
	player_program(t.p, 5, 0x58, ADDRESS, 65536);
	assert_true(player_command(t.p, SOUND_PORT, 32768 | SOUND_AGAIN | SOUND_16BIT));
	wait_irqs(&t, 8);
	for (u32 i = 0; i < t.s->moved; i++)
		assert_int_equal(t.s->log[i], sample(i & 0xffff));
	assert_int_equal(t.s->starved, 0);
	strike(&t);
}

/* A floppy controller that takes a whole track at once, as emulated ones do. */
static void floppy_tracks(void **state)
{
	static const u32 bytes[] = {512, 9216, 18432, 65536};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
		struct stage t = stage(i + 1);

		t.s->rate = 100000000;
		fill(t.p, ADDRESS, 0, bytes[i]);
		player_program(t.p, 2, 0x48, ADDRESS, bytes[i]);
		assert_true(player_command(t.p, SOUND_PORT, bytes[i] | SOUND_FLOPPY));
		wait_irqs(&t, 1);
		assert_int_equal(t.s->moved, bytes[i]);
		assert_int_equal(wrong_samples(t.s, bytes[i]), 0);
		assert_int_equal(t.s->starved, 0);
		at_terminal_count(&t, 2);
		strike(&t);
	}
}

/* Blocks that have no room for a lead: the device gets them all the same. */
static void tiny_rounds(void **state)
{
	(void)state;
	for (u32 block = 1; block <= 16; block++) {
		struct stage t = stage(block);

		t.s->rate = 500;
		fill(t.p, ADDRESS, 0, block);
		player_program(t.p, 1, 0x58, ADDRESS, block);
		assert_true(player_command(t.p, SOUND_PORT, 100));
		wait_irqs(&t, 1);
		for (u32 i = 0; i < 100; i++)
			assert_int_equal(t.s->log[i], sample(i % block));
		strike(&t);
	}
}

/* The guest's registers follow the device, never ahead of it. */
static void position(void **state)
{
	struct stage t = stage(4);
	u32 last = 0;

	(void)state;
	fill(t.p, ADDRESS, 0, 40000);
	player_program(t.p, 1, 0x48, ADDRESS, 40000);
	assert_int_equal(player_left(t.p, 1), 40000);
	assert_true(player_command(t.p, SOUND_PORT, 40000));
	while (t.p->irqs == 0) {
		u32 at;

		world_run(t.w, 5 * MS);
		at = dma_ready(&t.p->dma, 1) ? 40000 - player_left(t.p, 1) : 40000;
		assert_in_range(at, last, t.s->moved);
		assert_true(t.s->moved - at <= 22050 / 50); /* 20 ms behind at most */
		last = at;
	}
	assert_int_equal(last, 40000);
	assert_int_equal(t.p->ram[ADDRESS], sample(0));
	strike(&t);
}

/* --- device to memory --- */

static u8 recorded(u32 n)
{
	return (u8)(n * 7 + (n >> 8));
}

/* In the interrupt handler: all of the block must be there. */
static void check_block(struct player *p)
{
	u32 half = p->note, first = (p->irqs - 1) * half;
	u32 at = ADDRESS + (p->irqs & 1 ? 0 : half);

	for (u32 i = 0; half && i < half; i++)
		assert_int_equal(p->ram[at + i], recorded(first + i));
}

static void record_block(struct stage *t, unsigned channel, u32 bytes, u32 rate)
{
	t->s->rate = rate;
	t->p->note = bytes;
	t->p->isr = check_block;
	memset(t->p->ram + ADDRESS, 0xcc, bytes + 1);
	player_program(t->p, channel, 0x44, ADDRESS, bytes);
	assert_true(player_command(t->p, SOUND_PORT,
				   bytes | SOUND_RECORDS | (channel == 5 ? SOUND_16BIT : 0)));
	wait_irqs(t, 1);
	assert_int_equal(t->p->ram[ADDRESS + bytes], 0xcc);
	assert_int_equal(t->s->starved, 0);
	at_terminal_count(t, channel);
}

static void recording(void **state)
{
	static const u32 bytes[] = {2, 512, 1456, 1458, 9216, 65536};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(bytes); i++) {
		struct stage t = stage(i + 1);

		record_block(&t, i & 1 ? 5 : 1, bytes[i / 2], i & 1 ? 176400 : 62500);
		strike(&t);
	}
}

static void recording_rounds(void **state)
{
	struct stage t = stage(9);

	(void)state;
	t.s->rate = 44100;
	t.p->note = HALF;
	t.p->isr = check_block;
	player_program(t.p, 1, 0x54, ADDRESS, 2 * HALF);
	assert_true(player_command(t.p, SOUND_PORT, HALF | SOUND_AGAIN | SOUND_RECORDS));
	wait_irqs(&t, 100);
	assert_int_equal(t.s->starved, 0);
	strike(&t);
}

/* A driver without interrupts: what the device says is moved is in memory when it is read. */
static void reads_push_data(void **state)
{
	struct stage t = stage(10);
	u32 moved = 0;

	(void)state;
	t.s->rate = 176400;
	player_program(t.p, 1, 0x44, ADDRESS, 60000);
	assert_true(player_command(t.p, SOUND_PORT, 60000 | SOUND_RECORDS));
	while (moved < 60000) {
		assert_true(player_status(t.p, &moved));
		for (u32 i = 0; i < moved; i++)
			assert_int_equal(t.p->ram[ADDRESS + i], recorded(i));
		world_run(t.w, 7 * MS);
	}
	strike(&t);
}

/* --- a bad segment --- */

/* The device may have to wait, and gets the right bytes all the same. */
static void hostile_playback(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 10; seed++) {
		struct stage t = stage(seed);

		world_hostile(t.w);
		for (u32 i = 0; i < 4; i++)
			play_block(&t, 100 + 9000 * i, seed & 1);
		strike(&t);
	}
}

static void hostile_rounds(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 10; seed++) {
		struct stage t = stage(seed);

		t.s->rate = 8000;
		t.w->loss = t.w->twice = 50;
		t.w->delay = 5 * MS;
		play_round(&t, 60, false);
		assert_int_equal(wrong_samples(t.s, t.s->moved), 0);
		strike(&t);
	}
}

static void hostile_recording(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 10; seed++) {
		struct stage t = stage(seed);

		world_hostile(t.w);
		record_block(&t, seed & 1 ? 5 : 1, 30000, 22050);
		strike(&t);
	}
}

/* The client is gone for longer than the buffers last: the device is held up, not given rubbish. */
static void silence(void **state)
{
	struct stage t = stage(11);

	(void)state;
	fill(t.p, ADDRESS, 0, 60000);
	player_program(t.p, 1, 0x48, ADDRESS, 60000);
	assert_true(player_command(t.p, SOUND_PORT, 60000));
	world_run(t.w, 500 * MS);
	t.w->cut[1] = true;
	world_run(t.w, 3000 * MS);
	assert_true(t.s->moved < 30000);
	assert_int_equal(t.w->server.dma[1].held_up, 1);
	t.w->cut[1] = false;
	wait_irqs(&t, 1);
	assert_int_equal(wrong_samples(t.s, 60000), 0);
	strike(&t);

	t = stage(12);
	t.p->note = 0;
	player_program(t.p, 1, 0x54, ADDRESS, 2 * HALF);
	assert_true(player_command(t.p, SOUND_PORT, HALF | SOUND_AGAIN | SOUND_RECORDS));
	world_run(t.w, 100 * MS);
	t.w->cut[1] = true;
	world_run(t.w, 3000 * MS);
	assert_true(t.s->moved < 3 * 2 * HALF);
	t.w->cut[1] = false;
	world_run(t.w, 1000 * MS);
	for (u32 i = t.p->remote.bytes - HALF; i < t.p->remote.bytes; i++)
		assert_int_equal(t.p->ram[ADDRESS + i % (2 * HALF)], recorded(i));
	strike(&t);
}

/* --- the guest changes its mind --- */

static void stop_in_the_midst(void **state)
{
	struct stage t = stage(13);
	u32 moved, left;

	(void)state;
	fill(t.p, ADDRESS, 0, 60000);
	player_program(t.p, 1, 0x48, ADDRESS, 60000);
	assert_true(player_command(t.p, SOUND_PORT, 60000));
	world_run(t.w, 500 * MS);
	player_mask(t.p, 1, true);
	world_run(t.w, 50 * MS);
	moved = t.s->moved;
	left = player_left(t.p, 1);
	assert_int_equal(left, 60000 - moved); /* what it took before the mask counts */
	world_run(t.w, 500 * MS);
	assert_int_equal(t.s->moved, moved);
	player_mask(t.p, 1, false);
	wait_irqs(&t, 1);
	assert_int_equal(wrong_samples(t.s, 60000), 0);
	assert_int_equal(t.p->remote.armings, 2);
	at_terminal_count(&t, 1);
	strike(&t);
}

/* In the midst of a round of auto-init: it ends where it would have. */
static void pause_in_a_round(void **state)
{
	struct stage t = stage(14);

	(void)state;
	fill(t.p, ADDRESS, 0, 2 * HALF);
	player_program(t.p, 1, 0x58, ADDRESS, 2 * HALF);
	assert_true(player_command(t.p, SOUND_PORT, HALF | SOUND_AGAIN));
	for (u32 i = 0; i < 30; i++) {
		world_run(t.w, 77 * MS);
		player_mask(t.p, 1, true);
		world_run(t.w, (i % 3) * MS);
		player_mask(t.p, 1, false);
	}
	world_run(t.w, 500 * MS);
	player_mask(t.p, 1, true);
	world_run(t.w, 50 * MS);
	for (u32 i = 0; i < t.s->moved; i++)
		assert_int_equal(t.s->log[i], sample(i % (2 * HALF)));
	assert_int_equal(player_left(t.p, 1), 2 * HALF - t.s->moved % (2 * HALF));
	strike(&t);
}

/* Drivers mask for a moment while they read the position: the peer hears nothing of it. */
static void mask_for_a_moment(void **state)
{
	struct stage t = stage(15);

	(void)state;
	fill(t.p, ADDRESS, 0, 60000);
	player_program(t.p, 1, 0x48, ADDRESS, 60000);
	assert_true(player_command(t.p, SOUND_PORT, 60000));
	while (t.p->irqs == 0) {
		world_run(t.w, 3 * MS);
		if (!dma_ready(&t.p->dma, 1))
			continue;
		player_mask(t.p, 1, true);
		player_left(t.p, 1);
		player_mask(t.p, 1, false);
	}
	assert_int_equal(t.s->channel[1].armed, 1);
	assert_int_equal(wrong_samples(t.s, 60000), 0);
	assert_int_equal(t.s->starved, 0);
	strike(&t);
}

/* Another block in the midst of one: nothing of the old one is played after the command. */
static void reprogram(void **state)
{
	struct stage t = stage(16);

	(void)state;
	for (u32 i = 0; i < 50; i++) {
		u32 at, bytes = 3000 + 997 * i;

		fill(t.p, 0x80000, 0, 0x10000);
		memset(t.p->ram + ADDRESS, (int)i, bytes);
		player_program(t.p, 1, i & 1 ? 0x58 : 0x48, 0x80000, 0x10000);
		assert_true(player_command(t.p, SOUND_PORT, 0x10000));
		world_run(t.w, (i * 37 % 100) * MS);
		player_program(t.p, 1, i & 2 ? 0x58 : 0x48, ADDRESS, bytes);
		at = t.s->moved;
		assert_true(player_command(t.p, SOUND_STOP, 0));
		assert_true(t.s->moved >= at);
		at = t.s->moved;
		t.p->irqs = 0;
		assert_true(player_command(t.p, SOUND_PORT, bytes));
		wait_irqs(&t, 1);
		assert_int_equal(t.s->moved, at + bytes);
		for (; at < t.s->moved && at < SOUND_LOG; at++)
			assert_int_equal(t.s->log[at], (u8)i);
		t.s->moved = 0;
	}
	strike(&t);
}

/* --- refusals and ends --- */

static void refused(void **state)
{
	struct stage t = stage(17);

	(void)state;
	t.s->refuses = true;
	player_program(t.p, 1, 0x48, ADDRESS, 5000);
	assert_true(player_command(t.p, SOUND_PORT, 5000));
	player_program(t.p, 1, 0x48, ADDRESS, 5000);
	assert_true(player_command(t.p, SOUND_PORT, 5000));
	assert_int_equal(t.p->refused, 1); /* one line, however often */
	assert_int_equal(t.s->moved, 0);
	t.s->refuses = false;
	play_block(&t, 5000, false);
	strike(&t);
}

/* Operations that no client of ours sends. */
static unsigned raw(struct stage *t, u8 opcode, unsigned channel, u32 first, u32 second, u16 count)
{
	struct proto_writer *w = client_begin(&t->p->st->c);
	u8 data[4 + 1024] = {0};
	struct proto_op op = {.opcode = opcode,
			      .width = 1,
			      .count = count,
			      .addr = proto_dma_addr(channel, 1),
			      .data = data,
			      .data_len = proto_data_len(opcode, 1, count, false)};

	proto_put32(data, first);
	proto_put32(data + 4, second);
	t->p->st->last_status = 99;
	assert_non_null(proto_add(w, &op));
	assert_true(client_submit(&t->p->st->c, 5, t->w->now));
	world_run(t->w, 10 * MS);
	return t->p->st->last_status;
}

static void bad_operations(void **state)
{
	struct stage t = stage(18);

	(void)state;
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 3, 100, 0x48, 0), PROTO_REFUSED); /* not lent */
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 4, 100, 0x48, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 9, 100, 0x48, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 0xffff, 100, 0x48, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_STOP, 3, 0, 0, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 1, 0, 0x48, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 1, 0x10001, 0x48, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 5, 0x20002, 0x48, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 5, 101, 0x48, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 1, 100, 0x4c, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 1, 100, 0xc8, 0), PROTO_REFUSED); /* cascade */
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 1, 100, 0x148, 0), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 0, 0, 10), PROTO_OK); /* armed no more */
	assert_int_equal(t.s->channel[1].armed + t.s->channel[5].armed, 0);

	assert_int_equal(raw(&t, PROTO_DMA_ARM, 1, 1000, 0x48, 0), PROTO_OK);
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 10, 0, 10), PROTO_REFUSED); /* a gap */
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 0, 0, 1001), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 0xfffffffe, 0, 10), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 0, 0, 1000), PROTO_OK);
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 1000, 0, 1), PROTO_REFUSED);
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 1, 1000, 0x58, 0), PROTO_OK);
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 0, 0, 1000), PROTO_OK);
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 1000, 0, 1), PROTO_REFUSED); /* no room */
	assert_int_equal(raw(&t, PROTO_DMA_ARM, 1, 1000, 0x44, 0), PROTO_OK);
	assert_int_equal(raw(&t, PROTO_DMA_DATA, 1, 0, 0, 10), PROTO_REFUSED); /* it gives */
	assert_int_equal(raw(&t, PROTO_DMA_STOP, 1, 0, 0, 0), PROTO_OK);
	assert_false(t.s->channel[1].run);
	strike(&t);
}

static void no_export_of_the_cascade(void **state)
{
	struct world *w = world_new(20);
	struct port_export x = {.name = "x", .range = {{0x240, 0x24f}}, .ranges = 1, .dma = 0x10};

	(void)state;
	assert_int_equal(server_add(&w->server, &x), EXPORT_PROHIBITED);
	x.dma = 0x02;
	assert_int_equal(server_add(&w->server, &x), EXPORT_OK);
	world_free(w);
}

static void lease_ends(void **state)
{
	struct stage t = stage(19);
	struct player *other;
	u32 moved;

	(void)state;
	fill(t.p, ADDRESS, 0, 60000);
	player_program(t.p, 1, 0x58, ADDRESS, 60000);
	assert_true(player_command(t.p, SOUND_PORT, 60000 | SOUND_AGAIN));
	world_run(t.w, 300 * MS);
	assert_true(t.s->channel[1].run);
	t.w->cut[1] = true;
	world_run(t.w, 11000 * MS);
	assert_false(t.s->channel[1].run);
	assert_false(t.s->playing);
	moved = t.s->moved;
	t.w->cut[1] = false;
	other = player_new(t.w, 2);
	world_run(t.w, 3000 * MS);
	assert_int_equal(t.p->st->c.state, CLIENT_FAILED);
	assert_false(player_command(t.p, SOUND_PORT, 60000));
	assert_int_equal(t.s->moved, moved);
	t.s->moved = 0;
	fill(other, ADDRESS, 0, 20000);
	player_program(other, 1, 0x48, ADDRESS, 20000);
	assert_true(player_command(other, SOUND_PORT, 20000));
	world_run(t.w, 2000 * MS);
	assert_int_equal(other->irqs, 1);
	assert_int_equal(t.s->moved, 20000);
	assert_int_equal(wrong_samples(t.s, 20000), 0);
	player_free(other);
	strike(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_blocks),
		cmocka_unit_test(single_blocks_of_words),
		cmocka_unit_test(block_after_block),
		cmocka_unit_test(auto_init),
		cmocka_unit_test(late_refills),
		cmocka_unit_test(tiny_rounds),
		cmocka_unit_test(floppy_tracks),
		cmocka_unit_test(fast_rounds),
		cmocka_unit_test(position),
		cmocka_unit_test(recording),
		cmocka_unit_test(recording_rounds),
		cmocka_unit_test(reads_push_data),
		cmocka_unit_test(hostile_playback),
		cmocka_unit_test(hostile_rounds),
		cmocka_unit_test(hostile_recording),
		cmocka_unit_test(silence),
		cmocka_unit_test(stop_in_the_midst),
		cmocka_unit_test(pause_in_a_round),
		cmocka_unit_test(mask_for_a_moment),
		cmocka_unit_test(reprogram),
		cmocka_unit_test(refused),
		cmocka_unit_test(bad_operations),
		cmocka_unit_test(no_export_of_the_cascade),
		cmocka_unit_test(lease_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
