/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EFLAGS: what POPF, IRET, CLI and STI do to each flag at each CPL and in V86 mode, with and
 * without virtual interrupts (SDM vol. 3, 20.3 and 20.4), reserved bits, and stacks that end too
 * early.
 */
#include "tests/guests/rt/rt.h"

SNIPPET16(v86_flags, "pushfl\n popl %eax\n pushf\n popw %bx");
SNIPPET16(v86_popf_edge, "mov $0xffff, %sp\n popf");
SNIPPET16(v86_popfd_edge, "mov $0xfffe, %sp\n popfl");
SNIPPET16(v86_pushf_edge, "mov $1, %sp\n pushfw");
SNIPPET16(v86_int_edge, "mov $1, %sp\n int $0x21");
SNIPPET16(v86_popfd_all, "pushl $0xffffffff\n popfl\n pushfl\n popl %eax");
SNIPPET16(v86_popfd_0, "pushl $0\n popfl\n pushfl\n popl %eax");
SNIPPET16(v86_iretd_all, "pushl $0xfffffeff\n push $0\n push %cs\n pushl $1f - v86_iretd_all\n "
			 "iretl\n 1: pushfl\n popl %eax");
SNIPPET(popf_all, "pushl $0xfffffeff\n popfl\n pushfl\n pop %eax");
SNIPPET(iret_all, "pushl $0xfffdfeff\n pushl %cs\n pushl $1f\n iretl\n 1: pushfl\n pop %eax");
SNIPPET(iret16_all, "pushw $0xfeff\n pushw %cs\n pushw $0x1234\n iretw");
SNIPPET(cli1, "cli\n pushfl\n pop %eax");
SNIPPET(sti1, "sti\n pushfl\n pop %eax");
SNIPPET(popf_if, "pushl $0x202\n popfl\n pushfl\n pop %eax");

static void show(const char *label, unsigned cpl, u32 flags, const void *entry)
{
	const struct trap *t = &trap_frame;

	print("cpl %u %x %s: vec=%u err=%x eip=%d cs=%x fl=%x eax=%x ebx=%x\n", cpl, flags, label,
	      t->vector, t->error, t->vector == VEC_DONE ? 0 : (int)(t->eip - (u32)entry),
	      t->cs & 0xffff, t->eflags, t->vector == VEC_DONE ? t->eax : 0, t->ebx);
}

static void v86(const char *label, const void *code, u32 size, u32 flags)
{
	struct regs r = regs_v86(code, size);

	r.eflags |= flags;
	run(&r);
	show(label, 3, flags, 0);
}
#define V86(name, flags) v86(#name, name, (u32)(name##_end - name), flags)

static void at(const char *label, unsigned cpl, const void *entry, u32 flags)
{
	struct regs r = regs_for(cpl, entry);

	r.eflags |= flags;
	run(&r);
	show(label, cpl, flags, entry);
}
#define AT(cpl, name, flags) at(#name, cpl, name, flags)

static void edges(u32 iopl)
{
	V86(v86_popf_edge, iopl);
	V86(v86_popfd_edge, iopl);
	V86(v86_pushf_edge, iopl);
	V86(v86_int_edge, iopl);
}

static void v86_mode(void)
{
	static const u32 sets[] = {0, 0x3000, 0xffc08028, 0xfffefeff, 0x180000, 0x240000};

	for (u32 vme = 0; vme < 2; vme++) {
		write_cr4((read_cr4() & ~3u) | vme);
		print("VME %u\n", vme);
		for (unsigned i = 0; i < ARRAY_SIZE(sets); i++) {
			V86(v86_flags, sets[i]);
			V86(v86_popfd_all, sets[i]);
			V86(v86_popfd_0, sets[i]);
			V86(v86_iretd_all, sets[i]);
		}
		edges(0);
		edges(0x3000);
	}
}

static void protected_mode(void)
{
	static const u32 sets[] = {0, 0x1000, 0x3000, 0x100000, 0x103000, 0x80000, 0x180000};

	for (u32 pvi = 0; pvi < 2; pvi++) {
		write_cr4((read_cr4() & ~3u) | pvi << 1);
		print("PVI %u\n", pvi);
		for (unsigned cpl = 0; cpl < 4; cpl++) {
			for (unsigned i = 0; i < ARRAY_SIZE(sets); i++) {
				AT(cpl, cli1, sets[i]);
				AT(cpl, sti1, sets[i]);
				AT(cpl, popf_if, sets[i]);
				AT(cpl, popf_all, sets[i]);
				AT(cpl, iret_all, sets[i]);
				AT(cpl, iret16_all, sets[i]);
			}
		}
	}
}

int main(void)
{
	rt_init("flags");
	for (u32 v = 0; v < 0x30; v++)
		idt_default((u8)v, 3);
	memcpy((void *)0x1234, "\x9c\x58\xcd\x80", 4); /* PUSHF, POP EAX, INT 80h */
	memset((void *)(V86_SEG << 4), 0, 0x10000);
	memset(main_tss.io_bits, 0xff, sizeof(main_tss.io_bits)); /* no INT n is redirected */
	main_tss.io_map = offsetof(struct tss386, io_bits) + 32;
	v86_mode();
	protected_mode();
	print("[end]\n");
	return 0;
}
