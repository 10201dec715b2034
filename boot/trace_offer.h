/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace on the wire, as a service (net-ne2000/service.h) of a PC with `offer trace`. */
#ifndef FARBUS_BOOT_TRACE_OFFER_H
#define FARBUS_BOOT_TRACE_OFFER_H

#include "devices/trace_stream.h"

/* After offer_start(). idle: asked whether the guest sleeps, and the time is nobody's. */
void trace_offer_start(const struct trace *t, const struct bus *b, bool (*idle)(void *ctx),
		       void *ctx);
/* So much time went into clients and their frames: what was sent has its share of the time. */
void trace_offer_spent(u64 ns);
/* The host_ns() at which the run loop should look for records to send. */
u64 trace_offer_due(u64 now);

#endif
