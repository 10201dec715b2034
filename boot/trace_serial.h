/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace on a serial port of this PC, in packets (devices/trace_frame.h). */
#ifndef FARBUS_BOOT_TRACE_SERIAL_H
#define FARBUS_BOOT_TRACE_SERIAL_H

#include "devices/trace_stream.h"

/* False: this PC has no such port. */
bool trace_serial_start(const struct trace *t, const struct bus *b, unsigned com);

/*
 * From the run loop: sends what its share of the time allows; idle: the guest sleeps, and the time
 * is nobody's. Returns the host_ns() at which it is due again.
 */
u64 trace_serial_poll(u64 now, bool idle);

#endif
