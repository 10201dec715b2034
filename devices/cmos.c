/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CMOS memory map of the IBM AT and what SeaBIOS and other firmware read beyond it: memory
 * sizes, drive types, boot order. References: IBM AT Technical Reference, "Real-Time Clock"; the
 * CMOS registers that SeaBIOS's hardware interface reads.
 */
#include "devices/cmos.h"
#include "devices/rtc.h"

enum {
	DIAGNOSTIC = 0x0e,
	FLOPPY_TYPES = 0x10,
	DISK_TYPES = 0x12,
	EQUIPMENT = 0x14,
	BASE_MEMORY = 0x15,
	EXTENDED_MEMORY = 0x17,
	DISK_TYPE_C = 0x19,
	DISK_C_PARAMETERS = 0x1b,
	DISK_D_PARAMETERS = 0x24,
	CHECKSUM_FIRST = 0x10,
	CHECKSUM_LAST = 0x2d,
	CHECKSUM = 0x2e,
	EXTENDED_MEMORY_FOUND = 0x30,
	MEMORY_ABOVE_16M = 0x34,
	BOOT_FLAGS = 0x38,
	TRANSLATION = 0x39,
	BOOT_ORDER = 0x3d,
	MEMORY_ABOVE_4G = 0x5b,
	CPUS_LESS_ONE = 0x5f,
};

#define BASE_KB		640u
#define TYPE_47		0x2f /* user-defined: the parameters are in CMOS */
#define EQUIPMENT_FPU	0x02
#define EQUIPMENT_MOUSE 0x04
#define EQUIPMENT_DISK	0x01

static void put16(struct rtc *r, u8 at, u32 value)
{
	if (value > 0xffff)
		value = 0xffff;
	r->cmos[at] = (u8)value;
	r->cmos[at + 1] = (u8)(value >> 8);
}

static void fill_memory(struct rtc *r, u32 ram_size)
{
	u32 above_1m = ram_size > MB ? ram_size - MB : 0;
	u32 above_16m = ram_size > 16 * MB ? ram_size - 16 * MB : 0;

	put16(r, BASE_MEMORY, BASE_KB);
	put16(r, EXTENDED_MEMORY, above_1m / KB);
	put16(r, EXTENDED_MEMORY_FOUND, above_1m / KB);
	put16(r, MEMORY_ABOVE_16M, above_16m / (64 * KB));
	put16(r, MEMORY_ABOVE_4G, 0);
	r->cmos[MEMORY_ABOVE_4G + 2] = 0;
}

static void fill_floppies(struct rtc *r, const u8 type[2])
{
	unsigned drives = (type[0] != 0) + (type[1] != 0);

	r->cmos[FLOPPY_TYPES] = (u8)(type[0] << 4 | (type[1] & 15));
	r->cmos[EQUIPMENT] = EQUIPMENT_FPU | EQUIPMENT_MOUSE;
	if (drives)
		r->cmos[EQUIPMENT] |= (u8)(EQUIPMENT_DISK | (drives - 1) << 6);
}

/* Nine bytes: cylinders, heads, write precompensation (none), control, landing zone, sectors. */
static void fill_disk(struct rtc *r, u8 at, const struct disk_geometry *g)
{
	put16(r, at, g->cylinders);
	r->cmos[at + 2] = g->heads;
	put16(r, at + 3, 0xffff);
	r->cmos[at + 5] = 0xc0 | (g->heads > 8 ? 0x08 : 0);
	put16(r, at + 6, g->cylinders);
	r->cmos[at + 8] = g->sectors;
}

static void fill_disks(struct rtc *r, const struct cmos_setup *s)
{
	r->cmos[DISK_TYPES] = (s->disk[0] ? 0xf0 : 0) | (s->disk[1] ? 0x0f : 0);
	for (unsigned i = 0; i < 2; i++) {
		if (!s->disk[i])
			continue;
		r->cmos[DISK_TYPE_C + i] = TYPE_47;
		fill_disk(r, i ? DISK_D_PARAMETERS : DISK_C_PARAMETERS, s->disk[i]);
	}
	for (unsigned i = 0; i < 4; i++)
		if (s->disk[i])
			r->cmos[TRANSLATION] |= (u8)(s->translation[i] << (i * 2));
}

/* SeaBIOS: a nibble each, first in the low one of 3Dh, third in the high one of 38h. */
static void fill_boot_order(struct rtc *r, const char order[4])
{
	u32 code = 0;

	for (unsigned i = 0; i < 3 && order[i]; i++)
		code |= (order[i] == 'a' ? 1u : order[i] == 'c' ? 2u : 3u) << (i * 4);
	r->cmos[BOOT_ORDER] = (u8)code;
	r->cmos[BOOT_FLAGS] = (u8)(code >> 8 << 4);
}

static void fill_checksum(struct rtc *r)
{
	u32 sum = 0;

	for (unsigned i = CHECKSUM_FIRST; i <= CHECKSUM_LAST; i++)
		sum += r->cmos[i];
	r->cmos[CHECKSUM] = (u8)(sum >> 8);
	r->cmos[CHECKSUM + 1] = (u8)sum;
}

void cmos_fill(struct rtc *r, const struct cmos_setup *s)
{
	r->cmos[DIAGNOSTIC] = 0;
	r->cmos[CMOS_SHUTDOWN] = 0;
	r->cmos[CPUS_LESS_ONE] = 0;
	fill_memory(r, s->ram_size);
	fill_floppies(r, s->floppy_type);
	fill_disks(r, s);
	fill_boot_order(r, s->boot_order);
	fill_checksum(r);
}
