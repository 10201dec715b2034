/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that `farbus serve` lends out: a chip model with something of this machine behind it.
 * Each has a bus, a clock and interrupt lines of its own, so that it can come and go alone.
 */
#ifndef FARBUS_HOST_DEVICE_H
#define FARBUS_HOST_DEVICE_H

#include <poll.h>

#include "devices/bus.h"
#include "devices/irq.h"
#include "devices/timer.h"
#include "host/serve_config.h"

struct device;

struct device_ops {
	/* The chip and what is behind it; d->config is there. False with a line in the log. */
	bool (*open)(struct device *d);
	void (*close)(struct device *d);
	/* No interrupt, nothing half done: before anyone else gets it. */
	void (*quiesce)(struct device *d);
	void (*reset)(struct device *d); /* as after power-on */
	/* What to await, once a turn; fd -1: nothing. May be NULL, as the next one. */
	void (*await)(struct device *d, struct pollfd *fd);
	/* The line was masked or unmasked; may be NULL. */
	void (*mask)(struct device *d, bool masked);
	/* Bytes that wait on either side go where they belong; never waits. */
	void (*move)(struct device *d);
};

struct device {
	const struct device_ops *ops;
	struct device_config config;
	struct bus bus;
	struct clock clock;
	struct irq_lines lines;
	struct server *server; /* is told of interrupts */
	bool leased;
	short ready;	      /* what await() has found: revents, for one turn */
	bool masked, latched; /* the line, at this device's "interrupt controller" */
	void *chip;	      /* of the kind's own */
};

/* NULL with a line in the log. */
struct device *device_open(const struct device_config *config, struct server *server);
void device_close(struct device *d);
/* The wire of the device's line. */
struct irq_pin device_pin(struct device *d);
/* An edge of the line is told to the server when it is unmasked. */
void device_mask(struct device *d, bool masked);
/* Fires timers that are due. What they have to move is moved at the device's next move(). */
void device_run(struct device *d);
/* The first timer's, in ns of wire_now(); TIMER_NEVER: none. */
u64 device_deadline(const struct device *d);

extern const struct device_ops device_uart, device_ata, device_lpt, device_parport, device_ports;

#endif
