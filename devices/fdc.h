/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floppy controller at 3F0h-3F5h and 3F7h (IRQ 6, ISA DMA channel 2) and its two drives.
 */
#ifndef FARBUS_DEVICES_FDC_H
#define FARBUS_DEVICES_FDC_H

#include "devices/bus.h"
#include "devices/irq.h"
#include "devices/timer.h"
#include "lib/types.h"

struct block;
struct dma;

#define FDC_DRIVES     2
#define FDC_SECTOR_MAX 16384u /* N = 7 */

#define FDC_DMA_CHANNEL 2

struct fdc_config {
	struct bus *bus;
	struct clock *clock;
	struct irq_pin irq;
	struct dma *dma;
	struct block *drive[FDC_DRIVES]; /* NULL: no drive there */
};

/* Formats by size: see fdc_media.c. */
struct fdc_format {
	u32 sectors; /* in all */
	u8 cylinders, heads, per_track;
	u8 rate;      /* data rate select, as in CCR: 0 500, 1 300, 2 250 kbit/s, 3 1 Mbit/s */
	u8 cmos_type; /* drive type in CMOS 10h: 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M */
};

struct fdc_drive {
	struct block *block;
	struct fdc_format format;
	u8 cylinder;	   /* the head's position */
	bool disk_changed; /* DSKCHG, until a step with a disk in the drive */
	u32 next_sector;   /* READ ID's place on the track, 0-based */
};

enum fdc_phase { FDC_COMMAND, FDC_EXECUTION, FDC_RESULT };

struct fdc {
	struct clock *clock;
	struct irq_pin irq;
	struct dma *dma;
	struct fdc_drive drive[FDC_DRIVES];

	u8 dor, dsr, ccr, tdr, srb;
	u8 msr_seeking; /* DRV BUSY bits */
	bool irq_level;

	enum fdc_phase phase;
	u8 fifo[16]; /* command or result bytes */
	u8 fifo_pos, fifo_len;
	struct timer timer;	     /* ends a reset, a sector, a command */
	void (*step)(struct fdc *f); /* what the timer starts */
	struct timer seek_timer[FDC_DRIVES];
	u8 seek_target[FDC_DRIVES];
	bool recalibrating[FDC_DRIVES];
	u8 sense_pending; /* a bit a drive: SENSE INTERRUPT has something to say */
	u8 sense_st0[4];

	/* SPECIFY, CONFIGURE, LOCK, PERPENDICULAR */
	u8 specify[2], configure[2], precomp, perpendicular;
	bool lock, non_dma;

	/* The running data transfer. */
	u8 unit, head, sector_id[4]; /* C H R N of the next sector */
	u8 eot, st0, st1, st2;
	bool write, verify, multi_track, tc;
	u32 format_left;
	u32 pos, len; /* in buffer, bytes */
	u8 buffer[FDC_SECTOR_MAX];
};

/* Returns 0, or -1 with a line in the log (a floppy image of no known format). */
int fdc_init(struct fdc *f, const struct fdc_config *config);
void fdc_reset(struct fdc *f);
/* The drive's type for CMOS 10h (0: none). */
u8 fdc_cmos_type(const struct fdc *f, unsigned drive);

#endif
