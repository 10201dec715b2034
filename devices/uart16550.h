/* SPDX-License-Identifier: BSD-2-Clause */
/* A serial port with its 16550A: COM1 at 3F8h on IRQ 4, COM2 at 2F8h on IRQ 3. */
#ifndef FARBUS_DEVICES_UART16550_H
#define FARBUS_DEVICES_UART16550_H

#include "devices/bus.h"
#include "devices/irq.h"
#include "devices/pc.h"
#include "devices/timer.h"
#include "lib/types.h"

#define UART_FIFO 16

struct uart_fifo {
	u8 data[UART_FIFO];
	u8 head, count;
};

struct uart16550_config {
	const char *name; /* "com1" */
	struct bus *bus;
	struct clock *clock;
	struct irq_pin irq;
	u16 base;
	struct pc_char out; /* what the guest sends; no function: a cable that leads nowhere */
};

struct uart16550 {
	struct clock *clock;
	struct irq_pin irq;
	struct pc_char out;
	u16 base;

	u16 divisor;
	u8 ier, fcr, lcr, mcr, scr;
	u8 line_errors;		 /* LSR's OE */
	u8 modem;		 /* MSR bits 4-7 as last seen */
	u8 modem_delta;		 /* MSR bits 0-3 */
	bool thre_pending;	 /* the THR-empty interrupt's own latch */
	bool timeout_pending;	 /* the receive FIFO's character timeout */
	struct uart_fifo rx, tx; /* one character deep while the FIFOs are off */
	bool shifting;		 /* a character is in the transmit shift register */
	u8 shift;
	struct timer tx_timer, rx_timer;
};

/* Returns 0, or -1 with a line in the log. */
int uart16550_init(struct uart16550 *u, const struct uart16550_config *config);
void uart16550_reset(struct uart16550 *u);
/* A character arrives on the line. Bytes beyond uart16550_space() are overruns, as on a real line.
 */
void uart16550_receive(struct uart16550 *u, u8 byte);
/* How many characters it can take now. */
unsigned uart16550_space(const struct uart16550 *u);

#endif
