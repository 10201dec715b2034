/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: National PC16550D with a 1.8432 MHz crystal, wired as a PC's COM port.
 * Documentation: PC16550D datasheet (National, 1995), section 8.
 * Modelled: all registers, both FIFOs, every interrupt source, character times at the chosen baud
 *	rate, loopback, OUT2 as the gate of the interrupt line. Parity errors, framing errors,
 *	breaks and modem lines come from the far end, which is told what the guest has set.
 * Not modelled: baud rates that differ between the ends, DMA mode.
 */
#include "devices/uart16550_core.h"
#include "lib/str.h"

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

#define IER_RX	  0x01
#define IER_THRE  0x02
#define IER_LINE  0x04
#define IER_MODEM 0x08

#define IIR_NONE    0x01
#define IIR_MODEM   0x00
#define IIR_THRE    0x02
#define IIR_RX	    0x04
#define IIR_LINE    0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFOS   0xc0

#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04

#define LSR_DATA    0x01
#define LSR_OVERRUN 0x02
#define LSR_ERRORS  (UART_PARITY | UART_FRAMING | UART_BREAK)
#define LSR_THRE    0x20
#define LSR_TEMT    0x40
#define LSR_IN_FIFO 0x80

#define DIVISOR_RESET 12 /* 9600 baud */
#define TIMEOUT_CHARS 4

static bool fifos_on(const struct uart16550 *u)
{
	return (u->fcr & FCR_ENABLE) != 0;
}

static u8 depth(const struct uart16550 *u)
{
	return fifos_on(u) ? UART_FIFO : 1;
}

static void push(struct uart_fifo *f, u8 byte, u8 errors)
{
	unsigned at = (f->head + f->count++) % UART_FIFO;

	f->data[at] = byte;
	f->errors[at] = errors;
}

static u8 pop(struct uart_fifo *f)
{
	u8 byte = f->data[f->head];

	f->head = (f->head + 1) % UART_FIFO;
	f->count--;
	return byte;
}

static u8 rx_trigger(const struct uart16550 *u)
{
	static const u8 level[4] = {1, 4, 8, 14};

	return fifos_on(u) ? level[u->fcr >> 6] : 1;
}

static u8 interrupt_id(const struct uart16550 *u)
{
	if ((u->ier & IER_LINE) && u->line_errors)
		return IIR_LINE;
	if ((u->ier & IER_RX) && u->rx.count >= rx_trigger(u))
		return IIR_RX;
	if ((u->ier & IER_RX) && u->timeout_pending)
		return IIR_TIMEOUT;
	if ((u->ier & IER_THRE) && u->thre_pending)
		return IIR_THRE;
	if ((u->ier & IER_MODEM) && u->modem_delta)
		return IIR_MODEM;
	return IIR_NONE;
}

/* PCs take the interrupt line through a buffer that OUT2 opens. */
static void update_irq(struct uart16550 *u)
{
	irq_set(&u->irq, (u->mcr & MCR_OUT2) && interrupt_id(u) != IIR_NONE);
}

static void arm_timeout(struct uart16550 *u)
{
	if (fifos_on(u) && u->rx.count)
		timer_arm(u->clock, &u->rx_timer,
			  clock_now(u->clock) + TIMEOUT_CHARS * uart_char_ns(u));
	else
		timer_cancel(u->clock, &u->rx_timer);
}

static void rx_timeout(void *ctx)
{
	struct uart16550 *u = ctx;

	u->timeout_pending = u->rx.count != 0;
	update_irq(u);
}

/* What was wrong with a character is told when it is the next to be read. */
static void reveal_errors(struct uart16550 *u)
{
	if (!u->rx.count)
		return;
	u->line_errors |= u->rx.errors[u->rx.head];
	u->rx.errors[u->rx.head] = 0;
}

static bool errors_in_fifo(const struct uart16550 *u)
{
	u8 all = u->line_errors & LSR_ERRORS;

	for (unsigned i = 0; i < u->rx.count; i++)
		all |= u->rx.errors[(u->rx.head + i) % UART_FIFO];
	return fifos_on(u) && all;
}

static void line_to_rx(struct uart16550 *u, u8 byte, u8 errors)
{
	if (u->rx.count >= depth(u)) {
		u->line_errors |= LSR_OVERRUN;
		if (!fifos_on(u)) { /* the new character takes the old one's place */
			pop(&u->rx);
			push(&u->rx, byte, errors);
		}
	} else {
		push(&u->rx, byte, errors);
	}
	reveal_errors(u);
	if (!u->timeout_pending) /* else only a read of the FIFO ends it (datasheet, 8.10) */
		arm_timeout(u);
	update_irq(u);
}

static void start_shift(struct uart16550 *u)
{
	if (u->shifting || !u->tx.count)
		return;
	u->shift = pop(&u->tx);
	u->shifting = true;
	if (!u->tx.count)
		u->thre_pending = true;
	timer_arm(u->clock, &u->tx_timer, clock_now(u->clock) + uart_char_ns(u));
}

static void tx_done(void *ctx)
{
	struct uart16550 *u = ctx;

	u->shifting = false;
	if (u->mcr & MCR_LOOP)
		line_to_rx(u, u->shift, 0);
	else if (u->out.write)
		u->out.write(u->out.ctx, u->shift);
	start_shift(u);
	update_irq(u);
}

/* Who polls LSR sees a character leave without the run loop's help. */
static void poll_timer(struct uart16550 *u)
{
	while (u->shifting && clock_now(u->clock) >= u->tx_timer.deadline) {
		timer_cancel(u->clock, &u->tx_timer);
		tx_done(u);
	}
}

static void write_thr(struct uart16550 *u, u8 value)
{
	u->thre_pending = false;
	update_irq(u); /* THR may be empty again at once: the line falls in between */
	if (u->tx.count < depth(u)) {
		push(&u->tx, value, 0);
	} else if (!fifos_on(u)) {
		pop(&u->tx);
		push(&u->tx, value, 0);
	}
	start_shift(u);
}

static u8 read_rbr(struct uart16550 *u)
{
	u8 value = u->rx.data[u->rx.head];

	if (u->rx.count)
		value = pop(&u->rx);
	reveal_errors(u);
	u->timeout_pending = false;
	arm_timeout(u);
	return value;
}

static void write_ier(struct uart16550 *u, u8 value)
{
	/* Enabling the THRE interrupt while THR is empty raises it: drivers start sending so. */
	if ((value & ~u->ier & IER_THRE) && !u->tx.count)
		u->thre_pending = true;
	u->ier = value & 0x0f;
}

static void clear_rx(struct uart16550 *u)
{
	u->rx.count = 0;
	u->timeout_pending = false;
	timer_cancel(u->clock, &u->rx_timer);
}

static void clear_tx(struct uart16550 *u)
{
	if (u->tx.count)
		u->thre_pending = true;
	u->tx.count = 0;
}

static void write_fcr(struct uart16550 *u, u8 value)
{
	if (!((value | u->fcr) & FCR_ENABLE)) /* its other bits count for nothing */
		return;
	if ((value ^ u->fcr) & FCR_ENABLE)
		value |= FCR_CLEAR_RX | FCR_CLEAR_TX;
	if (value & FCR_CLEAR_RX)
		clear_rx(u);
	if (value & FCR_CLEAR_TX)
		clear_tx(u);
	u->fcr = value & FCR_ENABLE ? value & 0xc9 : 0;
}

static u8 read_iir(struct uart16550 *u)
{
	u8 id = interrupt_id(u);

	if (id == IIR_THRE)
		u->thre_pending = false;
	return id | (fifos_on(u) ? IIR_FIFOS : 0);
}

static u8 read_lsr(struct uart16550 *u)
{
	u8 lsr = u->line_errors | (errors_in_fifo(u) ? LSR_IN_FIFO : 0);

	u->line_errors = 0;
	if (u->rx.count)
		lsr |= LSR_DATA;
	if (!u->tx.count)
		lsr |= LSR_THRE | (u->shifting ? 0 : LSR_TEMT);
	return lsr;
}

static u8 read_msr(struct uart16550 *u)
{
	u8 msr = u->modem | u->modem_delta;

	u->modem_delta = 0;
	return msr;
}

static u8 read_register(struct uart16550 *u, unsigned reg)
{
	bool dlab = (u->lcr & LCR_DLAB) != 0;

	switch (reg) {
	case REG_DATA:
		return dlab ? (u8)u->divisor : read_rbr(u);
	case REG_IER:
		return dlab ? (u8)(u->divisor >> 8) : u->ier;
	case REG_IIR_FCR:
		return read_iir(u);
	case REG_LCR:
		return u->lcr;
	case REG_MCR:
		return u->mcr;
	case REG_LSR:
		return read_lsr(u);
	case REG_MSR:
		return read_msr(u);
	default:
		return u->scr;
	}
}

static void write_register(struct uart16550 *u, unsigned reg, u8 value)
{
	bool dlab = (u->lcr & LCR_DLAB) != 0;

	switch (reg) {
	case REG_DATA:
		if (dlab)
			u->divisor = (u->divisor & 0xff00) | value;
		else
			write_thr(u, value);
		break;
	case REG_IER:
		if (dlab)
			u->divisor = (u16)((u->divisor & 0x00ff) | value << 8);
		else
			write_ier(u, value);
		break;
	case REG_IIR_FCR:
		write_fcr(u, value);
		break;
	case REG_LCR:
		u->lcr = value;
		uart_tell_far_end(u);
		break;
	case REG_MCR:
		u->mcr = value & 0x1f;
		uart_update_modem(u);
		uart_tell_far_end(u);
		break;
	case REG_SCR:
		u->scr = value;
		break;
	}
}

static u32 uart_in(void *dev, u16 port, unsigned width)
{
	struct uart16550 *u = dev;
	unsigned reg = (port - u->base) & 7u;
	bool changes = reg != REG_LSR || u->line_errors; /* it is what drivers wait with */
	u8 value;

	(void)width;
	poll_timer(u);
	value = read_register(u, reg);
	if (changes)
		update_irq(u);
	return value;
}

static void uart_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct uart16550 *u = dev;

	(void)width;
	poll_timer(u);
	write_register(u, (port - u->base) & 7u, (u8)value);
	update_irq(u);
}

static const struct port_ops uart_ops = {
	.in = uart_in,
	.out = uart_out,
	.widths = 1,
};

int uart16550_init(struct uart16550 *u, const struct uart16550_config *config)
{
	memset(u, 0, sizeof(*u));
	u->clock = config->clock;
	u->irq = config->irq;
	u->out = config->out;
	u->line = config->line;
	/* A cable with the other end switched on, or none. */
	u->far = config->out.write ? UART_CTS | UART_DSR | UART_DCD : 0;
	u->base = config->base;
	timer_init(&u->tx_timer, tx_done, u);
	timer_init(&u->rx_timer, rx_timeout, u);
	if (bus_register(config->bus, u->base, u->base + 7, ROUTE_VIRTUAL, &uart_ops, u,
			 config->name) < 0)
		return -1;
	uart16550_reset(u);
	return 0;
}

void uart16550_reset(struct uart16550 *u)
{
	timer_cancel(u->clock, &u->tx_timer);
	timer_cancel(u->clock, &u->rx_timer);
	u->divisor = DIVISOR_RESET;
	u->ier = u->fcr = u->lcr = u->mcr = u->scr = 0;
	u->line_errors = 0;
	u->rx.count = u->tx.count = 0;
	u->shifting = false;
	u->thre_pending = u->timeout_pending = false;
	u->modem = uart_modem_lines(u);
	u->modem_delta = 0;
	update_irq(u);
	uart_tell_far_end(u);
}

void uart16550_receive(struct uart16550 *u, u8 byte)
{
	uart16550_receive_bad(u, byte, 0);
}

void uart16550_receive_bad(struct uart16550 *u, u8 byte, u8 errors)
{
	if (!(u->mcr & MCR_LOOP))
		line_to_rx(u, byte, errors & LSR_ERRORS);
}

void uart16550_set_modem(struct uart16550 *u, u8 lines)
{
	u->far = lines & (UART_CTS | UART_DSR | UART_RI | UART_DCD);
	uart_update_modem(u);
	update_irq(u);
}

unsigned uart16550_space(const struct uart16550 *u)
{
	return u->rx.count < depth(u) ? (unsigned)(depth(u) - u->rx.count) : 0;
}
