// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest of random bytes at CPL 0, in real mode, protected mode with and without paging and V86
 * mode: whatever it does, the interpreter comes back when it is told to, keeps its own state in
 * order, and touches no memory but the guest's. Guest RAM, the interpreter's arena and the vcpu lie
 * between inaccessible pages.
 *   random_bytes [--seconds N] [--rounds N] [--seed N]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cpu/cpu.h"
#include "cpu/engine.h"
#include "cpu/mem.h"
#include "cpu/physmem.h"
#include "tests/unit/cpu/support.h"
#include "tests/unit/cpu/support_guard.h"

#define RAM_SIZE (2u * MB)
#define TABLES	 0x8000u /* GDT, IDT, TSS, page tables of the protected-mode rounds */
#define PAGE_DIR 0x10000u
#define BUDGET	 200000u /* guest instructions a round ... */
#define PIECES	 100u	 /* ... and calls of run(): a guest may fault for ever */
#define HANG_MS	 5000u	 /* run() has not come back after VCPU_EV_HOST for so long */
#define TICK_US	 1000u

struct machine {
	struct vcpu *v;
	struct physmem *mem;
	u8 *ram, *flags;
	struct rng r;
	u32 mmio;
};

static struct machine m;
static volatile u32 ticks_since_run;
static u32 round_number;

static void die(const char *what)
{
	printf("random_bytes: round %u: %s (eip %08x cs %04x cr0 %08x)\n", round_number, what,
	       m.v->eip, m.v->seg[SEG_CS].sel, m.v->cr0);
	printf("random_bytes: %u passed, 1 failed\n", round_number);
	fflush(stdout);
	_exit(1);
}

static void on_tick(void)
{
	vcpu_event_set(m.v, VCPU_EV_HOST);
	if (++ticks_since_run > HANG_MS * 1000 / TICK_US)
		die("run() does not come back");
}

static void on_fault(const void *address)
{
	printf("access to %p\n", address);
	die("memory outside the guest was touched");
}

static bool port_in(void *c, u16 port, unsigned width, u32 *value)
{
	(void)c, (void)port, (void)width;
	*value = rng_next(&m.r);
	return !rng_one_in(&m.r, 64);
}

static bool port_out(void *c, u16 port, unsigned width, u32 value)
{
	(void)c, (void)width;
	if (port == 0x92)
		physmem_set_a20(m.mem, value & 2);
	return true;
}

static u32 port_ins(void *c, u16 port, unsigned width, void *buf, u32 count)
{
	(void)c, (void)port;
	count = rng_below(&m.r, count + 1);
	memset(buf, (int)rng_next(&m.r), count * width);
	return count;
}

static u32 port_outs(void *c, u16 port, unsigned width, const void *buf, u32 count)
{
	volatile const u8 *p = buf;

	(void)c, (void)port;
	for (u32 i = 0; i < count * width; i++)
		(void)p[i];
	return count;
}

static int intack(void *c)
{
	(void)c;
	vcpu_event_clear(m.v, VCPU_EV_INTR);
	return (int)rng_below(&m.r, 256);
}

static u64 tsc(void *c)
{
	(void)c;
	return m.v->stats.insns;
}

static const struct vcpu_ops ops = {.in = port_in,
				    .out = port_out,
				    .ins = port_ins,
				    .outs = port_outs,
				    .intack = intack,
				    .tsc = tsc};

static u32 mmio_read(void *dev, u32 gpa, unsigned width)
{
	(void)dev, (void)gpa, (void)width;
	return rng_next(&m.r);
}

static void mmio_write(void *dev, u32 gpa, unsigned width, u32 value)
{
	(void)dev, (void)gpa, (void)width, (void)value;
	m.mmio++;
}

static const struct mmio_ops mmio = {mmio_read, mmio_write};

static void map_memory(void)
{
	struct phys_region low = {.first = 0, .last = 0x9ffff, .rd = m.ram, .wr = m.ram};
	struct phys_region vga = {.first = 0xa0000, .last = 0xbffff, .mmio = &mmio};
	struct phys_region rom = {.first = 0xf0000, .last = 0xfffff, .rd = m.ram + 0xf0000};
	struct phys_region high = {.first = 0x100000,
				   .last = RAM_SIZE - 1,
				   .rd = m.ram + 0x100000,
				   .wr = m.ram + 0x100000};

	physmem_init(m.mem, RAM_SIZE, m.flags, RAM_SIZE / PAGE_SIZE);
	physmem_map(m.mem, &low);
	physmem_map(m.mem, &vga);
	physmem_map(m.mem, &rom);
	physmem_map(m.mem, &high);
}

/* Random bytes seldom make the instructions that matter most here: help a little. */
static u32 put_interesting(u8 *p)
{
	static const char *const pieces[] = {
		"\x0f\x22\xc0", "\x0f\x22\xd8", "\x0f\x22\xe0", "\x0f\x20\xc0", "\x0f\x01\x16",
		"\x0f\x01\x1e", "\x0f\x01\x3e", "\x0f\x00\xd8", "\x0f\x00\xd0", "\x0f\x01\xf0",
		"\xcf",		"\x66\xcf",	"\xcb",		"\xea",		"\x9a",
		"\xcd",		"\xf3\xa4",	"\xf3\x66\xa5", "\xf3\xaa",	"\xf2\xae",
		"\xf3\x6c",	"\xf3\x6f",	"\x9d",		"\x9c",		"\xfb",
		"\xfa",		"\x0f\xae",	"\xdd\x36",	"\xd9\x26",	"\x8e",
		"\x17",		"\x0f\xb2",	"\x0f\x30",	"\x0f\x32",	"\x0f\xa2",
		"\x0f\x23",	"\xf1",		"\xf4",		"\x0f\x34",	"\x0f\x35",
		"\xc8",		"\x67",		"\x66",		"\xf0",		"\xff",
		"\xe2",		"\xeb\xfe",	"\x60",		"\x61",		"\x0f\xc7",
	};
	const char *s = pieces[rng_below(&m.r, ARRAY_SIZE(pieces))];
	u32 n = (u32)strlen(s);

	memcpy(p, s, n);
	return n;
}

static void fill(void)
{
	u32 *words = (u32 *)m.ram;

	for (u32 i = 0; i < RAM_SIZE / 4; i++)
		words[i] = rng_next(&m.r);
	for (u32 i = 0; i < RAM_SIZE - 64; i += 8 + rng_below(&m.r, 24)) {
		if (rng_one_in(&m.r, 2))
			i += put_interesting(m.ram + i);
	}
}

static u64 random_descriptor(bool gate)
{
	u64 d = (u64)rng_next(&m.r) << 32 | rng_next(&m.r);

	if (!rng_one_in(&m.r, 8))
		d |= 1ull << 47; /* present */
	if (gate)
		d &= ~(1ull << 44);
	else if (!rng_one_in(&m.r, 3))
		d |= 1ull << 44;
	if (!gate) /* bases inside RAM, mostly */
		d &= ~(0xffe0000000000000ull | 0xe000000000ull >> 1);
	if (gate && rng_one_in(&m.r, 2)) { /* a gate to flat code */
		d &= ~0xffff1fff0000ull;
		d |= 0x8e0000080000ull & ~((u64)rng_below(&m.r, 2) << 43);
	}
	return d;
}

static void make_tables(void)
{
	u8 *t = m.ram + TABLES;
	static const u64 flat_code = 0x00cf9b000000ffffull, flat_data = 0x00cf93000000ffffull;

	for (u32 i = 0; i < 256; i++) {
		u64 d = random_descriptor(false), g = random_descriptor(true);

		memcpy(t + i * 8, &d, 8);
		memcpy(t + 0x800 + i * 8, &g, 8);
	}
	memset(t, 0, 8);
	memcpy(t + 8, &flat_code, 8);
	memcpy(t + 16, &flat_data, 8);
	for (u32 i = 0; i < 1024; i++) { /* all of the linear space leads into RAM */
		u32 pte = (i % (RAM_SIZE / PAGE_SIZE)) * PAGE_SIZE | 0x67,
		    pde = (PAGE_DIR + 0x1000) | 0x67;

		if (rng_one_in(&m.r, 16))
			pte = rng_next(&m.r);
		if (rng_one_in(&m.r, 64))
			pde = rng_next(&m.r);
		memcpy(m.ram + PAGE_DIR + i * 4, &pde, 4);
		memcpy(m.ram + PAGE_DIR + 0x1000 + i * 4, &pte, 4);
	}
}

static void flat(struct segment *s, u16 sel, u16 attr)
{
	*s = (struct segment){.limit = ~0u, .sel = sel, .attr = attr};
	segment_derive(s);
}

static void enter_protected(struct vcpu *v, bool paging)
{
	make_tables();
	for (unsigned i = 0; i < SEG_COUNT; i++)
		flat(&v->seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS ? 0xc09b : 0xc093);
	v->gdtr = (struct desc_table){TABLES, 0x7ff};
	v->idtr = (struct desc_table){TABLES + 0x800, 0x7ff};
	v->tr = (struct segment){.base = TABLES + 0x1000, .limit = 0x2067, .sel = 24, .attr = 0x8b};
	v->ldtr = (struct segment){.base = TABLES + 0x400, .limit = 0x3ff, .sel = 32, .attr = 0x82};
	v->cr3 = PAGE_DIR;
	v->cr4 = rng_next(&m.r) & (CR4_VME | CR4_PVI | CR4_PSE | CR4_PGE | CR4_OSFXSR);
	v->cr0 = CR0_PE | CR0_ET | (paging ? CR0_PG : 0) | (rng_next(&m.r) & (CR0_WP | CR0_NE));
	v->gpr[REG_ESP] = 0x1f0000;
}

static void enter_v86(struct vcpu *v)
{
	enter_protected(v, rng_one_in(&m.r, 2));
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		v->seg[i].sel = (u16)rng_next(&m.r);
		v->seg[i].base = (u32)v->seg[i].sel << 4;
		v->seg[i].limit = 0xffff;
		v->seg[i].attr = 0xf3;
		segment_derive(&v->seg[i]);
	}
	v->cpl = 3;
}

static void start(void)
{
	struct vcpu *v = m.v;
	u32 mode = rng_below(&m.r, 4), eflags = rng_next(&m.r) & 0x3cd5;

	fill();
	physmem_set_a20(m.mem, true);
	vcpu_reset(v);
	for (unsigned i = 0; i < 8; i++)
		v->gpr[i] = rng_value(&m.r);
	if (mode == 0) {
		v->seg[SEG_CS].sel = (u16)rng_next(&m.r);
		v->seg[SEG_CS].base = (u32)v->seg[SEG_CS].sel << 4;
		segment_derive(&v->seg[SEG_CS]);
	} else if (mode == 1) {
		enter_v86(v);
		eflags |= FLAG_VM | (rng_next(&m.r) & FLAG_IOPL);
	} else {
		enter_protected(v, mode == 2);
	}
	v->eip = rng_next(&m.r) & (mode < 2 ? 0xffff : 0x1fffff);
	vcpu_set_eflags(v, eflags | FLAGS_FIXED);
	cpu_mode_changed(v);
	mem_tlb_flush(v, true);
}

static void check(void)
{
	const struct vcpu *v = m.v;

	if (v->cpl > 3)
		die("CPL out of range");
	if ((v->cr0 & CR0_PG) && !(v->cr0 & CR0_PE))
		die("paging without protection");
	if ((v->eflags & FLAG_VM) && v->cpl != 3)
		die("V86 mode and not CPL 3");
	if (!(v->eflags & FLAGS_FIXED))
		die("EFLAGS bit 1 is clear");
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		struct segment s = v->seg[i];

		segment_derive(&s);
		if (s.rd_count < v->seg[i].rd_count || s.wr_count < v->seg[i].wr_count)
			die("a segment's fast limits exceed the segment");
	}
}

/* One guest until it has run its budget or shuts down; false where it cannot go on. */
static bool run_piece(void)
{
	struct vcpu *v = m.v;
	enum exit_reason reason;

	ticks_since_run = 0;
	vcpu_event_clear(v, VCPU_EV_HOST);
	reason = rng_one_in(&m.r, 32) ? interp_engine.step(v) : interp_engine.run(v);
	ticks_since_run = 0;
	check();
	if (rng_one_in(&m.r, 4))
		vcpu_event_set(v, VCPU_EV_INTR);
	if (rng_one_in(&m.r, 8))
		vcpu_event_set(v, VCPU_EV_NMI);
	if (rng_one_in(&m.r, 4)) /* DMA, over code too */
		physmem_write(m.mem, rng_next(&m.r) % RAM_SIZE, &m.r.state, 8);
	if (reason == EXIT_HLT) {
		v->halted = false;
		return rng_below(&m.r, 64) != 0;
	}
	return reason != EXIT_SHUTDOWN;
}

static u64 run_round(u32 seed)
{
	u64 before = m.v->stats.insns;

	m.r.state = ((u64)seed + 1) * 0x9e3779b97f4a7c15ull | 1;
	rng_next(&m.r);
	start();
	for (u32 n = 0; n < PIECES && m.v->stats.insns - before < BUDGET; n++) {
		if (!run_piece())
			break;
	}
	return m.v->stats.insns - before;
}

static void init(void)
{
	size_t arena = interp_arena_size(RAM_SIZE);

	m.v = guarded_memory(sizeof(*m.v));
	m.mem = guarded_memory(sizeof(*m.mem));
	m.ram = guarded_memory(RAM_SIZE);
	m.flags = guarded_memory(RAM_SIZE / PAGE_SIZE);
	map_memory();
	m.v->mem = m.mem;
	m.v->ops = &ops;
	m.v->feature_mask = ~0u;
	if (interp_init(m.v, guarded_memory(arena), arena)) {
		fprintf(stderr, "interp_init failed\n");
		exit(2);
	}
	guard_start(TICK_US, on_tick, on_fault);
}

static u32 number(int argc, char **argv, const char *name, u32 otherwise)
{
	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return (u32)strtoul(argv[i + 1], NULL, 0);
	}
	return otherwise;
}

int main(int argc, char **argv)
{
	u32 seconds = number(argc, argv, "--seconds", 0), seed = number(argc, argv, "--seed", 1);
	u32 rounds = number(argc, argv, "--rounds", seconds ? ~0u : 200);
	time_t end = time(NULL) + (time_t)seconds;
	u64 insns = 0;

	init();
	for (; round_number < rounds && (!seconds || time(NULL) < end); round_number++)
		insns += run_round(seed + round_number);
	printf("random_bytes: %llu guest instructions, %u MMIO writes\n", (unsigned long long)insns,
	       m.mmio);
	printf("random_bytes: %u passed, 0 failed\n", round_number);
	return 0;
}
