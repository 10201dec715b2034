/* SPDX-License-Identifier: BSD-2-Clause */
/* A parallel port whose printer appends to a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/lpt.h"
#include "host/absence.h"
#include "host/device.h"
#include "lib/log.h"

#define HELD 4096u /* bytes until the end of a turn, or until the file takes them again */

struct printer {
	struct lpt chip;
	struct absence absence;
	int fd; /* -1: not to be had now */
	u32 held;
	u8 byte[HELD];
};

static int open_file(struct printer *p)
{
	p->fd = open(p->absence.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	return p->fd < 0 ? errno : 0;
}

/* The guest sees a printer that is out of paper; what is held is printed when there is more. */
static void stop(struct printer *p, int error)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	absence_begin(&p->absence, strerror(error));
	lpt_stop(&p->chip, true);
}

static void put_held(struct printer *p)
{
	u32 done = 0;
	ssize_t put = 0;

	while (done < p->held && (put = write(p->fd, p->byte + done, p->held - done)) != 0) {
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			break;
		done += (u32)put;
	}
	p->held -= done;
	memmove(p->byte, p->byte + done, p->held);
	if (p->held) {
		stop(p, put < 0 ? errno : EIO);
		return;
	}
	absence_end(&p->absence);
	lpt_stop(&p->chip, false);
}

/* Out of paper from the first byte that there is no room for. */
static void print_byte(void *ctx, u8 byte)
{
	struct device *d = ctx;
	struct printer *p = d->chip;

	p->byte[p->held++] = byte;
	if (p->held == HELD)
		put_held(p);
}

static void move(struct device *d)
{
	struct printer *p = d->chip;
	int error = 0;

	if (p->fd < 0 && !absence_due(&p->absence))
		return;
	if (p->fd < 0)
		error = open_file(p);
	if (error)
		stop(p, error);
	else if (p->held || p->chip.stopped)
		put_held(p);
}

static void reset(struct device *d)
{
	struct printer *p = d->chip;

	lpt_reset(&p->chip);
}

static void close_printer(struct device *d)
{
	struct printer *p = d->chip;

	if (p->fd >= 0 && p->held)
		put_held(p);
	if (p->held)
		log_error("%s: %s: the last %u bytes are lost", d->config.name, d->config.path,
			  p->held);
	if (p->fd >= 0 && close(p->fd))
		log_error("%s: %s: %s", d->config.name, d->config.path, strerror(errno));
	absence_stop(&p->absence);
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
	absence_init(&p->absence, d->config.name, d->config.path, &d->clock);
	if (open_file(p))
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
