/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sequence of sectors behind a disk, floppy or CD model: a boot module in memory, a real disk, a
 * file on a Linux host.
 */
#ifndef FARBUS_DEVICES_BLOCK_H
#define FARBUS_DEVICES_BLOCK_H

#include "lib/types.h"

struct block;

/*
 * BLOCK_LATER: it takes a while, and who gave the block to the chip says when the same call again
 * will have its outcome. Only from blocks behind chips that say that they can wait (ide.h).
 */
enum { BLOCK_FAILED = -1, BLOCK_DONE = 0, BLOCK_LATER = 1 };

struct block_ops {
	/* count sectors from lba, all inside the device. BLOCK_FAILED: a medium error. */
	int (*read)(struct block *b, u64 lba, u32 count, void *buf);
	int (*write)(struct block *b, u64 lba, u32 count, const void *buf);
	int (*flush)(struct block *b); /* may be NULL */
};

struct block {
	const struct block_ops *ops;
	const char *name; /* for messages: the module's name or the disk's */
	u64 sectors;
	u32 sector_size; /* 512, or 2048 for CDs */
	bool read_only;
	void *ctx;
};

/* Sectors of `size` bytes of memory at data; size must be a whole number of sectors (-1 else). */
int block_from_memory(struct block *b, const char *name, void *data, u64 size, u32 sector_size);

#endif
