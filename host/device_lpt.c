/* SPDX-License-Identifier: BSD-2-Clause */
/* A parallel port whose printer appends to a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/lpt.h"
#include "host/device.h"
#include "lib/log.h"

#define HELD 4096u /* bytes until the end of a turn */

struct printer {
	struct lpt chip;
	int fd;
	bool failed; /* said so once */
	u32 held;
	u8 byte[HELD];
};

static void put_held(struct device *d)
{
	struct printer *p = d->chip;
	u32 done = 0;

	while (done < p->held) {
		ssize_t put = write(p->fd, p->byte + done, p->held - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			break;
		done += (u32)put;
	}
	if (done < p->held && !p->failed)
		log_error("%s: %s: %s: what is printed is lost", d->config.name, d->config.path,
			  strerror(errno));
	p->failed = done < p->held;
	p->held = 0;
}

static void print_byte(void *ctx, u8 byte)
{
	struct device *d = ctx;
	struct printer *p = d->chip;

	p->byte[p->held++] = byte;
	if (p->held == HELD)
		put_held(d);
}

static void move(struct device *d)
{
	const struct printer *p = d->chip;

	if (p->held)
		put_held(d);
}

static void reset(struct device *d)
{
	struct printer *p = d->chip;

	lpt_reset(&p->chip);
}

static void close_printer(struct device *d)
{
	struct printer *p = d->chip;

	move(d);
	if (close(p->fd))
		log_error("%s: %s: %s", d->config.name, d->config.path, strerror(errno));
	free(p);
}

static bool open_printer(struct device *d)
{
	struct lpt_config config = {.name = d->config.name,
				    .bus = &d->bus,
				    .clock = &d->clock,
				    .irq = device_pin(d),
				    .base = d->config.base,
				    .out = {print_byte, d}};
	struct printer *p = calloc(1, sizeof(*p));

	if (!p) {
		log_error("export %s: out of memory", d->config.name);
		return false;
	}
	d->chip = p;
	p->fd = open(d->config.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (p->fd < 0)
		log_error("export %s: file %s: %s", d->config.name, d->config.path,
			  strerror(errno));
	else if (!lpt_init(&p->chip, &config))
		return true;
	else
		close(p->fd);
	free(p);
	return false;
}

/* A printer at rest is one after INIT#. */
const struct device_ops device_lpt = {.open = open_printer,
				      .close = close_printer,
				      .quiesce = reset,
				      .reset = reset,
				      .move = move};
