/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What leaves translated code, or may: fifty of each in a loop at CPL 0, by the guest's own
 * time-stamp counter, and the loop alone. Then what leaves CPL 3: the way to a handler and back,
 * and pages that the shadow tables lack. tests/bench/exits.py runs it where the counter counts the
 * host's instructions.
 */
#include "tests/guests/rt/rt.h"

#define TIMES  50u /* longer loops of nothing but port accesses are the interpreter's */
#define ROUNDS 8u  /* the first ones also translate, and fill tables */

#define PD	0x80000u
#define PT	0x81000u
#define PT_FREE 0x82000u /* is a page table of nothing */
#define CR0_PG	BIT(31)
#define FLAG_IF BIT(9)

#define LIN_FREE 0x00400000u /* PT_FREE's */
/* Pages that one fault makes no entries for but that of its own, beyond what anything uses. */
#define PAGES	   0x00200000u
#define PAGES_STEP 8u

#define MSR_SYSENTER_CS	 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u

/* ECX counts; EBX leads to what a store writes to, EDX is a port. */
#define LOOP(name, body)                                                                           \
	extern u32 name(u32 edx, u32 ebx);                                                         \
	__asm__(".text\n.p2align 4\n" #name ":\n push %ebx\n mov 8(%esp), %edx\n"                  \
		" mov 12(%esp), %ebx\n push %edx\n rdtsc\n pop %edx\n push %eax\n"                 \
		" mov $50, %ecx\n1:\n" body "\n dec %ecx\n jnz 1b\n rdtsc\n pop %edx\n"            \
		" sub %edx, %eax\n pop %ebx\n ret\n")

LOOP(loop_alone, "");
LOOP(loop_in, "in %dx, %al");
LOOP(loop_out, "out %al, %dx");
LOOP(loop_in_imm, "in $0x61, %al");
LOOP(loop_cmos, "mov $0x0d, %al\n out %al, $0x70\n in $0x71, %al");
LOOP(loop_clts, "clts");
LOOP(loop_mov_from_cr0, "mov %cr0, %eax");
LOOP(loop_mov_to_cr3, "mov %cr3, %eax\n mov %eax, %cr3");
LOOP(loop_set_clear_ts, "mov %cr0, %eax\n or $8, %eax\n mov %eax, %cr0\n clts");
LOOP(loop_invlpg, "invlpg (%ebx)");
LOOP(loop_rdtsc, "push %edx\n rdtsc\n pop %edx");
LOOP(loop_sti_cli, "sti\n nop\n cli");
LOOP(loop_pushf_popf, "pushf\n popf");
LOOP(loop_popf_id, "pushf\n pop %eax\n xor $0x200000, %eax\n push %eax\n popf");
LOOP(loop_mov_ds, "mov %ds, %eax\n mov %eax, %ds");
LOOP(loop_cpuid, "push %ecx\n push %ebx\n push %edx\n xor %eax, %eax\n cpuid\n"
		 "pop %edx\n pop %ebx\n pop %ecx");
LOOP(loop_int_iret, "int $0x30");
LOOP(loop_store, "mov %eax, (%ebx)");
LOOP(loop_and, "andl $0xffffff00, (%ebx)");

/* The same at CPL 3. EDI keeps the counter, the way out is INT 80h. */
#define USER_LOOP(name, body)                                                                      \
	SNIPPET(name, "rdtsc\n mov %eax, %edi\n mov $50, %ecx\n1:\n" body                          \
		      "\n dec %ecx\n jnz 1b\n rdtsc\n sub %edi, %eax")

USER_LOOP(user_alone, "");
USER_LOOP(user_int, "int $0x30");
USER_LOOP(user_sysenter, "mov %ecx, %ebp\n mov %esp, %ecx\n mov $2f, %edx\n sysenter\n"
			 "2: mov %ebp, %ecx");
USER_LOOP(user_touch, "mov (%ebx), %eax\n add $0x8000, %ebx");
LOOP(loop_touch, "mov (%ebx), %eax\n add $0x8000, %ebx");

static u32 least(u32 (*loop)(u32 edx, u32 ebx), u32 edx, u32 ebx)
{
	u32 best = ~0u;

	for (u32 n = 0; n < ROUNDS; n++) {
		u32 now;

		/* CPUID is not carried out between two accesses, as those are. */
		__asm__ volatile("cpuid" : "=a"(now)::"ebx", "ecx", "edx");
		now = loop(edx, ebx);
		if (now < best)
			best = now;
	}
	return best;
}

static void measure(const char *what, u32 (*loop)(u32 edx, u32 ebx), u32 edx, u32 ebx)
{
	u32 alone = least(loop_alone, 0, 0), all = least(loop, edx, ebx);

	print("%s: %u\n", what, (all - alone) / TIMES);
}

static u32 user(const void *entry, u32 ebx)
{
	struct regs r = regs_for(3, entry);

	r.eflags |= FLAG_IF;
	r.ebx = ebx;
	run(&r);
	return trap_frame.eax;
}

static u32 least_user(const void *entry, void (*prepare)(void))
{
	u32 best = ~0u;

	for (u32 n = 0; n < ROUNDS; n++) {
		u32 now;

		if (prepare)
			prepare();
		now = user(entry, PAGES);
		if (now < best)
			best = now;
	}
	return best;
}

static void measure_user(const char *what, const void *entry, void (*prepare)(void))
{
	u32 alone = least_user(user_alone, NULL), all = least_user(entry, prepare);

	print("%s: %u\n", what, (all - alone) / TIMES);
}

/* The pages' entries as if nobody had used them: whatever was made from them goes. */
static void untouched(void)
{
	for (u32 i = 0; i < TIMES; i++) {
		u32 page = (PAGES >> 12) + i * PAGES_STEP;

		((volatile u32 *)PT)[page] = page << 12 | 7;
	}
	write_cr3(PD);
}

static void touch_kernel(const char *what)
{
	u32 alone = least(loop_alone, 0, 0), best = ~0u;

	for (u32 n = 0; n < ROUNDS; n++) {
		u32 now;

		untouched();
		now = loop_touch(0, PAGES);
		if (now < best)
			best = now;
	}
	print("%s: %u\n", what, (best - alone) / TIMES);
}

static void wrmsr(u32 msr, u32 value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"(value), "d"(0));
}

static void page_tables(void)
{
	u32 *pd = (u32 *)PD, *pt = (u32 *)PT;

	memset((void *)PD, 0, 0x3000);
	pd[0] = PT | 7;
	pd[1] = PT_FREE | 7;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i << 12 | 7;
	write_cr3(PD);
	write_cr0(read_cr0() | CR0_PG);
}

extern u8 return_at_once[];
extern u8 sysexit_at_once[];
__asm__(".text\nreturn_at_once: iret\n sysexit_at_once: sti\n sysexit\n");

/* SYSENTER's four descriptors follow each other. */
static void system_calls(void)
{
	static const u8 access[] = {0x9b, 0x93, 0xfb, 0xf3};

	for (u32 i = 0; i < ARRAY_SIZE(access); i++)
		gdt_set((u16)(SEL_FREE + i * 8), descriptor(0, 0xfffff, access[i], 0xc));
	wrmsr(MSR_SYSENTER_CS, SEL_FREE);
	wrmsr(MSR_SYSENTER_ESP, main_tss.esp0);
	wrmsr(MSR_SYSENTER_EIP, (u32)sysexit_at_once);
	idt_set(0x30, gate(SEL_CODE0, (u32)return_at_once, 0xee, 0));
}

int main(void);
int main(void)
{
	rt_init("exits");
	idt_set(0x30, gate(SEL_CODE0, (u32)return_at_once, 0x8e, 0));
	measure("in from a UART", loop_in, 0x3fd, 0);
	measure("in from port 61h", loop_in_imm, 0, 0);
	measure("CMOS: out and in", loop_cmos, 0, 0);
	measure("out to port 80h", loop_out, 0x80, 0);
	measure("in from nothing", loop_in, 0x2e8, 0);
	measure("CLTS", loop_clts, 0, 0);
	measure("MOV from CR0", loop_mov_from_cr0, 0, 0);
	measure("TS on and off", loop_set_clear_ts, 0, 0);
	measure("RDTSC", loop_rdtsc, 0, 0);
	measure("STI and CLI", loop_sti_cli, 0, 0);
	measure("PUSHF and POPF", loop_pushf_popf, 0, 0);
	measure("POPF of ID", loop_popf_id, 0, 0);
	measure("MOV to DS", loop_mov_ds, 0, 0);
	measure("CPUID", loop_cpuid, 0, 0);
	measure("INT and IRET", loop_int_iret, 0, 0);
	page_tables();
	measure("MOV to CR3", loop_mov_to_cr3, 0, 0);
	measure("INVLPG", loop_invlpg, 0, LIN_FREE);
	measure("store", loop_store, 0, 0x48000);
	measure("store to a page directory", loop_store, 0, PD + 0x800);
	measure("AND to a page directory", loop_and, 0, PD + 0x800);
	touch_kernel("shadow fault at CPL 0");
	system_calls();
	measure_user("CPL 3: INT, IRET", user_int, NULL);
	measure_user("CPL 3: SYSENTER, SYSEXIT", user_sysenter, NULL);
	measure_user("CPL 3: shadow fault", user_touch, untouched);
	return 0;
}
