/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cpu/support_shadow.h"
#include <stdlib.h>
#include <string.h>
#include "cpu/mmu/walk.h"

#define POOL_PHYS 0x20000000u

struct shadow *shadow;
u32 pool_pages = SHADOW_PAGES_MIN;
u32 root;

static u8 pool[SHADOW_PAGES_MIN * PAGE_SIZE] __attribute__((aligned(4096)));

void set(u32 gpa, u32 value)
{
	physmem_write(&vm.pm, gpa, &value, 4);
}

const u32 *table_at(u32 phys)
{
	return (const u32 *)(const void *)(pool + ((phys & PAGE_MASK) - POOL_PHYS));
}

u32 entry(u32 lin)
{
	u32 pde = root ? table_at(root)[lin >> 22] : 0;

	return (pde & P) && lin >> 22 != OWN_INDEX ? table_at(pde)[lin >> 12 & 1023] : 0;
}

u32 find_root(void)
{
	static struct {
		u32 cr0, cr3, cr4, mapping;
		u64 pdpte[4];
	} before, now;

	now.cr0 = vm.v.cr0;
	now.cr3 = vm.v.cr3;
	now.cr4 = vm.v.cr4;
	now.mapping = vm.pm.mapping;
	memcpy(now.pdpte, vm.v.pdpte, sizeof(now.pdpte));
	vm.v.tables += memcmp(&before, &now, sizeof(now)) != 0;
	before = now;
	return shadow_root(shadow);
}

bool touch(u32 lin, bool write)
{
	u32 need = P | U | (write ? W : 0);

	root = find_root();
	if ((entry(lin) & need) == need)
		return true;
	if (!root || !shadow_fill(shadow, lin, write))
		return false;
	root = find_root();
	CHECK_EQ(entry(lin) & need, need);
	return true;
}

void shadow_begin(void)
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
	shadow = shadow_init(&vm.v, arena, &c);
	for (u32 i = 0; i < 1024; i++)
		set_ram32(PT + i * 4, i << 12 | P | W | U);
	set_ram32(PD, PT | P | W | U);
	vm.v.cr3 = PD;
	vm.v.cr0 |= CR0_PG | CR0_PE;
}

void shadow_begin_pae(void)
{
	shadow_begin();
	vm.v.cr4 |= CR4_PAE;
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
	CHECK(pdpte_load(&vm.v, PDPT));
	vm.v.cr3 = PDPT;
}
