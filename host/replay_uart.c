/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550 in a replay. What it received is seen in what was read from it: the next byte comes
 * when a read shows that it was there. So do changes of the modem lines.
 */
#include "devices/uart16550.h"
#include "host/replay_model.h"

enum { REG_DATA, REG_LCR = 3, REG_MCR = 4, REG_MSR = 6, PORTS = 8 };
#define LCR_DLAB 0x80u
#define MCR_LOOP 0x10u
#define LINES	 (UART_CTS | UART_DSR | UART_RI | UART_DCD)

static unsigned reg_of(const struct model *m, const struct trace_event *e)
{
	return e->kind == TRACE_IN || e->kind == TRACE_OUT ? (unsigned)(e->port - m->o.base)
							   : PORTS;
}

static void send_nowhere(void *ctx, u8 byte)
{
	(void)ctx;
	(void)byte;
}

/* The modem lines as the guest first saw them, if it looked at any but its own. */
static bool has_cable(const struct model *m, const struct replay_list *l)
{
	bool loop = false;

	for (u32 i = 0; i < l->count; i++) {
		const struct trace_event *e = &l->record[i].e;
		unsigned reg = reg_of(m, e);

		if (reg == REG_MCR && e->kind == TRACE_OUT)
			loop = e->value & MCR_LOOP;
		else if (reg == REG_MSR && e->kind == TRACE_IN && !loop)
			return e->value & LINES;
	}
	return false;
}

/* The byte that was read from the FIFO after `before` others, from record i on. -1: none was. */
static int byte_read(const struct model *m, const struct replay_list *l, u32 i, u32 before)
{
	const struct uart16550 *u = m->state;
	bool dlab = u->lcr & LCR_DLAB;

	for (; i < l->count; i++) {
		const struct trace_event *e = &l->record[i].e;
		unsigned reg = reg_of(m, e);

		if (reg == REG_LCR && e->kind == TRACE_OUT)
			dlab = e->value & LCR_DLAB;
		else if (reg == REG_DATA && e->kind == TRACE_IN && !dlab && !before--)
			return (int)e->value;
	}
	return -1;
}

static bool input(struct model *m, const struct replay_list *l, u32 i, u32 n)
{
	const struct trace_event *e = &l->record[i].e;
	struct uart16550 *u = m->state;
	int byte;

	if (reg_of(m, e) == REG_MSR) {
		uart16550_set_modem(u, (u8)(e->value & LINES));
		return n == 1;
	}
	byte = uart16550_space(u) ? byte_read(m, l, i, u->rx.count) : -1;
	if (byte >= 0)
		uart16550_receive(u, (u8)byte);
	return byte >= 0;
}

static void reset(struct model *m)
{
	uart16550_reset(m->state);
}

static bool open_uart(struct model *m, const struct replay_list *l)
{
	struct uart16550_config config = {
		.name = "uart", .bus = &m->bus, .clock = &m->clock, .base = m->o.base};

	if (has_cable(m, l))
		config.out.write = send_nowhere;
	m->target.range[m->target.ranges++] =
		(struct port_range){m->o.base, (u16)(m->o.base + PORTS - 1)};
	return !uart16550_init(m->state, &config);
}

const struct model_kind model_uart = {
	.open = open_uart, .reset = reset, .input = input, .state_size = sizeof(struct uart16550)};
