// SPDX-License-Identifier: BSD-2-Clause
/* Port accesses within stretches: devices are asked once, whatever is repeated. */
#include <string.h>
#include "cpu/engine.h"
#include "cpu/lockstep/lockstep.h"
#include "cpu/physmem.h"
#include "tests/unit/cpu/support_check.h"
#include "tests/unit/cpu/support_stretch.h"

#define TURNS_MAX 1000u

static struct program program;

/* --- a device: each answer is another one, and it notes what it was told --- */

static u32 asked, told[8], told_count;
static bool writes; /* port 61h: to memory, too */

static bool in(void *ctx, u16 port, unsigned width, u32 *value)
{
	u32 other = 0x5a;

	(void)ctx, (void)width;
	*value = ++asked;
	if (writes && port == 0x61)
		physmem_write(stretch_vcpu()->mem, MEMORY_BASE + 0x40, &other, 1);
	return true;
}

static bool out(void *ctx, u16 port, unsigned width, u32 value)
{
	(void)ctx, (void)port, (void)width;
	told[told_count++ % ARRAY_SIZE(told)] = value;
	return true;
}

static const struct vcpu_ops device = {.in = in, .out = out};

/* --- */

static u8 memory(u32 off)
{
	u8 byte;

	physmem_read(stretch_vcpu()->mem, MEMORY_BASE + off, &byte, 1);
	return byte;
}

#define MAKE(code) stretch_make(&program, code, sizeof(code) - 1)

/* To the program's HLT, as the direct engine goes on. False: a difference, or no end. */
static bool run_to_end(void)
{
	struct vcpu *v = stretch_vcpu();
	u32 before = stretch_differs;

	stretch_restart(1);
	v->gpr[REG_EAX] = 0;
	for (u32 n = 0; n < TURNS_MAX && stretch_differs == before; n++)
		if (lockstep_run(stretch_lockstep) == LOCKSTEP_STEP &&
		    interp_engine.step(v) == EXIT_HLT)
			return stretch_differs == before;
	return false;
}

static u64 in_stretches(void)
{
	return lockstep_stats(stretch_lockstep)->ports;
}

/* mov edx, 60h; in al, dx; mov [+40h], al; in al, dx; mov [+41h], al; out dx, al */
#define TWICE "\xba\x60\x00\x00\x00\xec\x88\x45\x40\xec\x88\x45\x41\xee"

/* Of a port that is not known yet nothing may be asked in a stretch; afterwards, once each. */
static void test_asked_once(void)
{
	u64 ports = in_stretches();
	u32 before = told_count;

	MAKE(TWICE);
	asked = 0;
	report(run_to_end() && asked == 2 && in_stretches() == ports + 2,
	       "the first access is the interpreter's");
	report(run_to_end() && asked == 4 && in_stretches() == ports + 5,
	       "the next ones lie in stretches");
	report(memory(0x40) == 3 && memory(0x41) == 4 && told_count == before + 2 &&
		       told[(told_count - 1) % ARRAY_SIZE(told)] == 4,
	       "answers reach the guest");
}

/* A loop in which nothing but the answers tells one turn from the other. */
static void test_loop(void)
{
	MAKE("\xba\x60\x00\x00\x00\xec\x3c\x08\xb0\x00\x75\xf9");
	asked = 0;
	report(run_to_end() && asked == 8, "a loop around a port");
}

/* --- what is wrong is found, and nobody is asked again --- */

static void test_wrong_port(void)
{
	MAKE("\xba\x62\x00\x00\x00\xec");
	run_to_end();
	MAKE(TWICE);
	stretch_spoil(1, "\x62", 1);
	asked = 0;
	report(!run_to_end() && asked == 2, "another port");
}

static void test_wrong_value(void)
{
	u32 before;

	MAKE("\xba\x60\x00\x00\x00\xb0\x21\xee\x90");
	stretch_spoil(6, "\x22", 1);
	before = told_count;
	report(!run_to_end() && told_count == before + 1, "another value");
}

static void test_wrong_behind(void)
{
	MAKE("\xba\x60\x00\x00\x00\xec\x40\x88\x45\x40");
	stretch_spoil(6, "\x48", 1);
	asked = 0;
	report(!run_to_end() && asked == 1 &&
		       strstr(lockstep_report(stretch_lockstep), "bytes 40: inc"),
	       "an instruction behind the port");
}

static void test_wrong_before(void)
{
	MAKE("\x31\xc9\x41\xba\x60\x00\x00\x00\xec\x88\x45\x40");
	stretch_spoil(2, "\x49", 1);
	asked = 0;
	report(!run_to_end() && asked == 1 &&
		       strstr(lockstep_report(stretch_lockstep), "bytes 41: inc"),
	       "an instruction before the port");
}

/* --- what is excused goes the way again without the device --- */

/* CPUID's answer is not compared; it goes to memory, and the port comes after it. */
static void test_excused(void)
{
	MAKE("\x31\xc0\x0f\xa2\x89\x45\x44\xba\x60\x00\x00\x00\x30\xc0\xec\x88\x45\x40\x90\x90");
	asked = 0;
	report(run_to_end() && asked == 1 && memory(0x40) == 1, "a port behind CPUID");
}

/* imul, whose flags SAHF for NOP makes others, as in test_lockstep.c; then the port. */
static void test_undefined_flags(void)
{
	u32 differs = stretch_differs;

	MAKE("\xb8\x00\xd6\x00\x00\xb9\x60\x00\x00\x00\xba\x01\x00\x00\x00\x0f\xaf\xd1\x90\xec"
	     "\x88\x45\x40");
	stretch_spoil(18, "\x9e", 1);
	asked = 0;
	report(run_to_end() && asked == 1 && memory(0x40) == 1 && stretch_differs == differs,
	       "a port behind undefined flags");
}

/* --- devices that do more than answer --- */

/* mov edx, 61h; mov byte [+40h], 1; in al, dx; mov cl, [+40h]; mov [+41h], cl */
#define LOUD "\xba\x61\x00\x00\x00\xc6\x45\x40\x01\xec\x8a\x4d\x40\x88\x4d\x41"

static void test_loud(void)
{
	const struct lockstep_stats *s = lockstep_stats(stretch_lockstep);
	u64 ports = in_stretches(), unrepeatable = s->unrepeatable;

	MAKE(LOUD);
	writes = false;
	run_to_end();
	report(run_to_end() && in_stretches() == ports + 1, "while it only answers");
	writes = true;
	asked = 0;
	report(run_to_end() && asked == 1 && memory(0x40) == 0x5a && memory(0x41) == 0x5a &&
		       s->unrepeatable == unrepeatable + 1,
	       "a stretch that cannot be repeated is the CPU's");
	vcpu_event_clear(stretch_vcpu(), VCPU_EV_HOST);
	report(run_to_end() && asked == 2 && memory(0x41) == 0x5a &&
		       s->unrepeatable == unrepeatable + 1 && in_stretches() == ports + 1,
	       "and there is no other one at that port");
}

int main(void)
{
	stretch_device = &device;
	stretch_init();
	stretch_cpl(0);
	test_asked_once();
	test_loop();
	test_wrong_port();
	test_wrong_value();
	test_wrong_behind();
	test_wrong_before();
	test_excused();
	test_undefined_flags();
	test_loud();
	return check_done();
}
