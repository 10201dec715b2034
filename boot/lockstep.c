/* SPDX-License-Identifier: BSD-2-Clause */
/* Lockstep on this PC: the direct engine, compared; a difference stops the guest. */
#include "boot/lockstep.h"
#include "boot/host.h"
#include "boot/memory.h"
#include "boot/relocate.h"
#include "cpu/direct/direct.h"
#include "cpu/lockstep/direct.h"
#include "lib/log.h"
#include "lib/str.h"

#define ALARM_NS (50 * 1000000ull)
#define LINE_MAX 200

#define FIRST_MARK 1000u

static struct vm *the_vm;
static u64 next_mark = FIRST_MARK;

u32 lockstep_own_size(u32 ram)
{
	return (u32)lockstep_arena_size(ram / PAGE_SIZE < 256 ? 256 : ram / PAGE_SIZE);
}

static void alarm(void *ctx)
{
	(void)ctx;
	host_timer_set(host_ns() + ALARM_NS);
}

static void hold_clock(void *ctx, bool hold)
{
	static u64 since;
	struct vm *vm = ctx;

	if (hold)
		since = host_ns();
	else
		vm->stopped_ns += host_ns() - since;
}

static void differs(void *ctx)
{
	struct vm *vm = ctx;
	const char *text = lockstep_report(vm->lockstep), *end;
	char line[LINE_MAX];

	log_error("lockstep: the CPU and the interpreter differ, after %llu instructions that did "
		  "not",
		  lockstep_stats(vm->lockstep)->insns);
	for (; (end = strchr(text, '\n')); text = end + 1) {
		size_t length = (size_t)(end - text);

		if (length >= sizeof(line))
			length = sizeof(line) - 1;
		memcpy(line, text, length);
		line[length] = '\0';
		log_error("lockstep: %s", line);
	}
	vm_request(vm, VM_REQ_MONITOR);
}

/* Now and then the log says how much has been compared: a guest may end without another word. */
static enum exit_reason run(struct vcpu *v)
{
	enum exit_reason reason = direct_engine.run(v);
	u64 insns = lockstep_stats(the_vm->lockstep)->insns;

	if (insns >= next_mark) {
		log_info("lockstep: %llu instructions compared", insns);
		while (next_mark <= insns)
			next_mark *= 10;
	}
	return reason;
}

static enum exit_reason step(struct vcpu *v)
{
	return direct_engine.step(v);
}

static const struct engine engine = {.name = "lockstep", .run = run, .step = step};

/* QEMU without KVM; its CPUID says so. */
static bool is_tcg(void)
{
	u32 eax = 0x40000000, name[3];

	asm volatile("cpuid" : "+a"(eax), "=b"(name[0]), "=c"(name[1]), "=d"(name[2]));
	return !memcmp(name, "TCGTCGTCGTCG", sizeof(name));
}

void lockstep_build(struct vm *vm)
{
	const struct lockstep_host host = {.reads_first = is_tcg(),
					   .cmpxchg8b_flags = is_tcg(),
					   .alarm = alarm,
					   .hold_clock = hold_clock,
					   .differs = differs,
					   .ctx = vm};
	void *arena = host_alloc(lockstep_arena_size(vm->mem.flag_pages));

	if (!arena)
		boot_fail("boot: no memory for lockstep: %u KB left", memory_left() / KB);
	vm->lockstep = lockstep_direct(&vm->vcpu, arena, &host);
	the_vm = vm;
	vm->engine = &engine;
}
