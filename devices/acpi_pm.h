/* SPDX-License-Identifier: BSD-2-Clause */
/* The PIIX4's power management: ACPI PM1 and timer registers, general purpose events, APM ports. */
#ifndef FARBUS_DEVICES_ACPI_PM_H
#define FARBUS_DEVICES_ACPI_PM_H

#include "devices/irq.h"
#include "devices/pci.h"
#include "devices/timer.h"

struct bus;

struct acpi_pm {
	struct pci_config config; /* function 00:01.3 */
	struct bus *bus;
	struct clock *clock;
	struct irq_pin sci;
	int handler; /* of the PM registers, which move with PMBASE */
	u16 base;    /* where they are, 0: nowhere */
	u16 status, enable, control;
	u16 gpe_status, gpe_enable;
	u8 apm_command, apm_status;
	u64 timer_turns; /* changes of the timer's bit 23 up to the last look */
	struct timer overflow;
	void (*power_off)(void *ctx);
	void *ctx;
};

/* Returns 0, or -1 (logged). */
int acpi_pm_init(struct acpi_pm *a, struct pci_bus *pci, struct bus *bus, struct clock *clock,
		 struct irq_pin sci, void (*power_off)(void *ctx), void *ctx);
void acpi_pm_reset(struct acpi_pm *a);

#endif
