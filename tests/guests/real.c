/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real mode as an engine may run it in V86 mode: what V86 mode cannot do by itself, what would show
 * it, the ends of segments, A20, interrupts, and the way to larger limits and back. Each snippet
 * has a page of its own, and begins behind a far transfer.
 */
#include "tests/guests/rt/real.h"
#include "tests/guests/rt/rt.h"

/* --- flags and interrupts --- */

SNIPPET16(flags_16,
	  "mov $0x7ed5, %ax\n push %ax\n popf\n pushf\n pop %bx\n push $0\n popf\n pushf\n"
	  "pop %cx\n cli\n pushf\n pop %dx\n sti\n pushf\n pop %si\n cli");
SNIPPET16(flags_32, "pushl $0x00247cd7\n popfl\n pushfl\n pop %ebx\n pushl $0\n popfl\n pushfl\n"
		    "pop %ecx");
/* INT 61h is `pushf; pop dx; mov bp, sp; push word [bp + 4]; pop si; iret`, at 6000h. */
SNIPPET16(int_iret,
	  "mov $0x3246, %ax\n push %ax\n popf\n int $0x61\n pushf\n pop %bx\n mov %sp, %cx");
SNIPPET16(iret_32, "pushl $0x00040a97\n pushl %cs\n pushl $1f - iret_32\n iretl\n 1: pushfl\n"
		   "pop %ebx\n mov %sp, %cx\n xor %eax, %eax\n push %eax\n popfl");
SNIPPET16(int3_one, "mov $1, %bx\n int3\n mov $2, %bx");
SNIPPET16(int1_one, "mov $1, %bx\n .byte 0xf1\n mov $2, %bx");
SNIPPET16(into_taken, "mov $0x7f, %al\n add $1, %al\n into\n mov $2, %bx");
SNIPPET16(into_not, "mov $0x7e, %al\n add $1, %al\n into\n mov $2, %bx");
SNIPPET16(trap_flag, "pushf\n pop %ax\n or $1, %ah\n push %ax\n popf\n nop\n mov $2, %bx");
SNIPPET16(sti_shadow, "mov $3, %cx\n 1: cli\n sti\n inc %bx\n cli\n sti\n nop\n loop 1b\n cli");
/* Three ticks of IRQ 0: its handler, at 6020h, counts in CS:100h. */
SNIPPET16(ticks, "xor %bx, %bx\n movw %bx, 0x100\n mov $0x34, %al\n out %al, $0x43\n mov $0, %al\n"
		 "out %al, $0x40\n mov $0x20, %al\n out %al, $0x40\n mov $0xfe, %al\n"
		 "out %al, $0x21\n sti\n 1: cmpw $3, 0x100\n jb 1b\n 2: sti\n hlt\n cli\n"
		 "cmpw $5, 0x100\n jb 2b\n mov $0xff, %al\n out %al, $0x21\n mov $1, %bx\n"
		 "xor %ax, %ax");

/*
 * MOV SS and an instruction that finds the page tables of an engine empty, as A20 has just moved.
 * The handler of IRQ 0, at 4, counts in CS:100h, and in CS:102h where it came between the two.
 */
SNIPPET16(mov_ss,
	  "jmp 5f\n .align 4\n push %ax\n push %bp\n mov %sp, %bp\n mov 4(%bp), %ax\n"
	  "cmp $1f - mov_ss, %ax\n jne 4f\n incw 0x102\n 4: incw 0x100\n mov $0x20, %al\n"
	  "out %al, $0x20\n pop %bp\n pop %ax\n iret\n"
	  "5: mov $0x34, %al\n out %al, $0x43\n mov $0, %al\n out %al, $0x40\n mov $8, %al\n"
	  "out %al, $0x40\n mov $0xfe, %al\n out %al, $0x21\n sti\n mov $0x9000, %ax\n"
	  "mov %ax, %fs\n 2: in $0x92, %al\n xor $2, %al\n out %al, $0x92\n xor $2, %al\n"
	  "out %al, $0x92\n mov $0x800, %cx\n 3: loop 3b\n mov %ss, %dx\n mov %dx, %ss\n"
	  "1: mov %fs:0, %eax\n cmpw $400, 0x100\n jb 2b\n cli\n mov $0xff, %al\n"
	  "out %al, $0x21\n mov 0x102, %cx\n xor %eax, %eax");

/* --- faults, with their frames --- */

SNIPPET16(div_zero, "mov $1, %bx\n xor %cl, %cl\n div %cl\n mov $2, %bx");
SNIPPET16(undefined, "mov $1, %bx\n ud2\n mov $2, %bx");
SNIPPET16(lock, "mov $1, %bx\n .byte 0xf0, 0x89, 0xc0\n mov $2, %bx");
SNIPPET16(sldt_ud, "mov $1, %bx\n sldt %ax\n mov $2, %bx");
SNIPPET16(verr_ud, "mov $1, %bx\n verr %ax\n mov $2, %bx");
SNIPPET16(lar_ud, "mov $1, %bx\n lar %ax, %cx\n mov $2, %bx");
SNIPPET16(arpl_ud, "mov $1, %bx\n arpl %ax, %bx\n mov $2, %bx");
SNIPPET16(bound, "movw $5, 0x800\n movw $9, 0x802\n mov $4, %ax\n bound %ax, 0x800\n mov $2, %bx");
SNIPPET16(no_limit_check, "mov $0xffff, %si\n mov $1, %bx\n movb (%si), %al\n mov $2, %bx");

/* --- addresses --- */

SNIPPET16(byte_wrap, "mov $0xfffe, %si\n mov $3, %cx\n cld\n xor %bx, %bx\n 1: lodsb\n inc %bx\n"
		     "loop 1b\n xor %ax, %ax");
SNIPPET16(string_wrap, "mov $0xfffe, %di\n mov $0x4142, %ax\n mov $2, %cx\n movw $0, 0\n cld\n"
		       "rep stosw\n mov 0, %bx\n mov 0xfffe, %dx");
SNIPPET16(wide, "mov $0x12345678, %eax\n mov $0x2000, %ebx\n mov %eax, (%ebx)\n mov (%ebx), %ecx\n"
		"shl $4, %ecx\n lea 4(%ebx,%ecx,2), %edx\n mov $0x10003, %ecx\n 1: inc %si\n"
		"addr32 loop 1b");
SNIPPET16(segments,
	  "mov $0x7000, %ax\n mov %ax, %ds\n mov %ax, %fs\n mov $0x6fff, %ax\n mov %ax, %gs\n"
	  "mov $0x1111, %bx\n mov %bx, 0\n mov %gs:0x10, %cx\n movw $0x10, 2\n"
	  "movw $0x7001, 4\n movw $0x2222, 0x20\n les 2, %di\n mov %es:(%di), %dx\n"
	  "push %cs\n pop %ds\n mov %fs, %ax\n mov %es, %si");
SNIPPET16(far_call, "mov %cs, %ax\n mov %ax, 1f - far_call + 3\n jmp 2f\n 2:\n"
		    "1: lcall $0, $3f - far_call\n mov $7, %dx\n jmp 4f\n 3: pop %bx\n pop %cx\n"
		    "sub %ax, %cx\n push %ax\n push %bx\n lret\n 4: xor %ax, %ax");
SNIPPET16(a20, "mov $0xffff, %ax\n mov %ax, %fs\n xor %ax, %ax\n mov %ax, %gs\n in $0x92, %al\n"
	       "mov %al, %ah\n or $2, %al\n out %al, $0x92\n movw $0x1234, %gs:0x500\n"
	       "movw $0x5678, %fs:0x510\n mov %gs:0x500, %bx\n and $0xfd, %al\n out %al, $0x92\n"
	       "mov %fs:0x510, %cx\n movw $0x4321, %fs:0x510\n mov %gs:0x500, %dx\n"
	       "mov %ah, %al\n out %al, $0x92\n mov %fs:0x510, %si\n xor %ax, %ax");
SNIPPET16(unreal, "mov $0x1000, %cx\n 1: inc %bx\n loop 1b\n lgdtl 2f - unreal\n cli\n"
		  "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n jmp 3f\n 3: mov $8, %dx\n"
		  "mov %dx, %fs\n and $0xfe, %al\n mov %eax, %cr0\n jmp 4f\n 4: xor %ax, %ax\n"
		  "mov %ax, %fs\n mov $0x00090000, %esi\n movw $0x77, %fs:(%esi)\n"
		  "xor %dx, %dx\n mov %fs:(%esi), %dx\n jmp 5f\n .align 4\n"
		  "2: .word 15\n .long 6f\n 6: .quad 0\n .quad 0x00cf93000000ffff\n"
		  "5: mov $0x1000, %cx\n 1: inc %bx\n loop 1b\n xor %eax, %eax");

/* --- what would show V86 mode --- */

SNIPPET16(smsw,
	  "mov $0x1000, %cx\n 1: inc %bx\n loop 1b\n smsw %ax\n and $1, %ax\n mov %cr0, %edx\n"
	  "and $1, %edx");
SNIPPET16(tables, "lidtl 2f - tables\n sidtl 0x800\n mov 0x800, %bx\n mov 0x802, %ecx\n"
		  "lgdtl 3f - tables\n sgdtl 0x800\n mov 0x800, %dx\n mov 0x802, %esi\n jmp 1f\n"
		  "2: .word 0x3ff\n .long 0\n 3: .word 0x1234\n .long 0x123456\n 1:");
/* `smsw ax` written by the code itself, as 0F 01 E0; an interrupt comes before it is reached. */
SNIPPET16(written, "mov $0x1000, %cx\n 1: inc %bx\n loop 1b\n movw $0x010f, 0xa00\n"
		   "movw $0xc3e0, 0xa02\n int $0x61\n mov $0xa00, %di\n call *%di\n and $1, %ax");

#define HANDLERS ((u8 *)0x6000)
static const u8 int_61[] = {0x9c, 0x5a, 0x89, 0xe5, 0xff, 0x76, 0x04, 0x5e, 0xcf};
/* push ax; mov al, 20h; out 20h, al; inc word cs:[...] is the snippet's: DS is; pop ax; iret */
static const u8 irq_0[] = {0x50, 0xff, 0x06, 0x00, 0x01, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf};

static const struct {
	const char *label;
	const u8 *code, *end;
} cases[] = {
#define CASE SNIPPET16_CASE
	CASE(flags_16),	      CASE(flags_32),	CASE(int_iret),	   CASE(iret_32),
	CASE(int3_one),	      CASE(int1_one),	CASE(into_taken),  CASE(into_not),
	CASE(trap_flag),      CASE(sti_shadow), CASE(ticks),	   CASE(mov_ss),
	CASE(div_zero),	      CASE(undefined),	CASE(lock),	   CASE(sldt_ud),
	CASE(verr_ud),	      CASE(lar_ud),	CASE(arpl_ud),	   CASE(bound),
	CASE(no_limit_check), CASE(byte_wrap),	CASE(string_wrap), CASE(wide),
	CASE(segments),	      CASE(far_call),	CASE(a20),	   CASE(unreal),
	CASE(smsw),	      CASE(tables),	CASE(written),
};

#define VECTOR(v) (((u32 *)address_0())[v])

/* Address 0 is the interrupt vector table; the compiler is not to know. */
static void *address_0(void)
{
	void *p = 0;

	__asm__("" : "+r"(p));
	return p;
}

/* The first PIC's interrupts from vector 8 on, all masked. */
static void pic(void)
{
	static const u8 words[] = {0x08, 0x04, 0x01, 0xff};

	outb(0x20, 0x11);
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		outb(0x21, words[i]);
}

static void handlers(void)
{
	memcpy(HANDLERS, int_61, sizeof(int_61));
	memcpy(HANDLERS + 0x20, irq_0, sizeof(irq_0));
	VECTOR(0x61) = 0x0600u << 16;
}

/* Each case in a page of its own, and once more in the same page, rewritten. */
int main(void)
{
	rt_init("real");
	real_vectors();
	handlers();
	pic();
	for (u32 again = 0; again < 2; again++) {
		for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
			u16 seg = (u16)(V86_SEG + i * 0x100);
			u32 irq = VECTOR(8);

			memset((void *)((u32)seg << 4), 0, PAGE_SIZE);
			memcpy((void *)((u32)seg << 4), cases[i].code,
			       (u32)(cases[i].end - cases[i].code));
			if (cases[i].code == ticks)
				VECTOR(8) = 0x0600u << 16 | 0x20;
			if (cases[i].code == mov_ss)
				VECTOR(8) = (u32)seg << 16 | 4;
			real_run(seg, false);
			VECTOR(8) = irq;
			real_show(cases[i].label);
		}
	}
	print("[end]\n");
	return 0;
}
