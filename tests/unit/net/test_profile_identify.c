/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ATA profile makes of IDENTIFY's data. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/net/support_ata.h"

static u8 sum(const u8 *data)
{
	u8 total = 0;

	for (unsigned i = 0; i < 512; i++)
		total = (u8)(total + data[i]);
	return total;
}

static void identified(u8 code, u8 *data, unsigned seed)
{
	struct profile_state st = fresh();
	u32 at = 0;

	srand(seed);
	command(&st, code, 0);
	got(&st, STATUS, DRQ);
	while (at < 512) { /* as a guest takes it: words, long words, bytes, blocks */
		unsigned width = 1u << rand() % 3;
		u32 count = 1 + (u32)rand() % 40;

		if (count * width > 512 - at)
			count = 512 - at, width = 1;
		p->read(&st, DATA, width, data + at, count);
		at += count * width;
	}
}

static void identify_says_no_dma(void **state)
{
	u8 whole[512], data[512];

	(void)state;
	for (unsigned i = 0; i < 510; i++)
		whole[i] = (u8)(0xff - (i & 3));
	whole[510] = 0xa5;
	whole[511] = 0;
	whole[511] = (u8)-sum(whole);
	for (unsigned seed = 0; seed < 200; seed++) {
		memcpy(data, whole, 512);
		identified(seed & 1 ? 0xa1 : IDENTIFY, data, seed);
		assert_int_equal(sum(data), 0);
		assert_int_equal(data[99], whole[99] & (seed & 1 ? 0x1e : 0xfe));
		assert_int_equal(data[106], whole[106] & 0xfb);
		for (unsigned i = 124; i < 128; i++)
			assert_int_equal(data[i], 0);
		assert_int_equal(data[176] | data[177] << 8, 0);
		assert_memory_equal(data, whole, 98);
		assert_memory_equal(data + 128, whole + 128, 2); /* PIO modes */
		assert_memory_equal(data + 134, whole + 134, 16);
		assert_memory_equal(data + 178, whole + 178, 333);
	}
	/* a sum that was wrong stays so; without a signature the last byte is no sum */
	whole[511]++;
	memcpy(data, whole, 512);
	identified(IDENTIFY, data, 1);
	assert_int_equal(sum(data), 1);
	whole[510] = 0;
	memcpy(data, whole, 512);
	identified(IDENTIFY, data, 1);
	assert_int_equal(data[511], whole[511]);
	/* other sectors are data */
	memcpy(data, whole, 512);
	identified(READ, data, 1);
	assert_memory_equal(data, whole, 512);
}

static void identify_tells_multiple_mode(void **state)
{
	struct profile_state st = fresh();
	u8 data[512] = {[118] = 16, [119] = 1};

	(void)state;
	command(&st, IDENTIFY, 0);
	got(&st, STATUS, DRQ);
	p->read(&st, DATA, 2, data, 256);
	command(&st, READ_MULTI, 64);
	got(&st, STATUS, DRQ);
	assert_int_equal(p->ahead(&st, DATA), 16 * 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_says_no_dma),
		cmocka_unit_test(identify_tells_multiple_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
