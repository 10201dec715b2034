/* SPDX-License-Identifier: BSD-2-Clause */
/* A record as a line of text. */
#ifndef FARBUS_HOST_TRACE_TEXT_H
#define FARBUS_HOST_TRACE_TEXT_H

#include <stdio.h>

#include "host/trace_decode.h"

/* since: what the time is counted from, ns. False: it could not be written. */
bool trace_print(FILE *f, const struct trace_event *e, u64 since);

#endif
