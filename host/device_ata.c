/* SPDX-License-Identifier: BSD-2-Clause */
/* An ATA channel with disks and CD-ROM drives on files or block devices. */
#include <stdlib.h>

#include "devices/atapi.h"
#include "host/device.h"
#include "host/medium.h"
#include "lib/log.h"

#define DISK_SECTOR 512u

/* Device control (ATA-1, X3.221). */
#define ATA_NIEN 0x02u
#define ATA_SRST 0x04u

struct channel {
	struct ide_channel chip;
	struct medium medium[2];
};

static void flush(struct channel *c)
{
	for (unsigned i = 0; i < 2; i++) {
		struct block *b = &c->medium[i].block;

		if (c->medium[i].fd >= 0 && !b->read_only)
			b->ops->flush(b);
	}
}

/* What the guest has written is safe then, and a command that was under way is over. */
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
static void move(struct device *d)
{
	struct channel *c = d->chip;

	for (unsigned i = 0; i < 2; i++) {
		struct medium *m = &c->medium[i];
		struct ide_drive *drive = &c->chip.drive[i];
		bool changed = medium_tend(m);

		if (!m->removable)
			continue;
		if (m->fd < 0)
			drive->tray_open = true;
		if (changed && m->fd >= 0) {
			drive->tray_open = false;
			drive->unit_attention = true;
		}
	}
}

static void free_channel(struct channel *c)
{
	for (unsigned i = 0; i < 2; i++) {
		medium_close(&c->medium[i]);
		if (c->medium[i].block.ops)
			absence_stop(&c->medium[i].absence);
	}
	free(c);
}

static void close_channel(struct device *d)
{
	flush(d->chip);
	free_channel(d->chip);
}

/* A drive without a disc has no medium. */
static bool open_drive(struct device *d, struct medium *m, const struct medium_config *config,
		       struct ide_drive_config *drive)
{
	bool disk = config->kind == MEDIUM_DISK;

	if (config->kind == MEDIUM_NONE)
		return true;
	drive->kind = disk ? IDE_DISK : IDE_CDROM;
	if (!config->path[0])
		return true;
	if (!medium_open(m, d->config.name, config->path, disk ? DISK_SECTOR : CD_SECTOR,
			 config->read_only, !disk, &d->clock))
		return false;
	drive->block = &m->block;
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

	if (!good) {
		log_error("export %s: out of memory", d->config.name);
		return false;
	}
	d->chip = c;
	c->medium[0].fd = c->medium[1].fd = -1;
	for (unsigned i = 0; i < 2 && good; i++)
		good = open_drive(d, &c->medium[i], &d->config.medium[i], &config.drive[i]);
	if (good && !ide_init(&c->chip, &config))
		return true;
	free_channel(c);
	return false;
}

const struct device_ops device_ata = {.open = open_channel,
				      .close = close_channel,
				      .quiesce = quiesce,
				      .reset = reset,
				      .move = move};
