/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls and faults between CPL 3 and CPL 0, again and again, with changes in between of all
 * that they rest on: gates, descriptors, the TSS, tables, pages, frames. An engine may remember
 * what a transfer led to; here it must notice.
 */
#include "tests/guests/rt/rt.h"

#define PD	   0x80000u
#define PT	   0x81000u    /* identity, the first 4 MB */
#define STACK	   0x00310000u /* linear pages of the test's own */
#define TABLES	   0x00320000u
#define LARGE	   0x40000000u
#define LARGE_SIZE 0x400000u
#define PHYS	   0x48000u
#define OTHER	   0x49000u
#define TSS	   0x4a000u
#define VECTOR	   0x90u
#define CODE	   (SEL_FREE)	     /* the gate's */
#define INNER	   (SEL_FREE + 0x08) /* SS of CPL 0 */
#define CODE_3	   (SEL_FREE + 0x13) /* the program's */
#define STACK_3	   (SEL_FREE + 0x1b)
#define DATA_3	   (SEL_FREE + 0x23)
#define TSS_2	   (SEL_FREE + 0x28)
#define FAR_3	   (SEL_FREE + 0x33)
#define SMALL	   (SEL_FREE + 0x50) /* a stack of CPL 0 with SP, and with 4 GB */
#define TIMES	   4u

#define CR0_WP	BIT(16)
#define CR0_PG	BIT(31)
#define CR4_PSE BIT(4)
#define FLAG_IF BIT(9)

#define MSR_SYSENTER_CS	 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80 };

static volatile u32 *const pt = (u32 *)PT;

SNIPPET(call, "int $0x90\n nop");
SNIPPET(prefixed, ".byte 0x66\n int $0x90\n nop");
SNIPPET(again, "mov $4, %ecx\n 1: int $0x91\n loop 1b\n nop");
SNIPPET(fault, "mov (%esi), %eax");
SNIPPET(enter, "mov $1f, %edx\n mov %esp, %ecx\n sysenter\n nop\n 1: pushfl\n pop %ebx\n and "
	       "$0x200, %ebx");

/* With TF: the trap comes before the handler's first instruction, as TF goes there. */
SNIPPET(enter_stepped, "mov $1f, %edx\n mov %esp, %ecx\n pushfl\n orl $0x100, (%esp)\n popfl\n"
		       " sysenter\n 1: nop");

/* So long that 32-bit code with a 16-bit stack is worth something to an engine. */
SNIPPET(back, "mov $0x400, %ecx\n 1: mov %cr3, %edi\n mov %edi, %cr3\n loop 1b\n"
	      " mov %gs, %eax\n push %ss\n pop %gs\n mov %gs, %edx\n mov %eax, %gs\n"
	      " push $0x3002\n popf\n pushf\n pop %ebx\n iret");

/* Six calls of a handler that loads data segments; what they lead to then, in EDX and EBX. */
SNIPPET(reads, "mov $6, %ecx\n xor %edx, %edx\n xor %ebx, %ebx\n"
	       "1: int $0x91\n rol $4, %edx\n add (%esi), %edx\n rol $4, %ebx\n"
	       "add %es:(%esi), %ebx\n loop 1b\n nop");
/* Loads that the program does itself between calls of a handler that shows DS. */
SNIPPET(loads, "xor %edx, %edx\n int $0x91\n mov %ss, %eax\n mov %eax, %ds\n int $0x91\n"
	       "mov %es, %eax\n mov %eax, %ds\n int $0x91\n mov %eax, %fs\n int $0x91\n nop");

/* Handlers. The first shows EFLAGS as the gate left them, in EBX. */
extern u8 sees_flags[], returns[], leaves[], leaves_at_once[], puts_back[], keeps[], sees_ds[];
__asm__(".text\n"
	"sees_flags: pushfl\n pop %ebx\n push $0\n push $0x90\n jmp trap_stubs + 0x80 * 16 + 7\n"
	"returns: push %eax\n inc %eax\n mov %eax, %edx\n pop %eax\n iret\n"
	"leaves: sti\n sysexit\n"
	"leaves_at_once: sysexit\n"
	/* At the fourth call DATA_3's base becomes 40000h; or DS stays FAR_3. */
	"puts_back: push %ds\n push %es\n push %fs\n mov $0x10, %eax\n mov %eax, %ds\n"
	"mov %eax, %es\n mov %eax, %fs\n cmp $3, %ecx\n jne 1f\n movb $4, gdt + 0x80 + 4\n"
	"1: pop %fs\n pop %es\n pop %ds\n iret\n"
	"keeps: push %ds\n push %es\n mov $0x10, %eax\n mov %eax, %ds\n mov %eax, %es\n"
	"pop %es\n pop %ds\n cmp $3, %ecx\n jne 1f\n mov $0x93, %eax\n mov %eax, %ds\n 1: iret\n"
	"sees_ds: mov %ds, %eax\n rol $8, %edx\n xor %eax, %edx\n iret\n");

static u64 flat_code(u8 access)
{
	return descriptor(0, 0xfffff, access, 0xc);
}

static void flush(void)
{
	write_cr3(read_cr3());
}

static void invlpg(u32 lin)
{
	__asm__ volatile("invlpg (%0)" ::"r"(lin) : "memory");
}

struct table_register {
	u16 limit;
	u32 base;
} __attribute__((packed));

static void lgdt(u32 base, u16 limit)
{
	__asm__ volatile("lgdt %0" ::"m"((struct table_register){limit, base}));
}

static void lidt(u32 base, u16 limit)
{
	__asm__ volatile("lidt %0" ::"m"((struct table_register){limit, base}));
}

static void wrmsr(u32 msr, u32 value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"(value), "d"(0));
}

/* What this test has of its own, as it is at first. */
static void restore(void)
{
	gdt_set(CODE, flat_code(0x9b));
	gdt_set(INNER, flat_code(0x93));
	gdt_set(CODE_3 & 0xfff8, flat_code(0xfb));
	gdt_set(STACK_3 & 0xfff8, flat_code(0xf3));
	gdt_set(DATA_3 & 0xfff8, flat_code(0xf3));
	idt_set(VECTOR, gate(CODE, (u32)trap_stubs + VECTOR * 16, 0xee, 0));
	idt_set(0x91, gate(CODE, (u32)returns, 0xee, 0));
	main_tss.esp0 = 0x9e000;
	main_tss.ss0 = INNER;
	pt[STACK >> 12] = PHYS | P | W;
	pt[(STACK >> 12) - 1] = OTHER | P | W;
	pt[TABLES >> 12] = PHYS | P | W;
	flush();
}

static struct regs user(const void *entry)
{
	struct regs r = regs_for(3, entry);

	r.cs = CODE_3;
	r.ss = STACK_3;
	r.ds = r.es = DATA_3;
	r.eflags |= FLAG_IF;
	r.esi = 0x00330000;
	r.eax = 0x1234;
	return r;
}

static void show(const char *label, const void *entry)
{
	const struct trap *t = &trap_frame;

	print("%s: vec=%x err=%x eip=%d fl=%x", label, t->vector, t->error,
	      (int)(t->eip - (u32)entry), t->eflags);
	print(" frame=%x esp=%d eax=%x edx=%x ebx=%x", t->frame_esp, (int)(t->esp - SCRATCH_STACK),
	      t->eax, t->edx, t->ebx);
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

/* So often that whatever is worth remembering is remembered. */
static void warm(const void *entry)
{
	struct regs r = user(entry);

	restore();
	for (unsigned i = 0; i < TIMES; i++)
		run(&r);
}

static void gates(void)
{
	warm(call);
	go("gate", call);
	go("gate, prefix", prefixed);
	idt_set(VECTOR, gate(CODE, (u32)trap_stubs + 0xa0 * 16, 0xee, 0));
	go("gate elsewhere", call);
	warm(call);
	idt_set(VECTOR, gate(CODE, (u32)trap_stubs + VECTOR * 16, 0x8e, 0));
	go("gate closed", call);
	go("gate closed, prefix", prefixed);
	warm(call);
	idt_set(VECTOR, gate(CODE, (u32)trap_stubs + VECTOR * 16, 0x6e, 0));
	go("gate absent", call);
	warm(call);
	idt_set(VECTOR, gate(CODE, (u32)sees_flags, 0xee, 0));
	go("interrupt gate", call);
	idt_set(VECTOR, gate(CODE, (u32)sees_flags, 0xef, 0));
	go("trap gate", call);
	warm(call);
	idt_set(VECTOR, gate(SEL_CODE0, (u32)trap_stubs + VECTOR * 16, 0xee, 0));
	go("gate, other segment", call);
	idt_set(VECTOR, gate(CODE | 3, (u32)trap_stubs + VECTOR * 16, 0xee, 0));
	go("gate, RPL 3", call);
	idt_set(VECTOR, gate(INNER, (u32)trap_stubs + VECTOR * 16, 0xee, 0));
	go("gate, no code", call);
	idt_set(VECTOR, gate(0, (u32)trap_stubs + VECTOR * 16, 0xee, 0));
	go("gate, null", call);
}

static void code_segment(void)
{
	static const u8 access[] = {0x1b, 0x93, 0x9a, 0x99, 0xbb};

	for (unsigned i = 0; i < ARRAY_SIZE(access); i++) {
		warm(call);
		gdt_set(CODE, flat_code(access[i]));
		print("code %x\n", access[i]);
		go("code", call);
		print("   now %x\n", (u32)(gdt[CODE >> 3] >> 40) & 0xff);
	}
	warm(call);
	gdt_set(CODE, descriptor(0, 0x100, 0x9b, 4));
	go("code, limit", call);
}

/* What makes it no stack would be a triple fault. */
static void inner_stack(void)
{
	warm(call);
	gdt_set(INNER, flat_code(0x92));
	go("stack, not accessed", call);
	print("   now %x\n", (u32)(gdt[INNER >> 3] >> 40) & 0xff);
	warm(call);
	main_tss.esp0 = 0x9d000;
	go("ESP0", call);
	main_tss.ss0 = SEL_DATA0;
	go("SS0", call);
	warm(call);
	main_tss.esp0 = 0x9b000;
	gdt_set(INNER, descriptor(0x1000, 0xfffff, 0x93, 0xc));
	go("SS0, base", call);
}

/* The stack that is pushed to lies in pages of its own. */
static void stack_page(void)
{
	warm(call);
	main_tss.esp0 = STACK + 0x800;
	go("page", call);
	go("page", call);
	print("   pte=%x\n", pt[STACK >> 12] & 0xfff);
	pt[STACK >> 12] = PHYS | P | W;
	flush();
	go("page, A and D clear", call);
	print("   pte=%x\n", pt[STACK >> 12] & 0xfff);
	memset((void *)OTHER, 0, 0x1000);
	pt[STACK >> 12] = OTHER | P | W;
	invlpg(STACK);
	go("page elsewhere", call);
	print("   %x %x\n", *(u32 *)(OTHER + 0x7f0), *(u32 *)(OTHER + 0x7fc));
	main_tss.esp0 = STACK + 8;
	go("two pages", call);
	go("two pages", call);
	print("   pte=%x %x\n", pt[STACK >> 12] & 0xfff, pt[(STACK >> 12) - 1] & 0xfff);
	pt[(STACK >> 12) - 1] = OTHER | P;
	write_cr0(read_cr0() & ~CR0_WP);
	flush();
	go("two pages, read-only, no WP", call);
	write_cr0(read_cr0() | CR0_WP);
}

/* The same tables at another address, and other tables at the same one. */
static void tables(void)
{
	struct tss386 *second = (struct tss386 *)TSS;

	warm(call);
	memcpy((void *)PHYS, idt, sizeof(idt));
	memcpy((void *)OTHER, idt, sizeof(idt));
	((u64 *)PHYS)[VECTOR] = gate(CODE, (u32)trap_stubs + 0xa1 * 16, 0xee, 0);
	((u64 *)OTHER)[VECTOR] = gate(CODE, (u32)trap_stubs + 0xa2 * 16, 0xee, 0);
	lidt(TABLES, sizeof(idt) - 1);
	for (unsigned i = 0; i < TIMES; i++)
		go("IDT elsewhere", call);
	pt[TABLES >> 12] = OTHER | P | W;
	invlpg(TABLES);
	go("IDT, other page", call);
	lidt(TABLES, VECTOR * 8 + 6);
	go("IDT, limit", call);
	lidt((u32)idt, sizeof(idt) - 1);

	warm(call);
	memcpy((void *)PHYS, gdt, sizeof(gdt));
	((u64 *)PHYS)[CODE >> 3] = flat_code(0x1b);
	lgdt(TABLES, sizeof(gdt) - 1);
	go("GDT elsewhere", call);
	lgdt((u32)gdt, sizeof(gdt) - 1);

	warm(call);
	memcpy(second, &main_tss, 104);
	second->esp0 = 0x9c000;
	second->io_map = 104;
	gdt_set(TSS_2, descriptor(TSS, 103, 0x89, 0));
	__asm__ volatile("ltr %w0" ::"r"(TSS_2));
	go("TR elsewhere", call);
	gdt_set(SEL_TSS, descriptor((u32)&main_tss, sizeof(main_tss) - 1, 0x89, 0));
	__asm__ volatile("ltr %w0" ::"r"(SEL_TSS));
}

/* Tables and the inner stack in a large page, which loads of CR3 find as it was, and elsewhere. */
static void large_pages(void)
{
	volatile u32 *const pd = (u32 *)PD;

	write_cr4(read_cr4() | CR4_PSE);
	pd[LARGE >> 22] = P | W | PS;
	pd[(LARGE >> 22) + 1] = LARGE_SIZE | P | W | PS;
	memcpy((void *)(LARGE + PHYS), idt, sizeof(idt));
	memcpy((void *)(LARGE + LARGE_SIZE + PHYS), idt, sizeof(idt));
	((volatile u64 *)(LARGE + LARGE_SIZE + PHYS))[VECTOR] =
		gate(CODE, (u32)trap_stubs + 0xa4 * 16, 0xee, 0);
	main_tss.esp0 = LARGE + 0x9e000;
	lidt(LARGE + PHYS, sizeof(idt) - 1);
	for (unsigned i = 0; i < TIMES; i++) {
		go("large page", call);
		flush();
		go("large page, fault", fault);
	}
	((volatile u64 *)PHYS)[VECTOR] = gate(CODE, (u32)trap_stubs + 0xa5 * 16, 0xee, 0);
	flush();
	go("large page, other gate", call);
	pd[LARGE >> 22] = LARGE_SIZE | P | W | PS;
	flush();
	go("other large page", call);
	print("   pde=%x\n", pd[LARGE >> 22]);
	print("   %x\n", *(volatile u32 *)(LARGE + LARGE_SIZE + 0x9dffc));
	pd[LARGE >> 22] = P | W | PS;
	invlpg(LARGE);
	go("the first again", call);
	print("   pde=%x\n", pd[LARGE >> 22]);
	lidt((u32)idt, sizeof(idt) - 1);
	pd[LARGE >> 22] = pd[(LARGE >> 22) + 1] = 0;
	restore();
	write_cr4(read_cr4() & ~CR4_PSE);
}

static void frames(void)
{
	static const u32 flags[] = {0x2,    0x302,   0x4202, 0x10202,  0x40202,	  0x3202,
				    0x1202, 0x80202, 0xad7,  0x200202, 0xfff08aff};
	static const u8 access[] = {0x7b, 0xf3, 0xfa, 0x9b, 0xff};
	static const u8 stack_access[] = {0x73, 0xf1, 0xf2, 0x93, 0xf7};
	struct regs r;

	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
		warm(call);
		r = user(call);
		r.eflags = flags[i] & ~BIT(17);
		run(&r);
		print("flags %x ", flags[i]);
		show("call", call);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(access); i++) {
		warm(again);
		gdt_set(CODE_3 & 0xfff8, flat_code(access[i]));
		print("program %x\n", access[i]);
		r = user(again);
		run(&r);
		show("again", trap_frame.cs & 3 ? again : returns);
		print("   now %x\n", (u32)(gdt[CODE_3 >> 3] >> 40) & 0xff);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(stack_access); i++) {
		warm(again);
		gdt_set(STACK_3 & 0xfff8, flat_code(stack_access[i]));
		print("program's stack %x\n", stack_access[i]);
		r = user(again);
		run(&r);
		show("again", trap_frame.cs & 3 ? again : returns);
		print("   now %x\n", (u32)(gdt[STACK_3 >> 3] >> 40) & 0xff);
	}
	warm(again);
	r = user(again);
	r.cs = SEL_CODE3;
	r.ss = SEL_DATA3;
	run(&r);
	show("other selectors", again);
	r = user(again);
	r.fs = r.gs = 3;
	run(&r);
	show("null with RPL", again);
	r = user(again);
	r.es = SEL_DATA0;
	r.fs = CODE;
	run(&r);
	show("the kernel's data", again);
}

static void put_frame(u32 at, const void *entry)
{
	u32 *frame = (u32 *)at;

	frame[0] = (u32)entry;
	frame[1] = CODE_3;
	frame[2] = FLAG_IF | 2;
	frame[3] = SCRATCH_STACK;
	frame[4] = STACK_3;
}

/* The frame lies at SP; at ESP there is another one. */
static void small_stack(void)
{
	struct regs r;

	warm(call);
	gdt_set(SMALL, descriptor(PHYS, 0xfffff, 0x93, 8));
	for (unsigned i = 0; i < TIMES; i++) {
		put_frame(PHYS + 0x100, call);
		put_frame(PHYS + 0x10100, fault);
		r = user(back);
		r.cs = SEL_CODE0;
		r.ss = SMALL;
		r.esp = 0x10100;
		r.eflags = 2;
		run(&r);
		show("small stack", call);
	}
}

static void data_segments(void)
{
	static const struct {
		const char *name;
		u8 *handler;
		const u8 *program;
	} with[] = {
		{"put back", puts_back, reads}, {"kept", keeps, reads}, {"own", sees_ds, loads}};
	struct regs r;

	*(u32 *)PHYS = 1;
	*(u32 *)(PHYS + 0x40000) = 5;
	gdt_set(FAR_3 & 0xfff8, descriptor(0x40000, 0xfffff, 0xf3, 0xc));
	for (unsigned i = 0; i < ARRAY_SIZE(with); i++) {
		warm(call);
		idt_set(0x91, gate(CODE, (u32)with[i].handler, 0xee, 0));
		for (unsigned n = 0; n < TIMES; n++) {
			gdt_set(DATA_3 & 0xfff8, flat_code(0xf3));
			r = user(with[i].program);
			r.esi = PHYS;
			run(&r);
			show(with[i].name, with[i].program);
		}
	}
}

static void faults(void)
{
	restore();
	pt[0x330] = 0;
	flush();
	for (unsigned i = 0; i < TIMES; i++)
		go("page fault", fault);
	pt[0x330] = PHYS | P | W;
	go("page fault, present", fault);
	pt[0x330] = PHYS | P | W | U;
	flush();
	go("no page fault", fault);
}

static void sysenter(void)
{
	wrmsr(MSR_SYSENTER_CS, SEL_FREE + 0x30);
	wrmsr(MSR_SYSENTER_ESP, 0x9b000);
	wrmsr(MSR_SYSENTER_EIP, (u32)leaves);
	for (unsigned i = 0; i < 4; i++)
		gdt_set((u16)(SEL_FREE + 0x30 + i * 8),
			flat_code((u8)((i & 1 ? 0x93 : 0x9b) | (i & 2 ? 0x60 : 0))));
	restore();
	for (unsigned i = 0; i < TIMES; i++)
		go("sysenter", enter);
	go("sysenter, single step", enter_stepped);
	wrmsr(MSR_SYSENTER_EIP, (u32)leaves_at_once);
	for (unsigned i = 0; i < TIMES; i++)
		go("sysexit, no sti", enter);
	wrmsr(MSR_SYSENTER_EIP, (u32)trap_stubs + 0xa3 * 16);
	wrmsr(MSR_SYSENTER_ESP, 0x9a000);
	go("sysenter elsewhere", enter);
	wrmsr(MSR_SYSENTER_CS, SEL_CODE0);
	wrmsr(MSR_SYSENTER_EIP, (u32)leaves);
	go("sysenter, other segments", enter);
	wrmsr(MSR_SYSENTER_CS, 3);
	go("sysenter, null", enter);
	wrmsr(MSR_SYSENTER_CS, 0);
}

int main(void)
{
	volatile u32 *const pd = (u32 *)PD;

	rt_init("crossings");
	memset((void *)PD, 0, 0x2000);
	pd[0] = PT | P | W | U;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i << 12 | P | W | U;
	write_cr3(PD);
	write_cr0(read_cr0() | CR0_PG | CR0_WP);
	gates();
	code_segment();
	inner_stack();
	stack_page();
	tables();
	large_pages();
	frames();
	small_stack();
	data_segments();
	faults();
	sysenter();
	print("[end]\n");
	return 0;
}
