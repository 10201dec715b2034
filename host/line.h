/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the cable of a UART that `farbus serve` lends out leads: a pseudo-terminal, a serial port
 * of this machine, a TCP socket. Nothing here waits.
 */
#ifndef FARBUS_HOST_LINE_H
#define FARBUS_HOST_LINE_H

#include <poll.h>

#include "devices/uart16550.h"
#include "host/absence.h"
#include "host/serve_config.h"

#define LINE_CONNECTED (UART_CTS | UART_DSR | UART_DCD)

struct line;

struct line_char {
	u8 byte, errors; /* errors: UART_PARITY, UART_FRAMING, UART_BREAK */
};

struct line_ops {
	/* Logs why not. What may come later (a USB adapter, a TCP peer) is no reason to fail. */
	struct line *(*open)(const struct device_config *config, struct clock *clock);
	void (*close)(struct line *l);
	/* What has arrived; how many, at most count. */
	unsigned (*get)(struct line *l, struct line_char *c, unsigned count);
	/* How many it has taken. Where there is nobody at all, all are lost, as on a loose cable.
	 */
	unsigned (*put)(struct line *l, const u8 *bytes, unsigned count);
	/* False: not before what was put has left. NULL: the line has no settings. */
	bool (*set)(struct line *l, const struct uart_settings *s);
	/* Once a turn, before the others: what has gone away may have come back. May be NULL. */
	void (*tend)(struct line *l, bool leased);
	/* fd->fd stays -1 where nothing has to be awaited. */
	void (*await)(struct line *l, struct pollfd *fd, bool get, bool put);
};

/* Each kind's own structure begins with it. */
struct line {
	const struct line_ops *ops;
	const struct device_config *config; /* stays the caller's */
	struct clock *clock;
	struct absence absence;
	struct timer look; /* only wakes the loop */
	int fd;		   /* -1: gone */
	short ready;	   /* what await() has found there */
	bool fresh;	   /* has come back: wants the settings anew */
	u8 modem;	   /* UART_CTS to UART_DCD, from the far end */
};

extern const struct line_ops line_pty, line_tty, line_tcp;

/* For the kinds: a zeroed structure of that size. NULL with a line in the log. */
struct line *line_new(size_t size, const struct line_ops *ops, const struct device_config *config,
		      struct clock *clock);
/* Closes fd, frees the structure. */
void line_free(struct line *l);
/* Its fd is of no use any more: closed, and to be tried again. */
void line_lost(struct line *l, const char *why);
/* After line_lost(): whether it is time to try again. */
bool line_due(struct line *l);
/* A try has succeeded. */
void line_back(struct line *l);
/* The loop has to turn in so many ns, if not before. */
void line_wake(struct line *l, u64 ns);

#endif
