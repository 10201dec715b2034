/* SPDX-License-Identifier: BSD-2-Clause */
/* Single stepping, breakpoints, RF and the debug registers (SDM vol. 3, ch. 17). */
#include "tests/guests/rt/rt.h"

#define DATA 0x45000u

SNIPPET(tf_nop, "pushfl\n orl $0x100, (%esp)\n popfl\n nop\n nop");
SNIPPET(tf_rep, "mov $0x45000, %edi\n mov $3, %ecx\n pushfl\n orl $0x100, (%esp)\n popfl\n rep "
		"stosb\n nop");
SNIPPET(tf_mov_ss,
	"mov %ss, %eax\n pushfl\n orl $0x100, (%esp)\n popfl\n mov %eax, %ss\n nop\n nop");
SNIPPET(tf_int, "pushfl\n orl $0x100, (%esp)\n popfl\n int $0x85\n nop");
SNIPPET(tf_jmp, "pushfl\n orl $0x100, (%esp)\n popfl\n jmp 1f\n nop\n 1: nop");
SNIPPET(tf_fault, "pushfl\n orl $0x100, (%esp)\n popfl\n ud2");
SNIPPET(tf_popf_off, "pushfl\n pushfl\n orl $0x100, (%esp)\n popfl\n popfl\n nop");
SNIPPET(tf_cpuid, "pushfl\n orl $0x100, (%esp)\n popfl\n cpuid\n nop");
SNIPPET(write_byte, "movb $1, 0x45003\n nop");
SNIPPET(write_dword, "movl $1, 0x45000\n nop");
SNIPPET(read_dword, "mov 0x45000, %eax\n nop");
SNIPPET(read_around, "mov 0x44ffe, %eax\n nop");
SNIPPET(write_below, "movl $1, 0x44ffc\n nop");
SNIPPET(write_rep, "mov $0x44ffe, %edi\n mov $8, %ecx\n rep stosb\n nop");
SNIPPET(movs_rep, "mov $0x44ff0, %esi\n mov $0x44ffc, %edi\n mov $4, %ecx\n rep movsl\n nop");
SNIPPET(push_there, "mov $0x45004, %esp\n push %eax\n nop");
SNIPPET(two_nops, "nop\n nop\n nop");
SNIPPET(mov_dr_gd, "mov %db0, %eax\n nop");
SNIPPET(mov_dr4, "mov %db4, %eax\n nop");
SNIPPET(mov_dr4_de, "mov %cr4, %eax\n or $8, %eax\n mov %eax, %cr4\n mov %db4, %ebx\n nop");
SNIPPET(io_out, "mov $0x11, %al\n out %al, $0x80\n nop");
SNIPPET(icebp, ".byte 0xf1\n nop");

static u32 read_dr6(void)
{
	u32 value;

	__asm__ volatile("mov %%db6, %0" : "=r"(value));
	return value;
}

static void set_dr(u32 dr0, u32 dr1, u32 dr7)
{
	__asm__ volatile("mov %0, %%db0\n mov %1, %%db1\n mov %2, %%db6\n mov %3, %%db7" ::"r"(dr0),
			 "r"(dr1), "r"(0), "r"(dr7));
}

static void disable(void)
{
	set_dr(0, 0, 0);
}

static void show(const char *label, const void *entry)
{
	u32 dr6 = read_dr6();

	show_trap(label, entry);
	print("   dr6=%08x ecx=%x\n", dr6,
	      trap_frame.vector == VEC_DONE ? 0 : trap_frame.ecx & 0xff);
	disable();
}

static void step_case(const char *label, unsigned cpl, const void *entry)
{
	disable();
	run_show(label, cpl, entry);
	print("   dr6=%08x\n", read_dr6());
	disable();
}

static void single_step(void)
{
	idt_default(0x85, 3);
	for (unsigned cpl = 0; cpl < 4; cpl += 3) {
		step_case("tf_nop", cpl, tf_nop);
		step_case("tf_rep", cpl, tf_rep);
		step_case("tf_mov_ss", cpl, tf_mov_ss);
		step_case("tf_int", cpl, tf_int);
		step_case("tf_jmp", cpl, tf_jmp);
		step_case("tf_fault", cpl, tf_fault);
		step_case("tf_popf_off", cpl, tf_popf_off);
		step_case("tf_cpuid", cpl, tf_cpuid);
		step_case("icebp", cpl, icebp);
	}
}

/* dr7: R/W and LEN of breakpoint 0 in bits 16-19; 1: its local enable. */
static void data_case(const char *label, u32 rw_len, const void *entry)
{
	struct regs r = regs_for(3, entry);

	set_dr(DATA, 0, 0x101 | rw_len << 16);
	run(&r);
	print("rw/len %x ", rw_len);
	show(label, entry);
}

static void data_breakpoints(void)
{
	static const u8 kinds[] = {0x1, 0x5, 0xd, 0x3, 0x7, 0xf};

	for (unsigned i = 0; i < sizeof(kinds); i++) {
		data_case("write_byte", kinds[i], write_byte);
		data_case("write_dword", kinds[i], write_dword);
		data_case("read_dword", kinds[i], read_dword);
		data_case("read_around", kinds[i], read_around);
		data_case("write_below", kinds[i], write_below);
		data_case("write_rep", kinds[i], write_rep);
		data_case("movs_rep", kinds[i], movs_rep);
		data_case("push_there", kinds[i], push_there);
	}
}

static void code_breakpoints(void)
{
	struct regs r = regs_for(0, two_nops);

	set_dr((u32)two_nops + 1, 0, 0x1);
	run(&r);
	show("breakpoint", two_nops);
	set_dr((u32)two_nops + 1, 0, 0x1);
	r.eip++;
	r.eflags |= BIT(16); /* RF: not at this instruction, IRET carries it */
	run(&r);
	show("with RF", two_nops);
	r.eip--;
	r.eflags = BIT(16) | 2;
	set_dr((u32)two_nops + 1, 0, 0x1);
	run(&r);
	show("RF gone after one instruction", two_nops);
	r = regs_for(3, two_nops);
	set_dr((u32)two_nops + 1, (u32)two_nops + 1, 0xa);
	run(&r);
	show("two at the same place, global", two_nops);
	set_dr((u32)two_nops + 2, (u32)two_nops, 0x1);
	run(&r);
	show("only the enabled one", two_nops);
}

static void access_rules(void)
{
	struct regs r = regs_for(0, mov_dr_gd);
	u32 dr7;

	set_dr(0, 0, 0x2000);
	run(&r);
	show("general detect", mov_dr_gd);
	__asm__ volatile("mov %%db7, %0" : "=r"(dr7));
	print("dr7 %x\n", dr7);
	run_show("mov_dr4", 0, mov_dr4);
	run_show("mov_dr4_de", 0, mov_dr4_de);
	set_dr(0x80, 0, 0x1 | 2 << 16);
	run_show("io_out, DE", 0, io_out);
	print("   dr6=%08x\n", read_dr6());
	disable();
	write_cr4(read_cr4() & ~BIT(3));
	__asm__ volatile("mov %0, %%db7" ::"r"(0xffff0155));
	__asm__ volatile("mov %%db7, %0" : "=r"(dr7));
	print("dr7 reads %08x\n", dr7);
	disable();
	__asm__ volatile("mov %0, %%db6" ::"r"(0xffffffff));
	print("dr6 reads %08x\n", read_dr6());
	disable();
}

int main(void)
{
	rt_init("debug");
	idt_default(1, 3);
	single_step();
	data_breakpoints();
	code_breakpoints();
	access_rules();
	print("[end]\n");
	return 0;
}
