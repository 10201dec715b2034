/* SPDX-License-Identifier: BSD-2-Clause */
/* What the drivers in support_guest*.c share: the channel's registers and their bits. */
#ifndef FARBUS_TEST_NET_GUEST_PARTS_H
#define FARBUS_TEST_NET_GUEST_PARTS_H

#include "tests/unit/net/support_guest.h"

#define DATA(g)	   ((g)->base)
#define ERROR(g)   ((u16)((g)->base + 1))
#define COUNT(g)   ((u16)((g)->base + 2))
#define LOW(g)	   ((u16)((g)->base + 3))
#define MID(g)	   ((u16)((g)->base + 4))
#define HIGH(g)	   ((u16)((g)->base + 5))
#define DEVICE(g)  ((u16)((g)->base + 6))
#define STATUS(g)  ((u16)((g)->base + 7))
#define CONTROL(g) ((g)->control)

#define BSY  0x80
#define DRDY 0x40
#define DF   0x20
#define DSC  0x10
#define DRQ  0x08
#define ERR  0x01

#define NIEN 0x02
#define HD15 0x08

#define SECTOR 512u
#define WORDS  256u

static inline u8 device(const struct guest *g, u64 lba)
{
	return (u8)(0xe0 | g->drive << 4 | (lba >> 24 & 15));
}

static inline bool ok(u8 status, u8 good, u8 bad)
{
	return (status & (good | bad)) == good;
}

static inline u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

#endif
