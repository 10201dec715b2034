/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ATA disk's commands that move sectors: READ, WRITE and VERIFY in all their forms
 * (ATA/ATAPI-6, 8.27 and following; 9.5 to 9.7 for the protocols).
 */
#include "devices/block.h"
#include "devices/bmdma.h"
#include "devices/ide_core.h"

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
bool ata_address(const struct ide_channel *ch, u64 *lba)
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

/*
 * The sectors of the chunk from the block to the buffer. False: the command has failed, or `again`
 * runs when the block has them.
 */
static bool read_chunk(struct ide_channel *ch, ide_step again)
{
	struct block *b = ch->active->block;
	int outcome = b->ops->read(b, ch->lba, ch->chunk, ch->buffer);

	if (outcome == BLOCK_LATER)
		ide_wait_for_block(ch, again);
	else if (outcome != BLOCK_DONE)
		fail(ch, IDE_UNC);
	return outcome == BLOCK_DONE;
}

static bool write_chunk(struct ide_channel *ch, ide_step again)
{
	struct block *b = ch->active->block;
	int outcome = b->ops->write(b, ch->lba, ch->chunk, ch->buffer);

	if (outcome == BLOCK_LATER)
		ide_wait_for_block(ch, again);
	else if (outcome != BLOCK_DONE)
		fail(ch, IDE_IDNF);
	return outcome == BLOCK_DONE;
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
	if (!read_chunk(ch, pio_read_block))
		return;
	chunk_done(ch);
	ide_data_in(ch, 0, ch->chunk * IDE_SECTOR, pio_block_read);
}

static void pio_block_filled(struct ide_channel *ch);

static void pio_write_block(struct ide_channel *ch)
{
	if (!write_chunk(ch, pio_write_block))
		return;
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

/* As much as the buffer holds; false: as read_chunk() has it. */
static bool read_large_chunk(struct ide_channel *ch, ide_step again)
{
	if (next_chunk(ch, IDE_BUFFER_SIZE / IDE_SECTOR))
		return read_chunk(ch, again);
	fail(ch, IDE_IDNF);
	return false;
}

static void verify_step(struct ide_channel *ch)
{
	while (ch->left) {
		if (!read_large_chunk(ch, verify_step))
			return;
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
		if (!read_large_chunk(ch, dma_read_step))
			return;
		if (!dma_move(ch, true))
			return;
		chunk_done(ch);
	}
	ide_complete(ch, 0);
}

/* False: the command has failed, or waits for the bus master or the block. */
static bool dma_fetch(struct ide_channel *ch)
{
	if (next_chunk(ch, IDE_BUFFER_SIZE / IDE_SECTOR))
		return dma_move(ch, false);
	fail(ch, IDE_IDNF);
	return false;
}

/* With a chunk in the buffer. */
static void dma_write_chunk(struct ide_channel *ch)
{
	do {
		if (!write_chunk(ch, dma_write_chunk))
			return;
		chunk_done(ch);
	} while (ch->left && dma_fetch(ch));
	if (!ch->left)
		ide_complete(ch, 0);
}

static void dma_write_step(struct ide_channel *ch)
{
	if (dma_fetch(ch))
		dma_write_chunk(ch);
}

static void idnf_step(struct ide_channel *ch)
{
	ide_complete(ch, IDE_IDNF);
}

/* Address and count of a read, write or verify; false: the command is at its end already. */
static bool transfer_setup(struct ide_channel *ch, bool ext, bool write)
{
	ch->ext = ext;
	ch->left = sector_count(ch);
	if (write && ch->active->block->read_only) {
		ide_busy(ch, IDE_COMMAND_NS, ide_abort);
		return false;
	}
	if (!ata_address(ch, &ch->lba)) {
		ide_busy(ch, IDE_COMMAND_NS, idnf_step);
		return false;
	}
	return true;
}

void ata_pio(struct ide_channel *ch, bool ext, bool write, u32 block_size)
{
	if (block_size == 0) { /* READ or WRITE MULTIPLE without SET MULTIPLE */
		ide_busy(ch, IDE_COMMAND_NS, ide_abort);
		return;
	}
	if (!transfer_setup(ch, ext, write))
		return;
	ch->block_size = block_size;
	ide_busy(ch, IDE_COMMAND_NS, write ? pio_write_start : pio_read_block);
}

void ata_dma(struct ide_channel *ch, bool ext, bool write)
{
	if (!ch->dma) {
		ide_busy(ch, IDE_COMMAND_NS, ide_abort);
		return;
	}
	if (transfer_setup(ch, ext, write))
		ide_dma(ch, write, write ? dma_write_step : dma_read_step);
}

void ata_verify(struct ide_channel *ch, bool ext)
{
	if (transfer_setup(ch, ext, false))
		ide_busy(ch, IDE_COMMAND_NS, verify_step);
}
