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

#define FDC_DRIVES	2
#define FDC_SECTOR	512u
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

struct fdc;
struct fdc_drive {
	struct block *block;
	struct fdc_format format;
	u8 cylinder;	   /* the head's position */
	bool disk_changed; /* DSKCHG: until a step with a disk in the drive */
	u8 next_id;	   /* the sector that READ ID finds next, from 0 */
	struct timer seek_timer;
	struct fdc *fdc;
	u8 seek_target;
	bool recalibrating;
};

enum fdc_phase { FDC_COMMAND, FDC_EXECUTION, FDC_RESULT };

struct fdc {
	struct clock *clock;
	struct irq_pin irq;
	struct dma *dma;
	struct fdc_drive drive[FDC_DRIVES];

	u8 dor, tdr;
	u8 rate;	  /* DSR and CCR bits 0-1 */
	u8 seeking;	  /* MSR's drive busy bits */
	bool irq_pending; /* the INT pin, before DOR's gate */

	enum fdc_phase phase;
	u8 fifo[16]; /* command or result bytes */
	u8 fifo_pos, fifo_len;
	struct timer timer;
	void (*step)(struct fdc *f); /* what runs when the timer ends */
	u8 sense;		     /* a bit a drive: SENSE INTERRUPT has something to say */
	u8 sense_st0[4];
	bool sense_reset; /* it is the polling interrupt after a reset */

	/* SPECIFY, CONFIGURE, PERPENDICULAR MODE, LOCK */
	u8 specify[2], configure, precomp, perpendicular;
	bool lock;

	/* The running data command. */
	u8 command, unit, head;
	u8 c, h, r, n; /* the next sector's ID */
	u8 eot;	       /* last sector; FORMAT: the filler byte */
	u8 st1, st2;
	u8 left; /* FORMAT and VERIFY: sectors to go */
	bool tc;
	bool pio_in, pio_out; /* non-DMA: the FIFO holds, or wants, a byte */
	void (*pio_done)(struct fdc *f);
	u32 pos, len; /* in buffer[] */
	u8 buffer[FDC_SECTOR];
};

/* Returns 0, or -1 with a line in the log (a floppy image of no known format). */
int fdc_init(struct fdc *f, const struct fdc_config *config);
void fdc_reset(struct fdc *f);
/* The drive's type for CMOS 10h (0: none). */
u8 fdc_cmos_type(const struct fdc *f, unsigned drive);

#endif
