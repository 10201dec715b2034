/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CD-ROM drive's ATA commands: those of the PACKET feature set (ATA/ATAPI-6, 6.8) and the
 * refusals by which a host learns what it has found.
 */
#include "devices/atapi.h"
#include "devices/ide_core.h"

static void identify_step(struct ide_channel *ch)
{
	ide_identify_cdrom(ch, ch->active, ch->buffer);
	ide_data_in(ch, 0, IDE_SECTOR, ide_finish);
}

/* A host that takes the drive for a disk is told by the signature (ATA-6, 8.15.5.2). */
static void signature_step(struct ide_channel *ch)
{
	ide_signature(ch->active);
	ide_complete(ch, IDE_ABRT);
}

/* DEVICE RESET ends without INTRQ and without DRDY (ATA-6, 9.16). */
static void device_reset_step(struct ide_channel *ch)
{
	struct ide_drive *d = ch->active;

	ide_finish(ch);
	ide_signature(d);
	d->error = 1;
	d->status = 0;
}

static void set_features_step(struct ide_channel *ch)
{
	ide_complete(ch, ide_set_features(ch->active));
}

static void check_power_step(struct ide_channel *ch)
{
	ch->active->count[0] = 0xff;
	ide_complete(ch, 0);
}

static ide_step plain_command(u8 command)
{
	switch (command) {
	case 0x08:
		return device_reset_step;
	case 0x20: /* READ SECTORS */
	case 0xec: /* IDENTIFY DEVICE */
		return signature_step;
	case 0xa1:
		return identify_step;
	case 0xe0: /* STANDBY, IDLE and SLEEP: always awake */
	case 0xe1:
	case 0xe2:
	case 0xe3:
	case 0xe6:
	case 0xe7: /* FLUSH CACHE */
		return ide_done;
	case 0xe5:
		return check_power_step;
	case 0xef:
		return set_features_step;
	default:
		return ide_abort;
	}
}

void atapi_command(struct ide_channel *ch, u8 command)
{
	if (command == 0xa0)
		atapi_packet(ch);
	else
		ide_busy(ch, IDE_COMMAND_NS, plain_command(command));
}
