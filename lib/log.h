/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Farbus's own log: one line a call, no newline in the format. The kernel's sink is boot/log.c, the
 * tests bring one of their own. A line says what was wrong and what was expected.
 */
#ifndef FARBUS_LIB_LOG_H
#define FARBUS_LIB_LOG_H

#include "lib/types.h"

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Stops Farbus: only for its own broken invariants. Nothing a guest, a frame or a configuration
 * file can do may lead here.
 */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
