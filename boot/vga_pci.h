/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This PC's VGA as a PCI function of the guest: its own registers, except that the base addresses
 * are the guest's to choose and lead to where this PC's firmware has put the real ones. Inside
 * boot/ only.
 */
#ifndef FARBUS_BOOT_VGA_PCI_H
#define FARBUS_BOOT_VGA_PCI_H

#include "lib/types.h"

struct vm;

/* Vendor and device of this PC's VGA; false when it has none on PCI. */
bool vga_pci_find(u16 *vendor, u16 *device);
/* A copy of the function's expansion ROM as it left the factory; NULL: it has none to show. */
const u8 *vga_pci_rom(u32 *size);
/* Adds the function to the guest's PCI bus. 0, or -1 with a line in the log. */
int vga_pci_add(struct vm *vm);

#endif
