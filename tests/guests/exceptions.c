/* SPDX-License-Identifier: BSD-2-Clause */
/* Every exception a program can cause: vector, error code, saved EIP and flags (SDM vol. 3, 6.15).
 */
#include "tests/guests/rt/rt.h"

SNIPPET(de_div32, "xor %ecx, %ecx\n mov $1, %eax\n cdq\n divl %ecx");
SNIPPET(de_div8, "mov $0x1000, %ax\n mov $2, %cl\n div %cl");
SNIPPET(de_idiv32, "mov $0x80000000, %eax\n cdq\n mov $-1, %ecx\n idivl %ecx");
SNIPPET(de_idiv16, "mov $0x8000, %ax\n cwd\n mov $-1, %cx\n idivw %cx");
SNIPPET(de_aam, ".byte 0xd4, 0x00");
SNIPPET(db_icebp, "nop\n .byte 0xf1");
SNIPPET(bp_int3, "nop\n int3");
SNIPPET(bp_int_3, "nop\n .byte 0xcd, 0x03");
SNIPPET(of_into, "mov $0x7fffffff, %eax\n add $1, %eax\n into");
SNIPPET(of_into_clear, "xor %eax, %eax\n into");
SNIPPET(br_bound, "sub $8, %esp\n movl $-5, (%esp)\n movl $7, 4(%esp)\n mov $8, %eax\n"
		  "bound %eax, (%esp)");
SNIPPET(br_bound_inside, "sub $8, %esp\n movl $-5, (%esp)\n movl $7, 4(%esp)\n mov $-5, %eax\n"
			 "bound %eax, (%esp)");
SNIPPET(ud_ud2, "nop\n ud2");
SNIPPET(ud_lock_reg, ".byte 0xf0, 0x01, 0xc0");
SNIPPET(ud_lock_mov, ".byte 0xf0, 0x89, 0x04, 0x24");
SNIPPET(ud_lea_reg, ".byte 0x8d, 0xc0");
SNIPPET(ud_les_reg, ".byte 0xc4, 0xc0");
SNIPPET(ud_lds_reg, ".byte 0xc5, 0xc0");
SNIPPET(ud_mov_cs, ".byte 0x8e, 0xc8");
SNIPPET(ud_mov_seg6, ".byte 0x8e, 0xf0");
SNIPPET(ud_fe_2, ".byte 0xfe, 0xd0");
SNIPPET(ud_ff_7, ".byte 0xff, 0xf8");
SNIPPET(ud_8f_1, ".byte 0x8f, 0xc8");
SNIPPET(ud_c6_1, ".byte 0xc6, 0xc8, 0x00");
SNIPPET(ud_bound_reg, ".byte 0x62, 0xc0");
SNIPPET(ud_cr1, ".byte 0x0f, 0x20, 0xc8");
SNIPPET(ud_far_jmp_reg, ".byte 0xff, 0xe8");
SNIPPET(ud_lgdt_reg, ".byte 0x0f, 0x01, 0xd0");
SNIPPET(ud_invlpg_reg, ".byte 0x0f, 0x01, 0xf8");
SNIPPET(nm_fpu, "mov %cr0, %eax\n or $8, %eax\n mov %eax, %cr0\n fld1");
SNIPPET(nm_wait, "mov %cr0, %eax\n or $10, %eax\n mov %eax, %cr0\n fwait");
SNIPPET(nm_em, "mov %cr0, %eax\n and $~8, %eax\n or $4, %eax\n mov %eax, %cr0\n fld1");
SNIPPET(ss_null_ss, "xor %eax, %eax\n mov %ax, %ss");
SNIPPET(gp_null_read, "xor %eax, %eax\n mov %ax, %ds\n mov (%eax), %ecx");
SNIPPET(gp_hlt, "nop\n hlt");
SNIPPET(gp_cli, "nop\n cli");
SNIPPET(gp_sti, "nop\n sti");
SNIPPET(gp_in, "in $0x80, %al");
SNIPPET(gp_mov_cr, "mov %cr0, %eax");
SNIPPET(gp_mov_dr, "mov %db7, %eax");
SNIPPET(gp_lgdt, "lgdt (%esp)");
SNIPPET(gp_lidt, "lidt (%esp)");
SNIPPET(gp_lmsw, "lmsw %ax");
SNIPPET(gp_clts, "clts");
SNIPPET(gp_invd, "invd");
SNIPPET(gp_wrmsr, "wrmsr");
SNIPPET(gp_rdmsr, "mov $0x7654321, %ecx\n rdmsr");
SNIPPET(gp_int_dpl, "nop\n int $0x20");
SNIPPET(gp_int_limit, "nop\n int $0xff");
SNIPPET(gp_load_sel, "mov $0x200, %eax\n mov %ax, %es");
SNIPPET(gp_load_code, "mov $0x58, %eax\n mov %ax, %es");
SNIPPET(gp_dpl, "mov $0x10, %eax\n mov %ax, %es");
SNIPPET(gp_jmp_null, ".byte 0xea, 0, 0, 0, 0, 0, 0");
SNIPPET(gp_jmp_data, ".byte 0xea, 0, 0, 0, 0, 0x10, 0");
SNIPPET(gp_retf, "push $0x08\n push $0\n lret");
SNIPPET(gp_iret, "push $2\n push $0x10\n push $0\n iretl");
SNIPPET(gp_cr0_pg, "mov %cr0, %eax\n and $~1, %eax\n or $0x80000000, %eax\n mov %eax, %cr0");
SNIPPET(gp_cr4, "mov $0x80000000, %eax\n mov %eax, %cr4");
SNIPPET(gp_write_cs, "movl $0, %cs:(%esp)");
SNIPPET(gp_long,
	".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66\n"
	"nop");
SNIPPET(np_load, "mov $0x68, %eax\n mov %ax, %es");
SNIPPET(np_jmp, ".byte 0xea, 0, 0, 0, 0, 0x70, 0");
SNIPPET(np_ss, "mov $0x68, %eax\n mov %ax, %ss");
SNIPPET(ss_limit, "mov $0x7b, %eax\n mov %ax, %ss\n mov $0x2000, %ebp\n mov (%ebp), %eax");
SNIPPET(ss_push, "mov $0x7b, %eax\n mov %ax, %ss\n mov $0x1003, %esp\n pushl $0");
SNIPPET(gp_limit, "mov $0x7b, %eax\n mov %ax, %es\n mov %es:0xffd, %eax");
SNIPPET(gp_limit_last, "mov $0x7b, %eax\n mov %ax, %es\n mov %es:0xffc, %eax");
SNIPPET(gp_expand_in, "mov $0x83, %eax\n mov %ax, %es\n mov %es:0xfff, %al");
SNIPPET(gp_expand_out, "mov $0x83, %eax\n mov %ax, %es\n mov %es:0x1000, %al");
SNIPPET(gp_read_only, "mov $0x8b, %eax\n mov %ax, %es\n movb $0, %es:0");
SNIPPET(gp_exec_only, "mov $0x93, %eax\n mov %ax, %es");
SNIPPET(mf_divide, "fninit\n pushl $0x033b\n fldcw (%esp)\n fld1\n fldz\n fdivrp\n nop\n fwait");
SNIPPET(ac_read, "pushl $0x40002\n popfl\n mov 1(%esp), %eax");
SNIPPET(ac_aligned, "pushl $0x40002\n popfl\n mov (%esp), %eax");
SNIPPET(ac_word, "pushl $0x40002\n popfl\n mov 1(%esp), %ax");

static const struct {
	const char *label;
	unsigned cpl;
	const void *entry;
} cases[] = {
#define CASE(cpl, name)                                                                            \
	{                                                                                          \
#name, cpl, name                                                                   \
	}
	CASE(0, de_div32),	  CASE(3, de_div8),	  CASE(3, de_idiv32),
	CASE(3, de_idiv16),	  CASE(3, de_aam),	  CASE(3, db_icebp),
	CASE(3, bp_int3),	  CASE(3, bp_int_3),	  CASE(0, bp_int3),
	CASE(3, of_into),	  CASE(3, of_into_clear), CASE(3, br_bound),
	CASE(3, br_bound_inside), CASE(0, ud_ud2),	  CASE(3, ud_ud2),
	CASE(3, ud_lock_reg),	  CASE(3, ud_lock_mov),	  CASE(3, ud_lea_reg),
	CASE(3, ud_les_reg),	  CASE(3, ud_lds_reg),	  CASE(3, ud_mov_cs),
	CASE(3, ud_mov_seg6),	  CASE(3, ud_fe_2),	  CASE(3, ud_ff_7),
	CASE(3, ud_8f_1),	  CASE(3, ud_c6_1),	  CASE(3, ud_bound_reg),
	CASE(0, ud_cr1),	  CASE(3, ud_cr1),	  CASE(3, ud_far_jmp_reg),
	CASE(0, ud_lgdt_reg),	  CASE(0, ud_invlpg_reg), CASE(0, nm_fpu),
	CASE(0, nm_wait),	  CASE(0, nm_em),	  CASE(0, ss_null_ss),
	CASE(3, ss_null_ss),	  CASE(0, gp_null_read),  CASE(3, gp_null_read),
	CASE(3, gp_hlt),	  CASE(3, gp_cli),	  CASE(3, gp_sti),
	CASE(3, gp_in),		  CASE(1, gp_mov_cr),	  CASE(3, gp_mov_cr),
	CASE(3, gp_mov_dr),	  CASE(3, gp_lgdt),	  CASE(3, gp_lidt),
	CASE(3, gp_lmsw),	  CASE(2, gp_clts),	  CASE(3, gp_invd),
	CASE(3, gp_wrmsr),	  CASE(0, gp_rdmsr),	  CASE(3, gp_int_dpl),
	CASE(0, gp_load_sel),	  CASE(0, gp_load_code),  CASE(3, gp_dpl),
	CASE(0, gp_jmp_null),	  CASE(0, gp_jmp_data),	  CASE(3, gp_retf),
	CASE(0, gp_iret),	  CASE(0, gp_cr0_pg),	  CASE(0, gp_cr4),
	CASE(0, gp_write_cs),	  CASE(3, gp_long),	  CASE(0, np_load),
	CASE(0, np_jmp),	  CASE(0, np_ss),	  CASE(3, ss_limit),
	CASE(3, ss_push),	  CASE(3, gp_limit),	  CASE(3, gp_limit_last),
	CASE(3, gp_expand_in),	  CASE(3, gp_expand_out), CASE(3, gp_read_only),
	CASE(3, gp_exec_only),
};

/* A fault while a fault is delivered: #DF, with error code 0 and the first fault's EIP. */
static void double_fault(void)
{
	idt_set(13, gate(SEL_DATA0, 0, 0x8e, 0)); /* the #GP gate leads to a data segment: #GP */
	run_show("df_gp_gp", 3, gp_hlt);
	idt_set(13, gate(SEL_CODE0, 0, 0x0e, 0)); /* not present: #NP while delivering #GP */
	run_show("df_gp_np", 0, gp_rdmsr);
	idt_set(6, gate(SEL_DATA0, 0, 0x8e, 0)); /* #UD is benign: the second fault is delivered */
	idt_default(13, 0);
	run_show("ud_gp", 3, ud_ud2);
	idt_default(6, 0);
}

static void short_idt(void)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) idtr = {0xff * 8 - 1, (u32)idt};

	__asm__ volatile("lidt %0" ::"m"(idtr));
	run_show("gp_int_limit", 0, gp_int_limit);
	run_show("gp_int_limit", 3, gp_int_limit);
}

static void fpu_and_alignment(void)
{
	u32 cr0 = read_cr0();

	write_cr0((cr0 & ~0xcu) | 0x22);
	run_show("mf_divide", 3, mf_divide);
	__asm__ volatile("fninit");
	write_cr0((cr0 & ~0xcu) | 0x40002);
	run_show("ac_read", 3, ac_read);
	run_show("ac_read", 0, ac_read);
	run_show("ac_aligned", 3, ac_aligned);
	run_show("ac_word", 3, ac_word);
	write_cr0(cr0);
}

int main(void)
{
	u32 cr0;

	rt_init("exceptions");
	cr0 = read_cr0() & ~0xcu;
	gdt_set(0x68, descriptor(0, 0xfffff, 0x13, 0xc));     /* data, not present */
	gdt_set(0x70, descriptor(0, 0xfffff, 0x1b, 0xc));     /* code, not present */
	gdt_set(0x78, descriptor(SCRATCH, 0xfff, 0xf3, 0x4)); /* 4 KB data */
	gdt_set(0x80, descriptor(SCRATCH, 0xfff, 0xf7, 0x4)); /* expand-down above FFFh */
	gdt_set(0x88, descriptor(SCRATCH, 0xfff, 0xf1, 0x4)); /* read-only */
	gdt_set(0x90, descriptor(SCRATCH, 0xfff, 0xf9, 0x4)); /* execute-only */
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		write_cr0(cr0);
		run_show(cases[i].label, cases[i].cpl, cases[i].entry);
	}
	write_cr0(cr0);
	idt_default(3, 3);
	idt_default(4, 3);
	run_show("bp_int3, gate DPL 3", 3, bp_int3);
	run_show("bp_int_3, gate DPL 3", 3, bp_int_3);
	run_show("of_into, gate DPL 3", 3, of_into);
	double_fault();
	fpu_and_alignment();
	short_idt();
	print("[end]\n");
	return 0;
}
