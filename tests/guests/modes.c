/* SPDX-License-Identifier: BSD-2-Clause */
/* Real and unreal mode, code that changes itself, the interrupt shadow, 16-bit segments. */
#include "tests/guests/rt/real.h"
#include "tests/guests/rt/rt.h"

SNIPPET16(real_add,
	  "mov $0x12345678, %eax\n mov $3, %bx\n add %ax, %bx\n pushf\n pop %cx\n mov %cs, %dx");
SNIPPET16(real_limit, "mov $0x10000, %esi\n mov $1, %bx\n mov (%esi), %al\n mov $2, %bx");
SNIPPET16(real_word_limit, "mov $0xffff, %si\n mov $1, %bx\n mov (%si), %ax\n mov $2, %bx");
SNIPPET16(real_unreal,
	  "mov $0x00090000, %esi\n mov $1, %bx\n mov $0x77, %al\n mov %al, %fs:(%esi)\n"
	  "xor %al, %al\n mov %fs:(%esi), %al\n mov $2, %bx");
SNIPPET16(real_unreal_kept, "xor %ax, %ax\n mov %ax, %fs\n mov $0x00090000, %esi\n mov $1, %bx\n"
			    "mov %fs:(%esi), %al\n mov $2, %bx");
SNIPPET16(real_div, "mov $1, %bx\n xor %cl, %cl\n div %cl\n mov $2, %bx");
SNIPPET16(real_ud, "mov $1, %bx\n arpl %ax, %bx\n mov $2, %bx");
SNIPPET16(real_lock, "mov $1, %bx\n .byte 0xf0, 0x89, 0xc0\n mov $2, %bx");
SNIPPET16(real_int, "mov $1, %bx\n int $0x40\n mov $2, %bx");
SNIPPET16(real_bound,
	  "mov $1, %bx\n movw $5, 0x100\n movw $9, 0x102\n mov $4, %ax\n bound %ax, 0x100\n"
	  "mov $2, %bx");
SNIPPET16(real_smsw, "smsw %bx\n mov %cr0, %eax\n and $1, %eax");
SNIPPET16(real_pop_sp,
	  "mov $0x8000, %sp\n pushw $0x1234\n pop %sp\n mov %sp, %bx\n mov $0xfffe, %sp");
SNIPPET16(real_push_sp, "push %sp\n pop %bx");
SNIPPET16(real_enter,
	  "mov $0x8000, %sp\n mov $0x8010, %bp\n enter $8, $3\n mov %sp, %bx\n mov %bp, %cx\n"
	  "leave\n mov %bp, %dx\n mov $0xfffe, %sp");
SNIPPET16(real_pusha,
	  "mov $0x11, %ax\n mov $0x22, %cx\n pusha\n mov %sp, %bx\n popa\n mov %sp, %dx");
SNIPPET16(real_string,
	  "mov $0x200, %di\n mov $0x5a5a, %ax\n mov $4, %cx\n cld\n rep stosw\n mov $0x200, %si\n"
	  "lodsw\n mov %ax, %bx\n mov %di, %dx");
SNIPPET16(real_wrap,
	  "mov $0xfffe, %di\n movw $0, 0\n mov $0x1234, %ax\n mov $2, %cx\n cld\n rep stosw\n"
	  "mov 0, %bx\n mov 0xfffe, %dx");
SNIPPET16(real_a32_loop, "mov $0x10002, %ecx\n 1: inc %bx\n addr32 loop 1b\n mov %ecx, %edx");
SNIPPET16(real_loop, "mov $0x10002, %ecx\n 1: inc %bx\n loop 1b\n mov %ecx, %edx");
SNIPPET16(real_self, "movb $0x43, %cs:1f - real_self\n 1: inc %ax\n inc %dx"); /* inc bx instead */
SNIPPET16(real_tf, "pushf\n pop %ax\n or $0x100, %ax\n push %ax\n popf\n nop\n mov $1, %dx");

static void real_case(const char *label, const void *code, u32 size, bool unreal)
{
	memset((void *)(V86_SEG << 4), 0, 0x10000);
	memcpy((void *)(V86_SEG << 4), code, size);
	real_run(V86_SEG, unreal);
	real_show(label);
}
#define REAL(name, unreal) real_case(#name, name, (u32)(name##_end - name), unreal)

static void real_mode(void)
{
	real_vectors();
	REAL(real_add, false);
	REAL(real_limit, false);
	REAL(real_limit, true);
	REAL(real_word_limit, false);
	REAL(real_unreal, true);
	REAL(real_unreal, false);
	REAL(real_unreal_kept, true);
	REAL(real_div, false);
	REAL(real_ud, false);
	REAL(real_lock, false);
	REAL(real_int, false);
	REAL(real_bound, false);
	REAL(real_smsw, false);
	REAL(real_pop_sp, false);
	REAL(real_push_sp, false);
	REAL(real_enter, false);
	REAL(real_pusha, false);
	REAL(real_string, false);
	REAL(real_wrap, false);
	REAL(real_loop, false);
	REAL(real_a32_loop, false);
	REAL(real_self, false);
	REAL(real_tf, false);
}

/* Self-modifying code in protected mode: the next instruction, another block, another page, a loop.
 */
SNIPPET(smc_next, "movb $0x43, 1f\n 1: inc %eax\n inc %edx");
SNIPPET(smc_operand, "mov $5, %ecx\n 1: mov $0, %ebx\n incl 1b + 1\n add %ebx, %edx\n loop 1b");
SNIPPET(smc_call, "movb $0x40, 2f\n mov $3, %ecx\n 1: call 2f\n incb 2f\n loop 1b\n jmp 3f\n 2: "
		  "inc %eax\n ret\n 3: nop");
SNIPPET(smc_behind, "mov $4, %ecx\n 1: inc %eax\n movb $0x43, 1b\n dec %ecx\n jnz 1b");
SNIPPET(smc_rep, "mov $2f, %edi\n mov $0x43, %al\n mov $4, %ecx\n mov $0, %ebx\n rep stosb\n"
		 "2: inc %eax\n inc %eax\n inc %eax\n inc %eax");
SNIPPET(smc_far_page,
	"mov $0x46ffe, %edi\n movl $0xc3434040, (%edi)\n call *%edi\n movl $0xc3404343, (%edi)\n"
	"call *%edi\n movb $0x43, 2(%edi)\n call *%edi");

static void self_modifying(void)
{
	static const struct {
		const char *label;
		const void *entry;
	} list[] = {{"smc_next", smc_next}, {"smc_operand", smc_operand},
		    {"smc_call", smc_call}, {"smc_behind", smc_behind},
		    {"smc_rep", smc_rep},   {"smc_far_page", smc_far_page}};

	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		struct regs r = regs_for(0, list[i].entry);

		for (unsigned again = 0; again < 2; again++) {
			run(&r);
			print("%s: vec=%u eax=%x ebx=%x ecx=%x edx=%x\n", list[i].label,
			      trap_frame.vector, trap_frame.eax, trap_frame.ebx, trap_frame.ecx,
			      trap_frame.edx);
		}
	}
}

int main(void)
{
	rt_init("modes");
	self_modifying();
	real_mode();
	print("[end]\n");
	return 0;
}
