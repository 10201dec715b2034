/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports of this machine itself, for a card that no driver here uses. Its interrupt comes through
 * UIO (the kernel's Documentation/driver-api/uio-howto): reading /dev/uioN waits for one, which
 * leaves the line disabled; writing a 1 enables it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/absence.h"
#include "host/device.h"
#include "host/real_ports.h"
#include "lib/log.h"

struct ports {
	struct absence absence; /* of UIO */
	struct irq_pin irq;
	struct port_ops ops;
	int uio;      /* -1: none, or gone */
	bool enabled; /* as last written */
};

/* --- ports --- */

static u32 port_in(void *dev, u16 port, unsigned width)
{
	(void)dev;
	return real_port_in(port, width);
}

static void port_out(void *dev, u16 port, unsigned width, u32 value)
{
	(void)dev;
	real_port_out(port, width, value);
}

/* --- the interrupt --- */

static void gone(struct ports *p, const char *why)
{
	close(p->uio);
	p->uio = -1;
	p->enabled = false;
	absence_begin(&p->absence, why);
}

static void enable(struct ports *p)
{
	const u32 one = 1;

	if (p->uio < 0 || p->enabled)
		return;
	if (write(p->uio, &one, sizeof(one)) == (ssize_t)sizeof(one))
		p->enabled = true;
	else
		gone(p, strerror(errno));
}

/* What came while it was masked was kept by the card: the line is enabled again only now. */
static void mask(struct device *d, bool masked)
{
	if (!masked)
		enable(d->chip);
}

static void take_interrupt(struct ports *p)
{
	u32 count;
	ssize_t got = read(p->uio, &count, sizeof(count));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != (ssize_t)sizeof(count)) {
		gone(p, got < 0 ? strerror(errno) : "no number of interrupts");
		return;
	}
	p->enabled = false;
	/* An edge; it is not forgotten while the line is masked. */
	irq_set(&p->irq, false);
	irq_set(&p->irq, true);
}

static int open_uio(struct ports *p)
{
	p->uio = open(p->absence.path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (p->uio < 0)
		return errno;
	absence_end(&p->absence);
	return 0;
}

static void move(struct device *d)
{
	struct ports *p = d->chip;
	int error = 0;

	if (d->config.irq < 0)
		return;
	if (p->uio < 0 && absence_due(&p->absence))
		error = open_uio(p);
	if (error)
		absence_begin(&p->absence, strerror(error));
	if (!d->masked)
		enable(p);
	if (p->uio >= 0 && p->enabled && d->ready)
		take_interrupt(p);
}

static void await(struct device *d, struct pollfd *fd)
{
	const struct ports *p = d->chip;

	if (!p->enabled)
		return;
	fd->fd = p->uio;
	fd->events = POLLIN;
}

/* --- the device --- */

/* Nobody knows what is at these ports: only its interrupt can be kept away, and that is masked. */
static void nothing(struct device *d)
{
	(void)d;
}

static void close_ports(struct device *d)
{
	struct ports *p = d->chip;

	absence_stop(&p->absence);
	if (p->uio >= 0)
		close(p->uio);
	real_ports_close(d->config.range, d->config.ranges);
	free(p);
}

static bool register_ports(struct device *d)
{
	struct ports *p = d->chip;
	const struct port_range *r = d->config.range;
	int handler = bus_register(&d->bus, r[0].first, r[0].last, ROUTE_LOCAL, &p->ops, p,
				   d->config.name);

	for (unsigned i = 1; i < d->config.ranges && handler >= 0; i++)
		bus_add_range(&d->bus, handler, r[i].first, r[i].last);
	return handler >= 0;
}

static bool open_ports(struct device *d)
{
	struct ports *p = calloc(1, sizeof(*p));
	char used[160];
	int error = 0;

	if (!p) {
		log_error("export %s: out of memory", d->config.name);
		return false;
	}
	d->chip = p;
	p->uio = -1;
	p->irq = device_pin(d);
	absence_init(&p->absence, d->config.name, d->config.path, &d->clock);
	if (real_ports_used(d->config.range, d->config.ranges, used, sizeof(used))) {
		log_error("export %s: %s: expected ports that none has", d->config.name, used);
	} else if (d->config.irq >= 0 && (error = open_uio(p)) != 0) {
		log_error("export %s: uio %s: %s", d->config.name, d->config.path, strerror(error));
	} else if (real_ports_open(d->config.name, d->config.range, d->config.ranges)) {
		p->ops = (struct port_ops){.in = port_in,
					   .out = port_out,
					   .widths = real_ports_wide() ? 7 : 1,
					   .unaligned = real_ports_wide()};
		if (register_ports(d))
			return true;
	}
	close_ports(d);
	return false;
}

const struct device_ops device_ports = {.open = open_ports,
					.close = close_ports,
					.quiesce = nothing,
					.reset = nothing,
					.mask = mask,
					.await = await,
					.move = move};
