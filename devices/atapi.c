/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: an ATAPI CD-ROM drive.
 * Documentation: ATA/ATAPI-6, 8.24 (PACKET) and 9.8 (its protocol); MMC-3 for the packets.
 * Modelled: a data disc, PIO with byte count limits and DMA, sense data, tray and lock.
 * Not modelled: audio, raw sectors (READ CD gives user data), writing, overlapped commands.
 */
#include "devices/atapi.h"
#include "devices/block.h"
#include "devices/bmdma.h"
#include "devices/ide_core.h"
#include "lib/str.h"

#define PACKET_SIZE	  12
#define FEATURE_DMA	  0x01
#define BUFFER_CD_SECTORS (IDE_BUFFER_SIZE / CD_SECTOR)

static const struct atapi_sense no_sense;

void atapi_reset(struct ide_drive *d)
{
	d->sense = no_sense;
	d->unit_attention = false;
	d->tray_locked = false;
}

static void set_reason(struct ide_drive *d, u8 reason)
{
	d->count[0] = reason;
}

static void packet_end(struct ide_channel *ch, u8 error)
{
	set_reason(ch->active, IDE_REASON_COD | IDE_REASON_IO);
	ide_complete(ch, error);
}

static void good(struct ide_channel *ch)
{
	ch->active->sense = no_sense;
	packet_end(ch, 0);
}

static void check_condition(struct ide_channel *ch, struct atapi_sense sense)
{
	ch->active->sense = sense;
	packet_end(ch, (u8)(sense.key << 4) | IDE_ABRT);
}

/*
 * Reads the next part of a READ command into the buffer. False: the command has failed, or `again`
 * runs when the block has it.
 */
static bool refill(struct ide_channel *ch, ide_step again)
{
	struct block *b = ch->active->block;
	u32 count = ch->left < BUFFER_CD_SECTORS ? ch->left : BUFFER_CD_SECTORS;
	int outcome = b->ops->read(b, ch->lba, count, ch->buffer);

	if (outcome == BLOCK_LATER)
		ide_wait_for_block(ch, again);
	else if (outcome != BLOCK_DONE)
		check_condition(ch, SENSE_MEDIUM_ERROR);
	if (outcome != BLOCK_DONE)
		return false;
	ch->lba += count;
	ch->left -= count;
	ch->pos = ch->len = 0;
	ch->filled = count * CD_SECTOR;
	return true;
}

/*
 * The size of the next block of data: the host's limit, in whole sectors where it allows one, even
 * unless it is the last (ATA-6, 8.24.5).
 */
static u32 pio_block(const struct ide_channel *ch)
{
	u32 rest = ch->filled - ch->len;

	if (rest <= ch->byte_limit)
		return rest;
	if (ch->byte_limit >= CD_SECTOR)
		return ch->byte_limit & ~(CD_SECTOR - 1);
	return ch->byte_limit & ~1u;
}

static void pio_step(struct ide_channel *ch);

static void block_read(struct ide_channel *ch)
{
	ide_busy(ch, IDE_BLOCK_NS, pio_step);
}

static void pio_step(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;
	u32 start, size;

	if (ch->len >= ch->filled && ch->left && !refill(ch, pio_step))
		return;
	if (ch->len >= ch->filled) {
		good(ch);
		return;
	}
	start = ch->len;
	size = pio_block(ch);
	set_reason(d, IDE_REASON_IO);
	d->lba_mid[0] = (u8)size;
	d->lba_high[0] = (u8)(size >> 8);
	ide_data_in(ch, start, size, block_read);
}

static void dma_read_step(struct ide_channel *ch);

static void dma_next_part(struct ide_channel *ch)
{
	if (refill(ch, dma_next_part))
		dma_read_step(ch);
}

static void dma_read_step(struct ide_channel *ch)
{
	u32 bytes = (ch->filled + 1) & ~1u;

	if (bmdma_transfer(ch->dma, true, ch->buffer, bytes) != bytes)
		return; /* the PRD table was too short: the drive waits for a reset */
	if (ch->left)
		dma_next_part(ch);
	else
		good(ch);
}

static void send(struct ide_channel *ch)
{
	ch->pos = ch->len = 0;
	if (ch->packet_dma) {
		set_reason(ch->active, IDE_REASON_IO);
		ide_dma(ch, false, dma_read_step);
	} else {
		pio_step(ch);
	}
}

/* A reply in buffer[], cut to the packet's allocation length. */
static void reply(struct ide_channel *ch, u32 length, u32 allocated)
{
	ch->left = 0;
	ch->filled = length < allocated ? length : allocated;
	if (ch->filled == 0)
		good(ch);
	else
		send(ch);
}

static void reply_or_refuse(struct ide_channel *ch, u32 length, struct atapi_sense sense)
{
	if (length == 0)
		check_condition(ch, sense);
	else
		reply(ch, length, atapi_be16(ch->packet + 7));
}

static void first_part(struct ide_channel *ch)
{
	if (refill(ch, first_part))
		send(ch);
}

static void read_sectors(struct ide_channel *ch, u32 lba, u32 count)
{
	u64 sectors = ch->active->block->sectors;

	if (lba > sectors || count > sectors - lba) {
		check_condition(ch, SENSE_OUT_OF_RANGE);
		return;
	}
	if (count == 0) {
		good(ch);
		return;
	}
	ch->lba = lba;
	ch->left = count;
	first_part(ch);
}

/* READ CD (MMC-3, 6.17): the sector's user data or nothing of it. */
static void read_cd(struct ide_channel *ch)
{
	const u8 *p = ch->packet;
	u32 count = p[6] << 16 | p[7] << 8 | p[8];
	u32 type = (p[1] >> 2) & 7;

	if ((p[9] & 0xf8) == 0 && (p[10] & 7) == 0)
		read_sectors(ch, atapi_be32(p + 2), 0);
	else if ((p[9] & 0xfe) != 0x10 || (p[10] & 7) != 0)
		check_condition(ch, SENSE_BAD_FIELD);
	else if (type != 0 && type != 2 && type != 4)
		check_condition(ch, SENSE_ILLEGAL_MODE);
	else
		read_sectors(ch, atapi_be32(p + 2), count);
}

static void start_stop(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;
	bool load_eject = (ch->packet[4] & 2) != 0, start = (ch->packet[4] & 1) != 0;

	if (load_eject && !start && d->tray_locked) {
		check_condition(ch, SENSE_REMOVAL_LOCKED);
		return;
	}
	if (load_eject) {
		if (d->tray_open && start && d->block)
			d->unit_attention = true;
		d->tray_open = !start;
	}
	good(ch);
}

static void prevent_removal(struct ide_channel *ch)
{
	ch->active->tray_locked = (ch->packet[4] & 1) != 0;
	good(ch);
}

static void request_sense(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;
	u32 length;

	if (d->sense.key == 0 && d->unit_attention) {
		d->sense = SENSE_MEDIUM_CHANGED;
		d->unit_attention = false;
	}
	length = atapi_request_sense(d, ch->buffer);
	d->sense = no_sense;
	reply(ch, length, ch->packet[4]);
}

static bool needs_medium(u8 code)
{
	static const u8 codes[] = {0x00, 0x25, 0x28, 0x2b, 0x42, 0x43, 0x51, 0xa8, 0xbe};

	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* Commands that need a disc. */
static void medium_packet(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;
	const u8 *p = ch->packet;
	struct atapi_sense sense = no_sense;
	u32 length;

	if (!atapi_has_medium(d)) {
		check_condition(ch, SENSE_NOT_READY);
		return;
	}
	switch (p[0]) {
	case 0x00: /* TEST UNIT READY */
		good(ch);
		break;
	case 0x25: /* READ CAPACITY */
		reply(ch, atapi_read_capacity(d, ch->buffer), ~0u);
		break;
	case 0x28: /* READ(10) */
		read_sectors(ch, atapi_be32(p + 2), atapi_be16(p + 7));
		break;
	case 0x2b: /* SEEK(10) */
		read_sectors(ch, atapi_be32(p + 2), 0);
		break;
	case 0x42: /* READ SUB-CHANNEL */
		length = atapi_read_subchannel(p, ch->buffer, &sense);
		reply_or_refuse(ch, length, sense);
		break;
	case 0x43: /* READ TOC */
		length = atapi_read_toc(d, p, ch->buffer, &sense);
		reply_or_refuse(ch, length, sense);
		break;
	case 0x51: /* READ DISC INFORMATION */
		reply(ch, atapi_disc_information(ch->buffer), atapi_be16(p + 7));
		break;
	case 0xa8: /* READ(12) */
		read_sectors(ch, atapi_be32(p + 2), atapi_be32(p + 6));
		break;
	default: /* BEh */
		read_cd(ch);
		break;
	}
}

static void packet_step(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;
	const u8 *p = ch->packet;
	struct atapi_sense sense = no_sense;
	u32 length;

	/* A unit attention waits until a command other than these is sent (SPC-2, 5.9.1). */
	if (d->unit_attention && p[0] != 0x03 && p[0] != 0x12 && p[0] != 0x46 && p[0] != 0x4a) {
		d->unit_attention = false;
		check_condition(ch, SENSE_MEDIUM_CHANGED);
		return;
	}
	switch (p[0]) {
	case 0x03:
		request_sense(ch);
		break;
	case 0x12: /* INQUIRY */
		if (p[1] & 3)
			check_condition(ch, SENSE_BAD_FIELD);
		else
			reply(ch, atapi_inquiry(ch->buffer), p[4]);
		break;
	case 0x1b: /* START STOP UNIT */
		start_stop(ch);
		break;
	case 0x1e: /* PREVENT ALLOW MEDIUM REMOVAL */
		prevent_removal(ch);
		break;
	case 0x46: /* GET CONFIGURATION */
		reply(ch, atapi_get_configuration(d, p, ch->buffer), atapi_be16(p + 7));
		break;
	case 0x4a: /* GET EVENT STATUS NOTIFICATION */
		length = atapi_event_status(d, p, ch->buffer, &sense);
		reply_or_refuse(ch, length, sense);
		break;
	case 0x4e: /* STOP PLAY/SCAN: nothing plays */
	case 0xbb: /* SET CD SPEED */
		good(ch);
		break;
	case 0x5a: /* MODE SENSE(10) */
		length = atapi_mode_sense(d, p, ch->buffer, &sense);
		reply_or_refuse(ch, length, sense);
		break;
	case 0xbd: /* MECHANISM STATUS */
		reply(ch, atapi_mechanism_status(ch->buffer), atapi_be16(p + 8));
		break;
	default:
		if (needs_medium(p[0]))
			medium_packet(ch);
		else
			check_condition(ch, SENSE_BAD_OPCODE);
		break;
	}
}

static void packet_received(struct ide_channel *ch)
{
	memcpy(ch->packet, ch->buffer, PACKET_SIZE);
	ide_busy(ch, IDE_COMMAND_NS, packet_step);
}

static void packet_wanted(struct ide_channel *ch)
{
	set_reason(ch->active, IDE_REASON_COD);
	ide_data_out(ch, PACKET_SIZE, packet_received, false);
}

void atapi_packet(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;
	u32 limit = d->lba_mid[0] | d->lba_high[0] << 8;

	ch->packet_dma = (d->feature[0] & FEATURE_DMA) && ch->dma;
	/* 0 is not allowed, FFFFh means FFFEh (ATA-6, 8.24.5). */
	ch->byte_limit = limit < 2 || limit == 0xffff ? 0xfffe : limit;
	ide_busy(ch, IDE_BLOCK_NS, packet_wanted);
}
