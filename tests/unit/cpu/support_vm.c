// SPDX-License-Identifier: BSD-2-Clause
/* See support_vm.h. */
#include <string.h>
#include "tests/unit/cpu/support_vm.h"

struct vm vm;

static void code_written(void *ctx, u32 gpa, u32 len)
{
	(void)ctx;
	vm.code_writes++;
	vm.code_gpa = gpa;
	vm.code_len = len;
}

static void mapping_changed(void *ctx)
{
	(void)ctx;
	mem_tlb_flush(&vm.v, true);
}

void vm_init(void)
{
	struct phys_region ram = {.last = VM_RAM - 1, .rd = vm.ram, .wr = vm.ram};

	memset(&vm, 0, sizeof(vm));
	tlb_init(&vm.tlb);
	vm.v.interp = (struct interp *)&vm.tlb;
	vm.v.mem = &vm.pm;
	vm.v.feature_mask = ~0u;
	physmem_init(&vm.pm, VM_RAM, vm.flags, sizeof(vm.flags));
	vm.pm.code_written = code_written;
	vm.pm.mapping_changed = mapping_changed;
	physmem_map(&vm.pm, &ram);
	vcpu_reset(&vm.v);
}

void set_ram32(u32 addr, u32 value)
{
	memcpy(vm.ram + addr, &value, 4);
}

void set_ram16(u32 addr, u16 value)
{
	memcpy(vm.ram + addr, &value, 2);
}

u32 ram32(u32 addr)
{
	u32 value;

	memcpy(&value, vm.ram + addr, 4);
	return value;
}

u16 ram16(u32 addr)
{
	return (u16)ram32(addr);
}

void set_desc(u32 table, u16 sel, u32 base, u32 limit, u32 flags)
{
	u32 addr = table + (sel & 0xfff8u);

	set_ram32(addr, (limit & 0xffff) | base << 16);
	set_ram32(addr + 4, ((base >> 16) & 0xff) | (base & 0xff000000) | (flags & 0xff) << 8 |
				    (limit & 0xf0000) | (flags & 0xf00) << 12);
}

void set_gate(u32 table, u16 index, u16 sel, u32 off, u8 access, u8 params)
{
	set_ram32(table + index * 8u, (off & 0xffff) | (u32)sel << 16);
	set_ram32(table + index * 8u + 4, (off & 0xffff0000) | (u32)access << 8 | params);
}

void vm_protected(void)
{
	struct vcpu *v = &vm.v;

	vm_init();
	set_desc(VM_GDT, S_CODE0, 0, 0xfffff, D_CODE0 | D_32 | D_4K);
	set_desc(VM_GDT, S_DATA0, 0, 0xfffff, D_DATA0 | D_32 | D_4K);
	set_desc(VM_GDT, S_CODE3, 0, 0xfffff, D_CODE3 | D_32 | D_4K);
	set_desc(VM_GDT, S_DATA3, 0, 0xfffff, D_DATA3 | D_32 | D_4K);
	set_desc(VM_GDT, S_TSS, VM_TSS, 0x67, 0x89);
	set_ram32(VM_TSS + 4, VM_STACK0);
	set_ram16(VM_TSS + 8, S_DATA0);
	set_ram16(VM_TSS + 102, 0x68);
	v->gdtr = (struct desc_table){VM_GDT, 0xff};
	v->idtr = (struct desc_table){VM_IDT, 0x7ff};
	if (RAISES({
		    cpu_mov_to_cr(v, 0, CR0_PE);
		    cpu_far_jmp(v, S_CODE0, 0x100, 4, 0);
		    cpu_load_seg(v, SEG_SS, S_DATA0);
		    cpu_load_seg(v, SEG_DS, S_DATA0);
		    cpu_load_seg(v, SEG_ES, S_DATA0);
		    cpu_load_seg(v, SEG_FS, 0);
		    cpu_load_seg(v, SEG_GS, 0);
		    cpu_ltr(v, S_TSS);
	    }))
		check(false, "vm_protected", __FILE__, __LINE__);
	v->gpr[REG_ESP] = VM_STACK0;
}

void vm_user(void)
{
	struct vcpu *v = &vm.v;

	vm_protected();
	v->gpr[REG_ESP] = VM_STACK0 - 20;
	set_ram32(VM_STACK0 - 20, 0x200);
	set_ram32(VM_STACK0 - 16, S_CODE3);
	set_ram32(VM_STACK0 - 12, FLAGS_FIXED | FLAG_IF);
	set_ram32(VM_STACK0 - 8, VM_STACK3);
	set_ram32(VM_STACK0 - 4, S_DATA3);
	if (RAISES(cpu_iret(v, 4, 0)))
		check(false, "vm_user", __FILE__, __LINE__);
}
