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
#define DIAGNOSTIC_PASSED  0x01

static bool present(const struct ide_drive *d)
{
	return d->kind != IDE_NONE;
}

bool ide_channel_empty(const struct ide_channel *ch)
{
	return !present(&ch->drive[0]) && !present(&ch->drive[1]);
}

/* The drive whose registers the host reads: a master answers for a missing slave. */
static struct ide_drive *answering(struct ide_channel *ch)
{
	struct ide_drive *d = &ch->drive[ch->selected];

	return present(d) ? d : &ch->drive[!ch->selected];
}

static void update_irq(struct ide_channel *ch)
{
	const struct ide_drive *d = &ch->drive[ch->selected];

	irq_set(&ch->irq, present(d) && d->intrq && !(ch->control & CONTROL_NIEN));
}

static void raise_intrq(struct ide_channel *ch, struct ide_drive *d)
{
	d->intrq = true;
	update_irq(ch);
	if (ch->dma && d->number == ch->selected && !(ch->control & CONTROL_NIEN))
		bmdma_interrupt(ch->dma);
}

static void clear_intrq(struct ide_channel *ch, struct ide_drive *d)
{
	d->intrq = false;
	update_irq(ch);
}

static u8 idle_status(const struct ide_drive *d)
{
	return present(d) ? IDE_DRDY | IDE_DSC : 0;
}

static void end_command(struct ide_channel *ch)
{
	timer_cancel(ch->clock, &ch->timer);
	ch->after_busy = NULL;
	ch->after_data = NULL;
	ch->data_in = ch->data_out = false;
	ch->dma_waiting = false;
	ch->pos = ch->len = 0;
	ch->active = NULL;
}

/* A new command or a reset while one runs: the old one is forgotten. */
static void abandon_command(struct ide_channel *ch)
{
	if (ch->active)
		ch->active->status = idle_status(ch->active);
	end_command(ch);
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

static void start_timer(struct ide_channel *ch, u32 ns, ide_step step)
{
	ch->after_busy = step;
	timer_arm(ch->clock, &ch->timer, clock_now(ch->clock) + ns);
}

void ide_busy(struct ide_channel *ch, u32 ns, ide_step step)
{
	ch->active->status = (ch->active->status & ~(IDE_DRQ | IDE_ERR | IDE_DF)) | IDE_BSY;
	ch->data_in = ch->data_out = false;
	start_timer(ch, ns, step);
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
	raise_intrq(ch, ch->active);
}

void ide_data_out(struct ide_channel *ch, u32 len, ide_step after, bool interrupt)
{
	start_data(ch, 0, len, after);
	ch->data_out = true;
	if (interrupt)
		raise_intrq(ch, ch->active);
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

	end_command(ch);
	d->error = error;
	d->status = IDE_DRDY | IDE_DSC | (error ? IDE_ERR : 0);
	raise_intrq(ch, d);
}

void ide_finish(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;

	end_command(ch);
	d->status = IDE_DRDY | IDE_DSC;
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
	start_timer(ch, IDE_COMMAND_NS, ch->dma_step);
}

void ide_signature(struct ide_drive *d)
{
	bool cdrom = d->kind == IDE_CDROM;

	memset(d->count, 0, sizeof(d->count));
	memset(d->lba_low, 0, sizeof(d->lba_low));
	memset(d->lba_mid, 0, sizeof(d->lba_mid));
	memset(d->lba_high, 0, sizeof(d->lba_high));
	d->count[0] = 1;
	d->lba_low[0] = 1;
	d->lba_mid[0] = cdrom ? 0x14 : 0;
	d->lba_high[0] = cdrom ? 0xeb : 0;
	d->device &= ~0x0f;
}

/* Both drives pass their self-test; an ATAPI drive does not say ready before its first command. */
static void self_test_done(struct ide_channel *ch)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ide_drive *d = &ch->drive[i];

		ide_signature(d);
		d->device = 0xa0;
		d->error = DIAGNOSTIC_PASSED;
		d->status = d->kind == IDE_DISK ? IDE_DRDY | IDE_DSC : 0;
	}
	ch->selected = 0;
	update_irq(ch);
}

static void reset_drive(struct ide_drive *d)
{
	d->multiple = 0;
	d->standby = false;
	d->intrq = false;
	d->status = present(d) ? IDE_BSY : 0;
	if (d->kind == IDE_CDROM)
		atapi_reset(d);
}

static void start_software_reset(struct ide_channel *ch)
{
	end_command(ch);
	reset_drive(&ch->drive[0]);
	reset_drive(&ch->drive[1]);
	update_irq(ch);
}

static void diagnostic_done(struct ide_channel *ch)
{
	struct ide_drive *d = present(&ch->drive[0]) ? &ch->drive[0] : &ch->drive[1];

	self_test_done(ch);
	raise_intrq(ch, d);
}

static void execute_diagnostic(struct ide_channel *ch)
{
	abandon_command(ch);
	for (unsigned i = 0; i < 2; i++)
		if (present(&ch->drive[i]))
			ch->drive[i].status = IDE_BSY;
	start_timer(ch, IDE_COMMAND_NS, diagnostic_done);
}

void ide_write_command(struct ide_channel *ch, u8 command)
{
	struct ide_drive *d = &ch->drive[ch->selected];

	if (ch->control & CONTROL_SRST)
		return;
	if (command == COMMAND_DIAGNOSTIC) {
		execute_diagnostic(ch);
		return;
	}
	if (!present(d))
		return;
	abandon_command(ch);
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
	ch->drive[0].device = ch->drive[1].device = value | 0xa0;
	ch->selected = (value & IDE_DEV_DEV) != 0;
	update_irq(ch);
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
		start_software_reset(ch);
	else if (old & ~value & CONTROL_SRST)
		start_timer(ch, IDE_RESET_NS, self_test_done);
	update_irq(ch);
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

void ide_reset(struct ide_channel *ch)
{
	end_command(ch);
	ch->control = 0;
	for (unsigned n = 0; n < 2; n++) {
		struct ide_drive *d = &ch->drive[n];

		reset_drive(d);
		d->heads = d->geometry.heads;
		d->sectors = d->geometry.sectors;
		d->dma_mode = 0;
		d->write_cache = d->look_ahead = true;
		d->tray_locked = d->tray_open = false;
	}
	self_test_done(ch);
}

const struct disk_geometry *ide_disk_geometry(const struct ide_channel *ch, unsigned drive)
{
	const struct ide_drive *d = &ch->drive[drive & 1];

	return d->kind == IDE_DISK ? &d->geometry : NULL;
}
