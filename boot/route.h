/* SPDX-License-Identifier: BSD-2-Clause */
/* Who answers which ports of the guest: carries out `route` lines, at boot and from the monitor. */
#ifndef FARBUS_BOOT_ROUTE_H
#define FARBUS_BOOT_ROUTE_H

#include "boot/config.h"

struct vm;

/* Hooks the guest's end of interrupt; after pc_init(). */
void route_init(struct vm *vm);

/*
 * All of vm->config's routes, before the guest starts. One that this PC cannot carry out ends in
 * boot_fail(). A remote one whose peer is not there is one line, and its ports are absent.
 */
void route_boot(struct vm *vm);

/*
 * Applies one route, of any kind, to the guest's bus now. 0, or -1 with one line in error: the
 * route is then not in effect at all. Waits for a remote one until it is up or has failed, at most
 * 6 s.
 */
int route_apply(struct vm *vm, const struct config_route *route, char *error, size_t size);

#endif
