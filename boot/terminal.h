/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a text screen is shown and keys are typed: a terminal on one of this PC's serial ports, or
 * one far away, behind a service of this PC (net-ne2000/service.h).
 */
#ifndef FARBUS_BOOT_TERMINAL_H
#define FARBUS_BOOT_TERMINAL_H

#include "boot/console_screen.h"
#include "net-ne2000/service.h"

struct host_serial;

#define TERMINAL_TYPED 1024u /* bytes typed far away that wait; a power of two */

/* A remote terminal's state: columns, rows << 8, and these bits. docs/protocol.md has them. */
#define TERMINAL_TYPES	 BIT(16) /* what is typed is taken */
#define TERMINAL_MONITOR BIT(17) /* it is the monitor's now */
#define TERMINAL_TEXT	 BIT(18) /* a text screen of so many columns and rows */

struct terminal {
	struct host_serial *port; /* NULL: far away */
	unsigned port_size;
	bool on;    /* somebody may see it: it is to be drawn */
	bool began; /* somebody has just come: whoever draws it clears this */
	bool types, in_monitor;
	bool stuck;   /* nobody takes what is drawn: not waited for until somebody does, */
	u32 stuck_at; /* beyond this byte */
	struct screen_mirror mirror;
	int held;	/* a byte put back, -1: none */
	u32 head, tail; /* of typed, also after the lease; free-running */
	u8 typed[TERMINAL_TYPED];
};

/* NULL, with a line in the log: this PC has no such port, or no memory. */
struct terminal *terminal_serial(unsigned com, u32 baud);
/* types: what is typed there is taken, else it is thrown away. NULL: no memory. */
struct terminal *terminal_remote(bool types);

/* The next byte typed, -1: none. */
int terminal_getc(struct terminal *t);
/* Brings drawn bytes on their way, as many as a slow line should have waiting; never waits. */
void terminal_drain(struct terminal *t);
/* Bytes drawn that nobody has taken yet. */
static inline u32 terminal_waiting(const struct terminal *t)
{
	return t->mirror.ansi.head - t->mirror.ansi.tail;
}

/* The services; ctx is a remote terminal. One has a keyboard, the other only shows the screen. */
extern const struct service_ops terminal_console, terminal_screen;

#endif
