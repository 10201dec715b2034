/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring is full and a frame was lost. The chip must then be stopped, drained in loopback and
 * started again, or it can hang, or put frames where none belong (DP8390D data sheet, section 7.0,
 * "Buffer Ring Overflow"). The 1.6 ms for stopping pass between two calls of nic->poll().
 */
#include "net-ne2000/ne2000_card.h"

/* What the longest frame takes on the wire at 10 Mbit/s, with some more. */
#define STOP_NS 1600000ull

void ne2000_overrun_begin(struct ne2000 *card)
{
	/* Whether a frame is on the wire must be known before the stop: TXP tells only until then.
	 */
	card->tx_resend = card->tx_busy && (ne2000_in(card, DP_CR) & CR_TXP);
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STP);
	card->stop_since = ne2000_now(card);
	card->state = NE2000_STOPPING;
	card->nic.stats.overruns++;
}

void ne2000_overrun_poll(struct ne2000 *card, u64 now)
{
	/* `now` may have been taken before the stop. */
	if ((s64)(now - card->stop_since) < (s64)STOP_NS)
		return;
	ne2000_out(card, DP_RBCR0, 0);
	ne2000_out(card, DP_RBCR1, 0);
	/* It left, or was given up, before the chip stopped: sending it again would repeat it. */
	if (ne2000_isr(card) & (ISR_PTX | ISR_TXE))
		card->tx_resend = false;
	if (card->state == NE2000_GONE)
		return;
	ne2000_out(card, DP_TCR, TCR_LOOPBACK);
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STA);
	card->drained = 0;
	card->state = NE2000_DRAINING;
}

void ne2000_overrun_end(struct ne2000 *card)
{
	ne2000_ack(card, ISR_OVW);
	ne2000_out(card, DP_TCR, TCR_NORMAL);
	card->state = NE2000_RUNNING;
	if (card->tx_resend)
		ne2000_tx_again(card, ne2000_now(card));
	card->tx_resend = false;
}
