/* SPDX-License-Identifier: BSD-2-Clause */
/* Where lines of lib/log.h go in the kernel: a ring in memory, port E9h, the boot screen. */
#ifndef FARBUS_BOOT_LOG_H
#define FARBUS_BOOT_LOG_H

#include "lib/log.h"

void log_init(void);
/* The guest is about to own the screen: no more lines on it. */
void log_leave_screen(void);
/* Lines so far: whether there is a new one. */
u32 log_count(void);
/* Calls fn for every line kept, the oldest first, without line ends. */
void log_each(void (*fn)(void *ctx, const char *line), void *ctx);
/* One line on COM1 by polling, whatever state the UART is in. */
void log_com1(const char *line);

#endif
