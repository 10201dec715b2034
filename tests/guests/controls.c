/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each bit of CR0, CR4, DR6 and DR7 written and read back, LMSW over each value, and system
 * instructions with LOCK or in forms that do not exist, at each CPL and in V86 mode (SDM vol.
 * 3, 2.5).
 */
#include "tests/guests/rt/rt.h"

SNIPPET(cr0, "mov %cr0, %ecx\n xor %ecx, %ebx\n mov %ebx, %cr0\n mov %cr0, %eax\n mov %ecx, %cr0");
SNIPPET(cr2, "mov %ebx, %cr2\n mov %cr2, %eax");
SNIPPET(cr3, "mov %cr3, %ecx\n mov %ebx, %cr3\n mov %cr3, %eax\n mov %ecx, %cr3");
SNIPPET(cr4, "mov %cr4, %ecx\n xor %ecx, %ebx\n mov %ebx, %cr4\n mov %cr4, %eax\n mov %ecx, %cr4");
SNIPPET(dr6, "mov %ebx, %db6\n mov %db6, %eax");
SNIPPET(dr7, "mov %ebx, %db7\n mov %db7, %eax\n xor %ebx, %ebx\n mov %ebx, %db7");
SNIPPET(lmsw, "mov %cr0, %ecx\n lmsw %bx\n mov %cr0, %eax\n mov %ecx, %cr0");
SNIPPET(lmsw_mem, "mov %cr0, %ecx\n mov %ebx, 0x40000\n lmsw 0x40000\n smsw %eax\n mov %ecx, %cr0");
SNIPPET(clts, "mov %cr0, %ecx\n or $8, %ecx\n mov %ecx, %cr0\n clts\n mov %cr0, %eax");
SNIPPET(rdpmc, "mov %ebx, %ecx\n rdpmc\n xor %eax, %eax\n xor %edx, %edx");

/* Bytes, run at SCRATCH with INT 80h behind them, so at V86_SEG:0. */
static const struct {
	const char *label;
	u8 bytes[8];
} forms[] = {
	{"lock mov %cr0", {0xf0, 0x0f, 0x20, 0xc0}},
	{"mov %cr1", {0x0f, 0x20, 0xc8}},
	{"mov %cr5", {0x0f, 0x20, 0xe8}},
	{"mov %cr7", {0x0f, 0x22, 0xf8}},
	{"mov %cr0, mod 0", {0x0f, 0x20, 0x00}},
	{"mov %cr2, mod 1", {0x0f, 0x20, 0x50}},
	{"lock mov %dr0", {0xf0, 0x0f, 0x21, 0xc0}},
	{"mov %dr4", {0x0f, 0x21, 0xe0}},
	{"lock hlt", {0xf0, 0xf4}},
	{"lock cli", {0xf0, 0xfa}},
	{"lock clts", {0xf0, 0x0f, 0x06}},
	{"lock lmsw", {0xf0, 0x0f, 0x01, 0xf0}},
	{"lgdt %eax", {0x0f, 0x01, 0xd0}},
	{"sgdt %eax", {0x0f, 0x01, 0xc0}},
	{"invlpg %eax", {0x0f, 0x01, 0xf8}},
	{"group 7, 5", {0x0f, 0x01, 0x28}},
	{"group 6, 6", {0x0f, 0x00, 0x30}},
	{"group 6, 7", {0x0f, 0x00, 0xf8}},
	{"lock lldt", {0xf0, 0x0f, 0x00, 0xd0}},
	{"lock sldt", {0xf0, 0x0f, 0x00, 0xc0}},
	{"lock verr", {0xf0, 0x0f, 0x00, 0xe0}},
	{"lock lar", {0xf0, 0x0f, 0x02, 0xc0}},
	{"lock invd", {0xf0, 0x0f, 0x08}},
	{"wbinvd", {0x0f, 0x09}},
	{"invd", {0x0f, 0x08}},
	{"0f 04", {0x0f, 0x04}},
	{"0f 05", {0x0f, 0x05}},
	{"0f 07", {0x0f, 0x07}},
	{"0f 0a", {0x0f, 0x0a}},
	{"0f 24", {0x0f, 0x24, 0xc0}},
	{"0f 26", {0x0f, 0x26, 0xc0}},
	{"rsm", {0x0f, 0xaa}},
	{"lock rdmsr", {0xf0, 0x0f, 0x32}},
	{"rdmsr", {0x0f, 0x32}},
	{"wrmsr", {0x0f, 0x30}},
	{"lock in", {0xf0, 0xe4, 0x80}},
	{"lock int", {0xf0, 0xcd, 0x81}},
	{"lock iret", {0xf0, 0xcf}},
	{"lock pushf", {0xf0, 0x9c}},
	{"lock arpl", {0xf0, 0x63, 0xc0}},
	{"str %eax", {0x0f, 0x00, 0xc8}},
	{"ltr %ax", {0x0f, 0x00, 0xd8}},
	{"lldt %ax", {0x0f, 0x00, 0xd0}},
};

static void one(const char *label, unsigned cpl, const void *entry, u32 ebx)
{
	struct regs r = regs_for(cpl, entry);
	const struct trap *t = &trap_frame;

	r.ebx = ebx;
	run(&r);
	if (t->vector == VEC_DONE)
		print("%s %x: eax=%x\n", label, ebx, t->eax);
	else
		print("%s %x cpl %u: vec=%u err=%x eip=%d\n", label, ebx, cpl, t->vector, t->error,
		      (int)(t->eip - (u32)entry));
}

static void bits(void)
{
	for (unsigned i = 0; i < 32; i++) {
		if (i != 0 && i != 31)
			one("cr0", 0, cr0, 1u << i);
		one("cr2", 0, cr2, 1u << i);
		one("cr3", 0, cr3, 1u << i);
		if (i != 6) /* Bochs has machine check */
			one("cr4", 0, cr4, 1u << i);
		one("dr6", 0, dr6, 1u << i);
		if (i != 13)
			one("dr7", 0, dr7, 1u << i);
		one("lmsw", 0, lmsw, i);
		one("lmsw mem", 0, lmsw_mem, 0xffffff00 | i);
	}
	one("cr0", 0, cr0, 0x60000000);
	one("cr0", 0, cr0, 0x80000001);
	one("cr0", 0, cr0, 0x20000008);
	one("clts", 0, clts, 0);
	for (u32 counter = 0; counter < 4; counter++)
		one("rdpmc", 0, rdpmc, counter);
	for (unsigned cpl = 1; cpl < 4; cpl++) {
		one("cr0", cpl, cr0, 0);
		one("dr6", cpl, dr6, 0);
		one("clts", cpl, clts, 0);
		one("lmsw", cpl, lmsw, 0);
		one("rdpmc", cpl, rdpmc, 0);
	}
}

static void bytes(void)
{
	u8 *code = (u8 *)SCRATCH;

	for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
		struct regs r;

		memset(code, 0xcd, 16);
		memcpy(code, forms[i].bytes, 8);
		/* INT 80h behind the bytes that are not 0. */
		for (unsigned n = 8; n > 1 && !forms[i].bytes[n - 1]; n--)
			memcpy(code + n - 1, "\xcd\x80\x90", 3);
		if (!forms[i].bytes[2] && forms[i].bytes[1] == 0x20)
			memcpy(code + 2, "\x00\xcd\x80", 3);
		print("%s:", forms[i].label);
		for (unsigned cpl = 0; cpl < 4; cpl += 3) {
			r = regs_for(cpl, code);
			r.ecx = 0x7654321;
			run(&r);
			print(" cpl %u %u/%x", cpl, trap_frame.vector, trap_frame.error);
		}
		r = regs_v86(code, 16);
		r.ecx = 0x7654321;
		run(&r);
		print(" v86 %u/%x\n", trap_frame.vector, trap_frame.error);
		__asm__ volatile("lldt %w0" ::"r"(0));
	}
}

int main(void)
{
	rt_init("controls");
	bits();
	bytes();
	print("[end]\n");
	return 0;
}
