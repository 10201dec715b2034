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
#include "devices/bmdma.h"
#include "devices/ide_core.h"
#include "lib/str.h"

#define FEATURE_TRANSFER_MODE 0x03

static bool ata_write_allowed(const struct ide_drive *d)
{
	return !d->block->read_only;
}

static u32 sector_count(const struct ide_channel *ch)
{
	const struct ide_drive *d = ch->active;
	u32 count = d->count[0];

	if (ch->ext) {
		count |= (u32)d->count[1] << 8;
		return count ? count : 65536;
	}
	return count ? count : 256;
}

static u64 lba48_address(const struct ide_drive *d)
{
	u32 low = d->lba_low[0] | d->lba_mid[0] << 8 | d->lba_high[0] << 16 |
		  (u32)d->lba_low[1] << 24;

	return low | (u64)(d->lba_mid[1] | d->lba_high[1] << 8) << 32;
}

/* False: no such sector (IDNF). */
static bool address(const struct ide_channel *ch, u64 *lba)
{
	const struct ide_drive *d = ch->active;
	u32 cylinder = d->lba_mid[0] | d->lba_high[0] << 8;
	u32 head = d->device & 0x0f, sector = d->lba_low[0];

	if (ch->ext)
		*lba = lba48_address(d);
	else if (d->device & IDE_DEV_LBA)
		*lba = head << 24 | cylinder << 8 | sector;
	else if (sector == 0 || sector > d->sectors || head >= d->heads)
		return false;
	else
		*lba = ((u64)cylinder * d->heads + head) * d->sectors + sector - 1;
	return *lba < d->block->sectors;
}

static void set_chs(struct ide_drive *d, u32 lba)
{
	u32 track = lba / d->sectors, cylinder = track / d->heads;

	d->lba_low[0] = (u8)(lba % d->sectors + 1);
	d->lba_mid[0] = (u8)cylinder;
	d->lba_high[0] = (u8)(cylinder >> 8);
	d->device = (d->device & 0xf0) | (u8)(track % d->heads);
}

/* The task file names the last sector carried out and how many are left. */
static void show_progress(struct ide_channel *ch, u64 lba, u32 left)
{
	struct ide_drive *d = ch->active;

	d->count[0] = (u8)left;
	d->count[1] = (u8)(left >> 8);
	if (!ch->ext && !(d->device & IDE_DEV_LBA)) {
		set_chs(d, (u32)lba);
		return;
	}
	d->lba_low[0] = (u8)lba;
	d->lba_mid[0] = (u8)(lba >> 8);
	d->lba_high[0] = (u8)(lba >> 16);
	if (!ch->ext) {
		d->device = (d->device & 0xf0) | ((lba >> 24) & 0x0f);
		return;
	}
	d->lba_low[1] = (u8)(lba >> 24);
	d->lba_mid[1] = (u8)(lba >> 32);
	d->lba_high[1] = (u8)(lba >> 40);
}

/* Takes the next block of sectors from `left`; at most `most`. False: the disk ends before it. */
static bool next_chunk(struct ide_channel *ch, u32 most)
{
	u64 rest;

	if (ch->lba >= ch->active->block->sectors)
		return false;
	rest = ch->active->block->sectors - ch->lba;
	ch->chunk = ch->left < most ? ch->left : most;
	if (ch->chunk > rest)
		ch->chunk = (u32)rest;
	return true;
}

static void chunk_done(struct ide_channel *ch)
{
	ch->lba += ch->chunk;
	ch->left -= ch->chunk;
	show_progress(ch, ch->lba - 1, ch->left);
}

static void fail(struct ide_channel *ch, u8 error)
{
	show_progress(ch, ch->lba, ch->left);
	ide_complete(ch, error);
}

static bool read_chunk(struct ide_channel *ch)
{
	struct block *b = ch->active->block;

	return b->ops->read(b, ch->lba, ch->chunk, ch->buffer) == 0;
}

static bool write_chunk(struct ide_channel *ch)
{
	struct block *b = ch->active->block;

	return b->ops->write(b, ch->lba, ch->chunk, ch->buffer) == 0;
}

static void pio_read_block(struct ide_channel *ch);

static void pio_block_read(struct ide_channel *ch)
{
	if (ch->left)
		ide_busy(ch, IDE_BLOCK_NS, pio_read_block);
	else
		ide_finish(ch);
}

static void pio_read_block(struct ide_channel *ch)
{
	if (!next_chunk(ch, ch->block_size)) {
		fail(ch, IDE_IDNF);
		return;
	}
	if (!read_chunk(ch)) {
		fail(ch, IDE_UNC);
		return;
	}
	chunk_done(ch);
	ide_data_in(ch, 0, ch->chunk * IDE_SECTOR, pio_block_read);
}

static void pio_block_filled(struct ide_channel *ch);

static void pio_write_block(struct ide_channel *ch)
{
	if (!write_chunk(ch)) {
		fail(ch, IDE_IDNF);
		return;
	}
	chunk_done(ch);
	if (ch->left == 0)
		ide_complete(ch, 0);
	else if (!next_chunk(ch, ch->block_size))
		fail(ch, IDE_IDNF);
	else
		ide_data_out(ch, ch->chunk * IDE_SECTOR, pio_block_filled, true);
}

static void pio_block_filled(struct ide_channel *ch)
{
	ide_busy(ch, IDE_BLOCK_NS, pio_write_block);
}

static void pio_write_start(struct ide_channel *ch)
{
	if (next_chunk(ch, ch->block_size))
		ide_data_out(ch, ch->chunk * IDE_SECTOR, pio_block_filled, false);
	else
		fail(ch, IDE_IDNF);
}

static void verify_step(struct ide_channel *ch)
{
	while (ch->left) {
		if (!next_chunk(ch, IDE_BUFFER_SIZE / IDE_SECTOR)) {
			fail(ch, IDE_IDNF);
			return;
		}
		if (!read_chunk(ch)) {
			fail(ch, IDE_UNC);
			return;
		}
		chunk_done(ch);
	}
	ide_complete(ch, 0);
}

/*
 * A PRD table that ends before the drive's data leaves the drive waiting with BSY set, as on the
 * real bus: the host's driver times out and resets it.
 */
static bool dma_move(struct ide_channel *ch, bool to_memory)
{
	u32 bytes = ch->chunk * IDE_SECTOR;

	return bmdma_transfer(ch->dma, to_memory, ch->buffer, bytes) == bytes;
}

static void dma_read_step(struct ide_channel *ch)
{
	while (ch->left) {
		if (!next_chunk(ch, IDE_BUFFER_SIZE / IDE_SECTOR)) {
			fail(ch, IDE_IDNF);
			return;
		}
		if (!read_chunk(ch)) {
			fail(ch, IDE_UNC);
			return;
		}
		if (!dma_move(ch, true))
			return;
		chunk_done(ch);
	}
	ide_complete(ch, 0);
}

static void dma_write_step(struct ide_channel *ch)
{
	while (ch->left) {
		if (!next_chunk(ch, IDE_BUFFER_SIZE / IDE_SECTOR)) {
			fail(ch, IDE_IDNF);
			return;
		}
		if (!dma_move(ch, false))
			return;
		if (!write_chunk(ch)) {
			fail(ch, IDE_IDNF);
			return;
		}
		chunk_done(ch);
	}
	ide_complete(ch, 0);
}

static void abort_step(struct ide_channel *ch)
{
	ide_complete(ch, IDE_ABRT);
}

static void idnf_step(struct ide_channel *ch)
{
	ide_complete(ch, IDE_IDNF);
}

static void done_step(struct ide_channel *ch)
{
	ide_complete(ch, 0);
}

static void end_with(struct ide_channel *ch, ide_step step)
{
	ide_busy(ch, IDE_COMMAND_NS, step);
}

/* Address and count of a read, write or verify; false: the command is at its end already. */
static bool transfer_setup(struct ide_channel *ch, bool ext, bool write)
{
	ch->ext = ext;
	ch->left = sector_count(ch);
	if (write && !ata_write_allowed(ch->active)) {
		end_with(ch, abort_step);
		return false;
	}
	if (!address(ch, &ch->lba)) {
		end_with(ch, idnf_step);
		return false;
	}
	return true;
}

static void pio(struct ide_channel *ch, bool ext, bool write, u32 block_size)
{
	if (block_size == 0) { /* READ or WRITE MULTIPLE without SET MULTIPLE */
		end_with(ch, abort_step);
		return;
	}
	if (!transfer_setup(ch, ext, write))
		return;
	ch->block_size = block_size;
	ide_busy(ch, IDE_COMMAND_NS, write ? pio_write_start : pio_read_block);
}

static void dma(struct ide_channel *ch, bool ext, bool write)
{
	if (!ch->dma) {
		end_with(ch, abort_step);
		return;
	}
	if (transfer_setup(ch, ext, write))
		ide_dma(ch, write, write ? dma_write_step : dma_read_step);
}

static void verify(struct ide_channel *ch, bool ext)
{
	if (transfer_setup(ch, ext, false))
		ide_busy(ch, IDE_COMMAND_NS, verify_step);
}

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

	ide_complete(ch, address(ch, &lba) ? 0 : IDE_IDNF);
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
	end_with(ch, done_step);
}

static void write_buffer_step(struct ide_channel *ch)
{
	ide_data_out(ch, IDE_SECTOR, buffer_filled, false);
}

static void flush_step(struct ide_channel *ch)
{
	struct block *b = ch->active->block;
	bool bad = b->ops->flush && b->ops->flush(b) != 0;

	ide_complete(ch, bad ? IDE_ABRT : 0);
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
			end_with(ch, simple_commands[i].step);
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
		pio(ch, false, false, 1);
		break;
	case 0x24: /* READ SECTORS EXT */
		pio(ch, true, false, 1);
		break;
	case 0x25: /* READ DMA EXT */
		dma(ch, true, false);
		break;
	case 0x29: /* READ MULTIPLE EXT */
		pio(ch, true, false, d->multiple);
		break;
	case 0x30: /* WRITE SECTORS, with and without retries */
	case 0x31:
	case 0x3c: /* WRITE VERIFY */
		pio(ch, false, true, 1);
		break;
	case 0x34: /* WRITE SECTORS EXT */
		pio(ch, true, true, 1);
		break;
	case 0x35: /* WRITE DMA EXT */
		dma(ch, true, true);
		break;
	case 0x39: /* WRITE MULTIPLE EXT */
		pio(ch, true, true, d->multiple);
		break;
	case 0x40: /* READ VERIFY, with and without retries */
	case 0x41:
		verify(ch, false);
		break;
	case 0x42: /* READ VERIFY EXT */
		verify(ch, true);
		break;
	case 0xc4: /* READ MULTIPLE */
		pio(ch, false, false, d->multiple);
		break;
	case 0xc5: /* WRITE MULTIPLE */
		pio(ch, false, true, d->multiple);
		break;
	case 0xc8: /* READ DMA, with and without retries */
	case 0xc9:
		dma(ch, false, false);
		break;
	case 0xca: /* WRITE DMA, with and without retries */
	case 0xcb:
		dma(ch, false, true);
		break;
	default:
		end_with(ch, abort_step);
		break;
	}
}
