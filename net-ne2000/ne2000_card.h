/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the NE2000 driver. The chip is left in register page 0 by everything here.
 */
#ifndef FARBUS_NET_NE2000_CARD_H
#define FARBUS_NET_NE2000_CARD_H

#include "net-ne2000/dp8390.h"
#include "net-ne2000/ne2000.h"

static inline u8 ne2000_in(struct ne2000 *card, u16 reg)
{
	return card->ops->inb(card->ctx, (u16)(card->base + reg));
}

static inline void ne2000_out(struct ne2000 *card, u16 reg, u32 value)
{
	card->ops->outb(card->ctx, (u16)(card->base + reg), (u8)value);
}

static inline u64 ne2000_now(struct ne2000 *card)
{
	return card->ops->now(card->ctx);
}

/* The ISR; 0 when the card turned out to be gone (ask card->state). */
u8 ne2000_isr(struct ne2000 *card);
/*
 * True when `bit` of the ISR is set within `ns`. The clock is read before the register, so that a
 * bit set in time is seen however long we were kept from looking.
 */
bool ne2000_wait_isr(struct ne2000 *card, u8 bit, u64 ns);
/* Clears bits of the ISR, and lets the interrupt line rise again for those that remain. */
void ne2000_ack(struct ne2000 *card, u8 bits);
/* The reset port. False: the chip does not say that it was reset. */
bool ne2000_reset(struct ne2000 *card);
/* All registers from the card's fields, with an empty ring; then the chip runs. */
void ne2000_program(struct ne2000 *card, u8 rcr);
/* The card did not do as told, or said what cannot be: starts it afresh, or finds it gone. */
void ne2000_fault(struct ne2000 *card);

/* ne2000_dma.c: `addr` of the card's memory; len of at least 1. False: the card did not finish. */
bool ne2000_read(struct ne2000 *card, u16 addr, void *buf, u32 len);
bool ne2000_write(struct ne2000 *card, u16 addr, const void *buf, u32 len);

void ne2000_poll(struct nic *nic, u64 now);

/* ne2000_tx.c */
bool ne2000_send(struct nic *nic, const u8 *frame, u32 len);
/* Takes note of a finished transmission and starts the next. */
void ne2000_tx_poll(struct ne2000 *card, u8 isr, u64 now);
/* Sends again what was on the wire. */
void ne2000_tx_again(struct ne2000 *card, u64 now);
void ne2000_tx_drop(struct ne2000 *card);

/* ne2000_overrun.c: the data sheet's procedure for an overflow of the ring. */
void ne2000_overrun_begin(struct ne2000 *card);
void ne2000_overrun_poll(struct ne2000 *card, u64 now);
void ne2000_overrun_end(struct ne2000 *card);

/* ne2000_ring.c */
u32 ne2000_receive(struct nic *nic, u8 *buf);

#endif
