/* SPDX-License-Identifier: BSD-2-Clause */
/* Receiving from a UART: its FIFO in one round trip, every byte once, for any driver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/str.h"
#include "tests/unit/net/support_caller.h"

#define LINE 4
#define FIFO 16u

#define BAUD_115200 86800 /* ns a byte */

#define RBR (OTHER_PORT + 0)
#define IER (OTHER_PORT + 1)
#define IIR (OTHER_PORT + 2)
#define LCR (OTHER_PORT + 3)
#define MCR (OTHER_PORT + 4)
#define LSR (OTHER_PORT + 5)

/* The device: receives a series of bytes, one each `pace` ns, and none is lost. */
static struct {
	struct world *w;
	u32 series, supply, sent;
	u64 began, pace;
	bool interrupts, masked;
} uart;

static u32 waiting(void)
{
	u64 come = (uart.w->now - uart.began) / uart.pace;
	u32 there = (u32)(come < uart.supply ? come : uart.supply) - uart.series;

	return there < FIFO ? there : FIFO;
}

static void interrupt(void)
{
	if (uart.interrupts && !uart.masked && waiting())
		server_irq(&uart.w->server, LINE, uart.w->now);
}

static u32 uart_in(void *ctx, u16 port, unsigned width)
{
	(void)ctx;
	(void)width;
	switch (port) {
	case RBR:
		return waiting() ? uart.series++ & 0xff : 0xee;
	case IIR:
		return 0xc0 | (waiting() && uart.interrupts ? 0x0c : 0x01);
	case LSR:
		return 0x60 | (waiting() != 0);
	default:
		return 0;
	}
}

static void uart_out(void *ctx, u16 port, unsigned width, u32 value)
{
	(void)ctx;
	(void)width;
	if (port == IER)
		uart.interrupts = value & 1;
	if (port == RBR)
		uart.sent++;
	if (port == IIR && value & 2)
		uart.series += waiting();
	interrupt();
}

static void uart_outs(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count)
{
	while (count-- > 0)
		uart_out(ctx, port, width, *buf++);
}

static void uart_mask(void *ctx, unsigned line, bool masked)
{
	(void)ctx;
	if (line != LINE)
		return;
	uart.masked = masked;
	interrupt();
}

static void nothing(void *ctx, unsigned export)
{
	(void)ctx;
	(void)export;
}

static const struct server_backend backend = {.in = uart_in,
					      .out = uart_out,
					      .outs = uart_outs,
					      .irq_mask = uart_mask,
					      .reset = nothing,
					      .quiesce = nothing};

static u32 requests(const struct caller *g)
{
	return (u32)remote_stats(g->r)->requests;
}

static u8 in(struct caller *g, u16 port)
{
	return (u8)caller_in(g, port, port, 1);
}

static void out(struct caller *g, u16 port, u8 value)
{
	caller_out(g, 0x100 + port, port, 1, value);
}

static struct caller *start(struct world *w, u32 supply, u64 pace, bool interrupts)
{
	struct remote_config c = {.peer = "other",
				  .range = {{OTHER_PORT, OTHER_PORT + 7}},
				  .ranges = 1,
				  .irq = LINE,
				  .profile = &profile_uart};
	struct caller *g = caller_of(w, 1, &c);

	memset(&uart, 0, sizeof(uart));
	uart.w = w;
	uart.supply = supply;
	uart.pace = pace;
	uart.began = w->now;
	uart.masked = true;
	w->server.backend = &backend;
	assert_int_equal(caller_attach(g), REMOTE_UP);
	out(g, LCR, 0x03);
	out(g, IIR, 0xc1); /* FIFO on */
	out(g, MCR, 0x0b);
	out(g, IER, interrupts);
	in(g, LSR);
	world_run(w, 10 * MS);
	return g;
}

static void one_round_trip(void **state)
{
	struct world *w = world_new(1);
	struct caller *g = start(w, 24, 1000, false);
	u32 before;

	(void)state;
	assert_int_equal(in(g, LSR) & 1, 1);
	assert_int_equal(in(g, RBR), 0); /* so it receives */
	before = requests(g);
	for (u32 i = 1; i <= 16; i++) {
		assert_int_equal(in(g, LSR) & 1, 1);
		assert_int_equal(in(g, RBR), i);
	}
	assert_int_equal(requests(g), before + 1);
	assert_int_equal(in(g, LSR) & 1, 1);
	assert_int_equal(in(g, RBR), 17); /* from the device */
	for (u32 i = 18; i < 24; i++) {
		assert_int_equal(in(g, LSR) & 1, 1);
		assert_int_equal(in(g, RBR), i);
	}
	assert_int_equal(in(g, LSR), 0x60);
	assert_int_equal(requests(g), before + 3);
	caller_free(g);
	world_free(w);
}

/* Between what was read along: "data ready" for as long as there is any, THR as it is. */
static void in_between(void **state)
{
	struct world *w = world_new(2);
	struct caller *g = start(w, 8, 1000, true);
	u32 before;
	u8 data[4];

	(void)state;
	assert_int_equal(in(g, IIR), 0xcc);
	assert_int_equal(in(g, LSR), 0x61);
	before = requests(g);
	assert_int_equal(in(g, LSR),
			 0x61); /* twice: the device has none, and is not asked for data */
	assert_int_equal(requests(g), before + 1);
	assert_int_equal(uart.series, 8);
	assert_int_equal(in(g, RBR), 0);
	assert_int_equal(in(g, RBR), 1); /* without the status */
	assert_int_equal(in(g, IIR), 0xc4);
	out(g, RBR, 'x');
	assert_int_equal(in(g, LSR), 0x01); /* the pair's, from before the write */
	assert_int_equal(in(g, LSR), 0x61); /* the device's, and data ready */
	assert_int_equal(uart.sent, 1);
	caller_ins(g, 1, RBR, 1, data, 4);
	assert_int_equal(data[0], 2);
	assert_int_equal(data[3], 5);
	out(g, LCR, 0x83); /* the divisor is another register */
	assert_int_equal(in(g, RBR), 0xee);
	out(g, LCR, 0x03);
	assert_int_equal(in(g, RBR), 6);
	out(g, IIR, 0xc3); /* emptied */
	assert_int_equal(in(g, LSR), 0x60);
	assert_int_equal(in(g, RBR), 0xee);
	caller_free(g);
	world_free(w);
}

/* --- drivers --- */

static u32 received;

static void take(struct caller *g)
{
	assert_int_equal(in(g, RBR), received & 0xff);
	received++;
}

/* Linux: as long as IIR says so, all that there is. */
static void linux_driver(struct caller *g)
{
	interrupt();
	if (!g->level)
		return;
	remote_eoi(g->r, LINE, g->w->now);
	while (!(in(g, IIR) & 1))
		while (in(g, LSR) & 1)
			take(g);
}

/* DOS: one byte an interrupt. */
static void one_byte_driver(struct caller *g)
{
	interrupt();
	if (!g->level)
		return;
	if (!(in(g, IIR) & 1) && in(g, LSR) & 1)
		take(g);
	remote_eoi(g->r, LINE, g->w->now);
}

/* The same that ends the interrupt first. */
static void early_eoi_driver(struct caller *g)
{
	interrupt();
	if (!g->level)
		return;
	remote_eoi(g->r, LINE, g->w->now);
	if (!(in(g, IIR) & 1) && in(g, LSR) & 1)
		take(g);
}

static u64 receive(void (*driver)(struct caller *), u32 bytes, u64 pace, bool hostile, u32 *frames)
{
	struct world *w = world_new(3);
	struct caller *g = start(w, bytes, pace, true);
	u64 began = w->now;
	u32 before = requests(g);

	received = 0;
	if (hostile)
		world_hostile(w);
	while (received < bytes) {
		g->in_handler = true;
		driver(g);
		g->in_handler = false;
		world_step(w, w->now + 5 * MS);
		assert_true(w->now - began < 4000 * 1000 * MS);
	}
	world_run(w, 100 * MS);
	assert_int_equal(uart.series, bytes);
	*frames = requests(g) - before;
	began = w->now - began;
	caller_free(g);
	world_free(w);
	return began;
}

static void drivers(void **state)
{
	u32 frames;
	u64 time;

	(void)state;
	time = receive(linux_driver, 20000, BAUD_115200, false, &frames);
	printf("Linux: %u frames for 20000 bytes, %u ms at 115200 baud\n", frames,
	       (u32)(time / MS));
	assert_true(frames < 20000);
	time = receive(linux_driver, 20000, 1000, false, &frames);
	printf("the same, 1 MB/s: %u frames, %u ms\n", frames, (u32)(time / MS));
	assert_true(frames < 20000 / FIFO * 5);
	time = receive(one_byte_driver, 2000, BAUD_115200, false, &frames);
	printf("one byte an interrupt: %u frames for 2000 bytes, %u ms\n", frames,
	       (u32)(time / MS));
	time = receive(early_eoi_driver, 2000, BAUD_115200, false, &frames);
	printf("the same, EOI first: %u frames for 2000 bytes, %u ms\n", frames, (u32)(time / MS));
}

static void on_a_bad_segment(void **state)
{
	u32 frames;

	(void)state;
	receive(linux_driver, 500, BAUD_115200, true, &frames);
	receive(one_byte_driver, 100, BAUD_115200, true, &frames);
	receive(early_eoi_driver, 100, BAUD_115200, true, &frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_round_trip),
		cmocka_unit_test(in_between),
		cmocka_unit_test(drivers),
		cmocka_unit_test(on_a_bad_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
