/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI function 00:01.1: the PIIX3's IDE interface. Its configuration space, and the bus master
 * registers behind its BAR 4.
 */
#ifndef FARBUS_DEVICES_PIIX3_IDE_H
#define FARBUS_DEVICES_PIIX3_IDE_H

#include "devices/bmdma.h"
#include "devices/pci.h"

struct piix3_ide {
	struct pci_config config;
	struct bmdma bmdma;
};

/* Adds the function to PCI; the channels have been through ide_init(). 0, or -1 (logged). */
int piix3_ide_init(struct piix3_ide *p, struct pci_bus *pci, struct bus *bus, struct physmem *mem,
		   struct ide_channel *primary, struct ide_channel *secondary);
void piix3_ide_reset(struct piix3_ide *p);

#endif
