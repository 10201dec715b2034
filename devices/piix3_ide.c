/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: function 1 of the 82371SB (PIIX3), the IDE interface.
 * Documentation: 82371FB/82371SB datasheet (290550-002), 2.4.
 * Modelled: identification, command and status, BAR 4, the timing registers as storage.
 * Not modelled: the decode-enable bits of IDETIM; both channels always answer at their ISA ports.
 */
#include "devices/piix3_ide.h"
#include "lib/str.h"

#define DEVFN	   PCI_DEVFN(1, 1)
#define IDETIM	   0x40 /* primary, then secondary at 42h */
#define IDETIM_IDE 0x8000u
#define SIDETIM	   0x44
#define CLASS	   0x010180 /* IDE, legacy ports, bus master */

static void update_map(struct piix3_ide *p)
{
	bmdma_map(&p->bmdma, pci_config_get32(p->config.reg, PCI_BAR4) & ~15u,
		  (pci_config_get16(p->config.reg, PCI_COMMAND) & PCI_COMMAND_IO) != 0);
}

static u32 config_read(void *dev, u8 reg, unsigned width)
{
	struct piix3_ide *p = dev;

	return pci_config_read(&p->config, reg, width);
}

static void config_write(void *dev, u8 reg, unsigned width, u32 value)
{
	struct piix3_ide *p = dev;

	pci_config_write(&p->config, reg, width, value);
	update_map(p);
}

static const struct pci_ops ops = {
	.read = config_read,
	.write = config_write,
};

static void power_on(struct pci_config *c)
{
	memset(c, 0, sizeof(*c));
	pci_config_identify(c, 0x8086, 0x7010, CLASS, 0);
	pci_config_set16(c->reg, PCI_STATUS, 0x0280);
	pci_config_set32(c->reg, PCI_BAR4, 1);
	pci_config_set16(c->reg, IDETIM, IDETIM_IDE);
	pci_config_set16(c->reg, IDETIM + 2, IDETIM_IDE);
	pci_config_set16(c->mask, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	/* All 28 bits: SeaBIOS takes the complement of 32 bits for the size of an I/O range too. */
	pci_config_set32(c->mask, PCI_BAR4, 0xfffffff0);
	pci_config_set32(c->mask, IDETIM, 0xffffffff);
	c->mask[SIDETIM] = 0xff;
	c->mask[0x0d] = 0xf0; /* latency timer */
}

int piix3_ide_init(struct piix3_ide *p, struct pci_bus *pci, struct bus *bus, struct physmem *mem,
		   struct ide_channel *primary, struct ide_channel *secondary)
{
	memset(p, 0, sizeof(*p));
	if (bmdma_init(&p->bmdma, bus, mem, primary, secondary) != 0)
		return -1;
	power_on(&p->config);
	return pci_add(pci, DEVFN, &ops, p);
}

void piix3_ide_reset(struct piix3_ide *p)
{
	power_on(&p->config);
	bmdma_reset(&p->bmdma);
}
