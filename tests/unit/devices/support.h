/* SPDX-License-Identifier: BSD-2-Clause */
/* What device tests share: cmocka, a clock that is moved by hand, a bus with short accessors. */
#ifndef FARBUS_TESTS_UNIT_DEVICES_SUPPORT_H
#define FARBUS_TESTS_UNIT_DEVICES_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cpu/physmem.h"
#include "devices/bus.h"
#include "devices/irq.h"
#include "devices/timer.h"

#define US 1000ull
#define MS 1000000ull

/* A board to plug chips into. Guest RAM is 2 MB, mapped at 0. */
struct board {
	struct bus bus;
	struct irq_lines irqs;
	struct clock clock;
	struct physmem mem;
	u64 now;
	bool irq[IRQ_LINES];	    /* the lines' levels, when no PIC is plugged in */
	bool in_service[IRQ_LINES]; /* what a PIC would say of them */
	unsigned rises[IRQ_LINES];  /* how often each went up */
	u8 *ram;
	u8 page_flags[512];
};

#define BOARD_RAM (2 * MB)

struct board *board_new(void);
void board_free(struct board *b);
/* Lets time pass and fires what comes due on the way, at its own moment. */
void board_run(struct board *b, u64 ns);
struct irq_pin board_pin(struct board *b, u8 line);

u8 in8(struct board *b, u16 port);
u16 in16(struct board *b, u16 port);
u32 in32(struct board *b, u16 port);
void out8(struct board *b, u16 port, u8 value);
void out16(struct board *b, u16 port, u16 value);
void out32(struct board *b, u16 port, u32 value);

/* The number of errors and warnings that were logged since the last call. */
unsigned logged_errors(void);

#endif
