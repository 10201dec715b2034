// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shadow page tables of random guests: each entry is compared with what the guest's own tables say.
 */
#include <string.h>
#include "cpu/mmu/walk.h"
#include "tests/unit/cpu/support_shadow.h"

static struct vcpu *const v = &vm.v;

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

	for (u32 i = 0; root && i < 1024; i++) {
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
		root = find_root();
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
	root = find_root();
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
		root = find_root();
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
	root = find_root();
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
	shadow_flush(shadow);
	random_tables(TABLE_BASE);
	random_tables(TABLE_BASE & ~BIT(20)); /* what is there without A20 */
	load_cr3(TABLE_BASE);
	root = find_root();
}

static void test_random(u32 cr4)
{
	shadow_begin();
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
	CHECK(shadow_stats(shadow)->loosened > 100);
	CHECK(shadow_stats(shadow)->prefetched > 100);
	CHECK(shadow_stats(shadow)->fills > 1000);
	CHECK(pool_pages == SHADOW_PAGES_MIN || shadow_stats(shadow)->evictions > 50);
	physmem_set_a20(&vm.pm, true);
	v->cpl = 3;
	v->cr0 &= ~CR0_WP;
}

int main(void)
{
	for (unsigned n = 0; n < 2; n++) {
		test_random(CR4_PSE);
		test_random(CR4_PAE);
		pool_pages = POOL_FEW;
	}
	return check_done();
}
