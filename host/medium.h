/* SPDX-License-Identifier: BSD-2-Clause */
/* A file or a block device of this machine as a disk's or a CD's sectors. */
#ifndef FARBUS_HOST_MEDIUM_H
#define FARBUS_HOST_MEDIUM_H

#include "devices/block.h"
#include "host/absence.h"

struct medium {
	struct block block; /* while it is gone, all accesses fail */
	struct absence absence;
	int fd;		 /* -1: gone, or none was opened */
	bool removable;	 /* the next one may be of another size */
	bool lost;	 /* an access has found that it is gone */
	u64 bad_sectors; /* accesses that failed though it is there */
};

/*
 * path and name stay the caller's. What is opened for writing is locked (flock(2)), so that no two
 * daemons write to one disk. removable: a drive without a disc will do. False with a line in the
 * log.
 */
bool medium_open(struct medium *m, const char *name, const char *path, u32 sector_size,
		 bool read_only, bool removable, struct clock *clock);
/* Once a turn: what has gone away is tried again. True: it has gone, or come back, just now. */
bool medium_tend(struct medium *m);
void medium_close(struct medium *m);
/* As the block's read, from what this machine has in memory; BLOCK_LATER: it has not. */
int medium_read_at_once(struct block *b, u64 lba, u32 count, void *buf);

#endif
