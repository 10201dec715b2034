/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted text into a bounded buffer. Conversions: %c %s %d %i %u %x %X %p %%, with '0' and '-'
 * flags, width, precision (%s), and the l, ll, z length modifiers. Always terminates the string;
 * returns the length that would have been written (as C's vsnprintf).
 */
#ifndef FARBUS_LIB_FMT_H
#define FARBUS_LIB_FMT_H

#include <stdarg.h>
#include "lib/types.h"

int fmt_va(char *buf, size_t size, const char *format, va_list ap);
int fmt(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
