// SPDX-License-Identifier: BSD-2-Clause
/*
 * Page tables of the guest that are written so often that nobody watches them: they are compared
 * when the guest flushes the TLB.
 */
#include "tests/unit/cpu/support_shadow.h"

static struct vcpu *const v = &vm.v;

/* Page tables that are written often are compared at flushes. */
static void test_loose(void)
{
	shadow_begin();
	set_ram32(PT + 0x90 * 4, PT | P | W | U);
	set_ram32(PT + 0x91 * 4, PD | P | W | U);
	CHECK(touch(0x50000, true));
	CHECK(touch(0x51000, true));
	CHECK(touch(0x52000, true));
	CHECK(touch(0x53000, true));
	CHECK(touch(0x54000, true));
	CHECK(touch(0x55000, true));
	CHECK(touch(0x90000, true));
	CHECK_EQ(vm.flags[PT >> 12], 0);
	/* The CPU writes where nobody sees it. */
	set_ram32(PT + 0x50 * 4, 0x60000 | P | W | U | A | D);
	set_ram32(PT + 0x51 * 4, 0x51000 | P | U | A | D);
	set_ram32(PT + 0x53 * 4, 0x53000 | P | W | U | A);
	set_ram32(PT + 0x54 * 4, 0x54000 | P | W | U | D);
	set_ram32(PT + 0x55 * 4, 0x65000 | P | W | A | D);
	mem_tlb_flush_page(v, 0x50000);
	CHECK_EQ(entry(0x50000), 0);
	CHECK_EQ(entry(0x51000) & W, W);
	CHECK_EQ(entry(0x90000) & W, W);
	mem_tlb_flush(v, true);
	CHECK_EQ(entry(0x51000), 0x51000 | P | U | A);
	CHECK_EQ(entry(0x52000) & W, W);
	CHECK_EQ(entry(0x53000), 0x53000 | P | U | A);
	CHECK_EQ(entry(0x54000), 0);
	CHECK_EQ(entry(0x55000), 0);
	CHECK_EQ((u32)shadow_stats(shadow)->entries_dropped, 2);
	CHECK_EQ(entry(0x90000) & W, 0);
	CHECK_EQ(vm.flags[PT >> 12], PHYS_PAGE_TABLE);
	CHECK(!vm.pm.tables_loose);
	/* Directories never are. */
	for (u32 n = 0; n < 20; n++)
		CHECK(!touch(0x91000, true));
	CHECK_EQ(vm.flags[PD >> 12], PHYS_PAGE_TABLE);
	/* Nor is a table that becomes one. */
	CHECK(touch(0x90000, true));
	CHECK_EQ(vm.flags[PT >> 12], 0);
	v->cr3 = PT;
	root = find_root();
	CHECK_EQ(vm.flags[PT >> 12], PHYS_PAGE_TABLE);
}

/* More than are kept in mind: the first is watched again. */
static void test_many_loose(void)
{
	shadow_begin();
	for (u32 n = 0; n < 40; n++) {
		u32 table = 0x200000 + n * PAGE_SIZE;

		set_ram32(PD + 4 + n * 4, table | P | W | U);
		set_ram32(table, 0x50000 | P | W | U);
		CHECK(touch((n + 1) << 22, true));
		for (u32 i = 0; i < 20; i++)
			set(table + 8, 0);
		CHECK_EQ(vm.flags[table >> 12], 0);
	}
	CHECK_EQ((u32)shadow_stats(shadow)->loosened, 40);
	CHECK_EQ((u32)shadow_stats(shadow)->compared, 8);
	mem_tlb_flush(v, false);
	CHECK_EQ((u32)shadow_stats(shadow)->compared, 40);
	for (u32 n = 0; n < 40; n++)
		CHECK_EQ(vm.flags[0x200 + n], PHYS_PAGE_TABLE);
}

/* Writes to a place of it that mean nothing, until nobody watches it. */
static void loosen(u32 table)
{
	for (u32 i = 0; i < 20; i++)
		set(table + 0xff8, 0);
	CHECK_EQ(vm.flags[table >> 12], 0);
}

/* A write now and then, with flushes in between, is no reason. */
static void test_seldom_written(void)
{
	shadow_begin();
	CHECK(touch(0x50000, true));
	for (u32 n = 0; n < 40; n++) {
		for (u32 i = 0; i < 4; i++)
			set(PT + 0xff8, 0);
		mem_tlb_flush(v, false);
		CHECK_EQ(vm.flags[PT >> 12], PHYS_PAGE_TABLE);
	}
	loosen(PT);
}

/* CPL 0 may write where W is clear only while WP is clear, too. */
static void test_loose_kernel(void)
{
	shadow_begin();
	v->cpl = 0;
	v->cr0 |= CR0_WP;
	for (u32 n = 0; n < 2; n++) {
		CHECK(touch(0x50000, true));
		loosen(PT);
		set_ram32(PT + 0x50 * 4, 0x50000 | P | U | A | D);
		mem_tlb_flush(v, false);
		CHECK_EQ(entry(0x50000) & (P | W), n ? P | W : P);
		set(PT + 0x50 * 4, 0x50000 | P | W | U | A | D);
		v->cr0 &= ~CR0_WP;
	}
	v->cpl = 3;
}

static void test_loose_pae(void)
{
	shadow_begin_pae();
	CHECK(touch(0x50000, true));
	CHECK(touch(0x250000, false));
	loosen(PAE_PT2);
	set_ram32(PAE_PT2 + 0x50 * 8, 0x60000 | P | W | U | A | D);
	mem_tlb_flush(v, false);
	CHECK_EQ(entry(0x250000), 0x60000 | P | U | A); /* its directory entry has no W */
	CHECK_EQ(entry(0x50000) & W, W);
}

/* INVLPG is for what other roots have made from the table, too: the next access leads to it. */
static void test_invlpg_of_shared(void)
{
	for (u32 user = 0; user < 2; user++) {
		shadow_begin();
		v->cpl = user ? 3 : 0;
		set_ram32(PD2, PT2 | P | W | U);
		set_ram32(PD2 + 4, PT | P | W | U);
		set_ram32(PD + 4, PT | P | W | U);
		set_ram32(PT2 + 0x10 * 4, 0x10000 | P | W | U);
		CHECK(touch(0x50000, true)); /* PD has its root, and PT is watched */
		v->cr3 = PD2;
		CHECK(touch(0x450000, true));
		v->cr3 = PD;
		root = find_root();
		CHECK_EQ(entry(0x450000), 0);
		loosen(PT);
		set_ram32(PT + 0x50 * 4, 0x60000 | P | W | U | A | D);
		mem_tlb_flush_page(v, 0x450000);
		CHECK(touch(0x451000, false));
		CHECK(touch(0x450000, true));
		CHECK_EQ(entry(0x450000) & PAGE_MASK, 0x60000);
		CHECK_EQ(entry(0x50000) & PAGE_MASK, 0x50000);
	}
}

int main(void)
{
	test_loose();
	test_invlpg_of_shared();
	test_many_loose();
	test_seldom_written();
	test_loose_kernel();
	test_loose_pae();
	return check_done();
}
