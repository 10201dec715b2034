/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "lib/str.h"
#include "tests/unit/net/support_drives.h"

static u8 *noise(u32 bytes)
{
	u8 *data = malloc(bytes);
	u32 x = 12345;

	for (u32 i = 0; i < bytes; i++) {
		x = x * 1103515245 + 12345;
		data[i] = (u8)(x >> 16);
	}
	return data;
}

struct drives *drives_new(const struct profile *profile)
{
	static const struct port_export export = {.name = "ide2",
						  .range = {{0x170, 0x177}, {0x376, 0x376}},
						  .ranges = 2,
						  .irqs = BIT(DRIVES_LINE)};
	struct drives *d = calloc(1, sizeof(*d));
	struct ide_config config = {.name = "ide1", .command_base = 0x170, .control_port = 0x376};

	d->r = profile ? route_new(&export, DRIVES_LINE, profile) : route_new_local(DRIVES_LINE);
	d->r->guest.base = 0x170;
	d->r->guest.control = 0x376;
	d->disk = noise(DISK_SECTORS * 512);
	d->cd = noise(CD_SECTORS * CD_SECTOR_SIZE);
	block_from_memory(&d->disk_block, "disk", d->disk, DISK_SECTORS * 512, 512);
	block_from_memory(&d->cd_block, "cd", d->cd, CD_SECTORS * CD_SECTOR_SIZE, CD_SECTOR_SIZE);
	config.bus = &d->r->board->bus;
	config.clock = &d->r->board->clock;
	config.irq = board_pin(d->r->board, DRIVES_LINE);
	config.drive[0] = (struct ide_drive_config){IDE_DISK, &d->disk_block, {64, 4, 16}};
	config.drive[1] = (struct ide_drive_config){IDE_CDROM, &d->cd_block, {0, 0, 0}};
	assert_int_equal(ide_init(&d->ide, &config), 0);
	route_start(d->r);
	return d;
}

struct guest *drives_guest(struct drives *d, u8 drive)
{
	d->r->guest.drive = drive;
	return &d->r->guest;
}

void drives_free(struct drives *d)
{
	route_free(d->r);
	free(d->disk);
	free(d->cd);
	free(d);
}
