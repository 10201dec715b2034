/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: an ATA hard disk.
 * Documentation: ATA/ATAPI-6 (T13 1410D), chapter 8; ATA-1 (X3.221) for the commands that were
 *	dropped later and that old systems use (RECALIBRATE, SEEK, INITIALIZE DEVICE PARAMETERS).
 * Modelled: CHS, LBA28 and LBA48 addresses; PIO, multiple and DMA transfers; power modes as far as
 *	the host sees them.
 * Not modelled (aborted): READ and WRITE LONG, FORMAT TRACK, SMART, security, host-protected area.
 */
#include "devices/block.h"
#include "devices/ide_core.h"

#define FEATURE_TRANSFER_MODE 0x03

/* PIO 0-4, multiword and Ultra DMA 0-2; 0 and 1 are the drive's default PIO mode. */
static bool transfer_mode_known(u8 mode)
{
	return mode <= 0x01 || (mode >= 0x08 && mode <= 0x0c) || (mode >= 0x20 && mode <= 0x22) ||
	       (mode >= 0x40 && mode <= 0x42);
}

u8 ide_set_features(struct ide_drive *d)
{
	u8 mode = d->count[0];

	switch (d->feature[0]) {
	case FEATURE_TRANSFER_MODE:
		if (!transfer_mode_known(mode))
			return IDE_ABRT;
		d->dma_mode = mode >= 0x20 ? mode : 0;
		return 0;
	case 0x02:
	case 0x82:
		d->write_cache = d->feature[0] == 0x02;
		return 0;
	case 0xaa:
	case 0x55:
		d->look_ahead = d->feature[0] == 0xaa;
		return 0;
	case 0x66: /* keep settings over a software reset, or not: they are kept */
	case 0xcc:
		return 0;
	default:
		return IDE_ABRT;
	}
}

static void seek_step(struct ide_channel *ch)
{
	u64 lba;

	ide_complete(ch, ata_address(ch, &lba) ? 0 : IDE_IDNF);
}

static void recalibrate_step(struct ide_channel *ch)
{
	ch->active->lba_mid[0] = ch->active->lba_high[0] = 0;
	ide_complete(ch, 0);
}

static void set_parameters_step(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;

	if (d->count[0] == 0) {
		ide_complete(ch, IDE_ABRT);
		return;
	}
	d->sectors = d->count[0];
	d->heads = (d->device & 0x0f) + 1;
	ide_complete(ch, 0);
}

static void set_multiple_step(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;
	u8 count = d->count[0];

	if (count > IDE_MULTIPLE_MAX || (count & (count - 1))) {
		ide_complete(ch, IDE_ABRT);
		return;
	}
	d->multiple = count;
	ide_complete(ch, 0);
}

static void set_features_step(struct ide_channel *ch)
{
	ide_complete(ch, ide_set_features(ch->active));
}

static void identify_step(struct ide_channel *ch)
{
	ide_identify_disk(ch, ch->active, ch->buffer);
	ide_data_in(ch, 0, IDE_SECTOR, ide_finish);
}

static void read_buffer_step(struct ide_channel *ch)
{
	ide_data_in(ch, 0, IDE_SECTOR, ide_finish);
}

static void buffer_filled(struct ide_channel *ch)
{
	ide_busy(ch, IDE_COMMAND_NS, ide_done);
}

static void write_buffer_step(struct ide_channel *ch)
{
	ide_data_out(ch, IDE_SECTOR, buffer_filled, false);
}

static void flush_step(struct ide_channel *ch)
{
	struct block *b = ch->active->block;
	int outcome = b->ops->flush ? b->ops->flush(b) : BLOCK_DONE;

	if (outcome == BLOCK_LATER)
		ide_wait_for_block(ch, flush_step);
	else
		ide_complete(ch, outcome == BLOCK_DONE ? 0 : IDE_ABRT);
}

static void standby_step(struct ide_channel *ch)
{
	ch->active->standby = true;
	ide_complete(ch, 0);
}

static void idle_step(struct ide_channel *ch)
{
	ch->active->standby = false;
	ide_complete(ch, 0);
}

static void check_power_step(struct ide_channel *ch)
{
	ch->active->count[0] = ch->active->standby ? 0x00 : 0xff;
	ide_complete(ch, 0);
}

static const struct {
	u8 first, last;
	ide_step step;
} simple_commands[] = {
	{0x10, 0x1f, recalibrate_step},	   {0x70, 0x7f, seek_step},
	{0x91, 0x91, set_parameters_step}, {0x94, 0x94, standby_step},
	{0x95, 0x95, idle_step},	   {0x96, 0x96, standby_step},
	{0x97, 0x97, idle_step},	   {0x98, 0x98, check_power_step},
	{0x99, 0x99, standby_step}, /* SLEEP */
	{0xc6, 0xc6, set_multiple_step},   {0xe0, 0xe0, standby_step},
	{0xe1, 0xe1, idle_step},	   {0xe2, 0xe2, standby_step},
	{0xe3, 0xe3, idle_step},	   {0xe4, 0xe4, read_buffer_step},
	{0xe5, 0xe5, check_power_step},	   {0xe6, 0xe6, standby_step}, /* SLEEP */
	{0xe7, 0xe7, flush_step},	   {0xe8, 0xe8, write_buffer_step},
	{0xea, 0xea, flush_step}, /* FLUSH CACHE EXT */
	{0xec, 0xec, identify_step},	   {0xef, 0xef, set_features_step},
};

static bool simple_command(struct ide_channel *ch, u8 command)
{
	for (unsigned i = 0; i < ARRAY_SIZE(simple_commands); i++) {
		if (command >= simple_commands[i].first && command <= simple_commands[i].last) {
			ide_busy(ch, IDE_COMMAND_NS, simple_commands[i].step);
			return true;
		}
	}
	return false;
}

void ata_command(struct ide_channel *ch, u8 command)
{
	struct ide_drive *d = ch->active;

	if (simple_command(ch, command))
		return;
	d->standby = false;
	switch (command) {
	case 0x20: /* READ SECTORS, with and without retries */
	case 0x21:
		ata_pio(ch, false, false, 1);
		break;
	case 0x24: /* READ SECTORS EXT */
		ata_pio(ch, true, false, 1);
		break;
	case 0x25: /* READ DMA EXT */
		ata_dma(ch, true, false);
		break;
	case 0x29: /* READ MULTIPLE EXT */
		ata_pio(ch, true, false, d->multiple);
		break;
	case 0x30: /* WRITE SECTORS, with and without retries */
	case 0x31:
	case 0x3c: /* WRITE VERIFY */
		ata_pio(ch, false, true, 1);
		break;
	case 0x34: /* WRITE SECTORS EXT */
		ata_pio(ch, true, true, 1);
		break;
	case 0x35: /* WRITE DMA EXT */
		ata_dma(ch, true, true);
		break;
	case 0x39: /* WRITE MULTIPLE EXT */
		ata_pio(ch, true, true, d->multiple);
		break;
	case 0x40: /* READ VERIFY, with and without retries */
	case 0x41:
		ata_verify(ch, false);
		break;
	case 0x42: /* READ VERIFY EXT */
		ata_verify(ch, true);
		break;
	case 0xc4: /* READ MULTIPLE */
		ata_pio(ch, false, false, d->multiple);
		break;
	case 0xc5: /* WRITE MULTIPLE */
		ata_pio(ch, false, true, d->multiple);
		break;
	case 0xc8: /* READ DMA, with and without retries */
	case 0xc9:
		ata_dma(ch, false, false);
		break;
	case 0xca: /* WRITE DMA, with and without retries */
	case 0xcb:
		ata_dma(ch, false, true);
		break;
	default:
		ide_busy(ch, IDE_COMMAND_NS, ide_abort);
		break;
	}
}
