/* SPDX-License-Identifier: BSD-2-Clause */
/* An ATA channel in a replay. What the guest wrote goes to copies of the files in memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/atapi.h"
#include "devices/block.h"
#include "devices/bmdma.h"
#include "host/replay_model.h"
#include "lib/log.h"

#define CONTROL	    0x206u /* from the first port */
#define DISK_SECTOR 512u

/* There is one model, and these stay when its state is saved and restored. */
static struct bmdma_channel no_dma; /* which is never started */
static struct block media[2];
static void *mapped[2];
static size_t mapped_size[2];

static bool map_file(unsigned n, const char *path, u32 sector)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat s;

	if (fd < 0 || fstat(fd, &s)) {
		log_error("replay: %s: %s", path, strerror(errno));
		return false;
	}
	if (!s.st_size || s.st_size % sector) {
		log_error("replay: %s: %lld bytes: expected whole sectors of %u bytes", path,
			  (long long)s.st_size, sector);
		close(fd);
		return false;
	}
	mapped_size[n] = (size_t)s.st_size;
	mapped[n] = mmap(NULL, mapped_size[n], PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	if (mapped[n] == MAP_FAILED) {
		log_error("replay: %s: %s", path, strerror(errno));
		mapped[n] = NULL;
		return false;
	}
	return !block_from_memory(&media[n], path, mapped[n], mapped_size[n], sector);
}

static bool open_drive(struct model *m, unsigned n, struct ide_drive_config *drive)
{
	bool cd = m->o.cdrom[n];

	if (!m->o.disk[n])
		return true;
	drive->kind = cd ? IDE_CDROM : IDE_DISK;
	drive->block = &media[n];
	if (!n && !cd && m->o.geometry[0])
		drive->geometry = (struct disk_geometry){m->o.geometry[0], (u8)m->o.geometry[1],
							 (u8)m->o.geometry[2]};
	return map_file(n, m->o.disk[n], cd ? CD_SECTOR : DISK_SECTOR);
}

static void reset(struct model *m)
{
	ide_reset(m->state);
}

static const struct trace_event *first_access(const struct model *m, const struct replay_list *l)
{
	static const struct trace_event none = {.name = "ata"};

	for (u32 i = 0; i < l->count; i++) {
		const struct trace_event *e = &l->record[i].e;

		if (e->kind < TRACE_IRQ && (u32)(e->port - m->o.base) < 8)
			return e;
	}
	return &none;
}

/* A disk's serial number has its channel's name in it, and in a PC a disk says that it knows DMA.
 */
static bool open_ata(struct model *m, const struct replay_list *l)
{
	const struct trace_event *first = first_access(m, l);
	struct ide_channel *ch = m->state;
	struct ide_config config = {.name = first->name,
				    .bus = &m->bus,
				    .clock = &m->clock,
				    .command_base = m->o.base,
				    .control_port = (u16)(m->o.base + CONTROL)};

	m->target.range[m->target.ranges++] = (struct port_range){m->o.base, (u16)(m->o.base + 7)};
	m->target.range[m->target.ranges++] =
		(struct port_range){config.control_port, config.control_port};
	if (!open_drive(m, 0, &config.drive[0]) || !open_drive(m, 1, &config.drive[1]) ||
	    ide_init(ch, &config))
		return false;
	if (first->route == ROUTE_VIRTUAL)
		ch->dma = &no_dma;
	return true;
}

static void close_ata(struct model *m)
{
	(void)m;
	for (unsigned n = 0; n < 2; n++)
		if (mapped[n])
			munmap(mapped[n], mapped_size[n]);
}

const struct model_kind model_ata = {.open = open_ata,
				     .reset = reset,
				     .close = close_ata,
				     .state_size = sizeof(struct ide_channel)};
