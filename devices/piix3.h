/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI function 00:01.0: the PIIX3's ISA bridge, with PCI interrupt routing and reset control. */
#ifndef FARBUS_DEVICES_PIIX3_H
#define FARBUS_DEVICES_PIIX3_H

#include "devices/irq.h"
#include "devices/pci.h"

#define PIIX3_PIRQS	   4
#define PIIX3_PIRQ_SOURCES 8 /* devices that may share one PIRQ# line */

struct piix3 {
	struct pci_config config;
	struct irq_pin pirq_pin[PIIX3_PIRQS]; /* the line in use; source is fixed */
	u8 pirq_sources[PIIX3_PIRQS];
	u8 reset_control;
	void (*reset)(void *ctx);
	void *ctx;
};

/* first_source: PIRQA#-PIRQD# drive sources first_source to first_source + 3 of the IRQ lines. */
int piix3_init(struct piix3 *p, struct pci_bus *pci, struct irq_lines *lines, u8 first_source,
	       void (*reset)(void *ctx), void *ctx);
void piix3_reset(struct piix3 *p);
/* A PCI device's interrupt on PIRQA# (0) to PIRQD# (3); source 0-7 unique on that line. */
void piix3_pirq_set(struct piix3 *p, unsigned pirq, unsigned source, bool level);

#endif
