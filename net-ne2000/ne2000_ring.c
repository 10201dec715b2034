/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reception: the chip fills the ring of pages up to CURR, we read from card->next. Each frame has
 * four bytes before it: status, page of the next frame, bytes with checksum (low, high).
 */
#include "net-ne2000/ne2000_card.h"

#include "lib/str.h"
#include "net-ne2000/frame.h"

#define HEAD	 4u
#define CHECKSUM 4u

/* How many bad frames are passed over in one call. */
#define BAD_AT_ONCE 8u

static bool in_ring(const struct ne2000 *card, u8 page)
{
	return page >= card->ring && page < card->stop;
}

/* Pages from `from` forward to `to`. */
static u32 ring_distance(const struct ne2000 *card, u8 from, u8 to)
{
	return to >= from ? (u32)(to - from) : (u32)(to - from + card->stop - card->ring);
}

/* BNRY stays a page behind, because the chip takes BNRY = CURR for a full ring. */
static void ring_advance(struct ne2000 *card, u8 next)
{
	card->next = next;
	ne2000_out(card, DP_BNRY, next == card->ring ? card->stop - 1u : next - 1u);
}

static u8 ring_curr(struct ne2000 *card)
{
	u8 curr;

	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STA | CR_PAGE1);
	curr = ne2000_in(card, DP_CURR);
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STA);
	return curr;
}

/*
 * CURR; when there is nothing, only after the receive bits were cleared, so that a frame that comes
 * later sets them again. Never by the bits alone: not every clone sets them for every frame.
 */
static u8 ring_end(struct ne2000 *card, u8 isr)
{
	u8 done = isr & (ISR_PRX | ISR_RXE);
	u8 curr = ring_curr(card);

	if (curr == card->next && done) {
		ne2000_ack(card, done);
		curr = ring_curr(card);
	}
	return curr;
}

/* Whether the header's next page fits its length, and lies before CURR. */
static bool head_fits(const struct ne2000 *card, const u8 *head, u8 curr)
{
	u32 count = (u32)head[2] | (u32)head[3] << 8;
	u32 pages = ring_distance(card, card->next, head[1]);

	if (!in_ring(card, head[1]) || pages > ring_distance(card, card->next, curr))
		return false;
	/* Clones differ in whether the checksum takes room, and when the last page is full. */
	return pages >= 1 && pages >= (count + HEAD - CHECKSUM + 255) >> 8 &&
	       pages <= ((count + HEAD + 255) >> 8) + 1;
}

/* The part of a frame behind its first FRAME_MIN bytes, which may go on at the ring's start. */
static bool read_rest(struct ne2000 *card, u8 *buf, u32 len)
{
	u32 addr = ((u32)card->next << 8) + HEAD + FRAME_MIN;
	u32 room = ((u32)card->stop << 8) - addr;

	if (len <= room)
		return ne2000_read(card, (u16)addr, buf, len);
	return ne2000_read(card, (u16)addr, buf, room) &&
	       ne2000_read(card, (u16)(card->ring << 8), buf + room, len - room);
}

/* Reads the frame at card->next. 0: it was none, and something has been done about it. */
static u32 take_frame(struct ne2000 *card, u8 *buf, u8 curr)
{
	/* With the header comes a whole short frame: setting up the DMA is what costs most. */
	u8 head[HEAD + FRAME_MIN];
	u32 len;

	if (!ne2000_read(card, (u16)(card->next << 8), head, sizeof(head))) {
		ne2000_fault(card);
		return 0;
	}
	card->failures = 0;
	len = ((u32)head[2] | (u32)head[3] << 8) - CHECKSUM;
	if (!head_fits(card, head, curr)) {
		card->nic.stats.bad++;
		ring_advance(card, curr); /* nothing behind it can be found */
		return 0;
	}
	if ((head[0] & (RSR_PRX | RSR_ERRORS)) != RSR_PRX || len < FRAME_MIN || len > FRAME_MAX) {
		card->nic.stats.bad++;
		ring_advance(card, head[1]);
		return 0;
	}
	memcpy(buf, head + HEAD, FRAME_MIN);
	if (len > FRAME_MIN && !read_rest(card, buf + FRAME_MIN, len - FRAME_MIN)) {
		ne2000_fault(card);
		return 0;
	}
	ring_advance(card, head[1]);
	return len;
}

/* In an overrun's loopback: leaves it once the ring was empty, or has been read once around. */
static void drained(struct ne2000 *card, bool empty)
{
	if (card->state != NE2000_DRAINING)
		return;
	card->drained++;
	if (empty || card->drained >= card->stop - card->ring)
		ne2000_overrun_end(card);
}

u32 ne2000_receive(struct nic *nic, u8 *buf)
{
	struct ne2000 *card = container_of(nic, struct ne2000, nic);

	for (u32 i = 0; i < BAD_AT_ONCE; i++) {
		u8 isr, curr;
		u32 len;

		if (card->state == NE2000_STOPPING || card->state == NE2000_GONE)
			return 0;
		isr = ne2000_isr(card);
		if (card->state == NE2000_RUNNING && (isr & ISR_OVW)) {
			ne2000_overrun_begin(card);
			return 0;
		}
		if (card->state == NE2000_GONE)
			return 0;
		curr = ring_end(card, isr);
		if (!in_ring(card, curr)) {
			ne2000_fault(card);
			return 0;
		}
		if (curr == card->next) {
			drained(card, true);
			return 0;
		}
		len = take_frame(card, buf, curr);
		if (len) {
			nic->stats.received++;
			drained(card, false);
			return len;
		}
	}
	return 0;
}
