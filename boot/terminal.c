/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/terminal.h"
#include "boot/host.h"
#include "lib/log.h"

/* Bytes that wait in a serial port's own ring; more would only be older. */
#define BACKLOG 4096u

static struct terminal *create(void)
{
	struct terminal *t = host_alloc(sizeof(*t));

	if (!t)
		return NULL;
	t->held = -1;
	screen_init(&t->mirror);
	return t;
}

struct terminal *terminal_serial(unsigned com, u32 baud)
{
	struct terminal *t = create();

	if (!t) {
		log_warn("no memory for the console");
		return NULL;
	}
	t->port = host_serial_open(com, baud);
	if (!t->port) {
		log_warn("console: this PC has no com%u: no console", com);
		return NULL;
	}
	t->port_size = serial_space(t->port);
	t->on = t->types = true;
	return t;
}

struct terminal *terminal_remote(bool types)
{
	struct terminal *t = create();

	if (t)
		t->types = types;
	return t;
}

int terminal_getc(struct terminal *t)
{
	int byte = t->held;

	t->held = -1;
	if (byte >= 0)
		return byte;
	if (t->port)
		return serial_getc(t->port);
	return t->head == t->tail ? -1 : t->typed[t->tail++ % TERMINAL_TYPED];
}

void terminal_drain(struct terminal *t)
{
	u8 byte;

	while (t->port && t->port_size - serial_space(t->port) < BACKLOG &&
	       ansi_take(&t->mirror.ansi, &byte, 1))
		serial_putc(t->port, byte);
}

/* --- the service --- */

static u32 waiting(void *ctx)
{
	return terminal_waiting(ctx);
}

static void take(void *ctx, u8 *buf, u32 len)
{
	struct terminal *t = ctx;

	ansi_take(&t->mirror.ansi, buf, len);
}

static u32 room(void *ctx)
{
	const struct terminal *t = ctx;

	return TERMINAL_TYPED - (t->head - t->tail);
}

static void give(void *ctx, const u8 *buf, u32 len)
{
	struct terminal *t = ctx;

	for (u32 i = 0; i < len && t->on && t->types; i++)
		t->typed[t->head++ % TERMINAL_TYPED] = buf[i];
	host_wake();
}

static u32 state(void *ctx)
{
	const struct terminal *t = ctx;
	u32 value = t->mirror.ansi.columns | (u32)t->mirror.ansi.rows << 8;

	value |= t->types ? TERMINAL_TYPES : 0;
	value |= t->in_monitor ? TERMINAL_MONITOR : 0;
	return value | (t->mirror.text ? TERMINAL_TEXT : 0);
}

/* What was typed before is still to be taken. */
static void end(void *ctx)
{
	struct terminal *t = ctx;

	t->on = t->began = false;
	t->mirror.ansi.tail = t->mirror.ansi.head;
}

static void begin(void *ctx)
{
	struct terminal *t = ctx;

	end(t);
	screen_redraw(&t->mirror);
	t->on = t->began = true;
	host_wake();
}

const struct service_ops terminal_console = {
	.name = "console",
	.begin = begin,
	.waiting = waiting,
	.take = take,
	.room = room,
	.give = give,
	.state = state,
	.end = end,
};

const struct service_ops terminal_screen = {
	.name = "screen",
	.begin = begin,
	.waiting = waiting,
	.take = take,
	.room = room,
	.give = give,
	.state = state,
	.end = end,
};
