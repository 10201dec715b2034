/* SPDX-License-Identifier: BSD-2-Clause */
/* What a PC's set-up program would have stored in CMOS memory. */
#ifndef FARBUS_DEVICES_CMOS_H
#define FARBUS_DEVICES_CMOS_H

#include "devices/geometry.h"

struct rtc;

#define CMOS_SHUTDOWN 0x0f /* why the CPU was reset: 0 a cold start, 5, 9, 0Ah a return */

struct cmos_setup {
	u32 ram_size;			     /* bytes */
	u8 floppy_type[2];		     /* 0 none, 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M */
	const struct disk_geometry *disk[4]; /* NULL: no hard disk in that place */
	enum geometry_translation translation[4];
	char boot_order[4]; /* of 'c', 'a', 'd'; zeros after the last */
};

void cmos_fill(struct rtc *rtc, const struct cmos_setup *setup);

#endif
