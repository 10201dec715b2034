/* SPDX-License-Identifier: BSD-2-Clause */
/* An ATA channel with disks and CD-ROM drives on files or block devices. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/atapi.h"
#include "host/device.h"
#include "host/medium.h"
#include "host/slow_block.h"
#include "lib/log.h"

#define DISK_SECTOR 512u

/* Device control (ATA-1, X3.221). */
#define ATA_NIEN 0x02u
#define ATA_SRST 0x04u

struct channel {
	struct ide_channel chip;
	struct medium medium[2];
	struct slow_block slow[2]; /* in front of medium[]: a slow one holds up nobody else */
	int event;		   /* is readable when one of them is ready */
};

static bool is_open(const struct channel *c, unsigned i)
{
	return c->medium[i].block.ops != NULL;
}

static void flush(struct channel *c)
{
	for (unsigned i = 0; i < 2; i++)
		if (is_open(c, i) && !c->medium[i].block.read_only)
			slow_block_flush(&c->slow[i]);
}

/* What the guest has written gets safe; a command that was under way is over. */
static void quiesce(struct device *d)
{
	bus_out(&d->bus, d->config.control, 1, ATA_SRST | ATA_NIEN);
	bus_out(&d->bus, d->config.control, 1, ATA_NIEN);
	flush(d->chip);
}

static void reset(struct device *d)
{
	struct channel *c = d->chip;

	ide_reset(&c->chip);
	flush(c);
}

/*
 * A disk that is gone gives errors; a drive's disc that is gone is an open tray, and the next one a
 * new disc. The guest closes a tray only for a moment.
 */
static void tend(struct channel *c, unsigned i)
{
	struct medium *m = &c->medium[i];
	struct ide_drive *drive = &c->chip.drive[i];
	bool changed = medium_tend(m);

	if (changed)
		slow_block_resized(&c->slow[i]);
	if (!m->removable)
		return;
	if (m->fd < 0)
		drive->tray_open = true;
	if (changed && m->fd >= 0) {
		drive->tray_open = false;
		drive->unit_attention = true;
	}
}

static void move(struct device *d)
{
	struct channel *c = d->chip;
	u64 count;

	if (c->chip.after_block && read(c->event, &count, sizeof(count)) > 0)
		ide_block_ready(&c->chip);
	for (unsigned i = 0; i < 2; i++)
		if (is_open(c, i) && !slow_block_busy(&c->slow[i]))
			tend(c, i);
}

static void await(struct device *d, struct pollfd *fd)
{
	struct channel *c = d->chip;

	if (c->chip.after_block)
		*fd = (struct pollfd){.fd = c->event, .events = POLLIN};
}

static void free_channel(struct channel *c)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!is_open(c, i))
			continue;
		if (c->slow[i].inner)
			slow_block_end(&c->slow[i]);
		absence_stop(&c->medium[i].absence);
		medium_close(&c->medium[i]);
	}
	close(c->event);
	free(c);
}

static void close_channel(struct device *d)
{
	flush(d->chip);
	free_channel(d->chip); /* waits for that */
}

/* A drive without a disc has no medium. */
static bool open_drive(struct device *d, unsigned i, struct ide_drive_config *drive)
{
	struct channel *c = d->chip;
	struct medium *m = &c->medium[i];
	const struct medium_config *config = &d->config.medium[i];
	bool disk = config->kind == MEDIUM_DISK;

	if (config->kind == MEDIUM_NONE)
		return true;
	drive->kind = disk ? IDE_DISK : IDE_CDROM;
	if (!config->path[0])
		return true;
	if (!medium_open(m, d->config.name, config->path, disk ? DISK_SECTOR : CD_SECTOR,
			 config->read_only, !disk, &d->clock))
		return false;
	slow_block_init(&c->slow[i], &m->block, c->event);
	c->slow[i].at_once = medium_read_at_once;
	drive->block = &c->slow[i].block;
	return true;
}

static bool open_channel(struct device *d)
{
	struct ide_config config = {.name = d->config.name,
				    .bus = &d->bus,
				    .clock = &d->clock,
				    .irq = device_pin(d),
				    .command_base = d->config.base,
				    .control_port = d->config.control};
	struct channel *c = calloc(1, sizeof(*c));
	bool good = c != NULL;

	if (good)
		c->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!good || c->event < 0) {
		log_error("export %s: %s", d->config.name, strerror(errno));
		free(c);
		return false;
	}
	d->chip = c;
	c->medium[0].fd = c->medium[1].fd = -1;
	for (unsigned i = 0; i < 2 && good; i++)
		good = open_drive(d, i, &config.drive[i]);
	if (!good || ide_init(&c->chip, &config)) { /* looks at the partition table, too */
		free_channel(c);
		return false;
	}
	slow_block_begin(&c->slow[0]);
	slow_block_begin(&c->slow[1]);
	return true;
}

const struct device_ops device_ata = {.open = open_channel,
				      .close = close_channel,
				      .quiesce = quiesce,
				      .reset = reset,
				      .await = await,
				      .move = move};
