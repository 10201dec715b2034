/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux 6's drivers/ata/libata-sff.c, the register accesses of PIO. */
#include "lib/str.h"
#include "tests/unit/net/support_guest_parts.h"

#define MS 1000000ull

/* ata_sff_busy_wait() */
static u8 busy_wait(struct guest *g, u8 bits, unsigned most)
{
	u8 status;

	do {
		g->pause(g, 10000);
		status = guest_in8(g, STATUS(g));
		most--;
	} while (status != 0xff && status & bits && most);
	return status;
}

static u8 wait_idle(struct guest *g)
{
	return busy_wait(g, BSY | DRQ, 1000);
}

static void sync_pause(struct guest *g)
{
	guest_in8(g, CONTROL(g));
	g->pause(g, 400);
}

/* ata_dev_select() */
static void dev_select(struct guest *g)
{
	wait_idle(g);
	guest_out8(g, DEVICE(g), (u8)(0xa0 | g->drive << 4));
	sync_pause(g);
	wait_idle(g);
}

struct taskfile {
	u8 command, feature, count[2], low[2], mid[2], high[2], device;
	bool ext, polling;
};

/* ata_sff_tf_load() and ata_sff_exec_command() */
static void load_and_start(struct guest *g, const struct taskfile *tf)
{
	if (tf->polling) {
		guest_out8(g, CONTROL(g), HD15 | NIEN);
		wait_idle(g);
	}
	if (tf->ext) {
		guest_out8(g, ERROR(g), 0);
		guest_out8(g, COUNT(g), tf->count[1]);
		guest_out8(g, LOW(g), tf->low[1]);
		guest_out8(g, MID(g), tf->mid[1]);
		guest_out8(g, HIGH(g), tf->high[1]);
	}
	guest_out8(g, ERROR(g), tf->feature);
	guest_out8(g, COUNT(g), tf->count[0]);
	guest_out8(g, LOW(g), tf->low[0]);
	guest_out8(g, MID(g), tf->mid[0]);
	guest_out8(g, HIGH(g), tf->high[0]);
	guest_out8(g, DEVICE(g), tf->device);
	wait_idle(g);
	guest_out8(g, STATUS(g), tf->command);
	sync_pause(g);
}

static struct taskfile taskfile(const struct guest *g, u8 command, u64 lba, u32 sectors, bool ext)
{
	struct taskfile tf = {.command = command, .ext = ext, .count = {(u8)sectors}};

	tf.low[0] = (u8)lba;
	tf.mid[0] = (u8)(lba >> 8);
	tf.high[0] = (u8)(lba >> 16);
	tf.device = device(g, ext ? 0 : lba);
	if (ext) {
		tf.count[1] = (u8)(sectors >> 8);
		tf.low[1] = (u8)(lba >> 24);
		tf.mid[1] = (u8)(lba >> 32);
		tf.high[1] = (u8)(lba >> 40);
	}
	return tf;
}

/* ata_sff_irq_status(), after the interrupt */
static u8 irq_status(struct guest *g)
{
	u8 status = BSY;

	while (status & BSY && g->irq(g)) {
		status = guest_in8(g, CONTROL(g));
		if (!(status & BSY))
			status = guest_in8(g, STATUS(g));
	}
	return status;
}

/* ata_pio_sectors(): a page at most at a time, as ata_pio_sector() maps them */
static void pio_sectors(struct guest *g, u8 *buf, u32 sectors, bool write)
{
	for (; sectors; sectors--, buf += SECTOR) {
		if (write)
			guest_outs16(g, DATA(g), buf, WORDS);
		else
			guest_ins16(g, DATA(g), buf, WORDS);
	}
	guest_in8(g, CONTROL(g)); /* ata_sff_sync() */
}

/* ata_dev_read_id(): polled */
bool libata_identify(struct guest *g, u8 command, u8 data[512])
{
	struct taskfile tf = taskfile(g, command, 0, 0, false);
	u8 status;

	tf.polling = true;
	tf.device = (u8)(0xa0 | g->drive << 4);
	dev_select(g);
	load_and_start(g, &tf);
	do {
		g->pause(g, 2 * MS);
		status = busy_wait(g, BSY, 5);
	} while (status & BSY);
	if (ok(status, DRQ, ERR | DF))
		pio_sectors(g, data, 1, false);
	wait_idle(g);
	guest_out8(g, CONTROL(g), HD15);
	wait_idle(g);
	return ok(status, DRQ, ERR | DF);
}

bool libata_read(struct guest *g, u64 lba, u32 sectors, u32 multiple, bool ext, u8 *buf)
{
	u8 command = ext ? (multiple ? 0x29 : 0x24) : (multiple ? 0xc4 : 0x20);
	struct taskfile tf = taskfile(g, command, lba, sectors, ext);

	dev_select(g);
	load_and_start(g, &tf);
	while (sectors) {
		u32 block = least(multiple ? multiple : 1, sectors);

		if (!ok(irq_status(g), DRQ, BSY | ERR | DF))
			return false;
		pio_sectors(g, buf, block, false);
		buf += block * SECTOR;
		sectors -= block;
	}
	return ok(wait_idle(g), DRDY, BSY | DRQ | ERR | DF);
}

bool libata_write(struct guest *g, u64 lba, u32 sectors, u32 multiple, bool ext, const u8 *buf)
{
	u8 command = ext ? (multiple ? 0x39 : 0x34) : (multiple ? 0xc5 : 0x30);
	struct taskfile tf = taskfile(g, command, lba, sectors, ext);
	u8 status;

	dev_select(g);
	load_and_start(g, &tf);
	while ((status = busy_wait(g, BSY, 5)) & BSY)
		g->pause(g, 2 * MS);
	while (sectors) {
		u32 block = least(multiple ? multiple : 1, sectors);

		if (!ok(status, DRQ, BSY | ERR | DF))
			return false;
		pio_sectors(g, (u8 *)buf, block, true);
		buf += block * SECTOR;
		sectors -= block;
		status = irq_status(g);
	}
	return ok(status, DRDY, BSY | DRQ | ERR | DF);
}

/* ata_sff_tf_read(); returns the byte count */
static u32 tf_read(struct guest *g)
{
	u32 bytes;

	guest_in8(g, STATUS(g));
	guest_in8(g, ERROR(g));
	guest_in8(g, COUNT(g));
	guest_in8(g, LOW(g));
	bytes = guest_in8(g, MID(g));
	bytes |= (u32)guest_in8(g, HIGH(g)) << 8;
	guest_in8(g, DEVICE(g));
	return bytes;
}

/* atapi_pio_bytes(): a page at a time */
static void packet_bytes(struct guest *g, u8 *buf, u32 bytes)
{
	while (bytes) {
		u32 part = least(bytes, 4096);

		guest_ins16(g, DATA(g), buf, part / 2);
		buf += part;
		bytes -= part;
	}
	guest_in8(g, CONTROL(g));
}

bool libata_cd_read(struct guest *g, u32 lba, u32 sectors, u8 *buf)
{
	u8 packet[12] = {0x28, 0, 0, 0, (u8)(lba >> 8), (u8)lba, 0, 0, (u8)sectors};
	u32 limit = least(sectors * 2048, 63 * 1024), left = sectors * 2048;
	struct taskfile tf = taskfile(g, 0xa0, limit << 8, 0, false);
	u8 status;

	tf.device = (u8)(0xa0 | g->drive << 4);
	dev_select(g);
	load_and_start(g, &tf);
	while ((status = busy_wait(g, BSY, 5)) & BSY)
		g->pause(g, 2 * MS);
	if (!ok(status, DRQ, BSY | ERR | DF))
		return false;
	guest_outs16(g, DATA(g), packet, sizeof(packet) / 2);
	guest_in8(g, CONTROL(g));
	while ((status = irq_status(g)) & DRQ) {
		u32 bytes = tf_read(g);

		if (bytes > left)
			return false;
		packet_bytes(g, buf, bytes);
		buf += bytes;
		left -= bytes;
	}
	return !left && ok(status, DRDY, BSY | ERR | DF);
}
