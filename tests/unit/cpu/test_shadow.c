// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shadow page tables: what the CPU would find in them, after accesses and after the guest's tables
 * change; watched pages; bounded memory; and random guests, where each entry is compared with what
 * the guest's own tables say.
 */
#include <stdlib.h>
#include <string.h>
#include "cpu/mmu/shadow.h"
#include "cpu/mmu/walk.h"
#include "tests/unit/cpu/support_vm.h"

#define PD	0x100000u
#define PT	0x101000u
#define PD2	0x102000u
#define PT2	0x103000u
#define PDPT	0x104000u
#define PAE_PT	0x105000u
#define PAE_PT2 0x106000u
#define P	1u
#define W	2u
#define U	4u
#define A	0x20u
#define D	0x40u
#define PS	0x80u
#define G	0x100u

#define POOL_PHYS  0x20000000u
#define OWN_INDEX  0x3f0u
#define OWN_PDE	   0x30000063u
#define KERNEL_PDE 0x30001067u

static struct vcpu *const v = &vm.v;
static struct shadow *s;
static u8 pool[SHADOW_PAGES_MIN * PAGE_SIZE] __attribute__((aligned(4096)));
static u32 pool_pages = SHADOW_PAGES_MIN;
static u32 root;

static void set(u32 gpa, u32 value)
{
	physmem_write(&vm.pm, gpa, &value, 4);
}

static const u32 *table_at(u32 phys)
{
	return (const u32 *)(const void *)(pool + ((phys & PAGE_MASK) - POOL_PHYS));
}

/* What the CPU finds at lin: the entry, or 0. */
static u32 entry(u32 lin)
{
	u32 pde = table_at(root)[lin >> 22];

	return (pde & P) && lin >> 22 != OWN_INDEX ? table_at(pde)[lin >> 12 & 1023] : 0;
}

/* One access as the engine and the CPU make it together. True: done, on the CPU. */
static bool touch(u32 lin, bool write)
{
	u32 need = P | U | (write ? W : 0);

	root = shadow_root(s);
	if ((entry(lin) & need) == need)
		return true;
	if (!shadow_fill(s, lin, write))
		return false;
	root = shadow_root(s);
	CHECK_EQ(entry(lin) & need, need);
	return true;
}

static void begin(void)
{
	static void *arena;
	struct shadow_config c = {
		.pages = pool,
		.pages_phys = POOL_PHYS,
		.page_count = pool_pages,
		.window = vm.ram,
		.window_size = VM_RAM,
		.own_index = OWN_INDEX,
		.own_pde = OWN_PDE,
		.own_kernel_pde = KERNEL_PDE,
	};

	vm_user();
	memset(pool, 0, sizeof(pool));
	free(arena);
	arena = calloc(1, shadow_arena_size(vm.pm.flag_pages, SHADOW_PAGES_MIN));
	s = shadow_init(v, arena, &c);
	for (u32 i = 0; i < 1024; i++)
		set_ram32(PT + i * 4, i << 12 | P | W | U);
	set_ram32(PD, PT | P | W | U);
	v->cr3 = PD;
	v->cr0 |= CR0_PG | CR0_PE;
}

static void test_entries(void)
{
	begin();
	CHECK(touch(0x50000, false));
	CHECK_EQ(entry(0x50000), 0x50000 | P | U | A);
	CHECK_EQ(ram32(PT + 0x50 * 4), 0x50000 | P | W | U | A);
	CHECK_EQ(ram32(PD), PT | P | W | U | A);
	CHECK(touch(0x50000, true));
	CHECK_EQ(entry(0x50000), 0x50000 | P | W | U | A | D);
	CHECK_EQ(ram32(PT + 0x50 * 4), 0x50000 | P | W | U | A | D);
	CHECK_EQ(table_at(root)[OWN_INDEX], OWN_PDE);
	/* Dirty already: one fault is enough. */
	set(PT + 0x51 * 4, 0x51000 | P | W | U | D);
	CHECK(touch(0x51000, false));
	CHECK_EQ(entry(0x51000) & W, W);
	CHECK(!touch(OWN_INDEX << 22, false));
}

static void test_rights(void)
{
	begin();
	set(PT + 0x50 * 4, 0x50000 | P | W);
	set(PT + 0x51 * 4, 0x51000 | P | U);
	set(PT + 0x52 * 4, 0);
	CHECK_RAISES(touch(0x50000, false), VEC_PF, 5);
	CHECK_EQ(v->cr2, 0x50000);
	CHECK(touch(0x51123, false));
	CHECK_RAISES(touch(0x51123, true), VEC_PF, 7);
	CHECK_EQ(v->cr2, 0x51123);
	CHECK_RAISES(touch(0x52000, true), VEC_PF, 6);
	CHECK_RAISES(touch(0x400000, false), VEC_PF, 4);
	CHECK_EQ(ram32(PT + 0x50 * 4) & A, 0);
	set(PD, PT | P | W);
	CHECK_RAISES(touch(0x53000, false), VEC_PF, 5);
}

/* CPL 0 has roots of its own, in which all that it may reach is there for CPL 3. */
static void test_kernel(void)
{
	begin();
	set(PT + 0x50 * 4, 0x50000 | P | W);
	set(PT + 0x51 * 4, 0x51000 | P | U);
	v->cpl = 0;
	CHECK(touch(0x50000, true));
	CHECK_EQ(entry(0x50000), 0x50000 | P | W | U | A | D);
	CHECK_EQ(table_at(root)[OWN_INDEX], KERNEL_PDE);
	CHECK(!touch(OWN_INDEX << 22, false));
	CHECK(touch(0x51000, true)); /* CR0.WP is clear */
	CHECK_EQ(entry(0x51000) & W, W);
	v->cpl = 3;
	CHECK_RAISES(touch(0x50000, false), VEC_PF, 5);
	CHECK_RAISES(touch(0x51000, true), VEC_PF, 7);
	CHECK_EQ(table_at(root)[OWN_INDEX], OWN_PDE);
	v->cpl = 0;
	v->cr0 |= CR0_WP;
	CHECK_RAISES(touch(0x51000, true), VEC_PF, 3);
	CHECK(touch(0x50000, true));
	set(PT + 0x50 * 4, 0);
	CHECK_EQ(entry(0x50000), 0);
	v->cpl = 3;
	v->cr0 &= ~CR0_WP;
}

static void test_changes(void)
{
	begin();
	CHECK(touch(0x50000, true));
	CHECK(touch(0x51000, true));
	set(PT + 0x50 * 4, 0x60000 | P | U);
	CHECK_EQ(entry(0x50000), 0);
	CHECK_EQ(entry(0x51000) & P, P);
	CHECK(touch(0x50000, false));
	CHECK_EQ(entry(0x50000), 0x60000 | P | U | A);
	/* The A bit that the kernel clears is set again by the next access. */
	set(PT + 0x50 * 4, 0x60000 | P | U);
	CHECK(touch(0x50000, false));
	CHECK_EQ(ram32(PT + 0x50 * 4), 0x60000 | P | U | A);
	set(PD, 0);
	CHECK_EQ(entry(0x51000), 0);
	CHECK_RAISES(touch(0x51000, false), VEC_PF, 4);
}

static void test_roots(void)
{
	u32 first;

	begin();
	set_ram32(PD2, PT2 | P | W | U);
	set_ram32(PT2 + 0x50 * 4, 0x70000 | P | W | U);
	CHECK(touch(0x50000, true));
	first = root;
	v->cr3 = PD2;
	CHECK(touch(0x50000, false));
	CHECK(root != first);
	CHECK_EQ(entry(0x50000) & PAGE_MASK, 0x70000);
	v->cr3 = PD;
	root = shadow_root(s);
	CHECK_EQ(root, first);
	CHECK_EQ(entry(0x50000) & (PAGE_MASK | W), 0x50000 | W);
	CHECK_EQ((u32)shadow_stats(s)->fills, 2);
	/* Both use one page table: a change is seen in both. */
	set(PD2 + 4, PT | P | W | U);
	v->cr3 = PD2;
	CHECK(touch(0x450000, true));
	set(PT + 0x50 * 4, 0);
	CHECK_EQ(entry(0x450000), 0);
	v->cr3 = PD;
	root = shadow_root(s);
	CHECK_EQ(entry(0x50000), 0);
}

static void translations_end(void *ctx, u32 gpa)
{
	(void)ctx;
	vm.flags[gpa >> 12] = 0;
}

static void test_watched_pages(void)
{
	begin();
	/* The table is mapped as data: writing to it ends what was made from it. */
	CHECK(touch(0x50000, true));
	CHECK_EQ(vm.flags[PT >> 12] & PHYS_PAGE_TABLE, PHYS_PAGE_TABLE);
	CHECK(touch(PT, false));
	CHECK_EQ(entry(PT) & W, 0);
	CHECK_EQ(entry(0x50000) & P, P);
	/* Decoded code: read-only until the engine has dropped it. */
	CHECK(touch(0x60000, true));
	vm.flags[0x60] |= PHYS_PAGE_CODE;
	vm.pm.code_found(vm.pm.table_ctx, 0x60000);
	CHECK_EQ(entry(0x60000) & (P | W), P);
	vm.code_writes = 0;
	CHECK(!touch(0x60000, true)); /* this engine's hook does not let go of it */
	CHECK_EQ(vm.code_writes, 1);
	CHECK_EQ(vm.code_len, PAGE_SIZE);
	vm.flags[0x60] = 0;
	CHECK(touch(0x60000, true));
	/* So with translations. */
	vm.flags[0x60] |= PHYS_PAGE_TRANSLATED;
	vm.pm.code_found(vm.pm.table_ctx, 0x60000);
	vm.pm.translated_written = translations_end;
	CHECK(touch(0x60000, true));
	CHECK_EQ(entry(0x60000) & W, W);
	CHECK_EQ(vm.flags[0x60], 0);
}

/* What the interpreter's TLB holds of a page that becomes a table; a store to two entries. */
static void test_stores(void)
{
	static const u32 nothing[2];

	begin();
	set_ram32(PT + 0x90 * 4, PT2 | P | W | U | A | D);
	set_ram32(PT2 + 0x50 * 4, 0x70000 | P | W | U);
	set_ram32(PT2 + 0x51 * 4, 0x71000 | P | W | U | A);
	lin_write(v, 0x90000, 4, 0, true);
	set_ram32(PD + 4, PT2 | P | W | U);
	CHECK(touch(0x450000, false));
	CHECK_EQ(entry(0x451000) & P, P);
	lin_write(v, 0x90000 + 0x50 * 4, 4, 0, true);
	CHECK_EQ(entry(0x450000), 0);
	physmem_write(&vm.pm, PT2 + 0x50 * 4, nothing, sizeof(nothing));
	CHECK_EQ(entry(0x451000), 0);
}

/* A page that is mapped at many places is found at all of them; at two without a search. */
static void test_aliases(void)
{
	begin();
	for (u32 n = 0; n < 5; n++) {
		set_ram32(PT + (0x60 + n) * 4, 0x60000 | P | W | U);
		CHECK(touch(0x60000 + (n << 12), true));
		if (n == 0)
			continue;
		vm.flags[0x60] |= PHYS_PAGE_CODE;
		vm.pm.code_found(vm.pm.table_ctx, 0x60000);
		vm.flags[0x60] = 0;
		for (u32 i = 0; i <= n; i++) {
			CHECK_EQ(entry(0x60000 + (i << 12)) & (P | W), P);
			CHECK(touch(0x60000 + (i << 12), true));
		}
		CHECK_EQ((u32)shadow_stats(s)->scans, n - 1);
	}
}

static void test_reuse_of_tables(void)
{
	begin();
	set_ram32(PD + 4, PT2 | P | W | U);
	set_ram32(PT2, 0x70000 | P | W | U);
	CHECK(touch(0x400000, true));
	CHECK_EQ(vm.flags[PT2 >> 12], PHYS_PAGE_TABLE);
	/* Freed and used for something else: writes stop being seen after a while. */
	for (u32 i = 0; i < 1024; i++)
		set(PT2 + i * 4, 0);
	CHECK_EQ(vm.flags[PT2 >> 12], 0);
	CHECK_RAISES(touch(0x400000, false), VEC_PF, 4);
	/* Now a page of the program's, mapped for writing, and then a table again. */
	mem_tlb_flush(v, true);
	set(PT + 0x90 * 4, PT2 | P | W | U);
	CHECK(touch(0x90000, true));
	set(PT2, 0x71000 | P | W | U);
	CHECK(touch(0x400000, false));
	CHECK_EQ(entry(0x90000) & W, 0);
}

static void test_large(void)
{
	begin();
	v->cr4 |= CR4_PSE;
	set_ram32(PD + 4, 0x400000 | P | W | U | PS);
	CHECK(touch(0x423000, false));
	CHECK_EQ(entry(0x423000), 0x423000 | P | U | A);
	CHECK_EQ(ram32(PD + 4) & 0xff, P | W | U | PS | A);
	CHECK(touch(0x423000, true));
	CHECK_EQ(ram32(PD + 4) & 0xff, P | W | U | PS | A | D);
	CHECK(touch(0x424000, false));
	CHECK_EQ(entry(0x424000) & W, W);
	set(PD + 4, 0);
	CHECK_EQ(entry(0x423000), 0);
}

static void test_pae(void)
{
	begin();
	v->cr4 |= CR4_PAE;
	set_ram32(PDPT, PD | P);
	set_ram32(PD, PAE_PT | P | W | U);
	set_ram32(PD + 8, PAE_PT2 | P | W | U);
	set_ram32(PD + 16, 0x200000 | P | W | U | PS);
	set_ram32(PD + 4, 0);
	memset(vm.ram + PAE_PT, 0, 2 * PAGE_SIZE);
	set_ram32(PAE_PT + 0x50 * 8, 0x50000 | P | W | U);
	set_ram32(PAE_PT2 + 0x50 * 8, 0x60000 | P | W | U);
	/* Not to be had ahead: a reserved bit. */
	set_ram32(PAE_PT + 0x51 * 8, 0x51000 | P | W | U | A);
	set_ram32(PAE_PT + 0x51 * 8 + 4, 1);
	CHECK(pdpte_load(v, PDPT));
	v->cr3 = PDPT;
	CHECK(touch(0x50000, true));
	CHECK(touch(0x250000, true));
	CHECK(touch(0x412000, true));
	CHECK_EQ(entry(0x50000) & PAGE_MASK, 0x50000);
	CHECK_EQ(entry(0x51000), 0);
	CHECK_RAISES(touch(0x51000, false), VEC_PF, 13);
	CHECK_EQ(entry(0x250000) & PAGE_MASK, 0x60000);
	CHECK_EQ(entry(0x412000) & PAGE_MASK, 0x212000);
	set(PAE_PT2 + 0x50 * 8, 0);
	CHECK_EQ(entry(0x250000), 0);
	CHECK_EQ(entry(0x50000) & P, P);
	/* Another directory under the same CR3. */
	set_ram32(PDPT, PD2 | P);
	set_ram32(PD2, PAE_PT2 | P | W | U);
	CHECK(pdpte_load(v, PDPT));
	root = shadow_root(s);
	CHECK_EQ(entry(0x50000), 0);
	CHECK_RAISES(touch(0x50000, false), VEC_PF, 4);
}

/* Directories that say the same share what is below. */
static void test_shared(void)
{
	begin();
	set_ram32(PD2, PT | P | W | U);
	CHECK(touch(0x50000, true));
	v->cr3 = PD2;
	CHECK(touch(0x50000, true));
	CHECK_EQ((u32)shadow_stats(s)->tables_made, 1);
	CHECK_EQ(ram32(PD2) & A, A);
	set(PT + 0x50 * 4, 0);
	CHECK_EQ(entry(0x50000), 0);
	v->cr3 = PD;
	root = shadow_root(s);
	CHECK_EQ(entry(0x50000), 0);
	/* Other rights, and a directory entry that goes. */
	CHECK(touch(0x51000, true));
	set(PD2, PT | P | U);
	v->cr3 = PD2;
	CHECK(touch(0x51000, false));
	CHECK_EQ(entry(0x51000) & W, 0);
	CHECK_EQ((u32)shadow_stats(s)->tables_made, 2);
	v->cr3 = PD;
	root = shadow_root(s);
	CHECK_EQ(entry(0x51000) & W, W);
	set(PD, 0);
	CHECK_EQ(entry(0x51000), 0);
	v->cr3 = PD2;
	root = shadow_root(s);
	CHECK_EQ(entry(0x51000) & P, P);
}

/* What a kernel has mapped in one address space needs no faults in the next. */
static void test_inherit(void)
{
	begin();
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
	root = shadow_root(s);
	CHECK_EQ(entry(0x50000), 0); /* U is part of the rights */
	CHECK_EQ(entry(0x450000), 0x50000 | P | W | U | A | D);
	CHECK_EQ(entry(0x850000), 0);
	CHECK_EQ(entry(0xc50000), 0); /* A is the access's to set */
	CHECK_EQ(entry(0x1050000), 0);
	set(PD2 + 4, 0);
	CHECK_EQ(entry(0x450000), 0);
	v->cr3 = PD;
	root = shadow_root(s);
	CHECK_EQ(entry(0x450000), 0x50000 | P | W | U | A | D);
	/* For users nothing is there that they have not touched. */
	v->cpl = 3;
	v->cr3 = PD2;
	root = shadow_root(s);
	CHECK_EQ(entry(0x450000), 0);
}

/* What lies around a fault and was used before comes with it. */
static void test_prefetch(void)
{
	begin();
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
	CHECK_EQ((u32)shadow_stats(s)->prefetched, 3);
}

/* After the guest has handled its fault, the access needs no fault of Farbus's own. */
static void test_expected(void)
{
	begin();
	set(PT + 0x50 * 4, 0);
	set(PT + 0x51 * 4, 0);
	CHECK(touch(0x80000, false)); /* sets A in the directory */
	CHECK_RAISES(touch(0x50000, true), VEC_PF, 6);
	v->cpl = 0;
	set(PT + 0x50 * 4, 0x70000 | P | W | U | A | D);
	v->cpl = 3;
	root = shadow_root(s);
	CHECK_EQ(entry(0x50000), 0x70000 | P | W | U | A | D);
	CHECK_EQ((u32)shadow_stats(s)->fills, 1);
	/* A is the access's to set. */
	CHECK_RAISES(touch(0x51000, true), VEC_PF, 6);
	set(PT + 0x51 * 4, 0x71000 | P | W | U);
	root = shadow_root(s);
	CHECK_EQ(entry(0x51000), 0);
	CHECK_EQ(ram32(PT + 0x51 * 4) & A, 0);
}

/* Page tables that are written often are compared at flushes. */
static void test_loose(void)
{
	begin();
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
	CHECK_EQ((u32)shadow_stats(s)->entries_dropped, 2);
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
	root = shadow_root(s);
	CHECK_EQ(vm.flags[PT >> 12], PHYS_PAGE_TABLE);
}

/* More than are kept in mind: the first is watched again. */
static void test_many_loose(void)
{
	begin();
	for (u32 n = 0; n < 40; n++) {
		u32 table = 0x200000 + n * PAGE_SIZE;

		set_ram32(PD + 4 + n * 4, table | P | W | U);
		set_ram32(table, 0x50000 | P | W | U);
		CHECK(touch((n + 1) << 22, true));
		for (u32 i = 0; i < 20; i++)
			set(table + 8, 0);
		CHECK_EQ(vm.flags[table >> 12], 0);
	}
	CHECK_EQ((u32)shadow_stats(s)->loosened, 40);
	CHECK_EQ((u32)shadow_stats(s)->compared, 8);
	mem_tlb_flush(v, false);
	CHECK_EQ((u32)shadow_stats(s)->compared, 40);
	for (u32 n = 0; n < 40; n++)
		CHECK_EQ(vm.flags[0x200 + n], PHYS_PAGE_TABLE);
}

/* CR3 may be 0, like what is known of a root that is gone. */
static void test_root_gone(void)
{
	begin();
	set_ram32(0, PT | P | W | U);
	set_ram32(8, 0);
	v->cr3 = 0;
	CHECK(touch(0x50000, false));
	for (u32 i = 0; i < 64; i++)
		set(8, 0);
	CHECK_EQ((u32)shadow_stats(s)->roots_dropped, 1);
	root = shadow_root(s);
	CHECK_EQ((u32)shadow_stats(s)->roots_made, 2);
	CHECK(touch(0x50000, false));
	v->cr3 = PD;
	CHECK(touch(0x50000, false));
	for (u32 i = 0; i < 64; i++)
		set(8, 0);
	CHECK_EQ((u32)shadow_stats(s)->roots_dropped, 2);
	v->cr3 = 0;
	CHECK(touch(0x50000, false));
	CHECK_EQ((u32)shadow_stats(s)->roots_made, 4);
}

/* Whether an entry means 4 MB is CR4's to say. */
static void test_cr4(void)
{
	begin();
	set_ram32(PD + 4, 0x400000 | P | W | U | PS);
	set_ram32(0x400000, 0x50000 | P | W | U);
	v->cr4 |= CR4_PSE;
	CHECK(touch(0x400000, false));
	CHECK_EQ(entry(0x400000) & PAGE_MASK, 0x400000);
	v->cr4 &= ~CR4_PSE;
	CHECK(touch(0x400000, false));
	CHECK_EQ(entry(0x400000) & PAGE_MASK, 0x50000);
}

/* Writes to a place of it that mean nothing, until nobody watches it. */
static void loosen(u32 table)
{
	for (u32 i = 0; i < 20; i++)
		set(table + 0xff8, 0);
	CHECK_EQ(vm.flags[table >> 12], 0);
}

/* CPL 0 may write where W is clear only while WP is clear, too. */
static void test_loose_kernel(void)
{
	begin();
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

/* Two page tables lie behind one of Farbus's. */
static void begin_pae(void)
{
	begin();
	v->cr4 |= CR4_PAE;
	memset(vm.ram + PD, 0, 5 * PAGE_SIZE);
	memset(vm.ram + PAE_PT, 0, 2 * PAGE_SIZE);
	set_ram32(PDPT, PD | P);
	set_ram32(PDPT + 32, PD2 | P);
	set_ram32(PD, PAE_PT | P | W | U);
	set_ram32(PD + 8, PAE_PT2 | P | U);
	for (u32 i = 0; i < 512; i++) {
		set_ram32(PAE_PT + i * 8, i << 12 | P | W | U);
		set_ram32(PAE_PT2 + i * 8, i << 12 | P | W | U);
	}
	CHECK(pdpte_load(v, PDPT));
	v->cr3 = PDPT;
}

static void test_loose_pae(void)
{
	begin_pae();
	CHECK(touch(0x50000, true));
	CHECK(touch(0x250000, false));
	loosen(PAE_PT2);
	set_ram32(PAE_PT2 + 0x50 * 8, 0x60000 | P | W | U | A | D);
	mem_tlb_flush(v, false);
	CHECK_EQ(entry(0x250000), 0x60000 | P | U | A); /* its directory entry has no W */
	CHECK_EQ(entry(0x50000) & W, W);
}

static void test_inherit_pae(void)
{
	for (u32 high = 0; high < 2; high++) {
		begin_pae();
		v->cpl = 0;
		CHECK(touch(0x50000, true));
		CHECK(touch(0x250000, false));
		set_ram32(PD2, PAE_PT | P | W | U | A);
		set_ram32(PD2 + 8, PAE_PT2 | P | U | A);
		set_ram32(PD2 + 12, high);
		CHECK(pdpte_load(v, PDPT + 32));
		v->cr3 = PDPT + 32;
		root = shadow_root(s);
		CHECK_EQ(entry(0x250000) & P, high ? 0 : P);
		v->cpl = 3;
	}
}

/* A directory that is written while another is in use may be a new process's. */
static void test_other_directory(void)
{
	begin();
	set_ram32(PD2, PT | P | W | U);
	v->cr3 = PD2;
	CHECK(touch(0x50000, true));
	v->cr3 = PD;
	CHECK(touch(0x50000, true));
	CHECK_EQ(vm.flags[PD2 >> 12], PHYS_PAGE_TABLE);
	set(PD2 + 4, 0);
	CHECK_EQ(vm.flags[PD2 >> 12], 0);
	set(PD2, 0);
	CHECK_EQ((u32)shadow_stats(s)->roots_dropped, 1);
	CHECK_EQ(entry(0x50000) & W, W);
	v->cr3 = PD2;
	CHECK_RAISES(touch(0x50000, false), VEC_PF, 4);
	/* For guest code it needs no interpreter. */
	set_ram32(PT + 0x92 * 4, PD2 | P | W | U);
	root = shadow_root(s);
	CHECK_EQ(vm.flags[PD2 >> 12], PHYS_PAGE_TABLE);
	v->cr3 = PD;
	CHECK(touch(0x92000, true));
	CHECK_EQ(vm.flags[PD2 >> 12], 0);
	CHECK_EQ((u32)shadow_stats(s)->roots_dropped, 2);
	v->cr3 = PD2;
	root = shadow_root(s);
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
	const struct shadow_stats *n = shadow_stats(s);

	return (u32)(n->fills + n->prefetched + n->refused + n->entries_dropped + n->tables_made +
		     n->tables_dropped + n->roots_made + n->roots_dropped + n->evictions +
		     n->scans + n->loosened + n->compared);
}

/* Going from one address space to another and back costs the same however much is mapped. */
static void test_context_switch(void)
{
	static const u32 mapped[] = {10, 100, 1000};

	begin();
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
	begin();
	for (u32 n = 0; n < 200; n++) {
		u32 directory = 0x200000 + n * PAGE_SIZE;

		set_ram32(directory, PT | P | W | U);
		v->cr3 = directory;
		CHECK(touch(0x50000, true));
		CHECK_EQ(entry(0x50000) & PAGE_MASK, 0x50000);
		CHECK(shadow_stats(s)->pages_in_use <= SHADOW_PAGES_MIN);
	}
	CHECK(shadow_stats(s)->evictions > 0);
	for (u32 n = 0; n < 200; n++) {
		set_ram32(0x200000 + n * 4, PT | P | W | U);
		v->cr3 = 0x200000;
		CHECK(touch(n << 22 | 0x50000, true));
		CHECK(shadow_stats(s)->pages_in_use <= SHADOW_PAGES_MIN);
	}
	shadow_flush(s);
	CHECK_EQ(shadow_stats(s)->pages_in_use, 0);
	for (u32 n = 0; n < vm.pm.flag_pages; n++)
		CHECK_EQ(vm.flags[n], 0);
}

static void test_mapping(void)
{
	struct phys_region rom = {.first = 0x50000, .last = 0x50fff, .rd = vm.ram + 0x50000};
	struct phys_region device = {.first = 0x51000, .last = 0x51fff};

	begin();
	CHECK(touch(0x50000, true));
	physmem_map(&vm.pm, &rom);
	physmem_map(&vm.pm, &device);
	root = shadow_root(s);
	CHECK_EQ(entry(0x50000), 0);
	CHECK(touch(0x50000, false));
	CHECK(!touch(0x50000, true));
	CHECK(!touch(0x51000, false));
	CHECK_EQ(ram32(PT + 0x51 * 4) & A, A);
	/* Tables where writes could not be seen. */
	v->cr3 = VM_RAM;
	CHECK_EQ(shadow_root(s), 0);
}

/* --- random guests --- */

#define TABLES	       10u
#define TABLE_BASE     0x180000u
#define POOL_FEW       12u /* less than a guest's tables need */
#define PDPTE_RESERVED 0x1e6u
#define USED	       12u /* entries of each table */

static u32 random_state = 12345;
static bool unseen[VM_RAM / PAGE_SIZE]; /* written where nobody watched, since the last flush */

static u32 random_below(u32 n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static u32 random_table(void)
{
	return TABLE_BASE + random_below(TABLES) * PAGE_SIZE;
}

static bool pae(void)
{
	return v->cr4 & CR4_PAE;
}

/* What the guest's tables say of lin: false where they say nothing. */
struct said {
	u32 pde, pte, table;
};

/* Memory as the CPU sees it, with A20 as it is. */
static u32 seen32(u32 gpa)
{
	return ram32(gpa & vm.pm.a20_mask);
}

static bool look(u32 lin, struct said *said)
{
	u32 at = (v->cr3 & PAGE_MASK) + (lin >> 22) * 4;

	if (pae()) {
		if (!(v->pdpte[lin >> 30] & P))
			return false;
		at = ((u32)v->pdpte[lin >> 30] & PAGE_MASK) + (lin >> 21 & 511) * 8;
		if (seen32(at + 4))
			return false;
	}
	said->pde = seen32(at);
	said->table = 0;
	if ((said->pde & PS) && (pae() || (v->cr4 & CR4_PSE))) {
		said->pte = (said->pde & ~(pae() ? 0x1fffffu : 0x3fffffu)) |
			    (lin & (pae() ? 0x1ff000 : 0x3ff000)) | (said->pde & 0xfff);
		return said->pde & P;
	}
	said->table = said->pde & PAGE_MASK & vm.pm.a20_mask;
	at = said->table + (lin >> 12 & (pae() ? 511 : 1023)) * (pae() ? 8 : 4);
	if (!(said->pde & P) || (pae() && seen32(at + 4)))
		return false;
	said->pte = seen32(at);
	return said->pte & P;
}

/* The entry is one that the guest's tables allow as they are. */
static void check_entry(u32 lin, u32 e)
{
	struct said said;
	u32 rights;

	CHECK(!(e & W) || !(vm.flags[e >> 12] & PHYS_PAGE_WATCHED));
	if (!look(lin, &said)) {
		CHECK(false);
		return;
	}
	rights = said.pde & said.pte;
	CHECK_EQ(said.pde & said.pte & A, A);
	CHECK_EQ(e & PAGE_MASK, said.pte & PAGE_MASK & vm.pm.a20_mask);
	CHECK((rights & U) || v->cpl < 3);
	CHECK(!(e & W) || (said.pte & D));
	CHECK(!(e & W) || (rights & W) || (v->cpl < 3 && !(v->cr0 & CR0_WP)));
}

static bool may_be_stale(u32 lin)
{
	u32 at = (v->cr3 & PAGE_MASK) + (lin >> 22) * 4;

	if (pae())
		at = ((u32)v->pdpte[lin >> 30] & PAGE_MASK) + (lin >> 21 & 511) * 8;
	at = seen32(at);
	return (at & P) && (at & PAGE_MASK) < VM_RAM && unseen[(at & vm.pm.a20_mask) >> 12];
}

/* Every entry of the current root, but for what the guest has written and not flushed. */
static void compare(void)
{
	const u32 *directory = table_at(root);

	for (u32 i = 0; i < 1024; i++) {
		if (i == OWN_INDEX || !(directory[i] & P))
			continue;
		for (u32 k = 0; k < 1024; k++) {
			u32 e = table_at(directory[i])[k], lin = i << 22 | k << 12;

			if ((e & P) && !may_be_stale(lin))
				check_entry(lin, e);
		}
	}
}

static void load_cr3(u32 cr3)
{
	if (pae() && !pdpte_load(v, cr3))
		return;
	v->cr3 = cr3;
	mem_tlb_flush(v, true);
	memset(unseen, 0, sizeof(unseen));
}

/* All roots there are, after a flush. */
static void compare_all(void)
{
	u32 cr3 = v->cr3;

	for (u32 n = 0; n < TABLES * 2; n++) {
		v->cpl = n % 2 ? 3 : 0;
		load_cr3(TABLE_BASE + n / 2 * PAGE_SIZE);
		root = shadow_root(s);
		compare();
	}
	load_cr3(cr3);
}

static u32 random_entry(bool directory)
{
	u32 bits = random_below(8) ? P | U | (random_below(4) ? W : 0) : random_below(0x80);

	if (random_below(3) == 0)
		bits |= A | (random_below(2) ? D : 0);
	if (random_below(4) == 0)
		bits |= G; /* is for the TLB's sake: writes to tables are seen all the same */
	if (directory && random_below(8) == 0)
		return (random_below(2) << 22 | bits | PS) & (pae() ? ~0x200000u : ~0u);
	if (directory || random_below(8) == 0)
		return random_table() | (bits & ~PS);
	return random_below(VM_RAM / PAGE_SIZE) << 12 | (bits & ~PS);
}

/* The interpreter's store, or the CPU's when it may. */
static void store(u32 gpa, u32 value, bool by_cpu)
{
	gpa &= vm.pm.a20_mask;
	if (pae() && gpa % PAGE_SIZE < 32)
		value &= ~PDPTE_RESERVED; /* it may be loaded into CR3 */
	if (!(vm.flags[gpa >> 12] & PHYS_PAGE_TABLE))
		unseen[gpa >> 12] = true;
	if (by_cpu)
		set_ram32(gpa, value);
	else
		set(gpa, value);
}

static u32 random_place(void)
{
	return random_below(USED) * (pae() ? 8 : 4);
}

static u32 random_lin(void)
{
	return random_below(4) << (pae() ? 21 : 22) | random_below(USED) << 12;
}

/* An access of the guest's; a write changes what lies there. */
static void access_lin(u32 lin, bool write)
{
	volatile bool done = false;

	if (RAISES(done = touch(lin, write)) || !done || !write)
		return;
	root = shadow_root(s);
	store((entry(lin) & PAGE_MASK) + random_place(), random_entry(random_below(2)), true);
}

/* One bit of an entry that means something is there, or not any more. */
static void flip(bool by_cpu)
{
	static const u32 bit[] = {P, W, U, A, D, W, U, A, D, 0x1000};
	u32 gpa = (random_table() + random_place()) & vm.pm.a20_mask;

	if (by_cpu && (vm.flags[gpa >> 12] & PHYS_PAGE_TABLE))
		return;
	if (pae() && gpa % PAGE_SIZE >= 32 && random_below(8) == 0)
		store(gpa + 4, random_below(4) == 0, by_cpu);
	else
		store(gpa, ram32(gpa) ^ bit[random_below(ARRAY_SIZE(bit))], by_cpu);
}

/* The tables are at other addresses then, and those below have what was random there. */
static void set_a20(bool on)
{
	physmem_set_a20(&vm.pm, on);
	mem_tlb_flush(v, true);
	memset(unseen, 0, sizeof(unseen));
}

static void random_step(void)
{
	u32 lin;

	switch (random_below(14)) {
	case 0:
		store(random_table() + random_place(), random_entry(random_below(2)), false);
		break;
	case 1:
		store(random_table() + random_below(1024) * 4, pae() ? 0 : random_entry(false),
		      false);
		break;
	case 2:
		load_cr3(random_table());
		break;
	case 3:
		lin = random_lin();
		mem_tlb_flush_page(v, lin);
		root = shadow_root(s);
		if (entry(lin) & P)
			check_entry(lin, entry(lin));
		break;
	case 4:
		v->cpl = random_below(2) ? 3 : 0;
		if (random_below(8) == 0)
			v->cr0 ^= CR0_WP;
		if (random_below(64) == 0)
			set_a20(!physmem_a20(&vm.pm));
		break;
	case 5:
	case 6:
		flip(random_below(2));
		break;
	default:
		access_lin(random_lin(), random_below(2));
	}
	root = shadow_root(s);
}

static void random_tables(u32 base)
{
	for (u32 n = 0; n < TABLES * 1024; n++)
		set_ram32(base + n * 4, 0);
	for (u32 n = 0; n < TABLES * USED; n++)
		set_ram32(base + n / USED * PAGE_SIZE + n % USED * (pae() ? 8 : 4),
			  random_entry(true));
	if (!pae())
		return;
	/* All may be tables of page directories, whose entries keep to its rules. */
	for (u32 n = 0; n < TABLES * 4; n++)
		set_ram32(base + n / 4 * PAGE_SIZE + n % 4 * 8, random_table() | P);
}

/* Before nothing is left of the ones there are. */
static void other_tables(void)
{
	shadow_flush(s);
	random_tables(TABLE_BASE);
	random_tables(TABLE_BASE & ~BIT(20)); /* what is there without A20 */
	load_cr3(TABLE_BASE);
	root = shadow_root(s);
}

static void test_random(u32 cr4)
{
	begin();
	v->cr4 |= cr4;
	for (u32 n = 0; n < 100000; n++) {
		if (n % 5000 == 0)
			other_tables();
		random_step();
		if (n % 16 == 0)
			compare();
		if (n % 500 == 0)
			compare_all();
	}
	CHECK(shadow_stats(s)->loosened > 100);
	CHECK(shadow_stats(s)->prefetched > 100);
	CHECK(shadow_stats(s)->fills > 1000);
	CHECK(pool_pages == SHADOW_PAGES_MIN || shadow_stats(s)->evictions > 50);
	physmem_set_a20(&vm.pm, true);
	v->cpl = 3;
	v->cr0 &= ~CR0_WP;
}

int main(void)
{
	test_entries();
	test_rights();
	test_kernel();
	test_changes();
	test_roots();
	test_shared();
	test_inherit();
	test_prefetch();
	test_expected();
	test_loose();
	test_loose_kernel();
	test_loose_pae();
	test_inherit_pae();
	test_many_loose();
	test_root_gone();
	test_cr4();
	test_stores();
	test_other_directory();
	test_context_switch();
	test_watched_pages();
	test_aliases();
	test_reuse_of_tables();
	test_large();
	test_pae();
	test_bounds();
	test_mapping();
	for (unsigned n = 0; n < 2; n++) {
		test_random(CR4_PSE);
		test_random(CR4_PAE);
		pool_pages = POOL_FEW;
	}
	return check_done();
}
