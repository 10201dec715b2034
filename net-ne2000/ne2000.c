/* SPDX-License-Identifier: BSD-2-Clause */
/* The chip as a whole: reset, programming, what to do when it misbehaves, and the regular look. */
#include "net-ne2000/ne2000_card.h"

/* It is at once on most; the slowest clones take some milliseconds. */
#define RST_NS 20000000ull

/* Starts in a row without a single good transfer after which the card is given up. */
#define FAILURES_MAX 5u

static void give_up(struct ne2000 *card, const char *why)
{
	ne2000_tx_drop(card);
	card->state = NE2000_GONE;
	card->ops->say(card->ctx, why);
}

/* CR can never be FFh: it would have to stop, start, send, and select page 3, all at once. */
static bool vanished(struct ne2000 *card)
{
	if (card->state != NE2000_GONE && ne2000_in(card, DP_CR) == 0xff)
		give_up(card, "the card is gone: its ports read FFh");
	return card->state == NE2000_GONE;
}

u8 ne2000_isr(struct ne2000 *card)
{
	u8 isr = ne2000_in(card, DP_ISR);

	return isr == 0xff && vanished(card) ? 0 : isr;
}

bool ne2000_wait_isr(struct ne2000 *card, u8 bit, u64 ns)
{
	u64 since = ne2000_now(card);
	bool late;

	do {
		late = ne2000_now(card) - since > ns;
		if (ne2000_isr(card) & bit)
			return true;
	} while (!late && card->state != NE2000_GONE);
	return false;
}

/* An ISA line is heard when it rises: masked for a moment, it does so for what has come since. */
void ne2000_ack(struct ne2000 *card, u8 bits)
{
	if (card->imr)
		ne2000_out(card, DP_IMR, 0);
	ne2000_out(card, DP_ISR, bits);
	if (card->imr)
		ne2000_out(card, DP_IMR, card->imr);
}

bool ne2000_reset(struct ne2000 *card)
{
	/* Reading starts the pulse; on some cards it ends with a write of the same value. */
	ne2000_out(card, NE_RESET, ne2000_in(card, NE_RESET));
	return ne2000_wait_isr(card, ISR_RST, RST_NS);
}

/* The order of the data sheet, section 11.0; only that nothing is let in before the end. */
void ne2000_program(struct ne2000 *card, u8 rcr)
{
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STP);
	ne2000_out(card, DP_DCR, DCR_FT8 | DCR_LS | (card->width > 1 ? DCR_WTS : 0));
	ne2000_out(card, DP_RBCR0, 0);
	ne2000_out(card, DP_RBCR1, 0);
	ne2000_out(card, DP_RCR, RCR_MON);
	ne2000_out(card, DP_TCR, TCR_LOOPBACK);
	ne2000_out(card, DP_TPSR, card->first_page);
	ne2000_out(card, DP_PSTART, card->ring);
	ne2000_out(card, DP_PSTOP, card->stop);
	ne2000_out(card, DP_BNRY, card->stop - 1u);
	ne2000_out(card, DP_ISR, 0xff);
	ne2000_out(card, DP_IMR, card->imr);

	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STP | CR_PAGE1);
	for (u16 i = 0; i < 6; i++)
		ne2000_out(card, DP_PAR0 + i, card->nic.mac[i]);
	for (u16 i = 0; i < 8; i++)
		ne2000_out(card, DP_MAR0 + i, 0);
	ne2000_out(card, DP_CURR, card->ring);
	card->next = card->ring;

	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STP);
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STA);
	ne2000_out(card, DP_TCR, TCR_NORMAL);
	ne2000_out(card, DP_RCR, rcr);
	card->state = NE2000_RUNNING;
}

void ne2000_fault(struct ne2000 *card)
{
	if (vanished(card))
		return;
	card->nic.stats.resets++;
	ne2000_tx_drop(card);
	if (++card->failures > FAILURES_MAX) {
		ne2000_out(card, DP_CR, CR_NO_DMA | CR_STP);
		give_up(card, "the card no longer does as it is told: given up");
		return;
	}
	/* Programming it can work even where it does not acknowledge the reset. */
	ne2000_reset(card);
	if (card->state != NE2000_GONE)
		ne2000_program(card, RCR_AB);
}

/* The counters are cleared by reading them. */
static void read_counters(struct ne2000 *card)
{
	card->nic.stats.bad += ne2000_in(card, DP_CNTR0);
	card->nic.stats.bad += ne2000_in(card, DP_CNTR1);
	card->nic.stats.dropped += ne2000_in(card, DP_CNTR2);
	ne2000_ack(card, ISR_CNT);
}

void ne2000_poll(struct nic *nic, u64 now)
{
	struct ne2000 *card = container_of(nic, struct ne2000, nic);
	u8 isr;

	if (card->state == NE2000_STOPPING)
		ne2000_overrun_poll(card, now);
	if (card->state != NE2000_RUNNING)
		return;
	isr = ne2000_isr(card);
	if (card->state != NE2000_RUNNING)
		return;
	if (isr & ISR_OVW) {
		ne2000_overrun_begin(card);
		return;
	}
	if (isr & ISR_CNT)
		read_counters(card);
	ne2000_tx_poll(card, isr, now);
}
