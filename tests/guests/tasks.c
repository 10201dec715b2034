/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware task switches (SDM vol. 3, ch. 7): 386 and 286 TSSs, jump, call, gates, IRET, nesting.
 */
#include "tests/guests/rt/rt.h"

enum {
	SEL_A = 0x60,
	SEL_B = 0x68,
	SEL_286 = 0x70,
	SEL_GATE = 0x78,
	SEL_SHORT = 0x80,
	SEL_NP = 0x88,
	SEL_LDT = 0x90
};
#define VEC_TASK   0x91
#define LOW_TARGET 0x1234

static struct tss386 task_a, task_b;
static struct tss286 task_286;

SNIPPET(jmp_a, "nop\n ljmp $0x60, $0x1234");
SNIPPET(call_a, "nop\n lcall $0x60, $0x1234");
SNIPPET(jmp_gate, "ljmp $0x78, $0");
SNIPPET(call_gate, "lcall $0x78, $0\n mov $0x600d, %eax");
SNIPPET(jmp_busy, "ljmp $0x58, $0");
SNIPPET(jmp_short, "ljmp $0x80, $0");
SNIPPET(jmp_np, "ljmp $0x88, $0");
SNIPPET(call_286, "nop\n lcall $0x70, $0\n mov $0x600d, %eax");
SNIPPET(jmp_286, "ljmp $0x70, $0");
SNIPPET(int_task, "int $0x91\n mov $0x600d, %eax");
SNIPPET(iret_nt, "pushfl\n orl $0x4000, (%esp)\n popfl\n iret");
SNIPPET(task_code, "pushfl\n pop %ebp\n nop");
SNIPPET(task_return, "mov $0xdead, %eax\n add $1, %ebx\n iret\n mov $0xbeef, %eax");
SNIPPET(task_pops_error, "pop %edx\n iret");
SNIPPET(task_calls_b, "lcall $0x68, $0\n iret");
SNIPPET(gp_load, "nop\n mov $0x1000, %eax\n mov %ax, %es");

static u8 type_of(u16 sel)
{
	return (u8)(gdt[sel >> 3] >> 40) & 0x1f;
}

static void reset_tasks(const void *entry)
{
	memset(&task_a, 0, sizeof(task_a));
	task_a.eip = (u32)entry;
	task_a.eflags = 0x2;
	task_a.eax = 0xa0;
	task_a.ecx = 0xa1;
	task_a.edx = 0xa2;
	task_a.ebx = 0xa3;
	task_a.esp = 0x5e000;
	task_a.ebp = 0xa5;
	task_a.esi = 0xa6;
	task_a.edi = 0xa7;
	task_a.cs = SEL_CODE0;
	task_a.ss = task_a.ds = task_a.es = task_a.fs = task_a.gs = SEL_DATA0;
	task_a.esp0 = 0x98000;
	task_a.ss0 = SEL_DATA0;
	task_a.io_map = sizeof(task_a);
	task_b = task_a;
	task_b.eip = (u32)task_return;
	task_b.esp = 0x5c000;
	memset(&task_286, 0, sizeof(task_286));
	task_286.ip = LOW_TARGET;
	task_286.flags = 2;
	task_286.ax = 0xb0;
	task_286.cx = 0xb1;
	task_286.sp = 0xc000;
	task_286.sp0 = 0xd000;
	task_286.ss0 = SEL_DATA0;
	task_286.cs = SEL_CODE3;
	task_286.ss = task_286.ds = task_286.es = SEL_DATA3;
	gdt_set(SEL_A, descriptor((u32)&task_a, sizeof(task_a) - 1, 0x89, 0));
	gdt_set(SEL_B, descriptor((u32)&task_b, sizeof(task_b) - 1, 0x89, 0));
	gdt_set(SEL_286, descriptor((u32)&task_286, sizeof(task_286) - 1, 0x81, 0));
	gdt_set(SEL_GATE, gate(SEL_A, 0, 0xe5, 0));
	gdt_set(SEL_TSS, descriptor((u32)&main_tss, sizeof(main_tss) - 1, 0x89, 0));
	__asm__ volatile("ltr %w0\n lldt %w1" ::"r"(SEL_TSS), "r"(0));
}

/* Runs, and prints how the trap found the machine: registers, task register, busy bits, links. */
static void try(const char *label, unsigned cpl, const void *snippet)
{
	struct regs r = regs_for(cpl, snippet);
	const struct trap *t = &trap_frame;
	u16 tr;
	u32 cr0;

	r.eax = 1, r.ecx = 2, r.edx = 3, r.ebx = 4, r.ebp = 5, r.esi = 6, r.edi = 7;
	run(&r);
	cr0 = read_cr0();
	__asm__ volatile("str %0" : "=r"(tr));
	print("%s: vec=%u err=%x cs=%x eip=%d/%d fl=%x tr=%x cr0=%x\n", label, t->vector, t->error,
	      t->cs & 0xffff, (int)(t->eip - (u32)snippet), (int)(t->eip - task_a.eip), t->eflags,
	      tr, cr0);
	print("  eax=%x ecx=%x edx=%x ebx=%x ebp=%x esi=%x edi=%x ds=%x es=%x fs=%x gs=%x", t->eax,
	      t->ecx, t->edx, t->ebx, t->ebp, t->esi, t->edi, t->ds & 0xffff, t->es & 0xffff,
	      t->fs & 0xffff, t->gs & 0xffff);
	print(" esp=%x\n", t->cs & 3 ? t->esp : t->frame_esp);
	print("  types main=%x a=%x b=%x 286=%x links a=%x b=%x 286=%x\n", type_of(SEL_TSS),
	      type_of(SEL_A), type_of(SEL_B), type_of(SEL_286), task_a.link, task_b.link,
	      task_286.link);
	print("  saved main: eip=%d fl=%x eax=%x ebx=%x edi=%x cs=%x ds=%x ss=%x\n",
	      (int)(main_tss.eip - (u32)snippet), main_tss.eflags, main_tss.eax, main_tss.ebx,
	      main_tss.edi, main_tss.cs, main_tss.ds, main_tss.ss);
	print("  saved a: eip=%d fl=%x eax=%x ebx=%x esp=%x\n", (int)(task_a.eip - (u32)task_code),
	      task_a.eflags, task_a.eax, task_a.ebx, task_a.esp);
}

static void show_both(const char *label, const void *snippet, const void *task_entry)
{
	for (unsigned cpl = 0; cpl < 4; cpl += 3) {
		reset_tasks(task_entry);
		print("cpl %u, ", cpl);
		try(label, cpl, snippet);
	}
}
#define SHOW(snippet, entry) show_both(#snippet " -> " #entry, snippet, entry)

/* What a new task's TSS must not hold: each names the fault and which task it happens in. */
static void bad_task(const char *label, u32 *field, u32 value)
{
	u32 offset = (u32)((u8 *)field - (u8 *)&task_a);

	reset_tasks(task_code);
	*(u32 *)((u8 *)&task_a + offset) = value;
	try(label, 0, jmp_a);
}

static void bad_tasks(void)
{
	bad_task("null CS", &task_a.cs, 0);
	bad_task("data CS", &task_a.cs, SEL_DATA0);
	bad_task("CS beyond the GDT", &task_a.cs, 0x1000);
	bad_task("CS RPL 3", &task_a.cs, SEL_CODE3);
	bad_task("null SS", &task_a.ss, 0);
	bad_task("SS of another level", &task_a.ss, SEL_DATA3);
	bad_task("code DS", &task_a.ds, SEL_TSS);
	bad_task("not present ES", &task_a.es, 0x98);
	bad_task("bad LDT", &task_a.ldt, SEL_DATA0);
	bad_task("good LDT", &task_a.ldt, SEL_LDT);
	bad_task("LDT DS", &task_a.ds, 0x4);
	bad_task("EIP beyond the limit", &task_a.cs, SEL_CODE16);
	bad_task("flags", &task_a.eflags, 0x243ed7);
}

static void debug_trap(void)
{
	reset_tasks(task_code);
	task_a.trap = 1;
	try("T bit", 0, jmp_a);
	__asm__ volatile("mov %0, %%db6" ::"r"(0));
}

int main(void)
{
	rt_init("tasks");
	memcpy((void *)LOW_TARGET, "\xcd\x80", 2);
	gdt_set(SEL_SHORT, descriptor(SCRATCH, 0x66, 0x89, 0));
	gdt_set(SEL_NP, descriptor(SCRATCH, 0x67, 0x09, 0));
	gdt_set(SEL_LDT, descriptor(SCRATCH, 0x17, 0x82, 0));
	gdt_set(0x98, descriptor(0, 0xfffff, 0x13, 0xc));
	idt_set(VEC_TASK, gate(SEL_A, 0, 0xe5, 0));
	SHOW(jmp_a, task_code);
	SHOW(call_a, task_code);
	SHOW(call_a, task_return);
	SHOW(jmp_gate, task_code);
	SHOW(call_gate, task_return);
	SHOW(int_task, task_return);
	SHOW(int_task, task_code);
	SHOW(call_gate, task_calls_b);
	SHOW(jmp_busy, task_code);
	SHOW(jmp_short, task_code);
	SHOW(jmp_np, task_code);
	SHOW(call_286, task_code);
	SHOW(jmp_286, task_code);
	memcpy((void *)LOW_TARGET, "\xcf\xcd\x80", 3); /* IRET: back to the caller */
	SHOW(call_286, task_code);
	SHOW(iret_nt, task_code);
	idt_set(13, gate(SEL_A, 0, 0x85, 0));
	SHOW(gp_load, task_pops_error);
	SHOW(gp_load, task_code);
	idt_default(13, 0);
	idt_set(VEC_TASK, gate(SEL_DATA0, 0, 0xe5, 0));
	SHOW(int_task, task_code);
	idt_set(VEC_TASK, gate(SEL_TSS, 0, 0xe5, 0));
	SHOW(int_task, task_code);
	bad_tasks();
	debug_trap();
	print("[end]\n");
	return 0;
}
