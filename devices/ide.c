/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: one channel of the PIIX3's IDE interface (82371SB) with one or two drives.
 * Documentation: ATA/ATAPI-6 (T13 1410D), chapters 7 (registers) and 9 (protocols); for the
 *	drive that answers for a missing slave, 9.16.1.
 * Modelled: both register blocks, master and slave, INTRQ and nIEN, SRST, EXECUTE DEVICE
 *	DIAGNOSTIC, PIO of any width, bus-master DMA (bmdma.c).
 * Not modelled: timing modes (all are equally fast), 3F7h (the floppy controller's), queued
 *	commands.
 */
#include "devices/ide.h"
#include "devices/block.h"
#include "devices/bmdma.h"
#include "devices/ide_core.h"
#include "lib/log.h"
#include "lib/str.h"

#define CONTROL_NIEN 0x02
#define CONTROL_SRST 0x04
#define CONTROL_HOB  0x80

#define COMMAND_DIAGNOSTIC 0x90

bool ide_channel_empty(const struct ide_channel *ch)
{
	return !ide_present(&ch->drive[0]) && !ide_present(&ch->drive[1]);
}

/* The drive whose registers the host reads: a master answers for a missing slave. */
static struct ide_drive *answering(struct ide_channel *ch)
{
	struct ide_drive *d = &ch->drive[ch->selected];

	return ide_present(d) ? d : &ch->drive[!ch->selected];
}

void ide_update_irq(struct ide_channel *ch)
{
	const struct ide_drive *d = &ch->drive[ch->selected];

	irq_set(&ch->irq, ide_present(d) && d->intrq && !(ch->control & CONTROL_NIEN));
}

void ide_raise_intrq(struct ide_channel *ch, struct ide_drive *d)
{
	d->intrq = true;
	ide_update_irq(ch);
	if (ch->dma && d->number == ch->selected && !(ch->control & CONTROL_NIEN))
		bmdma_interrupt(ch->dma);
}

static void clear_intrq(struct ide_channel *ch, struct ide_drive *d)
{
	d->intrq = false;
	ide_update_irq(ch);
}

static u8 idle_status(const struct ide_drive *d)
{
	return ide_present(d) ? IDE_DRDY | IDE_DSC : 0;
}

void ide_end_command(struct ide_channel *ch)
{
	timer_cancel(ch->clock, &ch->timer);
	ch->after_busy = NULL;
	ch->after_block = NULL;
	ch->after_data = NULL;
	ch->data_in = ch->data_out = false;
	ch->dma_waiting = false;
	ch->pos = ch->len = 0;
	ch->active = NULL;
}

/* A new command or a reset while one runs: the old one is forgotten. */
void ide_abandon_command(struct ide_channel *ch)
{
	if (ch->active)
		ch->active->status = idle_status(ch->active);
	ide_end_command(ch);
}

static void run_step(void *ctx)
{
	struct ide_channel *ch = ctx;
	ide_step step = ch->after_busy;

	ch->after_busy = NULL;
	if (step)
		step(ch);
}

void ide_poll_timer(struct ide_channel *ch)
{
	if (ch->after_busy && clock_now(ch->clock) >= ch->timer.deadline) {
		timer_cancel(ch->clock, &ch->timer);
		run_step(ch);
	}
}

void ide_start_timer(struct ide_channel *ch, u32 ns, ide_step step)
{
	ch->after_busy = step;
	timer_arm(ch->clock, &ch->timer, clock_now(ch->clock) + ns);
}

void ide_busy(struct ide_channel *ch, u32 ns, ide_step step)
{
	ch->active->status = (ch->active->status & ~(IDE_DRQ | IDE_ERR | IDE_DF)) | IDE_BSY;
	ch->data_in = ch->data_out = false;
	ide_start_timer(ch, ns, step);
}

void ide_wait_for_block(struct ide_channel *ch, ide_step step)
{
	ch->after_block = step;
}

void ide_block_ready(struct ide_channel *ch)
{
	ide_step step = ch->after_block;

	ch->after_block = NULL;
	if (step)
		step(ch);
}

static void start_data(struct ide_channel *ch, u32 pos, u32 len, ide_step after)
{
	ch->pos = pos;
	ch->len = pos + ((len + 1) & ~1u);
	ch->after_data = after;
	ch->active->status = IDE_DRDY | IDE_DSC | IDE_DRQ;
}

void ide_data_in(struct ide_channel *ch, u32 pos, u32 len, ide_step after)
{
	if (len & 1)
		ch->buffer[pos + len] = 0;
	start_data(ch, pos, len, after);
	ch->data_in = true;
	ide_raise_intrq(ch, ch->active);
}

void ide_data_out(struct ide_channel *ch, u32 len, ide_step after, bool interrupt)
{
	start_data(ch, 0, len, after);
	ch->data_out = true;
	if (interrupt)
		ide_raise_intrq(ch, ch->active);
}

void ide_data_moved(struct ide_channel *ch, u32 bytes)
{
	ide_step step = ch->after_data;

	ch->pos += bytes;
	if (ch->pos < ch->len)
		return;
	ch->data_in = ch->data_out = false;
	ch->active->status &= ~IDE_DRQ;
	ch->after_data = NULL;
	step(ch);
}

void ide_complete(struct ide_channel *ch, u8 error)
{
	struct ide_drive *d = ch->active;

	ide_end_command(ch);
	d->error = error;
	d->status = IDE_DRDY | IDE_DSC | (error ? IDE_ERR : 0);
	ide_raise_intrq(ch, d);
}

void ide_finish(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;

	ide_end_command(ch);
	d->status = IDE_DRDY | IDE_DSC;
}

void ide_abort(struct ide_channel *ch)
{
	ide_complete(ch, IDE_ABRT);
}

void ide_done(struct ide_channel *ch)
{
	ide_complete(ch, 0);
}

void ide_dma(struct ide_channel *ch, bool write, ide_step step)
{
	ch->active->status = (ch->active->status & ~(IDE_DRQ | IDE_ERR)) | IDE_BSY;
	ch->dma_write = write;
	ch->dma_step = step;
	ch->dma_waiting = true;
	ide_dma_ready(ch);
}

void ide_dma_ready(struct ide_channel *ch)
{
	if (!ch->dma_waiting || !ch->dma || !bmdma_started(ch->dma, !ch->dma_write))
		return;
	ch->dma_waiting = false;
	ide_start_timer(ch, IDE_COMMAND_NS, ch->dma_step);
}

/* Both drives are busy after SRST and in command 90h, and take no other. */
static bool self_testing(const struct ide_channel *ch)
{
	return ch->after_busy && !ch->active;
}

void ide_write_command(struct ide_channel *ch, u8 command)
{
	struct ide_drive *d = &ch->drive[ch->selected];

	ch->control &= ~CONTROL_HOB;
	if ((ch->control & CONTROL_SRST) || self_testing(ch))
		return;
	if (command == COMMAND_DIAGNOSTIC) {
		ide_execute_diagnostic(ch);
		return;
	}
	if (!ide_present(d))
		return;
	ide_abandon_command(ch);
	clear_intrq(ch, d);
	ch->active = d;
	ch->ext = false;
	d->error = 0;
	if (d->kind == IDE_DISK)
		ata_command(ch, command);
	else
		atapi_command(ch, command);
}

void ide_write_device(struct ide_channel *ch, u8 value)
{
	ch->control &= ~CONTROL_HOB;
	ch->drive[0].device = ch->drive[1].device = value | 0xa0;
	ch->selected = (value & IDE_DEV_DEV) != 0;
	ide_update_irq(ch);
}

static void push(u8 reg[2], u8 value)
{
	reg[1] = reg[0];
	reg[0] = value;
}

/* Both drives latch what is written to the task file. */
void ide_write_register(struct ide_channel *ch, unsigned reg, u8 value)
{
	ch->control &= ~CONTROL_HOB;
	for (unsigned i = 0; i < 2; i++) {
		struct ide_drive *d = &ch->drive[i];

		if (d->status & (IDE_BSY | IDE_DRQ))
			continue;
		switch (reg) {
		case IDE_REG_ERROR_FEATURE:
			push(d->feature, value);
			break;
		case IDE_REG_COUNT:
			push(d->count, value);
			break;
		case IDE_REG_LBA_LOW:
			push(d->lba_low, value);
			break;
		case IDE_REG_LBA_MID:
			push(d->lba_mid, value);
			break;
		case IDE_REG_LBA_HIGH:
			push(d->lba_high, value);
			break;
		}
	}
}

u8 ide_read_status(struct ide_channel *ch)
{
	return ch->drive[ch->selected].status;
}

u8 ide_read_register(struct ide_channel *ch, unsigned reg)
{
	struct ide_drive *d = answering(ch);
	unsigned old = (ch->control & CONTROL_HOB) != 0;

	switch (reg) {
	case IDE_REG_ERROR_FEATURE:
		return d->error;
	case IDE_REG_COUNT:
		return d->count[old];
	case IDE_REG_LBA_LOW:
		return d->lba_low[old];
	case IDE_REG_LBA_MID:
		return d->lba_mid[old];
	case IDE_REG_LBA_HIGH:
		return d->lba_high[old];
	case IDE_REG_DEVICE:
		return d->device;
	default:
		clear_intrq(ch, &ch->drive[ch->selected]);
		return ide_read_status(ch);
	}
}

void ide_write_control(struct ide_channel *ch, u8 value)
{
	u8 old = ch->control;

	ch->control = value;
	if (value & ~old & CONTROL_SRST)
		ide_start_software_reset(ch);
	else if (old & ~value & CONTROL_SRST)
		ide_start_timer(ch, IDE_RESET_NS, ide_self_test_done);
	ide_update_irq(ch);
}

static int init_drive(struct ide_channel *ch, unsigned n, const struct ide_drive_config *config)
{
	struct ide_drive *d = &ch->drive[n];

	d->number = (u8)n;
	d->kind = config->kind;
	d->block = config->block;
	if (d->kind == IDE_CDROM && d->block && d->block->sector_size != 2048) {
		log_error("%s: %s: expected sectors of 2048 bytes for a CD", ch->name,
			  d->block->name);
		return -1;
	}
	if (d->kind != IDE_DISK)
		return 0;
	if (!d->block || d->block->sector_size != IDE_SECTOR) {
		log_error("%s: drive %u: expected a disk with sectors of 512 bytes", ch->name, n);
		return -1;
	}
	d->geometry = config->geometry;
	if (d->geometry.cylinders == 0)
		d->geometry = geometry_guess(d->block);
	if (!geometry_valid(&d->geometry)) {
		log_error("%s: %s: geometry %u/%u/%u: expected up to 16383/16/63", ch->name,
			  d->block->name, d->geometry.cylinders, d->geometry.heads,
			  d->geometry.sectors);
		return -1;
	}
	return 0;
}

int ide_init(struct ide_channel *ch, const struct ide_config *config)
{
	memset(ch, 0, sizeof(*ch));
	ch->name = config->name;
	ch->clock = config->clock;
	ch->irq = config->irq;
	ch->command_base = config->command_base;
	ch->control_port = config->control_port;
	timer_init(&ch->timer, run_step, ch);
	for (unsigned n = 0; n < 2; n++)
		if (init_drive(ch, n, &config->drive[n]) != 0)
			return -1;
	if (ide_ports_register(ch, config->bus) != 0)
		return -1;
	ide_reset(ch);
	return 0;
}

const struct disk_geometry *ide_disk_geometry(const struct ide_channel *ch, unsigned drive)
{
	const struct ide_drive *d = &ch->drive[drive & 1];

	return d->kind == IDE_DISK ? &d->geometry : NULL;
}
