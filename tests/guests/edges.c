/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands that lie in two pages which are both absent: which of them CR2 names; PAE's four
 * pointers read again; SYSENTER and SYSEXIT with each selector; single steps across far transfers
 * and task switches; TSSs that are too short (SDM vol. 3, 4.4.1, 5.8.7, 7.3, 17.3).
 */
#include "tests/guests/rt/rt.h"

#define ABSENT	 0x3f0u /* two pages, from linear 3F0000h on */
#define SEL_TASK 0x78u
#define SEL_GATE 0x80u
#define VEC_TASK 0x91

enum { MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP };

static struct tss386 task;

SNIPPET(sgdt_two, "sgdt 0x3f0ffe");
SNIPPET(sgdt_one, "sgdt 0x3effff");
SNIPPET(lgdt_two, "lgdt 0x3f0ffe");
SNIPPET(ljmp_two, "ljmp *0x3f0ffc");
SNIPPET(bound_two, "bound %eax, 0x3f0ffc");
SNIPPET(movs_two, "mov $0x3f0000, %esi\n mov $0x3f1000, %edi\n movsl");
SNIPPET(cmps_two, "mov $0x3f0000, %esi\n mov $0x3f1000, %edi\n cmpsl");
SNIPPET(pusha_two, "mov $0x3f2008, %esp\n pushal");
SNIPPET(pusha_one, "mov $0x3f0000, %esp\n pushal");
SNIPPET(popa_two, "mov $0x3f0ff8, %esp\n popal");
SNIPPET(enter_two, "mov $0x3ef000, %esp\n mov $0x3f0008, %ebp\n enter $0, $3");
SNIPPET(call_m_two, "mov $0x3f1000, %esp\n call *0x3f0ffc");
SNIPPET(push_m_two, "mov $0x3f2000, %esp\n push 0x3f0ffc");
SNIPPET(pop_m_two, "mov $0x3f1000, %esp\n pop 0x3f0ffc");
SNIPPET(cx8_two, "cmpxchg8b 0x3f0ffc");
SNIPPET(xchg_two, "xchg %eax, 0x3f0ffe");
SNIPPET(pge_on, "mov %cr4, %eax\n xor $0x80, %eax\n mov %eax, %cr4\n mov %cr4, %ebx");
SNIPPET(cr3_same, "mov %cr3, %eax\n mov %eax, %cr3");
SNIPPET(cd_off, "mov %cr0, %eax\n xor $0x60000000, %eax\n mov %eax, %cr0\n mov %cr0, %ebx");
SNIPPET(tf_int_task, "pushl $0x102\n popfl\n int $0x91");
SNIPPET(tf_call_gate, "pushl $0x102\n popfl\n lcall $0x83, $0");
SNIPPET(tf_iret, "pushl $2\n pushl %cs\n pushl $there\n pushl $0x102\n popfl\n iretl");
SNIPPET(tf_sysenter, "pushl $0x102\n popfl\n sysenter");
SNIPPET(tf_lret, "pushl %cs\n pushl $there\n pushl $0x102\n popfl\n lret");
SNIPPET(sysenter1, "sysenter");
SNIPPET(sysexit1, "mov $there, %edx\n mov $0x5f000, %ecx\n sysexit");
SNIPPET(there, "nop\n nop");
SNIPPET(jmp_task, "ljmp $0x78, $0");
SNIPPET16(v86_sysenter, "sysenter");

static void show(const char *label, const void *entry)
{
	const struct trap *t = &trap_frame;
	u32 off = t->eip - (u32)entry;

	print("%s: vec=%u err=%x eip=%d cs=%x fl=%x", label, t->vector, t->error,
	      off < 100 ? (int)off : (int)(t->eip - (u32)there), t->cs & 0xffff, t->eflags);
	if (t->cs & 3)
		print(" ss=%x", t->ss & 0xffff);
	if (t->vector == 14)
		print(" cr2=%x", t->cr2);
	print("\n");
}

static void at(const char *label, unsigned cpl, const void *entry)
{
	struct regs r = regs_for(cpl, entry);

	run(&r);
	print("cpl %u ", cpl);
	show(label, entry);
}
#define AT(cpl, name) at(#name, cpl, name)

static void absent_pages(void)
{
	u32 *pd = (u32 *)0x80000, *pt = (u32 *)0x81000;

	memset(pd, 0, 4096);
	pd[0] = (u32)pt | 7;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i - ABSENT < 2 ? 0 : i << 12 | 7;
	write_cr3((u32)pd);
	write_cr0(read_cr0() | 0x80000000u);
	for (unsigned cpl = 0; cpl < 4; cpl += 3) {
		AT(cpl, sgdt_two);
		AT(cpl, sgdt_one);
		AT(cpl, lgdt_two);
		AT(cpl, ljmp_two);
		AT(cpl, bound_two);
		AT(cpl, movs_two);
		AT(cpl, cmps_two);
		AT(cpl, cx8_two);
		AT(cpl, xchg_two);
	}
	AT(3, pusha_two);
	AT(3, pusha_one);
	AT(3, popa_two);
	AT(3, enter_two);
	AT(3, call_m_two);
	AT(3, push_m_two);
	AT(3, pop_m_two);
	write_cr0(read_cr0() & ~0x80000000u);
}

/* Pointer 1 becomes one with a reserved bit: what reads them again is #GP(0). */
static void pae_pointers(void)
{
	u64 *pdpt = (u64 *)0x80000, *pd = (u64 *)0x81000;

	memset(pdpt, 0, 4096);
	memset(pd, 0, 4096);
	pdpt[0] = (u32)pd | 1;
	pd[0] = 0x87;
	pd[1] = 0x200087;
	write_cr4(read_cr4() | 0x20);
	write_cr3((u32)pdpt);
	write_cr0(read_cr0() | 0x80000000u);
	AT(0, cd_off);
	pdpt[1] = 3;
	AT(0, cd_off);
	AT(0, pge_on);
	AT(0, cr3_same);
	print("cr0=%x cr4=%x\n", read_cr0() & 0xe0000000, read_cr4() & 0xa0);
	write_cr0(read_cr0() & ~0x80000000u);
	write_cr4(read_cr4() & ~0xa0u);
}

static void wrmsr(u32 number, u32 value)
{
	__asm__ volatile("wrmsr" ::"c"(number), "a"(value), "d"(0));
}

static void task_reset(u32 eflags, u16 trap)
{
	memset(&task, 0, sizeof(task));
	task.cr3 = read_cr3();
	task.eip = (u32)there;
	task.eflags = eflags;
	task.esp = 0x5e000;
	task.cs = SEL_CODE0;
	task.ss = task.ds = task.es = SEL_DATA0;
	task.esp0 = 0x98000;
	task.ss0 = SEL_DATA0;
	task.trap = trap;
	task.io_map = sizeof(task);
	gdt_set(SEL_TASK, descriptor((u32)&task, sizeof(task) - 1, 0x89, 0));
	gdt_set(SEL_TSS, descriptor((u32)&main_tss, sizeof(main_tss) - 1, 0x89, 0));
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
}

static void fast_calls(void)
{
	wrmsr(MSR_SYSENTER_ESP, 0x5d000);
	wrmsr(MSR_SYSENTER_EIP, (u32)there);
	for (u32 cs = 0; cs < 12; cs++) {
		struct regs r = regs_v86(v86_sysenter, (u32)(v86_sysenter_end - v86_sysenter));

		wrmsr(MSR_SYSENTER_CS, cs);
		print("SYSENTER_CS %x\n", cs);
		for (unsigned cpl = 0; cpl < 4; cpl++) {
			AT(cpl, sysenter1);
			AT(cpl, sysexit1);
		}
		/* The handler of a fault at CPL 0 needs its selectors, those of 0 to 7 are none. */
		if (cs >= 4 && cs < 8)
			continue;
		run(&r);
		show("V86", 0);
	}
}

static void show_dr6(void)
{
	u32 dr6, dr7;

	__asm__ volatile("mov %%db7, %0\n mov %%db6, %1" : "=r"(dr7), "=r"(dr6));
	print("    dr6=%x dr7=%x\n", dr6, dr7);
	__asm__ volatile("mov %0, %%db6\n mov %0, %%db7" ::"r"(0));
}

static void breakpoint(u32 dr7)
{
	__asm__ volatile("mov %0, %%db0\n mov %1, %%db7" ::"r"(there), "r"(dr7));
}

static void steps(void)
{
	idt_set(VEC_TASK, gate(SEL_TASK, 0, 0xe5, 0));
	gdt_set(SEL_GATE, gate(SEL_CODE0, (u32)there, 0xec, 0));
	for (u32 i = 0; i < 4; i++) {
		u32 eflags = i & 1 ? 0x102 : 2;

		print("task's TF %u, T %u\n", i & 1, i >> 1);
		for (unsigned cpl = 0; cpl < 4; cpl += 3) {
			task_reset(eflags, i >> 1);
			AT(cpl, tf_int_task);
			show_dr6();
		}
		task_reset(eflags, i >> 1);
		breakpoint(2);
		AT(0, jmp_task);
		show_dr6();
		task_reset(eflags, i >> 1);
		breakpoint(1);
		AT(0, jmp_task);
		show_dr6();
	}
	task_reset(2, 0);
	wrmsr(MSR_SYSENTER_CS, SEL_CODE0);
	for (unsigned cpl = 0; cpl < 4; cpl += 3) {
		AT(cpl, tf_call_gate);
		show_dr6();
		AT(cpl, tf_iret);
		show_dr6();
		AT(cpl, tf_lret);
		show_dr6();
		AT(cpl, tf_sysenter);
		show_dr6();
	}
}

static void old_limits(void)
{
	for (u32 limit = 0x5c; limit < 0x6a; limit++) {
		task_reset(2, 0);
		gdt_set(SEL_TSS, descriptor((u32)&main_tss, limit, 0x89, 0));
		__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
		print("old limit %x ", limit);
		AT(0, jmp_task);
	}
	for (u32 limit = 0x5c; limit < 0x6a; limit++) {
		task_reset(2, 0);
		gdt_set(SEL_TASK, descriptor((u32)&task, limit, 0x89, 0));
		print("new limit %x ", limit);
		AT(0, jmp_task);
	}
}

int main(void)
{
	rt_init("edges");
	for (u32 v = 0; v < 20; v++)
		idt_default((u8)v, 3);
	absent_pages();
	pae_pointers();
	task_reset(2, 0);
	fast_calls();
	steps();
	old_limits();
	print("[end]\n");
	return 0;
}
