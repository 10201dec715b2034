/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that writes to its page tables again and again, with each kind of instruction that
 * kernels do it with, and looks at what that has mapped: an engine that finds such writes by faults
 * may come to carry out these instructions in another way. The same code then writes elsewhere.
 */
#include "tests/guests/rt/rt.h"

#define PD	 0x80000u
#define PT	 0x81000u /* identity, the first 4 MB */
#define PT_OWN	 0x82000u /* 00400000h on */
#define VIRT	 0x00400000u
#define FRAMES	 0x90000u /* 16 pages, each with its number */
#define PLAIN	 0x48000u
#define OTHER_PD 0x49000u
#define SS_BASE	 0x1000u
#define MANY	 600u /* pages at VIRT from here on, which stay what they are */

#define CR0_PG BIT(31)
#define CR0_WP BIT(16)
#define TIMES  300u

/* EBX leads to an entry, EAX has a value for it, ECX one more: flags and EAX as they come out. */
SNIPPET(store_mov, "mov %eax, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_mov_disp, "mov %eax, -0x100(%ebx,%ecx,4)\n pushf\n pop %edx");
SNIPPET(store_mov_far, "push %ebp\n lea -0x12345(%ebx), %ebp\n mov %eax, 0x12345(%ebp)\n pop %ebp\n"
		       " pushf\n pop %edx");
SNIPPET(store_mov_imm, "movl $0x93003, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_xchg, "xchg %eax, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_and, "andl $-3, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_lock_and, "lock andl $-3, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_ds_or, "ds orl $0x203, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_or_reg, "or %eax, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_add, "addl $0x1000, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_sub, "subl $0x1000, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_xor, "xor %ecx, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_btr, "lock btrl $1, (%ebx)\n pushf\n pop %edx\n and $1, %edx");
SNIPPET(store_cmpxchg, "push %eax\n mov (%ebx), %eax\n lock cmpxchg %ecx, (%ebx)\n pop %eax\n"
		       " pushf\n pop %edx");
SNIPPET(store_byte, "movb $0x03, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_word, "movw $0x0003, (%ebx)\n pushf\n pop %edx");
SNIPPET(load, "mov (%ebx), %eax");
SNIPPET(store_al, "mov %al, (%ebx)\n pushf\n pop %edx");
SNIPPET(store_ah, "mov %ah, 1(%ebx)\n pushf\n pop %edx");
SNIPPET(store_ax, "mov %ax, (%ebx)\n pushf\n pop %edx");
/* To own[3], whatever EBX is. */
SNIPPET(store_at, "mov %eax, 0x8200c\n pushf\n pop %edx");
SNIPPET(store_at_byte, "mov %al, 0x8200d\n pushf\n pop %edx");
SNIPPET(store_at_word, "mov %ax, 0x8200c\n pushf\n pop %edx");
SNIPPET(store_stos, "mov %ebx, %edi\n cld\n stosl\n pushf\n pop %edx");

/* By registers that lead to the stack, but for the prefix. */
SNIPPET(store_ds_ebp, "push %ebp\n mov %ebx, %ebp\n ds mov %eax, (%ebp)\n pop %ebp\n pushf\n"
		      " pop %edx");
SNIPPET(store_ds_esp, "mov %esp, %edi\n mov %ebx, %esp\n ds orl $0x2000, (%esp)\n mov %edi, %esp\n"
		      " pushf\n pop %edx");

/*
 * EBX leads to an entry, EDI to what it maps, and so does ESI in the segment that DX selects, for
 * INVLPG: after so many stores to entries that are clear already, a table may not be watched.
 */
SNIPPET(flush, "mov $500, %ecx\n1: movl $0, (%ebx,%ecx,4)\n dec %ecx\n jnz 1b\n mov $64, %ecx\n"
	       "2: add (%edi), %eax\n rol $1, %eax\n xorl $0x1000, (%ebx)\n mov %dx, %ds\n"
	       " invlpg (%esi)\n push %es\n pop %ds\n add (%edi), %eax\n rol $1, %eax\n"
	       " dec %ecx\n jnz 2b");

static volatile u32 *const own = (u32 *)PT_OWN;

static u32 entry(u32 n)
{
	return (FRAMES + (n * 7 % 16) * 0x1000) | 3;
}

static void map(void)
{
	u32 *pd = (u32 *)PD, *pt = (u32 *)PT;

	memset((void *)PD, 0, 0x3000);
	pd[0] = PT | 7;
	pd[VIRT >> 22] = PT_OWN | 7;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i << 12 | 7;
	for (u32 i = 0; i < 16; i++)
		*(volatile u32 *)(FRAMES + i * 0x1000) = 0x1000 + i;
	for (u32 n = MANY; n < 1024; n++)
		own[n] = entry(n);
	write_cr3(PD);
	write_cr0(read_cr0() | CR0_PG | CR0_WP);
}

static u32 sum;

static void add(u32 value)
{
	sum = (sum << 5 | sum >> 27) ^ value;
}

/* What lies at VIRT now; an entry that is not there is not touched. */
static void look(u32 n)
{
	volatile u32 *page = (u32 *)(VIRT + n * 0x1000);

	write_cr3(read_cr3());
	if (!(own[n] & 1))
		return;
	if ((own[n] & 0xffff0000) == FRAMES)
		add(*page);
	add(own[n]);
}

static void one(const void *code, volatile u32 *at, u32 n)
{
	struct regs r = regs_for(0, code);

	r.eax = entry(n);
	r.ecx = entry(n + 1);
	r.ebx = (u32)at;
	if (code == store_mov_disp)
		r.ecx = 0x40;
	if (code == store_ds_ebp || code == store_ds_esp) {
		r.ss = SEL_FREE;
		r.esp -= SS_BASE;
	}
	run(&r);
	add(trap_frame.vector);
	add(trap_frame.eax);
	add(trap_frame.edx & ~0x10u); /* AF is not defined for all of them */
}

/* A table is watched for longer if many of its entries are in use. */
static void use_many(void)
{
	for (u32 n = MANY; n < 1024; n++)
		add(*(volatile u32 *)(VIRT + n * 0x1000));
}

static void again(const char *label, const void *code)
{
	sum = 0;
	use_many();
	for (u32 n = 0; n < TIMES; n++) {
		own[3] = entry(n * 3 + 1);
		one(code, own + 3, n);
		look(3);
	}
	print("%s: tables %x", label, sum);
	sum = 0;
	*(volatile u32 *)PLAIN = 0x5003;
	for (u32 n = 0; n < TIMES; n++)
		one(code, (u32 *)PLAIN, n);
	add(*(volatile u32 *)PLAIN);
	print(", memory %x\n", sum);
}

/* One that faults after it has often been carried out: not present, and not writable. */
static void faults(void)
{
	own[1023] = PT_OWN | 3;
	write_cr3(read_cr3());
	for (u32 n = 0; n < 40; n++)
		one(store_mov, (u32 *)(VIRT + 1023 * 0x1000 + 12), n);
	own[1023] = PT_OWN | 1;
	write_cr3(read_cr3());
	one(store_mov, (u32 *)(VIRT + 1023 * 0x1000 + 12), 1);
	print("read-only: vec=%u err=%x cr2=%x\n", trap_frame.vector, trap_frame.error,
	      trap_frame.cr2);
	one(store_xchg, (u32 *)(VIRT + 1023 * 0x1000 + 12), 2);
	print("exchanged: vec=%u err=%x cr2=%x eax=%x\n", trap_frame.vector, trap_frame.error,
	      trap_frame.cr2, trap_frame.eax);
	own[1023] = 0;
	write_cr3(read_cr3());
	one(store_mov, (u32 *)(VIRT + 1023 * 0x1000 + 12), 1);
	print("not present: vec=%u err=%x cr2=%x\n", trap_frame.vector, trap_frame.error,
	      trap_frame.cr2);
}

/* What lies at the n-th 4 MB: entry 1 of whatever its table is, or the fault. */
static void reach(u32 n)
{
	struct regs r = regs_for(0, load);

	r.ebx = (n << 22) + 0x1000;
	run(&r);
	add(trap_frame.vector == 14 ? trap_frame.cr2 ^ trap_frame.error : trap_frame.eax);
}

/* Entries [first, end) of the directory in use, each by the same instruction. */
static __attribute__((noinline)) void fill(u32 first, u32 end, u32 value)
{
	volatile u32 *const pd = (u32 *)PD;

	for (u32 i = first; i < end; i++)
		pd[i] = value;
}

/*
 * A kernel that clears the directory it uses, most of which is clear already: each entry that leads
 * somewhere has to go, whether it was used before or in the midst of it.
 */
static void directory(void)
{
	volatile u32 *const pd = (u32 *)PD;

	own[1] = FRAMES | 3;
	sum = 0;
	for (u32 round = 0; round < 12; round++) {
		u32 n = 40 + round * 8;

		pd[n] = PT_OWN | 3;
		pd[n + 5] = PT_OWN | 3;
		reach(n);
		fill(20, n, 0);
		reach(n);
		pd[n + 1] = PT_OWN | 3;
		reach(n + 1);
		reach(n + 5);
		fill(n, n + 300, round & 1 ? 0 : 0x12340);
		write_cr3(read_cr3());
		reach(n);
		reach(n + 1);
		reach(n + 5);
		fill(1000, 1024, 0);
		if (round > 8) /* what lies there now was nowhere before */
			fill(n, n + 3, PT_OWN | 3);
		reach(n + 2);
		write_cr3(read_cr3());
		for (u32 i = 20; i < 1024; i++)
			add(pd[i] + i);
	}
	fill(20, 1024, 0);
	write_cr3(read_cr3());
	print("directory: %x\n", sum);
}

/* In a page that allows no more stores, and in one that is no directory any more. */
static void other_directory(void)
{
	volatile u32 *const pd = (u32 *)PD, *const pt = (u32 *)PT;

	sum = 0;
	fill(20, 400, 0);
	memcpy((void *)OTHER_PD, (void *)PD, 0x1000);
	write_cr3(OTHER_PD);
	fill(20, 400, 0x77770);
	for (u32 i = 20; i < 400; i++)
		add(pd[i] + ((volatile u32 *)OTHER_PD)[i]);
	write_cr3(PD);
	fill(20, 400, 0);
	pt[PD >> 12] = OTHER_PD | 3; /* at the same address, another */
	write_cr3(PD);
	fill(20, 400, 0x66660);
	pt[PD >> 12] = PD | 3;
	write_cr3(PD);
	for (u32 i = 20; i < 400; i++)
		add(pd[i] + ((volatile u32 *)OTHER_PD)[i]);
	fill(20, 400, 0);
	pt[PD >> 12] = PD | 1;
	write_cr3(PD);
	one(store_mov, pd + 30, 1);
	print("other directory: %x, read-only: vec=%u err=%x cr2=%x\n", sum, trap_frame.vector,
	      trap_frame.error, trap_frame.cr2);
	pt[PD >> 12] = PD | 3;
	write_cr3(PD);
}

static void flushes(void)
{
	struct regs r = regs_for(0, flush);

	own[3] = entry(0);
	write_cr3(read_cr3());
	r.eax = 0;
	r.ebx = (u32)(own + 3);
	r.edx = SEL_FREE;
	r.edi = VIRT + 3 * 0x1000;
	r.esi = r.edi - SS_BASE;
	for (u32 n = 0; n < 8; n++) {
		run(&r);
		r.eax = trap_frame.eax;
	}
	print("flushes: vec=%u eax=%x\n", trap_frame.vector, r.eax);
}

int main(void);
int main(void)
{
	rt_init("stores");
	map();
	again("mov", store_mov);
	again("mov, scaled", store_mov_disp);
	again("mov, stack", store_mov_far);
	again("mov, immediate", store_mov_imm);
	again("xchg", store_xchg);
	again("and", store_and);
	again("lock and", store_lock_and);
	again("ds or", store_ds_or);
	again("or", store_or_reg);
	again("add", store_add);
	again("sub", store_sub);
	again("xor", store_xor);
	again("btr", store_btr);
	again("cmpxchg", store_cmpxchg);
	again("byte", store_byte);
	again("word", store_word);
	again("al", store_al);
	again("ah", store_ah);
	again("ax", store_ax);
	again("mov, address", store_at);
	again("al, address", store_at_byte);
	again("ax, address", store_at_word);
	again("stos", store_stos);
	gdt_set(SEL_FREE, descriptor(SS_BASE, 0xfffff, 0x93, 0xc));
	again("ds mov, ebp", store_ds_ebp);
	again("ds or, esp", store_ds_esp);
	flushes();
	faults();
	directory();
	other_directory();
	print("[end]\n");
	return 0;
}
