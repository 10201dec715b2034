// SPDX-License-Identifier: BSD-2-Clause
/* The guest of support_stretch.h: flat, without paging. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/cpu.h"
#include "cpu/engine.h"
#include "cpu/lockstep/lockstep.h"
#include "cpu/physmem.h"
#include "tests/unit/cpu/support_check.h"
#include "tests/unit/cpu/support_stretch.h"

#define FRAMES ((MEMORY_LIN + MEMORY_SIZE) >> PAGE_SHIFT)
/* PUSHF shows these as they are in this process. */
#define FLAGS_START (FLAGS_FIXED | FLAG_IF)

static struct vcpu v;
static struct physmem mem;
struct lockstep *stretch_lockstep;
struct stretch_flaw stretch_flaw;
u32 stretch_traps, stretch_differs;
const struct vcpu_ops *stretch_device;

struct vcpu *stretch_vcpu(void)
{
	return &v;
}

static void swap_flaw(void)
{
	u8 *code = (u8 *)(uintptr_t)stretch_flaw.lin;

	for (u32 i = 0; i < stretch_flaw.len; i++) {
		u8 byte = code[i];

		code[i] = stretch_flaw.bytes[i];
		stretch_flaw.bytes[i] = byte;
	}
}

#define OPCODE_CLI    0xfa
#define OPCODE_HLT    0xf4
#define OPCODE_IN_DX  0xec /* AL, DX */
#define OPCODE_OUT_DX 0xee

/* What translated code calls Farbus for: IN and OUT. False: none is at hand, or done. */
static bool call(struct translate_regs *r)
{
	u8 opcode = *(const u8 *)(uintptr_t)r->eip;
	u16 port = (u16)r->gpr[REG_EDX];
	u32 value = r->gpr[REG_EAX] & 0xff;

	if (opcode == OPCODE_OUT_DX) {
		if (!v.ops->out(v.ops_ctx, port, 1, value))
			return false;
	} else if (opcode != OPCODE_IN_DX || !v.ops->in(v.ops_ctx, port, 1, &value)) {
		return false;
	}
	r->gpr[REG_EAX] = (r->gpr[REG_EAX] & ~0xffu) | (value & 0xff);
	r->eip++;
	return !(v.events & VCPU_EV_HOST);
}

/* CLI stands for what leads across CPLs: where IF is clear it changes nothing. */
static bool crosses(struct translate_regs *r)
{
	if (*(const u8 *)(uintptr_t)r->eip != OPCODE_CLI)
		return false;
	r->eip++;
	lockstep_crossed(stretch_lockstep);
	return true;
}

static bool is_for_interpreter(u8 opcode)
{
	return opcode == OPCODE_HLT || opcode == OPCODE_CLI || opcode == OPCODE_IN_DX ||
	       opcode == OPCODE_OUT_DX;
}

static enum lockstep_next native(void *ctx, bool single)
{
	struct translate_regs r;

	(void)ctx;
	for (u32 off = 0; off < MEMORY_SIZE; off += PAGE_SIZE)
		lockstep_keep(stretch_lockstep, MEMORY_LIN + off);
	memcpy(r.gpr, v.gpr, sizeof(r.gpr));
	r.eip = v.eip;
	r.eflags = vcpu_eflags(&v);
	swap_flaw();
	do
		stretch_run(&r, single ? 1 : stretch_traps);
	while (!single && (crosses(&r) || (stretch_device && call(&r))));
	swap_flaw();
	memcpy(v.gpr, r.gpr, sizeof(r.gpr));
	v.eip = r.eip;
	vcpu_set_eflags(&v, (v.eflags & ~(FLAGS_ARITH | FLAG_DF)) |
				    (r.eflags & (FLAGS_ARITH | FLAG_DF)));
	/* Where nothing but an alarm or TF has stopped it, it could go on. */
	return is_for_interpreter(*(const u8 *)(uintptr_t)r.eip) ? LOCKSTEP_STEP : LOCKSTEP_ANY;
}

static void differs(void *ctx)
{
	(void)ctx;
	stretch_differs++;
}

static void flat(struct segment *s, u16 sel, u16 attr)
{
	*s = (struct segment){.limit = ~0u, .sel = sel, .attr = attr};
	segment_derive(s);
}

void stretch_cpl(u8 cpl)
{
	u16 dpl = (u16)(cpl << 5);

	for (unsigned i = 0; i < SEG_COUNT; i++)
		flat(&v.seg[i], i == SEG_CS ? SEL_CODE : SEL_DATA,
		     (i == SEG_CS ? 0xc09b : 0xc093) | dpl);
	v.cpl = cpl;
	cpu_mode_changed(&v);
}

static void *zeroed(size_t size)
{
	void *p = aligned_alloc(16, (size + 15) & ~(size_t)15);

	if (!p) {
		perror("aligned_alloc");
		exit(2);
	}
	return memset(p, 0, size);
}

static void map_part(u32 lin, u32 size, u8 *bytes)
{
	struct phys_region region = {
		.first = lin, .last = lin + size - 1, .rd = bytes, .wr = bytes};

	physmem_map(&mem, &region);
}

static void say_report(void)
{
	printf("%s", lockstep_report(stretch_lockstep));
}

void stretch_init(void)
{
	static const struct vcpu_ops none = {0};
	const struct lockstep_host host = {
		.native = native, .differs = differs, .cmpxchg8b_flags = true};
	size_t arena = interp_arena_size(FRAMES * PAGE_SIZE);

	physmem_init(&mem, MB, zeroed(FRAMES), FRAMES);
	map_part(PROGRAM_LIN, PROGRAM_SIZE, native_map(PROGRAM_LIN, PROGRAM_SIZE));
	map_part(MEMORY_LIN, MEMORY_SIZE, native_map(MEMORY_LIN, MEMORY_SIZE));
	map_part(FAR_LIN, FAR_SIZE, zeroed(FAR_SIZE));
	v.mem = &mem;
	v.ops = stretch_device ? stretch_device : &none;
	v.feature_mask = ~0u;
	if (interp_init(&v, zeroed(arena), arena)) {
		fprintf(stderr, "interp_init failed\n");
		exit(2);
	}
	vcpu_reset(&v);
	v.cr0 = CR0_PE | CR0_ET;
	stretch_cpl(3);
	stretch_lockstep = lockstep_init(&v, zeroed(lockstep_arena_size(FRAMES)), &host);
	stretch_signals();
	report_more = say_report;
}

void stretch_restart(u32 seed)
{
	struct rng r = {seed * 0x9e3779b97f4a7c15ull | 1};

	for (u32 i = 0; i < 8; i++)
		v.gpr[i] = rng_next(&r);
	v.gpr[REG_EBP] = MEMORY_BASE;
	v.gpr[REG_ESP] = STACK_TOP - 64;
	v.halted = false; /* after HLT at CPL 0 */
	v.eip = PROGRAM_LIN;
	vcpu_set_eflags(&v, FLAGS_START);
	cpu_mode_changed(&v);
}

void stretch_load(const struct program *p)
{
	struct rng r = {p->seed * 2 + 1};
	u32 memory[MEMORY_SIZE / 4];

	for (u32 i = 0; i < ARRAY_SIZE(memory); i++)
		memory[i] = rng_value(&r);
	memcpy((u8 *)memory + (TABLE_LIN - MEMORY_LIN), p->function, sizeof(p->function));
	physmem_write(&mem, MEMORY_LIN, memory, sizeof(memory));
	physmem_write(&mem, PROGRAM_LIN, p->code, PROGRAM_SIZE);
	stretch_restart(p->seed);
}

void stretch_make(struct program *p, const char *code, u32 len)
{
	memset(p, 0, sizeof(*p));
	memset(p->code, 0xf4, sizeof(p->code));
	memcpy(p->code, code, len);
	stretch_flaw = (struct stretch_flaw){0};
	stretch_traps = 0;
	stretch_load(p);
}

void stretch_spoil(u32 off, const char *bytes, u32 len)
{
	stretch_flaw.lin = PROGRAM_LIN + off;
	stretch_flaw.len = len;
	memcpy(stretch_flaw.bytes, bytes, len);
}
