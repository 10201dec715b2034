// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shadow page tables of more than one address space: what they share, what the next one inherits,
 * what comes before it is asked for; memory stays bounded.
 */
#include "cpu/mmu/walk.h"
#include "tests/unit/cpu/support_shadow.h"

static struct vcpu *const v = &vm.v;

/* Directories that say the same share what is below. */
static void test_shared(void)
{
	shadow_begin();
	set_ram32(PD2, PT | P | W | U);
	CHECK(touch(0x50000, true));
	v->cr3 = PD2;
	CHECK(touch(0x50000, true));
	CHECK_EQ((u32)shadow_stats(shadow)->tables_made, 1);
	CHECK_EQ(ram32(PD2) & A, A);
	set(PT + 0x50 * 4, 0);
	CHECK_EQ(entry(0x50000), 0);
	v->cr3 = PD;
	root = find_root();
	CHECK_EQ(entry(0x50000), 0);
	/* Other rights, and a directory entry that goes. */
	CHECK(touch(0x51000, true));
	set(PD2, PT | P | U);
	v->cr3 = PD2;
	CHECK(touch(0x51000, false));
	CHECK_EQ(entry(0x51000) & W, 0);
	CHECK_EQ((u32)shadow_stats(shadow)->tables_made, 2);
	v->cr3 = PD;
	root = find_root();
	CHECK_EQ(entry(0x51000) & W, W);
	set(PD, 0);
	CHECK_EQ(entry(0x51000), 0);
	v->cr3 = PD2;
	root = find_root();
	CHECK_EQ(entry(0x51000) & P, P);
}

/* What a kernel has mapped in one address space needs no faults in the next. */
static void test_inherit(void)
{
	shadow_begin();
	v->cpl = 0;
	for (u32 n = 1; n < 5; n++)
		set_ram32(PD + n * 4, PT | P | W);
	for (u32 n = 0; n < 5; n++)
		CHECK(touch(n << 22 | 0x50000, true));
	set_ram32(PD2, PT | P | W | A);
	set_ram32(PD2 + 4, PT | P | W | A);
	set_ram32(PD2 + 8, PT | P | A);
	set_ram32(PD2 + 12, PT | P | W);
	set_ram32(PD2 + 16, PT2 | P | W | A);
	v->cr3 = PD2;
	root = find_root();
	CHECK_EQ(entry(0x50000), 0); /* U is part of the rights */
	CHECK_EQ(entry(0x450000), 0x50000 | P | W | U | A | D);
	CHECK_EQ(entry(0x850000), 0);
	CHECK_EQ(entry(0xc50000), 0); /* A is the access's to set */
	CHECK_EQ(entry(0x1050000), 0);
	set(PD2 + 4, 0);
	CHECK_EQ(entry(0x450000), 0);
	v->cr3 = PD;
	root = find_root();
	CHECK_EQ(entry(0x450000), 0x50000 | P | W | U | A | D);
	/* For users nothing is there that they have not touched. */
	v->cpl = 3;
	v->cr3 = PD2;
	root = find_root();
	CHECK_EQ(entry(0x450000), 0);
}

static void test_inherit_pae(void)
{
	for (u32 high = 0; high < 2; high++) {
		shadow_begin_pae();
		v->cpl = 0;
		CHECK(touch(0x50000, true));
		CHECK(touch(0x250000, false));
		set_ram32(PD2, PAE_PT | P | W | U | A);
		set_ram32(PD2 + 8, PAE_PT2 | P | U | A);
		set_ram32(PD2 + 12, high);
		CHECK(pdpte_load(v, PDPT + 32));
		v->cr3 = PDPT + 32;
		root = find_root();
		CHECK_EQ(entry(0x250000) & P, high ? 0 : P);
		v->cpl = 3;
	}
}

/* What lies around a fault and was used before comes with it. */
static void test_prefetch(void)
{
	shadow_begin();
	set_ram32(PT + 0x51 * 4, 0x61000 | P | W | U | A);
	set_ram32(PT + 0x52 * 4, 0x62000 | P | W | U | A | D);
	set_ram32(PT + 0x53 * 4, 0x63000 | P | U | A | D);
	set_ram32(PT + 0x54 * 4, 0x64000 | P | W | A | D);
	CHECK(touch(0x50000, false));
	CHECK_EQ(entry(0x51000), 0x61000 | P | U | A);
	CHECK_EQ(entry(0x52000), 0x62000 | P | W | U | A | D);
	CHECK_EQ(entry(0x53000), 0x63000 | P | U | A);
	CHECK_EQ(entry(0x54000), 0);
	CHECK_EQ(entry(0x55000), 0);
	CHECK_EQ(ram32(PT + 0x51 * 4) & D, 0);
	CHECK_EQ((u32)shadow_stats(shadow)->prefetched, 3);
}

/* After the guest has handled its fault, the access needs no fault of Farbus's own. */
static void test_expected(void)
{
	shadow_begin();
	set(PT + 0x50 * 4, 0);
	set(PT + 0x51 * 4, 0);
	CHECK(touch(0x80000, false)); /* sets A in the directory */
	CHECK_RAISES(touch(0x50000, true), VEC_PF, 6);
	v->cpl = 0;
	set(PT + 0x50 * 4, 0x70000 | P | W | U | A | D);
	v->cpl = 3;
	root = find_root();
	CHECK_EQ(entry(0x50000), 0x70000 | P | W | U | A | D);
	CHECK_EQ((u32)shadow_stats(shadow)->fills, 1);
	/* A is the access's to set. */
	CHECK_RAISES(touch(0x51000, true), VEC_PF, 6);
	set(PT + 0x51 * 4, 0x71000 | P | W | U);
	root = find_root();
	CHECK_EQ(entry(0x51000), 0);
	CHECK_EQ(ram32(PT + 0x51 * 4) & A, 0);
}

/* A directory that is written while another is in use may be a new process's. */
static void test_other_directory(void)
{
	shadow_begin();
	set_ram32(PD2, PT | P | W | U);
	v->cr3 = PD2;
	CHECK(touch(0x50000, true));
	v->cr3 = PD;
	CHECK(touch(0x50000, true));
	CHECK_EQ(vm.flags[PD2 >> 12], PHYS_PAGE_TABLE);
	set(PD2 + 4, 0);
	CHECK_EQ(vm.flags[PD2 >> 12], 0);
	set(PD2, 0);
	CHECK_EQ((u32)shadow_stats(shadow)->roots_dropped, 1);
	CHECK_EQ(entry(0x50000) & W, W);
	v->cr3 = PD2;
	CHECK_RAISES(touch(0x50000, false), VEC_PF, 4);
	/* For guest code it needs no interpreter. */
	set_ram32(PT + 0x92 * 4, PD2 | P | W | U);
	root = find_root();
	CHECK_EQ(vm.flags[PD2 >> 12], PHYS_PAGE_TABLE);
	v->cr3 = PD;
	CHECK(touch(0x92000, true));
	CHECK_EQ(vm.flags[PD2 >> 12], 0);
	CHECK_EQ((u32)shadow_stats(shadow)->roots_dropped, 2);
	v->cr3 = PD2;
	root = find_root();
	/* The one in use is worth more. */
	for (u32 i = 1; i < 33; i++)
		set(PD2 + i * 4, PT | P | W | U);
	CHECK_EQ(vm.flags[PD2 >> 12], PHYS_PAGE_TABLE);
	for (u32 i = 0; i < 64; i++)
		set(PD2 + 0x800 + i * 4, 0);
	CHECK_EQ(vm.flags[PD2 >> 12], 0);
}

/* Work for Farbus that a guest causes, of each kind that the shadow tables know. */
static u32 work(void)
{
	const struct shadow_stats *n = shadow_stats(shadow);

	return (u32)(n->fills + n->prefetched + n->refused + n->entries_dropped + n->tables_made +
		     n->tables_dropped + n->roots_made + n->roots_dropped + n->evictions +
		     n->scans + n->loosened + n->compared);
}

/* Going from one address space to another and back costs the same however much is mapped. */
static void test_context_switch(void)
{
	static const u32 mapped[] = {10, 100, 1000};

	shadow_begin();
	for (u32 i = 0; i < 1024; i++)
		set_ram32(PT2 + i * 4, i << 12 | P | W | U);
	set_ram32(PD2, PT2 | P | W | U);
	for (u32 m = 0; m < ARRAY_SIZE(mapped); m++) {
		u32 before = 0;

		for (u32 n = 0; n < 6; n++) {
			if (n == 2)
				before = work();
			v->cr3 = n % 2 ? PD2 : PD;
			mem_tlb_flush(v, true);
			for (u32 i = 0; i < mapped[m]; i++)
				if (i << 12 != PT && i << 12 != PT2 && i << 12 != PD &&
				    i << 12 != PD2)
					CHECK(touch(i << 12, true));
		}
		CHECK_EQ(work() - before, 0);
	}
}

/* More address spaces, and more tables in one, than there is memory for. */
static void test_bounds(void)
{
	shadow_begin();
	for (u32 n = 0; n < 200; n++) {
		u32 directory = 0x200000 + n * PAGE_SIZE;

		set_ram32(directory, PT | P | W | U);
		v->cr3 = directory;
		CHECK(touch(0x50000, true));
		CHECK_EQ(entry(0x50000) & PAGE_MASK, 0x50000);
		CHECK(shadow_stats(shadow)->pages_in_use <= SHADOW_PAGES_MIN);
	}
	CHECK(shadow_stats(shadow)->evictions > 0);
	for (u32 n = 0; n < 200; n++) {
		set_ram32(0x200000 + n * 4, PT | P | W | U);
		v->cr3 = 0x200000;
		CHECK(touch(n << 22 | 0x50000, true));
		CHECK(shadow_stats(shadow)->pages_in_use <= SHADOW_PAGES_MIN);
	}
	shadow_flush(shadow);
	CHECK_EQ(shadow_stats(shadow)->pages_in_use, 0);
	for (u32 n = 0; n < vm.pm.flag_pages; n++)
		CHECK_EQ(vm.flags[n], 0);
}

int main(void)
{
	test_shared();
	test_inherit();
	test_inherit_pae();
	test_prefetch();
	test_expected();
	test_other_directory();
	test_context_switch();
	test_bounds();
	return check_done();
}
