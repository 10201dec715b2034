/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every type of descriptor, present and not, at each DPL, RPL and CPL, loaded in each way: the
 * checks of SDM vol. 3, ch. 5. A case is a character: the CPL where it led, or the letter of the
 * fault (a capital when the error code is the selector's), and a `'` when the A bit came on.
 */
#include "tests/guests/rt/rt.h"

#define SEL_TESTED 0x60u
#define SEL_GATE   0x68u
#define VEC_GATE   0x90
#define POINTER	   ((volatile u32 *)SCRATCH)

SNIPPET(load_ds, "mov %bx, %ds");
SNIPPET(load_ss, "mov %bx, %ss");
SNIPPET(jmp_there, "ljmp *0x40000");
SNIPPET(call_there, "lcall *0x40000");
SNIPPET(ret_there, "pushl %ecx\n pushl $0x5ff00\n pushl %ebx\n pushl $there\n lret");
SNIPPET(iret_there, "pushl %ecx\n pushl $0x5ff00\n pushl $2\n pushl %ebx\n pushl $there\n iretl");
SNIPPET(int_there, "int $0x90");
SNIPPET(there, "nop");

enum way { DIRECT, THROUGH_CALL_GATE, THROUGH_INT_GATE };

static char letter(u32 vector)
{
	static const char name[] = "db?xobumf?tnsgp?fa";

	return vector < sizeof(name) - 1 ? name[vector] : '?';
}

static void show(u16 sel, bool accessed)
{
	const struct trap *t = &trap_frame;
	char c = (char)('0' + (t->cs & 3));

	if (t->vector != VEC_DONE)
		c = letter(t->vector);
	if (t->vector != VEC_DONE && t->error == (sel & 0xfffcu))
		c = (char)(c - 32);
	else if (t->vector != VEC_DONE && t->error)
		print("(%x)", t->error);
	print("%c%s", c, accessed ? "'" : "");
}

static void one(const void *entry, unsigned cpl, u16 sel, u64 tested)
{
	struct regs r = regs_for(cpl, entry);
	bool was = tested >> 40 & 1;

	gdt_set(SEL_TESTED, tested);
	r.ebx = sel;
	r.ecx = SEL_DATA0 + (sel & 3) * 0x11u;
	POINTER[0] = (u32)there;
	run(&r);
	show(sel, !was && (gdt[SEL_TESTED >> 3] >> 40 & 1));
}

/* Of the system types: none, LDT, call gates, task gate. A task switch to none would end the guest.
 */
static bool is_shown(unsigned type)
{
	return type >= 16 || type == 0 || type == 2 || type == 4 || type == 5 || type == 12;
}

static void all_levels(const void *entry, u8 access, enum way way)
{
	static const u8 cpls[] = {0, 1, 3};

	for (unsigned i = 0; i < ARRAY_SIZE(cpls); i++) {
		for (unsigned dpl = 0; dpl < 4; dpl++) {
			for (unsigned rpl = 0; rpl < 4; rpl++) {
				u16 sel = (u16)(SEL_TESTED | rpl);

				gdt_set(SEL_GATE, gate(sel, (u32)there, 0xec, 0));
				idt_set(VEC_GATE, gate(sel, (u32)there, 0xee, 0));
				POINTER[1] = way == DIRECT ? sel : SEL_GATE;
				/* Expand-down ones hold all from 1000h on. */
				one(entry, cpls[i], sel,
				    (access & 0x1c) == 0x14
					    ? descriptor(0, 0, (u8)(access | dpl << 5), 0xc)
					    : descriptor(0, 0xfffff, (u8)(access | dpl << 5), 0xc));
			}
			print(" ");
		}
	}
}

static void all_types(const char *label, const void *entry, enum way way)
{
	for (unsigned present = 0; present <= 0x80; present += 0x80) {
		for (unsigned type = 0; type < 32; type++) {
			/* What is not present is never accessed. */
			if (!is_shown(type) || (!present && (type & 1)))
				continue;
			print("%s %02x: ", label, present | type);
			all_levels(entry, (u8)(present | type), way);
			print("\n");
		}
	}
}

int main(void)
{
	rt_init("selectors");
	main_tss.esp1 = 0x9c000;
	main_tss.ss1 = SEL_DATA1;
	main_tss.esp2 = 0x9a000;
	main_tss.ss2 = SEL_DATA2;
	all_types("mov ds", load_ds, DIRECT);
	all_types("mov ss", load_ss, DIRECT);
	all_types("jmp", jmp_there, DIRECT);
	all_types("call", call_there, DIRECT);
	all_types("ret", ret_there, DIRECT);
	all_types("iret", iret_there, DIRECT);
	all_types("jmp gate", jmp_there, THROUGH_CALL_GATE);
	all_types("call gate", call_there, THROUGH_CALL_GATE);
	all_types("int", int_there, THROUGH_INT_GATE);
	print("[end]\n");
	return 0;
}
