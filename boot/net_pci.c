/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/net_pci.h"
#include "boot/host_pci.h"
#include "devices/pci.h"
#include "lib/fmt.h"
#include "net-ne2000/dp8390.h"
#include "net-ne2000/ne2000.h"

#define BAR_IO	   0x1u
#define BAR_IO_MAP 0xfffcu

/* Lines that a card can have: not those of timer, keyboard, cascade, clock, mouse and FPU. */
#define CARD_LINES 0xcef8u

static bool is_ne2000(void *ctx, pci_address at)
{
	(void)ctx;
	return ne2000_is_pci((u16)host_pci_read(at, PCI_VENDOR, 2),
			     (u16)host_pci_read(at, PCI_DEVICE, 2));
}

int net_pci_find(u16 *port, s8 *irq, char *error, size_t size)
{
	pci_address at;
	u32 bar, line;

	if (!host_pci_present()) {
		fmt(error, size,
		    "nic: this PC has no PCI: expected a port, as in 'nic ne2000 0x300'");
		return -1;
	}
	if (!host_pci_find(is_ne2000, NULL, &at)) {
		fmt(error, size, "nic: no NE2000 on PCI: expected a card such as a RTL8029");
		return -1;
	}
	bar = host_pci_read(at, PCI_BAR0, 4);
	*port = (u16)(bar & BAR_IO_MAP);
	if (!(bar & BAR_IO) || bar > 0xffff || *port < 0x100 || *port > 0x10000 - NE_PORTS) {
		fmt(error, size,
		    "nic: the PCI NE2000 %02x:%02x.%u has BAR0 %x: expected I/O ports, given to it "
		    "by the BIOS",
		    at >> 8, at >> 3 & 31, at & 7, bar);
		return -1;
	}
	host_pci_write(at, PCI_COMMAND, 2, host_pci_read(at, PCI_COMMAND, 2) | PCI_COMMAND_IO);
	line = host_pci_read(at, PCI_INT_LINE, 1);
	*irq = line < 16 && CARD_LINES & BIT(line) ? (s8)line : -1;
	return 0;
}
