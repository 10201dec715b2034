/* SPDX-License-Identifier: BSD-2-Clause */
/* The NE2000 on this PC's PCI bus. */
#ifndef FARBUS_BOOT_NET_PCI_H
#define FARBUS_BOOT_NET_PCI_H

#include "lib/types.h"

/*
 * The first one: its ports, switched on, and the line that the firmware has given it (-1: none). 0,
 * or -1 with one line in error.
 */
int net_pci_find(u16 *port, s8 *irq, char *error, size_t size);

#endif
