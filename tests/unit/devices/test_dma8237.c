/* SPDX-License-Identifier: BSD-2-Clause */
/* The DMA controllers: programming, transfers of every kind, and that none leaves guest RAM. */
#include "tests/unit/devices/support.h"
#include "devices/dma8237.h"
#include <string.h>

struct fixture {
	struct board *b;
	struct dma dma;
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->b = board_new();
	dma_init(&f->dma, &f->b->bus, &f->b->mem);
	out8(f->b, 0xd6, 0xc0); /* channel 4: cascade */
	out8(f->b, 0xd4, 0x00);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	board_free(f->b);
	test_free(f);
	return 0;
}

/* Channel 2, as floppy drivers do it; count is one less than the number of bytes. */
static void program_2(struct fixture *f, u8 mode, u32 address, u16 count)
{
	out8(f->b, 0x0a, 0x06);
	out8(f->b, 0x0c, 0);
	out8(f->b, 0x0b, mode | 2);
	out8(f->b, 0x04, (u8)address);
	out8(f->b, 0x04, (u8)(address >> 8));
	out8(f->b, 0x81, (u8)(address >> 16));
	out8(f->b, 0x05, (u8)count);
	out8(f->b, 0x05, (u8)(count >> 8));
	out8(f->b, 0x0a, 0x02);
}

static u16 read_16(struct fixture *f, u16 port)
{
	u8 low;

	out8(f->b, 0x0c, 0);
	low = in8(f->b, port);
	return (u16)(low | in8(f->b, port) << 8);
}

static void device_to_memory(void **state)
{
	struct fixture *f = *state;
	bool tc;

	program_2(f, 0x44, 0x12345, 9);
	assert_true(dma_ready(&f->dma, 2));
	assert_int_equal(dma_write(&f->dma, 2, "abcdef", 6, &tc), 6);
	assert_false(tc);
	assert_int_equal(read_16(f, 0x05), 3);
	assert_int_equal(read_16(f, 0x04), 0x234b);
	assert_int_equal(dma_write(&f->dma, 2, "ghijklmn", 8, &tc), 4);
	assert_true(tc);
	assert_memory_equal(f->b->ram + 0x12345, "abcdefghij\0", 11);
	assert_int_equal(in8(f->b, 0x08), 0x04);
	assert_int_equal(in8(f->b, 0x08), 0x00);
	assert_false(dma_ready(&f->dma, 2)); /* masked at terminal count */
	assert_int_equal(dma_write(&f->dma, 2, "x", 1, &tc), 0);
	assert_false(tc);
}

static void memory_to_device(void **state)
{
	struct fixture *f = *state;
	char buf[8] = {0};
	bool tc;

	memcpy(f->b->ram + 0x8000, "01234567", 8);
	program_2(f, 0x48, 0x8000, 7);
	assert_int_equal(dma_write(&f->dma, 2, "x", 1, &tc), 0); /* the other direction */
	assert_int_equal(dma_read(&f->dma, 2, buf, 8, &tc), 8);
	assert_true(tc);
	assert_memory_equal(buf, "01234567", 8);
}

static void verify_moves_nothing(void **state)
{
	struct fixture *f = *state;
	char buf[4] = "xxxx";
	bool tc;

	program_2(f, 0x40, 0x9000, 7);
	assert_int_equal(dma_write(&f->dma, 2, "abcd", 4, &tc), 4);
	assert_int_equal(f->b->ram[0x9000], 0);
	assert_int_equal(dma_read(&f->dma, 2, buf, 4, &tc), 4);
	assert_memory_equal(buf, "\0\0\0\0", 4);
	assert_true(tc);
}

static void auto_init_goes_on(void **state)
{
	struct fixture *f = *state;
	bool tc;

	program_2(f, 0x54, 0xa000, 3);
	assert_int_equal(dma_write(&f->dma, 2, "abcdefgh", 8, &tc), 4);
	assert_true(tc);
	assert_int_equal(dma_write(&f->dma, 2, "efgh", 4, &tc), 4);
	assert_memory_equal(f->b->ram + 0xa000, "efgh\0", 5);
	assert_int_equal(read_16(f, 0x05), 3);
}

static void addresses_wrap_in_their_page(void **state)
{
	struct fixture *f = *state;
	bool tc;

	program_2(f, 0x44, 0x1fffe, 3);
	assert_int_equal(dma_write(&f->dma, 2, "abcd", 4, &tc), 4);
	assert_memory_equal(f->b->ram + 0x1fffe, "ab\0", 3);
	assert_memory_equal(f->b->ram + 0x10000, "cd", 2);
	program_2(f, 0x64, 0x3001, 2); /* downwards */
	assert_int_equal(dma_write(&f->dma, 2, "xyz", 3, &tc), 3);
	assert_memory_equal(f->b->ram + 0x2fff, "zyx", 3);
}

static void words(void **state)
{
	struct fixture *f = *state;
	bool tc;

	out8(f->b, 0xd8, 0);
	out8(f->b, 0xd6, 0x45);
	out8(f->b, 0xc4, 0x00); /* channel 5: word address 0x8000 */
	out8(f->b, 0xc4, 0x80);
	out8(f->b, 0x8b, 0x05); /* bit 0 is not used */
	out8(f->b, 0xc6, 0x01);
	out8(f->b, 0xc6, 0x00);
	out8(f->b, 0xd4, 0x01);
	assert_int_equal(dma_write(&f->dma, 5, "abcdef", 5, &tc), 4);
	assert_true(tc);
	assert_memory_equal(f->b->ram + 0x50000, "abcd\0", 5);
	assert_int_equal(in8(f->b, 0x8b), 0x05);
}

static void masks_and_cascade(void **state)
{
	struct fixture *f = *state;

	program_2(f, 0x44, 0, 0);
	out8(f->b, 0x08, 0x04);
	assert_false(dma_ready(&f->dma, 2));
	out8(f->b, 0x08, 0x00);
	assert_true(dma_ready(&f->dma, 2));
	out8(f->b, 0xd4, 0x04); /* channel 4 masked: the first controller is cut off */
	assert_false(dma_ready(&f->dma, 2));
	out8(f->b, 0xd4, 0x00);
	out8(f->b, 0x0f, 0x0b);
	assert_true(dma_ready(&f->dma, 2));
	assert_int_equal(in8(f->b, 0x0f), 0xfb);
	out8(f->b, 0x0e, 0);
	assert_int_equal(in8(f->b, 0x0f), 0xf0);
	dma_dreq(&f->dma, 2, true);
	assert_int_equal(in8(f->b, 0x08), 0x40);
	dma_dreq(&f->dma, 2, false);
	out8(f->b, 0x0d, 0);
	assert_int_equal(in8(f->b, 0x0f), 0xff);
	assert_false(dma_ready(&f->dma, 4));
	assert_false(dma_ready(&f->dma, 8));
}

static void page_registers(void **state)
{
	struct fixture *f = *state;

	for (u16 port = 0x80; port <= 0x8f; port++)
		out8(f->b, port, (u8)port);
	for (u16 port = 0x80; port <= 0x8f; port++)
		assert_int_equal(in8(f->b, port), port);
}

/* --- a device that is elsewhere --- */

struct heard {
	unsigned calls, reprogrammed, channel;
	bool ready;
	struct dma *dma;
};

static void hear(void *ctx, unsigned channel, bool reprogrammed)
{
	struct heard *h = ctx;

	h->calls++;
	h->reprogrammed += reprogrammed;
	h->channel = channel;
	h->ready = dma_ready(h->dma, channel);
}

static void listeners_hear_of_one_channel(void **state)
{
	struct fixture *f = *state;
	struct heard h = {.dma = &f->dma};
	u8 buf[4];
	bool tc;

	dma_listen(&f->dma, 2, hear, &h);
	program_2(f, 0x48, 0x8000, 3);
	assert_int_equal(h.channel, 2);
	assert_int_equal(h.reprogrammed, 6); /* mode, address, page, count */
	assert_int_equal(h.calls, 7);
	assert_true(h.ready);
	out8(f->b, 0x0a, 0x05); /* other channels */
	out8(f->b, 0x02, 0x12);
	out8(f->b, 0xd4, 0x05);
	in8(f->b, 0x08);
	assert_int_equal(h.calls, 7);
	out8(f->b, 0x0a, 0x06);
	assert_int_equal(h.calls, 8);
	assert_false(h.ready);
	out8(f->b, 0x0a, 0x06); /* masked as before */
	assert_int_equal(h.calls, 8);
	out8(f->b, 0x0a, 0x02);
	out8(f->b, 0xd4, 0x04); /* the cascade */
	assert_int_equal(h.calls, 10);
	assert_false(h.ready);
	out8(f->b, 0xd4, 0x00);
	out8(f->b, 0x08, 0x04); /* controller off */
	assert_int_equal(h.calls, 12);
	assert_false(h.ready);
	out8(f->b, 0x08, 0x00);
	assert_int_equal(dma_read(&f->dma, 2, buf, 4, &tc), 4);
	assert_true(tc);
	assert_int_equal(h.calls, 13); /* the mask at terminal count is not the guest's */
	out8(f->b, 0x0a, 0x02);
	assert_int_equal(h.calls, 14);
	assert_true(h.ready);
	out8(f->b, 0x0d, 0);
	assert_int_equal(h.calls, 15);
	dma_listen(&f->dma, 2, NULL, NULL);
	out8(f->b, 0x0e, 0);
	assert_int_equal(h.calls, 15);
}

static void looking_moves_nothing(void **state)
{
	struct fixture *f = *state;
	struct dma_program p = {.left = 99};
	u8 buf[20];

	memcpy(f->b->ram + 0x8000, "0123456789", 10);
	assert_false(dma_programmed(&f->dma, 2, &p));
	assert_int_equal(p.left, 99);
	program_2(f, 0x48, 0x8000, 9);
	assert_true(dma_programmed(&f->dma, 2, &p));
	assert_int_equal(p.left, 10);
	assert_int_equal(p.block, 10);
	assert_int_equal(p.mode, 0x48);
	assert_int_equal(dma_look(&f->dma, 2, 0, buf, 4), 4);
	assert_memory_equal(buf, "0123", 4);
	assert_int_equal(dma_look(&f->dma, 2, 7, buf, 20), 3);
	assert_memory_equal(buf, "789", 3);
	assert_int_equal(dma_look(&f->dma, 2, 10, buf, 20), 0);
	assert_int_equal(dma_look(&f->dma, 2, 11, buf, 20), 0);
	assert_int_equal(read_16(f, 0x05), 9);
	program_2(f, 0x58, 0x8000, 9); /* auto-init goes round */
	assert_int_equal(dma_look(&f->dma, 2, 17, buf, 15), 15);
	assert_memory_equal(buf, "789012345678901", 15);
	program_2(f, 0x68, 0x8009, 9); /* downwards */
	assert_int_equal(dma_look(&f->dma, 2, 1, buf, 20), 9);
	assert_memory_equal(buf, "876543210", 9);
	program_2(f, 0x44, 0x8000, 9); /* nothing to look at in the other direction */
	assert_int_equal(dma_look(&f->dma, 2, 0, buf, 20), 0);
}

static void accounts_of_a_device_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct dma_program p;

	program_2(f, 0x48, 0x8000, 9);
	assert_int_equal(dma_account(&f->dma, 2, NULL, 4), 4);
	assert_int_equal(read_16(f, 0x05), 5);
	assert_int_equal(read_16(f, 0x04), 0x8004);
	assert_true(dma_programmed(&f->dma, 2, &p));
	assert_int_equal(p.left, 6);
	assert_int_equal(p.block, 10);
	out8(f->b, 0x0a, 0x06); /* it moved that before the mask */
	assert_int_equal(dma_account(&f->dma, 2, NULL, 2), 2);
	assert_int_equal(read_16(f, 0x05), 3);
	assert_int_equal(dma_account(&f->dma, 2, "abc", 3), 0);
	out8(f->b, 0x0a, 0x02);
	assert_int_equal(dma_account(&f->dma, 2, NULL, 9), 4);
	assert_int_equal(in8(f->b, 0x08), 0x04);
	assert_false(dma_ready(&f->dma, 2));
	assert_int_equal(read_16(f, 0x05), 0xffff);

	program_2(f, 0x54, 0x9000, 3); /* to memory, round and round */
	assert_int_equal(dma_account(&f->dma, 2, "abcdefghij", 10), 10);
	assert_memory_equal(f->b->ram + 0x9000, "ijgh\0", 5);
	assert_int_equal(read_16(f, 0x05), 1);
	assert_int_equal(in8(f->b, 0x08), 0x04);
	assert_true(dma_ready(&f->dma, 2));
}

static void beyond_ram(void **state)
{
	struct fixture *f = *state;
	char buf[4];
	bool tc;

	program_2(f, 0x44, 0xff0000, 0xffff);
	assert_int_equal(dma_write(&f->dma, 2, "abcd", 4, &tc), 4);
	program_2(f, 0x48, 0xff0000, 0xffff);
	assert_int_equal(dma_read(&f->dma, 2, buf, 4, &tc), 4);
	assert_memory_equal(buf, "\xff\xff\xff\xff", 4);
}

static void random_accesses(void **state)
{
	struct fixture *f = *state;
	struct heard h = {.dma = &f->dma};
	u8 buf[64] = {0};
	u32 seed = 5;
	bool tc;

	dma_listen(&f->dma, 1, hear, &h);
	dma_listen(&f->dma, 5, hear, &h);
	for (unsigned i = 0; i < 200000; i++) {
		u16 port;

		seed = seed * 1664525 + 1013904223;
		port = seed >> 27 & 1
			       ? 0x80 | (seed >> 16 & 15)
			       : (seed >> 26 & 1 ? 0xc0 + (seed >> 16 & 31) : (seed >> 16 & 15));
		if (seed >> 31)
			out8(f->b, port, (u8)(seed >> 8));
		else if (seed >> 30 & 1)
			in8(f->b, port);
		else if (seed >> 28 & 1)
			assert_in_range(dma_look(&f->dma, seed >> 20 & 7, seed >> 4 & 0xffff, buf,
						 seed >> 8 & 63),
					0, 63);
		else if (seed >> 27 & 1)
			assert_in_range(dma_account(&f->dma, seed >> 20 & 7,
						    seed & 0x800000 ? buf : NULL, seed >> 8 & 63),
					0, 63);
		else if (seed >> 29 & 1)
			assert_in_range(dma_read(&f->dma, seed >> 20 & 7, buf, seed >> 8 & 63, &tc),
					0, 63);
		else
			assert_in_range(
				dma_write(&f->dma, seed >> 20 & 7, buf, seed >> 8 & 63, &tc), 0,
				63);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(device_to_memory),
		TEST(memory_to_device),
		TEST(verify_moves_nothing),
		TEST(auto_init_goes_on),
		TEST(addresses_wrap_in_their_page),
		TEST(words),
		TEST(masks_and_cascade),
		TEST(page_registers),
		TEST(listeners_hear_of_one_channel),
		TEST(looking_moves_nothing),
		TEST(accounts_of_a_device_elsewhere),
		TEST(beyond_ram),
		TEST(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
