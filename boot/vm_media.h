/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks, floppies and CDs of the guest. Inside boot/ only. */
#ifndef FARBUS_BOOT_VM_MEDIA_H
#define FARBUS_BOOT_VM_MEDIA_H

#include "boot/vm.h"

/* Fills in the drives that the configuration names; what cannot work ends in boot_fail(). */
void media_attach(struct vm *vm, struct pc_config *pc);

#endif
