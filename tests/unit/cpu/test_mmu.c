// SPDX-License-Identifier: BSD-2-Clause
/* Paging: A and D bits, rights, error codes, WP, large pages, PAE, global pages, page crossing. */
#include "tests/unit/cpu/support_paging.h"
#include "tests/unit/cpu/support_vm.h"

static struct vcpu *const v = &vm.v;

/* Identity mapping of the first 4 MB in 4 KB pages. */
static void paged(void)
{
	for (u32 i = 0; i < 1024; i++)
		set_ram32(PT + i * 4, i << 12 | P | W | U);
	set_ram32(PD, PT | P | W | U);
	cpu_mov_to_cr(v, 3, PD);
	cpu_mov_to_cr(v, 0, v->cr0 | CR0_PG | CR0_PE);
}

static void set_pte(u32 lin, u32 value)
{
	set_ram32(PT + (lin >> 12) * 4, value);
	mem_tlb_flush_page(v, lin);
}

static u32 pte(u32 lin)
{
	return ram32(PT + (lin >> 12) * 4);
}

static void test_ad_bits(void)
{
	vm_protected();
	paged();
	set_ram32(0x50000, 0x12345678);
	CHECK_EQ(mem_read32(v, SEG_DS, 0x50000), 0x12345678);
	CHECK_EQ(pte(0x50000), 0x50000 | P | W | U | A);
	CHECK_EQ(ram32(PD), PT | P | W | U | A);
	mem_write8(v, SEG_DS, 0x50000, 0x99);
	CHECK_EQ(pte(0x50000), 0x50000 | P | W | U | A | D);
	CHECK_EQ(ram32(0x50000), 0x12345699);
}

static void test_supervisor_rights(void)
{
	vm_protected();
	paged();
	set_pte(0x50000, 0x50000 | P);
	CHECK(!RAISES(mem_write8(v, SEG_DS, 0x50000, 1)));
	cpu_mov_to_cr(v, 0, v->cr0 | CR0_WP);
	CHECK_RAISES(mem_write8(v, SEG_DS, 0x50000, 1), VEC_PF, 3);
	CHECK_EQ(v->cr2, 0x50000);
	CHECK(!RAISES(mem_read8(v, SEG_DS, 0x50000)));
	set_pte(0x51000, 0);
	CHECK_RAISES(mem_read8(v, SEG_DS, 0x51234), VEC_PF, 0);
	CHECK_EQ(v->cr2, 0x51234);
	CHECK_RAISES(mem_write8(v, SEG_DS, 0x51234, 0), VEC_PF, 2);
}

static void test_user_rights(void)
{
	vm_user();
	v->cpl = 0;
	paged();
	v->cpl = 3;
	cpu_mode_changed(v);
	set_pte(0x50000, 0x50000 | P | W);
	set_pte(0x51000, 0x51000 | P | U);
	set_pte(0x52000, 0);
	CHECK_RAISES(mem_read8(v, SEG_SS, 0x50010), VEC_PF, 5);
	CHECK_RAISES(mem_write8(v, SEG_SS, 0x50010, 0), VEC_PF, 7);
	CHECK(!RAISES(mem_read8(v, SEG_SS, 0x51010)));
	CHECK_RAISES(mem_write8(v, SEG_SS, 0x51010, 0), VEC_PF, 7);
	CHECK_RAISES(mem_read8(v, SEG_SS, 0x52010), VEC_PF, 4);
	CHECK(!RAISES(lin_read32(v, 0x50010)));
	CHECK_EQ(pte(0x50000), 0x50000 | P | W | A);
	CHECK_RAISES(mem_read8(v, SEG_SS, 0x50010), VEC_PF, 5);
}

/* What fills the TLB ahead of an access raises nothing and sets neither A nor D. */
static void test_tlb_ready(void)
{
	const struct tlb_entry *e;

	vm_protected();
	paged();
	set_ram32(0x50010, 0x12345678);
	CHECK(!mem_tlb_ready(v, 0x50010, false, false)); /* A is clear */
	CHECK_EQ(pte(0x50000), 0x50000 | P | W | U);
	mem_read8(v, SEG_DS, 0x60000); /* A in the directory */
	set_pte(0x50000, 0x50000 | P | W | A);
	e = mem_tlb_ready(v, 0x50010, false, false);
	CHECK(e && *(const u32 *)(0x50010 + e->addend) == 0x12345678);
	CHECK(!mem_tlb_ready(v, 0x50010, true, false)); /* D is clear */
	CHECK(!mem_tlb_ready(v, 0x50010, false, true)); /* the supervisor's */
	CHECK_EQ(pte(0x50000), 0x50000 | P | W | A);
	set_pte(0x50000, 0x50000 | P | W | U | A | D);
	CHECK(mem_tlb_ready(v, 0x50010, true, false) && mem_tlb_ready(v, 0x50010, false, true));
	set_pte(0x50000, 0);
	CHECK(!mem_tlb_ready(v, 0x50010, false, false));
	set_pte(0x50000, 0x50000 | P | A);
	cpu_mov_to_cr(v, 0, v->cr0 | CR0_WP);
	CHECK(!mem_tlb_ready(v, 0x50010, true, false));
	cpu_mov_to_cr(v, 0, v->cr0 & ~(CR0_PG | CR0_WP));
	CHECK(!mem_tlb_ready(v, 0x50010, false, false)); /* there is nothing to be ready */
}

/* A write across two pages is checked in whole before a byte moves. */
static void test_crossing(void)
{
	vm_protected();
	paged();
	set_ram32(0x50ffc, 0);
	set_pte(0x51000, 0);
	CHECK_RAISES(mem_write32(v, SEG_DS, 0x50ffe, ~0u), VEC_PF, 2);
	CHECK_EQ(v->cr2, 0x51000);
	CHECK_EQ(ram32(0x50ffc), 0);
	set_pte(0x51000, 0x60000 | P | W | U);
	CHECK(!RAISES(mem_write32(v, SEG_DS, 0x50ffe, 0xaabbccdd)));
	CHECK_EQ(ram32(0x50ffc), 0xccdd0000);
	CHECK_EQ(ram32(0x60000), 0xaabb);
	CHECK_EQ(mem_read32(v, SEG_DS, 0x50ffe), 0xaabbccdd);
	set_pte(0x51000, 0x60000 | P);
	cpu_mov_to_cr(v, 0, v->cr0 | CR0_WP);
	CHECK_RAISES(mem_rmw_read(v, SEG_DS, 0x50ffe, 4), VEC_PF, 3);
}

static void test_large(void)
{
	vm_protected();
	paged();
	cpu_mov_to_cr(v, 4, CR4_PSE);
	set_ram32(PD + 4, 0x400000 | P | W | PS);
	set_ram32(0x456788, 77);
	CHECK_EQ(mem_read32(v, SEG_DS, 0x456788), 77);
	CHECK_EQ(ram32(PD + 4), 0x400000 | P | W | PS | A);
	mem_write8(v, SEG_DS, 0x456788, 78);
	CHECK_EQ(ram32(PD + 4), 0x400000 | P | W | PS | A | D);
	/* INVLPG anywhere in it drops all of it. */
	set_ram32(PD + 4, 0);
	CHECK(!RAISES(mem_read32(v, SEG_DS, 0x456788)));
	cpu_invlpg(v, SEG_DS, 0x7ff000);
	CHECK_RAISES(mem_read32(v, SEG_DS, 0x456788), VEC_PF, 0);
	set_ram32(PD + 4, 0x400000 | 0x2000 | P | W | PS);
	CHECK_RAISES(mem_read32(v, SEG_DS, 0x456788), VEC_PF, 9);
	cpu_mov_to_cr(v, 4, 0);
	set_ram32(PD + 4, PT | P | W | U | PS);
	CHECK(!RAISES(mem_read32(v, SEG_DS, 0x456788)));
}

static void test_global(void)
{
	vm_protected();
	paged();
	cpu_mov_to_cr(v, 4, CR4_PGE);
	set_pte(0x50000, 0x50000 | P | W | G);
	mem_read32(v, SEG_DS, 0x50000);
	mem_read32(v, SEG_DS, 0x51000);
	set_ram32(PT + 0x50 * 4, 0);
	set_ram32(PT + 0x51 * 4, 0);
	cpu_mov_to_cr(v, 3, PD);
	CHECK(!RAISES(mem_read32(v, SEG_DS, 0x50000)));
	CHECK(RAISES(mem_read32(v, SEG_DS, 0x51000)));
	cpu_mov_to_cr(v, 4, 0);
	CHECK(RAISES(mem_read32(v, SEG_DS, 0x50000)));
}

static void set_entry64(u32 addr, u32 low, u32 high)
{
	set_ram32(addr, low);
	set_ram32(addr + 4, high);
}

static void test_pae(void)
{
	const u32 pdpt = 0x102020, pd = 0x103000, pt = 0x104000;

	vm_protected();
	set_entry64(pdpt, pd | P, 0);
	set_entry64(pd, 0 | P | W | U | PS, 0);
	set_entry64(pd + 8, pt | P | W, 0);
	set_entry64(pt + 8, 0x300000 | P | W | U, 0);
	cpu_mov_to_cr(v, 4, CR4_PAE);
	cpu_mov_to_cr(v, 3, pdpt);
	cpu_mov_to_cr(v, 0, v->cr0 | CR0_PG);
	set_ram32(0x300010, 4711);
	CHECK_EQ(mem_read32(v, SEG_DS, 0x201010), 4711);
	CHECK_EQ(ram32(pt + 8), 0x300000 | P | W | U | A);
	CHECK_EQ(ram32(pd), P | W | U | PS);
	CHECK_RAISES(mem_read32(v, SEG_DS, 0x202010), VEC_PF, 0);
	CHECK_RAISES(mem_read32(v, SEG_DS, 0x40000000), VEC_PF, 0);
	set_entry64(pt + 16, 0x300000 | P, 1);
	CHECK_RAISES(mem_read32(v, SEG_DS, 0x202010), VEC_PF, 9);
	/* A reserved bit in a PDPTE: #GP from MOV CR3, and the old table stays. */
	set_entry64(pdpt + 0x20, pd | P | W, 0);
	CHECK_RAISES(cpu_mov_to_cr(v, 3, pdpt + 0x20), VEC_GP, 0);
	CHECK_EQ(v->cr3, pdpt);
}

static void test_code_pages(void)
{
	vm_protected();
	mem_write32(v, SEG_DS, 0x50000, 1);
	vm.flags[0x50] = PHYS_PAGE_CODE;
	mem_tlb_protect(v, 0x50000);
	mem_write32(v, SEG_DS, 0x50004, 2);
	CHECK_EQ(vm.code_writes, 1);
	CHECK_EQ(vm.code_gpa, 0x50004);
	CHECK(mem_rmw_ptr(v, SEG_DS, 0x50004, 4) == NULL);
	vm.flags[0x50] = 0;
	mem_write32(v, SEG_DS, 0x50004, 3);
	mem_write32(v, SEG_DS, 0x50004, 4);
	CHECK_EQ(vm.code_writes, 1);
	CHECK(mem_rmw_ptr(v, SEG_DS, 0x50004, 4) == vm.ram + 0x50004);
}

/* One page after the other becomes watched, those of the same hash included. */
static void test_watched_pages(void)
{
	vm_protected();
	for (u32 i = 0; i < 32; i++)
		mem_write32(v, SEG_DS, 0x50000 + i * 0x11000, i);
	for (u32 i = 0; i < 32; i++) {
		u32 gpa = 0x50000 + i * 0x11000;

		vm.flags[gpa >> 12] = PHYS_PAGE_CODE;
		mem_tlb_protect(v, gpa);
		mem_write32(v, SEG_DS, gpa, 1);
		CHECK_EQ(vm.code_writes, i + 1);
		CHECK_EQ(vm.code_gpa, gpa);
	}
}

/* All addresses of a page that becomes watched, and those of pages that share its place in a hash.
 */
static void test_watched_aliases(void)
{
	static const u32 pages[][3] = {{0x50000, 0x60000, 0x70000}, {0x80000, 0x90000, 0x90000}};

	for (u32 n = 0; n < 2; n++) {
		u32 gpa = pages[n][0];

		vm_protected();
		paged();
		for (u32 i = 1; i < 3; i++)
			set_pte(pages[n][i], gpa | P | W | U);
		for (u32 i = 0; i < 3; i++)
			mem_write32(v, SEG_DS, pages[n][i], i);
		mem_write32(v, SEG_DS, 0xa0000, 1);
		vm.flags[gpa >> 12] = PHYS_PAGE_CODE;
		mem_tlb_protect(v, gpa);
		for (u32 i = 0; i < 3; i++) {
			mem_write32(v, SEG_DS, pages[n][i], i);
			CHECK_EQ(vm.code_writes, i + 1);
		}
		/* It is no longer, is written to, and is again. */
		vm.flags[gpa >> 12] = 0;
		for (u32 i = 0; i < 3; i++)
			mem_write32(v, SEG_DS, pages[n][i], i);
		vm.flags[gpa >> 12] = PHYS_PAGE_CODE;
		mem_tlb_protect(v, gpa);
		for (u32 i = 0; i < 3; i++)
			mem_write32(v, SEG_DS, pages[n][i], i);
		CHECK_EQ(vm.code_writes, 6);
	}
}

static void test_a20(void)
{
	vm_protected();
	set_ram32(0x1234, 1);
	set_ram32(0x101234, 2);
	CHECK_EQ(mem_read32(v, SEG_DS, 0x101234), 2);
	physmem_set_a20(&vm.pm, false);
	CHECK_EQ(mem_read32(v, SEG_DS, 0x101234), 1);
	physmem_set_a20(&vm.pm, true);
	CHECK_EQ(mem_read32(v, SEG_DS, 0x101234), 2);
}

static void test_span(void)
{
	u32 len = 0x10000;

	vm_protected();
	paged();
	CHECK(mem_span(v, SEG_DS, 0x50010, &len, false) == vm.ram + 0x50010);
	CHECK_EQ(len, 0xff0);
	len = 8;
	CHECK(mem_span(v, SEG_DS, 0x50010, &len, true) == vm.ram + 0x50010);
	CHECK_EQ(len, 8);
	CHECK(pte(0x50000) & D);
	vm.flags[0x50] = PHYS_PAGE_CODE;
	mem_tlb_protect(v, 0x50000);
	CHECK(!mem_span(v, SEG_DS, 0x50010, &len, true));
}

#define FILLS() ((u32)v->stats.tlb_fills)

/* What a load of CR3 leaves in the TLB of a kernel in a large page, and what it may not. */
static void test_large_page_and_cr3(void)
{
	const u32 pd2 = 0x102000, rights = P | W | PS, lin = 0xc0000000 + 0x5000;
	u32 fills, entry = PD + (lin >> 22) * 4;

	vm_protected();
	set_ram32(0x5000, 0x1111);
	set_ram32(0x405000, 0x2222);
	for (u32 way = 0; way < 6; way++) {
		paged();
		v->cr4 |= CR4_PSE;
		set_ram32(entry, rights);
		mem_tlb_flush(v, true);
		mem_write32(v, SEG_DS, lin, 0x1111);
		CHECK_EQ(ram32(entry), rights | A | D);
		mem_read32(v, SEG_DS, 0x50000);
		fills = FILLS();
		cpu_mov_to_cr(v, 3, PD);
		CHECK_EQ(mem_read32(v, SEG_DS, lin), 0x1111);
		CHECK_EQ(FILLS(), fills); /* it has stayed, */
		mem_read32(v, SEG_DS, 0x50000);
		CHECK_EQ(FILLS(), fills + 1); /* others have not */
		switch (way) {
		case 0: /* elsewhere */
			set_ram32(entry, 4 * MB | rights | A | D);
			cpu_mov_to_cr(v, 3, PD);
			CHECK_EQ(mem_read32(v, SEG_DS, lin), 0x2222);
			break;
		case 1: /* another directory, and what it says */
			set_ram32(pd2 + (lin >> 22) * 4, 4 * MB | rights | A | D);
			set_ram32(pd2, PT | P | W | U);
			cpu_mov_to_cr(v, 3, pd2);
			CHECK_EQ(mem_read32(v, SEG_DS, lin), 0x2222);
			break;
		case 2: /* A and D are set again */
			set_ram32(entry, rights | A);
			cpu_mov_to_cr(v, 3, PD);
			mem_write32(v, SEG_DS, lin, 0x1111);
			CHECK_EQ(ram32(entry), rights | A | D);
			set_ram32(entry, rights);
			cpu_mov_to_cr(v, 3, PD);
			mem_read32(v, SEG_DS, lin);
			CHECK_EQ(ram32(entry), rights | A);
			break;
		case 3: /* nowhere */
			set_ram32(entry, 0);
			cpu_mov_to_cr(v, 3, PD);
			CHECK_RAISES(mem_read32(v, SEG_DS, lin), VEC_PF, 0);
			break;
		case 4: /* INVLPG is for each page of it */
			set_ram32(entry, 4 * MB | rights | A | D);
			mem_tlb_flush_page(v, lin + 0x7000);
			CHECK_EQ(mem_read32(v, SEG_DS, lin), 0x2222);
			break;
		default: /* its slot has become another page's */
			mem_read32(v, SEG_DS, 0x5000);
			fills = FILLS();
			cpu_mov_to_cr(v, 3, PD);
			mem_read32(v, SEG_DS, 0x5000);
			CHECK_EQ(FILLS(), fills + 1);
			break;
		}
	}
}

#define REGIONS (TLB_LARGE + 4)

/*
 * Large pages that change at random before loads of CR3, and with INVLPG: what is read there is
 * always what the directory of that moment says. One that has stayed needs no walk.
 */
static void test_large_pages_and_cr3(void)
{
	const u32 rights = P | W | PS, base = 0xc0000000;
	u32 state = 4321, stayed = 0, loads;

	vm_protected();
	paged();
	v->cr4 |= CR4_PSE;
	for (u32 page = 0; page < 4; page++) {
		set_ram32(0x5000 + page * 0x1000, page);
		set_ram32(0x405000 + page * 0x1000, 100 + page);
	}
	for (u32 i = 0; i < REGIONS; i++)
		set_ram32(PD + ((base >> 22) + i) * 4, rights);
	mem_tlb_flush(v, true);
	for (u32 round = 0; round < 4000; round++) {
		u32 i, page, lin, entry, fills;

		state = state * 1664525 + 1013904223;
		i = (state >> 8) % REGIONS;
		page = (state >> 16) % 4;
		lin = base + i * 4 * MB + 0x5000 + page * 0x1000;
		entry = PD + (lin >> 22) * 4;
		if ((state >> 28) < 2) {
			set_ram32(entry, ram32(entry) ^ 4 * MB);
			if (state >> 28)
				mem_tlb_flush_page(v, lin + 0x1000);
		}
		loads = v->kept_loads;
		if (state >> 24 & 1 || !(state >> 28))
			cpu_mov_to_cr(v, 3, PD);
		loads = v->kept_loads - loads;
		fills = FILLS();
		CHECK_EQ(mem_read32(v, SEG_DS, lin), page + (ram32(entry) & 4 * MB ? 100 : 0));
		stayed += fills == FILLS() && loads;
	}
	CHECK(stayed > 200);
	mem_tlb_flush(v, true);
	mem_read32(v, SEG_DS, base + 0x5000);
	CHECK(tlb_outlasts(v, base + 0x5000));
	mem_read32(v, SEG_DS, 0x7000);
	CHECK(!tlb_outlasts(v, 0x7000));
}

static u32 order;

static u32 device_read(void *dev, u32 gpa, unsigned width)
{
	(void)dev;
	(void)width;
	order = order << 4 | (gpa & 15);
	return gpa;
}

static void device_write(void *dev, u32 gpa, unsigned width, u32 value)
{
	(void)value;
	device_read(dev, gpa, width);
}

/* A device in two pages sees the bytes from the lowest address on, as within a page. */
static void test_crossing_in_device(void)
{
	static const struct mmio_ops ops = {device_read, device_write};
	struct phys_region r = {.first = 0x700000, .last = 0x701fff, .mmio = &ops};

	vm_protected();
	CHECK_EQ(physmem_map(&vm.pm, &r), 0);
	order = 0;
	CHECK_EQ(mem_read32(v, SEG_DS, 0x700ffe), 0x0100fffe);
	CHECK_EQ(order, 0xef01);
	order = 0;
	mem_write32(v, SEG_DS, 0x700fff, 1);
	CHECK_EQ(order, 0xf012);
}

int main(void)
{
	test_crossing_in_device();
	test_large_pages_and_cr3();
	test_watched_aliases();
	test_large_page_and_cr3();
	test_ad_bits();
	test_supervisor_rights();
	test_user_rights();
	test_tlb_ready();
	test_crossing();
	test_large();
	test_global();
	test_pae();
	test_code_pages();
	test_watched_pages();
	test_a20();
	test_span();
	return check_done();
}
