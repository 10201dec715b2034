/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk image carries no geometry of its own, but the partition table does: the last CHS address
 * of a partition is, by every partitioning tool's habit, the end of a cylinder. DLX's 20,808
 * sectors are 306/4/17 by that rule, and its LILO and kernel rely on it.
 */
#include "devices/geometry.h"
#include "devices/block.h"
#include "lib/str.h"

#define SECTOR	       512
#define TABLE_OFFSET   446
#define ENTRY_SIZE     16
#define CYLINDERS_MAX  16383u
#define BIOS_CYLINDERS 1024u
#define LARGE_TRACKS   131072u /* what bit-shift translation can reach: 1024 * 128 tracks */
#define USUAL_HEADS    16
#define USUAL_SECTORS  63

bool geometry_valid(const struct disk_geometry *g)
{
	return g->cylinders >= 1 && g->cylinders <= CYLINDERS_MAX && g->heads >= 1 &&
	       g->heads <= USUAL_HEADS && g->sectors >= 1 && g->sectors <= USUAL_SECTORS;
}

static u32 cylinders_of(const struct block *disk, u32 per_cylinder)
{
	/* No disk of 2^32 sectors or more has a CHS geometry smaller than the largest one. */
	u32 sectors = disk->sectors > ~0u ? ~0u : (u32)disk->sectors;
	u32 cylinders = sectors / per_cylinder;

	return cylinders > CYLINDERS_MAX ? CYLINDERS_MAX : cylinders;
}

static u32 entry_length(const u8 *entry)
{
	return entry[12] | entry[13] << 8 | entry[14] << 16 | (u32)entry[15] << 24;
}

/*
 * Heads and sectors as the partition table has them; heads may be up to 256 where a BIOS
 * translated. False where there is no table, or one that says nothing.
 */
static bool table_geometry(struct block *disk, u32 *heads, u32 *sectors)
{
	u8 mbr[SECTOR];

	if (disk->sector_size != SECTOR || disk->sectors == 0 ||
	    disk->ops->read(disk, 0, 1, mbr) != 0 || mbr[510] != 0x55 || mbr[511] != 0xaa)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		const u8 *entry = mbr + TABLE_OFFSET + i * ENTRY_SIZE;
		u32 end_head = entry[5], end_sector = entry[6] & 0x3f;

		/* A boot sector without a table has code there: the flag byte gives it away. */
		if ((entry[0] & 0x7f) != 0)
			return false;
		if (entry_length(entry) == 0 || end_head == 0 || end_sector == 0)
			continue;
		*heads = end_head + 1;
		*sectors = end_sector;
		return true;
	}
	return false;
}

struct disk_geometry geometry_guess(struct block *disk)
{
	struct disk_geometry g = {0};
	u32 heads, sectors;

	if (table_geometry(disk, &heads, &sectors) && heads <= USUAL_HEADS) {
		g.heads = (u8)heads;
		g.sectors = (u8)sectors;
		g.cylinders = cylinders_of(disk, heads * sectors);
		if (geometry_valid(&g))
			return g;
	}
	g.heads = USUAL_HEADS;
	g.sectors = USUAL_SECTORS;
	g.cylinders = cylinders_of(disk, USUAL_HEADS * USUAL_SECTORS);
	if (g.cylinders == 0) { /* less than half a megabyte */
		g.heads = 1;
		g.sectors = 1;
		g.cylinders = cylinders_of(disk, 1);
	}
	return g;
}

enum geometry_translation geometry_translation(struct block *disk,
					       const struct disk_geometry *native)
{
	u32 heads, sectors;

	if (native->cylinders <= BIOS_CYLINDERS)
		return GEOMETRY_NONE;
	if (table_geometry(disk, &heads, &sectors) && heads == native->heads &&
	    sectors == native->sectors)
		return GEOMETRY_NONE;
	return native->cylinders * native->heads <= LARGE_TRACKS ? GEOMETRY_LARGE : GEOMETRY_LBA;
}
