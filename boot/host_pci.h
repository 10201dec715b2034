/* SPDX-License-Identifier: BSD-2-Clause */
/* This PC's own PCI configuration space, by mechanism 1 (PCI 2.1, 3.7.4.1). */
#ifndef FARBUS_BOOT_HOST_PCI_H
#define FARBUS_BOOT_HOST_PCI_H

#include "lib/types.h"

/* A function's address: bus << 8 | device << 3 | function. */
typedef u16 pci_address;

/* Whether this PC has PCI with mechanism 1. */
bool host_pci_present(void);
/* width 1, 2 or 4; reg aligned to it. */
u32 host_pci_read(pci_address at, u8 reg, unsigned width);
void host_pci_write(pci_address at, u8 reg, unsigned width, u32 value);
/*
 * The first function, in the order of addresses, that `wanted` accepts; true when there is one.
 */
bool host_pci_find(bool (*wanted)(void *ctx, pci_address at), void *ctx, pci_address *at);
/*
 * The first function with this base class and subclass (class << 8 | subclass); true when there is
 * one.
 */
bool host_pci_find_class(u16 class, pci_address *at);

#endif
