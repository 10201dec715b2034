// SPDX-License-Identifier: BSD-2-Clause
/* Event delivery: IVT, gates, error codes with EXT, double and triple faults, V86 mode, VME, IRET.
 */
#include "tests/unit/cpu/support_vm.h"

static struct vcpu *const v = &vm.v;

#define HANDLER 0x600u
#define INT32	0x8e
#define TRAP32	0x8f
#define INT16	0x86

static void test_real(void)
{
	vm_init();
	set_ram16(0x80 * 4, 0x55);
	set_ram16(0x80 * 4 + 2, 0x1000);
	cpu_far_jmp(v, 0x200, 0x10, 2, 0);
	cpu_load_seg(v, SEG_SS, 0x800);
	v->gpr[REG_ESP] = 0xffff0100;
	vcpu_set_eflags(v, FLAG_IF | FLAG_TF | FLAG_CF | FLAGS_FIXED);
	cpu_int(v, 0x80, 0x12);
	CHECK_EQ(v->gpr[REG_ESP], 0xffff00fa);
	CHECK_EQ(v->eip, 0x55);
	CHECK_EQ(v->seg[SEG_CS].sel, 0x1000);
	CHECK_EQ(vcpu_eflags(v), FLAG_CF | FLAGS_FIXED);
	CHECK_EQ(ram16(0x80fa), 0x12);
	CHECK_EQ(ram16(0x80fc), 0x200);
	CHECK_EQ(ram16(0x80fe), FLAG_IF | FLAG_TF | FLAG_CF | FLAGS_FIXED);
	cpu_iret(v, 2, 0);
	CHECK_EQ(v->eip, 0x12);
	CHECK_EQ(vcpu_eflags(v), FLAG_IF | FLAG_TF | FLAG_CF | FLAGS_FIXED);
	v->idtr.limit = 0x1ff;
	CHECK_RAISES(cpu_int(v, 0x80, 0x12), VEC_GP, 0);
}

static void test_same_level(void)
{
	vm_protected();
	set_gate(VM_IDT, VEC_GP, S_CODE0, HANDLER, TRAP32, 0);
	v->eip = 0x333;
	vcpu_set_eflags(v, FLAG_IF | FLAG_NT | FLAG_TF | FLAGS_FIXED);
	CHECK(cpu_exception(v, VEC_GP, 0x1234));
	CHECK_EQ(v->eip, HANDLER);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK0 - 16);
	CHECK_EQ(ram32(VM_STACK0 - 16), 0x1234);
	CHECK_EQ(ram32(VM_STACK0 - 12), 0x333);
	CHECK_EQ(ram32(VM_STACK0 - 4), FLAG_IF | FLAG_NT | FLAG_TF | FLAG_RF | FLAGS_FIXED);
	CHECK_EQ(vcpu_eflags(v), FLAG_IF | FLAGS_FIXED);
	set_gate(VM_IDT, 0x30, S_CODE0, 0x10600, INT16, 0);
	CHECK(cpu_deliver(v, 0x30, EVENT_EXTERNAL));
	CHECK_EQ(v->eip, 0x600);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK0 - 22);
	CHECK(!(v->eflags & FLAG_IF));
}

static void test_inner(void)
{
	vm_user();
	set_gate(VM_IDT, 0x80, S_CODE0, HANDLER, TRAP32 | 0x60, 0);
	CHECK(!RAISES(cpu_int(v, 0x80, 0x202)));
	CHECK_EQ(v->cpl, 0);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK0 - 20);
	CHECK_EQ(v->seg[SEG_SS].sel, S_DATA0);
	CHECK_EQ(ram32(VM_STACK0 - 8), VM_STACK3);
	CHECK_EQ(ram32(VM_STACK0 - 4), S_DATA3);
	CHECK(!RAISES(cpu_iret(v, 4, 0)));
	CHECK_EQ(v->cpl, 3);
	CHECK_EQ(v->eip, 0x202);
	set_gate(VM_IDT, 0x81, S_CODE0, HANDLER, TRAP32, 0);
	CHECK_RAISES(cpu_int(v, 0x81, 0x202), VEC_GP, 0x81 * 8 + 2);
	set_gate(VM_IDT, 0x82, S_CODE0, HANDLER, 0x6f, 0);
	CHECK_RAISES(cpu_int(v, 0x82, 0x202), VEC_NP, 0x82 * 8 + 2);
	CHECK_RAISES(cpu_int(v, 0xff, 0x202), VEC_GP, 0xff * 8 + 2);
	set_gate(VM_IDT, 0x83, S_DATA0, HANDLER, TRAP32 | 0x60, 0);
	CHECK_RAISES(cpu_int(v, 0x83, 0x202), VEC_GP, S_DATA0);
	CHECK_EQ(v->cpl, 3);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK3);
}

static void test_double_fault(void)
{
	vm_protected();
	set_gate(VM_IDT, VEC_DF, S_CODE0, HANDLER, INT32, 0);
	v->eip = 0x333;
	/* #GP, and its gate is empty: #GP again, so #DF with error code 0. */
	CHECK(cpu_exception(v, VEC_GP, 0x10));
	CHECK_EQ(v->eip, HANDLER);
	CHECK_EQ(ram32(VM_STACK0 - 16), 0);
	CHECK_EQ(ram32(VM_STACK0 - 12), 0x333);
	/* #UD is benign: the second fault is delivered itself, with EXT. */
	set_gate(VM_IDT, VEC_GP, S_CODE0, HANDLER + 1, INT32, 0);
	v->gpr[REG_ESP] = VM_STACK0;
	CHECK(cpu_exception(v, VEC_UD, 0));
	CHECK_EQ(v->eip, HANDLER + 1);
	CHECK_EQ(ram32(VM_STACK0 - 16), VEC_UD * 8 + 2 + 1);
	/* An external interrupt likewise. */
	v->gpr[REG_ESP] = VM_STACK0;
	CHECK(cpu_deliver(v, 0x20, EVENT_EXTERNAL));
	CHECK_EQ(v->eip, HANDLER + 1);
	CHECK_EQ(ram32(VM_STACK0 - 16), 0x20 * 8 + 2 + 1);
	v->idtr.limit = 0;
	CHECK(!cpu_exception(v, VEC_GP, 0));
}

static void test_v86(void)
{
	static const u16 frame[] = {0x100, 0,	 0x1000, 0,    0x0202, 0x2,  0x800, 0,	  0x900,
				    0,	   0x11, 0,	 0x22, 0,      0x33, 0,	    0x44, 0};

	vm_protected();
	v->gpr[REG_ESP] = VM_STACK0 - 36;
	for (u32 i = 0; i < ARRAY_SIZE(frame); i++)
		set_ram16(VM_STACK0 - 36 + i * 2, frame[i]);
	CHECK(!RAISES(cpu_iret(v, 4, 0)));
	CHECK(vcpu_v86(v));
	CHECK_EQ(v->cpl, 3);
	CHECK_EQ(v->seg[SEG_CS].base, 0x10000);
	CHECK_EQ(v->seg[SEG_SS].base, 0x9000);
	CHECK_EQ(v->seg[SEG_ES].sel, 0x11);
	CHECK_EQ(v->seg[SEG_GS].sel, 0x44);
	CHECK_RAISES(cpu_int(v, 0x21, 0x102), VEC_GP, 0);
	CHECK_RAISES(cpu_cli(v), VEC_GP, 0);
	CHECK_RAISES(cpu_check_io(v, 0x60, 1), VEC_GP, 0);
	set_gate(VM_IDT, VEC_GP, S_CODE0, HANDLER, INT32, 0);
	CHECK(cpu_exception(v, VEC_GP, 0));
	CHECK(!vcpu_v86(v));
	CHECK_EQ(v->cpl, 0);
	CHECK_EQ(v->gpr[REG_ESP], VM_STACK0 - 40);
	CHECK_EQ(ram32(VM_STACK0 - 4), 0x44);
	CHECK_EQ(ram32(VM_STACK0 - 16), 0x11);
	CHECK_EQ(ram32(VM_STACK0 - 20), 0x900);
	CHECK_EQ(ram32(VM_STACK0 - 40), 0);
	CHECK_EQ(v->seg[SEG_DS].sel, 0);
	CHECK_EQ(v->seg[SEG_DS].attr, 0);
	v->gpr[REG_ESP] += 4;
	CHECK(!RAISES(cpu_iret(v, 4, 0)));
	CHECK(vcpu_v86(v));
	CHECK_EQ(v->eip, 0x100);
}

static void test_vme(void)
{
	test_v86();
	v->cpl = 0;
	cpu_mov_to_cr(v, 4, CR4_VME);
	v->cpl = 3;
	v->tr.limit = 0x200;
	set_ram16(VM_TSS + 102, 0x88);
	set_ram16(0x21 * 4, 0x77);
	set_ram16(0x21 * 4 + 2, 0x2000);
	v->eflags |= FLAG_VIF;
	CHECK(!RAISES(cpu_int(v, 0x21, 0x102)));
	CHECK(vcpu_v86(v));
	CHECK_EQ(v->eip, 0x77);
	CHECK_EQ(v->seg[SEG_CS].sel, 0x2000);
	CHECK(!(v->eflags & FLAG_VIF));
	CHECK_EQ(ram16(0x9000 + 0x7fe) & (FLAG_IOPL | FLAG_IF), FLAG_IOPL | FLAG_IF);
	CHECK(!RAISES(cpu_iret(v, 2, 0)));
	CHECK_EQ(v->eip, 0x102);
	CHECK(v->eflags & FLAG_VIF);
	cpu_cli(v);
	CHECK(!(v->eflags & FLAG_VIF));
	v->eflags |= FLAG_VIP;
	CHECK_RAISES(cpu_sti(v), VEC_GP, 0);
	set_ram32(VM_TSS + 0x88 - 32 + 0x21 / 8, ~0u);
	CHECK_RAISES(cpu_int(v, 0x21, 0x102), VEC_GP, 0);
}

static void test_io_bitmap(void)
{
	vm_user();
	v->tr.limit = 0x68 + 0x20;
	set_ram16(VM_TSS + 102, 0x68);
	set_ram32(VM_TSS + 0x68, 0);
	set_ram32(VM_TSS + 0x6c, 1u << 8);
	CHECK(!RAISES(cpu_check_io(v, 0x20, 4)));
	CHECK_RAISES(cpu_check_io(v, 0x28, 1), VEC_GP, 0);
	CHECK_RAISES(cpu_check_io(v, 0x25, 4), VEC_GP, 0);
	CHECK(!RAISES(cpu_check_io(v, 0x24, 4)));
	CHECK_RAISES(cpu_check_io(v, 0x400, 1), VEC_GP, 0);
	v->eflags |= FLAG_IOPL;
	CHECK(!RAISES(cpu_check_io(v, 0x400, 1)));
}

static void test_alignment(void)
{
	vm_user();
	CHECK(!RAISES(mem_read32(v, SEG_SS, VM_STACK3 - 7)));
	v->eflags |= FLAG_AC;
	v->cr0 |= CR0_AM;
	cpu_mode_changed(v);
	CHECK_RAISES(mem_read32(v, SEG_SS, VM_STACK3 - 7), VEC_AC, 0);
	CHECK(!RAISES(mem_read32(v, SEG_SS, VM_STACK3 - 8)));
	CHECK(!RAISES(lin_read32(v, VM_STACK3 - 7)));
	v->cpl = 0;
	cpu_mode_changed(v);
	CHECK(!RAISES(mem_read32(v, SEG_SS, VM_STACK3 - 7)));
}

/* #AC whose handler runs at CPL 3 on a misaligned stack: no CPU gets out of that. */
static void test_alignment_loop(void)
{
	vm_user();
	set_gate(VM_IDT, VEC_AC, S_CODE3, HANDLER, TRAP32, 0);
	v->gpr[REG_ESP] = VM_STACK3 - 7;
	v->eflags |= FLAG_AC;
	v->cr0 |= CR0_AM;
	cpu_mode_changed(v);
	CHECK(!cpu_exception(v, VEC_AC, 0));
}

static void test_debug_registers(void)
{
	vm_protected();
	cpu_mov_to_dr(v, 0, 0x5004);
	cpu_mov_to_dr(v, 7, 0x000d0001 | BIT(1));
	CHECK(v->mem_slow);
	mem_read32(v, SEG_DS, 0x5004);
	CHECK_EQ(v->debug_hits, 0);
	mem_write8(v, SEG_DS, 0x5007, 0);
	CHECK_EQ(v->debug_hits, 1);
	CHECK(cpu_debug_trap(v, false));
	CHECK_EQ(v->dr[6], 0xffff0ff1);
	cpu_mov_to_dr(v, 7, BIT(13));
	CHECK_RAISES(cpu_mov_from_dr(v, 0), VEC_DB, 0);
	CHECK(v->dr[6] & BIT(13));
	v->dr[7] = 0x400 | 1;
	v->dr[0] = 0x100;
	CHECK(cpu_code_breakpoint(v, 0x100));
	v->eflags |= FLAG_RF;
	CHECK(!cpu_code_breakpoint(v, 0x100));
}

static void test_control_registers(void)
{
	vm_protected();
	CHECK_RAISES(cpu_mov_to_cr(v, 0, CR0_PG), VEC_GP, 0);
	CHECK_RAISES(cpu_mov_to_cr(v, 0, CR0_PE | CR0_NW), VEC_GP, 0);
	CHECK_RAISES(cpu_mov_to_cr(v, 4, BIT(12)), VEC_GP, 0);
	CHECK_RAISES(cpu_mov_to_cr(v, 1, 0), VEC_UD, 0);
	cpu_lmsw(v, 0xfffe);
	CHECK_EQ(v->cr0 & 0x1f, 0x1f);
	v->gpr[REG_ECX] = 0x12345;
	CHECK_RAISES(cpu_rdmsr(v), VEC_GP, 0);
	v->gpr[REG_ECX] = 0x176;
	v->gpr[REG_EAX] = 0xc0001000;
	CHECK(!RAISES(cpu_wrmsr(v)));
	v->gpr[REG_ECX] = 0x174;
	v->gpr[REG_EAX] = S_CODE0;
	CHECK(!RAISES(cpu_wrmsr(v)));
	cpu_sysenter(v);
	CHECK_EQ(v->eip, 0xc0001000);
	v->gpr[REG_EDX] = 0x4000;
	v->gpr[REG_ECX] = 0x5000;
	cpu_sysexit(v);
	CHECK_EQ(v->cpl, 3);
	CHECK_EQ(v->seg[SEG_CS].sel, S_CODE0 + 16 + 3);
	CHECK_EQ(v->gpr[REG_ESP], 0x5000);
	CHECK_RAISES(cpu_mov_to_cr(v, 3, 0), VEC_GP, 0);
}

int main(void)
{
	test_real();
	test_same_level();
	test_inner();
	test_double_fault();
	test_v86();
	test_vme();
	test_io_bitmap();
	test_alignment();
	test_alignment_loop();
	test_debug_registers();
	test_control_registers();
	return check_done();
}
