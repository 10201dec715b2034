// SPDX-License-Identifier: BSD-2-Clause
/* Hardware task switches: 386 and 286 TSSs, nesting, busy bits, faults before and after the switch.
 */
#include "tests/unit/cpu/support_vm.h"

static struct vcpu *const v = &vm.v;

enum { S_TSS2 = S_FREE, S_TSS_16 = S_FREE + 8, S_BAD = S_FREE + 16 };

#define BUSY(sel) ((vm.ram[VM_GDT + (sel) + 5] & 2) != 0)

static void tasks(void)
{
	vm_protected();
	set_desc(VM_GDT, S_TSS2, VM_TSS2, 0x67, 0x89);
	set_desc(VM_GDT, S_TSS_16, VM_TSS16, 0x2b, 0x81);
	set_ram32(VM_TSS2 + 32, 0x1000);
	set_ram32(VM_TSS2 + 36, 0x202);
	for (u32 i = 0; i < 8; i++)
		set_ram32(VM_TSS2 + 40 + i * 4, 0x100 + i);
	set_ram32(VM_TSS2 + 56, 0x7000);
	for (u32 i = 0; i < 4; i++)
		set_ram32(VM_TSS2 + 72 + i * 4, S_DATA0);
	set_ram32(VM_TSS2 + 76, S_CODE0);
	set_ram16(VM_TSS16 + 14, 0x2000);
	set_ram16(VM_TSS16 + 16, 2);
	set_ram16(VM_TSS16 + 18, 0xabcd);
	set_ram16(VM_TSS16 + 26, 0x6000);
	set_ram16(VM_TSS16 + 34, S_DATA0);
	set_ram16(VM_TSS16 + 36, S_CODE0);
	set_ram16(VM_TSS16 + 38, S_DATA0);
	set_ram16(VM_TSS16 + 40, S_DATA0);
	v->gpr[REG_EAX] = 0xaaaa5555;
}

static void test_jmp(void)
{
	tasks();
	CHECK(!RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123)));
	CHECK_EQ(v->eip, 0x1000);
	CHECK_EQ(v->gpr[REG_EAX], 0x100);
	CHECK_EQ(v->gpr[REG_ESP], 0x7000);
	CHECK_EQ(vcpu_eflags(v), 0x202);
	CHECK_EQ(v->tr.sel, S_TSS2);
	CHECK(v->cr0 & CR0_TS);
	CHECK(!BUSY(S_TSS));
	CHECK(BUSY(S_TSS2));
	CHECK_EQ(ram32(VM_TSS + 32), 0x123);
	CHECK_EQ(ram32(VM_TSS + 40), 0xaaaa5555);
	CHECK_EQ(ram32(VM_TSS + 76), S_CODE0);
	CHECK_RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0), VEC_GP, S_TSS2);
	CHECK(!RAISES(cpu_far_jmp(v, S_TSS, 0, 4, 0x1002)));
	CHECK_EQ(v->gpr[REG_EAX], 0xaaaa5555);
	CHECK_EQ(v->eip, 0x123);
}

static void test_call_and_iret(void)
{
	tasks();
	CHECK(!RAISES(cpu_far_call(v, S_TSS2, 0, 4, 0x123)));
	CHECK(v->eflags & FLAG_NT);
	CHECK(BUSY(S_TSS));
	CHECK(BUSY(S_TSS2));
	CHECK_EQ(ram16(VM_TSS2), S_TSS);
	CHECK(!RAISES(cpu_iret(v, 4, 0x1004)));
	CHECK_EQ(v->eip, 0x123);
	CHECK_EQ(v->tr.sel, S_TSS);
	CHECK(!BUSY(S_TSS2));
	CHECK(BUSY(S_TSS));
	CHECK_EQ(ram32(VM_TSS2 + 32), 0x1004);
	CHECK_EQ(ram32(VM_TSS2 + 36), 0x202);
	v->eflags |= FLAG_NT;
	set_ram16(VM_TSS, S_TSS2);
	CHECK_RAISES(cpu_iret(v, 4, 0), VEC_TS, S_TSS2);
}

static void test_286(void)
{
	tasks();
	CHECK(!RAISES(cpu_far_call(v, S_TSS_16, 0, 4, 0x123)));
	CHECK_EQ(v->eip, 0x2000);
	CHECK_EQ(v->gpr[REG_EAX], 0xffffabcd);
	CHECK_EQ(v->gpr[REG_ESP], 0xffff6000);
	CHECK(!RAISES(cpu_iret(v, 2, 0x2002)));
	CHECK_EQ(v->gpr[REG_EAX], 0xaaaa5555);
	CHECK_EQ(ram16(VM_TSS16 + 14), 0x2002);
}

static void test_gate_with_error(void)
{
	tasks();
	set_gate(VM_IDT, VEC_GP, S_TSS2, 0, 0x85, 0);
	v->eip = 0x444;
	CHECK(cpu_exception(v, VEC_GP, 0x55));
	CHECK_EQ(v->eip, 0x1000);
	CHECK_EQ(v->gpr[REG_ESP], 0x7000 - 4);
	CHECK_EQ(ram32(0x7000 - 4), 0x55);
	CHECK_EQ(ram32(VM_TSS + 32), 0x444);
	CHECK(ram32(VM_TSS + 36) & FLAG_RF);
	CHECK(v->eflags & FLAG_NT);
}

/* Before the point of no return: in the old task, nothing changed. */
static void test_refused(void)
{
	tasks();
	set_desc(VM_GDT, S_TSS2, VM_TSS2, 0x66, 0x89);
	CHECK_RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123), VEC_TS, S_TSS2);
	set_desc(VM_GDT, S_TSS2, VM_TSS2, 0x67, 0x09);
	CHECK_RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123), VEC_NP, S_TSS2);
	set_gate(VM_GDT, S_BAD / 8, S_DATA0, 0, 0x85, 0);
	CHECK_RAISES(cpu_far_jmp(v, S_BAD, 0, 4, 0x123), VEC_GP, S_DATA0);
	CHECK_EQ(v->tr.sel, S_TSS);
	CHECK(BUSY(S_TSS));
	CHECK_EQ(v->eip, 0x100);
}

/* After it: in the new task. */
static void test_bad_segments(void)
{
	int cur;

	tasks();
	v->cur = &cur;
	set_ram16(VM_TSS2 + 80, S_DATA3);
	CHECK_RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123), VEC_TS, S_DATA3 & ~3);
	CHECK_EQ(v->tr.sel, S_TSS2);
	CHECK_EQ(v->eip, 0x1000);
	CHECK(!v->cur);
	tasks();
	set_ram16(VM_TSS2 + 96, S_DATA0);
	CHECK_RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123), VEC_TS, S_DATA0);
	tasks();
	set_desc(VM_GDT, S_BAD, 0, 0xff, 0x12);
	set_ram16(VM_TSS2 + 84, S_BAD);
	CHECK_RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123), VEC_NP, S_BAD);
	tasks();
	set_ram16(VM_TSS2 + 76, S_DATA0);
	CHECK_RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123), VEC_TS, S_DATA0);
}

static void test_trap_bit(void)
{
	tasks();
	set_ram16(VM_TSS2 + 100, 1);
	CHECK(!RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123)));
	CHECK(v->events & VCPU_EV_STEP);
	CHECK(cpu_debug_trap(v, false));
	CHECK_EQ(v->dr[6], 0xffff8ff0);
}

static void test_v86_task(void)
{
	tasks();
	set_ram32(VM_TSS2 + 36, 0x20202);
	set_ram32(VM_TSS2 + 76, 0x1000);
	CHECK(!RAISES(cpu_far_jmp(v, S_TSS2, 0, 4, 0x123)));
	CHECK(vcpu_v86(v));
	CHECK_EQ(v->cpl, 3);
	CHECK_EQ(v->seg[SEG_CS].base, 0x10000);
	CHECK_EQ(v->seg[SEG_DS].base, S_DATA0 * 16);
}

int main(void)
{
	test_jmp();
	test_call_and_iret();
	test_286();
	test_gate_with_error();
	test_refused();
	test_bad_segments();
	test_trap_bit();
	test_v86_task();
	return check_done();
}
