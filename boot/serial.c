/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This PC's serial ports: 8250 to 16550A (National Semiconductor PC16550D datasheet), by interrupt,
 * with rings in both directions. A full receive ring leaves bytes in the UART, so that a sender who
 * looks at its own FIFO (a pipe into an emulator) is slowed down instead of losing bytes.
 */
#include "boot/host.h"
#include "boot/port.h"
#include "lib/str.h"

#define RX_SIZE 4096u /* powers of two */
#define TX_SIZE 16384u

enum {
	RBR = 0,
	THR = 0,
	DLL = 0,
	IER = 1,
	DLM = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7
};

#define IER_RX	    BIT(0)
#define IER_TX	    BIT(1)
#define IIR_NONE    BIT(0)
#define IIR_FIFO    0xc0
#define LCR_8N1	    0x03
#define LCR_DLAB    0x80
#define MCR_ON	    0x0b /* DTR, RTS, OUT2: OUT2 lets the interrupt out on a PC */
#define LSR_RX	    BIT(0)
#define LSR_THRE    BIT(5)
#define LSR_EMPTY   BIT(6)
#define FIFO_ENABLE 0x87 /* on, both cleared, trigger at 8 */

struct host_serial {
	u16 base;
	u8 irq, fifo; /* fifo: bytes THR takes at once */
	u8 ier;
	volatile u32 rx_head, rx_tail, tx_head, tx_tail; /* free-running */
	u8 rx[RX_SIZE], tx[TX_SIZE];
};

static struct host_serial *port[4];

static const u16 standard_base[4] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};

static void set_ier(struct host_serial *s, u8 ier)
{
	if (s->ier != ier) {
		s->ier = ier;
		outb(s->base + IER, ier);
	}
}

/* Interrupts are off in both. */
static void take_received(struct host_serial *s)
{
	while (inb(s->base + LSR) & LSR_RX) {
		if (s->rx_head - s->rx_tail == RX_SIZE) {
			set_ier(s, s->ier & ~IER_RX);
			return;
		}
		s->rx[s->rx_head % RX_SIZE] = inb(s->base + RBR);
		s->rx_head++;
	}
}

static void fill_transmitter(struct host_serial *s)
{
	if (s->tx_head != s->tx_tail && inb(s->base + LSR) & LSR_THRE) {
		for (unsigned n = s->fifo; n && s->tx_head != s->tx_tail; n--) {
			outb(s->base + THR, s->tx[s->tx_tail % TX_SIZE]);
			s->tx_tail++;
		}
	}
	set_ier(s, s->tx_head != s->tx_tail ? s->ier | IER_TX : s->ier & ~IER_TX);
}

/* COM1 with COM3 and COM2 with COM4 share a line, so every port on it is looked at. */
static void interrupt(void *ctx)
{
	unsigned irq = (unsigned)(uintptr_t)ctx;

	for (unsigned i = 0; i < ARRAY_SIZE(port); i++) {
		struct host_serial *s = port[i];

		/* Edge-triggered: every cause has to be gone before the line can rise again. */
		for (unsigned turn = 0; s && s->irq == irq && turn < 64; turn++) {
			if (inb(s->base + IIR) & IIR_NONE)
				break;
			take_received(s);
			fill_transmitter(s);
			inb(s->base + MSR);
		}
	}
	host_wake();
}

/* The scratch register holds what is written on everything later than an 8250. */
static bool uart_at(u16 base)
{
	outb(base + SCR, 0x5a);
	if (inb(base + SCR) != 0x5a)
		return false;
	outb(base + SCR, 0xa5);
	return inb(base + SCR) == 0xa5;
}

static struct host_serial *create(unsigned com)
{
	struct host_serial *s;

	if (!uart_at(standard_base[com]))
		return NULL;
	s = host_alloc(sizeof(*s));
	if (!s)
		return NULL;
	s->base = standard_base[com];
	s->irq = com & 1 ? 3 : 4;
	outb(s->base + IER, 0);
	outb(s->base + FCR, FIFO_ENABLE);
	s->fifo = (inb(s->base + IIR) & IIR_FIFO) == IIR_FIFO ? 16 : 1;
	return s;
}

struct host_serial *host_serial_open(unsigned com, u32 baud)
{
	struct host_serial *s;
	u32 divisor = baud ? 115200 / baud : 1, flags;

	if (com < 1 || com > 4)
		return NULL;
	s = port[com - 1] ? port[com - 1] : create(com - 1);
	if (!s)
		return NULL;
	if (!divisor)
		divisor = 1;
	flags = irq_save();
	outb(s->base + LCR, LCR_DLAB | LCR_8N1);
	outb(s->base + DLL, (u8)divisor);
	outb(s->base + DLM, (u8)(divisor >> 8));
	outb(s->base + LCR, LCR_8N1);
	outb(s->base + MCR, MCR_ON);
	port[com - 1] = s;
	set_ier(s, IER_RX);
	irq_restore(flags);
	host_irq_hook(s->irq, interrupt, (void *)(uintptr_t)s->irq);
	host_irq_mask(s->irq, false);
	return s;
}

int serial_getc(struct host_serial *s)
{
	u8 byte;

	if (s->rx_head == s->rx_tail)
		return -1;
	byte = s->rx[s->rx_tail % RX_SIZE];
	s->rx_tail++;
	if (!(s->ier & IER_RX) && s->rx_head - s->rx_tail < RX_SIZE / 2) {
		u32 flags = irq_save();

		set_ier(s, s->ier | IER_RX);
		take_received(s);
		irq_restore(flags);
	}
	return byte;
}

unsigned serial_space(struct host_serial *s)
{
	return TX_SIZE - (s->tx_head - s->tx_tail);
}

bool serial_putc(struct host_serial *s, u8 byte)
{
	if (!serial_space(s))
		return false;
	s->tx[s->tx_head % TX_SIZE] = byte;
	s->tx_head++;
	if (!(s->ier & IER_TX)) {
		u32 flags = irq_save();

		fill_transmitter(s);
		irq_restore(flags);
	}
	return true;
}

void serial_flush(struct host_serial *s)
{
	u64 last = host_ns();
	u32 tail = s->tx_tail;

	/* A port that takes nothing for 100 ms has nobody behind it. */
	while (host_ns() - last < 100000000) {
		u32 flags = irq_save();

		fill_transmitter(s);
		irq_restore(flags);
		if (s->tx_head == s->tx_tail && inb(s->base + LSR) & LSR_EMPTY)
			return;
		if (tail != s->tx_tail) {
			tail = s->tx_tail;
			last = host_ns();
		}
	}
}
