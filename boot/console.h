/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console on one of this PC's serial ports: the guest's text screen mirrored as ANSI text,
 * received bytes turned into key strokes, and the hot key (Ctrl-]) that opens the monitor.
 */
#ifndef FARBUS_BOOT_CONSOLE_H
#define FARBUS_BOOT_CONSOLE_H

#include "lib/types.h"

struct screen_view;
struct vm;

/*
 * Opens the port that vm->config names. NULL when the configuration has no console, or (after a
 * line in the log) when this PC has no such port.
 */
struct console *console_create(struct vm *vm);

/*
 * Moves bytes in both directions and looks at the guest's screen when that is due; never waits.
 * The run loop calls it each time around, also while the guest is stopped. now: host_ns(). Returns
 * the host_ns() at which it wants to be called at the latest (TIMER_NEVER without a console).
 */
u64 console_poll(struct vm *vm, u64 now);

/*
 * The CRTC is about to go from old->start to next: what would be lost is brought out first.
 */
void console_before_scroll(struct vm *vm, const struct screen_view *old, u16 next);

/* Brings out what is on the screen now and waits (bounded) until it is sent: before power-off. */
void console_flush(struct vm *vm);

/* The monitor takes over the terminal, and gives it back: the guest's screen is drawn afresh. */
void console_open_monitor(struct vm *vm);
void console_close_monitor(struct vm *vm);
/* The monitor's text; CR is added before each LF. Waits (bounded) until the port takes it. */
void console_print(struct vm *vm, const char *text);

/*
 * Key strokes from the monitor, which the guest gets when it runs again: a byte as if it had been
 * typed, or a key by its name (keys_named()); false: no such key.
 */
void console_type(struct vm *vm, u8 byte);
bool console_press(struct vm *vm, const char *key);

#endif
