/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port trace of the running guest: switched on and off, filtered, and on its way out. What is
 * recorded costs the guest some instructions an access; what is sent is limited to a few per cent
 * of the PC's time, and what comes faster is lost and counted. docs/trace.md.
 */
#ifndef FARBUS_BOOT_TRACE_H
#define FARBUS_BOOT_TRACE_H

#include "boot/vm.h"
#include "devices/trace.h"
#include "devices/trace_stream.h"

/* Bytes that the rings will take. */
u32 vm_trace_size(const struct config *c);
/* The rings, and what the configuration asks for. False: no memory. Once, with the bus there. */
bool vm_trace_init(struct vm *vm);

/* From the next access on. */
void vm_trace_on(const struct trace_filter *f);
void vm_trace_off(void);
bool vm_trace_is_on(void);
const struct trace *vm_trace(void);
/* Offers it on the wire; after offer_start(). */
void vm_trace_offer(struct vm *vm);
/* From the run loop: sends what is due. Returns the host_ns() at which it wants to be called again.
 */
u64 vm_trace_poll(struct vm *vm, u64 now);
/* An interrupt (value: its vector) or a reset. */
void vm_trace_event(enum trace_kind kind, u32 value);

#endif
