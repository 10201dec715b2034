/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This PC's own IDE disks as block devices: polled PIO, LBA28 and LBA48, at the legacy ports. Every
 * wait has an end.
 */
#ifndef FARBUS_BOOT_HOST_ATA_H
#define FARBUS_BOOT_HOST_ATA_H

#include "devices/block.h"
#include "lib/types.h"

/*
 * Fills in *b for disk 0-3 (primary master and slave, secondary master and slave); partition 1-4 of
 * its MBR, or 0 for the whole disk. Returns 0, or -1 with one line of text in error[size].
 */
int host_ata_open(struct block *b, unsigned disk, unsigned partition, char *error, size_t size);

#endif
