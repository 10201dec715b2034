// SPDX-License-Identifier: BSD-2-Clause
/* The region list: replacing, splitting, refusing; ROM and PAM; DMA into pages with code. */
#include <string.h>
#include "tests/unit/cpu/support_vm.h"

static u8 rom[0x4000], other[0x4000];

static void test_regions(void)
{
	struct phys_region r = {.first = 0x10000, .last = 0x13fff, .rd = rom, .wr = other};

	vm_init();
	CHECK_EQ(vm.pm.region_count, 1);
	CHECK(physmem_map(&vm.pm, &r) == 0);
	CHECK_EQ(vm.pm.region_count, 3);
	CHECK(physmem_find(&vm.pm, 0xffff)->rd == vm.ram);
	CHECK(physmem_find(&vm.pm, 0x10000)->rd == rom);
	CHECK(physmem_find(&vm.pm, 0x14000)->rd == vm.ram + 0x14000);
	CHECK(physmem_unmap(&vm.pm, 0x11000, 0x11fff) == 0);
	CHECK(!physmem_find(&vm.pm, 0x11000));
	CHECK(physmem_find(&vm.pm, 0x12000)->wr == other + 0x2000);
	r.last = 0x13ffe;
	CHECK(physmem_map(&vm.pm, &r) == -1);
	r.first = 0x1;
	CHECK(physmem_map(&vm.pm, &r) == -1);
	r = (struct phys_region){.first = 0, .last = VM_RAM - 1, .rd = vm.ram, .wr = vm.ram};
	CHECK(physmem_map(&vm.pm, &r) == 0);
	CHECK_EQ(vm.pm.region_count, 1);
	r = (struct phys_region){.first = 0xffff0000, .last = 0xffffffff, .rd = rom};
	CHECK(physmem_map(&vm.pm, &r) == 0);
	CHECK(physmem_find(&vm.pm, 0xffffffff)->rd == rom);
	CHECK(physmem_unmap(&vm.pm, 0, 0xffffffff) == 0);
	CHECK_EQ(vm.pm.region_count, 0);
}

static void test_full_list(void)
{
	struct phys_region r = {.rd = rom};
	unsigned n = 0;

	vm_init();
	for (; n < 200; n++) {
		r.first = VM_RAM + n * 0x2000;
		r.last = r.first + 0xfff;
		if (physmem_map(&vm.pm, &r) != 0)
			break;
	}
	CHECK_EQ(n, PHYS_REGIONS_MAX - 1);
	CHECK_EQ(vm.pm.region_count, PHYS_REGIONS_MAX);
}

static void test_access(void)
{
	struct phys_region r = {.first = 0xf0000, .last = 0xf3fff, .rd = rom, .wr = other};
	u32 value = 0x11223344;

	vm_init();
	memset(rom, 0xaa, sizeof(rom));
	physmem_map(&vm.pm, &r);
	physmem_write(&vm.pm, 0xefffe, &value, 4);
	CHECK_EQ(vm.ram[0xeffff], 0x33);
	CHECK_EQ(other[0], 0x22);
	physmem_read(&vm.pm, 0xefffe, &value, 4);
	CHECK_EQ(value, 0xaaaa3344);
	CHECK_EQ(physmem_io_read(&vm.pm, 0xe0000000, 2), 0xffff);
	vm.flags[1] = PHYS_PAGE_CODE;
	physmem_write(&vm.pm, 0xffe, &value, 4);
	CHECK_EQ(vm.code_writes, 1);
	CHECK_EQ(vm.code_gpa, 0x1000);
	CHECK_EQ(vm.code_len, 2);
}

int main(void)
{
	test_regions();
	test_full_list();
	test_access();
	return check_done();
}
