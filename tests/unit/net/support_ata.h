/* SPDX-License-Identifier: BSD-2-Clause */
/* The ATA profile's hooks in short, on a channel at 170h and 376h. */
#ifndef FARBUS_TEST_NET_ATA_H
#define FARBUS_TEST_NET_ATA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net-ne2000/profile.h"

#define DATA	0x170
#define ERROR	0x171
#define COUNT	0x172
#define LOW	0x173
#define MID	0x174
#define HIGH	0x175
#define DEVICE	0x176
#define STATUS	0x177
#define CONTROL 0x376
#define LINE	15

#define READ	     0x20
#define READ_MULTI   0xc4
#define WRITE	     0x30
#define SET_MULTIPLE 0xc6
#define PACKET	     0xa0
#define IDENTIFY     0xec
#define SRST	     0x04
#define NIEN	     0x02

#define BUSY  0x80
#define READY 0x50
#define DRQ   0x58
#define BAD   0x51

static const struct profile *const p = &profile_ata;

static inline struct profile_state fresh(void)
{
	return (struct profile_state){.range = {{0x170, 0x177}, {0x376, 0x376}}, .ranges = 2};
}

static inline void wrote(struct profile_state *st, u16 port, u8 value)
{
	p->wrote(st, port, 1, &value, 1);
}

static inline void got(struct profile_state *st, u16 port, u8 value)
{
	p->read(st, port, 1, &value, 1);
}

static inline void command(struct profile_state *st, u8 code, u8 count)
{
	wrote(st, COUNT, count);
	wrote(st, STATUS, code);
}

#endif
