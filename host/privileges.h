/* SPDX-License-Identifier: BSD-2-Clause */
/* What a daemon gives up once its socket and its devices are open. */
#ifndef FARBUS_HOST_PRIVILEGES_H
#define FARBUS_HOST_PRIVILEGES_H

#include "lib/types.h"

/*
 * Becomes that user with its groups ("": stays who it is), then drops all capabilities, and the way
 * to gain any (no_new_privs). False with a line in the log.
 */
bool privileges_drop(const char *user);

#endif
