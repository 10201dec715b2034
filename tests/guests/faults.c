/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Far transfers and event delivery with more than one thing wrong: which fault comes, and what was
 * changed before it (SDM vol. 2, CALL, RET, INT n, IRET; vol. 3, table 6-5).
 */
#include "tests/guests/rt/rt.h"

enum {
	SEL_SMALL3 = 0x63, /* a stack of 4 KB at SCRATCH */
	SEL_SMALL1 = 0x69, /* the same for CPL 1 */
	SEL_SHORT3 = 0x73, /* code of 64 KB */
	SEL_SHORT1 = 0x78,
	SEL_GATE = 0x80,
	SEL_ABSENT3 = 0x8b, /* a stack that is not present */
	SEL_TSS286 = 0x90,
	SEL_TSS386 = 0x98,
	SEL_ABSENT1 = 0xa1,
	SEL_ABSENT0 = 0xa8,
};
#define VEC_GATE 0x90
#define BEYOND	 "0x123456"

static struct tss286 tss_286;

SNIPPET(call_beyond, "lcall $0x73, $" BEYOND);
SNIPPET(jmp_beyond, "ljmp $0x73, $" BEYOND);
SNIPPET(call_gate, "lcall $0x83, $0");
SNIPPET(jmp_gate, "ljmp $0x83, $0");
SNIPPET(int_gate, "int $0x90");
SNIPPET(ret_same, "pushl $0x73\n pushl $" BEYOND "\n lret");
SNIPPET(iret_same, "pushl $0x43ed7\n pushl $0x73\n pushl $" BEYOND "\n iretl");
SNIPPET(ret_outer, "pushl %ecx\n pushl $0x1000\n pushl $0x73\n pushl $" BEYOND "\n lret");
SNIPPET(iret_outer,
	"pushl %ecx\n pushl $0x1000\n pushl $0x43ed7\n pushl $0x73\n pushl $" BEYOND "\n iretl");
SNIPPET(ret_short, "mov $0x63, %eax\n mov %ax, %ss\n mov $0xffc, %esp\n lret");
SNIPPET(iret_short, "mov $0x63, %eax\n mov %ax, %ss\n mov $0xff8, %esp\n iretl");
SNIPPET(ret_outer_short,
	"mov $0x69, %eax\n mov %ax, %ss\n mov $0xff8, %esp\n pushl $0x3b\n pushl $0\n"
	"lret $8");
SNIPPET(iret_outer_short, "mov $0x69, %eax\n mov %ax, %ss\n mov $0xffc, %esp\n pushl $2\n"
			  "pushl $0x3b\n pushl $0\n iretl");
SNIPPET(there, "nop");
SNIPPET(icebp, ".byte 0xf1");
SNIPPET(int3, "int3");
SNIPPET(ud, "ud2");
SNIPPET(de, "xor %ecx, %ecx\n div %ecx");
SNIPPET(gp, "mov $0x3f8, %eax\n mov %ax, %ds");
SNIPPET(np, "mov $0x88, %eax\n mov %ax, %ds");
SNIPPET(ss, "mov $0x8b, %eax\n mov %ax, %ss");
SNIPPET(ac, "pushl $0x40002\n popfl\n mov 1(%esp), %eax");
SNIPPET(pf, "mov 0x3f0000, %eax");
SNIPPET(nm, "fld1");
SNIPPET(single, "pushl $0x102\n popfl\n nop\n nop");

static u8 access_of(u16 sel)
{
	return (u8)(gdt[sel >> 3] >> 40);
}

static void clear_accessed(void)
{
	gdt_set(SEL_SMALL3 & ~7u, descriptor(SCRATCH, 0xfff, 0xf2, 4));
	gdt_set(SEL_SMALL1 & ~7u, descriptor(SCRATCH, 0xfff, 0xb2, 4));
	gdt_set(SEL_SHORT3 & ~7u, descriptor(0, 0xffff, 0xfa, 4));
	gdt_set(SEL_SHORT1 & ~7u, descriptor(0, 0xffff, 0xba, 4));
	gdt_set(SEL_ABSENT3 & ~7u, descriptor(0, 0xfffff, 0x72, 0xc));
	gdt_set(SEL_ABSENT1 & ~7u, descriptor(0, 0xfffff, 0x32, 0xc));
	gdt_set(SEL_ABSENT0 & ~7u, descriptor(0, 0xfffff, 0x12, 0xc));
}

static void try(const char *label, unsigned cpl, const void *entry, u16 sel, u32 esp)
{
	struct regs r = regs_for(cpl, entry);
	const u32 *words = (const u32 *)(SCRATCH + 0xfe0);

	clear_accessed();
	memset((void *)SCRATCH, 0x11, 0x1000);
	if (sel) {
		r.ss = sel;
		r.esp = esp;
	}
	r.ecx = sel;
	r.eflags = 0x3202;
	run(&r);
	print("cpl %u esp=%x ", cpl, esp);
	show_trap(label, entry);
	print("   access %02x %02x %02x %02x, stack", access_of(SEL_SMALL3), access_of(SEL_SMALL1),
	      access_of(SEL_SHORT3), access_of(SEL_SHORT1));
	for (unsigned i = 0; i < 8; i++) {
		u32 word = words[i];

		if (word - (u32)entry < 0x100)
			word -= (u32)entry;
		print(" %x", word);
	}
	print("\n");
}

/* Offsets beyond the limit, with stacks that hold the frame, a part of it, or nothing. */
static void beyond_limits(void)
{
	static const u32 esps[] = {0x1000, 0x10, 0xc, 8, 4};

	for (unsigned i = 0; i < ARRAY_SIZE(esps); i++) {
		try("call beyond", 3, call_beyond, SEL_SMALL3, esps[i]);
		try("jmp beyond", 3, jmp_beyond, SEL_SMALL3, esps[i]);
		gdt_set(SEL_GATE, gate(SEL_SHORT3, 0x123456, 0xec, 2));
		try("gate, same level", 3, call_gate, SEL_SMALL3, esps[i]);
	}
	for (u32 esp = 0; esp <= 0x20; esp += 4) {
		main_tss.ss1 = SEL_SMALL1;
		main_tss.esp1 = esp;
		gdt_set(SEL_GATE, gate(SEL_SHORT1, 0x123456, 0xec, 2));
		try("gate, inner", 3, call_gate, SEL_SMALL3, esp ? 0xff8 : 0xffc);
		if (esp < 0x14) {
			idt_set(VEC_GATE, gate(SEL_SHORT1, 0, 0xee, 0));
			try("int, inner", 3, int_gate, SEL_SMALL3, esp);
		}
	}
	main_tss.esp1 = 0x1000;
	try("gate, inner", 3, call_gate, SEL_SMALL3, 0xff0);
	try("jmp gate", 3, jmp_gate, SEL_SMALL3, 0xff0);
	gdt_set(SEL_GATE, gate(SEL_SHORT3, 0x123456, 0xec, 2));
	try("jmp gate", 3, jmp_gate, SEL_SMALL3, 0xff0);
	main_tss.esp1 = 0x9c000;
	main_tss.ss1 = SEL_DATA1;
	try("ret beyond", 3, ret_same, SEL_SMALL3, 0x1000);
	try("iret beyond", 3, iret_same, SEL_SMALL3, 0x1000);
	try("ret short", 3, ret_short, 0, 0);
	try("iret short", 3, iret_short, 0, 0);
	try("ret outer short", 1, ret_outer_short, 0, 0);
	try("iret outer short", 1, iret_outer_short, 0, 0);
}

static void outer(const char *label, const void *entry, u16 sel)
{
	struct regs r = regs_for(0, entry);

	clear_accessed();
	r.ecx = sel;
	r.ds = r.es = SEL_DATA0;
	r.fs = SEL_DATA3;
	run(&r);
	print("ss %x ", sel);
	show_trap(label, entry);
	print("   access %02x %02x %02x ds=%x fs=%x\n", access_of(SEL_SMALL3),
	      access_of(SEL_ABSENT3), access_of(SEL_SHORT3), trap_frame.ds & 0xffff,
	      trap_frame.fs & 0xffff);
}

static void outer_stacks(void)
{
	static const u16 sels[] = {SEL_SMALL3, SEL_ABSENT3, SEL_DATA3, SEL_CODE3,
				   3,	       0x3fb,	    0x47,      SEL_DATA1};

	for (unsigned i = 0; i < ARRAY_SIZE(sels); i++) {
		outer("ret outer", ret_outer, sels[i]);
		outer("iret outer", iret_outer, sels[i]);
	}
}

/* Inner stacks that TSSs of all sizes hold. */
static void tss_limits(void)
{
	tss_286 = (struct tss286){.sp0 = 0xfff0,
				  .sp1 = 0xff00,
				  .sp2 = 0xfe00,
				  .ss0 = SEL_DATA0,
				  .ss1 = SEL_DATA1,
				  .ss2 = SEL_DATA2};
	main_tss.esp2 = 0x9a000;
	main_tss.ss2 = SEL_DATA2;
	for (u32 cpl = 1; cpl < 3; cpl++) {
		print("limits for CPL %u:", cpl);
		gdt_set(SEL_GATE, gate((u16)(SEL_CODE0 + cpl * 0x10), (u32)there, 0xec, 0));
		/* The trap itself needs SS0:ESP0. */
		for (u32 limit = 11; limit < 30; limit++) {
			struct regs r = regs_for(3, call_gate);

			/* SS is in the TSS, the two bytes behind it are not: Bochs is strict there.
			 */
			if (limit - (cpl * 8 + 9) < 2)
				continue;
			gdt_set(SEL_TSS386, descriptor((u32)&main_tss, limit, 0x89, 0));
			__asm__ volatile("ltr %w0" ::"r"(SEL_TSS386));
			run(&r);
			print(" %x:%u/%x", limit, trap_frame.vector, trap_frame.error);
		}
		print("\n limits of a 286 TSS:");
		for (u32 limit = 6; limit < 14; limit++) {
			struct regs r = regs_for(3, call_gate);

			gdt_set(SEL_TSS286, descriptor((u32)&tss_286, limit, 0x81, 0));
			__asm__ volatile("ltr %w0" ::"r"(SEL_TSS286));
			run(&r);
			print(" %x:%u/%x", limit, trap_frame.vector, trap_frame.error);
		}
		print("\n");
	}
	gdt_set(SEL_TSS, descriptor((u32)&main_tss, sizeof(main_tss) - 1, 0x89, 0));
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
}

static void both(const char *label, unsigned cpl, const void *entry)
{
	struct regs r = regs_for(cpl, entry);

	run(&r);
	print(" %s:%u/%x", label, trap_frame.vector, trap_frame.error);
}

/* Table 6-5: a first event whose gate is one that faults. */
static void double_faults(void)
{
	static const struct {
		const char *label;
		u8 vector;
		const void *entry;
	} first[] = {{"DE", 0, de},	{"DB", 1, single}, {"icebp", 1, icebp},
		     {"int3", 3, int3}, {"UD", 6, ud},	   {"NM", 7, nm},
		     {"NP", 11, np},	{"SS", 12, ss},	   {"GP", 13, gp},
		     {"PF", 14, pf},	{"AC", 17, ac},	   {"int", VEC_GATE, int_gate}};
	static const struct {
		const char *label;
		u16 sel;
		u8 access;
		u32 off;
	} second[] = {{"NP", SEL_CODE0, 0x6e, 0},
		      {"type", SEL_CODE0, 0xec, 0},
		      {"null", 0, 0xee, 0},
		      {"data", SEL_DATA0, 0xee, 0},
		      {"limit", 0x3f8, 0xee, 0},
		      {"TS", SEL_CODE1, 0xee, 0},
		      {"absent SS", SEL_CODE2, 0xee, 0},
		      {"offset", 0xb0, 0xee, 0x2000},
		      {"task", SEL_DATA0, 0xe5, 0},
		      {"LDT task", SEL_DATA0 | 4, 0xe5, 0}};

	main_tss.ss1 = SEL_DATA2;
	main_tss.ss2 = 0xba;
	gdt_set(0xb0, descriptor(0, 0xfff, 0x9b, 4));
	gdt_set(0xb8, descriptor(0, 0xfffff, 0x53, 0xc));
	for (unsigned j = 0; j < ARRAY_SIZE(second); j++) {
		print("gate %s", second[j].label);
		for (unsigned i = 0; i < ARRAY_SIZE(first); i++) {
			idt_set(first[i].vector,
				gate(second[j].sel, second[j].off, second[j].access, 0));
			if (first[i].vector == 7)
				write_cr0(read_cr0() | 8);
			both(first[i].label, 3, first[i].entry);
			idt_default(first[i].vector, 3);
		}
		print("\n");
	}
}

static void idt_limits(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) idtr = {0, (u32)idt};

	idt_default(1, 3);
	for (u32 limit = VEC_GATE * 8; limit <= VEC_GATE * 8 + 7; limit++) {
		idtr.limit = (u16)limit;
		__asm__ volatile("lidt %0" ::"m"(idtr));
		both("int", 3, int_gate);
		both("int", 0, int_gate);
	}
	print("\n");
	idtr.limit = sizeof(idt) - 1;
	__asm__ volatile("lidt %0" ::"m"(idtr));
}

/* One page that is not there: linear 3F0000h. */
static void paging_on(void)
{
	u32 *pd = (u32 *)0x80000, *pt = (u32 *)0x81000;

	memset(pd, 0, 4096);
	pd[0] = (u32)pt | 7;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i == 0x3f0 ? 0 : i << 12 | 7;
	write_cr3((u32)pd);
	write_cr0(read_cr0() | 0x80000000u | 1u << 18);
}

int main(void)
{
	rt_init("faults");
	main_tss.esp1 = 0x9c000;
	main_tss.ss1 = SEL_DATA1;
	beyond_limits();
	outer_stacks();
	tss_limits();
	paging_on();
	for (u32 v = 0; v < 20; v++)
		idt_default((u8)v, 3);
	idt_default(VEC_GATE, 3);
	double_faults();
	idt_limits();
	print("[end]\n");
	return 0;
}
