/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the channel's protocol stands, from what the guest writes and reads: which command was
 * given to which drive, whether it moves data, how large a block is and how much of it is left.
 * What is not sure is taken as unknown, and the route then does what the guest asks for, no more.
 */
#include "net-ne2000/profile_ata.h"

#define PACKET_SIZE 12u

#define COMMAND_DIAGNOSTIC   0x90
#define COMMAND_PACKET	     0xa0
#define COMMAND_SET_MULTIPLE 0xc6

/* Features of SMART */
#define SMART_READ_DATA	      0xd0
#define SMART_READ_THRESHOLDS 0xd1
#define SMART_READ_LOG	      0xd5
#define SMART_WRITE_LOG	      0xd6

#define FEATURE_PACKET_DMA 0x01

/* Interrupt reason (ATA-6, 8.24): data to the host */
#define REASON_MASK 0x03
#define REASON_IO   0x02

/* Of what tells an ATA_REPLY's block, this was read since DRQ was seen. */
#define SEEN_IN	  1u
#define SEEN_LOW  2u
#define SEEN_HIGH 4u

#define IDLE_READS 8u /* answered without looking: a drive may still break down */

enum length {
	ONE,	  /* one sector, whatever the count says */
	SINGLE,	  /* the count, a sector a block */
	MULTIPLE, /* the count, in blocks of SET MULTIPLE's size */
};

struct command {
	u8 code, transfer, length;
	bool ext; /* 16 bits of count */
};

static const struct command commands[] = {
	{0x20, ATA_IN, SINGLE, false}, /* READ SECTORS */
	{0x21, ATA_IN, SINGLE, false},
	{0x24, ATA_IN, SINGLE, true},	/* READ SECTORS EXT */
	{0x29, ATA_IN, MULTIPLE, true}, /* READ MULTIPLE EXT */
	{0x2f, ATA_IN, SINGLE, true},	/* READ LOG EXT */
	{0x30, ATA_OUT, SINGLE, false}, /* WRITE SECTORS */
	{0x31, ATA_OUT, SINGLE, false},
	{0x34, ATA_OUT, SINGLE, true},	 /* WRITE SECTORS EXT */
	{0x39, ATA_OUT, MULTIPLE, true}, /* WRITE MULTIPLE EXT */
	{0x3c, ATA_OUT, SINGLE, false},	 /* WRITE VERIFY */
	{0x3f, ATA_OUT, SINGLE, true},	 /* WRITE LOG EXT */
	{COMMAND_PACKET, ATA_PACKET, ONE, false},
	{0xa1, ATA_IN, ONE, false},	  /* IDENTIFY PACKET DEVICE */
	{0xc4, ATA_IN, MULTIPLE, false},  /* READ MULTIPLE */
	{0xc5, ATA_OUT, MULTIPLE, false}, /* WRITE MULTIPLE */
	{0xce, ATA_OUT, MULTIPLE, true},  /* WRITE MULTIPLE FUA EXT */
	{0xe4, ATA_IN, ONE, false},	  /* READ BUFFER */
	{0xe8, ATA_OUT, ONE, false},	  /* WRITE BUFFER */
	{0xec, ATA_IN, ONE, false},	  /* IDENTIFY DEVICE */
	{0xf1, ATA_OUT, ONE, false},	  /* SECURITY SET PASSWORD */
	{0xf2, ATA_OUT, ONE, false},	  /* SECURITY UNLOCK */
	{0xf4, ATA_OUT, ONE, false},	  /* SECURITY ERASE UNIT */
	{0xf6, ATA_OUT, ONE, false},	  /* SECURITY DISABLE PASSWORD */
};

static const struct command smart[] = {
	{SMART_READ_DATA, ATA_IN, ONE, false},
	{SMART_READ_THRESHOLDS, ATA_IN, ONE, false},
	{SMART_READ_LOG, ATA_IN, SINGLE, false},
	{SMART_WRITE_LOG, ATA_OUT, SINGLE, false},
};

static const struct command *find(const struct command *table, unsigned n, u8 code)
{
	for (unsigned i = 0; i < n; i++)
		if (table[i].code == code)
			return &table[i];
	return NULL;
}

static const struct command *command_of(const struct ata *a)
{
	if (a->command == 0xb0)
		return find(smart, ARRAY_SIZE(smart), a->feature);
	return find(commands, ARRAY_SIZE(commands), a->command);
}

static bool is_multiple(const struct ata *a)
{
	const struct command *c = command_of(a);

	return c && c->length == MULTIPLE;
}

u32 ata_block_size(const struct ata *a)
{
	u32 unit = is_multiple(a) ? a->unit[a->drive] : 1;

	return (unit < a->sectors ? unit : a->sectors) * ATA_SECTOR;
}

static u32 sector_count(const struct ata *a, const struct command *c)
{
	if (c->length == ONE)
		return 1;
	if (!c->ext)
		return a->count[0] ? a->count[0] : 256;
	return a->count[0] | a->count[1] ? a->count[0] | (u32)a->count[1] << 8 : 65536;
}

bool ata_idle(const struct ata *a)
{
	return a->idle_reads && a->idle_drive == (a->device >> 4 & 1);
}

/* No command is in progress that moves data, as far as we know. */
static void no_data(struct ata *a)
{
	a->transfer = ATA_NO_DATA;
	a->sectors = a->block = a->moved = 0;
	a->exact = a->drq = a->peeked = false;
}

/* A drive that was reset may have left multiple mode (ATA-6, 9.2 and SET FEATURES 66h). */
static void reset(struct ata *a)
{
	no_data(a);
	a->idle_reads = 0;
	a->unit[0] = a->unit[1] = 0;
	a->drive = 0;
}

static void command(struct ata *a, u8 code)
{
	const struct command *c;

	no_data(a);
	a->command = code;
	a->idle_reads = 0;
	a->fresh = true;
	a->interrupted = false;
	a->drive = a->device >> 4 & 1;
	a->change = 0;
	a->checked = false;
	if (code == COMMAND_DIAGNOSTIC)
		reset(a);
	if (code == COMMAND_SET_MULTIPLE)
		a->unit[a->drive] = a->count[0];
	c = command_of(a);
	if (!c || (code == COMMAND_PACKET && a->feature & FEATURE_PACKET_DMA))
		return;
	if (c->length == MULTIPLE && a->unit[a->drive] == 0)
		return;
	a->transfer = c->transfer;
	a->sectors = sector_count(a, c);
}

static void control(struct ata *a, u8 value)
{
	if (value & ATA_SRST)
		reset(a);
	a->control = value;
}

void ata_register_written(struct ata *a, unsigned reg, u8 value)
{
	a->peeked = false;
	switch (reg) {
	case ATA_ERROR:
		a->feature = value;
		break;
	case ATA_COUNT:
		a->count[1] = a->count[0];
		a->count[0] = value;
		break;
	case ATA_DEVICE:
		a->device = value;
		a->unsettled = true;
		break;
	case ATA_STATUS:
		command(a, value);
		a->unsettled = true;
		break;
	case ATA_CONTROL:
		control(a, value);
		a->unsettled = true;
		break;
	}
}

/* DRQ is there and the guest knows it. */
static void block_ready(struct ata *a, bool alternate)
{
	bool exact = !alternate || ata_polled(a) || a->follows;

	if (a->follows) /* the status register was read along */
		a->interrupted = false;
	if (a->block) { /* begun already; the interrupt may be over now */
		a->exact |= exact;
		return;
	}
	if (a->transfer == ATA_REPLY) {
		a->drq = true;
		a->seen = 0;
	} else if (a->transfer == ATA_IN || a->transfer == ATA_OUT) {
		a->block = ata_block_size(a);
	}
	a->block_status = a->status;
	a->exact = exact;
}

/* A look at the drive's status; the alternate one leaves INTRQ, so the next look matters. */
static void idle_status(struct ata *a, bool alternate, u8 value)
{
	bool idle = (value & (ATA_BSY | ATA_DRDY | ATA_DF | ATA_DRQ | ATA_ERR)) == ATA_DRDY;

	if (a->told) {
		a->idle_reads--;
	} else if (!idle || a->transfer != ATA_NO_DATA) {
		a->idle_reads = 0;
	} else if (!alternate) {
		a->idle = value;
		a->idle_drive = a->device >> 4 & 1;
		a->idle_reads = IDLE_READS;
	}
}

static void status(struct ata *a, bool alternate, u8 value)
{
	idle_status(a, alternate, value);
	a->status = value;
	a->fresh = false;
	if (!alternate)
		a->interrupted = false;
	if (!ata_selected(a) || value & ATA_BSY)
		return;
	if (value & (ATA_ERR | ATA_DF)) {
		if (a->command == COMMAND_SET_MULTIPLE)
			a->unit[a->drive] = 0;
		no_data(a);
	} else if (value & ATA_DRQ) {
		block_ready(a, alternate);
	}
}

/*
 * The drive tells in the cylinder registers how many bytes it moves with this DRQ, and in the count
 * register which way.
 */
static void packet_register(struct ata *a, unsigned reg, u8 value)
{
	if (a->transfer != ATA_REPLY || !a->drq || a->block)
		return;
	if (reg == ATA_COUNT)
		a->seen |= (value & REASON_MASK) == REASON_IO ? SEEN_IN : 0;
	else if (reg == ATA_MID)
		a->bytes[0] = value;
	else
		a->bytes[1] = value;
	if (reg != ATA_COUNT)
		a->seen |= reg == ATA_MID ? SEEN_LOW : SEEN_HIGH;
	if (a->seen == (SEEN_IN | SEEN_LOW | SEEN_HIGH)) /* an odd count is filled up to a word */
		a->block = (a->bytes[0] + (a->bytes[1] << 8) + 1u) & ~1u;
}

void ata_register_read(struct ata *a, unsigned reg, u8 value)
{
	a->unsettled = false;
	if (!a->follows && a->block == 0)
		a->peeked = false;
	switch (reg) {
	case ATA_STATUS:
	case ATA_CONTROL:
		status(a, reg == ATA_CONTROL, value);
		break;
	case ATA_COUNT:
	case ATA_MID:
	case ATA_HIGH:
		packet_register(a, reg, value);
		break;
	}
	a->follows = a->told = false;
}

static void sectors_moved(struct ata *a, u32 bytes)
{
	while (bytes && a->sectors) {
		u32 size = ata_block_size(a), part;

		if (a->block == 0) /* without a look at the status */
			a->block = size;
		part = bytes < a->block ? bytes : a->block;
		a->block -= part;
		bytes -= part;
		if (a->block == 0) {
			a->sectors -= size / ATA_SECTOR;
			a->exact = false;
		}
	}
	if (a->sectors == 0)
		a->transfer = ATA_NO_DATA;
}

static void reply_moved(struct ata *a, u32 bytes)
{
	a->block -= bytes < a->block ? bytes : a->block;
	if (a->block == 0)
		a->drq = a->exact = false;
}

void ata_data_read(struct ata *a, u8 *data, u32 bytes)
{
	if (a->transfer == ATA_REPLY) {
		reply_moved(a, bytes);
	} else if (a->transfer == ATA_IN) {
		if (ata_is_identify(a->command))
			ata_identify(a, data, bytes);
		a->moved += bytes;
		sectors_moved(a, bytes);
	}
}

void ata_data_written(struct ata *a, u32 bytes)
{
	a->peeked = false;
	if (a->transfer == ATA_OUT) {
		a->moved += bytes;
		sectors_moved(a, bytes);
	} else if (a->transfer == ATA_PACKET) {
		a->moved += bytes;
		if (a->moved >= PACKET_SIZE)
			a->transfer = ATA_REPLY;
	} else if (a->transfer == ATA_REPLY) { /* data for the drive: nothing will be read */
		a->block = 0;
		a->drq = a->exact = false;
	}
}
