/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NE2000 and NE1000 cards and their many clones (a DP8390 or a core like it, behind a data port),
 * as a struct nic. Modelled on the DP8390D data sheet (July 1995) and its overflow procedure.
 *
 * Both transmit buffers are used: one is filled while the other is on the wire. The card answers
 * to its own address and to broadcasts. Everything that waits is bounded by the clock, and nothing
 * that the card says is used without a check: a card that talks nonsense is started afresh, one
 * that is no longer there is reported once and left alone.
 */
#ifndef FARBUS_NET_NE2000_H
#define FARBUS_NET_NE2000_H

#include "net-ne2000/nic.h"

/* How the driver reaches the card: ports in the kernel, a model in the tests. */
struct ne2000_ops {
	u8 (*inb)(void *ctx, u16 port);
	void (*outb)(void *ctx, u16 port, u8 value);
	/* `count` elements of `width` (1, 2 or 4) bytes, all at one port. */
	void (*ins)(void *ctx, u16 port, unsigned width, void *buf, u32 count);
	void (*outs)(void *ctx, u16 port, unsigned width, const void *buf, u32 count);
	/* ns; the clock of nic->poll's `now`. */
	u64 (*now)(void *ctx);
	/* One line for the log. */
	void (*say)(void *ctx, const char *text);
};

/* The memory of a card has two transmit buffers of so many 256-byte pages, then the ring. */
#define NE2000_TX_PAGES	  6u
#define NE2000_TX_BUFFERS 2u

enum ne2000_state {
	NE2000_RUNNING,
	NE2000_STOPPING, /* overrun: the chip has been told to stop and gets its time for it */
	NE2000_DRAINING, /* overrun: in loopback until the ring has been read */
	NE2000_GONE,
};

struct ne2000_tx {
	bool full;
	u16 len;
};

struct ne2000 {
	struct nic nic;
	const struct ne2000_ops *ops;
	void *ctx;
	u16 base;
	u8 imr;
	u8 width;		  /* of the data port: 1, 2 or 4 */
	u8 first_page;		  /* of the card's memory: 40h, or 20h on a NE1000 */
	u8 ring, stop;		  /* the ring's first page, and the one after its last */
	u8 next;		  /* page of the next frame to read */
	u8 tx_next;		  /* the buffer that is filled next */
	u8 tx_wire;		  /* the buffer that goes on the wire next, or is on it */
	bool tx_busy;		  /* tx_wire is on it */
	bool tx_resend;		  /* an overrun cut it off: again, after it */
	u8 drained;		  /* frames read in NE2000_DRAINING */
	u8 failures;		  /* restarts since the card last did as it was told */
	u64 tx_since, stop_since; /* ns */
	enum ne2000_state state;
	struct ne2000_tx tx[NE2000_TX_BUFFERS];
};

/*
 * Finds out what the card at `base` is, reads its address from the PROM and starts it. `width`: of
 * the data port's accesses at most, 1, 2 or 4. With `interrupts` the card raises its line for
 * received and sent frames and overruns; it falls, and can rise again, when nic->poll() and
 * nic->receive() have done their work. The fields of nic are valid after that.
 * NULL: it runs. Otherwise why not: then nothing is left running.
 */
const char *ne2000_start(struct ne2000 *card, const struct ne2000_ops *ops, void *ctx, u16 base,
			 unsigned width, bool interrupts);

/* Switches what `interrupts` was at the start. */
void ne2000_interrupts(struct ne2000 *card, bool on);

/*
 * Makes the card raise its interrupt line, with nothing sent and nothing received, until
 * ne2000_lower(): to find out where the line leads. With no call of nic in between.
 */
void ne2000_raise(struct ne2000 *card);
void ne2000_lower(struct ne2000 *card);

/*
 * The first of the usual ISA bases that has a card, or 0. This writes to ports that may be another
 * device's: only when the configuration asks for it.
 */
u16 ne2000_probe(const struct ne2000_ops *ops, void *ctx);

/* Whether a PCI device is a NE2000 whose first BAR can be the `base` of ne2000_start(). */
bool ne2000_is_pci(u16 vendor, u16 device);

#endif
