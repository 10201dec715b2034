// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random programs, translated and run on this CPU, against the interpreter and against themselves
 * untranslated; the guest's state at each native instruction, at faults, and after code has
 * changed. test_translate [INSTRUCTIONS [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/translate/private.h"
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support_check.h"
#include "tests/unit/cpu/support_translate.h"

#define CODE_BYTES   (128u * KB) /* small: it fills up now and then */
#define STEPS_MAX    50000000u
#define FAILURES_MAX 10u

static struct program program;

static void say_seed(void)
{
	printf("\tdiffers; seed %u\n", program.seed);
}

static void begin(struct translate_regs *r)
{
	machine_load(&program);
	machine_start(r, program_eip(&program));
}

static bool ends_alike(const struct translate_regs *r)
{
	return reference_run(program.end, STEPS_MAX) && reference_equals(r, true) &&
	       reference_memory_equals();
}

static void run_translated(bool chain)
{
	struct translate_regs r;

	begin(&r);
	report(machine_translated(&r, chain) == RUN_HLT && ends_alike(&r),
	       chain ? "translated and linked" : "translated");
}

static void run_stepped(void)
{
	struct translate_regs r;

	begin(&r);
	report(machine_stepped(&r) && ends_alike(&r), "state at each native instruction");
}

static void run_untranslated(void)
{
	struct translate_regs r;

	begin(&r);
	machine_untranslated(&r, program.end);
	report(ends_alike(&r), "untranslated");
}

/* An interrupt that waits: POPF and STI leave translated code. */
static void run_pending(void)
{
	machine_state->pending = 1;
	run_translated(true);
	machine_state->pending = 0;
}

/* Code and stack of either size; most of the time 32-bit code in flat segments. */
#define MODES 8u

static void make_program(u32 seed, enum program_kind kind, u32 which)
{
	if (which < 2)
		program_make16(&program, seed, kind, which ? TRANSLATE_STACK16 : 0);
	else if (which == 2)
		program_make16(&program, seed, kind, TRANSLATE_STACK16);
	else if (which == 3)
		program_make(&program, seed, kind, PROGRAM_SEGMENTS | TRANSLATE_STACK16);
	else
		program_make(&program, seed, kind, which == 4 ? PROGRAM_SEGMENTS : 0);
}

/* So many instructions, as the interpreter counts them. */
static void random_programs(u64 insns, u32 seed)
{
	for (u32 n = 0; reference_insns() < insns && checks_failed() < FAILURES_MAX; n++) {
		bool stepped = n % 9 < 2;
		enum program_kind kind = !(n & 1)  ? PROGRAM_USER
					 : stepped ? PROGRAM_SYSTEM
						   : PROGRAM_SYSTEM_ID;

		make_program(seed + n, kind, n / 2 % MODES);
		run_translated(true);
		run_translated(false);
		if (kind != PROGRAM_USER)
			run_pending();
		else if (program.mode == 0) /* its code runs in the CPU's code segment */
			run_untranslated();
		if (stepped)
			run_stepped();
	}
}

/* --- faults --- */

struct fault_case {
	const char *name, *code;
	u32 len; /* of the code; its last instruction is the one that faults */
	u32 at;	 /* its offset */
};

#define CASE(name, code, at)                                                                       \
	{                                                                                          \
		name, code, sizeof(code) - 1, at                                                   \
	}

/* MEMORY_LIN + MEMORY_SIZE is 30108000h: nothing is there. */
static const struct fault_case faults[] = {
	CASE("mov", "\x40\x8b\x0d\x00\x80\x20\x30", 1),
	CASE("add to memory", "\xf9\x11\x0d\x00\x80\x20\x30", 1),
	CASE("push", "\xbc\x00\x80\x20\x30\x50", 5),
	CASE("pop", "\xbc\x00\x80\x20\x30\x58", 5),
	CASE("pushf", "\xbc\x00\x80\x20\x30\xf9\x9c", 6),
	CASE("popf", "\xbc\x00\x80\x20\x30\xf9\x9d", 6),
	CASE("ret", "\xbc\x00\x80\x20\x30\xf9\xc3", 6),
	CASE("call", "\xbc\x00\x80\x20\x30\xf9\xe8\x00\x00\x00\x00", 6),
	CASE("call eax", "\xbc\x00\x80\x20\x30\x31\xc0\xff\xd0", 7),
	CASE("call [mem]", "\xf9\xff\x15\x00\x80\x20\x30", 1),
	CASE("jmp [mem]", "\xf9\xff\x25\x00\x80\x20\x30", 1),
	CASE("jmp [ecx + n]", "\x31\xc9\xff\xa1\x00\x80\x20\x30", 2),
	CASE("divide error", "\x31\xc9\xf7\xf1", 2),
	CASE("after sti", "\xfa\xfb\xa1\x00\x80\x20\x30", 2),
	CASE("ret after sti", "\xbc\x00\x80\x20\x30\xfa\xfb\xc3", 7),
	CASE("pop ds after sti", "\xbc\x00\x80\x20\x30\xfa\xfb\x1f", 7),
	CASE("pushf after sti", "\xbc\x00\x80\x20\x30\xfa\xfb\x9c", 7),
	CASE("call [mem] after sti", "\xfa\xfb\xff\x15\x00\x80\x20\x30", 2),
	CASE("the second after sti", "\xfa\xfb\x90\xa1\x00\x80\x20\x30", 3),
	CASE("after cli", "\xfa\xa1\x00\x80\x20\x30", 1),
	CASE("after a call", "\xe8\x01\x00\x00\x00\xf4\xa1\x00\x80\x20\x30", 6),
};

/* Whether the one that faults follows STI. */
static bool at_sti(const struct fault_case *f)
{
	return f->at && (u8)f->code[f->at - 1] == 0xfb;
}

static void test_fault(const struct fault_case *f)
{
	struct translate_regs r;
	enum run_end end;

	memset(&program, 0, sizeof(program));
	memcpy(program.code, f->code, f->len);
	begin(&r);
	end = machine_translated(&r, true);
	report(reference_run(PROGRAM_LIN + f->at, 20) && reference_equals(&r, true), f->name);
	report(end == RUN_FAULT && r.shadow == at_sti(f), f->name);
}

/* A string instruction is stopped between two elements. */
static void test_string_fault(void)
{
	/* mov edi, end - 4; mov ecx, 3; rep stosb... over the end of memory */
	static const u8 code[] = {0xbf, 0xfd, 0x7f, 0x10, 0x30, 0xb9, 9, 0, 0, 0, 0xf3, 0xaa};
	struct translate_regs r;

	memset(&program, 0, sizeof(program));
	memcpy(program.code, code, sizeof(code));
	begin(&r);
	report(machine_translated(&r, true) == RUN_FAULT && r.eip == PROGRAM_LIN + 10 &&
		       r.gpr[REG_ECX] == 6 && r.gpr[REG_EDI] == MEMORY_LIN + MEMORY_SIZE,
	       "a string instruction's fault");
}

/* --- code that changes --- */

/* main: call f; call f; hlt; f in the next page: mov eax, n; ret */
static void make_two_pages(void)
{
	static const u8 code[] = {0xe8, 0xfb, 0x0f, 0, 0, 0xe8, 0xf6, 0x0f, 0, 0, 0xf4};
	static const u8 function[] = {0xb8, 1, 0, 0, 0, 0xc3};

	memset(&program, 0, sizeof(program));
	memcpy(program.code, code, sizeof(code));
	memcpy(program.code + PAGE_SIZE, function, sizeof(function));
	program.end = PROGRAM_LIN + 10;
}

static void test_changed_page(void)
{
	struct translate_regs r;
	u8 *imm = (u8 *)(uintptr_t)(PROGRAM_LIN + PAGE_SIZE + 1);

	make_two_pages();
	begin(&r);
	machine_translated(&r, true);
	report(r.gpr[REG_EAX] == 1, "the first function");
	for (u8 n = 2; n < 10; n++) {
		u64 dropped = translate_stats(machine_translator)->dropped;

		*imm = n;
		report(translate_drop_page(machine_translator, PROGRAM_LIN + PAGE_SIZE) &&
			       translate_stats(machine_translator)->dropped > dropped &&
			       !translate_drop_page(machine_translator, PROGRAM_LIN + PAGE_SIZE),
		       "the count of dropped units");
		machine_start(&r, PROGRAM_LIN);
		machine_translated(&r, true);
		report(r.gpr[REG_EAX] == n, "changed code");
	}
}

static u64 exits_of_run(u32 eip, struct translate_regs *r)
{
	u64 before = machine_exits;

	machine_start(r, eip);
	machine_translated(r, true);
	return machine_exits - before;
}

/* An instruction on two pages, of which either may change or lie elsewhere. */
static void test_across(void)
{
	static const u8 code[] = {0x43, 0xb8, 1, 1, 0, 1, 0xf4}; /* inc ebx; mov eax, n; hlt */
	u32 start = PROGRAM_LIN + PAGE_SIZE - 3, second = PROGRAM_LIN + PAGE_SIZE;
	struct translate_regs r;
	u64 linked;

	memset(&program, 0, sizeof(program));
	memcpy(program.code + PAGE_SIZE - 3, code, sizeof(code));
	begin(&r);
	for (u8 n = 0; n < 8; n++) {
		*(u8 *)(uintptr_t)(second + 1) = n;
		machine_start(&r, start);
		machine_translated(&r, true);
		report(r.gpr[REG_EAX] == (0x01000101u | (u32)n << 16),
		       "an instruction on two pages");
		report(translate_drop_page(machine_translator, second), "the page it ends in");
	}
	exits_of_run(start, &r);
	exits_of_run(start, &r);
	linked = exits_of_run(start, &r);
	translate_drop_links(machine_translator);
	report(exits_of_run(start, &r) > linked, "the way to it");
	report(translate_drop_page(machine_translator, PROGRAM_LIN) &&
		       !translate_find_across(machine_translator, start + 1, start + 1, second),
	       "the page it begins in");
}

/*
 * Functions with data between them: mov eax, a; add eax, b; jmp end; 6 bytes. They lie over the end
 * of a page, with an instruction of one of them across it.
 */
#define FUNCTIONS	300u
#define FUNCTION_SIZE	21u
#define FUNCTION_IMM(n) (1 + (n)*5)
#define FUNCTION_CODE	15u
#define FUNCTION_ACROSS 195u
#define FUNCTION_AT(n)	(PROGRAM_LIN + PAGE_SIZE + (n)*FUNCTION_SIZE)

static void make_functions(void)
{
	memset(&program, 0, sizeof(program));
	program.code[0] = 0xf4;
	program.end = PROGRAM_LIN;
	for (u32 n = 0; n < FUNCTIONS; n++) {
		u8 *f = program.code + (FUNCTION_AT(n) - PROGRAM_LIN);
		u32 back = PROGRAM_LIN - (FUNCTION_AT(n) + FUNCTION_CODE);

		f[0] = 0xb8;
		f[5] = 0x05;
		f[10] = 0xe9;
		memcpy(f + 11, &back, 4);
	}
}

/* Bytes of guest code change; what translate_drop_range() says of the pages that they are in. */
static bool change(u32 lin, u32 len)
{
	u32 room = PAGE_SIZE - (lin & ~PAGE_MASK), first = len < room ? len : room;
	bool dropped = translate_drop_range(machine_translator, lin, first);

	for (u32 i = 0; i < len; i++)
		((u8 *)(uintptr_t)lin)[i] = (u8)rand();
	if (first < len)
		dropped |= translate_drop_range(machine_translator, lin + first, len - first);
	return dropped;
}

static void run_function(u32 n)
{
	struct translate_regs r;
	u32 a, b;

	memcpy(&a, (u8 *)(uintptr_t)FUNCTION_AT(n) + FUNCTION_IMM(0), 4);
	memcpy(&b, (u8 *)(uintptr_t)FUNCTION_AT(n) + FUNCTION_IMM(1), 4);
	machine_start(&r, FUNCTION_AT(n));
	machine_translated(&r, true);
	report(r.gpr[REG_EAX] == a + b, "code of which bytes have changed");
}

/* Stores to code drop what they hit, and nothing else. */
static void test_changed_bytes(void)
{
	struct translate_regs r;

	srand(5);
	make_functions();
	begin(&r);
	for (u32 n = 0; n < FUNCTIONS; n++)
		run_function(n);
	for (u32 turn = 0; turn < 5000; turn++) {
		u32 n = (u32)rand() % FUNCTIONS, first = (u32)rand() % 4;
		u32 imm = FUNCTION_AT(n) + FUNCTION_IMM((u32)rand() % 2);

		run_function(n);
		/* An instruction on two pages rests on all that it may have in the second. */
		report(n == FUNCTION_ACROSS ||
			       !change(FUNCTION_AT(n) + FUNCTION_CODE + first, 6 - first),
		       "bytes beside code");
		report(change(imm + first, 1 + (u32)rand() % (4 - first)), "bytes of code");
		run_function(n);
	}
	report(translate_drop_range(machine_translator, PROGRAM_LIN + PAGE_SIZE, PAGE_SIZE) &&
		       !translate_in_page(machine_translator, PROGRAM_LIN + PAGE_SIZE) &&
		       translate_in_page(machine_translator, PROGRAM_LIN + 2 * PAGE_SIZE),
	       "what is left in pages");
}

/* A store that keeps faulting becomes a call, and a store again when it has been quiet for long. */
static void test_faulting(void)
{
	static const u8 code[] = {0x40, 0x89, 0x45, 0x08, 0x43, 0xf4}; /* mov [ebp + 8], eax */
	struct translate_regs r;
	u64 plain, calls;
	u32 n = 0;

	memset(&program, 0, sizeof(program));
	memcpy(program.code, code, sizeof(code));
	program.end = PROGRAM_LIN + 5;
	begin(&r);
	machine_translated(&r, true);
	plain = exits_of_run(PROGRAM_LIN, &r);
	while (!translate_faulted(
		machine_translator,
		translate_entry(translate_find(machine_translator, PROGRAM_LIN, PROGRAM_LIN)) + 1,
		PROGRAM_LIN + 1))
		n++;
	report(n > 0 && n < 10, "how often it may fault");
	report(!translate_find(machine_translator, PROGRAM_LIN, PROGRAM_LIN), "its unit");
	calls = machine_calls;
	exits_of_run(PROGRAM_LIN, &r);
	report(machine_calls == calls + 1 && ends_alike(&r), "a store as a call");
	for (n = 0; n < 1000 && machine_calls == calls + 1 + n; n++)
		exits_of_run(PROGRAM_LIN, &r);
	report(n > 10 && n < 1000, "when it is a store again");
	report(exits_of_run(PROGRAM_LIN, &r) == plain && ends_alike(&r), "the store then");
}

/* Once all is linked, only the end leaves translated code; without links across pages more does. */
static void test_links(void)
{
	struct translate_regs r;
	u64 before, linked, unlinked;

	make_two_pages();
	begin(&r);
	for (u32 n = 0; n < 4; n++) {
		machine_start(&r, PROGRAM_LIN);
		machine_translated(&r, true);
	}
	before = machine_exits;
	machine_start(&r, PROGRAM_LIN);
	machine_translated(&r, true);
	linked = machine_exits - before;
	report(linked == 1, "the number of exits of linked code");
	translate_drop_links(machine_translator);
	before = machine_exits;
	machine_start(&r, PROGRAM_LIN);
	machine_translated(&r, true);
	unlinked = machine_exits - before;
	report(unlinked > linked, "the number of exits without links");
}

/* An interrupt came after the exit: what runs next is not what the exit leads to. */
static void test_other_unit(void)
{
	struct translate_regs r;
	struct translate_unit *other;
	u32 eip = PROGRAM_LIN + 10;
	u64 links;

	make_two_pages();
	begin(&r);
	machine_leave_once(&r);
	report(r.eip == PROGRAM_LIN + PAGE_SIZE, "where the first call leads");
	other = translate_make(machine_translator, eip, eip, (const u8 *)PROGRAM_LIN);
	links = translate_stats(machine_translator)->links;
	translate_connect(machine_translator, other);
	report(translate_stats(machine_translator)->links == links, "a link to another EIP");
	report(machine_translated(&r, true) == RUN_HLT && r.gpr[REG_EAX] == 1, "the call then");
}

/* --- 16-bit code --- */

static void begin16(struct translate_regs *r, const void *code, u32 len, u32 end)
{
	memset(&program, 0, sizeof(program));
	program.mode = TRANSLATE_CODE16 | TRANSLATE_STACK16 | PROGRAM_SEGMENTS;
	memcpy(program.code, code, len);
	program.code[end] = 0xf4;
	program.end = end;
	begin(r);
}

/* push 10h; ret 9000h: over the end of 64 KB, with something in ESP's upper half. */
static void test_stack_wraps(void)
{
	static const u8 code[] = {0x68, 0x10, 0, 0xc2, 0, 0x90};
	struct translate_regs r;

	begin16(&r, code, sizeof(code), 0x10);
	report(machine_translated(&r, true) == RUN_HLT && ends_alike(&r) &&
		       r.gpr[REG_ESP] == 0x5a5a0fc0,
	       "SP over the end of its segment");
}

/* Where it leads is outside of the segment: it is not carried out. Or it is inside. */
static void test_leaves_segment(const char *name, const void *code, u32 len, u32 eip)
{
	struct translate_regs r;

	begin16(&r, code, len, 0x20);
	report(machine_left(&r) == (eip == 0x20 ? TRANSLATE_GO_ON : TRANSLATE_INTERPRET) &&
		       r.eip == eip,
	       name);
}

static void test_segment_end(void)
{
	test_leaves_segment("a return of 32 bits", "\x66\x68\x20\0\0\0\x66\xc3", 8, 0x20);
	test_leaves_segment("a return to 10020h", "\x66\x68\x20\0\1\0\x66\xc3", 8, 6);
	test_leaves_segment("a call of 32 bits", "\x66\xb8\x20\0\0\0\x66\xff\xd0", 9, 0x20);
	test_leaves_segment("a call of 10020h", "\x66\xb8\x20\0\1\0\x66\xff\xd0", 9, 6);
	test_leaves_segment("a jump to 10020h", "\x90\x66\xe9\x19\0\1\0", 7, 1);
	test_leaves_segment("a jump that is cut to 20h", "\x90\xe9\x1c\0", 4, 0x20);
}

/* 32-bit code in a segment of 64 KB: with the last target there, and with one behind it. */
static void test_leaves_segment32(const char *name, const void *code, u32 len, u32 at)
{
	struct translate_regs r;
	u32 target;

	for (u32 n = 0; n < 4; n++) {
		memset(&program, 0, sizeof(program));
		program.mode = PROGRAM_SEGMENTS;
		memcpy(program.code, code, len);
		target = n == 0 ? 0x20 : n == 1 ? 0x10000 : n == 2 ? 0x7fffffff : 0x80000000;
		memcpy(program.code + 1, &target, 4);
		program.code[0x20] = 0xf4;
		begin(&r);
		if (n == 0) {
			program.end = 0x20;
			report(machine_translated(&r, true) == RUN_HLT && ends_alike(&r), name);
			continue;
		}
		machine_leave_once(&r);
		report(reference_run(at, 5) && reference_equals(&r, true), name);
	}
}

static void test_segment_end32(void)
{
	test_leaves_segment32("a return in 64 KB", "\x68\0\0\0\0\xf9\xc3", 7, 6);
	test_leaves_segment32("a return that drops, in 64 KB", "\x68\0\0\0\0\xf9\xc2\x08\0", 9, 6);
	test_leaves_segment32("a jump to EBX in 64 KB", "\xbb\0\0\0\0\xf9\xff\xe3", 8, 6);
	test_leaves_segment32("a jump to ECX in 64 KB", "\xb9\0\0\0\0\xf9\xff\xe1", 8, 6);
	test_leaves_segment32("a call of EAX in 64 KB", "\xb8\0\0\0\0\xf9\xff\xd0", 8, 6);
}

/* The same bytes at the same place, as code of either size and in more segments than are kept. */
static void test_contexts(void)
{
	static const u8 code[] = {0xb8, 0x34, 0x12, 0xf4, 0x90, 0xf4};
	struct translate_context c = {.base = PROGRAM_LIN, .mode = TRANSLATE_CODE16};
	struct translate_regs r;

	for (u32 n = 0; n < 3 * CONTEXTS; n++) {
		begin16(&r, code, sizeof(code), 3);
		machine_translated(&r, true);
		report((r.gpr[REG_EAX] & 0xffff) == 0x1234 && r.eip == 3, "16-bit code");
		c.limit = 0xffff + n;
		report(!translate_context(machine_translator, &c) &&
			       !translate_find(machine_translator, 0, PROGRAM_LIN),
		       "code of another segment");
		program.mode = 0;
		begin(&r);
		machine_translated(&r, true);
		report(r.gpr[REG_EAX] == 0x90f41234 && r.eip == PROGRAM_LIN + 5, "32-bit code");
	}
}

/* --- a state that the guest has written over --- */

/*
 * The number of the exit that was taken, instead of the one that was: whatever it is, what comes of
 * it is an exit that there is. The first one's EIP is the state's target.
 */
static void test_scribbled_exit(void)
{
	static const u32 numbers[] = {0, 64, 4096, 0x100000, 0x7fffffff, 0xf0000000};
	struct translate_regs r;
	bool there = true;
	u32 exits;

	make_two_pages();
	begin(&r);
	machine_leave_once(&r);
	exits = machine_translator->exits;
	for (u32 n = 0; n < ARRAY_SIZE(numbers) && there; n++) {
		machine_start(&r, PROGRAM_LIN);
		machine_state->exit = exits + numbers[n];
		machine_state->target = 0x12345000 + n;
		there = translate_left(machine_translator, &r) == TRANSLATE_GO_ON &&
			r.eip == 0x12345000 + n;
		report(there, "an exit that there is not");
		translate_connect(machine_translator,
				  translate_find(machine_translator, PROGRAM_LIN, PROGRAM_LIN));
	}
	machine_start(&r, PROGRAM_LIN);
	report(machine_translated(&r, true) == RUN_HLT && r.gpr[REG_EAX] == 1, "the program then");
}

/* Native code that such a guest has jumped to: none of the translator's, and nothing is changed. */
static void test_stopped_elsewhere(void)
{
	const u8 *code = machine_translator->host.code, *next = machine_translator->next;
	const void *const places[] = {NULL,	     code - 1,
				      next,	     code + CODE_BYTES,
				      machine_state, (void *)(uintptr_t)PROGRAM_LIN,
				      (void *)~0u};
	struct translate_regs r, before;

	for (u32 n = 0; n < ARRAY_SIZE(places); n++) {
		machine_start(&r, (u32)(uintptr_t)places[n]);
		before = r;
		report(!translate_stopped(machine_translator, &r) &&
			       !memcmp(&r, &before, sizeof(r)),
		       "a stop where nothing is translated");
	}
}

/* --- code that makes the largest units --- */

/* What a unit may take is what room is looked for: more would run over the translator's arrays. */
static void test_largest(const char *name, const void *code, u32 len)
{
	static u8 page[PAGE_SIZE];
	const struct translate_unit *u;

	for (u32 i = 0; i < PAGE_SIZE; i++)
		page[i] = ((const u8 *)code)[i % len];
	translate_flush(machine_translator);
	u = translate_make(machine_translator, MB, MB, page);
	report(u->exits <= UNIT_EXITS_MAX && u->points <= UNIT_POINTS_MAX &&
		       u->size <= UNIT_CODE_MAX,
	       name);
}

static void test_largest_units(void)
{
	test_largest("room for loads of DS", "\x8e\xd8", 2);
	test_largest("room for loads of DS from memory", "\x8e\x9c\x98\x00\x10\x00\x00", 7);
	test_largest("room for pops of DS", "\x1f", 1);
	test_largest("room for POPF", "\x9d", 1);
	test_largest("room for PUSHF", "\x9c", 1);
	test_largest("room for STI and NOP", "\xfb\x90", 2);
	test_largest("room for calls", "\xe8\x00\x10\x00\x00", 5);
	test_largest("room for indirect calls", "\xff\x94\x98\x00\x10\x00\x00", 7);
	test_largest("room for LOOP", "\xe2\x00", 2);
	test_largest("room for IN", "\xec", 1);
	test_largest("room for OUT", "\xe6\x80", 2);
}

int main(int argc, char **argv)
{
	u64 insns = argc > 1 ? strtoull(argv[1], NULL, 0) : 200000;
	u32 seed = argc > 2 ? (u32)strtoul(argv[2], NULL, 0) : 1;
	const struct translate_stats *stats;

	report_more = say_seed;
	machine_init(CODE_BYTES);
	for (u32 n = 0; n < ARRAY_SIZE(faults); n++)
		test_fault(&faults[n]);
	test_string_fault();
	test_changed_page();
	test_links();
	test_other_unit();
	test_across();
	test_changed_bytes();
	test_faulting();
	test_stack_wraps();
	test_segment_end();
	test_segment_end32();
	test_contexts();
	test_scribbled_exit();
	test_stopped_elsewhere();
	test_largest_units();
	random_programs(insns, seed);
	stats = translate_stats(machine_translator);
	report(machine_crossing > 100, "the number of instructions on two pages");
	report(machine_calls > 1000, "the number of instructions that code goes on behind");
	printf("test_translate: %llu instructions compared; %llu units of %llu instructions, %llu "
	       "links, %llu flushes, %llu calls\n",
	       (unsigned long long)reference_insns(), (unsigned long long)stats->units,
	       (unsigned long long)stats->insns, (unsigned long long)stats->links,
	       (unsigned long long)stats->flushes, (unsigned long long)machine_calls);
	return check_done();
}
