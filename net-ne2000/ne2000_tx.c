/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transmission. The two buffers take turns: frames leave in the order of ne2000_send(), and the
 * chip gets the next TXP only after the last one ended, because a second one meanwhile is lost.
 */
#include "net-ne2000/ne2000_card.h"

#include "lib/str.h"
#include "net-ne2000/frame.h"

/* 16 collisions, each with the longest wait, are 0.4 s. */
#define TXP_NS 500000000ull

static u8 tx_page(const struct ne2000 *card, unsigned buffer)
{
	return (u8)(card->first_page + buffer * NE2000_TX_PAGES);
}

/* Puts the buffer whose turn it is on the wire, unless one is there already. */
static void tx_start(struct ne2000 *card, u64 now)
{
	const struct ne2000_tx *tx = &card->tx[card->tx_wire];

	if (card->tx_busy || !tx->full)
		return;
	ne2000_out(card, DP_TPSR, tx_page(card, card->tx_wire));
	ne2000_out(card, DP_TBCR0, tx->len);
	ne2000_out(card, DP_TBCR1, tx->len >> 8);
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STA | CR_TXP);
	card->tx_busy = true;
	card->tx_since = now;
}

static void tx_end(struct ne2000 *card, bool good)
{
	card->tx[card->tx_wire].full = false;
	card->tx_wire ^= 1;
	card->tx_busy = false;
	if (good)
		card->nic.stats.sent++;
	else
		card->nic.stats.dropped++;
}

void ne2000_tx_poll(struct ne2000 *card, u8 isr, u64 now)
{
	u8 done = isr & (ISR_PTX | ISR_TXE);

	if (done)
		ne2000_ack(card, done);
	if (card->tx_busy) {
		/* A chip that forgets to say PTX still clears TXP. */
		if (!done && (ne2000_in(card, DP_CR) & CR_TXP)) {
			if ((s64)(now - card->tx_since) > (s64)TXP_NS)
				ne2000_fault(card);
			return;
		}
		tx_end(card, !(done & ISR_TXE));
	}
	tx_start(card, now);
}

void ne2000_tx_again(struct ne2000 *card, u64 now)
{
	card->tx_busy = false;
	tx_start(card, now);
}

void ne2000_tx_drop(struct ne2000 *card)
{
	for (unsigned i = 0; i < NE2000_TX_BUFFERS; i++) {
		if (card->tx[i].full)
			card->nic.stats.dropped++;
		card->tx[i].full = false;
	}
	card->tx_next = 0;
	card->tx_wire = 0;
	card->tx_busy = false;
	card->tx_resend = false;
}

bool ne2000_send(struct nic *nic, const u8 *frame, u32 len)
{
	struct ne2000 *card = container_of(nic, struct ne2000, nic);
	struct ne2000_tx *tx;
	u8 padded[FRAME_MIN], isr;

	if (len < FRAME_HEADER || len > FRAME_MAX || card->state != NE2000_RUNNING)
		return false;
	isr = ne2000_isr(card);
	if (card->state != NE2000_RUNNING || (isr & ISR_OVW))
		return false; /* an overrun comes first: nic->poll() */
	ne2000_tx_poll(card, isr, ne2000_now(card));
	tx = &card->tx[card->tx_next]; /* a fault starts with the first again */
	if (tx->full || card->state != NE2000_RUNNING)
		return false;
	if (len < FRAME_MIN) {
		memcpy(padded, frame, len);
		memset(padded + len, 0, FRAME_MIN - len);
		frame = padded;
		len = FRAME_MIN;
	}
	if (!ne2000_write(card, (u16)(tx_page(card, card->tx_next) << 8), frame, len)) {
		ne2000_fault(card);
		return false;
	}
	card->failures = 0;
	tx->full = true;
	tx->len = (u16)len;
	card->tx_next ^= 1;
	tx_start(card, ne2000_now(card));
	return true;
}
