/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550A: detection as drivers do it, interrupts and their order, FIFOs, timing, loopback. */
#include "tests/unit/devices/support.h"
#include "devices/uart16550.h"
#include <stdlib.h>
#include <string.h>

#define BASE 0x3f8
#define IRQ  4

#define RBR (BASE + 0)
#define IER (BASE + 1)
#define IIR (BASE + 2)
#define LCR (BASE + 3)
#define MCR (BASE + 4)
#define LSR (BASE + 5)
#define MSR (BASE + 6)
#define SCR (BASE + 7)

#define CHAR_9600 (10 * 104167ull) /* ns */

struct rig {
	struct board *board;
	struct uart16550 uart;
	u8 sent[64];
	unsigned count;
};

static void take(void *ctx, u8 byte)
{
	struct rig *r = ctx;

	if (r->count < sizeof(r->sent))
		r->sent[r->count++] = byte;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct uart16550_config config = {.name = "com1", .base = BASE, .out = {take, r}};

	r->board = board_new();
	config.bus = &r->board->bus;
	config.clock = &r->board->clock;
	config.irq = board_pin(r->board, IRQ);
	assert_int_equal(uart16550_init(&r->uart, &config), 0);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	board_free(r->board);
	free(r);
	return 0;
}

static void baud(struct rig *r, u16 divisor)
{
	out8(r->board, LCR, 0x83);
	out8(r->board, RBR, (u8)divisor);
	out8(r->board, IER, (u8)(divisor >> 8));
	out8(r->board, LCR, 0x03);
}

static void registers(void **state)
{
	struct rig *r = *state;

	assert_int_equal(in8(r->board, LSR), 0x60);
	assert_int_equal(in8(r->board, IIR), 0x01);
	assert_int_equal(in8(r->board, MSR), 0xb0);
	out8(r->board, IER, 0xff);
	assert_int_equal(in8(r->board, IER), 0x0f);
	out8(r->board, MCR, 0xff);
	assert_int_equal(in8(r->board, MCR), 0x1f);
	out8(r->board, SCR, 0xa5);
	assert_int_equal(in8(r->board, SCR), 0xa5);
	baud(r, 0x1234);
	out8(r->board, LCR, 0x83);
	assert_int_equal(in8(r->board, RBR), 0x34);
	assert_int_equal(in8(r->board, IER), 0x12);
}

/* As autoconfig() of Linux 1.x finds a 16550A and its loopback. */
static void detection(void **state)
{
	struct rig *r = *state;

	out8(r->board, IIR, 0x01);
	assert_int_equal(in8(r->board, IIR) >> 6, 3);
	out8(r->board, IIR, 0x00);
	assert_int_equal(in8(r->board, IIR) >> 6, 0);
	out8(r->board, MCR, 0x1a);
	assert_int_equal(in8(r->board, MSR) & 0xf0, 0x90);
	out8(r->board, MCR, 0x15);
	assert_int_equal(in8(r->board, MSR) & 0xf0, 0x60);
}

static void modem_deltas(void **state)
{
	struct rig *r = *state;

	out8(r->board, MCR, 0x10);
	in8(r->board, MSR);
	out8(r->board, IER, 0x08);
	out8(r->board, MCR, 0x1e); /* RTS, OUT1, OUT2: CTS, RI, DCD */
	assert_int_equal(in8(r->board, IIR), 0x00);
	assert_int_equal(in8(r->board, MSR), 0xd9); /* RI going up is no TERI */
	assert_int_equal(in8(r->board, IIR), 0x01);
	out8(r->board, MCR, 0x1a);
	assert_int_equal(in8(r->board, MSR), 0x94);
	assert_int_equal(in8(r->board, MSR), 0x90);
}

static void sending_takes_its_time(void **state)
{
	struct rig *r = *state;

	baud(r, 12);
	out8(r->board, RBR, 'A'); /* goes on to the shift register */
	assert_int_equal(in8(r->board, LSR), 0x20);
	out8(r->board, RBR, 'B');
	assert_int_equal(in8(r->board, LSR), 0x00);
	board_run(r->board, CHAR_9600 - 10 * US);
	assert_int_equal(r->count, 0);
	board_run(r->board, 20 * US);
	assert_int_equal(r->count, 1);
	assert_int_equal(in8(r->board, LSR), 0x20);
	r->board->now += CHAR_9600; /* polling is enough */
	assert_int_equal(in8(r->board, LSR), 0x60);
	assert_memory_equal(r->sent, "AB", 2);
}

static void thr_empty_interrupt(void **state)
{
	struct rig *r = *state;

	baud(r, 1);
	out8(r->board, MCR, 0x08);
	out8(r->board, IER, 0x02); /* raised at once: the way drivers start */
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, IIR), 0x02);
	assert_false(r->board->irq[IRQ]); /* reading IIR was the acknowledgement */
	assert_int_equal(in8(r->board, IIR), 0x01);
	out8(r->board, RBR, 'x');
	out8(r->board, RBR, 'y');
	assert_false(r->board->irq[IRQ]);
	board_run(r->board, MS);
	assert_true(r->board->irq[IRQ]);
	out8(r->board, IER, 0);
	assert_false(r->board->irq[IRQ]);
	out8(r->board, IER, 2);
	assert_true(r->board->irq[IRQ]);
	out8(r->board, MCR, 0); /* OUT2 opens the line's buffer */
	assert_false(r->board->irq[IRQ]);
}

static void transmit_fifo(void **state)
{
	struct rig *r = *state;

	baud(r, 1);
	out8(r->board, IIR, 0x01);
	for (u8 i = 0; i < 17; i++) /* one is in the shift register at once */
		out8(r->board, RBR, 'a' + i);
	assert_int_equal(in8(r->board, LSR), 0x00);
	out8(r->board, RBR, 'z'); /* lost */
	board_run(r->board, 100 * MS);
	assert_int_equal(r->count, 17);
	assert_memory_equal(r->sent, "abcdefghijklmnopq", 17);
	assert_int_equal(in8(r->board, LSR), 0x60);
}

static void receiving_without_fifo(void **state)
{
	struct rig *r = *state;

	out8(r->board, MCR, 0x08);
	out8(r->board, IER, 0x05);
	assert_int_equal(uart16550_space(&r->uart), 1);
	uart16550_receive(&r->uart, 'q');
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(uart16550_space(&r->uart), 0);
	uart16550_receive(&r->uart, 'r');
	assert_int_equal(in8(r->board, IIR), 0x06);
	assert_int_equal(in8(r->board, LSR), 0x63);
	assert_int_equal(in8(r->board, IIR), 0x04);
	assert_int_equal(in8(r->board, RBR), 'r');
	assert_int_equal(in8(r->board, LSR), 0x60);
	assert_false(r->board->irq[IRQ]);
}

static void receive_fifo_trigger_and_timeout(void **state)
{
	struct rig *r = *state;

	baud(r, 12);
	out8(r->board, IIR, 0x81); /* 8 characters */
	out8(r->board, IER, 0x01);
	for (u8 i = 0; i < 7; i++)
		uart16550_receive(&r->uart, i);
	assert_int_equal(in8(r->board, IIR), 0xc1);
	board_run(r->board, 3 * CHAR_9600);
	assert_int_equal(in8(r->board, IIR), 0xc1);
	board_run(r->board, 2 * CHAR_9600);
	assert_int_equal(in8(r->board, IIR), 0xcc);
	assert_int_equal(in8(r->board, RBR), 0);
	assert_int_equal(in8(r->board, IIR), 0xc1);
	uart16550_receive(&r->uart, 7);
	uart16550_receive(&r->uart, 8);
	assert_int_equal(in8(r->board, IIR), 0xc4);
	assert_int_equal(uart16550_space(&r->uart), 8);
	for (unsigned i = 0; i < 9; i++)
		uart16550_receive(&r->uart, 0x55);
	assert_int_equal(in8(r->board, LSR), 0x63); /* one was too many */
	out8(r->board, IIR, 0x83);
	assert_int_equal(in8(r->board, LSR), 0x60);
}

static void loopback_takes_a_character_time(void **state)
{
	struct rig *r = *state;

	baud(r, 12);
	out8(r->board, MCR, 0x10);
	out8(r->board, RBR, 0x42);
	uart16550_receive(&r->uart, 0x99); /* the line is cut off */
	assert_int_equal(in8(r->board, LSR) & 1, 0);
	board_run(r->board, 2 * CHAR_9600);
	assert_int_equal(in8(r->board, LSR) & 1, 1);
	assert_int_equal(in8(r->board, RBR), 0x42);
	assert_int_equal(r->count, 0);
}

static void errors_belong_to_characters(void **state)
{
	struct rig *r = *state;

	out8(r->board, IIR, 0xc1);
	out8(r->board, MCR, 0x08);
	out8(r->board, IER, 0x04);
	uart16550_receive(&r->uart, 'a');
	uart16550_receive_bad(&r->uart, 'b', UART_PARITY);
	uart16550_receive_bad(&r->uart, 0, UART_BREAK | UART_FRAMING);
	assert_int_equal(in8(r->board, LSR), 0xe1); /* somewhere in the FIFO */
	assert_false(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, RBR), 'a');
	assert_int_equal(in8(r->board, IIR), 0xc6);
	assert_int_equal(in8(r->board, LSR), 0xe5);
	assert_int_equal(in8(r->board, LSR), 0xe1);
	assert_int_equal(in8(r->board, RBR), 'b');
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, LSR), 0xf9);
	assert_int_equal(in8(r->board, LSR), 0x61);
	assert_int_equal(in8(r->board, RBR), 0);
	assert_int_equal(in8(r->board, LSR), 0x60);
}

static void modem_lines_of_the_far_end(void **state)
{
	struct rig *r = *state;

	out8(r->board, MCR, 0x08);
	out8(r->board, IER, 0x08);
	uart16550_set_modem(&r->uart, UART_DSR | UART_RI);
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, MSR), 0x69); /* CTS and DCD have gone, RI is no TERI yet */
	assert_false(r->board->irq[IRQ]);
	uart16550_set_modem(&r->uart, UART_DSR);
	assert_int_equal(in8(r->board, MSR), 0x24);
	out8(r->board, MCR, 0x10);
	uart16550_set_modem(&r->uart, UART_CTS); /* looped back, they do not count */
	assert_int_equal(in8(r->board, MSR) & 0xf0, 0x00);
	out8(r->board, MCR, 0x00);
	assert_int_equal(in8(r->board, MSR) & 0xf0, 0x10);
}

static unsigned changes;

static void count_change(void *ctx)
{
	(void)ctx;
	changes++;
}

static void settings_for_the_far_end(void **state)
{
	struct rig *r = *state;
	struct uart_settings s;

	r->uart.line.changed = count_change;
	changes = 0;
	baud(r, 3); /* DLAB's end is the only moment when it is whole */
	assert_int_equal(changes, 1);
	uart16550_settings(&r->uart, &s);
	assert_int_equal(s.baud, 38400);
	assert_int_equal(s.bits, 8);
	assert_int_equal(s.stop_bits, 1);
	assert_int_equal(s.parity, UART_NO_PARITY);
	out8(r->board, LCR, 0x1e);
	out8(r->board, MCR, 0x03);
	assert_int_equal(changes, 3);
	uart16550_settings(&r->uart, &s);
	assert_int_equal(s.bits, 7);
	assert_int_equal(s.stop_bits, 2);
	assert_int_equal(s.parity, UART_EVEN);
	assert_true(s.dtr && s.rts && !s.send_break);
	out8(r->board, LCR, 0x68); /* a break, 5 bits, stick parity: mark */
	uart16550_settings(&r->uart, &s);
	assert_true(s.send_break);
	assert_int_equal(s.bits, 5);
	assert_int_equal(s.parity, UART_MARK);
	out8(r->board, MCR, 0x13);
	uart16550_settings(&r->uart, &s);
	assert_true(!s.dtr && !s.rts && !s.send_break);
}

static void random_accesses(void **state)
{
	struct rig *r = *state;

	srand(4);
	for (unsigned i = 0; i < 300000; i++) {
		u16 port = BASE + rand() % 8;

		if (rand() % 3 == 0)
			in8(r->board, port);
		else
			out8(r->board, port, (u8)rand());
		if (rand() % 3 == 0)
			uart16550_receive_bad(&r->uart, (u8)rand(), (u8)rand());
		if (rand() % 10 == 0)
			uart16550_set_modem(&r->uart, (u8)rand());
		if (rand() % 3 == 0)
			board_run(r->board, (u64)(rand() % 100) * US);
		assert_in_range(uart16550_space(&r->uart), 0, 16);
	}
}

/* Writing THR resets the interrupt, and THR is empty again at once: a new edge for the PIC. */
static void each_character_sent_is_an_edge(void **state)
{
	struct rig *r = *state;

	out8(r->board, MCR, 0x08);
	out8(r->board, IER, 0x02);
	assert_int_equal(r->board->rises[IRQ], 1);
	out8(r->board, RBR, 'a'); /* a handler that reads LSR, and never IIR */
	assert_int_equal(r->board->rises[IRQ], 2);
	out8(r->board, RBR, 'b');
	assert_false(r->board->irq[IRQ]);
	board_run(r->board, CHAR_9600 + US);
	assert_int_equal(r->board->rises[IRQ], 3);
}

/* Datasheet, 8.10: only a read of the FIFO ends a timeout interrupt. */
static void a_character_does_not_end_the_timeout(void **state)
{
	struct rig *r = *state;

	out8(r->board, IIR, 0xc1);
	out8(r->board, MCR, 0x08);
	out8(r->board, IER, 0x01);
	uart16550_receive(&r->uart, 'a');
	board_run(r->board, 5 * CHAR_9600);
	assert_true(r->board->irq[IRQ]);
	uart16550_receive(&r->uart, 'b');
	assert_true(r->board->irq[IRQ]);
	assert_int_equal(in8(r->board, IIR), 0xcc);
	assert_int_equal(in8(r->board, RBR), 'a');
	assert_false(r->board->irq[IRQ]);
	board_run(r->board, 5 * CHAR_9600);
	assert_int_equal(in8(r->board, IIR), 0xcc);
	assert_int_equal(in8(r->board, RBR), 'b');
	assert_int_equal(in8(r->board, IIR), 0xc1);
}

/* Datasheet, 8.4: without bit 0 the other bits of FCR are not programmed. */
static void fcr_does_nothing_while_the_fifos_are_off(void **state)
{
	struct rig *r = *state;

	uart16550_receive(&r->uart, 'a');
	out8(r->board, IIR, 0x06);
	assert_int_equal(in8(r->board, LSR), 0x61);
	assert_int_equal(in8(r->board, RBR), 'a');
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(registers),
		TEST(detection),
		TEST(modem_deltas),
		TEST(sending_takes_its_time),
		TEST(thr_empty_interrupt),
		TEST(transmit_fifo),
		TEST(receiving_without_fifo),
		TEST(receive_fifo_trigger_and_timeout),
		TEST(loopback_takes_a_character_time),
		TEST(errors_belong_to_characters),
		TEST(modem_lines_of_the_far_end),
		TEST(settings_for_the_far_end),
		TEST(random_accesses),
		TEST(each_character_sent_is_an_edge),
		TEST(a_character_does_not_end_the_timeout),
		TEST(fcr_does_nothing_while_the_fifos_are_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
