/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: PCI function 0 of the 82371SB (PIIX3). Datasheet: 82371SB (290550), 2.2 and 2.5.7.
 * Modelled: identification, PIRQ route control, the reset control register (CF9h).
 * Not modelled: X-bus chip selects and ISA timing (registers only), APIC base, USB (no function 2).
 */
#include "devices/piix3.h"
#include "lib/str.h"

#define PIRQ_ROUTE    0x60u
#define PIRQ_DISABLED 0x80u

#define RESET_CPU  0x04u
#define RESET_BITS 0x06u

/* The ISA line of a PIRQ, or 0 where it is not routed. */
static u8 routed_line(const struct piix3 *p, unsigned pirq)
{
	u8 route = p->config.reg[PIRQ_ROUTE + pirq];

	/* Lines 0, 1, 2, 8 and 13 are reserved (datasheet 2.2.10). */
	if ((route & PIRQ_DISABLED) || !(BIT(route & 15) & 0xdef8))
		return 0;
	return route & 15;
}

static void route_pirqs(struct piix3 *p)
{
	for (unsigned i = 0; i < PIIX3_PIRQS; i++) {
		u8 line = routed_line(p, i);

		if (line == p->pirq_pin[i].line)
			continue;
		if (p->pirq_pin[i].line)
			irq_set(&p->pirq_pin[i], false);
		p->pirq_pin[i].line = line;
		if (line)
			irq_set(&p->pirq_pin[i], p->pirq_sources[i] != 0);
	}
}

void piix3_pirq_set(struct piix3 *p, unsigned pirq, unsigned source, bool level)
{
	u8 bit = BIT(source % PIIX3_PIRQ_SOURCES);

	pirq %= PIIX3_PIRQS;
	if (level)
		p->pirq_sources[pirq] |= bit;
	else
		p->pirq_sources[pirq] &= ~bit;
	if (p->pirq_pin[pirq].line)
		irq_set(&p->pirq_pin[pirq], p->pirq_sources[pirq] != 0);
}

static u32 config_read(void *dev, u8 reg, unsigned width)
{
	struct piix3 *p = dev;

	return pci_config_read(&p->config, reg, width);
}

static void config_write(void *dev, u8 reg, unsigned width, u32 value)
{
	struct piix3 *p = dev;

	pci_config_write(&p->config, reg, width, value);
	route_pirqs(p);
}

static const struct pci_ops config_ops = {.read = config_read, .write = config_write};

static u8 reset_control_read(void *ctx)
{
	struct piix3 *p = ctx;

	return p->reset_control;
}

/* A rise of bit 2 resets, the CPU or the whole PC; either way the firmware starts over. */
static void reset_control_write(void *ctx, u8 value)
{
	struct piix3 *p = ctx;
	bool rise = value & ~p->reset_control & RESET_CPU;

	p->reset_control = value & RESET_BITS;
	if (rise)
		p->reset(p->ctx);
}

static void reset_config(struct pci_config *c)
{
	pci_config_identify(c, 0x8086, 0x7000, 0x060100, 0x00);
	pci_config_set16(c->reg, PCI_COMMAND,
			 PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
	pci_config_set16(c->reg, PCI_STATUS, 0x0200);
	c->reg[PCI_HEADER] = 0x80; /* more functions follow */
	c->reg[0x4c] = 0x4d;
	c->reg[0x4e] = 0x03;
	memset(c->reg + PIRQ_ROUTE, PIRQ_DISABLED, PIIX3_PIRQS);
	c->reg[0x69] = 0x02;
	c->reg[0x70] = 0x80;
	c->reg[0x76] = c->reg[0x77] = 0x0c;
	c->reg[0xa0] = 0x08;
	memset(c->mask + 0x4c, 0xff, 0xb0 - 0x4c);
	memset(c->mask + PIRQ_ROUTE, 0x8f, PIIX3_PIRQS);
}

void piix3_reset(struct piix3 *p)
{
	reset_config(&p->config);
	p->reset_control = 0;
	route_pirqs(p);
}

int piix3_init(struct piix3 *p, struct pci_bus *pci, struct irq_lines *lines, u8 first_source,
	       void (*reset)(void *ctx), void *ctx)
{
	memset(p, 0, sizeof(*p));
	for (unsigned i = 0; i < PIIX3_PIRQS; i++)
		p->pirq_pin[i] = (struct irq_pin){lines, 0, (u8)(first_source + i)};
	p->reset = reset;
	p->ctx = ctx;
	pci->reset_control = reset_control_write;
	pci->reset_control_read = reset_control_read;
	pci->reset_ctx = p;
	piix3_reset(p);
	return pci_add(pci, PCI_DEVFN(1, 0), &config_ops, p);
}
