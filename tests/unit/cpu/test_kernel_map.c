// SPDX-License-Identifier: BSD-2-Clause
/* When the ways between translations are dropped because code pages lead elsewhere, and when not.
 */
#include <stdlib.h>
#include <string.h>
#include "cpu/mmu/walk.h"
#include "tests/unit/cpu/support_kernel.h"
#include "tests/unit/cpu/support_vm.h"

#define WAY	  0x12345678u /* native code, as a predicted return has it */
#define PAGES	  40u
#define FAR_APART (4 * MB) /* pages of one place in any small hash */

static struct vcpu *const v = &vm.v;
static struct direct *const d = &kernel_direct;

static void begin(void)
{
	kernel_begin();
	kernel_map_check(d, v);
	kernel_state.ret[0] = WAY;
}

static bool ways_dropped(void)
{
	bool dropped = kernel_state.ret[0] != WAY;

	kernel_state.ret[0] = WAY;
	return dropped;
}

/* Code in one place after another again and again, as a kernel's is. */
static void test_many(void)
{
	begin();
	for (u32 n = 0; n < 100 * PAGES; n++)
		kernel_map_add(d, n % PAGES * FAR_APART, n % PAGES * FAR_APART);
	for (u32 n = 0; n < 1500; n++)
		kernel_map_add(d, 0xc0000000 + n * PAGE_SIZE, 0xc0000000 + n * PAGE_SIZE);
	CHECK(!ways_dropped());
	mem_tlb_flush(v, true);
	kernel_map_check(d, v);
	CHECK(!ways_dropped());
	/* More than are remembered. */
	for (u32 n = 0; n < 4000; n++)
		kernel_map_add(d, 0xc0000000 + n * PAGE_SIZE, 0xc0000000 + n * PAGE_SIZE);
	CHECK(ways_dropped());
	kernel_end();
}

static void test_changes(void)
{
	begin();
	for (u32 n = 0; n < PAGES; n++)
		kernel_map_add(d, n * FAR_APART, n * FAR_APART);
	/* Elsewhere, as the caller has found. */
	kernel_map_add(d, 7 * FAR_APART, 8 * FAR_APART);
	CHECK(ways_dropped());
	/* Elsewhere, as a flush shows; what was forgotten is not looked at. */
	mem_tlb_flush(v, false);
	kernel_map_check(d, v);
	CHECK(ways_dropped());
	kernel_map_add(d, 9 * FAR_APART, 9 * FAR_APART);
	mem_tlb_flush_page(v, 9 * FAR_APART);
	kernel_map_check(d, v);
	CHECK(!ways_dropped());
	v->seg[SEG_CS].base += 16;
	kernel_map_check(d, v);
	CHECK(ways_dropped());
	kernel_end();
}

#define DIRECTORY    0x80000u
#define TABLE	     0x81000u /* the first of TABLES */
#define TABLES	     3u
#define CODE_LIN     0xc0000000u
#define CODE_REGIONS 4u /* of 4 MB, with code in them */
#define EACH	     6u

static u32 rarely_not_a(void)
{
	return rand() % 8 ? PTE_A : 0;
}

/* An entry of the directory: 4 KB pages, a large page, one with a reserved bit, a table that is no
 * memory, or nothing. */
static u32 directory_entry(void)
{
	switch (rand() % 8) {
	case 0:
		return 0x00400083 | (rand() % 2 ? 0x800000 : 0) | rarely_not_a();
	case 1:
		return 0x004020a3;
	case 2:
		return 0xfff00023;
	case 3:
		return 0x80;
	default:
		return (TABLE + (u32)rand() % TABLES * PAGE_SIZE) | 3 | rarely_not_a();
	}
}

static void write_tables(void)
{
	u32 region = (u32)rand() % CODE_REGIONS;

	if (rand() % 3 == 0)
		set_ram32(DIRECTORY + (CODE_LIN >> 22) * 4 + region * 4, directory_entry());
	else
		set_ram32(TABLE + (u32)rand() % TABLES * PAGE_SIZE + (u32)rand() % EACH * 4,
			  (u32)rand() % 4 << PAGE_SHIFT | (rand() % 8 ? 3 : 2) | rarely_not_a());
}

/* Without a change to an A bit. */
static bool leads_to(u32 page, u32 *gpa)
{
	u32 lin = CODE_LIN + page / EACH * FAR_APART + page % EACH * PAGE_SIZE;
	struct walk w;

	if (!page_ready(v, lin, false, false, &w))
		return false;
	*gpa = w.gpa;
	return true;
}

/* Random changes of tables, and what the page walk says of each page, before and after. */
static void test_tables(void)
{
	u32 there, kept = 0, dropped = 0;

	srand(4);
	begin();
	v->cr0 |= CR0_PG;
	v->cr3 = DIRECTORY;
	for (unsigned turn = 0; turn < 20000; turn++) {
		u32 was[CODE_REGIONS * EACH], gpa;
		bool same = true, flush_all = rand() % 2;

		v->cr4 = rand() % 16 ? CR4_PSE : 0;
		for (u32 page = 0; page < CODE_REGIONS * EACH; page++) {
			was[page] = ~0u;
			if (!leads_to(page, &was[page]) || rand() % 3 == 0)
				was[page] = ~0u;
			else
				kernel_map_add(d,
					       CODE_LIN + page / EACH * FAR_APART +
						       page % EACH * PAGE_SIZE,
					       was[page]);
		}
		ways_dropped();
		write_tables();
		for (u32 page = 0; page < CODE_REGIONS * EACH; page++) {
			if (was[page] == ~0u)
				continue;
			there = leads_to(page, &gpa) && gpa == was[page];
			same = same && there;
			if (!there && !flush_all)
				mem_tlb_flush_page(v, CODE_LIN + page / EACH * FAR_APART);
		}
		if (flush_all)
			mem_tlb_flush(v, rand() % 2);
		CHECK_EQ(kernel_map_check(d, v), same);
		CHECK_EQ(ways_dropped(), !same);
		kept += same;
		dropped += !same;
		/* Nothing of this turn is left to the next. */
		memset(d->map, 0, kernel_map_size());
	}
	CHECK(kept > 2000 && dropped > 2000);
	kernel_end();
}

/* A page that was added before it had its G bit, or CR4 its PGE. */
static void test_global(void)
{
	const u32 pd = 0x100000, rights = 0xa3; /* 4 MB, P, W and A */

	begin();
	set_ram32(pd, rights);
	v->cr4 |= CR4_PSE;
	v->cr3 = pd;
	v->cr0 |= CR0_PG;
	mem_read32(v, SEG_DS, 0x5000);
	kernel_map_add(d, 0x5000, 0x5000);
	mem_tlb_flush(v, false);
	kernel_map_check(d, v);
	CHECK(!ways_dropped());
	set_ram32(pd, rights | PTE_G);
	v->cr4 |= CR4_PGE;
	mem_tlb_flush(v, true);
	kernel_map_check(d, v);
	CHECK(!ways_dropped());
	/* Elsewhere, but no load of CR3 has to show that. */
	set_ram32(pd, 4 * MB | rights | PTE_G);
	mem_tlb_flush(v, false);
	kernel_map_check(d, v);
	CHECK(!ways_dropped());
	mem_tlb_flush(v, true);
	kernel_map_check(d, v);
	CHECK(ways_dropped());
	kernel_end();
}

static bool holds_after(u32 pd, u32 entry)
{
	set_ram32(pd, entry);
	mem_tlb_flush(v, false);
	return kernel_map_check(d, v) && !ways_dropped();
}

/* What jumps to a page whose A bit the guest has cleared sets it. */
static void test_accessed(void)
{
	const u32 pd = 0x100000, table = 0x101000, rights = 0x23;

	for (u32 turn = 0; turn < 4; turn++) {
		bool pae = turn == 3;
		u32 large = turn == 2 ? 0x80 : 0;
		u32 pde = large ? rights : table | rights, entry = turn == 1 ? table : pd;

		begin();
		v->cr4 |= pae ? CR4_PAE : CR4_PSE;
		v->cr3 = pd;
		v->pdpte[0] = pd | PTE_P;
		v->cr0 |= CR0_PG;
		set_ram32(table, rights);
		CHECK(holds_after(pd, pde | large));
		kernel_map_add(d, 0, 0);
		CHECK(holds_after(pd, pde | large));
		CHECK(!holds_after(entry, (ram32(entry) & ~(u32)PTE_A)));
		kernel_end();
	}
}

/* A kernel in large pages: as long as these are the same, its pages are. */
static void test_large(void)
{
	const u32 pd = 0x100000, table = 0x101000, rights = 0xa3;

	for (u32 turn = 0; turn < 5; turn++) {
		begin();
		v->cr4 |= CR4_PSE;
		v->cr3 = pd;
		v->cr0 |= CR0_PG;
		set_ram32(pd + 4, rights);
		for (u32 n = 0; n < 4; n++)
			set_ram32(table + n * 4, n << PAGE_SHIFT | 0x23);
		CHECK(holds_after(pd, rights));
		for (u32 n = 0; n < 3; n++) {
			kernel_map_add(d, n * PAGE_SIZE, n * PAGE_SIZE);
			kernel_map_add(d, FAR_APART + n * PAGE_SIZE, n * PAGE_SIZE);
			CHECK(holds_after(pd, rights));
			CHECK(holds_after(pd, rights | 0x40));
		}
		switch (turn) {
		case 0: /* elsewhere */
			CHECK(!holds_after(pd, 4 * MB | rights));
			break;
		case 1: /* small pages, the same ones, and one that is not */
			CHECK(holds_after(pd, table | 0x23));
			set_ram32(table + 8, 0x23);
			CHECK(!holds_after(pd, table | 0x23));
			break;
		case 2:
			CHECK(!holds_after(pd + 4, 0));
			break;
		case 3:
			v->cr4 &= ~CR4_PSE;
			CHECK(!holds_after(pd, rights));
			break;
		default: /* one more page, which was not there then */
			kernel_map_add(d, 0x7000, 0x8000);
			CHECK(!holds_after(pd, rights));
			break;
		}
		set_ram32(pd + 4, 0);
		kernel_end();
	}
}

/* The directory says what the guest maps in Farbus's slot, wherever the directory is. */
static void test_own(void)
{
	static u32 elsewhere[PAGE_SIZE / 4] __attribute__((aligned(4096)));
	const u32 pd = 0x80000, rom = 0xc8000;
	struct phys_region r = {.first = rom, .last = rom + PAGE_SIZE - 1};

	begin();
	d->host.shadow.window = vm.ram;
	d->host.shadow.own_index = 0x3f0;
	v->cr0 |= CR0_PG;
	v->cr3 = pd;
	CHECK(!direct_kernel_maps_own(d, v));
	set_ram32(pd + 0x3f0 * 4, 0x23);
	CHECK(direct_kernel_maps_own(d, v));
	v->cr3 = pd | MB;
	CHECK(!direct_kernel_maps_own(d, v));
	physmem_set_a20(&vm.pm, false);
	CHECK(direct_kernel_maps_own(d, v));
	v->cr4 |= CR4_PAE;
	v->pdpte[3] = pd | MB | 1;
	set_ram32(pd + 0x3f0 * 4, 0);
	CHECK(!direct_kernel_maps_own(d, v));
	set_ram32(pd + 240 * 16 + 8, 0x23);
	CHECK(direct_kernel_maps_own(d, v));
	v->cr4 &= ~CR4_PAE;
	physmem_set_a20(&vm.pm, true);
	r.rd = r.wr = (u8 *)elsewhere;
	CHECK_EQ(physmem_map(&vm.pm, &r), 0);
	v->cr3 = rom;
	CHECK(!direct_kernel_maps_own(d, v));
	elsewhere[0x3f0] = 0x23;
	CHECK(direct_kernel_maps_own(d, v));
	kernel_end();
}

int main(void)
{
	test_many();
	test_own();
	test_tables();
	test_changes();
	test_global();
	test_large();
	test_accessed();
	return check_done();
}
