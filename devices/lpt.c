/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: a PC's parallel port in standard mode, with a printer that is out of paper where whoever
 *	takes its bytes says so, and that throws away what it prints where the configuration leads
 *	it nowhere.
 * Documentation: IBM PC AT Technical Reference, "Serial/Parallel Adapter"; IEEE 1284 for the names.
 * Modelled: data, status and control registers, the strobe, BUSY and ACK#, IRQ 7 on ACK#.
 * Not modelled: the reverse direction (PS/2, EPP, ECP): the data port always reads back.
 *
 * ACK# stays low until the host has looked at the status port: a real pulse of a few microseconds
 * is seen by a fast CPU that polls for it, as SeaBIOS does, but would be missed by a slow one.
 */
#include "devices/lpt.h"
#include "lib/str.h"

enum { REG_DATA, REG_STATUS, REG_CONTROL };

/*
 * Status: bit 7 is BUSY inverted, the others are the lines' levels. Bits 0-2 are 0: SeaBIOS hands
 * them on, and INT 17h's bit 0 is the time-out.
 */
#define STATUS_READY	0x80
#define STATUS_ACK	0x40
#define STATUS_PAPER	0x20 /* out of it */
#define STATUS_SELECT	0x10
#define STATUS_NO_ERROR 0x08

#define CONTROL_STROBE 0x01
#define CONTROL_IRQ    0x10
#define CONTROL_UNUSED 0xe0
#define CONTROL_RESET  0x0c /* INIT# high, SELECT IN# low */

#define BUSY_NS 5000u

static void update_irq(struct lpt *l)
{
	irq_set(&l->irq, l->ack && (l->control & CONTROL_IRQ));
}

static void printed(void *ctx)
{
	struct lpt *l = ctx;

	l->busy = false;
	l->ack = true;
	update_irq(l);
}

static void poll_timer(struct lpt *l)
{
	if (l->busy && clock_now(l->clock) >= l->timer.deadline) {
		timer_cancel(l->clock, &l->timer);
		printed(l);
	}
}

/* One that is out of paper is busy, and looks at no strobe. */
static void strobe(struct lpt *l)
{
	if (l->stopped)
		return;
	if (l->out.write)
		l->out.write(l->out.ctx, l->data);
	l->busy = true;
	l->ack = false;
	timer_arm(l->clock, &l->timer, clock_now(l->clock) + BUSY_NS);
}

static u8 read_status(struct lpt *l)
{
	u8 status = STATUS_SELECT | (l->stopped ? STATUS_PAPER : STATUS_NO_ERROR);

	if (!l->busy && !l->stopped)
		status |= STATUS_READY;
	if (!l->ack)
		status |= STATUS_ACK;
	l->ack = false;
	update_irq(l);
	return status;
}

static void write_control(struct lpt *l, u8 value)
{
	u8 old = l->control;

	l->control = value & ~CONTROL_UNUSED;
	if (value & ~old & CONTROL_STROBE)
		strobe(l);
	update_irq(l);
}

static u32 lpt_in(void *dev, u16 port, unsigned width)
{
	struct lpt *l = dev;

	(void)width;
	poll_timer(l);
	switch (port - l->base) {
	case REG_DATA:
		return l->data;
	case REG_STATUS:
		return read_status(l);
	default:
		return l->control | CONTROL_UNUSED;
	}
}

static void lpt_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct lpt *l = dev;

	(void)width;
	poll_timer(l);
	if (port - l->base == REG_DATA)
		l->data = (u8)value;
	else if (port - l->base == REG_CONTROL)
		write_control(l, (u8)value);
}

static const struct port_ops lpt_ops = {
	.in = lpt_in,
	.out = lpt_out,
	.widths = 1,
};

int lpt_init(struct lpt *l, const struct lpt_config *config)
{
	memset(l, 0, sizeof(*l));
	l->clock = config->clock;
	l->irq = config->irq;
	l->out = config->out;
	l->base = config->base;
	timer_init(&l->timer, printed, l);
	if (bus_register(config->bus, l->base, l->base + 2, ROUTE_VIRTUAL, &lpt_ops, l,
			 config->name) < 0)
		return -1;
	lpt_reset(l);
	return 0;
}

void lpt_reset(struct lpt *l)
{
	timer_cancel(l->clock, &l->timer);
	l->data = 0;
	l->control = CONTROL_RESET;
	l->busy = l->ack = false;
	update_irq(l);
}

void lpt_stop(struct lpt *l, bool stopped)
{
	l->stopped = stopped;
}
