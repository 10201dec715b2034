/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16-bit code and stacks in protected mode, at CPL 0 to 2, in loops that an engine may translate:
 * operands, addresses and returns of both sizes, stacks that wrap, ways between segments of both
 * sizes, and branches that leave their segment.
 */
#include "tests/guests/rt/rt.h"

#define TIMES	   3u
#define CODE_BASE  0x60ff8u /* of the first snippet: loops go from page to page */
#define DATA_BASE  (SCRATCH + 0x10000)
#define STACK_TOP  0xff00u
#define SMALL_SIZE 0x400u

/* The guest's own descriptors; those for CPL n are n entries further on. */
enum { CODE16 = SEL_FREE, DATA16 = CODE16 + 24, SMALL16 = DATA16 + 24, CODE32 = SMALL16 + 8 };

SNIPPET16(calls, "mov $2000, %cx\n1: push %cx\n call 2f\n add %ax, %dx\n calll 3f\n push %ax\n"
		 " call 5f\n pop %cx\n loop 1b\n jmp 4f\n"
		 "2: lea 7(%bx,%si), %ax\n ret\n"
		 "3: xor %cx, %bx\n inc %si\n retl\n"
		 "5: rol $1, %dx\n ret $2\n4:");
SNIPPET16(indirect, "movw $(3f - indirect), 0x100\n movl $(4f - indirect), 0x102\n mov $1000, %cx\n"
		    "1: mov $(2f - indirect), %bx\n call *%bx\n mov $0x100, %di\n call *(%di)\n"
		    " calll *0x102\n mov $(5f - indirect), %esi\n jmpl *%esi\n hlt\n"
		    "5: loop 1b\n jmp 6f\n"
		    "2: inc %ax\n ret\n3: add %ax, %dx\n ret\n4: ror $3, %edx\n retl\n6:");
SNIPPET16(sizes, "mov $1000, %cx\n1: add %ax, 0x200(%bp)\n adc %eax, 0x204(%ebp)\n"
		 " movzwl %ax, %esi\n lea 5(%esi,%esi,2), %eax\n movb %al, 0x208(%bx)\n"
		 " imul $3, %dx, %dx\n imul $5, %edx, %edx\n setc %bl\n xchg %bl, %bh\n"
		 " shld $4, %eax, %edx\n cwtl\n cltd\n xor 0x202, %ax\n loop 1b\n"
		 " mov 0x204, %ebx\n and $0xcff, %bx\n");
SNIPPET16(wide_loop, "mov $0x10003, %ecx\n1: inc %ax\n addr32 loop 1b\n mov $2, %cx\n"
		     " jcxz 3f\n2: dec %bx\n loopne 2b\n3: xor %ecx, %ecx\n jecxz 4f\n hlt\n4:");
SNIPPET16(flags,
	  "mov $500, %cx\n1: cli\n pushf\n pop %ax\n sti\n nop\n pushfl\n pop %edx\n cli\n"
	  " stc\n pushf\n std\n clc\n popf\n adc $0, %bx\n pushfl\n cli\n popfl\n loop 1b\n");
SNIPPET16(flags_set, "mov $500, %cx\n1: push $0x0246\n popf\n pushf\n pop %ax\n pushl $0x3046\n"
		     " popfl\n pushfl\n popl %edx\n cli\n loop 1b\n");
SNIPPET16(ports, "mov $300, %cx\n1: mov $0x80, %dx\n mov %cl, %al\n out %al, %dx\n out %al, $0x80\n"
		 " loop 1b\n");
SNIPPET16(segments, "mov $500, %cx\n1: mov %ds, %ax\n mov %ax, %es\n push %ds\n pop %es\n"
		    " pushl %es\n popl %ds\n push %ds\n pop %fs\n mov %fs, %edx\n add $3, %dx\n"
		    " push $0\n pop %fs\n push %ss\n pop %bx\n loop 1b\n mov %fs, %si\n");
SNIPPET16(strings, "mov $200, %dx\n1: mov $0x300, %si\n mov $0x380, %di\n mov $20, %cx\n cld\n"
		   " rep movsw\n mov $0x300, %edi\n mov $9, %ecx\n addr32 rep stosl\n"
		   " mov $0x380, %si\n lodsw\n add %dx, %ax\n dec %dx\n jnz 1b\n");
SNIPPET16(frames, "mov $500, %cx\n1: pusha\n enter $6, $1\n mov %cx, -2(%bp)\n mov -2(%bp), %ax\n"
		  " leave\n pushal\n add $1, %ax\n popal\n popa\n add %cx, %ax\n loop 1b\n");
SNIPPET16(wraps,
	  "mov $300, %cx\n1: mov $2, %sp\n push %cx\n push %cx\n pop %ax\n pop %bx\n"
	  " mov $0, %sp\n pushl $(2f - wraps)\n retl $0x8000\n2: mov $0xfffe, %sp\n pop %dx\n"
	  " pushf\n popf\n call 3f\n loop 1b\n jmp 4f\n3: ret $0x10\n4: mov %sp, %bp\n mov "
	  "$0xff00, %sp\n");
SNIPPET16(upper, "mov $300, %cx\n1: mov %esp, %eax\n pushl %esp\n popl %edx\n call 2f\n"
		 " mov %esp, %ebx\n out %al, $0x80\n mov %esp, %esi\n add $0x10000, %esp\n"
		 " out %al, $0x80\n loop 1b\n jmp 3f\n2: ret\n3:");
/* To a stack of 32 bits and back; to code of 32 bits and back. */
SNIPPET16(stacks,
	  "mov $100, %cx\n mov %ss, %si\n mov %esp, %edi\n1: mov $0x10, %ax\n mov %ax, %ss\n"
	  " mov $0x60000, %esp\n push %cx\n pushl %ecx\n call 2f\n pushf\n pop %bx\n"
	  " popl %edx\n pop %dx\n mov %esp, %ebp\n mov %si, %ss\n mov %edi, %esp\n push %cx\n"
	  " pop %cx\n loop 1b\n jmp 3f\n2: ret\n3:");
SNIPPET16(code32,
	  "mov $100, %cx\n1: lcall $0x98, $(2f - code32)\n add %ax, %bx\n loop 1b\n jmp 3f\n"
	  ".code32\n2: mov $0x12345, %eax\n push %eax\n call 4f\n pop %edx\n lretw\n"
	  "4: xor %ecx, 4(%esp)\n ret\n.code16\n3:");
/* Behind the end of a segment. */
SNIPPET16(jump_out, "mov $100, %cx\n1: loop 1b\n mov $1, %ax\n jmp . + 0x700\n mov $2, %ax\n");
SNIPPET16(branch_out, "mov $100, %cx\n1: loop 1b\n mov $1, %ax\n cmp %ax, %ax\n je . + 0x700\n");
SNIPPET16(call_out, "mov $100, %cx\n1: loop 1b\n mov $1, %ax\n call . + 0x700\n mov $2, %ax\n");
SNIPPET16(return_out, "mov $2000, %cx\n1: push $(2f - return_out)\n ret\n2: loop 1b\n"
		      " push $0x500\n ret\n mov $2, %ax\n");
SNIPPET16(jump_out_by, "mov $2000, %cx\n1: mov $(2f - jump_out_by), %ax\n jmp *%ax\n2: loop 1b\n"
		       " mov $0x500, %ax\n jmp *%ax\n");
SNIPPET16(return_wide, "mov $2000, %cx\n1: pushl $(2f - return_wide)\n retl\n2: loop 1b\n"
		       " pushl $0x10005\n retl\n mov $2, %ax\n");
SNIPPET16(call_wide, "mov $2000, %cx\n1: mov $(2f - call_wide), %eax\n call *%eax\n loop 1b\n"
		     " mov $0x10005, %eax\n calll *%eax\n2: retl\n");

/* Where it runs; in SMALL, a segment of SMALL_SIZE. */
enum { AT_0 = 1, AT_1 = 2, AT_2 = 4, EVERYWHERE = AT_0 | AT_1 | AT_2, SMALL = 8 };

static const struct test {
	const char *label;
	const u8 *code, *end;
	u32 where;
} tests[] = {
#define CASE(name, where)                                                                          \
	{                                                                                          \
#name, name, name##_end, where                                                     \
	}
	CASE(calls, EVERYWHERE | SMALL),
	CASE(indirect, EVERYWHERE),
	CASE(sizes, EVERYWHERE),
	CASE(wide_loop, EVERYWHERE),
	CASE(flags, EVERYWHERE),
	CASE(flags_set, EVERYWHERE),
	CASE(ports, EVERYWHERE),
	CASE(segments, EVERYWHERE),
	CASE(strings, EVERYWHERE),
	CASE(frames, EVERYWHERE),
	CASE(wraps, EVERYWHERE),
	/* At CPL 0 the runtime's handlers have this stack, too, and read it by ESP. */
	CASE(upper, AT_1 | AT_2),
	CASE(stacks, AT_0),
	CASE(code32, AT_0),
	CASE(return_wide, EVERYWHERE),
	CASE(call_wide, EVERYWHERE),
	CASE(jump_out, SMALL),
	CASE(branch_out, SMALL),
	CASE(call_out, SMALL),
	CASE(return_out, SMALL),
	CASE(jump_out_by, SMALL),
};

/* Of the data but for the stack: CPUs differ in what they push as a segment. */
static u32 sum(void)
{
	const u32 *data = (const u32 *)DATA_BASE;
	u32 n, value = 0;

	for (n = 0; n < (STACK_TOP - 0x300) / 4; n++)
		value = (value << 1 | value >> 31) ^ data[n];
	return value;
}

static void once(u32 code, unsigned cpl, u32 upper_half)
{
	u16 data = (u16)(DATA16 + cpl * 9);
	struct regs r = {.eax = 0x11110001,
			 .edx = 0x22220002,
			 .ebx = 0x33330003,
			 .esi = 4,
			 .edi = 5,
			 .eflags = 2 | cpl << 12,
			 .esp = STACK_TOP | upper_half,
			 .cs = code,
			 .ss = data,
			 .ds = data,
			 .es = data};

	memset((void *)DATA_BASE, 0x5a, 0x10000);
	run(&r);
}

static void show(const struct test *c, u32 code, unsigned cpl)
{
	const struct trap *t = &trap_frame;
	u32 upper_half = cpl ? 0x76540000 : 0;

	for (u32 n = 0; n < TIMES; n++)
		once(code, cpl, upper_half);
	print("%s, cpl %u: vec=%u err=%x eip=%x fl=%x eax=%x ebx=%x", c->label, cpl, t->vector,
	      t->error, t->eip, t->eflags & ~0x10u, t->eax, t->ebx);
	print(" ecx=%x edx=%x esi=%x edi=%x ebp=%x", t->ecx, t->edx, t->esi, t->edi, t->ebp);
	print(" esp=%x sum=%x\n", cpl ? t->esp : t->frame_esp, sum());
}

/* Each has pages of its own: code in pages that are written to is not translated for long. */
static void place(u32 n)
{
	u32 base = CODE_BASE + n * 0x1000;

	for (unsigned cpl = 0; cpl < 3; cpl++)
		gdt_set((u16)(CODE16 + cpl * 8),
			descriptor(base, 0xffff, (u8)(0x9b | cpl << 5), 0));
	gdt_set(SMALL16, descriptor(base, SMALL_SIZE - 1, 0x9b, 0));
	gdt_set(CODE32, descriptor(base, 0xffff, 0x9b, 4));
	memcpy((void *)base, tests[n].code, (u32)(tests[n].end - tests[n].code));
}

int main(void);
int main(void)
{
	rt_init("narrow");
	for (unsigned cpl = 0; cpl < 3; cpl++)
		gdt_set((u16)(DATA16 + cpl * 8),
			descriptor(DATA_BASE, 0xffff, (u8)(0x93 | cpl << 5), 0));
	for (u32 n = 0; n < ARRAY_SIZE(tests); n++) {
		place(n);
		for (unsigned cpl = 0; cpl < 3; cpl++)
			if (tests[n].where & BIT(cpl))
				show(&tests[n], CODE16 + cpl * 9, cpl);
		if (tests[n].where & SMALL)
			show(&tests[n], SMALL16, 0);
	}
	print("[end]\n");
	return 0;
}
