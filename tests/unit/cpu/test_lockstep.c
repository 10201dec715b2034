// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lockstep with this machine's CPU: random programs, stopped by alarms wherever they are, agree;
 * and what the CPU is made to do wrong is found, at the instruction that it was.
 * test_lockstep [INSTRUCTIONS [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/lockstep/lockstep.h"
#include "cpu/physmem.h"
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support_check.h"
#include "tests/unit/cpu/support_stretch.h"

#define STRETCHES_MAX 10000000u
#define RUNS	      40u /* of one program, with other registers and what memory has become */

static struct program program;

/* To the program's HLT. False: a difference, or no end. */
static bool run_to_end(void)
{
	u32 before = stretch_differs;

	for (u32 n = 0; n < STRETCHES_MAX && stretch_differs == before; n++)
		if (lockstep_run(stretch_lockstep) != LOCKSTEP_ANY)
			return stretch_differs == before;
	return false;
}

#define MAKE(code) stretch_make(&program, code, sizeof(code) - 1)

/* --- what is wrong is found --- */

struct wrong {
	const char *name, *code, *other;
	u32 len, at, other_len;
	const char *found; /* in the report */
};

#define WRONG(name, code, at, other, found)                                                        \
	{                                                                                          \
		name, code, other, sizeof(code) - 1, at, sizeof(other) - 1, found                  \
	}

/* `at`: where the other bytes lie, and the instruction that the report names begins. */
static const struct wrong wrongs[] = {
	WRONG("a register", "\x31\xc0\x40\x40\x40", 2, "\x48",
	      "30000002 (32-bit, CPL 3), bytes 40"),
	WRONG("a flag", "\x31\xc0\xf8\x90", 2, "\xf9", "30000002 (32-bit, CPL 3), bytes f8: clc"),
	WRONG("a jump", "\x31\xc0\x74\x01\x40\x90", 2, "\x75", "bytes 74 01: je"),
	WRONG("memory", "\x31\xc0\xc6\x45\x05\x21\x90", 5, "\x22",
	      "CPU 8cb5223c, interpreter 8cb5213c"),
	WRONG("another place", "\x31\xc0\x88\x45\x05", 4, "\x06", "bytes 88 45 05: mov"),
	WRONG("no store", "\x31\xc0\x83\x45\x05\x01", 5, "\x00", "bytes 83 45 05 01: add"),
	WRONG("a string", "\x8d\x7d\x10\xb9\x09\x00\x00\x00\xb0\x5a\xf3\xaa", 9, "\x5b",
	      "bytes b0 5a: mov"),
};

static void test_wrong(const struct wrong *w)
{
	u32 before = stretch_differs;

	stretch_make(&program, w->code, w->len);
	report(run_to_end(), w->name);
	stretch_make(&program, w->code, w->len);
	stretch_spoil(w->at, w->other, w->other_len);
	report(!run_to_end() && stretch_differs == before + 1 &&
		       strstr(lockstep_report(stretch_lockstep), w->found),
	       w->name);
}

/* What the CPU did alone is taken back: the guest goes on with the interpreter's result. */
static void test_result(void)
{
	MAKE("\x31\xc0\x40\x40\x40");
	stretch_spoil(3, "\x48", 1);
	run_to_end();
	report(stretch_vcpu()->gpr[REG_EAX] == 2 && stretch_vcpu()->eip == PROGRAM_LIN + 4,
	       "the interpreter's result");
}

/* --- what may differ --- */

static void test_undefined(void)
{
	const struct lockstep_stats *s = lockstep_stats(stretch_lockstep);
	u64 undefined = s->undefined, repeated = s->repeated;

	/* and eax, eax leaves AF; the CPU instead: add, which sets it */
	MAKE("\xb8\x0f\x00\x00\x00\x21\xc0\xf4");
	stretch_spoil(5, "\x09", 1);
	report(run_to_end() && s->undefined == undefined && s->repeated == repeated,
	       "OR and AND of the same");
	/* shl eax, 2 for shl eax, 2 by CL: OF is undefined; here its CF is, too */
	MAKE("\xb8\x0f\x00\x00\x00\x66\x0f\xa4\xc0\x11\xf4");
	report(run_to_end(), "SHLD by more than the operand's size");
}

/*
 * mov eax, flags in AH; xor edx, edx; imul edx, ecx: SF, ZF, AF and PF are undefined. The CPU's
 * SAHF for NOP makes others of them; and at CPL 0 stretches are not repeated one by one.
 */
static void test_undefined_at_cpl0(void)
{
	const struct lockstep_stats *s = lockstep_stats(stretch_lockstep);
	u64 undefined = s->undefined, repeated = s->repeated;
	u32 differs = stretch_differs;

	stretch_cpl(0);
	MAKE("\xb8\x00\xd6\x00\x00\x31\xd2\x0f\xaf\xd1\x90\x88\x45\x05");
	stretch_spoil(10, "\x9e", 1);
	report(run_to_end() && s->undefined == undefined + 1 && s->repeated == repeated,
	       "undefined flags at CPL 0");
	/* ... and CF is not */
	MAKE("\xb8\x00\xd7\x00\x00\x31\xd2\x0f\xaf\xd1\x90\x88\x45\x05");
	stretch_spoil(10, "\x9e", 1);
	report(!run_to_end() && stretch_differs == differs + 1, "a defined flag at CPL 0");
	stretch_cpl(3);
}

/*
 * Flags that IMUL leaves undefined, and the CPU's SAHF makes others of, then `code`. defined: CF is
 * another one, too, and it is found.
 */
static void test_doubt(const char *code, u32 len, const char *what)
{
	static const char begin[] = "\xb8\x00\xd6\x00\x00\x31\xd2\x0f\xaf\xd1\x90";
	u32 at = sizeof(begin) - 1, differs = stretch_differs;
	char bytes[sizeof(begin) + 80];

	stretch_cpl(0);
	memcpy(bytes, begin, at);
	memcpy(bytes + at, code, len);
	stretch_make(&program, bytes, at + len);
	stretch_spoil(10, "\x9e", 1);
	report(run_to_end() && stretch_differs == differs, what);
	bytes[2] = '\xd7';
	stretch_make(&program, bytes, at + len);
	stretch_spoil(10, "\x9e", 1);
	report(!run_to_end() && stretch_differs == differs + 1, what);
	stretch_cpl(3);
}

#define DOUBT(code, what) test_doubt(code, sizeof(code) - 1, what)

/* Where kernels keep flags; CMP defines those of the CPU again. */
static void test_doubts(void)
{
	DOUBT("\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
	      "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
	      "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90",
	      "undefined flags after a while");
	DOUBT("\x9c\x39\xc0", "undefined flags in memory");
	DOUBT("\x9c\x39\xc0"
	      "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
	      "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x9d",
	      "undefined flags that come back");
	/* again and again: the first of them are still on the stack in the end */
	DOUBT("\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c"
	      "\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x39\xc0",
	      "undefined flags, pushed often");
	DOUBT("\x9c\x5b\x39\xc0", "undefined flags in a register: pushf; pop ebx");
	DOUBT("\x9c\x5b\x89\xd9\x31\xdb\x39\xc0\x6a\x00\x58", "... moved to another");
	DOUBT("\x9c\x5b\x53\x31\xdb\x39\xc0", "... pushed");
	DOUBT("\x9c\x5b\x89\x5d\x08\x31\xdb\x39\xc0", "... kept in memory: mov [ebp + 8], ebx");
	DOUBT("\x9c\x5b\x89\x5d\x08\x31\xdb\x39\xc0\x8b\x4d\x08\x51\x9d",
	      "... and brought back: mov ecx, [ebp + 8]; push ecx; popf");
}

/* CLI stands for a crossing, which one by one is the interpreter's: what is behind it is repeated.
 */
static void test_behind_crossing(void)
{
	const struct lockstep_stats *s = lockstep_stats(stretch_lockstep);
	u64 not_compared = s->not_compared;
	u32 differs = stretch_differs;

	stretch_cpl(0);
	MAKE("\xfa\x31\xc0\x0f\xa2\x89\x45\x44");
	report(run_to_end() && stretch_differs == differs && s->not_compared == not_compared + 1,
	       "CPUID behind a crossing");
	MAKE("\xfa\x31\xc9\x41");
	stretch_spoil(3, "\x49", 1);
	report(!run_to_end() && strstr(lockstep_report(stretch_lockstep), "bytes 41: inc"),
	       "an instruction behind a crossing");
	stretch_cpl(3);
}

/* They are defined before the stretch ends, and then differ. */
static void test_defined_again(void)
{
	u32 differs = stretch_differs;

	stretch_cpl(0);
	MAKE("\xb8\x00\x02\x00\x00\x31\xd2\x0f\xaf\xd1\x39\xc0\x90\x90");
	stretch_spoil(12, "\x9e", 1);
	report(!run_to_end() && stretch_differs == differs + 1, "flags that CMP has defined");
	stretch_cpl(3);
}

/*
 * The interpreter passes the place with other undefined flags, and from there on writes to page
 * after page: what it has used up then is there again for the way by single steps.
 */
static void test_undefined_before_stores(void)
{
	u32 differs = stretch_differs, far = ~0u;

	stretch_cpl(0);
	MAKE("\xb8\x00\xd6\x00\x00\x31\xd2\x0f\xaf\xd1\x90" /* as above */
	     "\xbf\x00\x00\x00\x20\x89\x07\x81\xc7\x00\x10\x00\x00\xeb\xf6");
	stretch_spoil(10, "\x9e", 1);
	stretch_traps = 4;
	report(lockstep_run(stretch_lockstep) == LOCKSTEP_ANY && stretch_differs == differs &&
		       stretch_vcpu()->eip == PROGRAM_LIN + 11,
	       "a way that was lost");
	physmem_read(stretch_vcpu()->mem, FAR_LIN, &far, 4);
	report(far == 0, "and what it has written");
	stretch_traps = 0;
	stretch_cpl(3);
}

/*
 * mov [x], eax's value; cmpxchg8b [x], which sets ZF and, on some hosts, spoils the others. The
 * CPU's SAHF for NOP does so.
 */
static void test_cmpxchg8b_flags(void)
{
	u32 differs = stretch_differs;

	stretch_cpl(0);
	MAKE("\xc7\x45\x05\x00\x40\x00\x00\xc7\x45\x09\x00\x00\x00\x00"
	     "\xb8\x00\x40\x00\x00\x31\xd2\x0f\xc7\x4d\x05\x90");
	stretch_spoil(25, "\x9e", 1);
	report(run_to_end() && stretch_differs == differs, "CMPXCHG8B's other flags");
	/* ... and ZF is as it should be */
	MAKE("\xc7\x45\x05\x00\x05\x00\x00\xc7\x45\x09\x00\x00\x00\x00"
	     "\xb8\x00\x05\x00\x00\x31\xd2\x0f\xc7\x4d\x05\x90");
	stretch_spoil(25, "\x9e", 1);
	report(!run_to_end() && stretch_differs == differs + 1, "CMPXCHG8B's ZF");
	stretch_cpl(3);
}

/* As translated code that was stopped within PUSHF: nop, nop; the CPU's push eax, pop eax instead.
 */
static void test_below_stack(void)
{
	u32 differs = stretch_differs;

	stretch_cpl(0);
	MAKE("\x90\x90\x9c");
	stretch_spoil(0, "\x50\x58", 2);
	stretch_traps = 2;
	report(lockstep_run(stretch_lockstep) == LOCKSTEP_ANY && stretch_differs == differs,
	       "below the stack, before PUSHF");
	/* two pushes, on a stack that is not aligned */
	MAKE("\x4c\x90\x90\x90\x90\xc8\x10\x00\x02");
	stretch_spoil(1, "\x50\x50\x58\x58", 4);
	stretch_traps = 5;
	report(lockstep_run(stretch_lockstep) == LOCKSTEP_ANY && stretch_differs == differs,
	       "below the stack, before ENTER");
	MAKE("\x90\x90\x90");
	stretch_spoil(0, "\x50\x58", 2);
	stretch_traps = 2;
	lockstep_run(stretch_lockstep);
	report(stretch_differs == differs + 1, "below the stack, before NOP");
	stretch_traps = 0;
	stretch_cpl(3);
}

static void test_cpuid(void)
{
	const struct lockstep_stats *s = lockstep_stats(stretch_lockstep);
	u64 not_compared = s->not_compared;

	MAKE("\x31\xc0\x0f\xa2\x40");
	report(run_to_end() && s->not_compared == not_compared + 1, "CPUID is not compared");
	report(stretch_vcpu()->eip == PROGRAM_LIN + 5, "and the guest goes on behind it");
}

/* --- stops --- */

/* After each number of instructions; a string instruction counts each element. */
static void test_stops(void)
{
	for (u32 traps = 1; traps < 60; traps++) {
		MAKE("\xfc\x8d\x75\x10\x8d\x7d\x11\xb9\x13\x00\x00\x00\xf3\xa4" /* rep movsb */
		     "\xfd\x8d\x7d\x40\xb9\x05\x00\x00\x00\xf3\x66\xab" /* down: rep stosw */
		     "\xfc\x8d\x75\x10\x8d\x7d\x11\xb9\x09\x00\x00\x00\xf3\xa6" /* repe cmpsb */
		     "\x8d\x75\x10\xb9\x03\x00\x00\x00\xf3\xad"			/* rep lodsd */
		     "\xb9\x04\x00\x00\x00\xff\x45\x20\xe2\xfb");		/* a loop */
		stretch_traps = traps;
		report(run_to_end(), "a stop between two elements");
	}
	stretch_traps = 0;
}

/* Elements that differ end the instruction; they are made the same, and the rest is compared. */
static void test_stops_behind_mismatches(void)
{
	const struct lockstep_stats *s = lockstep_stats(stretch_lockstep);
	u64 repeated = s->repeated, undefined = s->undefined;
	u32 differs = stretch_differs;

	stretch_cpl(0); /* stretches are not divided */
	for (u32 traps = 30; traps < 56; traps++) {
		MAKE("\xfc\x8d\x75\x10\x8d\x7d\x30\xb9\x13\x00\x00\x00\xf3\xa4" /* rep movsb */
		     "\x80\x75\x34\xff\x80\x75\x38\xff"		    /* two bytes of it */
		     "\x8d\x75\x10\x8d\x7d\x30\xb9\x13\x00\x00\x00" /* again: */
		     "\xf3\xa6\x74\x0a"				    /* repe cmpsb; je */
		     "\xf6\x57\xff\x90\x90\x90"			    /* not byte [edi - 1] */
		     "\xe3\x02\xeb\xf2");			    /* jecxz; jmp to repe cmpsb */
		stretch_traps = traps;
		report(lockstep_run(stretch_lockstep) == LOCKSTEP_ANY &&
			       stretch_differs == differs && s->repeated == repeated &&
			       s->undefined == undefined,
		       "a stop between two elements, behind some that differ");
	}
	stretch_traps = 0;
	stretch_cpl(3);
}

static void store_is_due(void *ctx, u32 gpa, u32 len)
{
	(void)ctx, (void)gpa, (void)len;
	vcpu_event_set(stretch_vcpu(), VCPU_EV_HOST);
}

/* Something is due for the run loop at each element that the interpreter stores. */
static void test_stops_while_due(void)
{
	struct physmem *mem = stretch_vcpu()->mem;
	u8 *flags = &mem->page_flags[MEMORY_BASE >> PAGE_SHIFT];
	u32 traps = 12, differs = stretch_differs;
	u64 repeated = lockstep_stats(stretch_lockstep)->repeated;

	mem->translated_written = store_is_due;
	MAKE("\xfc\x8d\x7d\x11\xb9\x13\x00\x00\x00\xf3\xaa"); /* rep stosb */
	stretch_traps = traps;
	*flags |= PHYS_PAGE_TRANSLATED;
	report(lockstep_run(stretch_lockstep) == LOCKSTEP_ANY &&
		       stretch_vcpu()->gpr[REG_ECX] == 0x13 - (traps - 3) &&
		       lockstep_stats(stretch_lockstep)->repeated == repeated &&
		       stretch_differs == differs,
	       "a stop between two elements while something is due");
	*flags &= (u8)~PHYS_PAGE_TRANSLATED;
	vcpu_event_clear(stretch_vcpu(), VCPU_EV_HOST);
	stretch_traps = 0;
}

/* Registers agree at each pass, memory at the last one only. */
static void test_same_registers(void)
{
	MAKE("\x31\xc9\x83\x45\x20\x02\x31\xc0\xeb\xf8");
	stretch_traps = 41;
	for (u32 n = 0; n < 20; n++)
		lockstep_run(stretch_lockstep);
	report(stretch_differs == 0 || !strstr(lockstep_report(stretch_lockstep), "eb f8"),
	       "a loop that shows in memory only");
	stretch_traps = 0;
}

/* mov eax, [x]; cmp eax, eax; je mov: before the first pass the flags are others. */
static void test_same_but_flags(void)
{
	const struct lockstep_stats *s = lockstep_stats(stretch_lockstep);
	u64 repeated = s->repeated, insns = s->insns;

	MAKE("\xf9\x8b\x45\x05\x3b\xc0\x74\xf9");
	stretch_traps = 4;
	lockstep_run(stretch_lockstep);
	report(s->repeated == repeated && s->insns == insns + 4, "a loop that shows in flags only");
	stretch_traps = 0;
}

/* --- random programs --- */

static void random_programs(u64 insns, u32 seed)
{
	const struct lockstep_stats *s = lockstep_stats(stretch_lockstep);
	u64 end = s->insns + insns;

	stretch_flaw = (struct stretch_flaw){0};
	for (; s->insns < end; seed++) {
		program_make(&program, seed, PROGRAM_USER, 0);
		stretch_load(&program);
		stretch_alarms(50 + seed % 1000);
		for (u32 n = 0; n < RUNS; n++) {
			stretch_restart(seed + n);
			report(run_to_end(), "a random program");
			if (checks_failed() > 10)
				return;
		}
	}
	stretch_alarms(0);
}

int main(int argc, char **argv)
{
	u64 insns = argc > 1 ? strtoull(argv[1], NULL, 0) : 2000000;
	u32 seed = argc > 2 ? (u32)strtoul(argv[2], NULL, 0) : 1;
	const struct lockstep_stats *s;

	stretch_init();
	s = lockstep_stats(stretch_lockstep);
	test_same_registers();
	test_same_but_flags();
	for (unsigned i = 0; i < ARRAY_SIZE(wrongs); i++)
		test_wrong(&wrongs[i]);
	test_result();
	test_undefined();
	test_undefined_at_cpl0();
	test_doubts();
	test_behind_crossing();
	test_defined_again();
	test_undefined_before_stores();
	test_cmpxchg8b_flags();
	test_below_stack();
	test_cpuid();
	test_stops();
	test_stops_behind_mismatches();
	test_stops_while_due();
	random_programs(insns, seed);
	printf("test_lockstep: %llu instructions in %llu stretches, %llu one by one, %llu not "
	       "compared, %llu with undefined flags\n",
	       (unsigned long long)s->insns, (unsigned long long)s->stretches,
	       (unsigned long long)s->singles, (unsigned long long)s->not_compared,
	       (unsigned long long)s->undefined);
	return check_done();
}
