/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FARBUS_BOOT_FPU_HOST_H
#define FARBUS_BOOT_FPU_HOST_H

/* Makes the host FPU ready for guests (CR0, CR4) and finds out what it has; once, at boot. */
void fpu_host_init(void);

#endif
