/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PIIX3's bus-master IDE registers: 16 ports, eight a channel. piix3_ide.c, which owns the PCI
 * function, calls bmdma_map() when BAR 4 or its I/O-enable bit changes.
 */
#ifndef FARBUS_DEVICES_BMDMA_H
#define FARBUS_DEVICES_BMDMA_H

#include "devices/bus.h"
#include "lib/types.h"

struct physmem;
struct ide_channel;

struct bmdma_channel {
	struct physmem *mem;
	struct ide_channel *ide;
	u8 command, status;
	u32 table; /* the PRD table's address, as the guest wrote it */
	/* Where the running transfer stands. */
	u32 next_prd;	     /* address of the next descriptor */
	u32 address, remain; /* the current memory region */
	bool last;	     /* it is the table's last one */
};

struct bmdma {
	struct bmdma_channel channel[2];
	struct bus *bus;
	int handler; /* of the bus */
	u16 base;    /* first of 16 ports, 0: not mapped */
};

/* Ties the two channels' drives to the bus master; call after ide_init(). */
int bmdma_init(struct bmdma *bm, struct bus *bus, struct physmem *mem, struct ide_channel *primary,
	       struct ide_channel *secondary);
void bmdma_reset(struct bmdma *bm);
/* base: the value of BAR 4 (low four bits ignored); enabled: I/O space enable of the function. */
void bmdma_map(struct bmdma *bm, u32 base, bool enabled);

/* For the IDE channel. */
bool bmdma_started(const struct bmdma_channel *c, bool to_memory);
/* Moves up to len bytes through the PRD table; fewer only when the table ends. */
u32 bmdma_transfer(struct bmdma_channel *c, bool to_memory, void *buf, u32 len);
/* The drive raised INTRQ. */
void bmdma_interrupt(struct bmdma_channel *c);

#endif
