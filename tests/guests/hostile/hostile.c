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
#include "lib/fmt.h"
#include "lib/str.h"
#include "tests/guests/hostile/layout.h"

#define CMOS	   0x40u
#define SLOT	   0xfc000000u
#define SLOT_PAGES 1024u
#define FAULTS_MAX 256u
#define TICK	   11932u /* 10 ms */
#define SEARCHED   64u	  /* one round of so many */

#define SEL_CODE0  0x08u
#define SEL_DATA0  0x10u
#define SEL_TSS	   0x48u
#define SEL_LDT	   0x50u
#define SEL_FAULT  0x58u
#define SEL_CODE16 0x70u /* of CPL 0; the others follow, RPL included */
#define SEL_DATA16 0x90u
#define GDT_FIXED  22u

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
enum { FLAG_TF = 0x100, FLAG_IF = 0x200, FLAG_VM = 0x20000 };

/* Farbus's image has "Farbus monitor: guest stopped"; this must not have it. */
static const u32 secret[2] = {0x62726146 ^ ~0u, 0x6d207375 ^ ~0u};

static u32 state;
static u32 code_at; /* this round's */

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

static bool one_in(u32 n)
{
	return random_below(n) == 0;
}

static void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static __attribute__((format(printf, 1, 2))) void print(const char *format, ...)
{
	char line[128];
	va_list ap;

	va_start(ap, format);
	fmt_va(line, sizeof(line), format, ap);
	va_end(ap);
	for (const char *p = line; *p; p++)
		outb(0xe9, (u8)*p);
}

/* --- addresses and code --- */

/* Somewhere in Farbus's part of the linear space, more often where it has much. */
static u32 slot_address(void)
{
	u32 off = random_value() & 0x3fffff;

	if (one_in(2))
		off &= 0xfffff; /* the image */
	else if (one_in(2))
		off = 0x100000 + (off & 0x1fffff); /* translations and their state */
	return SLOT + off + (one_in(16) ? random_value() & 0x3c00000 : 0);
}

static u32 address(void)
{
	switch (random_below(12)) {
	case 0:
		return code_at + (random_value() & (CODE_SIZE - 1));
	case 1:
	case 2:
		return DATA_AT + (random_value() & (DATA_SIZE - 1));
	case 3:
		return PD_AT + (random_value() & 0x5fff);
	case 4:
		return GDT_AT + (random_value() & 0x2fff);
	case 5:
		return TSS_AT + (random_value() & 0x1ff);
	case 6:
		return random_value();
	case 7:
		return SLOT - 8 + random_below(16);
	default:
		return slot_address();
	}
}

/* Farbus's own selectors are the last of its GDT, those of translated code are in its LDT. */
static u32 selector(void)
{
	switch (random_below(4)) {
	case 0:
		return 0xffc0 + random_below(0x40);
	case 1:
		return random_below(0x860);
	case 2:
		return random_below(0x100);
	default:
		return random_value() & 0xffff;
	}
}

static u32 put(u8 *p, const void *bytes, u32 n)
{
	memcpy(p, bytes, n);
	return n;
}

static u32 put32(u8 *p, u32 value)
{
	return put(p, &value, 4);
}

struct piece {
	u8 len;
	const char *bytes;
};
#define PIECE(bytes)                                                                               \
	{                                                                                          \
		sizeof(bytes) - 1, bytes                                                           \
	}

/* What random bytes seldom are: in front of an address. */
static const struct piece with_address[] = {
	PIECE("\x0f\x01\x05"), PIECE("\x0f\x01\x0d"), PIECE("\x0f\x01\x15"), PIECE("\x0f\x01\x1d"),
	PIECE("\x0f\x01\x25"), PIECE("\x0f\x01\x35"), PIECE("\x0f\x01\x3d"), PIECE("\x0f\x00\x05"),
	PIECE("\x0f\x00\x0d"), PIECE("\x0f\x00\x15"), PIECE("\x0f\x00\x1d"), PIECE("\x0f\x00\x25"),
	PIECE("\x0f\x00\x2d"), PIECE("\x0f\x02\x05"), PIECE("\x0f\x03\x05"), PIECE("\x0f\xae\x05"),
	PIECE("\x0f\xae\x0d"), PIECE("\x0f\xae\x15"), PIECE("\x0f\xc7\x0d"), PIECE("\xdd\x35"),
	PIECE("\xdd\x25"),     PIECE("\xd9\x25"),     PIECE("\xd9\x35"),     PIECE("\xff\x15"),
	PIECE("\xff\x25"),     PIECE("\xff\x1d"),     PIECE("\xff\x2d"),     PIECE("\xff\x35"),
	PIECE("\xff\x05"),     PIECE("\x8f\x05"),     PIECE("\x0f\xb2\x25"), PIECE("\x0f\xb4\x05"),
	PIECE("\x0f\xb5\x05"), PIECE("\xc5\x05"),     PIECE("\xc4\x05"),     PIECE("\x8e\x1d"),
	PIECE("\x8e\x15"),     PIECE("\x8e\x2d"),     PIECE("\x8c\x0d"),     PIECE("\x62\x05"),
	PIECE("\x01\x05"),     PIECE("\x89\x05"),     PIECE("\x8b\x05"),     PIECE("\x87\x05"),
	PIECE("\xf0\x01\x05"), PIECE("\x0f\xab\x05"), PIECE("\x0f\xb1\x05"), PIECE("\x0f\xc1\x05"),
	PIECE("\x65\x8b\x05"), PIECE("\x2e\x8b\x05"), PIECE("\xa1"),	     PIECE("\xa3"),
	PIECE("\xbc"),	       PIECE("\xbd"),	      PIECE("\xbe"),	     PIECE("\xbf"),
	PIECE("\xbb"),	       PIECE("\xb8"),	      PIECE("\x68"),
};

/* As they are. */
static const struct piece alone[] = {
	PIECE("\x0f\x22\xc0"), PIECE("\x0f\x22\xd8"), PIECE("\x0f\x22\xe0"),
	PIECE("\x0f\x20\xc0"), PIECE("\x0f\x01\xf0"), PIECE("\x0f\x23\xf8"),
	PIECE("\x0f\x23\xc0"), PIECE("\x0f\x23\xc9"), PIECE("\x0f\x21\xf0"),
	PIECE("\x0f\x30"),     PIECE("\x0f\x32"),     PIECE("\x0f\x34"),
	PIECE("\x0f\x35"),     PIECE("\x0f\x05"),     PIECE("\x0f\x07"),
	PIECE("\x0f\x33"),     PIECE("\x0f\x31"),     PIECE("\x0f\xa2"),
	PIECE("\x0f\x06"),     PIECE("\x0f\x08"),     PIECE("\x8e\xd8"),
	PIECE("\x8e\xd0\xcd"), PIECE("\x8e\xd0\xcc"), PIECE("\x8e\xd3\xf1"),
	PIECE("\x17\xcd\x80"), PIECE("\x17\x0f\x34"), PIECE("\x9d\x8e\xd0"),
	PIECE("\x9d\x17\xcc"), PIECE("\x9d\x0f\x34"), PIECE("\x1f"),
	PIECE("\x07"),	       PIECE("\x0f\xa1"),     PIECE("\x0f\xa9"),
	PIECE("\xcf"),	       PIECE("\x66\xcf"),     PIECE("\xcb"),
	PIECE("\xca\x04"),     PIECE("\xc3"),	      PIECE("\xc2\x08"),
	PIECE("\xcc"),	       PIECE("\xce"),	      PIECE("\xf1"),
	PIECE("\x9d"),	       PIECE("\x9c"),	      PIECE("\xfb"),
	PIECE("\xf3\xa5"),     PIECE("\xf3\xab"),     PIECE("\xf3\xa4"),
	PIECE("\xf3\xad"),     PIECE("\x66\xf3\xa5"), PIECE("\xf0\x0f\xc7\xc8"),
	PIECE("\x0f\x0b"),     PIECE("\xd6"),	      PIECE("\xc8\x10"),
	PIECE("\x61"),	       PIECE("\x60"),	      PIECE("\x9b"),
	PIECE("\xdd\xd8"),     PIECE("\xd9\xe5"),     PIECE("\xdb\xe3"),
	PIECE("\x0f\x77"),     PIECE("\x0f\x00\xd8"), PIECE("\x0f\x00\xd0"),
	PIECE("\x0f\x00\xe0"), PIECE("\x63\xc0"),     PIECE("\xec"),
	PIECE("\xee"),	       PIECE("\xe4\x61"),     PIECE("\xe6\x80"),
	PIECE("\x6d"),	       PIECE("\x6f"),	      PIECE("\xe2\xf0"),
	PIECE("\xeb\x06"),     PIECE("\x75\xf8"),     PIECE("\xff\xd0"),
	PIECE("\xff\xe3"),     PIECE("\x0f\x0f"),     PIECE("\x0f\x18"),
	PIECE("\x0f\x1e\xfa"), PIECE("\xd7"),
};

static u32 put_interesting(u8 *p, u32 at)
{
	u32 n;

	switch (random_below(8)) {
	case 0: /* near CALL and JMP */
		*p = (u8)(0xe8 + random_below(2));
		return 1 + put32(p + 1, address() - (at + 5));
	case 1: /* far ones */
		*p = one_in(2) ? 0x9a : 0xea;
		n = 1 + put32(p + 1, address());
		return n + put(p + n, &(u16){(u16)selector()}, 2);
	case 2: /* MOV [address], value */
		n = put(p, "\xc7\x05", 2);
		n += put32(p + n, address());
		return n + put32(p + n, one_in(2) ? address() : random_value());
	case 3: { /* MOV to a segment register of a selector */
		static const u8 reg[] = {0xd8, 0xc0, 0xd0, 0xe0, 0xe8};

		*p = 0xb8;
		n = 1 + put32(p + 1, selector());
		p[n] = 0x8e;
		p[n + 1] = reg[random_below(sizeof(reg))];
		return n + 2;
	}
	case 4:
	case 5: {
		const struct piece *s = &alone[random_below(ARRAY_SIZE(alone))];

		return put(p, s->bytes, s->len);
	}
	default: {
		const struct piece *s = &with_address[random_below(ARRAY_SIZE(with_address))];

		n = put(p, s->bytes, s->len);
		return n + put32(p + n, address());
	}
	}
}

/* CLI and HLT would end most pieces for good: no fault and no interrupt comes then. */
static u8 random_byte(void)
{
	u8 byte = (u8)(random_value() >> 9);

	return byte == 0xfa || byte == 0xf4 ? 0x90 : byte;
}

static void make_code(void)
{
	u8 *code = (u8 *)code_at;
	u32 plain = random_below(4) * 8;

	for (u32 i = 0; i < CODE_SIZE - 32;) {
		for (u32 n = random_below(8 + plain); n && i < CODE_SIZE - 32; n--)
			code[i++] = random_byte();
		i += put_interesting(code + i, code_at + i);
	}
	for (u32 i = 0; i < DATA_SIZE; i += 4)
		*(u32 *)(DATA_AT + i) = one_in(4) ? selector() : address();
}

/* --- tables --- */

static u64 descriptor(u32 base, u32 limit, u32 access, u32 flags)
{
	u32 low = (limit & 0xffff) | base << 16;
	u32 high = (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | flags << 20 |
		   (base & 0xff000000);

	return (u64)high << 32 | low;
}

static u64 gate(u32 sel, u32 off, u32 access, u32 params)
{
	return (u64)((off & 0xffff0000) | access << 8 | params) << 32 | (off & 0xffff) | sel << 16;
}

static u64 random_descriptor(void)
{
	u32 dpl = random_below(4) << 5;

	switch (random_below(6)) {
	case 0: /* data around the slot */
		return descriptor(slot_address(), random_value() & 0xfffff, 0x92 | dpl, 0xc);
	case 1: /* expand-down and odd ones */
		return descriptor(one_in(2) ? 0 : address(), random_value() & 0xfffff,
				  0x90 | dpl | random_below(16), random_below(16) & ~2u);
	case 2: /* call, interrupt, trap and task gates */
		return gate(one_in(2) ? SEL_CODE0 : selector(), address(),
			    0x80 | dpl |
				    (one_in(3)	 ? 5
				     : one_in(2) ? 0xc
						 : 0xe),
			    random_below(32));
	case 3: /* TSSs and LDTs */
		return descriptor(address(), 0x67 + random_below(0x100),
				  0x80 | dpl |
					  (one_in(2)   ? 9
					   : one_in(2) ? 2
						       : random_below(16)),
				  random_below(4) ? 0 : 8);
	case 4:
		return descriptor(0, 0xfffff, (one_in(2) ? 0x9a : 0x92) | dpl, 0xc);
	default:
		return (u64)random_value() << 32 | random_value();
	}
}

static void make_segments(void)
{
	u64 *gdt = (u64 *)GDT_AT, *ldt = (u64 *)LDT_AT, *idt = (u64 *)IDT_AT;

	for (u32 i = 0; i < 256; i++) {
		gdt[i] = random_descriptor();
		ldt[i] = random_descriptor();
	}
	gdt[0] = 0;
	for (u32 cpl = 0; cpl < 4; cpl++) {
		gdt[1 + 2 * cpl] = descriptor(0, 0xfffff, 0x9b | cpl << 5, 0xc);
		gdt[2 + 2 * cpl] = descriptor(0, 0xfffff, 0x93 | cpl << 5, 0xc);
		gdt[SEL_CODE16 / 8 + cpl] = descriptor(code_at, 0xffff, 0x9b | cpl << 5, 0);
		gdt[SEL_DATA16 / 8 + cpl] = descriptor(DATA_AT, 0xffff, 0x93 | cpl << 5, 0);
	}
	gdt[SEL_TSS / 8] = descriptor(TSS_AT, 0x167, 0x89, 0);
	gdt[SEL_FAULT / 8] = descriptor(TSS_FAULT_AT, 0x67, 0x89, 0);
	gdt[SEL_LDT / 8] = descriptor(LDT_AT, 0x7ff, 0x82, 0);
	gdt[12] = descriptor(0xf0000, 0xffff, 0x9b, 0);
	gdt[13] = descriptor(0, 0xffff, 0x93, 0);
	/* The ROM's handlers; behind them whatever there may be. */
	memcpy(idt, (void *)rom->idt, 0x110);
	for (u32 i = 34; i < 256; i++)
		idt[i] = one_in(3) ? random_descriptor() : idt[0];
}

static void make_tasks(u32 cr3)
{
	u32 *main_tss = (u32 *)TSS_AT, *fault = (u32 *)TSS_FAULT_AT;

	memset(main_tss, 0, 0x100);
	memset(fault, 0, 0x100);
	for (u32 cpl = 0; cpl < 3; cpl++) {
		main_tss[1 + 2 * cpl] = cpl ? DATA_AT + 0x8000 : STACK_AT;
		main_tss[2 + 2 * cpl] = SEL_DATA0 + cpl * 0x11;
	}
	main_tss[25] = (one_in(2) ? 0x68u : 0x168u) << 16;
	fault[7] = cr3;
	fault[8] = (u32)end_round;
	fault[9] = 2;
	fault[14] = STACK_AT - 0x400;
	fault[18] = SEL_DATA0;
	fault[19] = SEL_CODE0;
	fault[20] = SEL_DATA0;
	fault[21] = SEL_DATA0;
	fault[25] = 0x68u << 16;
}

static u32 random_entry(void)
{
	u32 bits = (random_value() & 0xfff) | (one_in(4) ? 0 : P | W | U);

	return (address() & 0xfff000) | (one_in(8) ? random_value() & 0xff000000 : 0) |
	       (bits & ~(u32)(one_in(8) ? 0 : PS));
}

/* What the guest has at Farbus's addresses itself: nothing, memory, half of it, its own tables. */
static u32 slot_entry(void)
{
	u32 *pt = (u32 *)PT_SLOT_AT;

	for (u32 i = 0; i < 1024; i++)
		pt[i] = one_in(3) ? 0 : random_entry();
	switch (random_below(16)) { /* code of CPL 0 is translated only where there is nothing */
	case 0:
		return PT_SLOT_AT | P | W | U;
	case 1:
		return 0x800000 | PS | P | W | U;
	case 2:
		return PD_AT | P | W | U;
	case 3:
		return PT_LOW_AT | P | (random_value() & (W | U | G | PS));
	default:
		return 0;
	}
}

static void make_pages(bool all_user, bool slot)
{
	u32 *pd = (u32 *)PD_AT, *pt = (u32 *)PT_LOW_AT;
	u64 *pdpt = (u64 *)PDPT_AT, *low = (u64 *)PAE_LOW_AT, *high = (u64 *)PAE_HIGH_AT;

	for (u32 i = 0; i < 1024; i++) {
		pt[i] = i << 12 | P | W | U;
		pd[i] = one_in(4) && slot ? random_entry() : 0;
		if (!all_user && i >= DATA_AT >> 12 && i < 0x60 && one_in(8))
			pt[i] = random_entry();
		if (!all_user && (i < 0x10 || (i > 0x30 && i < 0x40)) && one_in(4))
			pt[i] &= one_in(2) ? ~(u32)U : ~(u32)W;
	}
	pd[0] = PT_LOW_AT | P | W | U;
	pd[1] = 0x400000 | PS | P | W | U;
	pd[2] = 0x800000 | PS | P | W | U;
	pd[3] = 0xc00000 | PS | P | W | U;
	pd[SLOT >> 22] = slot ? slot_entry() : 0;
	for (u32 i = 0; i < 512; i++) {
		low[i] = (u64)(i << 21) | PS | P | W | U;
		high[i] = slot && one_in(3) ? random_entry() : 0;
	}
	low[0] = PAE_PT_AT | P | W | U;
	for (u32 i = 0; i < 512; i++)
		((u64 *)PAE_PT_AT)[i] = i << 12 | P | W | U;
	pdpt[0] = PAE_LOW_AT | P;
	pdpt[1] = pdpt[2] = 0;
	pdpt[3] = slot && one_in(2) ? PAE_HIGH_AT | P : 0;
	if (!slot)
		pdpt[3] = PAE_HIGH_AT | P;
}

/* --- the machine --- */

static void load_tables(bool own_idt)
{
	struct {
		u16 limit;
		u32 base;
	} __attribute__((packed)) gdtr = {0x7ff, GDT_AT}, idtr = {0x7ff, IDT_AT};

	__asm__ volatile("lgdt %0" ::"m"(gdtr));
	if (own_idt)
		__asm__ volatile("lidt %0" ::"m"(idtr));
	__asm__ volatile("ltr %w0\n lldt %w1" ::"r"(SEL_TSS), "r"(SEL_LDT));
}

static void set_paging(bool pae, bool more)
{
	u32 cr4 = 0x10 | (pae ? 0x20 : 0), cr0;

	if (more)
		cr4 |= random_value() & 0x68f; /* VME PVI TSD DE PGE, FXSR, SIMD exceptions */
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4));
	__asm__ volatile("mov %0, %%cr3" ::"r"(pae ? PDPT_AT : PD_AT));
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	cr0 |= 0x80000000 | (more ? random_value() & 0x5002e : 0); /* AM WP NE MP EM TS */
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0) : "memory");
}

static void clear_task_switched(void)
{
	__asm__ volatile("clts\n fninit");
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

/* --- rounds that search --- */

static u32 readable(u32 address_)
{
	return copy_page(FOUND_AT, address_) == 0;
}

/* What can be read of the slot goes to FOUND_AT, page by page, and is looked through. */
static void search_slot(const char *how)
{
	u32 pages = 0, first = 0, last = 0;

	for (u32 i = 0; i < SLOT_PAGES; i++) {
		u32 page = SLOT + i * 4096, to = FOUND_AT + i * 4096;
		const u32 *p = (const u32 *)to;

		memset((void *)to, 0, 4096);
		if (copy_page(to, page))
			continue;
		if (p[0] == ~0u && p[1] == ~0u && p[1023] == ~0u)
			continue; /* nobody answers */
		last = page;
		if (!pages++)
			first = page;
		for (u32 n = 0; n < 4092; n++) {
			const u32 *at = (const u32 *)(const void *)((const u8 *)p + n);

			if (at[0] == ~secret[0] && at[1] == ~secret[1])
				print("LEAK at %08x, %s\n", page + n, how);
		}
	}
	print("slot: %u pages, %08x to %08x, %s\n", pages, first, last, how);
}

/* Some of all the rest, where nothing is mapped. */
static void search_elsewhere(const char *how)
{
	u32 pages = 0, at = 0;

	for (u32 i = 0; i < 4096; i++) {
		u32 page = (random_value() & 0xfffff000) | 0x10000000;

		if (page >> 26 == SLOT >> 26 || !readable(page) || *(u32 *)FOUND_AT == ~0u)
			continue;
		at = page;
		pages++;
	}
	print("elsewhere: %u pages, %08x, %s\n", pages, at, how);
}

/* Each page of the slot is written to. */
static void write_slot(void)
{
	for (u32 i = 0; i < SLOT_PAGES; i++)
		copy_page(SLOT + i * 4096, DATA_AT);
}

static void search(const char *how)
{
	shared->resume = 0;
	search_slot(how);
	search_elsewhere(how);
	if (one_in(2))
		write_slot();
}

/* At CPL 3; 21h ends it. */
static void search_user(void)
{
	search("CPL 3");
	__asm__ volatile("int $0x21");
}

static __attribute__((noreturn)) void user_search_round(void)
{
	struct start s = {.ds = SEL_DATA0 + 0x33,
			  .es = SEL_DATA0 + 0x33,
			  .cs = SEL_CODE0 + 0x33,
			  .ss = SEL_DATA0 + 0x33,
			  .eip = (u32)search_user,
			  .esp = DATA_AT + 0xf000,
			  .eflags = FLAG_IF | 0x3002}; /* IOPL 3: it prints */

	memcpy((void *)(STACK_AT - sizeof(s)), &s, sizeof(s));
	enter(STACK_AT - sizeof(s), SEL_DATA0);
}

static __attribute__((noreturn)) void search_round(u32 kind)
{
	outb(0x21, 0xff);
	make_pages(true, false);
	if (kind == 0)
		search("no paging");
	else
		set_paging(kind == 3, false);
	if (kind == 2)
		user_search_round();
	if (kind == 1)
		search("CPL 0");
	if (kind == 3)
		search("PAE");
	end_round();
}

int main(void)
{
	u32 n = next_round(), mode;

	state = (n * 2654435761u) ^ (rom->seed * 0x9e3779b1u);
	state |= !state;
	for (u32 i = 0; i < 4; i++)
		random_value();
	if (n % 8 == 0)
		print("round %u: %u faults, %u traps\n", n, shared->faults, shared->traps);
	mode = random_below(16);
	code_at = mode < 4 ? CODE_LOW_AT + n % CODE_LOW * CODE_SIZE
			   : CODE_AT + n % CODE_PLACES * CODE_SIZE;
	make_code();
	make_segments();
	make_tasks(PD_AT);
	make_pages(false, true);
	clear_task_switched();
	timer_start();
	if (n % SEARCHED == SEARCHED - 1) {
		load_tables(false);
		search_round(n / SEARCHED % 4);
	}
	load_tables(one_in(2));
	if (mode == 0)
		real_round();
	if (!one_in(6) || mode < 4)
		set_paging(mode > 3 && one_in(5), one_in(2));
	if (mode < 4)
		v86_round();
	/* CPL 0 and 3 more often than the others. */
	protected_round(mode < 8 ? 3 : mode < 13 ? 0 : mode - 12u, one_in(4));
}
