/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cylinders, heads and sectors of a hard disk that is really a list of sectors: what an IDE disk of
 * that size reports, and how the firmware translates it for INT 13h.
 */
#ifndef FARBUS_DEVICES_GEOMETRY_H
#define FARBUS_DEVICES_GEOMETRY_H

#include "lib/types.h"

struct block;

struct disk_geometry {
	u32 cylinders; /* 1-16383 */
	u8 heads;      /* 1-16 */
	u8 sectors;    /* per track, 1-63 */
};

/* The two bits a drive that SeaBIOS reads from CMOS 39h (drive n in bits 2n and 2n + 1). */
enum geometry_translation {
	GEOMETRY_NONE = 0, /* the disk's own geometry has at most 1024 cylinders */
	GEOMETRY_LBA = 1,
	GEOMETRY_LARGE = 2, /* bit shift */
	GEOMETRY_RECHS = 3,
};

/*
 * The geometry of `disk`: that of its partition table where one names a geometry that fits an IDE
 * disk, else the usual 16 heads and 63 sectors. Reads sector 0.
 */
struct disk_geometry geometry_guess(struct block *disk);
/* True where an IDE disk can have this geometry. */
bool geometry_valid(const struct disk_geometry *g);
/* How the firmware has to translate `native` for a disk with this partition table. */
enum geometry_translation geometry_translation(struct block *disk,
					       const struct disk_geometry *native);

#endif
