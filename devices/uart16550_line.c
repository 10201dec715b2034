/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: National PC16550D; see uart16550.c. Here: its line, as the far end sees it: character
 *	times, modem lines in both directions, what the guest has set.
 */
#include "devices/uart16550_core.h"

#define MSR_DELTA_SHIFT 4

#define CRYSTAL_HZ 1843200u

/* Start bit, 5-8 data bits, parity, one or two stop bits. */
u64 uart_char_ns(const struct uart16550 *u)
{
	u32 bits = 1 + 5 + (u->lcr & LCR_BITS) + (u->lcr & LCR_PARITY ? 1 : 0) +
		   (u->lcr & LCR_STOP ? 2 : 1);
	u32 divisor = u->divisor ? u->divisor : 1;
	u32 bit_ns = (u32)(NS_PER_SEC * 16 / CRYSTAL_HZ); /* at divisor 1 */

	return (u64)(bits * divisor) * bit_ns;
}

u8 uart_modem_lines(const struct uart16550 *u)
{
	u8 lines = 0;

	if (!(u->mcr & MCR_LOOP))
		return u->far;
	if (u->mcr & MCR_RTS)
		lines |= UART_CTS;
	if (u->mcr & MCR_DTR)
		lines |= UART_DSR;
	if (u->mcr & MCR_OUT1)
		lines |= UART_RI;
	if (u->mcr & MCR_OUT2)
		lines |= UART_DCD;
	return lines;
}

/* RI counts only when it goes away (TERI), the others when they change. */
void uart_update_modem(struct uart16550 *u)
{
	u8 lines = uart_modem_lines(u), changed = lines ^ u->modem;

	if (lines & UART_RI)
		changed &= ~UART_RI;
	u->modem_delta |= changed >> MSR_DELTA_SHIFT;
	u->modem = lines;
}

void uart_tell_far_end(const struct uart16550 *u)
{
	if (u->line.changed && !(u->lcr & LCR_DLAB))
		u->line.changed(u->line.ctx);
}

void uart16550_settings(const struct uart16550 *u, struct uart_settings *s)
{
	u32 divisor = u->divisor ? u->divisor : 1;
	bool looped = (u->mcr & MCR_LOOP) != 0;

	s->baud = (CRYSTAL_HZ / 16 + divisor / 2) / divisor;
	s->bits = (u8)(5 + (u->lcr & LCR_BITS));
	s->stop_bits = u->lcr & LCR_STOP ? 2 : 1;
	s->parity =
		u->lcr & LCR_PARITY ? (enum uart_parity)(1 + (u->lcr >> 4 & 3)) : UART_NO_PARITY;
	/* Looped back, the chip's outputs are at rest (datasheet, 8.7). */
	s->send_break = (u->lcr & LCR_BREAK) && !looped;
	s->dtr = (u->mcr & MCR_DTR) && !looped;
	s->rts = (u->mcr & MCR_RTS) && !looped;
}
