/* SPDX-License-Identifier: BSD-2-Clause */
/* The Multiboot 1 information structure (Multiboot Specification 0.6.96, 3.3), as GRUB fills it. */
#ifndef FARBUS_BOOT_MULTIBOOT_H
#define FARBUS_BOOT_MULTIBOOT_H

#include "lib/types.h"

#define MB_INFO_MEMORY	BIT(0)
#define MB_INFO_CMDLINE BIT(2)
#define MB_INFO_MODULES BIT(3)
#define MB_INFO_MMAP	BIT(6)

struct mb_info {
	u32 flags;
	u32 mem_lower, mem_upper; /* KB from 0 and from 1 MB */
	u32 boot_device;
	u32 cmdline;
	u32 mods_count, mods_addr;
	u32 syms[4];
	u32 mmap_length, mmap_addr;
};

struct mb_module {
	u32 start, end; /* end is exclusive */
	u32 string;
	u32 reserved;
};

#define MB_MMAP_RAM 1

struct mb_mmap {
	u32 size; /* of the rest of this entry */
	u64 base, length;
	u32 type;
} __attribute__((packed));

#endif
