/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floppy controller's commands that move sectors: reads, writes, scans and VERIFY (82077AA
 * datasheet, 5.1). In DMA mode a command is carried out in one go when its time
 * has come; in non-DMA mode sector by sector, as the host moves the bytes.
 */
#include "devices/block.h"
#include "devices/dma8237.h"
#include "devices/fdc_core.h"
#include "lib/str.h"

#define COMMAND_MT 0x80
#define COMMAND_MF 0x40
#define COMMAND_SK 0x20
#define VERIFY_EC  0x80
#define N_512	   2

enum {
	CODE_READ_TRACK = 0x02,
	CODE_WRITE = 0x05,
	CODE_WRITE_DELETED = 0x09,
	CODE_READ_DELETED = 0x0c,
	CODE_SCAN_EQUAL = 0x11,
	CODE_VERIFY = 0x16,
	CODE_SCAN_LOW = 0x19,
	CODE_SCAN_HIGH = 0x1d,
};

static u8 code(const struct fdc *f)
{
	return f->command & 0x1f;
}

static bool is_write(const struct fdc *f)
{
	return code(f) == CODE_WRITE || code(f) == CODE_WRITE_DELETED;
}

static bool is_scan(const struct fdc *f)
{
	return code(f) == CODE_SCAN_EQUAL || code(f) == CODE_SCAN_LOW || code(f) == CODE_SCAN_HIGH;
}

static bool from_host(const struct fdc *f)
{
	return is_write(f) || is_scan(f);
}

bool fdc_non_dma(const struct fdc *f)
{
	return (f->specify[1] & 1) != 0;
}

void fdc_end(struct fdc *f, u8 st0)
{
	const u8 result[7] = {
		(u8)(st0 | f->head << 2 | f->unit), f->st1, f->st2, f->c, f->h, f->r, f->n,
	};

	dma_dreq(f->dma, FDC_DMA_CHANNEL, false);
	memcpy(f->fifo, result, sizeof(result));
	fdc_result(f, sizeof(result), true);
}

void fdc_fail(struct fdc *f)
{
	fdc_end(f, ST0_ABNORMAL);
}

/* A disk formatted at another rate, in FM, or not at all has no address marks to be found. */
bool fdc_track_readable(struct fdc *f)
{
	const struct fdc_drive *d = fdc_unit(f);

	if (!d || !(f->command & COMMAND_MF) || d->cylinder >= d->format.cylinders ||
	    f->head >= d->format.heads)
		return false;
	/* A 1.2 MB drive turns faster and reads 360 KB disks at 300 kbit/s. */
	return f->rate == d->format.rate || (f->rate == 1 && d->format.cylinders == 40);
}

bool fdc_locate(struct fdc *f)
{
	const struct fdc_drive *d = fdc_unit(f);

	if (!fdc_track_readable(f)) {
		f->st1 |= ST1_NO_ADDRESS;
		return false;
	}
	if (f->c != d->cylinder) {
		f->st1 |= ST1_NO_DATA;
		f->st2 |= ST2_WRONG_CYLINDER;
		return false;
	}
	if (f->h != f->head || f->r == 0 || f->r > d->format.per_track || f->n != N_512) {
		f->st1 |= ST1_NO_DATA;
		return false;
	}
	return true;
}

static u64 sector_lba(const struct fdc *f, const struct fdc_drive *d)
{
	u32 track = (u32)d->cylinder * d->format.heads + f->head;

	return (u64)track * d->format.per_track + f->r - 1;
}

static bool disk_read(struct fdc *f, void *buf)
{
	struct fdc_drive *d = fdc_unit(f);

	if (d->block->ops->read(d->block, sector_lba(f, d), 1, buf) == 0)
		return true;
	f->st1 |= ST1_DATA_ERROR;
	f->st2 |= ST2_DATA_ERROR;
	return false;
}

bool fdc_disk_write(struct fdc *f, const void *buf)
{
	struct fdc_drive *d = fdc_unit(f);

	if (d->block->ops->write(d->block, sector_lba(f, d), 1, buf) == 0)
		return true;
	f->st1 |= ST1_DATA_ERROR;
	return false;
}

/* FFh from the host matches everything (datasheet, 5.1.8). */
static int compare(const u8 *disk, const u8 *host)
{
	for (unsigned i = 0; i < FDC_SECTOR; i++)
		if (host[i] != 0xff && disk[i] != host[i])
			return disk[i] < host[i] ? -1 : 1;
	return 0;
}

/* Sets SH or clears SN when the sector meets the condition; false: it could not be read. */
static bool scan_sector(struct fdc *f)
{
	u8 disk[FDC_SECTOR];
	int order;

	if (!disk_read(f, disk))
		return false;
	order = compare(disk, f->buffer);
	f->st2 |= ST2_SCAN_FAILED;
	if (order == 0)
		f->st2 = (f->st2 & ~ST2_SCAN_FAILED) | ST2_SCAN_EQUAL;
	else if ((order < 0 && code(f) == CODE_SCAN_LOW) ||
		 (order > 0 && code(f) == CODE_SCAN_HIGH))
		f->st2 &= ~ST2_SCAN_FAILED;
	return true;
}

/*
 * The ID of the next sector (datasheet, table 5-3). False at the end of the cylinder, where the
 * result phase shows the first sector of the next one.
 */
static bool advance(struct fdc *f)
{
	if (f->r != f->eot) {
		f->r++;
		return true;
	}
	f->r = 1;
	if (f->command & COMMAND_MT) {
		f->h ^= 1;
		f->head ^= 1;
		if (f->head == 1)
			return true;
		f->head = 1; /* ST0 tells the side that was read */
	}
	f->c++;
	return false;
}

/* After each sector: true when the command has ended. */
static bool sector_done(struct fdc *f)
{
	bool hit = is_scan(f) && !(f->st2 & ST2_SCAN_FAILED);
	u8 side = f->head;
	bool more = advance(f);

	if (code(f) == CODE_VERIFY && (f->left != 0 ? --f->left == 0 : !more)) {
		fdc_end(f, 0);
		return true;
	}
	if (f->tc || hit || (f->st2 & ST2_CONTROL_MARK)) {
		f->head = side;
		fdc_end(f, 0);
		return true;
	}
	if (more)
		return false;
	if (is_scan(f)) {
		fdc_end(f, 0);
		return true;
	}
	f->st1 |= ST1_END_OF_CYLINDER;
	fdc_fail(f);
	return true;
}

/* The data of a sector has come from the host. */
static bool store(struct fdc *f)
{
	return is_scan(f) ? scan_sector(f) : fdc_disk_write(f, f->buffer);
}

static bool dma_sector(struct fdc *f)
{
	u32 moved;

	if (code(f) == CODE_VERIFY)
		return disk_read(f, f->buffer);
	if (from_host(f)) {
		memset(f->buffer, 0, FDC_SECTOR); /* terminal count in mid-sector: zeros follow */
		moved = dma_read(f->dma, FDC_DMA_CHANNEL, f->buffer, FDC_SECTOR, &f->tc);
		if (moved)
			return store(f);
	} else {
		if (!disk_read(f, f->buffer))
			return false;
		moved = dma_write(f->dma, FDC_DMA_CHANNEL, f->buffer, FDC_SECTOR, &f->tc);
		if (moved)
			return true;
	}
	f->st1 |= ST1_OVERRUN;
	return false;
}

static void dma_step(struct fdc *f)
{
	do {
		if (!fdc_locate(f) || !dma_sector(f)) {
			fdc_fail(f);
			return;
		}
	} while (!sector_done(f));
}

static void pio_step(struct fdc *f);

static void pio_sector_done(struct fdc *f)
{
	if (from_host(f) && !store(f))
		fdc_fail(f);
	else if (!sector_done(f))
		pio_step(f);
}

static void pio_step(struct fdc *f)
{
	if (!fdc_locate(f) || (!from_host(f) && !disk_read(f, f->buffer))) {
		fdc_fail(f);
		return;
	}
	fdc_pio(f, !from_host(f), FDC_SECTOR, pio_sector_done);
}

void fdc_begin(struct fdc *f)
{
	f->command = f->fifo[0];
	f->st1 = f->st2 = 0;
	f->tc = false;
	f->pio_in = f->pio_out = false;
}

bool fdc_write_protected(struct fdc *f)
{
	const struct fdc_drive *d = fdc_unit(f);

	return d && d->block->read_only;
}

void fdc_start(struct fdc *f, void (*step)(struct fdc *f))
{
	fdc_after(f, fdc_track_readable(f) ? FDC_COMMAND_NS : FDC_INDEX_NS, step);
	if (!fdc_non_dma(f))
		dma_dreq(f->dma, FDC_DMA_CHANNEL, true);
}

void fdc_transfer(struct fdc *f)
{
	struct fdc_drive *d = fdc_unit(f);

	fdc_begin(f);
	f->c = f->fifo[2];
	f->h = f->fifo[3];
	f->r = code(f) == CODE_READ_TRACK ? 1 : f->fifo[4];
	f->n = f->fifo[5];
	f->eot = f->fifo[6];
	f->left = code(f) == CODE_VERIFY && (f->fifo[1] & VERIFY_EC) ? f->fifo[8] : 0;
	if (d && (f->configure & CONFIGURE_IMPLIED_SEEK))
		fdc_step_to(d, f->c);
	if (is_write(f) && fdc_write_protected(f)) {
		f->st1 |= ST1_NOT_WRITABLE;
		fdc_after(f, FDC_COMMAND_NS, fdc_fail);
		return;
	}
	/* All our sectors have ordinary data marks: READ DELETED DATA says so, and stops. */
	if (code(f) == CODE_READ_DELETED && !(f->command & COMMAND_SK))
		f->st2 |= ST2_CONTROL_MARK;
	fdc_start(f, fdc_non_dma(f) && code(f) != CODE_VERIFY ? pio_step : dma_step);
}
