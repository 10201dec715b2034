/* SPDX-License-Identifier: BSD-2-Clause */
/* The chip's remote DMA: between the card's memory and the data port (data sheet, section 9.0). */
#include "net-ne2000/ne2000_card.h"

/* It is a matter of microseconds once the last byte has been moved. */
#define RDC_NS 2000000ull

static void dma_setup(struct ne2000 *card, u16 addr, u32 len, u8 command)
{
	if (card->width > 1)
		len = (len + 1) & ~1u;
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STA);
	ne2000_out(card, DP_RBCR0, len);
	ne2000_out(card, DP_RBCR1, len >> 8);
	ne2000_out(card, DP_RSAR0, addr);
	ne2000_out(card, DP_RSAR1, addr >> 8);
	ne2000_out(card, DP_ISR, ISR_RDC);
	ne2000_out(card, DP_CR, command | CR_STA);
}

static bool dma_done(struct ne2000 *card)
{
	bool done = ne2000_wait_isr(card, ISR_RDC, RDC_NS);

	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STA);
	ne2000_out(card, DP_ISR, ISR_RDC);
	return done;
}

bool ne2000_read(struct ne2000 *card, u16 addr, void *buf, u32 len)
{
	u16 port = (u16)(card->base + NE_DATA);
	u32 whole = len / card->width;
	u8 *rest = (u8 *)buf + whole * card->width;
	u8 pair[2];

	dma_setup(card, addr, len, CR_READ);
	if (whole)
		card->ops->ins(card->ctx, port, card->width, buf, whole);
	if (card->width == 4 && (len & 2)) {
		card->ops->ins(card->ctx, port, 2, rest, 1);
		rest += 2;
	}
	if (card->width > 1 && (len & 1)) {
		card->ops->ins(card->ctx, port, 2, pair, 1);
		*rest = pair[0];
	}
	return dma_done(card);
}

bool ne2000_write(struct ne2000 *card, u16 addr, const void *buf, u32 len)
{
	u16 port = (u16)(card->base + NE_DATA);
	u32 whole = len / card->width;
	const u8 *rest = (const u8 *)buf + whole * card->width;
	u8 pair[2] = {0, 0};

	dma_setup(card, addr, len, CR_WRITE);
	if (whole)
		card->ops->outs(card->ctx, port, card->width, buf, whole);
	if (card->width == 4 && (len & 2)) {
		card->ops->outs(card->ctx, port, 2, rest, 1);
		rest += 2;
	}
	if (card->width > 1 && (len & 1)) {
		pair[0] = *rest;
		card->ops->outs(card->ctx, port, 2, pair, 1);
	}
	return dma_done(card);
}

/* A finished transfer is the one interrupt that a card gives for nothing but being asked. */
void ne2000_raise(struct ne2000 *card)
{
	u8 unused[2];
	unsigned width = card->width > 1 ? 2 : 1;

	ne2000_out(card, DP_IMR, ISR_RDC);
	dma_setup(card, (u16)(card->ring << 8), sizeof(unused), CR_READ);
	card->ops->ins(card->ctx, (u16)(card->base + NE_DATA), width, unused,
		       sizeof(unused) / width);
}

void ne2000_lower(struct ne2000 *card)
{
	dma_done(card);
	ne2000_out(card, DP_IMR, card->imr);
}
