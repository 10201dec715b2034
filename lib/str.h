/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's memory and string functions that Farbus uses, with their standard meaning.
 * Freestanding builds take them from lib/str.c, hosted ones from the C library.
 */
#ifndef FARBUS_LIB_STR_H
#define FARBUS_LIB_STR_H

#include "lib/types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

#endif
