/* SPDX-License-Identifier: BSD-2-Clause */
/* The parallel port: strobed bytes, BUSY, ACK# and its interrupt, a printer that leads nowhere. */
#include "tests/unit/devices/support.h"
#include "devices/lpt.h"
#include <stdlib.h>
#include <string.h>

#define DATA	0x378
#define STATUS	0x379
#define CONTROL 0x37a
#define IRQ	7

struct rig {
	struct board *board;
	struct lpt lpt;
	u8 printed[16];
	unsigned count;
};

static void take(void *ctx, u8 byte)
{
	struct rig *r = ctx;

	if (r->count < sizeof(r->printed))
		r->printed[r->count++] = byte;
}

static int make(void **state, bool printer)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct lpt_config config = {.name = "lpt1", .base = DATA};

	r->board = board_new();
	config.bus = &r->board->bus;
	config.clock = &r->board->clock;
	config.irq = board_pin(r->board, IRQ);
	if (printer)
		config.out = (struct pc_char){take, r};
	assert_int_equal(lpt_init(&r->lpt, &config), 0);
	*state = r;
	return 0;
}

static int setup(void **state)
{
	return make(state, true);
}

static int setup_null(void **state)
{
	return make(state, false);
}

static int teardown(void **state)
{
	struct rig *r = *state;

	board_free(r->board);
	free(r);
	return 0;
}

static void print(struct rig *r, u8 byte, u8 control)
{
	out8(r->board, DATA, byte);
	out8(r->board, CONTROL, control | 1);
	out8(r->board, CONTROL, control);
}

static void registers_read_back(void **state)
{
	struct rig *r = *state;

	out8(r->board, DATA, 0xaa);
	assert_int_equal(in8(r->board, DATA), 0xaa);
	out8(r->board, CONTROL, 0x0a);
	assert_int_equal(in8(r->board, CONTROL) & 0x1f, 0x0a);
	assert_int_equal(in8(r->board, STATUS), 0xd8);
}

static void strobe_busy_ack(void **state)
{
	struct rig *r = *state;

	print(r, 'P', 0x0c);
	assert_int_equal(r->count, 1);
	assert_int_equal(in8(r->board, STATUS) & 0xc0, 0x40); /* busy */
	board_run(r->board, 50 * US);
	assert_int_equal(in8(r->board, STATUS) & 0xc0, 0x80); /* ACK#, ready */
	assert_int_equal(in8(r->board, STATUS) & 0xc0, 0xc0);
	print(r, 'Q', 0x0c);
	r->board->now += 50 * US; /* polling is enough */
	assert_int_equal(in8(r->board, STATUS) & 0x80, 0x80);
	assert_memory_equal(r->printed, "PQ", 2);
	assert_int_equal(r->board->rises[IRQ], 0);
}

static void ack_interrupts(void **state)
{
	struct rig *r = *state;

	print(r, 'P', 0x1c);
	assert_false(r->board->irq[IRQ]);
	board_run(r->board, 50 * US);
	assert_true(r->board->irq[IRQ]);
	print(r, 'Q', 0x1c);
	assert_false(r->board->irq[IRQ]);
	board_run(r->board, 50 * US);
	assert_int_equal(r->board->rises[IRQ], 2);
	out8(r->board, CONTROL, 0x0c);
	assert_false(r->board->irq[IRQ]);
}

/* Software that prints must not wait for ever for a printer that nobody configured. */
static void a_printer_without_an_end(void **state)
{
	struct rig *r = *state;

	print(r, 'P', 0x1c);
	board_run(r->board, 50 * US);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, STATUS) & 0xb8, 0x98);
	assert_int_equal(r->count, 0);
}

static void out_of_paper(void **state)
{
	struct rig *r = *state;

	lpt_stop(&r->lpt, true);
	assert_int_equal(in8(r->board, STATUS), 0x70);
	print(r, 'P', 0x0c);
	board_run(r->board, 1 * MS);
	assert_int_equal(in8(r->board, STATUS), 0x70);
	assert_int_equal(r->count, 0);
	lpt_stop(&r->lpt, false);
	assert_int_equal(in8(r->board, STATUS), 0xd8);
	print(r, 'Q', 0x0c);
	assert_int_equal(r->printed[0], 'Q');
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(registers_read_back),
		TEST(strobe_busy_ack),
		TEST(ack_interrupts),
		TEST(out_of_paper),
		cmocka_unit_test_setup_teardown(a_printer_without_an_end, setup_null, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
