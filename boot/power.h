/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside boot/ only; host_power_off() is in boot/host.h. */
#ifndef FARBUS_BOOT_POWER_H
#define FARBUS_BOOT_POWER_H

/* Finds out how this PC is switched off, while its firmware's tables are still there. */
void power_init(void);

#endif
