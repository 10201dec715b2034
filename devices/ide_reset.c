/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets of the IDE channel: RESET#, SRST, EXECUTE DEVICE DIAGNOSTIC, and the signature they leave
 * (ATA/ATAPI-6, 9.1 to 9.3 and 9.12).
 */
#include "devices/ide_core.h"
#include "lib/str.h"

#define DIAGNOSTIC_PASSED 0x01

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
void ide_self_test_done(struct ide_channel *ch)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ide_drive *d = &ch->drive[i];

		ide_signature(d);
		d->device = 0xa0;
		d->error = DIAGNOSTIC_PASSED;
		d->status = d->kind == IDE_DISK ? IDE_DRDY | IDE_DSC : 0;
	}
	ch->selected = 0;
	ide_update_irq(ch);
}

static void reset_drive(struct ide_drive *d)
{
	d->multiple = 0;
	d->standby = false;
	d->intrq = false;
	d->status = ide_present(d) ? IDE_BSY : 0;
	if (d->kind == IDE_CDROM)
		atapi_reset(d);
}

void ide_start_software_reset(struct ide_channel *ch)
{
	ide_end_command(ch);
	reset_drive(&ch->drive[0]);
	reset_drive(&ch->drive[1]);
	ide_update_irq(ch);
}

static void diagnostic_done(struct ide_channel *ch)
{
	struct ide_drive *d = ide_present(&ch->drive[0]) ? &ch->drive[0] : &ch->drive[1];

	ide_self_test_done(ch);
	ide_raise_intrq(ch, d);
}

void ide_execute_diagnostic(struct ide_channel *ch)
{
	ide_abandon_command(ch);
	for (unsigned i = 0; i < 2; i++) {
		ch->drive[i].intrq = false;
		if (ide_present(&ch->drive[i]))
			ch->drive[i].status = IDE_BSY;
	}
	ide_update_irq(ch);
	ide_start_timer(ch, IDE_COMMAND_NS, diagnostic_done);
}

void ide_reset(struct ide_channel *ch)
{
	ide_end_command(ch);
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
	ide_self_test_done(ch);
}
