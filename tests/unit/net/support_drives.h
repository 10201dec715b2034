/* SPDX-License-Identifier: BSD-2-Clause */
/* An IDE channel with a disk and a CD-ROM drive on the board of a route: 170h, 376h, line 15. */
#ifndef FARBUS_TEST_NET_DRIVES_H
#define FARBUS_TEST_NET_DRIVES_H

#include "tests/unit/net/support_route.h"

#include "devices/block.h"
#include "devices/ide.h"

#define DRIVES_LINE    15
#define DISK_SECTORS   4096u
#define CD_SECTORS     200u
#define CD_SECTOR_SIZE 2048u

struct drives {
	struct route *r;
	struct ide_channel ide;
	struct block disk_block, cd_block;
	u8 *disk, *cd;
};

/* profile NULL: in the guest's own PC. */
struct drives *drives_new(const struct profile *profile);
void drives_free(struct drives *d);
/* The master is the disk, the slave the CD. */
struct guest *drives_guest(struct drives *d, u8 drive);

#endif
