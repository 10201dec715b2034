/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8042 keyboard controller with its keyboard and mouse, ports 60h and 64h, IRQ 1 and 12. */
#ifndef FARBUS_DEVICES_I8042_H
#define FARBUS_DEVICES_I8042_H

#include "devices/irq.h"
#include "devices/ps2_keyboard.h"
#include "devices/ps2_mouse.h"
#include "devices/timer.h"

struct bus;
struct physmem;

struct i8042 {
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
	struct clock *clock;
	struct irq_pin irq_keyboard, irq_mouse;
	struct physmem *mem; /* for the A20 gate */
	void (*reset)(void *ctx);
	void *ctx;

	u8 ram[32]; /* ram[0] is the command byte */
	u8 status;
	u8 output;	  /* the output buffer; status says whether it is full */
	u8 command;	  /* waits for its data byte at port 60h, 0: none */
	bool reply_waits; /* the controller's own answer, while the output buffer is full */
	u8 reply;
	bool break_prefix; /* translation: an F0h went before */
	u64 ready_at;	   /* ns: the next byte of a device arrives no earlier */
	unsigned held;	   /* how often the next byte has waited for a handler's end */
	struct timer timer;
};

void i8042_init(struct i8042 *c, struct bus *bus, struct clock *clock, struct physmem *mem,
		struct irq_pin irq_keyboard, struct irq_pin irq_mouse, void (*reset)(void *ctx),
		void *ctx);
void i8042_reset(struct i8042 *c);
/* See ps2_keyboard_key() and ps2_mouse_move(). */
void i8042_key(struct i8042 *c, u8 set1);
void i8042_mouse(struct i8042 *c, s8 dx, s8 dy, u8 buttons);

#endif
