/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared keys on Linux, in the same forms as in the kernel's configuration (docs/config.md). */
#ifndef FARBUS_HOST_KEY_H
#define FARBUS_HOST_KEY_H

#include "net-ne2000/session.h"

/* 64 hexadecimal digits, not all 0. False: they are not; nothing is logged, as it may be a key. */
bool key_from_hex(const char *text, u8 key[SESSION_KEY]);
/*
 * A file of 32 bytes or 64 hexadecimal digits, not all 0. False with a line in the log. Warns of
 * one that others may read.
 */
bool key_from_file(const char *path, u8 key[SESSION_KEY]);

#endif
