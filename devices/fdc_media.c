/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floppy formats by the number of sectors. The drive is the one that was sold for the format; the
 * data rate matters, since drivers find out a disk's format by the rate at which it can be read.
 */
#include "devices/fdc_core.h"

enum { RATE_500, RATE_300, RATE_250, RATE_1000 };
enum { CMOS_360K = 1, CMOS_1200K, CMOS_720K, CMOS_1440K, CMOS_2880K };

static const struct fdc_format formats[] = {
	{320, 40, 1, 8, RATE_250, CMOS_360K},	  /* 160 KB */
	{360, 40, 1, 9, RATE_250, CMOS_360K},	  /* 180 KB */
	{640, 40, 2, 8, RATE_250, CMOS_360K},	  /* 320 KB */
	{720, 40, 2, 9, RATE_250, CMOS_360K},	  /* 360 KB */
	{1440, 80, 2, 9, RATE_250, CMOS_720K},	  /* 720 KB */
	{1600, 80, 2, 10, RATE_250, CMOS_720K},	  /* 800 KB */
	{1640, 82, 2, 10, RATE_250, CMOS_720K},	  /* 820 KB */
	{2400, 80, 2, 15, RATE_500, CMOS_1200K},  /* 1.2 MB */
	{2880, 80, 2, 18, RATE_500, CMOS_1440K},  /* 1.44 MB */
	{2952, 82, 2, 18, RATE_500, CMOS_1440K},  /* 1.48 MB */
	{2988, 83, 2, 18, RATE_500, CMOS_1440K},  /* 1.49 MB */
	{3200, 80, 2, 20, RATE_500, CMOS_1440K},  /* 1.6 MB */
	{3360, 80, 2, 21, RATE_500, CMOS_1440K},  /* 1.68 MB */
	{3444, 82, 2, 21, RATE_500, CMOS_1440K},  /* 1.72 MB */
	{3486, 83, 2, 21, RATE_500, CMOS_1440K},  /* 1.74 MB */
	{5760, 80, 2, 36, RATE_1000, CMOS_2880K}, /* 2.88 MB */
};

const struct fdc_format *fdc_format_of(u64 sectors)
{
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].sectors == sectors)
			return &formats[i];
	return NULL;
}
