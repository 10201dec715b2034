/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random code at CPL 3, with paging and interrupts on: how each piece ends, and what it has changed
 * in registers, memory, and A and D bits. Left out is what depends on the CPU's model, and what an
 * engine that runs the code on the CPU cannot hide (docs/direct.md).
 */
#include "tests/guests/rt/rt.h"

#define PD     0x80000u
#define PT     0x81000u
#define DATA   0x1000u /* linear, three pages; behind them: */
#define CODE   0x5000u
#define PHYS   0x48000u /* of the data */
#define TEXT   0x4c000u /* of the code */
#define PIECES 3000u
#define BYTES  24u

#define CR0_PG	BIT(31)
#define CR0_WP	BIT(16)
#define FLAG_IF BIT(9)

#define VEC_TIMER 0x20
#define PIT_COUNT 0xffffu /* 55 ms: longer than any piece that ends */

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40 };

static volatile u32 *const pt = (u32 *)PT;
static u32 state = 20261121;

static u32 random_value(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static u32 random_below(u32 n)
{
	return (random_value() >> 7) % n;
}

/* --- code --- */

/* Second bytes after 0Fh: instructions of every CPU since the Pentium Pro that hide nothing. */
static bool two_byte_allowed(u8 byte)
{
	if (byte >= 0x40 && byte <= 0x4f)
		return true; /* CMOVcc */
	if (byte >= 0x80 && byte <= 0xbf)
		return byte != 0xa2 && byte != 0xa6 && byte != 0xa7 && byte != 0xaa &&
		       byte != 0xae && byte != 0xb8 && byte != 0xb9;
	return byte == 0x06 || byte == 0x08 || byte == 0x0b || (byte >= 0x20 && byte <= 0x23) ||
	       byte == 0x30 || byte == 0x32 || byte == 0xc0 || byte == 0xc1 || byte >= 0xf0;
}

/* Opcodes that do something with registers and memory, more often than random bytes do. */
static u8 likely_byte(void)
{
	static const u8 list[] = {0x01, 0x03, 0x11, 0x13, 0x29, 0x2b, 0x31, 0x33, 0x39, 0x50, 0x55,
				  0x58, 0x5d, 0x66, 0x69, 0x6b, 0x83, 0x85, 0x87, 0x88, 0x89, 0x8a,
				  0x8b, 0x8d, 0x8e, 0x8c, 0x8f, 0x99, 0x9c, 0x9d, 0xa4, 0xa5, 0xaa,
				  0xab, 0xad, 0xae, 0xa6, 0xc1, 0xd3, 0xe8, 0xeb, 0xf3, 0xf7, 0xff,
				  0x0f, 0x75, 0xc3, 0xd9, 0xd8, 0xde, 0x1e, 0x1f, 0x06, 0x07};

	return list[random_below(ARRAY_SIZE(list))];
}

static void make_code(void)
{
	u8 *code = (u8 *)TEXT;

	for (u32 i = 0; i < BYTES; i++) {
		u8 byte = i % 3 && random_below(2) ? likely_byte() : (u8)random_value();

		/* F3 makes newer instructions of old ones; DBh, DDh and DFh have SSE3's FISTTP. */
		if (i && code[i - 1] == 0x0f && (byte >= 0xf0 || !two_byte_allowed(byte)))
			byte = 0xb6;
		if (byte == 0x0f && i && code[i - 1] == 0xf3)
			byte = 0xa4;
		if (byte == 0xdb || byte == 0xdd || byte == 0xdf)
			byte = 0xd9;
		code[i] = byte;
	}
	if (code[BYTES - 1] == 0x0f)
		code[BYTES - 1] = 0x90;
	for (u32 i = BYTES; i < BYTES + 32; i += 2) {
		code[i] = 0xcd;
		code[i + 1] = VEC_DONE;
	}
}

/* --- state --- */

static u32 random_register(void)
{
	switch (random_below(8)) {
	case 0:
		return random_below(16);
	case 1:
		return random_value() | BIT(31);
	case 2:
		return 0;
	default:
		return DATA + random_below(0x3000);
	}
}

static struct regs make_state(void)
{
	struct regs r = regs_for(3, (void *)CODE);

	r.eax = random_register();
	r.ecx = random_register();
	r.edx = random_register();
	r.ebx = random_register();
	r.ebp = random_register();
	r.esi = random_register();
	r.edi = random_register();
	r.esp = DATA + 0x2000 + random_below(0x400) * 4;
	r.eflags |= FLAG_IF | (random_value() & 0xcd5); /* the arithmetic flags and DF */
	if (random_below(8) == 0)
		r.es = 0;
	if (random_below(4) == 0)
		r.fs = 0;
	return r;
}

static void make_memory(void)
{
	u32 *data = (u32 *)PHYS;

	for (u32 i = 0; i < 3 * 1024; i++)
		data[i] = i * 0x01010101 + DATA;
	for (u32 i = 0; i < 3; i++)
		pt[DATA / 4096 + i] = (PHYS + i * 4096) | P | U | (random_below(8) ? W : 0);
	pt[CODE / 4096] = TEXT | P | U | (random_below(4) ? 0 : W);
	write_cr3(PD);
}

static u32 sum(const u32 *p, u32 count)
{
	u32 h = 0;

	for (u32 i = 0; i < count; i++)
		h = (h << 5 | h >> 27) ^ p[i];
	return h;
}

/* --- the timer that ends what does not end by itself --- */

static void timer_init(void)
{
	outb(0x20, 0x11);
	outb(0x21, VEC_TIMER);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0x21, 0xff);
}

static void timer_start(void)
{
	outb(0x43, 0x30);
	outb(0x40, (u8)PIT_COUNT);
	outb(0x40, (u8)(PIT_COUNT >> 8));
	outb(0x21, 0xfe);
}

static void timer_stop(void)
{
	outb(0x21, 0xff);
	if (trap_frame.vector == VEC_TIMER)
		outb(0x20, 0x20);
}

static void one(u32 n)
{
	const struct trap *t = &trap_frame;
	struct regs r;
	u32 regs[16];

	make_code();
	make_memory();
	r = make_state();
	__asm__ volatile("fninit");
	timer_start();
	run(&r);
	timer_stop();
	if (t->vector == VEC_TIMER) {
		print("%u: does not end\n", n);
		return;
	}
	regs[0] = t->eax;
	regs[1] = t->ecx;
	regs[2] = t->edx;
	regs[3] = t->ebx;
	regs[4] = t->ebp;
	regs[5] = t->esi;
	regs[6] = t->edi;
	regs[7] = t->esp;
	regs[8] = t->eflags & ~0x8d5u; /* some leave arithmetic flags undefined */
	regs[9] = t->ds | t->es << 16;
	regs[10] = t->fs | t->gs << 16;
	regs[11] = t->cs | t->ss << 16;
	regs[12] = t->vector == 14 ? t->cr2 : 0;
	regs[13] = sum((const u32 *)PHYS, 3 * 1024);
	regs[14] = sum((const u32 *)(PT + DATA / 1024), 5);
	regs[15] = sum((const u32 *)TEXT, 1024);
	print("%u: vec=%u err=%x eip=%x %08x mem=%08x pte=%08x\n", n, t->vector, t->error, t->eip,
	      sum(regs, 13), regs[13] ^ regs[15], regs[14]);
}

int main(void)
{
	rt_init("user_random");
	timer_init();
	memset((void *)PD, 0, 0x2000);
	*(u32 *)PD = PT | P | W | U;
	for (u32 i = 0; i < 1024; i++)
		pt[i] = i << 12 | P | W;
	pt[DATA / 4096 + 3] = 0;
	write_cr3(PD);
	write_cr0(read_cr0() | CR0_PG | CR0_WP | BIT(5));
	for (u32 n = 0; n < PIECES; n++)
		one(n);
	print("[end]\n");
	return 0;
}
