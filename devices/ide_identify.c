/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 256 words that IDENTIFY DEVICE and IDENTIFY PACKET DEVICE return (ATA-6, 8.15 and 8.16; the
 * words that only old drivers read, ATA-1, 9.9).
 */
#include "devices/block.h"
#include "devices/ide_core.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define WORD_DMA_MODES 0x0007u /* multiword and Ultra DMA 0-2 */
#define LBA28_SECTORS  0x0fffffffu

static void put(u8 *data, unsigned word, u32 value)
{
	data[word * 2] = (u8)value;
	data[word * 2 + 1] = (u8)(value >> 8);
}

static void put32(u8 *data, unsigned word, u32 value)
{
	put(data, word, value);
	put(data, word + 1, value >> 16);
}

/* Strings have the first character of a pair in the high byte and are padded with spaces. */
static void put_string(u8 *data, unsigned word, unsigned words, const char *text)
{
	size_t length = strlen(text);

	for (unsigned i = 0; i < words * 2; i++)
		data[(word * 2 + i) ^ 1] = i < length ? (u8)text[i] : ' ';
}

static void put_names(const struct ide_channel *ch, const struct ide_drive *d, u8 *data,
		      const char *model)
{
	char serial[20];

	fmt(serial, sizeof(serial), "FB-%s-%u", ch->name, d->number);
	put_string(data, 10, 10, serial);
	put_string(data, 23, 4, "1.0");
	put_string(data, 27, 20, model);
}

/* Words 62-70 and 88: which modes there are and which one is chosen. */
static void put_modes(const struct ide_channel *ch, const struct ide_drive *d, u8 *data)
{
	u32 chosen = 0x100u << (d->dma_mode & 7);

	put(data, 64, 0x0003); /* PIO modes 3 and 4 */
	for (unsigned word = 65; word <= 68; word++)
		put(data, word, 120); /* ns a cycle */
	if (!ch->dma)
		return;
	put(data, 63, WORD_DMA_MODES | ((d->dma_mode & 0xe0) == 0x20 ? chosen : 0));
	put(data, 88, WORD_DMA_MODES | ((d->dma_mode & 0xe0) == 0x40 ? chosen : 0));
}

static void put_geometry(const struct ide_drive *d, u8 *data)
{
	u32 total = d->block->sectors > LBA28_SECTORS ? LBA28_SECTORS : (u32)d->block->sectors;
	u32 per_cylinder = (u32)d->heads * d->sectors;
	u32 cylinders = total / per_cylinder;

	put(data, 1, d->geometry.cylinders);
	put(data, 3, d->geometry.heads);
	put(data, 4, d->geometry.sectors * IDE_SECTOR);
	put(data, 5, IDE_SECTOR);
	put(data, 6, d->geometry.sectors);
	if (cylinders > 0xffff)
		cylinders = 0xffff;
	put(data, 54, cylinders);
	put(data, 55, d->heads);
	put(data, 56, d->sectors);
	put32(data, 57, cylinders * per_cylinder);
	put32(data, 60, total);
	put32(data, 100, (u32)d->block->sectors);
	put32(data, 102, (u32)(d->block->sectors >> 32));
}

void ide_identify_disk(const struct ide_channel *ch, const struct ide_drive *d, u8 *data)
{
	u32 cache = (d->write_cache ? 0x20 : 0) | (d->look_ahead ? 0x40 : 0);

	memset(data, 0, 512);
	put(data, 0, 0x0040); /* fixed disk */
	put_names(ch, d, data, "FARBUS DISK");
	put(data, 20, 3);  /* buffer: dual-ported, with read cache */
	put(data, 21, 16); /* buffer sectors */
	put(data, 22, 4);  /* ECC bytes of READ LONG */
	put_geometry(d, data);
	put(data, 47, 0x8000 | IDE_MULTIPLE_MAX);
	put(data, 48, 1);				/* data port takes 32 bits */
	put(data, 49, 0x0a00 | (ch->dma ? 0x0100 : 0)); /* IORDY, LBA, DMA */
	put(data, 50, 0x4000);
	put(data, 51, 0x0200);
	put(data, 52, 0x0200);
	put(data, 53, 0x0007); /* words 54-58, 64-70 and 88 hold something */
	put(data, 59, d->multiple ? 0x0100u | d->multiple : 0);
	put_modes(ch, d, data);
	put(data, 80, 0x007e); /* ATA-1 to ATA-6 */
	put(data, 82, 0x0060); /* look-ahead, write cache */
	put(data, 83, 0x7400); /* FLUSH CACHE (EXT), LBA48 */
	put(data, 84, 0x4000);
	put(data, 85, cache);
	put(data, 86, 0x3400);
	put(data, 87, 0x4000);
}

void ide_identify_cdrom(const struct ide_channel *ch, const struct ide_drive *d, u8 *data)
{
	memset(data, 0, 512);
	put(data, 0, 0x85c0); /* ATAPI CD-ROM, removable, DRQ within 50 us, packets of 12 bytes */
	put_names(ch, d, data, "FARBUS CD-ROM");
	put(data, 48, 1);
	put(data, 49, 0x0a00 | (ch->dma ? 0x0100 : 0));
	put(data, 50, 0x4000);
	put(data, 51, 0x0200);
	put(data, 52, 0x0200);
	put(data, 53, 0x0006);
	put_modes(ch, d, data);
	put(data, 71, 30); /* ns from PACKET to bus release: never */
	put(data, 72, 30);
	put(data, 80, 0x001e); /* ATA-1 to ATA/ATAPI-4 */
	put(data, 82, 0x0210); /* PACKET, DEVICE RESET */
	put(data, 83, 0x4000);
	put(data, 84, 0x4000);
	put(data, 85, 0x0210);
	put(data, 87, 0x4000);
}
