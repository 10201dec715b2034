/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPL 3 as operating systems run it: paging on, interrupts on. An engine may carry such code out on
 * the CPU itself, so this looks for what it would then have to hide: its page tables, descriptors,
 * flags, and that code it knows changes.
 */
#include "tests/guests/rt/rt.h"

#define PD     0x80000u
#define PT     0x81000u /* identity, the first 4 MB */
#define PT_TOP 0x82000u /* FC000000h */
#define VIRT   0x00300000u
#define PHYS   0x48000u
#define OTHER  0x49000u
#define TOP    0xfc100000u
#define LDT    0x4a000u

#define CR0_TS	BIT(3)
#define CR0_EM	BIT(2)
#define CR0_NE	BIT(5)
#define CR0_WP	BIT(16)
#define CR0_AM	BIT(18)
#define CR0_PG	BIT(31)
#define CR4_TSD BIT(2)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define FLAG_IF BIT(9)

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80 };

static volatile u32 *const pd = (u32 *)PD;
static volatile u32 *const pt = (u32 *)PT;

static void map_all(void)
{
	memset((void *)PD, 0, 0x3000);
	pd[0] = PT | P | W | U;
	pd[TOP >> 22] = PT_TOP | P | W | U;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i << 12 | P | W | U;
	((u32 *)PT_TOP)[TOP >> 12 & 1023] = PHYS | P | W | U;
	write_cr3(PD);
	write_cr0(read_cr0() | CR0_PG | CR0_WP);
}

static void flush(void)
{
	write_cr3(read_cr3());
}

static struct regs user(const void *entry)
{
	struct regs r = regs_for(3, entry);

	r.eflags |= FLAG_IF;
	r.esi = VIRT;
	r.edi = VIRT + 4;
	r.eax = 0x1234;
	r.ebx = 0x5678;
	r.ecx = 3;
	r.edx = 7;
	return r;
}

/* Offsets of EIP, and of ESP below the stack's top: what moves with the program is not printed. */
static void show(const char *label, const void *entry)
{
	const struct trap *t = &trap_frame;

	print("%s: vec=%u err=%x eip=%d fl=%x", label, t->vector, t->error,
	      (int)(t->eip - (u32)entry), t->eflags);
	print(" eax=%x ecx=%x edx=%x ebx=%x esi=%x edi=%x esp=%d", t->eax, t->ecx, t->edx, t->ebx,
	      t->esi, t->edi, (int)(t->esp - SCRATCH_STACK));
	print(" seg=%x/%x/%x/%x/%x/%x", t->cs & 0xffff, t->ss & 0xffff, t->ds & 0xffff,
	      t->es & 0xffff, t->fs & 0xffff, t->gs & 0xffff);
	if (t->vector == 14)
		print(" cr2=%x", t->cr2);
	print("\n");
}

static void go(const char *label, const void *entry)
{
	struct regs r = user(entry);

	run(&r);
	show(label, entry);
}

/* --- plain instructions, and those that CPL 3 may not --- */

SNIPPET(compute, "mov $1000, %ecx\n xor %eax, %eax\n 1: imul $17, %eax\n add %ecx, %eax\n loop 1b");
SNIPPET(divide, "xor %edx, %edx\n xor %ecx, %ecx\n div %ecx");
SNIPPET(undefined, "nop\n ud2");
SNIPPET(breakpoint, "nop\n int3");
SNIPPET(overflow, "mov $0x7fffffff, %eax\n inc %eax\n into");
SNIPPET(bound_range, "push $5\n push $1\n mov $9, %eax\n bound %eax, (%esp)");
SNIPPET(int_closed, "int $0x85");
SNIPPET(int_8, "int $0x08"); /* this and the next: gates that an engine may have of its own */
SNIPPET(int_31, "int $0x1f\n nop");
SNIPPET(int_open, "int $0x81\n nop");
SNIPPET(do_cli, "cli");
SNIPPET(do_sti, "sti");
SNIPPET(do_hlt, "hlt");
SNIPPET(do_in, "in $0x70, %al");
SNIPPET(do_outs, "mov $0x80, %edx\n mov %esp, %esi\n rep outsb");
SNIPPET(do_mov_cr, "mov %cr0, %eax");
SNIPPET(do_mov_dr, "mov %db0, %eax");
SNIPPET(do_lgdt, "lgdt (%esp)");
SNIPPET(do_ltr, "ltr %ax");
SNIPPET(do_clts, "clts");
SNIPPET(do_invlpg, "invlpg (%esi)");
SNIPPET(do_rdmsr, "mov $0x10, %ecx\n rdmsr");
SNIPPET(do_rdpmc, "xor %ecx, %ecx\n rdpmc");
SNIPPET(do_sysenter, "sysenter");
SNIPPET(do_sysexit, "sysexit");
SNIPPET(rdtsc_closed, "rdtsc");
SNIPPET(rdtsc_open, "rdtsc\n mov %eax, %ebx\n mov %edx, %ecx\n rdtsc\n sub %ebx, %eax\n"
		    "sbb %ecx, %edx\n shr $31, %edx\n xor %eax, %eax\n xor %ebx, %ebx\n xor %ecx, "
		    "%ecx");
SNIPPET(lock_bad, ".byte 0xf0\n nop");
SNIPPET(long_insn, ".fill 15, 1, 0x3e\n nop");

static void instructions(void)
{
	idt_default(0x81, 3);
	go("compute", compute);
	go("divide", divide);
	go("undefined", undefined);
	go("breakpoint", breakpoint);
	go("overflow", overflow);
	for (unsigned dpl = 0; dpl < 4; dpl += 3) {
		idt_default(3, dpl);
		idt_default(4, dpl);
		go("breakpoint, gate", breakpoint);
		go("overflow, gate", overflow);
	}
	go("bound", bound_range);
	go("int closed", int_closed);
	go("int 8", int_8);
	go("int 31", int_31);
	go("int open", int_open);
	go("cli", do_cli);
	go("sti", do_sti);
	go("hlt", do_hlt);
	go("in", do_in);
	go("outs", do_outs);
	go("mov cr", do_mov_cr);
	go("mov dr", do_mov_dr);
	go("lgdt", do_lgdt);
	go("ltr", do_ltr);
	go("clts", do_clts);
	go("invlpg", do_invlpg);
	go("rdmsr", do_rdmsr);
	go("rdpmc", do_rdpmc);
	go("sysenter", do_sysenter);
	go("sysexit", do_sysexit);
	go("lock", lock_bad);
	go("long", long_insn);
	go("rdtsc", rdtsc_open);
	write_cr4(read_cr4() | CR4_TSD);
	go("rdtsc closed", rdtsc_closed);
	write_cr4(read_cr4() & ~CR4_TSD);
}

/* A port that the TSS's bitmap opens. */
SNIPPET(in_open, "xor %eax, %eax\n mov $0x72, %al\n out %al, $0x70\n mov $0x70, %dx\n nop");

static void ports(void)
{
	u32 limit = sizeof(main_tss) - 1;

	main_tss.io_map = (u16)((u8 *)main_tss.io_bits - (u8 *)&main_tss);
	memset(main_tss.io_bits, 0xff, sizeof(main_tss.io_bits));
	main_tss.io_bits[0x70 / 8] = 0xfe;
	gdt_set(SEL_TSS, descriptor((u32)&main_tss, limit, 0x89, 0));
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
	go("port open", in_open);
	go("port in", do_in);
	main_tss.io_bits[0x70 / 8] = 0xff;
	go("port closed again", in_open);
	main_tss.io_map = sizeof(main_tss);
}

/* --- flags --- */

SNIPPET(popf_all,
	"push $0x247fd7\n popfl\n pushfl\n pop %eax\n and $~0x100, %eax\n push $2\n popfl");
SNIPPET(popf_ac_id, "push $0x240202\n popfl\n pushfl\n pop %eax\n push $0x202\n popfl\n pushfl\n"
		    "pop %ebx");
SNIPPET(popf_nt, "push $0x4202\n popfl\n pushfl\n pop %eax\n iret");
SNIPPET(misaligned, "push $0x40202\n popfl\n mov 1(%esp), %eax\n nop");
SNIPPET(pushf_sees, "pushfl\n pop %eax\n clc\n std\n pushfl\n pop %ebx\n cld");
SNIPPET(tf_then_nop, "push $0x302\n popfl\n nop\n nop");
SNIPPET(tf_then_fault, "push $0x302\n popfl\n ud2");
SNIPPET(tf_then_memory, "push $0x302\n popfl\n mov (%esi), %eax\n nop");
SNIPPET(tf_then_int, "push $0x302\n popfl\n int $0x81\n nop");
SNIPPET(tf_then_sreg, "mov %ds, %eax\n push $0x302\n popfl\n mov %eax, %fs\n nop");
SNIPPET(tf_then_ss, "mov %ss, %eax\n push $0x302\n popfl\n mov %eax, %ss\n nop\n nop");
SNIPPET(tf_rep, "mov %esi, %edi\n push $0x302\n popfl\n rep stosb\n nop");
SNIPPET(icebp, "nop\n .byte 0xf1\n nop");

static void flags(void)
{
	go("popf all", popf_all);
	go("popf ac id", popf_ac_id);
	go("popf nt", popf_nt);
	go("misaligned, AM off", misaligned);
	write_cr0(read_cr0() | CR0_AM);
	go("misaligned, AM on", misaligned);
	write_cr0(read_cr0() & ~CR0_AM);
	go("misaligned, AM off again", misaligned);
	go("pushf", pushf_sees);
	go("tf nop", tf_then_nop);
	go("tf fault", tf_then_fault);
	pt[VIRT >> 12] = PHYS | P | W | U;
	flush();
	go("tf memory", tf_then_memory);
	pt[VIRT >> 12] = 0;
	flush();
	go("tf memory fault", tf_then_memory);
	go("tf int", tf_then_int);
	go("tf sreg", tf_then_sreg);
	go("tf ss", tf_then_ss);
	pt[VIRT >> 12] = PHYS | P | W | U;
	flush();
	go("tf rep", tf_rep);
	go("icebp", icebp);
	for (unsigned iopl = 0; iopl < 4; iopl++) {
		struct regs r = user(pushf_sees);

		r.eflags |= iopl << 12;
		run(&r);
		show("pushf, iopl", pushf_sees);
		r.eip = (u32)do_in;
		run(&r);
		show("in, iopl", do_in);
	}
}

/* --- segments --- */

SNIPPET(load_null, "xor %eax, %eax\n mov %eax, %ds\n mov $3, %eax\n mov %eax, %es\n mov %eax, %fs\n"
		   "mov $1, %eax\n mov %eax, %gs\n nop");
/* The access takes an engine that has its own page tables out of the CPU and in again. */
SNIPPET(keep_null, "mov $3, %eax\n mov %eax, %es\n mov $2, %eax\n mov %eax, %fs\n"
		   "mov $1, %eax\n mov %eax, %gs\n mov (%esi), %eax\n nop");
SNIPPET(use_null, "xor %eax, %eax\n mov %eax, %ds\n mov (%esi), %eax");
SNIPPET(load_same, "mov %ss, %eax\n mov %eax, %ds\n mov %eax, %es\n and $~3, %eax\n mov %eax, %fs\n"
		   "mov %cs, %eax\n mov %eax, %gs\n mov %gs:(%esi), %eax");
SNIPPET(write_code_seg, "mov %cs, %eax\n mov %eax, %ds\n mov %eax, (%esi)");
SNIPPET(load_free, "mov $0x63, %eax\n mov %eax, %ds\n mov (0), %eax\n mov (4), %ebx");
SNIPPET(load_free_fs, "mov $0x63, %eax\n mov %eax, %fs\n mov %fs:(0), %eax\n mov %fs:(0x10), %ebx");
SNIPPET(load_kernel, "mov $0x10, %eax\n mov %eax, %ds");
SNIPPET(load_high, "mov $0xffe8, %eax\n mov %eax, %ds");
SNIPPET(load_high_rpl, "mov $0xfffb, %eax\n mov %eax, %es");
SNIPPET(load_tss, "mov $0x58, %eax\n mov %eax, %es");
SNIPPET(load_ldt, "mov $0x0f, %eax\n mov %eax, %es\n mov %es:(0), %eax");
SNIPPET(load_ss_bad, "mov $0x3b, %eax\n mov %eax, %ss");
SNIPPET(load_ss_same, "mov %ss, %eax\n mov %eax, %ss\n push %eax\n pop %ebx");
SNIPPET(far_same, "ljmp $0x3b, $1f\n nop\n 1: nop");
SNIPPET(far_rpl0, "ljmp $0x38, $1f\n nop\n 1: mov %cs, %eax");
SNIPPET(far_kernel, "ljmp $8, $1f\n nop\n 1: nop");
SNIPPET(far_ldt, "ljmp $0x17, $1f\n nop\n 1: mov %cs, %eax\n ljmp $0x3b, $2f\n 2: nop");
SNIPPET(far_call, "lcall $0x3b, $1f\n jmp 2f\n 1: mov (%esp), %eax\n lret\n 2: xor %eax, %eax");
SNIPPET(do_iret, "pushfl\n push %cs\n push $1f\n iret\n nop\n 1: nop");
SNIPPET(expand_down, "mov $0x6b, %eax\n mov %eax, %ds\n mov (0x2000), %eax\n mov (0x100), %eax");
SNIPPET(reload_changed, "mov %gs:(0), %eax\n mov %gs, %ecx\n mov %ecx, %gs\n mov %gs:(0), %ebx\n"
			"xor %ecx, %ecx");

static void ldt(bool loaded)
{
	u64 *table = (u64 *)LDT;

	table[1] = descriptor(PHYS, 0xfff, 0xf3, 4);
	table[2] = descriptor(0, 0xfffff, 0xfb, 0xc);
	gdt_set(SEL_FREE + 0x10, descriptor(LDT, 23, 0x82, 0));
	__asm__ volatile("lldt %w0" ::"r"(loaded ? SEL_FREE + 0x10 : 0));
}

static void segments(void)
{
	struct regs r;

	*(u32 *)PHYS = 0x11223344;
	*(u32 *)OTHER = 0x55667788;
	go("load null", load_null);
	pt[VIRT >> 12] = OTHER | P | W | U;
	flush();
	go("keep null", keep_null);
	pt[VIRT >> 12] = VIRT | P | W | U;
	flush();
	go("use null", use_null);
	go("load same", load_same);
	go("write code segment", write_code_seg);
	gdt_set(SEL_FREE, descriptor(PHYS, 7, 0xf3, 4));
	go("load free", load_free);
	go("load free again", load_free);
	go("load free fs", load_free_fs);
	gdt_set(SEL_FREE, 0);
	go("load freed", load_free);
	go("load kernel", load_kernel);
	go("load high", load_high);
	go("load high rpl", load_high_rpl);
	go("load tss", load_tss);
	ldt(false);
	go("load ldt, none", load_ldt);
	ldt(true);
	go("load ldt", load_ldt);
	go("far ldt", far_ldt);
	ldt(false);
	go("load ldt, gone", load_ldt);
	go("load ss bad", load_ss_bad);
	go("load ss same", load_ss_same);
	go("far same", far_same);
	go("far rpl 0", far_rpl0);
	go("far kernel", far_kernel);
	go("far call", far_call);
	go("iret", do_iret);
	gdt_set(SEL_FREE + 8, descriptor(PHYS - 0x1000, 0x1ff, 0xf7, 4));
	go("expand down", expand_down);
	/* The register holds what was loaded, whatever the table says by now. */
	gdt_set(SEL_FREE, descriptor(PHYS, 0xfff, 0xf3, 4));
	r = user(reload_changed);
	r.gs = SEL_FREE | 3;
	run(&r);
	show("reload", reload_changed);
	gdt_set(SEL_FREE, 0);
}

SNIPPET16(code16, "push %eax\n mov $0x5a5a, %ax\n pop %ebx\n nop");
SNIPPET16(code16_limit, ".byte 0xe9\n .word 0x7000");

/* 16-bit code, and a 16-bit stack under ESP's upper half. */
static void small_segments(void)
{
	struct regs r = user(code16);
	u32 base = (u32)code16 & ~0xfffu;

	gdt_set(SEL_FREE, descriptor(base, 0x1fff, 0xfb, 0));
	gdt_set(SEL_FREE + 8, descriptor(SCRATCH, 0xffff, 0xf3, 0));
	r.cs = SEL_FREE | 3;
	r.eip = (u32)code16 - base;
	run(&r);
	show("16-bit code", (void *)r.eip);
	r.ss = (SEL_FREE + 8) | 3;
	r.esp = 0x43211000;
	run(&r);
	show("16-bit stack", (void *)r.eip);
	r.eip = (u32)code16_limit - base;
	run(&r);
	show("16-bit limit", (void *)r.eip);
	gdt_set(SEL_FREE, 0);
	gdt_set(SEL_FREE + 8, 0);
}

SNIPPET(int_at_limit, "nop\n int $0x81");

/* INT n that CS's limit cuts in two, or ends in front of, is no INT n. */
static void code_limit(void)
{
	u32 base = (u32)int_at_limit & ~0xfffu, off = (u32)int_at_limit - base;
	struct regs r = user(int_at_limit);

	idt_default(0x81, 3);
	r.cs = SEL_FREE | 3;
	r.eip = off;
	for (u32 n = 0; n < 3; n++) {
		gdt_set(SEL_FREE, descriptor(base, off + n, 0xfb, 4));
		run(&r);
		show("int at the limit", (void *)off);
	}
	gdt_set(SEL_FREE, 0);
}

/* --- pages --- */

SNIPPET(read, "mov (%esi), %eax");
SNIPPET(write, "mov %eax, (%esi)");
SNIPPET(modify, "addl $1, (%esi)");
SNIPPET(cross, "mov %eax, -2(%esi)");
SNIPPET(copy, "mov $0x1000, %ecx\n lea -0x800(%esi), %edi\n mov $0x40000, %esi\n cld\n rep movsb");
SNIPPET(push_page, "lea 4(%esi), %esp\n push %eax");
SNIPPET(fetch, "jmp *%esi");

static void show_page(const char *label, const void *entry)
{
	go(label, entry);
	print("   pde=%03x pte=%03x", pd[0] & 0xfff, pt[VIRT >> 12] & 0xfff);
	print(" before=%03x mem=%x\n", pt[(VIRT >> 12) - 1] & 0xfff, *(u32 *)PHYS);
}

static void pages(void)
{
	static const u32 rights[] = {
		0, P | W, P | U, P | W | U, P | U | A, P | W | U | A, P | W | U | A | D, P | W | D};
	static const struct {
		const char *label;
		const void *entry;
	} list[] = {{"read", read}, {"write", write},	 {"modify", modify}, {"cross", cross},
		    {"copy", copy}, {"push", push_page}, {"fetch", fetch}};

	for (unsigned i = 0; i < ARRAY_SIZE(rights); i++) {
		print("rights %02x\n", rights[i]);
		for (unsigned k = 0; k < ARRAY_SIZE(list); k++) {
			*(u32 *)PHYS = 0x80cd80cd;
			pd[0] = PT | P | W | U;
			pt[VIRT >> 12] = PHYS | rights[i];
			pt[(VIRT >> 12) - 1] = OTHER | P | W | U;
			flush();
			show_page(list[k].label, list[k].entry);
		}
	}
	/* Bits that the kernel clears come back with the next access. */
	pt[VIRT >> 12] = PHYS | P | W | U;
	flush();
	show_page("write", write);
	pt[VIRT >> 12] = PHYS | P | W | U;
	flush();
	show_page("read, cleared", read);
	pt[VIRT >> 12] &= ~W;
	flush();
	show_page("write, read-only now", write);
	pt[VIRT >> 12] = OTHER | P | W | U;
	flush();
	show_page("write, elsewhere now", write);
	print("elsewhere=%x\n", *(u32 *)OTHER);
}

/* One user program edits the page table, which is a page like any other to it. */
SNIPPET(edit_table, "movl $0x49067, 0x81c00\n mov 0x81c00, %eax");
SNIPPET(edit_directory, "mov 0x80000, %eax\n mov %eax, 0x80004");

static void tables_as_data(void)
{
	*(u32 *)PHYS = 0xaaaa;
	*(u32 *)OTHER = 0xbbbb;
	pt[VIRT >> 12] = PHYS | P | W | U | A | D;
	flush();
	go("before the edit", read);
	go("edit a table", edit_table);
	flush();
	go("after the edit", read);
	go("edit the directory", edit_directory);
	flush();
	{
		struct regs r = user(read);

		r.esi = 0x400000 + OTHER;
		run(&r);
		show("a second view", read);
	}
	pd[1] = 0;
	flush();
	{
		struct regs r = user(read);

		r.esi = 0x400000 + OTHER;
		run(&r);
		show("no second view", read);
	}
}

/* Farbus's own place in the linear space is the guest's all the same. */
static void top(void)
{
	struct regs r = user(write);

	*(u32 *)PHYS = 0x80cd80cd;
	r.esi = TOP;
	run(&r);
	show("write at the top", write);
	print("mem=%x\n", *(u32 *)PHYS);
	r = user(read);
	r.esi = TOP;
	run(&r);
	show("read at the top", read);
	r.esi = TOP + 0x1000;
	run(&r);
	show("read behind the top", read);
	*(u32 *)PHYS = 0x80cd80cd;
	r = user(fetch);
	r.esi = TOP;
	run(&r);
	show("fetch at the top", (void *)TOP);
	r = user(push_page);
	r.esi = TOP;
	run(&r);
	show("push at the top", push_page);
}

static void large_and_pae(void)
{
	volatile u64 *pdpt = (u64 *)0x84000, *directory = (u64 *)0x85000, *table = (u64 *)0x86000;

	write_cr4(read_cr4() | CR4_PSE);
	for (unsigned i = 0; i < 4; i++) {
		struct regs r = user(i & 1 ? write : read);

		pd[1] = P | PS | W | (i & 2 ? U : 0);
		flush();
		r.esi = 0x400000 + PHYS;
		run(&r);
		show("4 MB", (void *)r.eip);
		print("   pde=%03x\n", pd[1] & 0xfff);
	}
	pd[1] = 0;
	write_cr4(read_cr4() & ~CR4_PSE);
	write_cr0(read_cr0() & ~CR0_PG);
	memset((void *)pdpt, 0, 0x3000);
	pdpt[0] = 0x85000 | P;
	directory[0] = P | W | U | PS;
	directory[1] = 0x86000 | P | W | U;
	write_cr4(read_cr4() | CR4_PAE);
	write_cr3(0x84000);
	write_cr0(read_cr0() | CR0_PG);
	for (unsigned i = 0; i < 6; i++) {
		struct regs r = user(i & 1 ? write : read);

		table[0x100] = PHYS | P | (i & 2 ? W : 0) | (i & 4 ? 0 : U);
		flush();
		run(&r);
		show("PAE", (void *)r.eip);
		print("   pde=%03x pte=%03x\n", (u32)directory[1] & 0xfff,
		      (u32)table[0x100] & 0xfff);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct regs r = user(i & 1 ? write : read);

		r.esi = 0x100000 + PHYS;
		directory[0] = P | W | U | PS | A;
		flush();
		run(&r);
		show("2 MB", (void *)r.eip);
		print("   pde=%03x\n", (u32)directory[0] & 0xfff);
	}
	write_cr0(read_cr0() & ~CR0_PG);
	write_cr4(read_cr4() & ~CR4_PAE);
	map_all();
}

/* --- code that changes --- */

SNIPPET(patch_self, "movb $0x43, 1f\n jmp 1f\n 1: nop\n nop");

/* What the kernel has run is changed by the user, and the other way round. */
static void changing_code(void)
{
	u8 *code = (u8 *)SCRATCH;
	static const u8 program[] = {0x90, 0x40, 0xcd, 0x80}; /* NOP, INC EAX, INT 80h */
	struct regs r;

	*(patch_self + 9) = *(patch_self + 9); /* the page is the program's own: written, too */
	go("patch self", patch_self);
	memcpy(code, program, sizeof(program));
	for (unsigned i = 0; i < 4; i++) {
		r = regs_for(0, code);
		run(&r);
		print("kernel eax=%x\n", trap_frame.eax);
		r = user(write);
		r.esi = SCRATCH;
		r.eax = 0x80cd4090 + (i << 8); /* INC EAX, ECX, EDX, EBX */
		run(&r);
		r = user(code);
		run(&r);
		show("user runs it", code);
		code[0] = (u8)(0x40 + i);
		r = user(code);
		run(&r);
		show("kernel wrote", code);
	}
}

/* --- FPU --- */

SNIPPET(fpu_sum, "fninit\n fld1\n fld1\n faddp\n push $0\n fistpl (%esp)\n pop %eax");
SNIPPET(fpu_keep, "fninit\n fldpi\n fld1");
SNIPPET(fpu_kept, "push $0\n push $0\n fistpl (%esp)\n pop %ebx\n fistpl (%esp)\n pop %eax");
SNIPPET(fpu_zero, "fninit\n fnstcw -4(%esp)\n andb $0xfb, -4(%esp)\n fldcw -4(%esp)\n fld1\n fldz\n"
		  "fdivrp\n fwait\n nop");
SNIPPET(fpu_wait, "fwait");
SNIPPET(mmx, "mov $5, %eax\n movd %eax, %mm0\n paddd %mm0, %mm0\n movd %mm0, %eax\n emms");

static void fpu(void)
{
	static const u32 modes[] = {0, CR0_TS, CR0_EM, CR0_TS | CR0_EM, 2, 2 | CR0_TS};

	write_cr0(read_cr0() | CR0_NE);
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		write_cr0((read_cr0() & ~(CR0_TS | CR0_EM | 2)) | modes[i]);
		print("cr0 %x\n", modes[i]);
		go("fpu", fpu_sum);
		go("fwait", fpu_wait);
		go("mmx", mmx);
	}
	write_cr0(read_cr0() & ~(CR0_TS | CR0_EM));
	go("fpu keep", fpu_keep);
	__asm__ volatile("fld1\n fadd %%st(1), %%st\n fxch %%st(1)\n fstp %%st(0)" ::: "memory");
	go("fpu kept", fpu_kept);
	go("fpu zero divide", fpu_zero);
	__asm__ volatile("fninit");
}

int main(void)
{
	rt_init("user");
	map_all();
	instructions();
	ports();
	flags();
	segments();
	small_segments();
	code_limit();
	pages();
	tables_as_data();
	top();
	large_and_pae();
	changing_code();
	fpu();
	print("[end]\n");
	return 0;
}
