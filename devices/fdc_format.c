/* SPDX-License-Identifier: BSD-2-Clause */
/* The floppy controller's READ ID and FORMAT TRACK (82077AA datasheet, 5.1.6 and 5.1.7). */
#include "devices/dma8237.h"
#include "devices/fdc_core.h"
#include "lib/str.h"

#define N_512	  2
#define FORMAT_ID 4 /* bytes a sector that the host gives to FORMAT TRACK */

static void read_id_step(struct fdc *f)
{
	struct fdc_drive *d = fdc_unit(f);

	if (!fdc_track_readable(f)) {
		f->st1 |= ST1_NO_ADDRESS;
		fdc_fail(f);
		return;
	}
	d->next_id = d->next_id % d->format.per_track + 1;
	f->c = d->cylinder;
	f->h = f->head;
	f->r = d->next_id;
	f->n = N_512;
	fdc_end(f, 0);
}

void fdc_read_id(struct fdc *f)
{
	fdc_begin(f);
	f->c = f->h = f->r = f->n = 0;
	fdc_after(f, fdc_track_readable(f) ? FDC_COMMAND_NS : FDC_INDEX_NS, read_id_step);
}

/* One sector of FORMAT TRACK, its ID in buffer[]. IDs that the image has no place for are lost. */
static bool format_sector(struct fdc *f)
{
	u8 data[FDC_SECTOR];

	f->c = f->buffer[0];
	f->h = f->buffer[1];
	f->r = f->buffer[2];
	f->n = f->buffer[3];
	f->left--;
	if (!fdc_locate(f)) {
		f->st1 = f->st2 = 0;
		return true;
	}
	memset(data, f->eot, sizeof(data));
	return fdc_disk_write(f, data);
}

static void format_pio_step(struct fdc *f);

static void format_id_received(struct fdc *f)
{
	if (format_sector(f))
		format_pio_step(f);
	else
		fdc_fail(f);
}

static void format_pio_step(struct fdc *f)
{
	if (f->left == 0) {
		fdc_end(f, 0);
		return;
	}
	fdc_pio(f, false, FORMAT_ID, format_id_received);
}

static void format_dma_step(struct fdc *f)
{
	while (f->left) {
		if (dma_read(f->dma, FDC_DMA_CHANNEL, f->buffer, FORMAT_ID, &f->tc) != FORMAT_ID) {
			f->st1 |= ST1_OVERRUN;
			fdc_fail(f);
			return;
		}
		if (!format_sector(f)) {
			fdc_fail(f);
			return;
		}
	}
	fdc_end(f, 0);
}

static void format_unreadable(struct fdc *f)
{
	f->st1 |= ST1_NO_ADDRESS;
	fdc_fail(f);
}

void fdc_format(struct fdc *f)
{
	fdc_begin(f);
	f->c = f->h = f->r = 0;
	f->n = f->fifo[2];
	f->left = f->fifo[3];
	f->eot = f->fifo[5]; /* the filler byte */
	if (fdc_write_protected(f)) {
		f->st1 |= ST1_NOT_WRITABLE;
		fdc_after(f, FDC_COMMAND_NS, fdc_fail);
		return;
	}
	/* The image cannot become a disk of another format. */
	if (!fdc_track_readable(f))
		fdc_after(f, FDC_INDEX_NS, format_unreadable);
	else
		fdc_start(f, fdc_non_dma(f) ? format_pio_step : format_dma_step);
}
