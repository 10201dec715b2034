/* SPDX-License-Identifier: BSD-2-Clause */
/* What card it is, and whether there is one. */
#include "net-ne2000/ne2000_card.h"

#include "lib/str.h"

#define NE2000_FIRST 0x40u /* 16 KB of memory */
#define NE2000_STOP  0x80u
#define NE1000_FIRST 0x20u /* 8 KB */
#define NE1000_STOP  0x40u

#define TEST_LEN 256u

#define INTERRUPTS (ISR_PRX | ISR_PTX | ISR_RXE | ISR_TXE | ISR_OVW)

static void lay_out(struct ne2000 *card, unsigned width, u32 first, u32 stop)
{
	card->width = (u8)width;
	card->first_page = (u8)first;
	card->ring = (u8)(first + NE2000_TX_BUFFERS * NE2000_TX_PAGES);
	card->stop = (u8)stop;
}

static void test_pattern(u8 *bytes, u32 page)
{
	for (u32 i = 0; i < TEST_LEN; i++)
		bytes[i] = (u8)(i * 5 + page * 29 + (i >> 4));
}

/*
 * Writes the first, the middle and the last page before reading any of them back: this finds a data
 * port that is narrower than thought, and memory that is smaller and appears twice.
 */
static bool memory_holds(struct ne2000 *card)
{
	const u8 pages[] = {card->first_page, (u8)((card->first_page + card->stop) / 2),
			    (u8)(card->stop - 1)};
	u8 wanted[TEST_LEN], found[TEST_LEN];

	ne2000_program(card, RCR_MON);
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++) {
		test_pattern(wanted, pages[i]);
		if (!ne2000_write(card, (u16)(pages[i] << 8), wanted, TEST_LEN))
			return false;
	}
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++) {
		test_pattern(wanted, pages[i]);
		if (!ne2000_read(card, (u16)(pages[i] << 8), found, TEST_LEN) ||
		    memcmp(wanted, found, TEST_LEN))
			return false;
	}
	return true;
}

static bool find_memory(struct ne2000 *card, unsigned width)
{
	for (unsigned w = 4; w; w /= 2) {
		lay_out(card, w, NE2000_FIRST, NE2000_STOP);
		if (w <= width && memory_holds(card))
			return true;
	}
	lay_out(card, 1, NE1000_FIRST, NE1000_STOP);
	return memory_holds(card);
}

/*
 * The PROM's address bytes come twice on a 16-bit card that is read by bytes, once on a NE1000 and
 * on some PCI clones. There are no other bytes to go by: not all cards have the signature.
 */
static bool take_address(struct ne2000 *card, const u8 *prom)
{
	bool twice = true;
	u8 any = 0;

	for (u32 i = 0; i < 6; i++)
		twice = twice && prom[2 * i] == prom[2 * i + 1];
	for (u32 i = 0; i < 6; i++) {
		card->nic.mac[i] = prom[twice ? 2 * i : i];
		any |= card->nic.mac[i];
	}
	return any && !(card->nic.mac[0] & 1); /* FFh everywhere is refused here too */
}

static const char *find_out(struct ne2000 *card, unsigned width)
{
	u8 prom[NE_PROM_LEN];

	lay_out(card, 1, NE2000_FIRST, NE2000_STOP);
	ne2000_program(card, RCR_MON);
	if (!ne2000_read(card, 0, prom, sizeof(prom)))
		return "its PROM cannot be read";
	if (!take_address(card, prom))
		return "its PROM holds no Ethernet address";
	if (!find_memory(card, width))
		return "its memory does not hold what is written";
	return NULL;
}

const char *ne2000_start(struct ne2000 *card, const struct ne2000_ops *ops, void *ctx, u16 base,
			 unsigned width, bool interrupts)
{
	const char *why;

	memset(card, 0, sizeof(*card));
	card->ops = ops;
	card->ctx = ctx;
	card->base = base;
	card->nic.name = "ne2000";
	card->nic.send = ne2000_send;
	card->nic.receive = ne2000_receive;
	card->nic.poll = ne2000_poll;
	if (ne2000_in(card, DP_CR) == 0xff)
		why = "no card is there: its ports read FFh";
	else if (!ne2000_reset(card))
		why = "no answer to a reset";
	else
		why = find_out(card, width);
	if (why) {
		ne2000_out(card, DP_CR, CR_NO_DMA | CR_STP);
		card->state = NE2000_GONE;
		return why;
	}
	card->imr = interrupts ? INTERRUPTS : 0;
	ne2000_program(card, RCR_AB);
	return NULL;
}

void ne2000_interrupts(struct ne2000 *card, bool on)
{
	card->imr = on ? INTERRUPTS : 0;
	ne2000_out(card, DP_IMR, card->imr);
}

/* A DP8390 has a counter in page 0 that reading clears, behind a plain register in page 1. */
static bool has_counter(struct ne2000 *card)
{
	u8 old, found;

	if (ne2000_in(card, DP_CR) == 0xff)
		return false;
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STP | CR_PAGE1);
	old = ne2000_in(card, DP_MAR5);
	ne2000_out(card, DP_MAR5, 0xff);
	ne2000_out(card, DP_CR, CR_NO_DMA | CR_STP);
	ne2000_in(card, DP_CNTR0);
	found = ne2000_in(card, DP_CNTR0);
	if (found)
		ne2000_out(card, DP_MAR5, old); /* somebody else's register */
	return !found;
}

u16 ne2000_probe(const struct ne2000_ops *ops, void *ctx)
{
	static const u16 bases[] = {0x300, 0x280, 0x320, 0x340, 0x360};
	struct ne2000 card = {.ops = ops, .ctx = ctx};

	for (u32 i = 0; i < ARRAY_SIZE(bases); i++) {
		card.base = bases[i];
		if (has_counter(&card))
			return bases[i];
	}
	return 0;
}

bool ne2000_is_pci(u16 vendor, u16 device)
{
	static const u16 known[][2] = {
		{0x10ec, 0x8029}, /* Realtek RTL8029, and what emulators have */
		{0x1050, 0x0940}, /* Winbond W89C940 */
		{0x1050, 0x5a5a}, /* Winbond W89C940F */
		{0x11f6, 0x1401}, /* Compex RL2000 */
		{0x8e2e, 0x3000}, /* KTI ET32P2 */
		{0x4a14, 0x5000}, /* NetVin NV5000SC */
		{0x1106, 0x0926}, /* VIA VT86C926 */
		{0x10bd, 0x0e34}, /* SureCom NE34 */
		{0x12c3, 0x0058}, /* Holtek HT80232 */
		{0x12c3, 0x5598}, /* Holtek HT80229 */
	};

	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i][0] == vendor && known[i][1] == device)
			return true;
	return false;
}
