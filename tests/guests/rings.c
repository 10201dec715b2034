/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code at CPL 1 and 2, as few systems have it, in loops that an engine may translate: what IOPL
 * allows, what only CPL 0 may do, and segment loads that CPL 0 has been allowed just before.
 */
#include "tests/guests/rt/rt.h"

#define TIMES	32u
#define CR4_TSD BIT(2)

SNIPPET(calls, "mov $50, %ecx\n1: push %ecx\n call 2f\n pop %ecx\n dec %ecx\n jnz 1b\n jmp 3f\n"
	       "2: lea 7(%eax,%ecx,2), %eax\n xor %esp, %eax\n ret\n3:");
SNIPPET(flags, "cli\n pushf\n pop %eax\n sti\n nop\n pushf\n pop %ebx\n cli");
SNIPPET(flags_set, "pushl $0x3246\n popf\n pushf\n pop %eax\n pushl $0x0046\n popf\n pushf\n"
		   " pop %ebx\n cli");
SNIPPET(ports, "mov $0x80, %dx\n out %al, %dx\n out %al, $0x80\n xor %eax, %eax");
SNIPPET(clear_ts, "mov $1, %eax\n clts\n mov $2, %eax");
SNIPPET(from_cr0, "mov $1, %eax\n mov %cr0, %eax\n mov $2, %eax");
SNIPPET(to_cr3, "mov $1, %eax\n mov %eax, %cr3\n mov $2, %eax");
SNIPPET(flush_page, "mov $1, %eax\n invlpg (%eax)\n mov $2, %eax");
SNIPPET(halt, "mov $1, %eax\n hlt\n mov $2, %eax");
SNIPPET(load_ds, "mov $1, %eax\n mov %bx, %ds\n mov %ds, %ecx\n mov $2, %eax");
SNIPPET(pop_es, "mov $1, %eax\n push %ebx\n pop %es\n mov %es, %ecx\n mov $2, %eax");
SNIPPET(load_fs, "mov $1, %eax\n mov %bx, %fs\n mov %fs, %ecx\n mov $2, %eax");
SNIPPET(read_fs, "mov $50, %ecx\n1: mov %bx, %fs\n mov %fs:0x40000, %eax\n dec %ecx\n jnz 1b\n"
		 " mov %cx, %fs");
SNIPPET(read_fs_far, "mov $50, %ecx\n1: mov %bx, %fs\n mov %fs:0x80000, %eax\n dec %ecx\n jnz 1b\n"
		     " mov %cx, %fs");
SNIPPET(push_cs, "push %cs\n pop %eax\n push %ss\n pop %ebx\n mov %cs, %ecx");
SNIPPET(count, "rdtsc\n xor %eax, %eax\n xor %edx, %edx\n mov $2, %eax");

static void once(unsigned cpl, unsigned iopl, const void *code, u32 ebx)
{
	struct regs r = regs_for(cpl, code);

	r.eflags |= iopl << 12;
	r.ebx = ebx;
	run(&r);
}

static void show(const char *label, unsigned cpl, unsigned iopl, const void *code, u32 ebx)
{
	const struct trap *t = &trap_frame;

	for (u32 n = 0; n < TIMES; n++)
		once(cpl, iopl, code, ebx);
	print("%s, cpl %u, iopl %u: vec=%u err=%x eip=%d fl=%x", label, cpl, iopl, t->vector,
	      t->error, (int)(t->eip - (u32)code), t->eflags & ~0x10u);
	print(" eax=%x ebx=%x ecx=%x cs=%x ds=%x\n", t->eax, t->ebx, t->ecx, t->cs & 0xffff,
	      t->ds & 0xffff);
}

static void ring(unsigned cpl, unsigned iopl)
{
	show("calls", cpl, iopl, calls, 0);
	show("flags", cpl, iopl, flags, 0);
	show("flags set", cpl, iopl, flags_set, 0);
	show("ports", cpl, iopl, ports, 0);
	show("clts", cpl, iopl, clear_ts, 0);
	show("mov from cr0", cpl, iopl, from_cr0, 0);
	show("mov to cr3", cpl, iopl, to_cr3, 0);
	show("invlpg", cpl, iopl, flush_page, 0);
	show("hlt", cpl, iopl, halt, 0);
	show("push cs", cpl, iopl, push_cs, 0);
	show("rdtsc", cpl, iopl, count, 0);
}

/* Each selector at CPL 0 first, where it is right. */
static void loads(unsigned cpl)
{
	static const u16 sel[] = {SEL_DATA0, SEL_DATA1, SEL_DATA2, SEL_DATA3, SEL_CODE3, 0};

	for (u32 n = 0; n < ARRAY_SIZE(sel); n++) {
		for (u32 i = 0; i < 4; i++) {
			once(0, 0, load_ds, sel[n]);
			once(0, 0, pop_es, sel[n]);
			once(0, 0, load_fs, sel[n]);
		}
		print("selector %x\n", sel[n]);
		show("mov ds", cpl, 3, load_ds, sel[n]);
		show("pop es", cpl, 3, pop_es, sel[n]);
		show("mov fs", cpl, 3, load_fs, sel[n]);
	}
}

int main(void);
int main(void)
{
	rt_init("rings");
	for (unsigned cpl = 1; cpl <= 2; cpl++) {
		for (unsigned iopl = 0; iopl <= 3; iopl++)
			ring(cpl, iopl);
		loads(cpl);
	}
	/* Code that is read as data, at another base. */
	gdt_set(SEL_FREE, descriptor(0x1000, 0xfffff, 0x9b, 0xc));
	*(volatile u32 *)SCRATCH = 1;
	*(volatile u32 *)(SCRATCH + 0x1000) = 2;
	show("read code", 0, 0, read_fs, SEL_FREE);
	/* From the top of the linear space on, by offsets that wrap. */
	gdt_set(SEL_FREE, descriptor(SCRATCH - 0x80000, 0xfffff, 0x93, 0xc));
	*(volatile u32 *)0x80000 = 3;
	show("read from the top", 0, 0, read_fs_far, SEL_FREE);
	write_cr4(read_cr4() | CR4_TSD);
	show("rdtsc off", 1, 3, count, 0);
	show("rdtsc off", 0, 0, count, 0);
	print("[end]\n");
	return 0;
}
