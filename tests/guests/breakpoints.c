/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints behind MOV SS, on what the CPU itself reads and writes, on ports of each width and
 * length; what stays in DR6; who may not touch a debug register (SDM vol. 3, 6.8.3 and ch. 17).
 */
#include "tests/guests/rt/rt.h"

#define DATA	 0x45000u
#define ABSENT	 0x3f0u /* a page that is not there: 3F0000h */
#define WRITE_4	 0xd0001u
#define ACCESS_4 0xf0001u
#define PORT_1	 0x20001u

SNIPPET(mov_ss_bp, "mov %ss, %eax\n mov %eax, %ss\n nop\n nop\n nop");
SNIPPET(pop_ss_bp, "push %ss\n pop %ss\n nop\n nop\n nop");
SNIPPET(lss_bp, "push %ss\n push %esp\n lss (%esp), %esp\n nop\n nop\n nop");
SNIPPET(mov_ss_data, "mov %ss, 0x45000\n mov 0x45000, %ss\n nop\n nop\n nop");
SNIPPET(dr4, "mov %db4, %eax");
SNIPPET(dr4w, "mov %eax, %db5");
SNIPPET(dr0, "mov %db0, %eax");
SNIPPET(one_nop, "nop\n nop\n nop\n nop");
SNIPPET(tf_nop, "pushl $0x102\n popfl\n nop\n nop");
SNIPPET(icebp, ".byte 0xf1");
SNIPPET(write_45000, "movl $1, 0x45000\n nop");
SNIPPET(push_45000, "mov $0x45004, %esp\n int $0x85");
SNIPPET(ins_0, "mov $0x80, %edx\n mov $0x40000, %edi\n xor %ecx, %ecx\n rep insb\n nop\n nop");
SNIPPET(outs_3, "mov $0x80, %edx\n mov $0x40000, %esi\n mov $3, %ecx\n rep outsb\n nop\n nop");
SNIPPET(out_7f_w, "mov $0x7f, %edx\n out %ax, %dx\n nop\n nop");
SNIPPET(out_80_d, "mov $0x80, %edx\n out %eax, %dx\n nop\n nop");
SNIPPET(movs_fault, "mov $0x45000, %esi\n mov $0x3f0000, %edi\n movsl\n nop");
SNIPPET(mov_ds_bp, "mov $0x43, %eax\n mov %ax, %ds\n nop");

static void dr(u32 dr0, u32 dr6, u32 dr7)
{
	__asm__ volatile("mov %0, %%db0\n mov %1, %%db6\n mov %2, %%db7" ::"r"(dr0), "r"(dr6),
			 "r"(dr7));
}

static void breakpoint(const char *label, unsigned cpl, const void *entry, u32 addr, u32 dr6,
		       u32 dr7)
{
	struct regs r = regs_for(cpl, entry);
	const struct trap *t = &trap_frame;
	u32 off;

	dr(addr, dr6, dr7);
	run(&r);
	__asm__ volatile("mov %%db6, %0" : "=r"(dr6));
	dr(0, 0, 0);
	off = t->eip - (u32)entry;
	print("cpl %u %s: vec=%u err=%x eip=%d cs=%x fl=%x ecx=%x esi=%x dr6=%x\n", cpl, label,
	      t->vector, t->error, off < 100 ? (int)off : -1, t->cs & 0xffff, t->eflags, t->ecx,
	      t->esi, dr6);
}

static void stack_switches(unsigned cpl)
{
	for (u32 off = 1; off < 8; off++) {
		breakpoint("mov ss", cpl, mov_ss_bp, (u32)mov_ss_bp + off, 0, 1);
		breakpoint("pop ss", cpl, pop_ss_bp, (u32)pop_ss_bp + off, 0, 1);
		breakpoint("lss", cpl, lss_bp, (u32)lss_bp + off, 0, 1);
	}
	breakpoint("mov ss, data", cpl, mov_ss_data, DATA, 0, ACCESS_4);
}

static void old_dr6(unsigned cpl)
{
	for (u32 dr6 = 0; dr6 <= 0x600f; dr6 += 0x600f) {
		breakpoint("code", cpl, one_nop, (u32)one_nop + 1, dr6, 1);
		breakpoint("step", cpl, tf_nop, 0, dr6, 0);
		breakpoint("data", cpl, write_45000, DATA, dr6, WRITE_4);
		breakpoint("icebp", cpl, icebp, DATA, dr6, 0);
		if (cpl == 0)
			breakpoint("detect", cpl, dr0, DATA, dr6, 0x2000);
	}
}

static void implicit(unsigned cpl)
{
	breakpoint("push by INT", cpl, push_45000, DATA, 0, WRITE_4);
	breakpoint("data, then #PF", cpl, movs_fault, DATA, 0, ACCESS_4);
	breakpoint("descriptor", cpl, mov_ds_bp, (u32)&gdt[SEL_DATA3 >> 3], 0, ACCESS_4);
	breakpoint("descriptor + 4", cpl, mov_ds_bp, (u32)&gdt[SEL_DATA3 >> 3] + 4, 0, ACCESS_4);
	breakpoint("DR4", cpl, dr4, 0, 0, 0);
	write_cr4(read_cr4() | 8);
	breakpoint("DR4, DE", cpl, dr4, 0, 0, 0);
	breakpoint("to DR5, DE", cpl, dr4w, 0, 0, 0);
	write_cr4(read_cr4() & ~8u);
}

static void ports(unsigned cpl)
{
	write_cr4(read_cr4() | 8);
	for (u32 port = 0x7e; port < 0x85; port++) {
		for (u32 len = 0; len < 4; len++) {
			if (len == 2)
				continue;
			print("port %x len %u ", port, len);
			breakpoint("outs", cpl, outs_3, port, 0, PORT_1 | len << 18);
			print("port %x len %u ", port, len);
			breakpoint("outw", cpl, out_7f_w, port, 0, PORT_1 | len << 18);
			print("port %x len %u ", port, len);
			breakpoint("outl", cpl, out_80_d, port, 0, PORT_1 | len << 18);
		}
	}
	breakpoint("ins, none", cpl, ins_0, 0x80, 0, PORT_1);
	write_cr4(read_cr4() & ~8u);
	breakpoint("outs, no DE", cpl, outs_3, 0x80, 0, PORT_1);
}

static void paging_on(void)
{
	u32 *pd = (u32 *)0x80000, *pt = (u32 *)0x81000;

	memset(pd, 0, 4096);
	pd[0] = (u32)pt | 7;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i == ABSENT ? 0 : i << 12 | 7;
	write_cr3((u32)pd);
	write_cr0(read_cr0() | 0x80000000u);
}

int main(void)
{
	rt_init("breakpoints");
	for (u32 v = 0; v < 20; v++)
		idt_default((u8)v, 3);
	idt_default(0x85, 3);
	memset(main_tss.io_bits, 0, sizeof(main_tss.io_bits) - 1);
	main_tss.io_map = offsetof(struct tss386, io_bits);
	paging_on();
	for (unsigned cpl = 0; cpl < 4; cpl += 3) {
		stack_switches(cpl);
		old_dr6(cpl);
		implicit(cpl);
		ports(cpl);
	}
	print("[end]\n");
	return 0;
}
