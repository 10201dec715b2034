/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IDENTIFY (PACKET) DEVICE without DMA: the bus master that would move the data is not on the
 * peer's side of the route, so the guest must take PIO (ATA-6, 8.15 and 8.16; ATA-1 for the words
 * that were retired).
 */
#include "net-ne2000/profile_ata.h"

#define IDENTIFY_DEVICE 0xec
#define IDENTIFY_PACKET 0xa1

#define WORD_MULTIPLE 59u /* bit 8: bits 7-0 are in use as the sectors of READ MULTIPLE */
#define WORD_CHECK    255u
#define CHECK_PRESENT 0xa5

struct cleared {
	u8 word;
	u16 bits;
};

static const struct cleared cleared[] = {
	{49, 0x0100},		    /* DMA */
	{53, 0x0004},		    /* word 88 holds something */
	{62, 0xffff}, {63, 0xffff}, /* single-word and multiword modes */
	{65, 0xffff}, {66, 0xffff}, /* cycle times of the multiword modes */
	{75, 0xffff},		    /* depth of the queue */
	{82, 0x0180}, {85, 0x0180}, /* SERVICE and release interrupt */
	{83, 0x0002}, {86, 0x0002}, /* READ and WRITE DMA QUEUED */
	{84, 0x0080}, {87, 0x0080}, /* WRITE DMA QUEUED FUA EXT */
	{88, 0xffff},		    /* Ultra DMA modes */
};

/* Of a packet device: interleaved DMA, command queuing, overlap. */
static const struct cleared cleared_packet = {49, 0xe000};

bool ata_is_identify(u8 command)
{
	return command == IDENTIFY_DEVICE || command == IDENTIFY_PACKET;
}

static u8 byte_of(const struct cleared *c, u32 at)
{
	return c->word == at / 2 ? (u8)(c->bits >> 8 * (at & 1)) : 0;
}

static u8 without_dma(u8 command, u32 at, u8 value)
{
	for (unsigned i = 0; i < ARRAY_SIZE(cleared); i++)
		value &= (u8)~byte_of(&cleared[i], at);
	if (command == IDENTIFY_PACKET)
		value &= (u8)~byte_of(&cleared_packet, at);
	return value;
}

/* A drive may be in multiple mode from power-on, and a guest that reads so never sets it. */
static void learn_multiple(struct ata *a, u32 at, u8 value)
{
	if (at == WORD_MULTIPLE * 2)
		a->multiple = value;
	else if (at == WORD_MULTIPLE * 2 + 1)
		a->unit[a->drive] = value & 1 ? a->multiple : 0;
}

/*
 * The last byte makes the sum of all 512 zero where the one before it is A5h. It is changed by what
 * the others were changed by, so that a wrong sum stays wrong.
 */
void ata_identify(struct ata *a, u8 *data, u32 bytes)
{
	for (u32 i = 0, at = a->moved; i < bytes && at < ATA_SECTOR; i++, at++) {
		u8 was = data[i];

		data[i] = without_dma(a->command, at, was);
		a->change = (u8)(a->change + was - data[i]);
		learn_multiple(a, at, was);
		if (at == WORD_CHECK * 2)
			a->checked = was == CHECK_PRESENT;
		else if (at == WORD_CHECK * 2 + 1 && a->checked)
			data[i] = (u8)(was + a->change);
	}
}
