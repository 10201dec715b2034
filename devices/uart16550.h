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

/* What may be wrong with a character that was received: bits of the line status register. */
#define UART_PARITY  0x04
#define UART_FRAMING 0x08
#define UART_BREAK   0x10

/* Modem lines that come in: bits of the modem status register. */
#define UART_CTS 0x10
#define UART_DSR 0x20
#define UART_RI	 0x40
#define UART_DCD 0x80

enum uart_parity { UART_NO_PARITY, UART_ODD, UART_EVEN, UART_MARK, UART_SPACE };

/* What the guest has set, for a far end that has to do the same. */
struct uart_settings {
	u32 baud;
	u8 bits;      /* 5 to 8 */
	u8 stop_bits; /* 1; 2, which with 5 bits is 1.5 */
	enum uart_parity parity;
	bool send_break, dtr, rts;
};

/* Who has to know when these may have changed; may be absent. Not called while DLAB is set. */
struct uart_line {
	void (*changed)(void *ctx);
	void *ctx;
};

struct uart_fifo {
	u8 data[UART_FIFO], errors[UART_FIFO];
	u8 head, count;
};

struct uart16550_config {
	const char *name; /* "com1" */
	struct bus *bus;
	struct clock *clock;
	struct irq_pin irq;
	u16 base;
	struct pc_char out; /* what the guest sends; no function: a cable that leads nowhere */
	struct uart_line line;
};

struct uart16550 {
	struct clock *clock;
	struct irq_pin irq;
	struct pc_char out;
	struct uart_line line;
	u16 base;

	u16 divisor;
	u8 ier, fcr, lcr, mcr, scr;
	u8 far;			 /* modem lines from the far end */
	u8 line_errors;		 /* LSR's OE, PE, FE, BI */
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
/* The same with UART_PARITY, UART_FRAMING, UART_BREAK (byte 0 then). */
void uart16550_receive_bad(struct uart16550 *u, u8 byte, u8 errors);
/* UART_CTS to UART_DCD: those that are on. From power-on all but RI, if there is a far end. */
void uart16550_set_modem(struct uart16550 *u, u8 lines);
void uart16550_settings(const struct uart16550 *u, struct uart_settings *s);
/* How many characters it can take now. */
unsigned uart16550_space(const struct uart16550 *u);

#endif
