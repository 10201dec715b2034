/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual-8086 mode: entry by IRET, what each sensitive instruction does at IOPL 3 and 0, the
 * exits. */
#include "tests/guests/rt/rt.h"

SNIPPET16(cli_sti, "cli\n sti\n pushf\n pop %bx");
SNIPPET16(pushf_popf, "pushf\n pop %bx\n or $0x7000, %bx\n push %bx\n popf\n pushf\n pop %cx");
SNIPPET16(popf_if, "push $0x3000\n popf\n pushf\n pop %bx");
SNIPPET16(int_21, "mov $0x1234, %ax\n int $0x21");
SNIPPET16(int3_one, "nop\n int3");
SNIPPET16(into_taken, "mov $0x7f, %al\n add $1, %al\n into");
SNIPPET16(iret_v86, "pushf\n push %cs\n push $1f - iret_v86\n iretw\n 1: nop");
SNIPPET16(hlt_v86, "nop\n hlt");
SNIPPET16(mov_cr0, "mov %cr0, %eax");
SNIPPET16(smsw_ax, "smsw %ax");
SNIPPET16(lgdt_v86, "lgdt 0");
SNIPPET16(sgdt_v86, "sgdt 0x8000");
SNIPPET16(lar_ud, "lar %ax, %bx");
SNIPPET16(arpl_ud, "arpl %ax, %bx");
SNIPPET16(sldt_ud, "sldt %ax");
SNIPPET16(verr_ud, "verr %ax");
SNIPPET16(in_80, "in $0x80, %al");
SNIPPET16(out_80, "mov $0x55, %al\n out %al, $0x80");
SNIPPET16(in_90, "in $0x90, %al");
SNIPPET16(in_w_8f, "in $0x8f, %ax\n xor %ax, %ax");
SNIPPET16(seg_load,
	  "mov $0x7000, %ax\n mov %ax, %ds\n mov %ax, %gs\n mov $0x1111, %bx\n mov %bx, 0\n"
	  "mov %gs:0, %cx");
SNIPPET16(limit, "mov $0xffff, %bx\n movw (%bx), %ax");
SNIPPET16(stack_wrap, "xor %sp, %sp\n push $0x1234\n mov %sp, %bx\n pop %ax");
SNIPPET16(stack_odd, "mov $1, %sp\n push $0x1234");
SNIPPET16(far_jump, "ljmp $0x4fff, $1f - far_jump + 16\n 1: mov $0x600d, %bx");
SNIPPET16(far_call, "lcall $0x5000, $1f - far_call\n 1: pop %bx\n pop %cx");
SNIPPET16(page_ud, "ud2");
SNIPPET16(div_zero, "xor %cx, %cx\n div %cx");
SNIPPET16(wide, "mov $0x12345678, %eax\n mov $0x2000, %ebx\n mov %eax, (%ebx)\n mov (%ebx), %ecx\n"
		"shl $4, %ecx\n lea 4(%ebx,%ecx,2), %edx");
SNIPPET16(wide_limit, "mov $0x10000, %ebx\n mov (%ebx), %ax");

static const struct {
	const char *label;
	const u8 *code, *end;
} cases[] = {
#define CASE SNIPPET16_CASE
	CASE(cli_sti),	  CASE(pushf_popf), CASE(popf_if),    CASE(int_21),    CASE(int3_one),
	CASE(into_taken), CASE(iret_v86),   CASE(hlt_v86),    CASE(mov_cr0),   CASE(smsw_ax),
	CASE(lgdt_v86),	  CASE(sgdt_v86),   CASE(lar_ud),     CASE(arpl_ud),   CASE(sldt_ud),
	CASE(verr_ud),	  CASE(in_80),	    CASE(out_80),     CASE(in_90),     CASE(in_w_8f),
	CASE(seg_load),	  CASE(limit),	    CASE(stack_wrap), CASE(stack_odd), CASE(far_jump),
	CASE(far_call),	  CASE(page_ud),    CASE(div_zero),   CASE(wide),      CASE(wide_limit),
};

static void show(const char *label)
{
	const struct trap *t = &trap_frame;

	print("%s: vec=%u err=%x at %04x:%04x fl=%08x ss:esp=%04x:%08x\n", label, t->vector,
	      t->error, t->cs & 0xffff, t->eip, t->eflags, t->ss & 0xffff, t->esp);
	print("   eax=%x ebx=%x ecx=%x edx=%x ds=%x es=%x fs=%x gs=%x, in force %x %x %x %x\n",
	      t->vector == 13 ? 0 : t->eax, t->ebx, t->ecx, t->edx, t->v86_ds & 0xffff,
	      t->v86_es & 0xffff, t->v86_fs & 0xffff, t->v86_gs & 0xffff, t->ds & 0xffff,
	      t->es & 0xffff, t->fs & 0xffff, t->gs & 0xffff);
}

static void all_cases(u32 flags)
{
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct regs r = regs_v86(cases[i].code, (u32)(cases[i].end - cases[i].code));

		r.eflags |= flags;
		run(&r);
		show(cases[i].label);
	}
}

/* Handlers that a V86 program may not be sent to: the gate must lead to CPL 0. */
static void bad_gates(void)
{
	struct regs r = regs_v86(int_21, (u32)(int_21_end - int_21));

	r.eflags |= 0x3000;
	main_tss.ss1 = SEL_DATA1;
	main_tss.esp1 = 0x9c000;
	idt_set(0x21, gate(SEL_CODE1, (u32)trap_stubs + 0x21 * 16, 0xee, 0));
	run(&r);
	show("int to CPL 1");
	idt_default(0x21, 0);
	run(&r);
	show("int, gate DPL 0");
	gdt_set(SEL_FREE, descriptor(0, 0xfffff, 0x9f, 0xc));
	idt_set(0x21, gate(SEL_FREE, (u32)trap_stubs + 0x21 * 16, 0xee, 0));
	run(&r);
	show("int to conforming code");
}

int main(void)
{
	rt_init("v86");
	for (unsigned v = 0; v < 0x30; v++)
		idt_default((u8)v, 3);
	memset((void *)(V86_SEG << 4), 0, 0x10000);
	memset(main_tss.io_bits, 0, sizeof(main_tss.io_bits));
	main_tss.io_bits[0x90 / 8] = 1;
	main_tss.io_bits[sizeof(main_tss.io_bits) - 1] = 0xff;
	main_tss.io_map = offsetof(struct tss386, io_bits);
	print("IOPL 3\n");
	all_cases(0x3200);
	print("IOPL 0\n");
	all_cases(0x0200);
	main_tss.io_map = sizeof(main_tss);
	print("no I/O bitmap\n");
	all_cases(0x3000);
	bad_gates();
	write_cr4(read_cr4() |
		  1); /* VME, with an all-zero redirection bitmap below the I/O bitmap */
	print("VME, IOPL 3\n");
	main_tss.io_map = offsetof(struct tss386, io_bits) + 32;
	memset((void *)0, 0, 0x400);
	*(u32 *)(0x21 * 4) = (u32)V86_SEG << 16 | 0x9000; /* the V86 program's own INT 21h */
	memcpy((void *)((V86_SEG << 4) + 0x9000), "\x5b\x59\x5a\xcd\x80", 5);
	main_tss.io_bits[0x80 / 8] |= 1; /* INT 80h is not redirected */
	all_cases(0x3200);
	print("VME, IOPL 0\n");
	all_cases(0x0200);
	print("VME, IOPL 0, VIP\n");
	all_cases(0x100200);
	print("[end]\n");
	return 0;
}
