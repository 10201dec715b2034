/* SPDX-License-Identifier: BSD-2-Clause */
/* The wires between CPU, PC and run loop. Inside boot/ only; the loop itself is vm_run(). */
#ifndef FARBUS_BOOT_RUN_H
#define FARBUS_BOOT_RUN_H

#include "boot/vm.h"

/* Fills in what the PC's pins lead to, before pc_init(). */
void run_wire_pc(struct vm *vm, struct pc_config *pc);
/* The same for the CPU's, before interp_init(). */
void run_wire_cpu(struct vm *vm);

#endif
