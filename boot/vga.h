/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This PC's VGA, passed through to the guest: ports, ROM and PCI function. What the guest writes to
 * the ports is also watched, so that the console knows the text screen's geometry.
 */
#ifndef FARBUS_BOOT_VGA_H
#define FARBUS_BOOT_VGA_H

#include "lib/types.h"

struct vm;
struct screen_view;

/*
 * The VGA BIOS for the guest, 512 bytes to 256 KB, from where vm->config says: a copy of this PC's
 * ROM or a module. To be called before pc_init(), while nothing has touched C0000h yet. *name is
 * what the firmware's file has to be called. NULL: there is none (and a line in the log says so).
 */
const u8 *vga_rom(struct vm *vm, u32 *size, const char **name);

/*
 * Routes the VGA's ports to this PC's and shows its PCI function to the guest; after pc_init().
 * Returns 0, or -1 with a line in the log.
 */
int vga_init(struct vm *vm);

/* What the display shows now, for the console. */
void vga_view(struct screen_view *view);

#endif
