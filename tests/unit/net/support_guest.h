/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests do with an ATA channel: the register accesses of real drivers, in their order. They
 * run against a drive that is in the same PC, or behind a remote route, and must not see the
 * difference.
 */
#ifndef FARBUS_TEST_NET_GUEST_H
#define FARBUS_TEST_NET_GUEST_H

#include "lib/types.h"

struct guest {
	/* eip tells one instruction of the guest from another. */
	u32 (*in)(struct guest *g, u32 eip, u16 port, unsigned width);
	void (*out)(struct guest *g, u32 eip, u16 port, unsigned width, u32 value);
	void (*ins)(struct guest *g, u32 eip, u16 port, unsigned width, void *buf, u32 count);
	void (*outs)(struct guest *g, u32 eip, u16 port, unsigned width, const void *buf,
		     u32 count);
	/* Waits for the device's interrupt and ends it. False: none came within a second. */
	bool (*irq)(struct guest *g);
	void (*pause)(struct guest *g, u64 ns);
	u16 base, control; /* of the channel */
	u8 drive;
};

u8 guest_in8(struct guest *g, u16 port);
u16 guest_in16(struct guest *g, u16 port);
void guest_out8(struct guest *g, u16 port, u8 value);
void guest_out16(struct guest *g, u16 port, u16 value);
void guest_ins16(struct guest *g, u16 port, void *buf, u32 count);
void guest_outs16(struct guest *g, u16 port, const void *buf, u32 count);

/* All: false when the driver would have reported an error. */

/* Linux 1.3's ide.c: with interrupts, buffers of 1 KB; multiple 0: single sectors. */
bool linux13_identify(struct guest *g, u8 data[512]);
bool linux13_set_multiple(struct guest *g, u8 multiple);
bool linux13_read(struct guest *g, u32 lba, u32 sectors, u32 multiple, u8 *buf);
bool linux13_write(struct guest *g, u32 lba, u32 sectors, u32 multiple, const u8 *buf);
/* Linux 6's libata (libata-sff.c), PIO. */
bool libata_identify(struct guest *g, u8 command, u8 data[512]);
bool libata_read(struct guest *g, u64 lba, u32 sectors, u32 multiple, bool ext, u8 *buf);
bool libata_write(struct guest *g, u64 lba, u32 sectors, u32 multiple, bool ext, const u8 *buf);
bool libata_cd_read(struct guest *g, u32 lba, u32 sectors, u8 *buf);
/* SeaBIOS's ata.c: polled, with interrupts off. */
bool seabios_read(struct guest *g, u32 lba, u32 sectors, u8 *buf);
/* A boot loader that takes a sector by 256 INWs. */
bool naive_read(struct guest *g, u32 lba, u32 sectors, u8 *buf);

#endif
