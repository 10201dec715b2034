/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/host_pci.h"
#include "boot/port.h"
#include "devices/pci.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  BIT(31)

static void set_address(pci_address at, u8 reg)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | (u32)at << 8 | (reg & 0xfcu));
}

bool host_pci_present(void)
{
	u32 before = inl(CONFIG_ADDRESS), after;

	outl(CONFIG_ADDRESS, CONFIG_ENABLE);
	after = inl(CONFIG_ADDRESS);
	outl(CONFIG_ADDRESS, before);
	return after == CONFIG_ENABLE;
}

u32 host_pci_read(pci_address at, u8 reg, unsigned width)
{
	u16 port = CONFIG_DATA + (reg & 3);

	set_address(at, reg);
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(CONFIG_DATA);
}

void host_pci_write(pci_address at, u8 reg, unsigned width, u32 value)
{
	u16 port = CONFIG_DATA + (reg & 3);

	set_address(at, reg);
	if (width == 1)
		outb(port, (u8)value);
	else if (width == 2)
		outw(port, (u16)value);
	else
		outl(CONFIG_DATA, value);
}

typedef bool (*wanted_fn)(void *ctx, pci_address at);

static bool find_in_device(pci_address device, wanted_fn wanted, void *ctx, pci_address *at)
{
	for (unsigned fn = 0; fn < 8; fn++) {
		pci_address f = (pci_address)(device | fn);

		if (host_pci_read(f, PCI_VENDOR, 2) != 0xffff && wanted(ctx, f)) {
			*at = f;
			return true;
		}
		if (!fn && !(host_pci_read(f, PCI_HEADER, 1) & 0x80))
			return false;
	}
	return false;
}

bool host_pci_find(wanted_fn wanted, void *ctx, pci_address *at)
{
	for (u32 device = 0; device < 0x10000; device += 8)
		if (host_pci_read((pci_address)device, PCI_VENDOR, 2) != 0xffff &&
		    find_in_device((pci_address)device, wanted, ctx, at))
			return true;
	return false;
}

static bool has_class(void *ctx, pci_address at)
{
	return host_pci_read(at, PCI_SUBCLASS, 2) == *(const u16 *)ctx;
}

bool host_pci_find_class(u16 class, pci_address *at)
{
	return host_pci_find(has_class, &class, at);
}
