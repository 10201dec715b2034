/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does what it can against Farbus. Each round sets up one mode (real, V86, 16- and
 * 32-bit protected mode at CPL 0 to 3, with and without paging), descriptor tables and page tables
 * with random parts that point at Farbus's slot, and runs pieces of random code there; every fault
 * leads to the next piece, a timer interrupt or the last fault to the next round. Some rounds read,
 * write and search all that can be reached at Farbus's addresses. The round's number is kept in the
 * CMOS, so that resets do not begin again; it and the seed (in the ROM) determine the round.
 *
 * On port E9h: "round N" once in a while, what was found at Farbus's addresses, and LEAK where any
 * of it is Farbus's own.
 */
#include "lib/str.h"
#include "tests/guests/hostile/hostile.h"

#define CMOS	   0x40u
#define FAULTS_MAX 256u
#define TICK	   35795u /* 30 ms */
#define SEARCHED   64u	  /* one round of so many */

static u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void timer_start(void)
{
	outb(0x20, 0x11);
	outb(0xa0, 0x11);
	outb(0x21, 0x20);
	outb(0xa1, 0x28);
	outb(0x21, 4);
	outb(0xa1, 2);
	outb(0x21, 1);
	outb(0xa1, 1);
	outb(0x21, 0xfe);
	outb(0xa1, 0xff);
	outb(0x43, 0x34);
	outb(0x40, (u8)TICK);
	outb(0x40, (u8)(TICK >> 8));
}

static u8 cmos(u8 index)
{
	outb(0x70, index);
	return inb(0x71);
}

static u32 next_round(void)
{
	u32 n = (u32)cmos(CMOS) | (u32)cmos(CMOS + 1) << 8 | (u32)cmos(CMOS + 2) << 16;

	n++;
	for (u32 i = 0; i < 3; i++) {
		outb(0x70, (u8)(CMOS + i));
		outb(0x71, (u8)(n >> i * 8));
	}
	return n & 0xffffff;
}

static void fill_shared(u32 code, u32 mask, u32 flags, u32 stack)
{
	shared->left = FAULTS_MAX;
	shared->random = random_value() | 1;
	shared->code = code;
	shared->mask = mask;
	shared->resume = 0;
	shared->flags = flags;
	shared->stack = stack;
	shared->segment = code_at >> 4;
	for (u32 i = 0; i < POOL; i++)
		shared->pool[i] = i % 8 == 7   ? random_below(32)
				  : i % 8 == 6 ? selector()
				  : i == 5     ? 0x174 + random_below(4)
					       : address();
}

/* --- rounds of random code --- */

/* At which CPL, 32 or 16 bits. */
static __attribute__((noreturn)) void protected_round(u32 cpl, bool small)
{
	u32 flags = (random_value() & (one_in(3) ? 0x2c7dd5 : 0x200dd5)) | FLAG_IF | 2, esp;
	u32 code = small ? SEL_CODE16 + cpl * 9 : SEL_CODE0 + cpl * 0x11;
	u32 data = small ? SEL_DATA16 + cpl * 9 : SEL_DATA0 + cpl * 0x11;
	struct start s = {.ds = data, .es = data, .fs = data, .gs = data, .cs = code, .ss = data};

	if (!one_in(4))
		flags &= ~(u32)FLAG_TF;
	fill_shared(small ? 0 : code_at, CODE_SIZE - 1, flags | 0xcd5,
		    (small ? 0 : DATA_AT) + 0x8000);
	s.eflags = flags & ~(u32)0x4000;
	s.eip = (small ? 0 : code_at) + (random_value() & (CODE_SIZE - 1));
	s.esp = (small ? 0 : DATA_AT) + 0x8000;
	s.edi = address();
	s.esi = address();
	s.ebx = address();
	s.eax = random_value();
	if (cpl == 0) {
		esp = s.esp - 0x100;
		memcpy((void *)((small ? DATA_AT : 0) + esp), &s, sizeof(s));
		enter(esp, data);
	}
	esp = STACK_AT - sizeof(s);
	memcpy((void *)esp, &s, sizeof(s));
	enter(esp, SEL_DATA0);
}

static __attribute__((noreturn)) void v86_round(void)
{
	u32 flags = (random_value() & 0x2cfdd5) | FLAG_IF | 2;
	struct start s = {.cs = code_at >> 4, .ss = DATA_AT >> 4};

	if (!one_in(4))
		flags &= ~(u32)FLAG_TF;
	fill_shared(0, CODE_SIZE - 1, flags & 0x40dd5, 0x8000);
	s.eflags = (flags & ~(u32)0x4000) | FLAG_VM;
	s.eip = random_value() & (CODE_SIZE - 1);
	s.esp = 0x8000;
	s.v86_ds = selector();
	s.v86_es = DATA_AT >> 4;
	s.v86_fs = 0xffff;
	s.v86_gs = random_value() & 0xffff;
	memcpy((void *)(STACK_AT - sizeof(s)), &s, sizeof(s));
	enter(STACK_AT - sizeof(s), SEL_DATA0);
}

static __attribute__((noreturn)) void real_round(void)
{
	u32 *vectors = NULL, handler = rom->real_fault;

	__asm__("" : "+r"(vectors)); /* address 0 is no mistake here */
	for (u32 i = 0; i < 256; i++)
		vectors[i] = 0xf0000000 | (i == 32 ? 0xf000 : handler);
	fill_shared(0, CODE_SIZE - 1, (one_in(4) ? 0xdd5 : 0xcd5) | FLAG_IF, 0);
	enter_real(random_value() & (CODE_SIZE - 1));
}

int main(void)
{
	u32 n = next_round(), searched = rom->rounds & ROUNDS_SEARCH ? 1 : SEARCHED, mode;

	random_state = (n * 2654435761u) ^ (rom->seed * 0x9e3779b1u);
	random_state |= !random_state;
	for (u32 i = 0; i < 4; i++)
		random_value();
	if (n % 4 == 0)
		print("round %u: %u faults, %u traps\n", n, shared->faults, shared->traps);
	mode = random_below(16);
	code_at = mode < 4 ? CODE_LOW_AT + n % CODE_LOW * CODE_SIZE
			   : CODE_AT + n % CODE_PLACES * CODE_SIZE;
	make_code();
	make_segments();
	make_tasks();
	__asm__ volatile("clts\n fninit");
	timer_start();
	if (n % searched == searched - 1) {
		load_tables(false);
		search_round(n / searched % SEARCHES);
	}
	load_tables(one_in(2));
	if (mode == 0 && (rom->rounds & ROUNDS_REAL))
		real_round();
	if (one_in(5) && mode > 3) {
		make_pae_pages(true);
		set_paging(true, one_in(2));
	} else if (!one_in(6) || mode < 4) {
		make_pages(true);
		set_paging(false, one_in(2));
	}
	if (mode < 4)
		v86_round();
	/* CPL 0 and 3 more often than the others. */
	protected_round(mode < 8 ? 3 : mode < 13 ? 0 : mode - 12u, one_in(4));
}
