// SPDX-License-Identifier: BSD-2-Clause
/* Segment loads and limits, far transfers, call gates, returns: success and every refusal. */
#include "tests/unit/cpu/support_vm.h"

static struct vcpu *const v = &vm.v;

enum {
	S_A = S_FREE,
	S_B = S_FREE + 8,
	S_GATE = S_FREE + 16,
};

static void test_real(void)
{
	vm_init();
	cpu_load_seg(v, SEG_DS, 0x1234);
	CHECK_EQ(v->seg[SEG_DS].base, 0x12340);
	CHECK_EQ(v->seg[SEG_DS].limit, 0xffff);
	CHECK_RAISES(mem_read32(v, SEG_DS, 0xfffd), VEC_GP, 0);
	CHECK_RAISES(mem_read16(v, SEG_SS, 0xffff), VEC_SS, 0);
	CHECK(!RAISES(mem_read32(v, SEG_DS, 0xfffc)));
	CHECK_EQ(v->seg[SEG_DS].rd_count, 0xfff1);
}

/* Limits from protected mode persist in real mode until the next protected-mode load. */
static void test_unreal(void)
{
	vm_protected();
	cpu_mov_to_cr(v, 0, 0);
	cpu_load_seg(v, SEG_DS, 0x100);
	CHECK_EQ(v->seg[SEG_DS].base, 0x1000);
	CHECK_EQ(v->seg[SEG_DS].limit, ~0u);
	CHECK(!RAISES(mem_write32(v, SEG_DS, 0x500000, 1)));
	CHECK_EQ(ram32(0x501000), 1);
	/* CS can be written at once, before a far jump gives it another base. */
	CHECK(!RAISES(mem_write8(v, SEG_CS, 0, 0)));
	cpu_far_jmp(v, 0x10, 0x20, 2, 0);
	CHECK(!RAISES(mem_write8(v, SEG_CS, 0, 0)));
	CHECK_EQ(v->seg[SEG_CS].base, 0x100);
}

static void test_data_loads(void)
{
	vm_protected();
	CHECK_RAISES(cpu_load_seg(v, SEG_SS, 0), VEC_GP, 0);
	CHECK_RAISES(cpu_load_seg(v, SEG_DS, 0x100), VEC_GP, 0x100);
	CHECK_RAISES(cpu_load_seg(v, SEG_DS, 0x0c), VEC_GP, 0x0c);
	CHECK_RAISES(cpu_load_seg(v, SEG_SS, S_CODE0), VEC_GP, S_CODE0);
	CHECK_RAISES(cpu_load_seg(v, SEG_SS, S_DATA3), VEC_GP, S_DATA3 & ~3);
	CHECK_RAISES(cpu_load_seg(v, SEG_DS, S_TSS), VEC_GP, S_TSS);
	set_desc(VM_GDT, S_A, 0, 0xff, 0x12);
	CHECK_RAISES(cpu_load_seg(v, SEG_DS, S_A), VEC_NP, S_A);
	CHECK_RAISES(cpu_load_seg(v, SEG_SS, S_A), VEC_SS, S_A);
	set_desc(VM_GDT, S_A, 0, 0xff, 0x98);
	CHECK_RAISES(cpu_load_seg(v, SEG_DS, S_A), VEC_GP, S_A);
	CHECK_RAISES(cpu_load_seg(v, SEG_DS, S_DATA0 | 1), VEC_GP, S_DATA0);
	CHECK(!RAISES(cpu_load_seg(v, SEG_DS, S_DATA3)));
	CHECK(!RAISES(cpu_load_seg(v, SEG_DS, 3)));
	CHECK_EQ(v->seg[SEG_DS].sel, 3);
	CHECK_RAISES(mem_read8(v, SEG_DS, 0), VEC_GP, 0);
	/* The accessed bit. */
	set_desc(VM_GDT, S_A, 0x5000, 0xff, D_DATA0);
	CHECK(!RAISES(cpu_load_seg(v, SEG_DS, S_A)));
	CHECK_EQ(vm.ram[VM_GDT + S_A + 5], D_DATA0 | 1);
	CHECK_EQ(v->seg[SEG_DS].attr, D_DATA0 | 1);
}

static void test_limits(void)
{
	vm_protected();
	set_desc(VM_GDT, S_A, 0x5000, 0xff, D_DATA0);
	cpu_load_seg(v, SEG_DS, S_A);
	CHECK(!RAISES(mem_read32(v, SEG_DS, 0xfc)));
	CHECK_RAISES(mem_read32(v, SEG_DS, 0xfd), VEC_GP, 0);
	CHECK_RAISES(mem_write8(v, SEG_DS, 0x100, 0), VEC_GP, 0);
	set_desc(VM_GDT, S_A, 0x5000, 0xff, 0x90);
	cpu_load_seg(v, SEG_DS, S_A);
	CHECK_EQ(v->seg[SEG_DS].wr_count, 0);
	CHECK_RAISES(mem_write8(v, SEG_DS, 0, 0), VEC_GP, 0);
	CHECK(!RAISES(mem_read8(v, SEG_DS, 0)));
	set_desc(VM_GDT, S_A, 0x5000, 0xff, 0x96);
	cpu_load_seg(v, SEG_DS, S_A);
	CHECK_RAISES(mem_read8(v, SEG_DS, 0xff), VEC_GP, 0);
	CHECK(!RAISES(mem_read8(v, SEG_DS, 0x100)));
	CHECK(!RAISES(mem_read16(v, SEG_DS, 0xfffe)));
	CHECK_RAISES(mem_read16(v, SEG_DS, 0xffff), VEC_GP, 0);
	set_desc(VM_GDT, S_A, 0x5000, 0xff, 0x96 | D_32);
	cpu_load_seg(v, SEG_DS, S_A);
	CHECK(!RAISES(mem_read16(v, SEG_DS, 0x10000)));
	set_desc(VM_GDT, S_A, 0, 0xff, D_CODE0 | D_4K);
	cpu_load_seg(v, SEG_DS, S_A);
	CHECK_EQ(v->seg[SEG_DS].limit, 0xfffff);
	CHECK_RAISES(mem_write8(v, SEG_DS, 0, 0), VEC_GP, 0);
	CHECK(mem_rmw_ptr(v, SEG_DS, 0, 1) == NULL);
	CHECK_RAISES(mem_rmw_read(v, SEG_DS, 0, 1), VEC_GP, 0);
}

static void test_far_jmp(void)
{
	vm_protected();
	CHECK_RAISES(cpu_far_jmp(v, 0, 0, 4, 0), VEC_GP, 0);
	CHECK_RAISES(cpu_far_jmp(v, S_DATA0, 0, 4, 0), VEC_GP, S_DATA0);
	CHECK_RAISES(cpu_far_jmp(v, S_CODE3, 0, 4, 0), VEC_GP, S_CODE3 & ~3);
	CHECK_RAISES(cpu_far_jmp(v, S_CODE0 | 3, 0, 4, 0), VEC_GP, S_CODE0);
	set_desc(VM_GDT, S_A, 0, 0xff, D_CODE0);
	CHECK_RAISES(cpu_far_jmp(v, S_A, 0x100, 4, 0), VEC_GP, 0);
	CHECK_EQ(v->seg[SEG_CS].sel, S_CODE0);
	CHECK_EQ(v->eip, 0x100);
	set_desc(VM_GDT, S_A, 0, 0xff, 0x1a);
	CHECK_RAISES(cpu_far_jmp(v, S_A, 0, 4, 0), VEC_NP, S_A);
	set_desc(VM_GDT, S_A, 0x7000, 0xffff, 0x9e);
	CHECK(!RAISES(cpu_far_jmp(v, S_A | 3, 0x12345678, 2, 0)));
	CHECK_EQ(v->seg[SEG_CS].sel, S_A);
	CHECK_EQ(v->eip, 0x5678);
	CHECK_EQ(v->seg[SEG_CS].base, 0x7000);
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0x44556677, 0x8c, 0);
	CHECK(!RAISES(cpu_far_jmp(v, S_GATE, 0, 4, 0)));
	CHECK_EQ(v->eip, 0x44556677);
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0x44556677, 0x84, 0);
	CHECK(!RAISES(cpu_far_jmp(v, S_GATE, 0, 4, 0)));
	CHECK_EQ(v->eip, 0x6677);
	CHECK_RAISES(cpu_far_jmp(v, S_GATE | 1, 0, 4, 0), VEC_GP, S_GATE);
	set_gate(VM_GDT, S_GATE / 8, 0, 0, 0x8c, 0);
	CHECK_RAISES(cpu_far_jmp(v, S_GATE, 0, 4, 0), VEC_GP, 0);
	set_gate(VM_GDT, S_GATE / 8, S_DATA0, 0, 0x8c, 0);
	CHECK_RAISES(cpu_far_jmp(v, S_GATE, 0, 4, 0), VEC_GP, S_DATA0);
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0, 0x0c, 0);
	CHECK_RAISES(cpu_far_jmp(v, S_GATE, 0, 4, 0), VEC_NP, S_GATE);
}

/* CALL through a gate from CPL 3 to 0 with two parameters, and RET back. */
static void test_inner_call(void)
{
	vm_user();
	CHECK_EQ(v->cpl, 3);
	CHECK_EQ(v->seg[SEG_DS].attr, 0);
	v->gpr[REG_ESP] = VM_STACK3 - 8;
	set_ram32(VM_STACK3 - 8, 0x1111);
	set_ram32(VM_STACK3 - 4, 0x2222);
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0x700, 0xec, 2);
	CHECK(!RAISES(cpu_far_call(v, S_GATE | 3, 0, 4, 0x1234)));
	CHECK_EQ(v->cpl, 0);
	CHECK_EQ(v->eip, 0x700);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK0 - 24);
	CHECK_EQ(ram32(VM_STACK0 - 24), 0x1234);
	CHECK_EQ(ram32(VM_STACK0 - 20), S_CODE3);
	CHECK_EQ(ram32(VM_STACK0 - 16), 0x1111);
	CHECK_EQ(ram32(VM_STACK0 - 12), 0x2222);
	CHECK_EQ(ram32(VM_STACK0 - 8), VM_STACK3 - 8);
	CHECK_EQ(ram32(VM_STACK0 - 4), S_DATA3);
	cpu_load_seg(v, SEG_ES, S_DATA0);
	cpu_load_seg(v, SEG_FS, S_DATA3);
	CHECK(!RAISES(cpu_far_ret(v, 4, 8)));
	CHECK_EQ(v->cpl, 3);
	CHECK_EQ(v->eip, 0x1234);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK3);
	CHECK_EQ(v->seg[SEG_ES].sel, 0);
	CHECK_EQ(v->seg[SEG_FS].sel, S_DATA3);
}

static void test_inner_call_refused(void)
{
	vm_user();
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0x700, 0xec, 0);
	set_ram16(VM_TSS + 8, 0);
	CHECK_RAISES(cpu_far_call(v, S_GATE, 0, 4, 0), VEC_TS, 0);
	set_ram16(VM_TSS + 8, S_DATA3);
	CHECK_RAISES(cpu_far_call(v, S_GATE, 0, 4, 0), VEC_TS, S_DATA3 & ~3);
	set_ram16(VM_TSS + 8, 0x208);
	CHECK_RAISES(cpu_far_call(v, S_GATE, 0, 4, 0), VEC_TS, 0x208);
	set_desc(VM_GDT, S_A, 0, 0xff, 0x12);
	set_ram16(VM_TSS + 8, S_A);
	CHECK_RAISES(cpu_far_call(v, S_GATE, 0, 4, 0), VEC_SS, S_A);
	set_desc(VM_GDT, S_A, 0, 0xff, D_DATA0);
	CHECK_RAISES(cpu_far_call(v, S_GATE, 0, 4, 0), VEC_SS, S_A);
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0x700, 0x8c, 0);
	CHECK_RAISES(cpu_far_call(v, S_GATE, 0, 4, 0), VEC_GP, S_GATE);
	v->tr.limit = 7;
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0x700, 0xec, 0);
	CHECK_RAISES(cpu_far_call(v, S_GATE, 0, 4, 0), VEC_TS, S_TSS);
	CHECK_EQ(v->cpl, 3);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK3);
}

static void test_ret_refused(void)
{
	vm_user();
	v->gpr[REG_ESP] = VM_STACK3 - 8;
	set_ram32(VM_STACK3 - 8, 0x10);
	set_ram32(VM_STACK3 - 4, S_CODE0);
	CHECK_RAISES(cpu_far_ret(v, 4, 0), VEC_GP, S_CODE0);
	set_ram32(VM_STACK3 - 4, 0);
	CHECK_RAISES(cpu_far_ret(v, 4, 0), VEC_GP, 0);
	set_ram32(VM_STACK3 - 4, S_DATA3);
	CHECK_RAISES(cpu_far_ret(v, 4, 0), VEC_GP, S_DATA3 & ~3);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK3 - 8);
}

static void test_queries(void)
{
	u32 r = 0;

	vm_user();
	CHECK(!cpu_lar(v, 0, &r));
	CHECK(!cpu_lar(v, S_DATA0, &r));
	CHECK(cpu_lar(v, S_DATA3, &r));
	CHECK_EQ(r, 0x00cff300);
	CHECK(cpu_lsl(v, S_CODE3, &r));
	CHECK_EQ(r, ~0u);
	CHECK(!cpu_lsl(v, S_TSS, &r));
	CHECK(cpu_verr(v, S_CODE3));
	CHECK(!cpu_verw(v, S_CODE3));
	CHECK(cpu_verw(v, S_DATA3));
	v->cpl = 0;
	CHECK(cpu_lsl(v, S_TSS, &r));
	CHECK_EQ(r, 0x67);
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0, 0x8e, 0);
	CHECK(!cpu_lar(v, S_GATE, &r));
	set_gate(VM_GDT, S_GATE / 8, S_CODE0, 0, 0x8c, 0);
	CHECK(cpu_lar(v, S_GATE, &r));
	CHECK(!cpu_lsl(v, S_GATE, &r));
}

static void test_ldt(void)
{
	vm_protected();
	CHECK_RAISES(cpu_load_seg(v, SEG_DS, 0x0f), VEC_GP, 0x0c);
	set_desc(VM_GDT, S_A, VM_LDT, 0xf, 0x82);
	set_desc(VM_LDT, 8, 0x5000, 0xff, D_DATA0);
	CHECK_RAISES(cpu_lldt(v, S_DATA0), VEC_GP, S_DATA0);
	CHECK(!RAISES(cpu_lldt(v, S_A)));
	CHECK(!RAISES(cpu_load_seg(v, SEG_DS, 0x0c)));
	CHECK_EQ(v->seg[SEG_DS].base, 0x5000);
	CHECK_RAISES(cpu_load_seg(v, SEG_DS, 0x14), VEC_GP, 0x14);
	CHECK_RAISES(cpu_ltr(v, S_TSS), VEC_GP, S_TSS);
}

int main(void)
{
	test_real();
	test_unreal();
	test_data_loads();
	test_limits();
	test_far_jmp();
	test_inner_call();
	test_inner_call_refused();
	test_ret_refused();
	test_queries();
	test_ldt();
	return check_done();
}
