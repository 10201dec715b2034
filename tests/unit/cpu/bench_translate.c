// SPDX-License-Identifier: BSD-2-Clause
/*
 * What translation costs on this CPU: cycles of loops in the style of kernel code, translated and
 * as they are. What the loops leave in registers and memory has to be equal; time is only printed.
 *   bench_translate [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support_translate.h"

#define CODE_BYTES (256u * KB)

/* Position-independent; EBP leads to memory, EDI counts; each ends in HLT and room for a JMP. */
#define LOOP(name, times, body)                                                                    \
	extern const u8 name##_start[], name##_hlt[], name##_end[];                                \
	__asm__(".pushsection .rodata\n" #name "_start: movl $" #times ", %edi\n"                  \
		"1:\n" body "	decl %edi; jnz 1b\n" #name "_hlt: hlt; .skip 4\n" #name "_end:\n"  \
		".popsection\n")
#define LOOP_WITH(name, times, body, functions)                                                    \
	extern const u8 name##_start[], name##_hlt[], name##_end[];                                \
	__asm__(".pushsection .rodata\n" #name "_start: movl $" #times ", %edi\n"                  \
		"1:\n" body "	decl %edi; jnz 1b\n" #name                                         \
		"_hlt: hlt; .skip 4\n.p2align 4\n" functions #name "_end:\n.popsection\n")

LOOP(straight, 100000,
     "	movl (%ebp), %eax; addl 4(%ebp), %eax; movl %eax, 8(%ebp)\n"
     "	leal 3(%eax, %edx, 4), %ebx; xorl %edi, %ebx; rorl $5, %ebx\n"
     "	movzbl 13(%ebp), %esi; subl %esi, %ebx; adcl $7, %edx\n"
     "	pushl %ebx; pushl %edx; addl %ebx, 16(%ebp); popl %edx; popl %ebx\n"
     "	movl 16(%ebp), %ecx; andl $0xfff, %ecx; movl %ecx, 20(%ebp)\n"
     "	orl %ecx, %edx; notl %ecx; addl %ecx, 4(%ebp)\n");

LOOP(branchy, 100000,
     "	testl $1, %edi; jz 2f; addl $3, %eax\n"
     "2:	testl $2, %edi; jnz 3f; xorl %edi, %ebx; jmp 4f\n"
     "3:	incl %edx\n"
     "4:	cmpl $50000, %edi; ja 5f; subl %eax, %edx\n"
     "5:	testl $4, %edi; jz 6f; testl $8, %edi; jz 6f; movl %eax, (%ebp)\n"
     "6:	cmpl %eax, %ebx; jl 7f; addl $5, %ebx\n"
     "7:	movl $3, %ecx\n"
     "8:	addl (%ebp), %esi; decl %ecx; jnz 8b\n");

LOOP_WITH(calls, 100000,
	  "	movl %edi, %eax; call f1\n"
	  "	pushl %eax; call f2; addl $4, %esp\n"
	  "	call f1\n",
	  "f1: pushl %ebx; movl %eax, %ebx; shll $2, %ebx; addl (%ebp), %ebx; xorl %edi, %eax\n"
	  "	movl %ebx, (%ebp); cmpl $9, %eax; jb 2f; subl $3, %eax\n"
	  "2:	popl %ebx; ret\n"
	  ".p2align 4\n"
	  "f2: pushl %esi; movl 8(%esp), %esi; leal (%esi, %eax, 2), %eax; movl %eax, 4(%ebp)\n"
	  "	addl $1, 8(%ebp); adcl $0, 12(%ebp); call f1; xorl %esi, %eax; popl %esi; ret\n");

/* The addresses of its functions: found at run time by their distance from the start. */
LOOP_WITH(indirect, 100000,
	  "	movl %edi, %ecx; andl $7, %ecx; movl 64(%ebp, %ecx, 4), %edx\n"
	  "	addl 96(%ebp), %edx; call *%edx\n"
	  "	movl %edi, %ecx; shrl $3, %ecx; andl $7, %ecx; movl 64(%ebp, %ecx, 4), %edx\n"
	  "	addl 96(%ebp), %edx; movl %edx, 100(%ebp); call *100(%ebp)\n",
	  "g0: addl %edi, %eax; movl %eax, (%ebp); ret\n .p2align 4\n"
	  "g1: xorl %edi, %eax; addl (%ebp), %ebx; ret\n .p2align 4\n"
	  "g2: pushl %eax; addl $3, %ebx; popl %eax; ret\n .p2align 4\n"
	  "g3: subl %ebx, %eax; rorl $3, %eax; ret\n .p2align 4\n"
	  "g4: leal 1(%eax, %ebx), %eax; incl 4(%ebp); ret\n .p2align 4\n"
	  "g5: cmpl %eax, %ebx; jb 2f; addl $7, %eax\n2:	ret\n .p2align 4\n"
	  "g6: movl (%ebp), %ebx; notl %ebx; ret\n .p2align 4\n"
	  "g7: adcl $1, %eax; movl %eax, 8(%ebp); ret\n");
extern const u8 g0[], g1[], g2[], g3[], g4[], g5[], g6[], g7[];

/* As kernels save flags around a lock; without CLI, which this process cannot do untranslated. */
LOOP(flags, 100000,
     "	pushfl; popl %eax; testl $0x200, %eax; jz 2f; addl %eax, (%ebp)\n"
     "2:	incl 4(%ebp); pushl %eax; popfl\n");

struct bench {
	const char *name;
	const u8 *start, *hlt, *end;
};

#define BENCH(name)                                                                                \
	{                                                                                          \
#name, name##_start, name##_hlt, name##_end                                        \
	}
static const struct bench benches[] = {BENCH(straight), BENCH(branchy), BENCH(calls),
				       BENCH(indirect), BENCH(flags)};

static struct program program;

static void load(const struct bench *b)
{
	static const u8 *const functions[] = {g0, g1, g2, g3, g4, g5, g6, g7};
	u32 base = PROGRAM_LIN;

	memset(&program, 0, sizeof(program));
	memcpy(program.code, b->start, (size_t)(b->end - b->start));
	program.end = PROGRAM_LIN + (u32)(b->hlt - b->start);
	machine_load(&program);
	memset((void *)(uintptr_t)MEMORY_LIN, 0, MEMORY_SIZE);
	for (u32 n = 0; n < ARRAY_SIZE(functions); n++) {
		u32 distance = (u32)(functions[n] - indirect_start);

		memcpy((void *)(uintptr_t)(MEMORY_BASE + 64 + n * 4), &distance, 4);
	}
	memcpy((void *)(uintptr_t)(MEMORY_BASE + 96), &base, 4);
}

struct result {
	struct translate_regs regs;
	u8 memory[MEMORY_SIZE];
	u64 cycles;
};

/* Code that was translated before stays so: memory alone starts anew. */
static void run_once(const struct bench *b, bool translated, struct result *out)
{
	static u8 fresh[MEMORY_SIZE];
	struct translate_regs r;
	u64 start;

	if (out->cycles == 0) {
		load(b);
		memcpy(fresh, (const void *)(uintptr_t)MEMORY_LIN, MEMORY_SIZE);
	}
	memcpy((void *)(uintptr_t)MEMORY_LIN, fresh, MEMORY_SIZE);
	machine_start(&r, PROGRAM_LIN);
	start = machine_tsc();
	if (translated)
		machine_translated(&r, true);
	else
		machine_untranslated(&r, program.end);
	start = machine_tsc() - start;
	if (out->cycles == 0 || start < out->cycles)
		out->cycles = start;
	out->regs = r;
	memcpy(out->memory, (const void *)(uintptr_t)MEMORY_LIN, MEMORY_SIZE);
}

static bool equal(const struct result *a, const struct result *b)
{
	return memcmp(a->regs.gpr, b->regs.gpr, sizeof(a->regs.gpr)) == 0 &&
	       !((a->regs.eflags ^ b->regs.eflags) & FLAGS_ARITH) &&
	       memcmp(a->memory, b->memory, MEMORY_SIZE) == 0;
}

int main(int argc, char **argv)
{
	u32 rounds = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 10, failed = 0;
	static struct result native, translated;

	machine_init(CODE_BYTES);
	for (u32 n = 0; n < ARRAY_SIZE(benches); n++) {
		native.cycles = translated.cycles = 0;
		for (u32 i = 0; i < rounds; i++)
			run_once(&benches[n], false, &native);
		for (u32 i = 0; i < rounds; i++)
			run_once(&benches[n], true, &translated);
		printf("bench_translate: %-9s %9llu cycles, translated %9llu, quotient %u.%02u\n",
		       benches[n].name, (unsigned long long)native.cycles,
		       (unsigned long long)translated.cycles,
		       (u32)(translated.cycles / native.cycles),
		       (u32)(translated.cycles * 100 / native.cycles % 100));
		if (!equal(&native, &translated)) {
			printf("bench_translate: %s: results differ\n", benches[n].name);
			failed++;
		}
	}
	printf("bench_translate: %u passed, %u failed\n", (u32)ARRAY_SIZE(benches) - failed,
	       failed);
	return failed != 0;
}
