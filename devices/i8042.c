/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: 8042 keyboard controller of a PS/2-style AT. Reference: IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboard and Auxiliary Device Controller".
 * Modelled: both devices, translation, controller RAM, A20, reset, all usual commands. The
 * controller answers at once; a device's byte comes BYTE_NS after the one before it was read, and
 * not while the interrupt handler of that one is at work, so that a guest may read port 60h twice
 * for one key (DOS and its BIOS do), however long it takes.
 * Not modelled: password, the parity and time-out bits, the keyboard lock.
 */
#include "devices/i8042.h"
#include "devices/bus.h"
#include "cpu/physmem.h"
#include "lib/str.h"

#define BYTE_NS	  1000000u /* eleven bits at the cable's 10-16 kHz are 0.7 to 1.1 ms */
#define HELD_MOST 50u	   /* then the next byte comes, EOI or not: some guests poll */

#define STATUS_FULL	  0x01u
#define STATUS_SYSTEM	  0x04u
#define STATUS_COMMAND	  0x08u
#define STATUS_UNLOCKED	  0x10u
#define STATUS_FROM_MOUSE 0x20u

#define MODE_KEYBOARD_IRQ 0x01u
#define MODE_MOUSE_IRQ	  0x02u
#define MODE_SYSTEM	  0x04u
#define MODE_NO_KEYBOARD  0x10u
#define MODE_NO_MOUSE	  0x20u
#define MODE_TRANSLATE	  0x40u

#define OUTPORT_RUN 0x01u /* 0 holds the CPU in reset */
#define OUTPORT_A20 0x02u

#define PREFIX_BREAK 0xf0

enum {
	CMD_READ_RAM = 0x20,
	CMD_READ_RAM_LAST = 0x3f,
	CMD_WRITE_RAM = 0x60,
	CMD_WRITE_RAM_LAST = 0x7f,
	CMD_PASSWORD_TEST = 0xa4,
	CMD_MOUSE_OFF = 0xa7,
	CMD_MOUSE_ON = 0xa8,
	CMD_MOUSE_TEST = 0xa9,
	CMD_SELF_TEST = 0xaa,
	CMD_KEYBOARD_TEST = 0xab,
	CMD_KEYBOARD_OFF = 0xad,
	CMD_KEYBOARD_ON = 0xae,
	CMD_READ_INPUT_PORT = 0xc0,
	CMD_READ_OUTPUT_PORT = 0xd0,
	CMD_WRITE_OUTPUT_PORT = 0xd1,
	CMD_WRITE_KEYBOARD_BUFFER = 0xd2,
	CMD_WRITE_MOUSE_BUFFER = 0xd3,
	CMD_WRITE_MOUSE = 0xd4,
	CMD_A20_OFF = 0xdd,
	CMD_A20_ON = 0xdf,
	CMD_READ_TEST_INPUTS = 0xe0,
	CMD_PULSE = 0xf0, /* to FFh: bits 0-3 say which output lines stay high */
};

static u8 *mode_of(struct i8042 *c)
{
	return &c->ram[0];
}

static void update_irqs(struct i8042 *c)
{
	bool full = c->status & STATUS_FULL, mouse = c->status & STATUS_FROM_MOUSE;

	irq_set(&c->irq_keyboard, full && !mouse && (*mode_of(c) & MODE_KEYBOARD_IRQ));
	irq_set(&c->irq_mouse, full && mouse && (*mode_of(c) & MODE_MOUSE_IRQ));
}

static void fill(struct i8042 *c, u8 byte, bool from_mouse)
{
	c->output = byte;
	c->status |= STATUS_FULL;
	if (from_mouse)
		c->status |= STATUS_FROM_MOUSE;
	else
		c->status &= ~STATUS_FROM_MOUSE;
	update_irqs(c);
}

/* Takes the keyboard's next byte; false when it was only the first part of a translated code. */
static bool keyboard_byte(struct i8042 *c, u8 *byte)
{
	*byte = ps2_keyboard_byte(&c->keyboard);
	if (!(*mode_of(c) & MODE_TRANSLATE))
		return true;
	if (*byte == PREFIX_BREAK) {
		c->break_prefix = true;
		return false;
	}
	*byte = ps2_translate(*byte);
	if (c->break_prefix)
		*byte |= 0x80;
	c->break_prefix = false;
	return true;
}

static bool keyboard_waits(const struct i8042 *c)
{
	return !(c->ram[0] & MODE_NO_KEYBOARD) && ps2_keyboard_has_byte(&c->keyboard);
}

static bool mouse_waits(struct i8042 *c)
{
	return !(*mode_of(c) & MODE_NO_MOUSE) && ps2_mouse_has_byte(&c->mouse);
}

/*
 * On a busy host, BYTE_NS may pass between two instructions of the guest, so the handler's end
 * counts too.
 */
static bool handler_at_work(const struct i8042 *c)
{
	return irq_in_service(&c->irq_keyboard) || irq_in_service(&c->irq_mouse);
}

/* Moves the next byte to the output buffer when that is empty and the byte's time has come. */
static void deliver(struct i8042 *c)
{
	u8 byte;

	if (c->status & STATUS_FULL)
		return;
	if (c->reply_waits) {
		c->reply_waits = false;
		fill(c, c->reply, false);
		return;
	}
	if (!keyboard_waits(c) && !mouse_waits(c))
		return;
	if (clock_now(c->clock) < c->ready_at) {
		timer_arm(c->clock, &c->timer, c->ready_at);
		return;
	}
	if (handler_at_work(c) && c->held < HELD_MOST) {
		c->held++;
		timer_arm(c->clock, &c->timer, clock_now(c->clock) + BYTE_NS);
		return;
	}
	c->held = 0;
	while (keyboard_waits(c)) {
		if (keyboard_byte(c, &byte)) {
			fill(c, byte, false);
			return;
		}
	}
	if (mouse_waits(c))
		fill(c, ps2_mouse_byte(&c->mouse), true);
}

static void timer_due(void *ctx)
{
	deliver(ctx);
}

/* The controller's own answer: at once when the buffer is free. */
static void answer(struct i8042 *c, u8 byte)
{
	c->reply = byte;
	c->reply_waits = true;
	deliver(c);
}

static void set_mode(struct i8042 *c, u8 mode)
{
	*mode_of(c) = mode;
	if (mode & MODE_SYSTEM)
		c->status |= STATUS_SYSTEM;
	else
		c->status &= ~STATUS_SYSTEM;
	update_irqs(c);
	deliver(c);
}

static u8 output_port(const struct i8042 *c)
{
	bool full = c->status & STATUS_FULL, mouse = c->status & STATUS_FROM_MOUSE;

	return (u8)(0xc0 | (full && mouse) << 5 | (full && !mouse) << 4 |
		    (physmem_a20(c->mem) ? OUTPORT_A20 : 0) | OUTPORT_RUN);
}

static void write_output_port(struct i8042 *c, u8 value)
{
	physmem_set_a20(c->mem, value & OUTPORT_A20);
	if (!(value & OUTPORT_RUN))
		c->reset(c->ctx);
}

static void read_command(struct i8042 *c, u8 command)
{
	switch (command) {
	case CMD_READ_RAM ... CMD_READ_RAM_LAST:
		answer(c, c->ram[command - CMD_READ_RAM]);
		break;
	case CMD_PASSWORD_TEST:
		answer(c, 0xf1); /* none installed */
		break;
	case CMD_MOUSE_TEST:
	case CMD_KEYBOARD_TEST:
		answer(c, 0x00);
		break;
	case CMD_SELF_TEST:
		c->status |= STATUS_SYSTEM;
		*mode_of(c) |= MODE_SYSTEM;
		answer(c, 0x55);
		break;
	case CMD_READ_INPUT_PORT:
		answer(c, 0x80); /* keyboard not locked */
		break;
	case CMD_READ_OUTPUT_PORT:
		answer(c, output_port(c));
		break;
	case CMD_READ_TEST_INPUTS:
		answer(c, 0x00);
		break;
	default:
		break;
	}
}

static void write_command(struct i8042 *c, u8 command)
{
	u8 mode = *mode_of(c);

	c->status |= STATUS_COMMAND;
	c->command = 0;
	switch (command) {
	case CMD_WRITE_RAM ... CMD_WRITE_RAM_LAST:
	case CMD_WRITE_OUTPUT_PORT ... CMD_WRITE_MOUSE:
		c->command = command;
		break;
	case CMD_MOUSE_OFF:
		set_mode(c, mode | MODE_NO_MOUSE);
		break;
	case CMD_MOUSE_ON:
		set_mode(c, mode & ~MODE_NO_MOUSE);
		break;
	case CMD_KEYBOARD_OFF:
		set_mode(c, mode | MODE_NO_KEYBOARD);
		break;
	case CMD_KEYBOARD_ON:
		set_mode(c, mode & ~MODE_NO_KEYBOARD);
		break;
	case CMD_A20_OFF:
	case CMD_A20_ON:
		physmem_set_a20(c->mem, command == CMD_A20_ON);
		break;
	case CMD_PULSE ... 0xff:
		if (!(command & OUTPORT_RUN))
			c->reset(c->ctx);
		break;
	default:
		read_command(c, command);
		break;
	}
}

/* A device answers after the time that its byte takes on the cable. */
static void device_wrote(struct i8042 *c)
{
	c->ready_at = clock_now(c->clock) + BYTE_NS;
	deliver(c);
}

static void write_data(struct i8042 *c, u8 byte)
{
	u8 command = c->command;

	c->status &= ~STATUS_COMMAND;
	c->command = 0;
	switch (command) {
	case CMD_WRITE_RAM:
		set_mode(c, byte);
		break;
	case CMD_WRITE_RAM + 1 ... CMD_WRITE_RAM_LAST:
		c->ram[command - CMD_WRITE_RAM] = byte;
		break;
	case CMD_WRITE_OUTPUT_PORT:
		write_output_port(c, byte);
		break;
	case CMD_WRITE_KEYBOARD_BUFFER:
		fill(c, byte, false);
		break;
	case CMD_WRITE_MOUSE_BUFFER:
		fill(c, byte, true);
		break;
	case CMD_WRITE_MOUSE:
		*mode_of(c) &= ~MODE_NO_MOUSE;
		ps2_mouse_command(&c->mouse, byte);
		device_wrote(c);
		break;
	default:
		*mode_of(c) &= ~MODE_NO_KEYBOARD;
		ps2_keyboard_command(&c->keyboard, byte);
		device_wrote(c);
		break;
	}
}

static u8 read_data(struct i8042 *c)
{
	u8 byte = c->output;

	if (!(c->status & STATUS_FULL))
		return byte;
	c->status &= ~(STATUS_FULL | STATUS_FROM_MOUSE);
	update_irqs(c);
	c->ready_at = clock_now(c->clock) + BYTE_NS;
	deliver(c);
	return byte;
}

static u32 i8042_in(void *dev, u16 port, unsigned width)
{
	struct i8042 *c = dev;

	(void)width;
	return port & 4 ? c->status : read_data(c);
}

static void i8042_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct i8042 *c = dev;

	(void)width;
	if (port & 4)
		write_command(c, (u8)value);
	else
		write_data(c, (u8)value);
}

static const struct port_ops i8042_ops = {.in = i8042_in, .out = i8042_out, .widths = 1};

void i8042_key(struct i8042 *c, u8 set1)
{
	ps2_keyboard_key(&c->keyboard, set1);
	deliver(c);
}

void i8042_mouse(struct i8042 *c, s8 dx, s8 dy, u8 buttons)
{
	ps2_mouse_move(&c->mouse, dx, dy, buttons);
	deliver(c);
}

void i8042_reset(struct i8042 *c)
{
	timer_cancel(c->clock, &c->timer);
	ps2_keyboard_reset(&c->keyboard);
	ps2_mouse_reset(&c->mouse);
	memset(c->ram, 0, sizeof(c->ram));
	*mode_of(c) = MODE_KEYBOARD_IRQ | MODE_MOUSE_IRQ;
	c->status = STATUS_COMMAND | STATUS_UNLOCKED;
	c->command = 0;
	c->reply_waits = c->break_prefix = false;
	c->ready_at = 0;
	c->held = 0;
	update_irqs(c);
}

void i8042_init(struct i8042 *c, struct bus *bus, struct clock *clock, struct physmem *mem,
		struct irq_pin irq_keyboard, struct irq_pin irq_mouse, void (*reset)(void *ctx),
		void *ctx)
{
	int ports;

	memset(c, 0, sizeof(*c));
	c->clock = clock;
	c->mem = mem;
	c->irq_keyboard = irq_keyboard;
	c->irq_mouse = irq_mouse;
	c->reset = reset;
	c->ctx = ctx;
	timer_init(&c->timer, timer_due, c);
	i8042_reset(c);
	ports = bus_register(bus, 0x60, 0x60, ROUTE_VIRTUAL, &i8042_ops, c, "i8042");
	if (ports >= 0)
		bus_add_range(bus, ports, 0x64, 0x64);
}
