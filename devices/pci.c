/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration mechanism 1 as in the 82441FX. Reference: PCI Local Bus
 * Specification 2.1, 3.7.4.1; 82441FX (290549), 3.1. Modelled: CONFADD (dword only), CONFDATA in
 * any width, bus 0. The PIIX3's reset control register shares the address: a byte at CF9h. Not
 * modelled: other buses, special cycles.
 */
#include "devices/pci.h"
#include "devices/bus.h"
#include "lib/str.h"

#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_BITS   0x80fffffcu
#define RESET_CONTROL  0xcf9

/* The function that CONFADD selects, or NULL. */
static struct pci_function *selected(struct pci_bus *p)
{
	struct pci_function *f = &p->function[p->address >> 8 & 0xff];

	if (!(p->address & ADDRESS_ENABLE) || (p->address >> 16 & 0xff) != 0 || !f->ops)
		return NULL;
	return f;
}

static u32 address_in(void *dev, u16 port, unsigned width)
{
	struct pci_bus *p = dev;

	if (width == 4)
		return p->address;
	if (width == 1 && port == RESET_CONTROL && p->reset_control_read)
		return p->reset_control_read(p->reset_ctx);
	return width == 1 ? 0xff : 0xffff;
}

static void address_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct pci_bus *p = dev;

	if (width == 4)
		p->address = value & ADDRESS_BITS;
	else if (width == 1 && port == RESET_CONTROL && p->reset_control)
		p->reset_control(p->reset_ctx, (u8)value);
}

static u32 data_in(void *dev, u16 port, unsigned width)
{
	struct pci_bus *p = dev;
	struct pci_function *f = selected(p);

	if (!f)
		return width == 4 ? ~0u : BIT(width * 8) - 1;
	return f->ops->read(f->dev, (u8)((p->address & 0xfc) | (port & 3)), width);
}

static void data_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct pci_bus *p = dev;
	struct pci_function *f = selected(p);

	if (f)
		f->ops->write(f->dev, (u8)((p->address & 0xfc) | (port & 3)), width, value);
}

static const struct port_ops address_ops = {.in = address_in, .out = address_out, .widths = 7};
static const struct port_ops data_ops = {.in = data_in, .out = data_out, .widths = 7};

int pci_add(struct pci_bus *p, u8 devfn, const struct pci_ops *ops, void *dev)
{
	if (p->function[devfn].ops)
		return -1;
	p->function[devfn] = (struct pci_function){ops, dev};
	return 0;
}

void pci_reset(struct pci_bus *p)
{
	p->address = 0;
}

void pci_init(struct pci_bus *p, struct bus *bus)
{
	memset(p, 0, sizeof(*p));
	bus_register(bus, 0xcf8, 0xcfb, ROUTE_VIRTUAL, &address_ops, p, "pci-address");
	bus_register(bus, 0xcfc, 0xcff, ROUTE_VIRTUAL, &data_ops, p, "pci-data");
}

void pci_config_set16(u8 *space, u8 reg, u16 value)
{
	space[reg] = (u8)value;
	space[(u8)(reg + 1)] = (u8)(value >> 8);
}

void pci_config_set32(u8 *space, u8 reg, u32 value)
{
	pci_config_set16(space, reg, (u16)value);
	pci_config_set16(space, (u8)(reg + 2), (u16)(value >> 16));
}

u16 pci_config_get16(const u8 *space, u8 reg)
{
	return (u16)(space[reg] | space[(u8)(reg + 1)] << 8);
}

u32 pci_config_get32(const u8 *space, u8 reg)
{
	return pci_config_get16(space, reg) | (u32)pci_config_get16(space, (u8)(reg + 2)) << 16;
}

void pci_config_identify(struct pci_config *c, u16 vendor, u16 device, u32 class_code, u8 revision)
{
	memset(c, 0, sizeof(*c));
	pci_config_set16(c->reg, PCI_VENDOR, vendor);
	pci_config_set16(c->reg, PCI_DEVICE, device);
	pci_config_set32(c->reg, PCI_REVISION, class_code << 8 | revision);
}

u32 pci_config_read(const struct pci_config *c, u8 reg, unsigned width)
{
	u32 value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (u32)c->reg[(u8)(reg + i)] << (i * 8);
	return value;
}

void pci_config_write(struct pci_config *c, u8 reg, unsigned width, u32 value)
{
	for (unsigned i = 0; i < width; i++) {
		u8 *byte = &c->reg[(u8)(reg + i)], mask = c->mask[(u8)(reg + i)];

		*byte = (u8)((*byte & ~mask) | (value >> (i * 8) & mask));
	}
}
