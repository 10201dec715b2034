/* SPDX-License-Identifier: BSD-2-Clause */
/* What the 16550's registers and its line have in common. */
#ifndef FARBUS_DEVICES_UART16550_CORE_H
#define FARBUS_DEVICES_UART16550_CORE_H

#include "devices/uart16550.h"

#define LCR_BITS   0x03
#define LCR_STOP   0x04
#define LCR_PARITY 0x08 /* bits 4 and 5: which */
#define LCR_BREAK  0x40
#define LCR_DLAB   0x80

#define MCR_DTR	 0x01
#define MCR_RTS	 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

/* uart16550_line.c */
u64 uart_char_ns(const struct uart16550 *u);
u8 uart_modem_lines(const struct uart16550 *u); /* as MSR shows them */
void uart_update_modem(struct uart16550 *u);
void uart_tell_far_end(const struct uart16550 *u);

#endif
