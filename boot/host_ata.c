/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documentation: ATA/ATAPI-6 (T13 1410D), 9.4 to 9.7. Interrupts stay off at the drive (nIEN): the
 * guest waits for its disk anyway, and a polled driver has nothing that can be left half-done.
 */
#include "boot/host_ata.h"
#include "boot/host.h"
#include "boot/port.h"
#include "devices/timer.h"
#include "lib/fmt.h"
#include "lib/log.h"

#define SECTOR	      512u
#define SECTOR_WORDS  256u
#define COMMAND_LBA28 0x0fffffffu
#define SECTORS_MAX   128u /* a command */

#define READY_NS   (10 * NS_PER_SEC) /* a disk that has to spin up */
#define COMMAND_NS (5 * NS_PER_SEC)  /* a sector with retries by the disk */
#define RESET_NS   (5 * NS_PER_SEC)

enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LOW, REG_MID, REG_HIGH, REG_DEVICE, REG_STATUS };

#define STATUS_BSY  0x80
#define STATUS_DRDY 0x40
#define STATUS_DF   0x20
#define STATUS_DRQ  0x08
#define STATUS_ERR  0x01
#define STATUS_NONE 0xff /* nobody drives the bus */

#define CONTROL_NIEN 0x02
#define CONTROL_SRST 0x04

#define DEVICE_LBA   0xe0
#define DEVICE_SLAVE 0x10

#define READ_SECTORS	  0x20
#define READ_SECTORS_EXT  0x24
#define WRITE_SECTORS	  0x30
#define WRITE_SECTORS_EXT 0x34
#define FLUSH_CACHE	  0xe7
#define IDENTIFY	  0xec

struct host_ata {
	u16 base, control;
	u8 device; /* DEVICE_LBA, with DEVICE_SLAVE for a slave */
	bool lba48;
	u64 first; /* sector of the disk that is the block's sector 0 */
};

static u8 reg_in(const struct host_ata *a, unsigned reg)
{
	return inb((u16)(a->base + reg));
}

static void reg_out(const struct host_ata *a, unsigned reg, u8 value)
{
	outb((u16)(a->base + reg), value);
}

/* The status is valid 400 ns after a command or a selection. */
static void settle(const struct host_ata *a)
{
	for (unsigned i = 0; i < 5; i++)
		inb(a->control);
}

/* Waits for BSY to end; the status, or -1 when it did not in time. */
static int wait_idle(const struct host_ata *a, u64 ns)
{
	u64 end = host_ns() + ns;
	u8 status;

	for (;;) {
		status = reg_in(a, REG_STATUS);
		if (status == STATUS_NONE)
			return -1;
		if (!(status & STATUS_BSY))
			return status;
		if (host_ns() > end)
			return -1;
	}
}

/* BSY ended without an error and with these bits set. */
static bool wait_for(const struct host_ata *a, u8 bits, u64 ns)
{
	int status = wait_idle(a, ns);

	return status >= 0 && !(status & (STATUS_ERR | STATUS_DF)) && (status & bits) == bits;
}

static bool select_drive(const struct host_ata *a, u8 device, u64 ns)
{
	reg_out(a, REG_DEVICE, device);
	settle(a);
	return wait_idle(a, ns) >= 0;
}

/* After an error: the drive forgets the command, so the next one starts clean. */
static void recover(const struct host_ata *a)
{
	outb(a->control, CONTROL_NIEN | CONTROL_SRST);
	host_delay_us(10);
	outb(a->control, CONTROL_NIEN);
	host_delay_us(2000);
	select_drive(a, a->device, RESET_NS);
}

static void write_address(const struct host_ata *a, u64 lba, u32 count, bool high)
{
	unsigned shift = high ? 24 : 0;

	reg_out(a, REG_COUNT, (u8)(high ? count >> 8 : count));
	reg_out(a, REG_LOW, (u8)(lba >> shift));
	reg_out(a, REG_MID, (u8)(lba >> (shift + 8)));
	reg_out(a, REG_HIGH, (u8)(lba >> (shift + 16)));
}

static bool start(const struct host_ata *a, u64 lba, u32 count, bool write)
{
	bool ext = a->lba48 && lba + count > COMMAND_LBA28;
	u8 device = ext ? a->device : a->device | ((lba >> 24) & 0x0f);

	outb(a->control, CONTROL_NIEN);
	if (!select_drive(a, device, COMMAND_NS))
		return false;
	if (ext)
		write_address(a, lba, count, true);
	write_address(a, lba, count, false);
	if (ext)
		reg_out(a, REG_STATUS, write ? WRITE_SECTORS_EXT : READ_SECTORS_EXT);
	else
		reg_out(a, REG_STATUS, write ? WRITE_SECTORS : READ_SECTORS);
	settle(a);
	return true;
}

static bool read_part(const struct host_ata *a, u64 lba, u32 count, u8 *buf)
{
	if (!start(a, lba, count, false))
		return false;
	for (; count; count--, buf += SECTOR) {
		if (!wait_for(a, STATUS_DRQ, COMMAND_NS))
			return false;
		port_ins(a->base, 2, buf, SECTOR_WORDS);
		settle(a);
	}
	return true;
}

static bool write_part(const struct host_ata *a, u64 lba, u32 count, const u8 *buf)
{
	if (!start(a, lba, count, true))
		return false;
	for (; count; count--, buf += SECTOR) {
		if (!wait_for(a, STATUS_DRQ, COMMAND_NS))
			return false;
		port_outs(a->base, 2, buf, SECTOR_WORDS);
		settle(a);
	}
	return wait_for(a, 0, COMMAND_NS);
}

static bool inside(const struct block *b, u64 lba, u32 count)
{
	return lba <= b->sectors && count <= b->sectors - lba;
}

static int failed(const struct block *b, const char *what, u64 lba)
{
	const struct host_ata *a = b->ctx;

	log_warn("%s: %s of sector %llu failed: status %02x, error %02x", b->name, what,
		 (unsigned long long)lba, reg_in(a, REG_STATUS), reg_in(a, REG_ERROR));
	recover(a);
	return -1;
}

static int host_ata_read(struct block *b, u64 lba, u32 count, void *buf)
{
	const struct host_ata *a = b->ctx;
	u8 *p = buf;

	if (!inside(b, lba, count))
		return -1;
	while (count) {
		u32 part = count < SECTORS_MAX ? count : SECTORS_MAX;

		if (!read_part(a, a->first + lba, part, p))
			return failed(b, "read", lba);
		lba += part;
		count -= part;
		p += part * SECTOR;
	}
	return 0;
}

static int host_ata_write(struct block *b, u64 lba, u32 count, const void *buf)
{
	const struct host_ata *a = b->ctx;
	const u8 *p = buf;

	if (!inside(b, lba, count) || b->read_only)
		return -1;
	while (count) {
		u32 part = count < SECTORS_MAX ? count : SECTORS_MAX;

		if (!write_part(a, a->first + lba, part, p))
			return failed(b, "write", lba);
		lba += part;
		count -= part;
		p += part * SECTOR;
	}
	return 0;
}

/* Old disks do not know FLUSH CACHE; they have nothing to flush. */
static int host_ata_flush(struct block *b)
{
	const struct host_ata *a = b->ctx;

	if (!select_drive(a, a->device, COMMAND_NS))
		return -1;
	reg_out(a, REG_STATUS, FLUSH_CACHE);
	settle(a);
	return wait_idle(a, READY_NS) >= 0 ? 0 : -1;
}

static const struct block_ops host_ata_ops = {
	.read = host_ata_read,
	.write = host_ata_write,
	.flush = host_ata_flush,
};

static bool identify(const struct host_ata *a, u16 *words)
{
	outb(a->control, CONTROL_NIEN);
	reg_out(a, REG_DEVICE, a->device);
	settle(a);
	/* No status at all is an empty place; a CD-ROM drive refuses IDENTIFY DEVICE. */
	if (reg_in(a, REG_STATUS) == 0 || wait_idle(a, READY_NS) < 0)
		return false;
	reg_out(a, REG_STATUS, IDENTIFY);
	settle(a);
	if (reg_in(a, REG_STATUS) == 0 || !wait_for(a, STATUS_DRQ, COMMAND_NS))
		return false;
	port_ins(a->base, 2, words, SECTOR_WORDS);
	return true;
}

static u64 capacity(struct host_ata *a, const u16 *words)
{
	if (!(words[49] & 0x0200)) /* no LBA */
		return 0;
	a->lba48 = (words[83] & 0xc400) == 0x4400;
	if (a->lba48)
		return words[100] | (u32)words[101] << 16 | (u64)words[102] << 32 |
		       (u64)words[103] << 48;
	return words[60] | (u32)words[61] << 16;
}

static u32 le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* Narrows the block to a partition of the MBR. */
static int open_partition(struct block *b, unsigned partition, char *error, size_t size)
{
	struct host_ata *a = b->ctx;
	u8 mbr[SECTOR];
	const u8 *entry = mbr + 446 + (partition - 1) * 16;
	u32 first, sectors;

	if (partition > 4) {
		fmt(error, size, "partition %u: expected 1 to 4", partition);
		return -1;
	}
	if (host_ata_read(b, 0, 1, mbr) != 0) {
		fmt(error, size, "%s: its partition table cannot be read", b->name);
		return -1;
	}
	first = le32(entry + 8);
	sectors = le32(entry + 12);
	if (mbr[510] != 0x55 || mbr[511] != 0xaa || entry[4] == 0 || sectors == 0 ||
	    !inside(b, first, sectors)) {
		fmt(error, size, "%s has no partition %u", b->name, partition);
		return -1;
	}
	a->first = first;
	b->sectors = sectors;
	return 0;
}

int host_ata_open(struct block *b, unsigned disk, unsigned partition, char *error, size_t size)
{
	static const char *const names[4] = {"host disk 0", "host disk 1", "host disk 2",
					     "host disk 3"};
	struct host_ata *a = host_alloc(sizeof(*a));
	u16 words[SECTOR_WORDS];

	if (!a || disk > 3) {
		fmt(error, size, a ? "host disk: expected 0 to 3" : "no memory for a host disk");
		return -1;
	}
	a->base = disk < 2 ? 0x1f0 : 0x170;
	a->control = disk < 2 ? 0x3f6 : 0x376;
	a->device = DEVICE_LBA | (disk & 1 ? DEVICE_SLAVE : 0);
	if (!identify(a, words)) {
		fmt(error, size, "%s: this PC has no IDE disk there", names[disk]);
		return -1;
	}
	*b = (struct block){
		.ops = &host_ata_ops,
		.name = names[disk],
		.sectors = capacity(a, words),
		.sector_size = SECTOR,
		.ctx = a,
	};
	if (b->sectors == 0) {
		fmt(error, size, "%s: expected a disk with LBA", names[disk]);
		return -1;
	}
	return partition ? open_partition(b, partition, error, size) : 0;
}
