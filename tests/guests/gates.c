/* SPDX-License-Identifier: BSD-2-Clause */
/* Call, interrupt, trap gates and far transfers from and to every privilege level. */
#include "tests/guests/rt/rt.h"

enum {
	SEL_GATE = 0x60,
	SEL_CONF = 0x68,
	SEL_GATE16 = 0x70,
	SEL_NP_GATE = 0x78,
	SEL_BAD_GATE = 0x80,
	SEL_NP_CODE = 0x88
};
#define VEC_GATE   0x90
#define LOW_TARGET 0x1234 /* an INT 80h where a 16-bit EIP can reach it */

SNIPPET(call_gate, "push $0x11\n push $0x22\n push $0x33\n lcall $0x63, $0x1234567");
SNIPPET(call_gate_rpl0, "lcall $0x60, $0");
SNIPPET(jmp_gate, "ljmp $0x63, $0x1234567");
SNIPPET(call_gate16, "push $0x11\n push $0x22\n lcall $0x73, $0");
SNIPPET(call_np_gate, "lcall $0x7b, $0");
SNIPPET(call_bad_gate, "lcall $0x83, $0");
SNIPPET(jmp_conforming, "ljmp $0x6b, $gate_target");
SNIPPET(call_conforming, "lcall $0x6b, $gate_target");
SNIPPET(jmp_code0, "ljmp $0x08, $gate_target");
SNIPPET(call_code0, "lcall $0x08, $gate_target");
SNIPPET(int_gate, "int $0x90");
/* What a gate leads to: the registers at INT 80h say where it arrived and with which stack. */
SNIPPET(gate_target, "pushfl\n pop %edi\n nop");
/* Returns to the outer level with the parameters popped, which loads the outer stack. */
SNIPPET(gate_return, "lret $12");
SNIPPET(gate_return_data, "mov $0x10, %ax\n mov %ax, %ds\n mov %ax, %es\n lret $12");
SNIPPET(ret_outer3, "push $0x43\n push $0x5fff0\n push $0x3b\n push $gate_target\n lret");
SNIPPET(ret_outer3_imm, "push $0x43\n push $0x5fff0\n push $1\n push $2\n push $0x3b\n"
			"push $gate_target\n lret $8");
SNIPPET(ret_outer_bad_ss, "push $0x10\n push $0x5fff0\n push $0x3b\n push $gate_target\n lret");
SNIPPET(ret_outer_null_ss, "push $0\n push $0x5fff0\n push $0x3b\n push $gate_target\n lret");
SNIPPET(ret_null_cs, "push $0\n push $gate_target\n lret");
SNIPPET(ret_same, "push $0x08\n push $gate_target\n lret");
SNIPPET(iret_outer3, "push $0x43\n push $0x5fff0\n push $0x3202\n push $0x3b\n push $gate_target\n"
		     "iretl");
SNIPPET(iret_same_flags, "push $0x43ed7\n push $0x08\n push $gate_target\n iretl");
SNIPPET(iret_user_flags, "push $0x243ed7\n push $0x3b\n push $gate_target\n iretl");
SNIPPET(iret_outer_ds,
	"mov $0x10, %eax\n mov %ax, %ds\n mov $0x43, %ecx\n mov %cx, %es\n"
	"push $0x43\n push $0x5fff0\n push $2\n push $0x3b\n push $gate_target\n iretl");
SNIPPET(iret16, "pushw $0x2\n pushw $0x08\n pushw $0x1234\n .byte 0x66\n iretl");

static void show_arrival(const char *label, const void *entry)
{
	const struct trap *t = &trap_frame;
	u32 esp = t->esp;

	if (t->vector != VEC_DONE) {
		show_trap(label, entry);
		return;
	}
	if (!(t->cs & 3))
		esp = t->frame_esp + 20; /* above vector, error, EIP, CS, EFLAGS */
	print("%s: at cs=%04x ds=%04x es=%04x fs=%04x flags=%08x", label, t->cs & 0xffff,
	      t->ds & 0xffff, t->es & 0xffff, t->fs & 0xffff, t->edi);
	print(" esp=%08x [", esp);
	for (unsigned i = 0; i < 7 && esp + 4 * i < 0x9e000 && !((esp + 4 * i) == SCRATCH_STACK);
	     i++) {
		u32 word = *(u32 *)(esp + 4 * i);

		/* Return addresses move with the code: print them as offsets from the snippet. */
		if (word - (u32)entry < 0x100)
			word -= (u32)entry;
		print(" %x", word);
	}
	print(" ]\n");
}

static void try(const char *label, unsigned cpl, const void *entry)
{
	struct regs r = regs_for(cpl, entry);

	r.eflags = 0x3202; /* IOPL 3, IF: what a gate clears is seen */
	run(&r);
	print("cpl %u ", cpl);
	show_arrival(label, entry);
}

#define TRY(cpl, name) try(#name, cpl, name)

static void call_gates(void)
{
	static const u16 target[] = {SEL_CODE0, SEL_CODE1 & ~3, SEL_CODE2 & ~3, SEL_CODE3 & ~3,
				     SEL_CONF};

	for (unsigned i = 0; i < ARRAY_SIZE(target); i++) {
		print("gate to %04x\n", target[i]);
		gdt_set(SEL_GATE, gate(target[i], (u32)gate_target, 0xec, 3));
		for (unsigned cpl = 0; cpl < 4; cpl++) {
			TRY(cpl, call_gate);
			TRY(cpl, jmp_gate);
		}
	}
	gdt_set(SEL_GATE, gate(SEL_CODE0, (u32)gate_return, 0xec, 3));
	for (unsigned cpl = 0; cpl < 4; cpl++)
		TRY(cpl, call_gate);
	gdt_set(SEL_GATE, gate(SEL_CODE0, (u32)gate_return_data, 0xec, 3));
	TRY(3, call_gate);
	gdt_set(SEL_GATE, gate(SEL_CODE0, (u32)gate_target, 0x8c, 0));
	TRY(3, call_gate);
	TRY(0, call_gate_rpl0);
	gdt_set(SEL_GATE, gate(SEL_CODE0, (u32)gate_target, 0xac, 0));
	TRY(1, call_gate);
	TRY(1, call_gate_rpl0);
	gdt_set(SEL_GATE16, gate(SEL_CODE0, LOW_TARGET, 0xe4, 2));
	TRY(0, call_gate16);
	TRY(3, call_gate16);
	TRY(3, call_np_gate);
	TRY(3, call_bad_gate);
	gdt_set(SEL_GATE, gate(SEL_NP_CODE, 0, 0xec, 0));
	TRY(3, call_gate);
	gdt_set(SEL_GATE, gate(0, 0, 0xec, 0));
	TRY(3, call_gate);
}

/* Gates whose inner stack cannot be used. */
static void bad_stacks(void)
{
	gdt_set(SEL_GATE, gate(SEL_CODE1 & ~3, (u32)gate_target, 0xec, 0));
	main_tss.ss1 = SEL_DATA0;
	TRY(3, call_gate);
	main_tss.ss1 = 0;
	TRY(3, call_gate);
	main_tss.ss1 = 0x1f9;
	TRY(3, call_gate);
	main_tss.ss1 = SEL_CODE1;
	TRY(3, call_gate);
	gdt_set(0x90, descriptor(0, 0xfffff, 0x33, 0xc));
	main_tss.ss1 = 0x91;
	TRY(3, call_gate);
	gdt_set(0x90, descriptor(SCRATCH, 0xf, 0xb3, 0x4));
	main_tss.esp1 = 0x10;
	TRY(3, call_gate);
	main_tss.esp1 = 0x8;
	TRY(3, call_gate);
	main_tss.ss1 = SEL_DATA1;
	main_tss.esp1 = 0x9c000;
}

static void interrupt_gates(void)
{
	static const u8 types[] = {0xee, 0xef, 0xae, 0x8e, 0xcf};

	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		print("interrupt gate %02x\n", types[i]);
		for (unsigned target = 0; target < 4; target++) {
			u16 sel = (u16)(SEL_CODE0 + target * 0x10);

			idt_set(VEC_GATE, gate(sel, (u32)gate_target, types[i], 0));
			for (unsigned cpl = 0; cpl < 4; cpl++)
				TRY(cpl, int_gate);
		}
	}
	idt_set(VEC_GATE, gate(SEL_CONF, (u32)gate_target, 0xee, 0));
	TRY(3, int_gate);
	idt_set(VEC_GATE, gate(SEL_NP_CODE, (u32)gate_target, 0xee, 0));
	TRY(3, int_gate);
	idt_set(VEC_GATE, gate(0, (u32)gate_target, 0xee, 0));
	TRY(3, int_gate);
	idt_set(VEC_GATE, gate(SEL_DATA0, (u32)gate_target, 0xee, 0));
	TRY(3, int_gate);
	idt_set(VEC_GATE, gate(0x1f8, (u32)gate_target, 0x6e, 0));
	TRY(3, int_gate);
	idt_set(VEC_GATE, gate(SEL_CODE0, (u32)gate_target, 0xec, 0)); /* a call gate in the IDT */
	TRY(3, int_gate);
	idt_set(VEC_GATE, gate(SEL_CODE0, LOW_TARGET, 0xe6, 0)); /* 286 gate */
	TRY(3, int_gate);
}

int main(void)
{
	rt_init("gates");
	memcpy((void *)LOW_TARGET, "\xcd\x80", 2);
	main_tss.esp1 = 0x9c000;
	main_tss.ss1 = SEL_DATA1;
	main_tss.esp2 = 0x9a000;
	main_tss.ss2 = SEL_DATA2;
	idt_default(3, 3);
	gdt_set(SEL_CONF, descriptor(0, 0xfffff, 0x9f, 0xc));
	gdt_set(SEL_NP_GATE, gate(SEL_CODE0, (u32)gate_target, 0x6c, 0));
	gdt_set(SEL_BAD_GATE, gate(SEL_DATA0, (u32)gate_target, 0xec, 0));
	gdt_set(SEL_NP_CODE, descriptor(0, 0xfffff, 0x1b, 0xc));
	call_gates();
	bad_stacks();
	for (unsigned cpl = 0; cpl < 4; cpl++) {
		TRY(cpl, jmp_conforming);
		TRY(cpl, call_conforming);
		TRY(cpl, jmp_code0);
		TRY(cpl, call_code0);
	}
	TRY(0, ret_outer3);
	TRY(2, ret_outer3);
	TRY(0, ret_outer3_imm);
	TRY(0, ret_outer_bad_ss);
	TRY(0, ret_outer_null_ss);
	TRY(0, ret_null_cs);
	TRY(0, ret_same);
	TRY(3, ret_same);
	TRY(0, iret_outer3);
	TRY(0, iret_same_flags);
	TRY(3, iret_user_flags);
	TRY(0, iret_outer_ds);
	TRY(0, iret16);
	interrupt_gates();
	print("[end]\n");
	return 0;
}
