/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Peer mode: no guest. This PC lends its devices to others over the network: it carries out their
 * accesses, passes on interrupts, and shows who holds what.
 */
#ifndef FARBUS_BOOT_PEER_H
#define FARBUS_BOOT_PEER_H

#include "boot/config.h"

/*
 * Starts the network card and lends out what c->export lists, for ever. What cannot work (no card,
 * ports that this PC needs itself) ends in boot_fail(). ram_end: RAM is without a hole from 1 MB to
 * there.
 */
_Noreturn void peer_run(struct config *c, u32 ram_end);

#endif
