/* SPDX-License-Identifier: BSD-2-Clause */
/* A block device in memory: a boot module whose writes last until power-off. */
#include "devices/block.h"
#include "lib/log.h"
#include "lib/str.h"

static u8 *sector_at(struct block *b, u64 lba)
{
	return (u8 *)b->ctx + (size_t)(lba * b->sector_size);
}

static bool inside(const struct block *b, u64 lba, u32 count)
{
	return lba <= b->sectors && count <= b->sectors - lba;
}

static int memory_read(struct block *b, u64 lba, u32 count, void *buf)
{
	if (!inside(b, lba, count))
		return -1;
	memcpy(buf, sector_at(b, lba), (size_t)count * b->sector_size);
	return 0;
}

static int memory_write(struct block *b, u64 lba, u32 count, const void *buf)
{
	if (!inside(b, lba, count) || b->read_only)
		return -1;
	memcpy(sector_at(b, lba), buf, (size_t)count * b->sector_size);
	return 0;
}

static const struct block_ops memory_ops = {
	.read = memory_read,
	.write = memory_write,
};

int block_from_memory(struct block *b, const char *name, void *data, u64 size, u32 sector_size)
{
	if (size == 0 || (size & (sector_size - 1))) {
		log_error("%s is %llu bytes: expected a whole number of %u-byte sectors", name,
			  (unsigned long long)size, sector_size);
		return -1;
	}
	*b = (struct block){
		.ops = &memory_ops,
		.name = name,
		.sectors = sector_size == 2048 ? size >> 11 : size >> 9,
		.sector_size = sector_size,
		.ctx = data,
	};
	return 0;
}
