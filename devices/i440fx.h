/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI function 00:00.0: the 82441FX host bridge, which decides what answers at C0000h-FFFFFh. */
#ifndef FARBUS_DEVICES_I440FX_H
#define FARBUS_DEVICES_I440FX_H

#include "devices/pci.h"

struct physmem;

#define I440FX_VGA_ROM	0x10000u /* at most: C0000h-CFFFFh */
#define I440FX_SEGMENTS 13	 /* twelve of 16 KB from C0000h, and F0000h-FFFFFh */

struct i440fx {
	struct pci_config config;
	struct physmem *mem;
	u8 *shadow;	    /* 256 KB: the RAM under C0000h-FFFFFh */
	const u8 *firmware; /* the BIOS image, and its size: 64 KB to 256 KB */
	u32 firmware_size;
	u32 vga_rom_size;		/* whole 16 KB, 0: none */
	u8 attributes[I440FX_SEGMENTS]; /* as mapped now: bit 0 reads RAM, bit 1 writes RAM */
	u8 vga_rom[I440FX_VGA_ROM];
};

/* Maps the ROM below 4 GB and at C0000h-FFFFFh. Returns 0, or -1 (logged). */
int i440fx_init(struct i440fx *h, struct pci_bus *pci, struct physmem *mem, u8 *shadow,
		const u8 *firmware, u32 firmware_size);
/*
 * The video card's ROM at C0000h, where firmware that has not unlocked the shadow RAM finds it.
 * Bytes beyond 64 KB are not seen.
 */
void i440fx_set_vga_rom(struct i440fx *h, const void *rom, u32 size);
void i440fx_reset(struct i440fx *h);

#endif
