/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI configuration mechanism 1 (ports CF8h and CFCh-CFFh) for bus 0, and a plain configuration
 * space with write masks for the functions that are modelled.
 */
#ifndef FARBUS_DEVICES_PCI_H
#define FARBUS_DEVICES_PCI_H

#include "lib/types.h"

struct bus;

#define PCI_DEVFN(dev, fn) ((u8)((dev) << 3 | (fn)))

enum pci_reg {
	PCI_VENDOR = 0x00,
	PCI_DEVICE = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_PROG_IF = 0x09,
	PCI_SUBCLASS = 0x0a,
	PCI_CLASS = 0x0b,
	PCI_HEADER = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_BAR4 = 0x20,
	PCI_SUBSYS_VENDOR = 0x2c,
	PCI_SUBSYS_ID = 0x2e,
	PCI_INT_LINE = 0x3c,
	PCI_INT_PIN = 0x3d,
};

#define PCI_COMMAND_IO     0x0001u
#define PCI_COMMAND_MEM    0x0002u
#define PCI_COMMAND_MASTER 0x0004u

/* width 1, 2 or 4; reg is aligned to it. */
struct pci_ops {
	u32 (*read)(void *dev, u8 reg, unsigned width);
	void (*write)(void *dev, u8 reg, unsigned width, u32 value);
};

struct pci_function {
	const struct pci_ops *ops; /* NULL: nothing there */
	void *dev;
};

struct pci_bus {
	u32 address; /* CONFADD */
	struct pci_function function[256];
	void (*reset_control)(void *ctx, u8 value); /* PIIX3's port CF9h, may be NULL */
	u8 (*reset_control_read)(void *ctx);
	void *reset_ctx;
};

void pci_init(struct pci_bus *p, struct bus *bus);
void pci_reset(struct pci_bus *p);
/* Returns 0, or -1 when the place is taken. */
int pci_add(struct pci_bus *p, u8 devfn, const struct pci_ops *ops, void *dev);

/* 256 bytes of configuration space; a bit of mask is 1 where the guest may write. */
struct pci_config {
	u8 reg[256], mask[256];
};

void pci_config_identify(struct pci_config *c, u16 vendor, u16 device, u32 class_code, u8 revision);
void pci_config_set16(u8 *space, u8 reg, u16 value);
void pci_config_set32(u8 *space, u8 reg, u32 value);
u16 pci_config_get16(const u8 *space, u8 reg);
u32 pci_config_get32(const u8 *space, u8 reg);
u32 pci_config_read(const struct pci_config *c, u8 reg, unsigned width);
void pci_config_write(struct pci_config *c, u8 reg, unsigned width, u32 value);

#endif
