/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parallel port of this machine through ppdev (linux/ppdev.h): the guest's data, status and
 * control registers are the port's own. The line goes up with the port's interrupt, and down when
 * the guest looks at the status, as with our own port (devices/lpt.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ppdev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/absence.h"
#include "host/device.h"
#include "lib/log.h"

enum { REG_DATA, REG_STATUS, REG_CONTROL, REGS };

#define CONTROL_LINES	0x0f /* STROBE#, AUTOFD#, INIT#, SELECT IN#: what ppdev lets us set */
#define CONTROL_IRQ	0x10
#define CONTROL_REVERSE 0x20 /* the data lines come in */
#define CONTROL_UNUSED	0xc0
#define CONTROL_RESET	0x0c
#define NOTHING		0xff /* where there is no port */

struct parport {
	struct absence absence;
	struct irq_pin irq;
	int fd; /* -1: gone */
	u8 control;
};

/* --- the port --- */

static bool gone(struct parport *p)
{
	close(p->fd);
	p->fd = -1;
	absence_begin(&p->absence, strerror(errno));
	return false;
}

static u8 read_byte(struct parport *p, unsigned long request)
{
	u8 byte = NOTHING;

	if (p->fd >= 0 && ioctl(p->fd, request, &byte)) {
		gone(p);
		byte = NOTHING;
	}
	return byte;
}

/* arg: a byte or an int, as the request has it. */
static void order(struct parport *p, unsigned long request, void *arg)
{
	if (p->fd >= 0 && ioctl(p->fd, request, arg))
		gone(p);
}

static void put_control(struct parport *p)
{
	int reverse = (p->control & CONTROL_REVERSE) != 0;
	u8 lines = p->control & CONTROL_LINES;

	order(p, PPDATADIR, &reverse);
	order(p, PPWCONTROL, &lines);
}

/* 0, or an errno. A port that lp or another program has cannot be had for ourselves: ENXIO. */
static int open_port(struct parport *p)
{
	int fd = open(p->absence.path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (ioctl(fd, PPEXCL) || ioctl(fd, PPCLAIM)) {
		int error = errno;

		close(fd);
		return error;
	}
	p->fd = fd;
	absence_end(&p->absence);
	put_control(p);
	return 0;
}

/* --- the guest's side --- */

static u32 port_in(void *dev, u16 port, unsigned width)
{
	struct device *d = dev;
	struct parport *p = d->chip;

	(void)width;
	switch (port - d->config.base) {
	case REG_DATA:
		return read_byte(p, PPRDATA);
	case REG_STATUS:
		irq_set(&p->irq, false);
		return read_byte(p, PPRSTATUS);
	default:
		return (read_byte(p, PPRCONTROL) & CONTROL_LINES) | CONTROL_UNUSED |
		       (p->control & (CONTROL_IRQ | CONTROL_REVERSE));
	}
}

/* Those that came while the guest wanted none are none. */
static void enable_interrupts(struct parport *p, bool on)
{
	int count;

	if (!on)
		irq_set(&p->irq, false);
	else if (!(p->control & CONTROL_IRQ))
		order(p, PPCLRIRQ, &count);
}

static void port_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct device *d = dev;
	struct parport *p = d->chip;
	u8 byte = (u8)value;

	(void)width;
	switch (port - d->config.base) {
	case REG_DATA:
		order(p, PPWDATA, &byte);
		break;
	case REG_CONTROL:
		enable_interrupts(p, (byte & CONTROL_IRQ) != 0);
		p->control = byte;
		put_control(p);
		break;
	default:
		break;
	}
}

static const struct port_ops ops = {.in = port_in, .out = port_out, .widths = 1};

/* --- the device --- */

/* The count is read even when the guest does not want it: the file would stay readable. */
static void take_interrupts(struct parport *p)
{
	int count = 0;

	if (p->fd < 0)
		return;
	if (ioctl(p->fd, PPCLRIRQ, &count)) {
		gone(p);
		return;
	}
	if (!count || !(p->control & CONTROL_IRQ))
		return;
	irq_set(&p->irq, false);
	irq_set(&p->irq, true);
}

static void move(struct device *d)
{
	struct parport *p = d->chip;
	int error = 0;

	if (p->fd < 0 && absence_due(&p->absence))
		error = open_port(p);
	if (error)
		absence_begin(&p->absence, strerror(error));
	if (d->ready && d->leased && p->control & CONTROL_IRQ)
		take_interrupts(p);
}

static void await(struct device *d, struct pollfd *fd)
{
	const struct parport *p = d->chip;

	if (!d->leased || !(p->control & CONTROL_IRQ))
		return;
	fd->fd = p->fd;
	fd->events = POLLIN;
}

static void reset(struct device *d)
{
	u8 zero = 0;
	struct parport *p = d->chip;

	p->control = CONTROL_RESET;
	irq_set(&p->irq, false);
	put_control(p);
	order(p, PPWDATA, &zero);
}

static void close_parport(struct device *d)
{
	struct parport *p = d->chip;

	absence_stop(&p->absence);
	if (p->fd >= 0) {
		ioctl(p->fd, PPRELEASE);
		close(p->fd);
	}
	free(p);
}

static bool open_parport(struct device *d)
{
	struct parport *p = calloc(1, sizeof(*p));
	u16 base = d->config.base;
	int error;

	if (!p) {
		log_error("export %s: out of memory", d->config.name);
		return false;
	}
	d->chip = p;
	p->fd = -1;
	p->control = CONTROL_RESET;
	p->irq = device_pin(d);
	absence_init(&p->absence, d->config.name, d->config.path, &d->clock);
	error = open_port(p);
	if (!error && bus_register(&d->bus, base, (u16)(base + REGS - 1), ROUTE_LOCAL, &ops, d,
				   d->config.name) >= 0)
		return true;
	if (error)
		log_error("export %s: parport %s: %s%s", d->config.name, d->config.path,
			  strerror(error),
			  error == ENXIO ? ": expected a port that no other driver (lp) has" : "");
	close_parport(d);
	return false;
}

const struct device_ops device_parport = {.open = open_parport,
					  .close = close_parport,
					  .quiesce = reset,
					  .reset = reset,
					  .await = await,
					  .move = move};
