/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory-backed blocks, and the geometry of disks. */
#include "tests/unit/devices/support.h"
#include "devices/block.h"
#include "devices/geometry.h"
#include <stdlib.h>
#include <string.h>

static void memory_block_reads_and_writes(void **state)
{
	u8 data[4 * 512], sector[512];
	struct block b;

	(void)state;
	memset(data, 0x11, sizeof(data));
	assert_int_equal(block_from_memory(&b, "x.img", data, sizeof(data), 512), 0);
	assert_int_equal(b.sectors, 4);
	memset(sector, 0x22, sizeof(sector));
	assert_int_equal(b.ops->write(&b, 3, 1, sector), 0);
	assert_int_equal(data[3 * 512 + 511], 0x22);
	assert_int_equal(b.ops->read(&b, 2, 1, sector), 0);
	assert_int_equal(sector[0], 0x11);
}

static void memory_block_refuses_what_lies_outside(void **state)
{
	u8 data[4 * 512], sectors[2 * 512];
	struct block b;

	(void)state;
	assert_int_equal(block_from_memory(&b, "x.img", data, sizeof(data), 512), 0);
	assert_int_equal(b.ops->read(&b, 4, 1, sectors), -1);
	assert_int_equal(b.ops->read(&b, 3, 2, sectors), -1);
	assert_int_equal(b.ops->read(&b, ~0ull, 2, sectors), -1);
	assert_int_equal(b.ops->write(&b, 3, 2, sectors), -1);
	b.read_only = true;
	assert_int_equal(b.ops->write(&b, 0, 1, sectors), -1);
}

static void odd_sizes_are_one_error(void **state)
{
	u8 data[1024];
	struct block b;

	(void)state;
	logged_errors();
	assert_int_equal(block_from_memory(&b, "x.img", data, 1000, 512), -1);
	assert_int_equal(logged_errors(), 1);
	assert_int_equal(block_from_memory(&b, "x.iso", data, 1024, 2048), -1);
	assert_int_equal(logged_errors(), 1);
	assert_int_equal(block_from_memory(&b, "x.img", data, 0, 512), -1);
	assert_int_equal(logged_errors(), 1);
}

/* A disk with one partition that ends at head/sector, of `sectors` sectors in all. */
static struct block partitioned(u64 sectors, u8 head, u8 sector)
{
	static u8 *data;
	struct block b;

	free(data);
	data = calloc(sectors, 512);
	data[446 + 4] = 0x83;
	data[446 + 5] = head;
	data[446 + 6] = sector;
	data[446 + 12] = 1;
	data[510] = 0x55;
	data[511] = 0xaa;
	assert_int_equal(block_from_memory(&b, "disk", data, sectors * 512, 512), 0);
	return b;
}

static void expect_geometry(struct block *b, u32 cylinders, u8 heads, u8 sectors,
			    enum geometry_translation translation)
{
	struct disk_geometry g = geometry_guess(b);

	assert_int_equal(g.cylinders, cylinders);
	assert_int_equal(g.heads, heads);
	assert_int_equal(g.sectors, sectors);
	assert_int_equal(geometry_translation(b, &g), translation);
}

static void geometry_of_dlx(void **state)
{
	struct block b = partitioned(20808, 3, 0x51 & 0x3f);

	(void)state;
	expect_geometry(&b, 306, 4, 17, GEOMETRY_NONE);
}

static void geometry_with_cylinder_bits_in_the_sector_byte(void **state)
{
	struct block b = partitioned(20808, 3, 0x51);

	(void)state;
	expect_geometry(&b, 306, 4, 17, GEOMETRY_NONE);
}

static void geometry_without_a_table(void **state)
{
	u8 *data = calloc(204800, 512);
	struct block b;

	(void)state;
	assert_int_equal(block_from_memory(&b, "disk", data, 204800 * 512, 512), 0);
	expect_geometry(&b, 203, 16, 63, GEOMETRY_NONE);
	b.sectors = 2000000; /* only sector 0 is read */
	expect_geometry(&b, 1984, 16, 63, GEOMETRY_LARGE);
	b.sectors = 100000000;
	expect_geometry(&b, 16383, 16, 63, GEOMETRY_LBA);
	b.sectors = 7;
	expect_geometry(&b, 7, 1, 1, GEOMETRY_NONE);
	free(data);
}

static void geometry_of_a_translated_disk(void **state)
{
	struct block b = partitioned(204800, 254, 63);

	(void)state;
	expect_geometry(&b, 203, 16, 63, GEOMETRY_NONE);
	b.sectors = 16000000;
	expect_geometry(&b, 15873, 16, 63, GEOMETRY_LBA);
}

static void geometry_limits(void **state)
{
	(void)state;
	assert_true(geometry_valid(&(struct disk_geometry){16383, 16, 63}));
	assert_false(geometry_valid(&(struct disk_geometry){16384, 16, 63}));
	assert_false(geometry_valid(&(struct disk_geometry){1, 17, 63}));
	assert_false(geometry_valid(&(struct disk_geometry){1, 16, 64}));
	assert_false(geometry_valid(&(struct disk_geometry){0, 16, 63}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_block_reads_and_writes),
		cmocka_unit_test(memory_block_refuses_what_lies_outside),
		cmocka_unit_test(odd_sizes_are_one_error),
		cmocka_unit_test(geometry_of_dlx),
		cmocka_unit_test(geometry_with_cylinder_bits_in_the_sector_byte),
		cmocka_unit_test(geometry_without_a_table),
		cmocka_unit_test(geometry_of_a_translated_disk),
		cmocka_unit_test(geometry_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
