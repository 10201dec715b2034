// SPDX-License-Identifier: BSD-2-Clause
/* The guests of support_translate.h, and what runs where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/cpu.h"
#include "cpu/engine.h"
#include "cpu/debug_regs.h"
#include "cpu/physmem.h"
#include "tests/unit/cpu/support_translate.h"

#define FLAGS_SEEN (FLAGS_ARITH | FLAG_DF | FLAG_IF | FLAG_IOPL | FLAG_NT | FLAG_ID)
/* What translated code cannot hold. */
#define FLAGS_REFUSED (FLAG_TF | FLAG_NT | FLAG_AC)

#define FS_PREFIX  0x64
#define LIMIT_64K  0xffffu
#define ATTR_CODE  0x9bu /* with SEG_G and SEG_DB where it is flat */
#define ATTR_DATA  0x93u
#define OPCODE_HLT 0xf4
#define OPCODE_REP 0xf3
#define OPCODE_JMP 0xe9

/* One guest: in the interpreter, its memory somewhere in this process. */
struct guest {
	struct vcpu v;
	struct physmem mem;
	u8 flags[256];
	struct cpu_fault fault;
	u8 *program, *memory;
	u32 ports; /* what went out and how much came in */
};

/* `own` shares the memory of translated code and carries out what is not translated. */
static struct guest own, reference;
struct translator *machine_translator;
struct translate_state *machine_state;
u64 machine_exits, machine_calls, machine_crossing;

static struct segment segments[SEG_COUNT]; /* that programs begin with */
static u32 code_base;
static bool stepping, step_failed;

u64 machine_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* --- ports: what is read depends on all that was read and written before --- */

static u32 port_mix(struct guest *g, u32 what, u32 value)
{
	return g->ports = (g->ports ^ what ^ value) * 0x9e3779b1 + 0x7f4a7c15;
}

static bool port_in(void *ctx, u16 port, unsigned width, u32 *value)
{
	*value = port_mix(ctx, port | width << 16, 0) & (width == 4 ? ~0u : BIT(width * 8) - 1);
	return true;
}

static bool port_out(void *ctx, u16 port, unsigned width, u32 value)
{
	port_mix(ctx, port | width << 16 | BIT(24), value);
	return true;
}

/* What translate_called() says of an access, as the direct engine carries it out. */
static void carry_out_port(struct translate_regs *r, const struct translate_call *c)
{
	u32 width = c->what & TRANSLATE_PORT_WIDTH;
	u32 mask = width == 4 ? ~0u : BIT(width * 8) - 1, value;
	u16 port = c->what & TRANSLATE_PORT_DX ? (u16)r->gpr[REG_EDX] : c->operand;

	if (c->what & TRANSLATE_PORT_OUT) {
		port_out(&own, port, width, r->gpr[REG_EAX] & mask);
	} else {
		port_in(&own, port, width, &value);
		r->gpr[REG_EAX] = (r->gpr[REG_EAX] & ~mask) | value;
	}
	r->eip = c->eip + c->len;
}

/* --- the interpreter's guests --- */

static void copy_in(struct guest *g, const struct translate_regs *r)
{
	memcpy(g->v.gpr, r->gpr, sizeof(r->gpr));
	g->v.eip = r->eip;
	g->v.shadow = 0;
	vcpu_set_eflags(&g->v, r->eflags | FLAGS_FIXED);
	cpu_mode_changed(&g->v);
}

static void copy_out(struct guest *g, struct translate_regs *r)
{
	memcpy(r->gpr, g->v.gpr, sizeof(r->gpr));
	r->eip = g->v.eip;
	r->eflags = vcpu_eflags(&g->v);
}

static void set_segment(struct segment *s, u16 sel, u32 base, u32 limit, u32 attr)
{
	*s = (struct segment){.base = base, .limit = limit, .sel = sel, .attr = (u16)attr};
	segment_derive(s);
}

/* Descriptor of the data segments. */
static u64 data_descriptor;

static void make_data_descriptor(const struct segment *s)
{
	u32 limit = s->attr & SEG_G ? s->limit >> 12 : s->limit;

	data_descriptor = (limit & 0xffff) | s->base << 16 |
			  (u64)((s->base >> 16 & 0xff) | (s->base & 0xff000000) |
				(limit & 0xf0000) | (u32)s->attr << 8)
				  << 32;
}

/* Both guests, and the CPU, have the segments of that program from now on. */
static void set_mode(const struct program *p)
{
	bool flat = !(p->mode & PROGRAM_SEGMENTS);
	u32 limit = flat ? ~0u : LIMIT_64K, wide = flat ? SEG_G : 0, data = program_data(p);
	u32 code = p->mode & TRANSLATE_CODE16 ? 0 : SEG_DB,
	    big = p->mode & TRANSLATE_STACK16 ? 0 : SEG_DB;
	struct translate_context context = {.base = flat ? 0 : PROGRAM_LIN,
					    .limit = limit,
					    .mode = p->mode & ~PROGRAM_SEGMENTS};

	code_base = context.base;
	set_segment(&segments[SEG_CS], 8, code_base, limit, ATTR_CODE | code | wide);
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		if (i != SEG_CS)
			set_segment(&segments[i], SEL_FIRST, data, limit, ATTR_DATA | big | wide);
	}
	make_data_descriptor(&segments[SEG_DS]);
	translate_context(machine_translator, &context);
	native_segments(flat ? NATIVE_FLAT : big ? NATIVE_MEMORY : NATIVE_MEMORY16);
	for (u32 sel = SEL_FIRST; sel < SEL_KNOWN; sel += 8)
		translate_know(machine_translator, (u8)sel, GDT_LIN + sel, (u32)data_descriptor,
			       (u32)(data_descriptor >> 32), native_data());
}

static void map_part(struct guest *g, u32 lin, u32 size, u8 *bytes)
{
	struct phys_region region = {
		.first = lin, .last = lin + size - 1, .rd = bytes, .wr = bytes};

	physmem_map(&g->mem, &region);
}

static void guest_make(struct guest *g, u8 *program, u8 *memory)
{
	static const struct vcpu_ops ops = {.in = port_in, .out = port_out};
	size_t arena = interp_arena_size(MB);

	g->program = program;
	g->memory = memory;
	physmem_init(&g->mem, MB, g->flags, sizeof(g->flags));
	map_part(g, PROGRAM_LIN, PROGRAM_SIZE, program);
	map_part(g, MEMORY_LIN, MEMORY_SIZE, memory);
	g->v.mem = &g->mem;
	g->v.ops = &ops;
	g->v.ops_ctx = g;
	g->v.feature_mask = ~0u;
	if (interp_init(&g->v, aligned_alloc(16, (arena + 15) & ~15u), arena)) {
		fprintf(stderr, "interp_init failed\n");
		exit(2);
	}
	vcpu_reset(&g->v);
	g->v.gdtr = (struct desc_table){GDT_LIN, SEL_LAST + 7};
	g->v.cr0 = CR0_PE | CR0_ET;
	g->v.cpl = 0;
	cpu_mode_changed(&g->v);
}

u64 reference_insns(void)
{
	return reference.v.stats.insns;
}

bool reference_run(u32 eip, u32 steps_max)
{
	while (reference.v.eip != eip && steps_max-- > 0)
		interp_engine.step(&reference.v);
	return reference.v.eip == eip;
}

static bool same_selectors(void)
{
	bool same = true;

	for (unsigned i = 0; i < SEG_COUNT; i++) {
		u32 loaded = machine_state->loaded[i];
		u16 sel = loaded & TRANSLATE_LOADED ? (u16)loaded : own.v.seg[i].sel;

		same &= sel == reference.v.seg[i].sel;
	}
	return same;
}

/* What translated code has loaded is the guest's from now on. */
static void take_selectors(void)
{
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		u32 loaded = machine_state->loaded[i];

		if (loaded & TRANSLATE_LOADED)
			set_segment(&own.v.seg[i], (u16)loaded, segments[SEG_DS].base,
				    segments[SEG_DS].limit,
				    (u16)loaded ? segments[SEG_DS].attr : 0);
		machine_state->loaded[i] = 0;
	}
}

bool reference_equals(const struct translate_regs *r, bool verbose)
{
	struct translate_regs want;

	copy_out(&reference, &want);
	if (memcmp(want.gpr, r->gpr, sizeof(want.gpr)) == 0 && want.eip == r->eip &&
	    !((want.eflags ^ r->eflags) & FLAGS_SEEN) && same_selectors())
		return true;
	if (!verbose)
		return false;
	for (unsigned i = 0; i < 8; i++)
		printf("  r%u %08x, wanted %08x\n", i, r->gpr[i], want.gpr[i]);
	printf("  eip %08x, wanted %08x; eflags %08x, wanted %08x\n", r->eip, want.eip,
	       r->eflags & FLAGS_SEEN, want.eflags & FLAGS_SEEN);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		printf("  segment %u: %04x, loaded %05x, wanted %04x\n", i, own.v.seg[i].sel,
		       machine_state->loaded[i], reference.v.seg[i].sel);
	return false;
}

bool reference_memory_equals(void)
{
	return memcmp(own.memory, reference.memory, MEMORY_SIZE) == 0 &&
	       own.ports == reference.ports;
}

void reference_patch(u32 lin, const void *bytes, u32 len)
{
	memcpy(reference.program + (lin - PROGRAM_LIN), bytes, len);
}

/* --- the machine --- */

static const u8 *code_at(u32 eip)
{
	return (const u8 *)(uintptr_t)(code_base + eip);
}

/* The guest is where the reference is, or one instruction further. */
bool machine_look(const struct translate_regs *cpu)
{
	struct translate_regs r = *cpu;

	if (!translate_stopped(machine_translator, &r))
		return false;
	if (step_failed || reference_equals(&r, false))
		return true;
	/* TF stops between the elements of a string instruction, the interpreter's step() does not.
	 */
	if (reference.v.eip == r.eip && *code_at(r.eip) == OPCODE_REP)
		return true;
	interp_engine.step(&reference.v);
	if (reference_equals(&r, false))
		return true;
	printf("at native %08x:\n", cpu->eip);
	reference_equals(&r, true);
	step_failed = true;
	return true;
}

void machine_init(u32 code_size)
{
	static const struct program flat;
	struct translate_host host = {.code_size = code_size, .state_prefix = FS_PREFIX};

	guest_make(&own, native_map(PROGRAM_LIN, PROGRAM_SIZE),
		   native_map(MEMORY_LIN, MEMORY_SIZE));
	guest_make(&reference, calloc(1, PROGRAM_SIZE), calloc(1, MEMORY_SIZE));
	machine_state = calloc(1, sizeof(*machine_state));
	host.state_disp = (u32)(uintptr_t)machine_state;
	native_code_init();
	host.code = native_map(0, code_size);
	host.state = machine_state;
	host.leave = (u32)(uintptr_t)native_leave;
	machine_translator = translate_init(calloc(1, translate_arena_size(code_size)), &host);
	translate_know(machine_translator, 0, 0, 0, 0, 0);
	set_mode(&flat);
}

void machine_load(const struct program *p)
{
	struct rng r = {p->seed * 2 + 1};

	set_mode(p);
	for (u32 i = 0; i < MEMORY_SIZE; i += 4) {
		u32 value = rng_value(&r);

		memcpy(own.memory + i, &value, 4);
	}
	memcpy(own.memory + (TABLE_LIN - MEMORY_LIN), p->function, sizeof(p->function));
	for (u32 sel = SEL_FIRST; sel <= SEL_LAST; sel += 8) {
		memcpy(own.memory + (GDT_LIN - MEMORY_LIN) + sel, &data_descriptor, 8);
	}
	memcpy(own.program, p->code, PROGRAM_SIZE);
	memcpy(reference.memory, own.memory, MEMORY_SIZE);
	memcpy(reference.program, p->code, PROGRAM_SIZE);
	for (u32 off = 0; off < PROGRAM_SIZE; off += PAGE_SIZE)
		translate_drop_page(machine_translator, PROGRAM_LIN + off);
}

void machine_start(struct translate_regs *r, u32 eip)
{
	*r = (struct translate_regs){.eip = eip, .eflags = FLAGS_FIXED | FLAG_IF};
	for (u32 i = 0; i < 8; i++)
		r->gpr[i] = (i + 1) * 0x01234567;
	r->gpr[REG_EBP] = MEMORY_BASE - segments[SEG_SS].base;
	r->gpr[REG_ESP] = STACK_TOP - 64 - segments[SEG_SS].base;
	if (!((segments[SEG_SS].attr | segments[SEG_CS].attr) & SEG_DB))
		r->gpr[REG_ESP] |= 0x5a5a0000; /* nothing looks at it */
	copy_in(&reference, r);
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		own.v.seg[i] = reference.v.seg[i] = segments[i];
		machine_state->loaded[i] = 0;
	}
	own.v.cr0 = reference.v.cr0 = CR0_PE | CR0_ET;
	own.v.cr2 = reference.v.cr2 = 0x12345678;
	own.v.dr[6] = reference.v.dr[6] = 0xffff0ff0;
	own.v.dr[7] = reference.v.dr[7] = DR7_FIXED;
	own.ports = reference.ports = 0;
}

static void step_reference(const struct translate_regs *r)
{
	if (stepping && !reference_equals(r, false))
		interp_engine.step(&reference.v);
}

static void interpret(struct translate_regs *r)
{
	step_reference(r);
	copy_in(&own, r);
	if (interp_engine.step(&own.v) == EXIT_SHUTDOWN) {
		printf("the program at %08x is broken\n", r->eip);
		exit(2);
	}
	copy_out(&own, r);
}

/* The state as the caller has it when translated code is entered. */
static void enter(const struct translate_regs *r)
{
	translate_enter(machine_translator, r->eflags, own.v.seg);
	machine_state->cr0 = own.v.cr0;
	machine_state->cr2 = own.v.cr2;
	machine_state->cr3 = own.v.cr3;
	machine_state->dr6 = own.v.dr[6];
	machine_state->dr7 = own.v.dr[7];
	machine_state->dr7_set = own.v.dr[7] ^ DR7_FIXED;
}

static bool at_end(const struct translate_regs *r)
{
	return *code_at(r->eip) == OPCODE_HLT;
}

/* The same of MOV from CR4; the others are the interpreter's. */
static bool carry_out_control(struct translate_regs *r, const struct translate_call *c)
{
	if ((c->what & ~TRANSLATE_PORT_WIDTH) != TRANSLATE_CONTROL_FROM)
		return false;
	r->gpr[c->operand & 7] = own.v.cr4;
	r->eip = c->eip + c->len;
	return true;
}

/* Carries out the instruction that translated code was left for; returns where it goes on, or 0. */
static u32 called(struct translate_regs *r)
{
	const struct translate_call *c = translate_called(machine_translator);

	if (!c) {
		interpret(r);
		return 0;
	}
	machine_calls++;
	if (c->what)
		step_reference(r);
	if (c->what & TRANSLATE_PORT_WIDTH)
		carry_out_port(r, c);
	else if (!carry_out_control(r, c))
		interpret(r);
	if (c->what == TRANSLATE_MEMORY && translate_call_done(machine_translator, c, true))
		return 0;
	return r->eip == c->eip + c->len && !(r->eflags & FLAGS_REFUSED) ? c->native : 0;
}

static struct translate_unit *unit_at(u32 eip)
{
	u32 lin = code_base + eip, next = (lin & PAGE_MASK) + PAGE_SIZE;
	const u8 *page = (const u8 *)(uintptr_t)(lin & PAGE_MASK);

	if (!translate_crosses(machine_translator, page, lin & ~PAGE_MASK))
		return translate_find(machine_translator, eip, lin)
			       ?: translate_make(machine_translator, eip, lin, page);
	machine_crossing++;
	return translate_find_across(machine_translator, eip, lin, next)
		       ?: translate_make_across(machine_translator, eip, lin, next, page,
						page + PAGE_SIZE);
}

/* One way through translated code. True: the end is reached. */
static bool leave_once(struct translate_regs *r, bool chain, enum run_end *end)
{
	struct translate_unit *u = unit_at(r->eip);
	u32 native;

	if (chain)
		translate_connect(machine_translator, u);
	for (native = translate_entry(u); native; native = called(r)) {
		enter(r);
		machine_exits++;
		if (!native_run_at(r, native, stepping)) {
			*end = RUN_FAULT;
			return translate_stopped(machine_translator, r);
		}
		take_selectors();
		if (translate_left(machine_translator, r) == TRANSLATE_GO_ON)
			return false;
		*end = RUN_HLT;
		if (at_end(r))
			return true;
	}
	return false;
}

enum translate_reason machine_left(struct translate_regs *r)
{
	u32 native = translate_entry(unit_at(r->eip));

	enter(r);
	native_run_at(r, native, false);
	take_selectors();
	return translate_left(machine_translator, r);
}

void machine_leave_once(struct translate_regs *r)
{
	enum run_end end;

	leave_once(r, false, &end);
}

enum run_end machine_translated(struct translate_regs *r, bool chain)
{
	enum run_end end = RUN_HLT;

	for (;;) {
		if ((r->eflags & FLAGS_REFUSED) && at_end(r))
			return RUN_HLT;
		if (r->eflags & FLAGS_REFUSED)
			interpret(r);
		else if (leave_once(r, chain, &end))
			return end;
		/* Nothing but what the unit itself has left: each exit is seen. */
		if (!chain)
			translate_drop_links(machine_translator);
	}
}

bool machine_stepped(struct translate_regs *r)
{
	stepping = true;
	step_failed = false;
	machine_translated(r, true);
	stepping = false;
	return !step_failed;
}

void machine_untranslated(struct translate_regs *r, u32 end)
{
	u8 *hlt = (u8 *)(uintptr_t)end, before[5];
	u32 rel = (u32)(uintptr_t)native_leave - (end + 5);

	memcpy(before, hlt, sizeof(before));
	hlt[0] = OPCODE_JMP;
	memcpy(hlt + 1, &rel, 4);
	native_run_at(r, r->eip, false);
	memcpy(hlt, before, sizeof(before));
	r->eip = end;
}
