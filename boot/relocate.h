/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loader handed over, kept after its own memory is the guest's. Inside boot/ only. */
#ifndef FARBUS_BOOT_RELOCATE_H
#define FARBUS_BOOT_RELOCATE_H

#include "boot/memory.h"
#include "boot/vm.h"

#define CMDLINE_MAX 2048

struct boot_info {
	struct ram_map ram;
	u32 guest_limit; /* RAM is without a hole from 1 MB to here, Farbus not counted */
	u32 host_mb;	 /* of RAM below 2.75 GB, for messages */
	char cmdline[CMDLINE_MAX];
	struct module module[MODULES_MAX];
	unsigned module_count;
	u32 module_bytes; /* in whole pages */
};

/*
 * Reads the Multiboot information at physical address mbi, moves modules and image to the top of
 * RAM and goes on there. A PC or a set of modules that cannot work ends in boot_fail().
 */
void relocate(struct boot_info *boot, u32 mbi);

/* One line on the screen, in the log and on COM1; then stops for good. */
_Noreturn void boot_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
