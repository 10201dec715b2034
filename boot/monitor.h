/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor: commands on the console while the guest stands still. docs/monitor.md lists them.
 */
#ifndef FARBUS_BOOT_MONITOR_H
#define FARBUS_BOOT_MONITOR_H

#include "lib/types.h"

struct vm;

struct monitor *monitor_create(struct vm *vm);

/*
 * The run loop has stopped the guest (vm->stopped): says why in one line, shows where the guest is
 * and prompts. Also after each single step. Without a console the lines go to the log.
 */
void monitor_enter(struct vm *vm, const char *why);

/* A byte typed on the console while the guest is stopped; may call vm_continue() or vm_request().
 */
void monitor_input(struct vm *vm, u8 byte);

#endif
