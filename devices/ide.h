/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One IDE channel: the task-file registers, and up to two drives behind them, each an ATA disk or
 * an ATAPI CD-ROM. pc.c makes two: 1F0h/3F6h on IRQ 14 and 170h/376h on IRQ 15.
 */
#ifndef FARBUS_DEVICES_IDE_H
#define FARBUS_DEVICES_IDE_H

#include "devices/bus.h"
#include "devices/geometry.h"
#include "devices/irq.h"
#include "devices/timer.h"
#include "lib/types.h"

struct block;
struct bmdma_channel;

#define IDE_BUFFER_SIZE 16384u /* the largest block of data between two interrupts */

enum ide_kind { IDE_NONE, IDE_DISK, IDE_CDROM };

struct ide_drive_config {
	enum ide_kind kind;
	struct block *block;	       /* a CD-ROM drive may be empty: NULL */
	struct disk_geometry geometry; /* all 0: geometry_guess() */
};

struct ide_config {
	const char *name; /* "ide0" */
	struct bus *bus;
	struct clock *clock;
	struct irq_pin irq;
	u16 command_base, control_port; /* 1F0h and 3F6h, 170h and 376h */
	struct ide_drive_config drive[2];
};

struct atapi_sense {
	u8 key, asc, ascq;
};

struct ide_drive {
	enum ide_kind kind;
	struct block *block;
	u8 number; /* 0 master, 1 slave */
	struct disk_geometry geometry;

	/* The task file, as written by the host and changed by commands; [1] is the older value. */
	u8 feature[2], count[2], lba_low[2], lba_mid[2], lba_high[2];
	u8 device, error, status;
	bool intrq;

	/* What INITIALIZE DEVICE PARAMETERS, SET MULTIPLE and SET FEATURES have set. */
	u8 heads, sectors;
	u8 multiple;
	u8 dma_mode; /* 20h + n or 40h + n, as SET FEATURES takes it */
	bool write_cache, look_ahead;
	bool standby;

	/* ATAPI */
	struct atapi_sense sense;
	bool unit_attention; /* the tray was closed */
	bool tray_locked, tray_open;
};

struct ide_channel;
typedef void (*ide_step)(struct ide_channel *ch);

struct ide_channel {
	const char *name;
	struct clock *clock;
	struct irq_pin irq;
	struct bmdma_channel *dma; /* set by bmdma_init() */
	u16 command_base, control_port;
	struct ide_drive drive[2];
	u8 selected;
	u8 control; /* nIEN, SRST, HOB as last written */

	/* The command in progress. */
	struct ide_drive *active;
	struct timer timer;   /* ends BSY */
	ide_step after_busy;  /* runs when BSY ends; NULL: not busy */
	ide_step after_block; /* runs when the block has the outcome; NULL: not awaited */
	ide_step after_data;  /* runs when the host has read or filled the block of data */
	bool data_in, data_out;
	u32 pos, len;	/* the block of data is what is left of buffer[pos..len) */
	u32 filled;	/* ATAPI: bytes of the reply in buffer[] */
	u64 lba;	/* next sector */
	u32 left;	/* sectors after those in buffer[] */
	u32 chunk;	/* ATA: sectors in buffer[] */
	u32 block_size; /* ATA: sectors between two interrupts */
	bool ext, dma_waiting, dma_write;
	ide_step dma_step; /* moves the data once the bus master runs */
	u32 byte_limit;	   /* ATAPI: the most the host takes at once */
	bool packet_dma;
	u8 packet[12];
	u8 buffer[IDE_BUFFER_SIZE] __attribute__((aligned(4)));
};

/* Returns 0, or -1 with a line in the log. */
int ide_init(struct ide_channel *ch, const struct ide_config *config);
/* RESET#: everything but the disks' contents to its power-on state. */
void ide_reset(struct ide_channel *ch);
/* The disk's geometry, for CMOS; NULL where there is no disk. */
const struct disk_geometry *ide_disk_geometry(const struct ide_channel *ch, unsigned drive);
/*
 * A drive's block that answered BLOCK_LATER has the outcome now; until then the drive is busy. May
 * be called when none waits.
 */
void ide_block_ready(struct ide_channel *ch);
/* The bus master was started: a drive may be waiting for it. */
void ide_dma_ready(struct ide_channel *ch);

#endif
