/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PC's devices need to come to rest, told by their usual ports. A device at other ports is
 * left as it is: its interrupt line is masked, and that is all that can be done for it.
 */
#ifndef FARBUS_BOOT_PEER_DEVICE_H
#define FARBUS_BOOT_PEER_DEVICE_H

#include "net-ne2000/export.h"

/* No interrupt, no DMA, nothing half done: before anyone else gets the device. At most 1 ms. */
void peer_device_quiesce(const struct port_export *x);
/* The same, and then as after power-on. */
void peer_device_reset(const struct port_export *x);
/* One word for what is known at the export's ports, "device": nothing. */
const char *peer_device_name(const struct port_export *x);

#endif
