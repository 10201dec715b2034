/* SPDX-License-Identifier: BSD-2-Clause */
/* Round trips and frames of a UART, a parallel port and a sound card, with their limits. */
#include <stdio.h>

#include "devices/lpt.h"
#include "devices/uart16550.h"
#include "tests/unit/net/support_counts.h"

#define UART_BASE  0x2f8
#define UART_LINE  3
#define UART_BYTES 1600u
#define LPT_BASE   0x378
#define LPT_LINE   7
#define LPT_BYTES  500u
#define SB_BASE	   0x220
#define SB_LINE	   5
#define SB_BYTES   100u

/* --- UART --- */

struct sink {
	u32 bytes, wrong;
};

static void sink_write(void *ctx, u8 byte)
{
	struct sink *s = ctx;

	s->wrong += byte != (u8)s->bytes;
	s->bytes++;
}

/* Linux 1.3's rs_interrupt() and transmit_chars(), 16 bytes for each interrupt. */
static void uart_transmit(struct guest *g, u32 bytes)
{
	u32 sent = 0;

	guest_out8(g, UART_BASE + 1, 0x0f);
	while (sent < bytes) {
		assert_true(g->irq(g));
		while (!(guest_in8(g, UART_BASE + 2) & 1)) {
			u8 line = guest_in8(g, UART_BASE + 5);

			guest_in8(g, UART_BASE + 6);
			for (u32 i = 0; line & 0x20 && i < 16 && sent < bytes; i++)
				guest_out8(g, UART_BASE, (u8)sent++);
		}
	}
	route_run(container_of(g, struct route, guest), 100 * MS);
}

static struct cost uart_cost(const struct profile *profile)
{
	static const struct port_export export = {.name = "com2",
						  .range = {{UART_BASE, UART_BASE + 7}},
						  .ranges = 1,
						  .irqs = BIT(UART_LINE)};
	struct route *r = route_new(&export, UART_LINE, profile);
	struct guest *g = &r->guest;
	struct sink sink = {0};
	struct uart16550 uart;
	struct uart16550_config config = {.name = "com2",
					  .bus = &r->board->bus,
					  .clock = &r->board->clock,
					  .irq = board_pin(r->board, UART_LINE),
					  .base = UART_BASE,
					  .out = {sink_write, &sink}};
	struct cost c;

	assert_int_equal(uart16550_init(&uart, &config), 0);
	route_start(r);
	guest_out8(g, UART_BASE + 3, 0x83);
	guest_out8(g, UART_BASE, 1);
	guest_out8(g, UART_BASE + 1, 0);
	guest_out8(g, UART_BASE + 3, 0x03);
	guest_out8(g, UART_BASE + 2, 0xc7);
	guest_out8(g, UART_BASE + 4, 0x0b);
	guest_in8(g, UART_BASE + 5);
	route_reset_counts(r);
	r->watched = UART_BASE;
	uart_transmit(g, UART_BYTES);
	assert_int_equal(sink.bytes, UART_BYTES);
	assert_int_equal(sink.wrong, 0);
	c = cost_of(r, UART_BYTES);
	route_free(r);
	return c;
}

static void uart_costs(void **state)
{
	struct cost strict = uart_cost(&profile_strict), c = uart_cost(&profile_uart);

	(void)state;
	cost_show("UART transmit, Linux 1.3, 16 an interrupt", "byte", strict, c);
	printf("%-58s %8.2f %18.2f\n", "UART transmit, bytes in a frame that brings some",
	       strict.bytes_a_carrier, c.bytes_a_carrier);
	assert_true(c.bytes_a_carrier >= 14);
}

/* --- parallel port --- */

/* A BIOS's or lp.c's polled byte: ready, data, strobe. */
static void lpt_byte(struct guest *g, u8 byte)
{
	while (!(guest_in8(g, LPT_BASE + 1) & 0x80))
		;
	guest_out8(g, LPT_BASE, byte);
	g->pause(g, 1000);
	guest_out8(g, LPT_BASE + 2, 0x0d);
	g->pause(g, 1000);
	guest_out8(g, LPT_BASE + 2, 0x0c);
}

static struct cost lpt_cost(const struct profile *profile)
{
	static const struct port_export export = {.name = "lpt1",
						  .range = {{LPT_BASE, LPT_BASE + 2}},
						  .ranges = 1,
						  .irqs = BIT(LPT_LINE)};
	struct route *r = route_new(&export, LPT_LINE, profile);
	struct sink sink = {0};
	struct lpt lpt;
	struct lpt_config config = {.name = "lpt1",
				    .bus = &r->board->bus,
				    .clock = &r->board->clock,
				    .irq = board_pin(r->board, LPT_LINE),
				    .base = LPT_BASE,
				    .out = {sink_write, &sink}};
	struct cost c;

	assert_int_equal(lpt_init(&lpt, &config), 0);
	route_start(r);
	guest_out8(&r->guest, LPT_BASE + 2, 0x0c);
	for (u32 i = 0; i < LPT_BYTES; i++)
		lpt_byte(&r->guest, (u8)i);
	route_run(r, 10 * MS);
	assert_int_equal(sink.bytes, LPT_BYTES);
	assert_int_equal(sink.wrong, 0);
	c = cost_of(r, LPT_BYTES);
	route_free(r);
	return c;
}

static void lpt_costs(void **state)
{
	struct cost c = lpt_cost(&profile_lpt);

	(void)state;
	cost_show("parallel port, polled, with strobe", "byte", lpt_cost(&profile_strict), c);
	assert_true(c.trips <= 1);
}

/* --- DSP of a Sound Blaster --- */

struct dsp {
	struct route *r;
	u64 ready_at;
	struct sink sink;
};

static u32 dsp_in(void *dev, u16 port, unsigned width)
{
	struct dsp *d = dev;

	(void)width;
	return port == SB_BASE + 12 && d->r->board->now >= d->ready_at ? 0x7f : 0xff;
}

static void dsp_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct dsp *d = dev;

	(void)width;
	if (port != SB_BASE + 12)
		return;
	assert_true(d->r->board->now >= d->ready_at);
	d->ready_at = d->r->board->now + 20000;
	sink_write(&d->sink, (u8)value);
}

static const struct port_ops dsp_ops = {.in = dsp_in, .out = dsp_out, .widths = 1};

static struct cost dsp_cost(const struct profile *profile)
{
	static const struct port_export export = {.name = "sb16",
						  .range = {{SB_BASE, SB_BASE + 15}},
						  .ranges = 1,
						  .irqs = BIT(SB_LINE)};
	struct dsp d = {.r = route_new(&export, SB_LINE, profile)};
	struct guest *g = &d.r->guest;
	struct cost c;

	bus_register(&d.r->board->bus, SB_BASE, SB_BASE + 15, ROUTE_VIRTUAL, &dsp_ops, &d, "dsp");
	route_start(d.r);
	for (u32 i = 0; i < SB_BYTES; i++) {
		while (guest_in8(g, SB_BASE + 12) & 0x80)
			;
		guest_out8(g, SB_BASE + 12, (u8)i);
	}
	route_run(d.r, 10 * MS);
	assert_int_equal(d.sink.bytes, SB_BYTES);
	assert_int_equal(d.sink.wrong, 0);
	c = cost_of(d.r, SB_BYTES);
	route_free(d.r);
	return c;
}

static void dsp_costs(void **state)
{
	struct cost c = dsp_cost(&profile_sb16);

	(void)state;
	cost_show("SB16 DSP command, ready asked before each", "byte", dsp_cost(&profile_strict),
		  c);
	assert_true(c.trips <= 1.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uart_costs),
		cmocka_unit_test(lpt_costs),
		cmocka_unit_test(dsp_costs),
	};

	cost_heading();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
