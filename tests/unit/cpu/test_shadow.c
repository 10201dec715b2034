// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shadow page tables: what the CPU would find in them, after accesses and after the guest's tables
 * change; watched pages.
 */
#include <string.h>
#include "cpu/mmu/walk.h"
#include "tests/unit/cpu/support_shadow.h"

static struct vcpu *const v = &vm.v;

static void test_entries(void)
{
	shadow_begin();
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
	shadow_begin();
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
	shadow_begin();
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
	shadow_begin();
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

	shadow_begin();
	set_ram32(PD2, PT2 | P | W | U);
	set_ram32(PT2 + 0x50 * 4, 0x70000 | P | W | U);
	CHECK(touch(0x50000, true));
	first = root;
	v->cr3 = PD2;
	CHECK(touch(0x50000, false));
	CHECK(root != first);
	CHECK_EQ(entry(0x50000) & PAGE_MASK, 0x70000);
	v->cr3 = PD;
	root = find_root();
	CHECK_EQ(root, first);
	CHECK_EQ(entry(0x50000) & (PAGE_MASK | W), 0x50000 | W);
	CHECK_EQ((u32)shadow_stats(shadow)->fills, 2);
	/* Both use one page table: a change is seen in both. */
	set(PD2 + 4, PT | P | W | U);
	v->cr3 = PD2;
	CHECK(touch(0x450000, true));
	set(PT + 0x50 * 4, 0);
	CHECK_EQ(entry(0x450000), 0);
	v->cr3 = PD;
	root = find_root();
	CHECK_EQ(entry(0x50000), 0);
}

static bool always(void *ctx, u32 gpa)
{
	(void)ctx, (void)gpa;
	return true;
}

static void translations_end(void *ctx, u32 gpa, u32 len)
{
	(void)ctx, (void)len;
	vm.flags[gpa >> 12] = 0;
}

static void test_watched_pages(void)
{
	shadow_begin();
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
	/* ... unless each store is to be seen. */
	vm.pm.stores_apart = always;
	CHECK(!touch(0x60000, true));
	CHECK_EQ(entry(0x60000) & W, 0);
	CHECK(vm.flags[0x60] & PHYS_PAGE_TRANSLATED);
	vm.pm.stores_apart = NULL;
	CHECK(touch(0x60000, true));
	CHECK_EQ(entry(0x60000) & W, W);
	CHECK_EQ(vm.flags[0x60], 0);
}

static struct shadow_idle idle;

static bool idle_store(u32 gpa)
{
	return shadow_idle_find(shadow, gpa, &idle) && shadow_idle_store(&idle, gpa);
}

/* Stores to the directory in use that nobody has to be told of. */
static void test_idle_stores(void)
{
	shadow_begin();
	CHECK(touch(0x50000, true));
	CHECK(idle_store(PD + 5 * 4));
	CHECK(!idle_store(PD)); /* has an entry */
	CHECK(!idle_store(PD + OWN_INDEX * 4));
	CHECK(!idle_store(PT + 0x51 * 4)); /* a table, */
	CHECK(!idle_store(0x70000));	   /* and none */
	v->cr3 = PT2;			   /* not in use */
	CHECK(!idle_store(PD + 5 * 4));
	v->cr3 = PD;
	v->cr0 &= ~CR0_PG;
	CHECK(!idle_store(PD + 5 * 4));
}

/* What was found of a directory, while other things happen. */
static void test_idle_stores_later(void)
{
	shadow_begin();
	CHECK(touch(0x50000, true));
	CHECK(idle_store(PD + 4 * 4));
	CHECK(idle_store(PD + 5 * 4));
	set_ram32(PD + 5 * 4, PT2 | P | W | U);
	set_ram32(PT2, 0x50000 | P | W | U);
	CHECK(touch(5 << 22, true)); /* a table more: from another frame */
	CHECK(!shadow_idle_store(&idle, PD + 4 * 4));
	CHECK(idle_store(PD + 4 * 4));
	CHECK(!shadow_idle_store(&idle, PD + 5 * 4));
	v->cpl = 0; /* a root more */
	find_root();
	CHECK(!shadow_idle_store(&idle, PD + 4 * 4));
	CHECK(idle_store(PD + 5 * 4) == false);
	CHECK(idle_store(PD + 4 * 4));
	CHECK_RAISES(touch(6 << 22, false), VEC_PF, 0);
	set_ram32(PD + 6 * 4, PT2 | P | W);
	CHECK(touch(6 << 22, true)); /* in that one only */
	CHECK(!idle_store(PD + 6 * 4));
	CHECK(idle_store(PD + 4 * 4));
	shadow_flush(shadow);
	CHECK(!shadow_idle_store(&idle, PD + 4 * 4));
	v->cpl = 3;
}

/* What the interpreter's TLB holds of a page that becomes a table; a store to two entries. */
static void test_stores(void)
{
	static const u32 nothing[2];

	shadow_begin();
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
	shadow_begin();
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
		CHECK_EQ((u32)shadow_stats(shadow)->scans, n - 1);
	}
}

static void test_reuse_of_tables(void)
{
	shadow_begin();
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
	shadow_begin();
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
	shadow_begin();
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
	root = find_root();
	CHECK_EQ(entry(0x50000), 0);
	CHECK_RAISES(touch(0x50000, false), VEC_PF, 4);
}

/* CR3 may be 0, like what is known of a root that is gone. */
static void test_root_gone(void)
{
	shadow_begin();
	set_ram32(0, PT | P | W | U);
	set_ram32(8, 0);
	v->cr3 = 0;
	CHECK(touch(0x50000, false));
	for (u32 i = 0; i < 64; i++)
		set(8, 0);
	CHECK_EQ((u32)shadow_stats(shadow)->roots_dropped, 1);
	root = find_root();
	CHECK_EQ((u32)shadow_stats(shadow)->roots_made, 2);
	CHECK(touch(0x50000, false));
	v->cr3 = PD;
	CHECK(touch(0x50000, false));
	for (u32 i = 0; i < 64; i++)
		set(8, 0);
	CHECK_EQ((u32)shadow_stats(shadow)->roots_dropped, 2);
	v->cr3 = 0;
	CHECK(touch(0x50000, false));
	CHECK_EQ((u32)shadow_stats(shadow)->roots_made, 4);
}

/* Whether an entry means 4 MB is CR4's to say. */
static void test_cr4(void)
{
	shadow_begin();
	set_ram32(PD + 4, 0x400000 | P | W | U | PS);
	set_ram32(0x400000, 0x50000 | P | W | U);
	v->cr4 |= CR4_PSE;
	CHECK(touch(0x400000, false));
	CHECK_EQ(entry(0x400000) & PAGE_MASK, 0x400000);
	v->cr4 &= ~CR4_PSE;
	CHECK(touch(0x400000, false));
	CHECK_EQ(entry(0x400000) & PAGE_MASK, 0x50000);
}

static void test_mapping(void)
{
	struct phys_region rom = {.first = 0x50000, .last = 0x50fff, .rd = vm.ram + 0x50000};
	struct phys_region device = {.first = 0x51000, .last = 0x51fff};

	shadow_begin();
	CHECK(touch(0x50000, true));
	physmem_map(&vm.pm, &rom);
	physmem_map(&vm.pm, &device);
	root = find_root();
	CHECK_EQ(entry(0x50000), 0);
	CHECK(touch(0x50000, false));
	CHECK(!touch(0x50000, true));
	CHECK(!touch(0x51000, false));
	CHECK_EQ(ram32(PT + 0x51 * 4) & A, A);
	/* Tables where writes could not be seen. */
	v->cr3 = VM_RAM;
	CHECK_EQ(find_root(), 0);
}

/* In the VGA's memory any store, or port, may change any byte: tables there are not made use of. */
static void test_vga_memory(void)
{
	for (u32 vga = 0xa0000; vga < 0xc0000; vga += 0x1f000) {
		shadow_begin();
		set_ram32(PD, vga | P | W | U);
		set_ram32(vga + 0x50 * 4, 0x50000 | P | W | U);
		CHECK(!touch(0x50000, false));
		CHECK_EQ(ram32(vga + 0x50 * 4) & A, A);
		v->cr3 = vga;
		CHECK_EQ(find_root(), 0);
	}
}

int main(void)
{
	test_entries();
	test_rights();
	test_kernel();
	test_changes();
	test_roots();
	test_watched_pages();
	test_idle_stores();
	test_idle_stores_later();
	test_stores();
	test_aliases();
	test_reuse_of_tables();
	test_large();
	test_pae();
	test_root_gone();
	test_cr4();
	test_mapping();
	test_vga_memory();
	return check_done();
}
