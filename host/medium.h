/* SPDX-License-Identifier: BSD-2-Clause */
/* A file or a block device of this machine as a disk's or a CD's sectors. */
#ifndef FARBUS_HOST_MEDIUM_H
#define FARBUS_HOST_MEDIUM_H

#include "devices/block.h"

struct medium {
	struct block block;
	int fd;
};

/*
 * path stays the caller's. What is opened for writing is locked (flock(2)), so that no two daemons
 * write to one disk. False with a line in the log.
 */
bool medium_open(struct medium *m, const char *path, u32 sector_size, bool read_only);
void medium_close(struct medium *m);

#endif
