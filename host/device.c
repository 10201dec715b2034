/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/device.h"

#include <stdlib.h>

#include "host/wire.h"
#include "lib/log.h"

static const struct device_ops *const kinds[] = {[DEVICE_UART] = &device_uart,
						 [DEVICE_ATA] = &device_ata,
						 [DEVICE_LPT] = &device_lpt,
						 [DEVICE_PARPORT] = &device_parport,
						 [DEVICE_PORTS] = &device_ports};

static u64 read_clock(void *ctx)
{
	(void)ctx;
	return wire_now();
}

/* --- the line, as a PC's 8259A sees it: edges, which a mask keeps but does not forget --- */

static void deliver(struct device *d)
{
	if (!d->latched || d->masked)
		return;
	d->latched = false;
	server_irq(d->server, (unsigned)d->config.irq, wire_now());
}

static void line_changed(void *ctx, unsigned line, bool level)
{
	struct device *d = ctx;

	(void)line;
	d->latched = level;
	deliver(d);
}

void device_mask(struct device *d, bool masked)
{
	d->masked = masked;
	if (d->ops->mask)
		d->ops->mask(d, masked);
	deliver(d);
}

struct irq_pin device_pin(struct device *d)
{
	struct irq_pin pin = {&d->lines, (u8)d->config.irq, 0};

	if (d->config.irq < 0)
		pin = (struct irq_pin){NULL, 0, 0};
	return pin;
}

/* --- coming and going --- */

struct device *device_open(const struct device_config *config, struct server *server)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d) {
		log_error("export %s: out of memory", config->name);
		return NULL;
	}
	bus_init(&d->bus);
	d->config = *config;
	d->ops = kinds[config->kind];
	d->server = server;
	d->masked = true;
	d->clock.read = read_clock;
	d->lines.changed = line_changed;
	d->lines.ctx = d;
	if (d->ops->open(d))
		return d;
	free(d);
	return NULL;
}

void device_close(struct device *d)
{
	d->ops->close(d);
	free(d);
}

void device_run(struct device *d)
{
	clock_run(&d->clock);
}

u64 device_deadline(const struct device *d)
{
	return d->clock.first ? d->clock.first->deadline : TIMER_NEVER;
}
