// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random programs in the style of kernel code: functions that call those after them, directly and
 * through a table, loops, branches, string moves, saved flags. EBP leads to memory, ESP to the
 * stack; the other registers have anything.
 */
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support_writer.h"

static u32 here(const struct writer *w)
{
	return program_eip(w->p) + w->p->len;
}

/* ModR/M for `reg` and memory, or now and then a register. */
static void operand(struct writer *w, u32 reg)
{
	switch (below(w, 4)) {
	case 0:
		byte(w, 0xc0 | reg << 3 | any_reg(w));
		break;
	case 1:
		byte(w, 0x85 | reg << 3);
		word(w, below(w, 0x2000), true);
		break;
	default:
		byte(w, 0x45 | reg << 3);
		byte(w, below(w, 256));
		break;
	}
}

static void arithmetic(struct writer *w)
{
	u32 op = below(w, 8) << 3;

	switch (below(w, 4)) {
	case 0:
		byte(w, op | 1);
		operand(w, any_reg(w));
		break;
	case 1:
		byte(w, op | 3);
		operand(w, any_reg(w));
		break;
	case 2:
		byte(w, 0x81);
		byte(w, 0xc0 | op | any_reg(w));
		word(w, rng_value(&w->r), true);
		break;
	default:
		byte(w, 0x83);
		byte(w, 0xc0 | op | any_reg(w));
		byte(w, below(w, 256));
		break;
	}
}

static void move(struct writer *w)
{
	switch (below(w, 4)) {
	case 0:
		byte(w, 0xb8 | any_reg(w));
		word(w, rng_value(&w->r), true);
		break;
	case 1:
		byte(w, 0x8b);
		operand(w, any_reg(w));
		break;
	case 2:
		byte(w, 0x89);
		operand(w, any_reg(w));
		break;
	default:
		byte(w, 0x8d); /* LEA reg, [ebp + reg * 4 + n] */
		byte(w, 0x44 | any_reg(w) << 3);
		byte(w, 0x85 | REG_EDX << 3);
		byte(w, below(w, 256));
		break;
	}
}

static void other(struct writer *w)
{
	u32 reg = any_reg(w);

	switch (below(w, 10)) {
	case 0:
		byte(w, 0x40 | reg);
		break;
	case 1:
		byte(w, 0x48 | reg);
		break;
	case 2:
		byte(w, 0xf7); /* NOT, NEG */
		byte(w, 0xd0 | below(w, 2) << 3 | reg);
		break;
	case 3:
		byte(w, 0xd1); /* shifts and rotations by one */
		byte(w, 0xc0 | (below(w, 2) ? 4 : below(w, 4)) << 3 | reg);
		break;
	case 4:
		byte(w, 0x0f); /* SETcc [ebp + n] */
		byte(w, 0x90 | below(w, 16));
		byte(w, 0x45);
		byte(w, below(w, 256));
		break;
	case 5:
		byte(w, 0x0f); /* CMOVcc */
		byte(w, 0x40 | below(w, 16));
		operand(w, reg);
		break;
	case 6:
		byte(w, 0x0f); /* BSWAP */
		byte(w, 0xc8 | reg);
		break;
	case 7:
		byte(w, "\xf5\xf8\xf9\x99\x98\x9e\x9f\x90"[below(w, 8)]);
		break;
	case 8:
		byte(w, 0xf0); /* LOCK XADD [ebp + n] */
		bytes(w, "\x0f\xc1", 2);
		byte(w, 0x45 | reg << 3);
		byte(w, below(w, 256));
		break;
	default:
		byte(w, 0x66); /* 16 bits */
		byte(w, 0x01 | below(w, 8) << 3);
		operand(w, reg);
		break;
	}
}

static void simple(struct writer *w)
{
	switch (below(w, 3)) {
	case 0:
		arithmetic(w);
		break;
	case 1:
		move(w);
		break;
	default:
		other(w);
		break;
	}
}

static void items(struct writer *w, u32 count, u32 depth);

static void skip(struct writer *w, u32 depth)
{
	u32 from;

	if (below(w, 8) == 0) { /* JECXZ */
		byte(w, 0xe3);
		byte(w, 0);
		from = w->p->len;
		simple(w);
		w->p->code[from - 1] = (u8)(w->p->len - from);
		return;
	}
	byte(w, 0x0f);
	byte(w, 0x80 | below(w, 16));
	word(w, 0, true);
	from = w->p->len;
	items(w, 1 + below(w, 4), depth + 1);
	*(u32 *)(void *)(w->p->code + from - 4) = w->p->len - from;
}

static void loop(struct writer *w, u32 depth)
{
	u32 start, calls = w->calls;
	static const u8 kind[] = {0xe0, 0xe1, 0xe2, 0xe2};

	if (w->loop)
		return;
	byte(w, 0xb9);
	word(w, 1 + below(w, 6), true);
	start = w->p->len;
	w->loop = true;
	w->calls = 0; /* functions change ECX */
	items(w, 1 + below(w, 3), depth + 2);
	w->loop = false;
	w->calls = calls;
	if (w->p->len - start < 120) {
		byte(w, kind[below(w, 4)]);
		byte(w, start - w->p->len - 1);
		return;
	}
	bytes(w, "\x49\x0f\x85", 3); /* dec ecx; jnz */
	word(w, start - w->p->len - 4, true);
}

static void stack(struct writer *w, u32 depth)
{
	static const char *const around[][2] = {
		{"\x50", "\x5a"}, {"\x56", "\x5f"}, {"\x9c", "\x9d"}, {"\x9c", "\x5b"}};
	u32 which = below(w, 4);

	byte(w, (u8)around[which][0][0]);
	if (which == 2 && w->p->kind != PROGRAM_USER)
		byte(w, 0xfa); /* CLI */
	items(w, below(w, 3), depth + 1);
	byte(w, (u8)around[which][1][0]);
}

static void string(struct writer *w)
{
	if (w->loop)
		return;
	bytes(w, "\x8d\xb5", 2); /* lea esi, [ebp + n]; lea edi, [ebp + n] */
	word(w, below(w, 0x1000), true);
	bytes(w, "\x8d\xbd", 2);
	word(w, below(w, 0x1000), true);
	byte(w, 0xb9);
	word(w, below(w, 20), true);
	byte(w, 0xfc); /* cld; rep movs or stos */
	byte(w, 0xf3);
	byte(w, "\xa4\xa5\xaa\xab"[below(w, 4)]);
}

static u32 callee(const struct writer *w, u32 n)
{
	return w->p->function[n];
}

/* Functions are written from the last one on: those after this one have an address. */
static void call(struct writer *w)
{
	u32 n = w->function + 1;

	if (w->calls == 0 || n >= PROGRAM_FUNCTIONS)
		return;
	w->calls--;
	n += below(w, PROGRAM_FUNCTIONS - n);
	byte(w, 0x68); /* the argument that the callee's RET 4 drops */
	word(w, rng_next(&w->r), true);
	switch (below(w, 3)) {
	case 0:
		byte(w, 0xe8);
		word(w, callee(w, n) - here(w) - 4, true);
		break;
	case 1:
		byte(w, 0xb9); /* mov ecx, n; call [ecx * 4 + table] */
		word(w, n, true);
		bytes(w, "\xff\x14\x8d", 3);
		word(w, TABLE_LIN - program_data(w->p), true);
		break;
	default:
		byte(w, 0xb8); /* mov eax, f; call eax */
		word(w, callee(w, n), true);
		bytes(w, "\xff\xd0", 2);
		break;
	}
}

static void jump(struct writer *w)
{
	if (below(w, 2)) { /* jmp over garbage */
		bytes(w, "\xeb\x02\x0f\x0b", 4);
		return;
	}
	byte(w, 0xba); /* mov edx, there; jmp edx */
	word(w, here(w) + 4 + 2 + 1, true);
	bytes(w, "\xff\xe2\xcc", 3);
}

/* Segment registers, as a kernel's entry and exit have them: all of them stay flat. */
static void segments(struct writer *w)
{
	static const char *const push[] = {"\x06", "\x0e", "\x16", "\x1e", "\x0f\xa0", "\x0f\xa8"};
	static const u8 to[] = {0xd8, 0xc0, 0xe0}; /* DS, ES, FS */
	u32 sel = SEL_FIRST + 8 * below(w, (SEL_LAST - SEL_FIRST) / 8 + 1), n = below(w, 6);

	switch (below(w, 6)) {
	case 0:
		bytes(w, push[n], (u32)strlen(push[n]));
		byte(w, 0x58 | any_reg(w));
		break;
	case 1: /* MOV reg, seg, of 32 or 16 bits */
		if (below(w, 3) == 0)
			byte(w, 0x66);
		byte(w, 0x8c);
		byte(w, 0xc0 | n << 3 | any_reg(w));
		break;
	case 2: /* push ds or es or ss; pop es or ds */
		byte(w, "\x06\x16\x1e"[below(w, 3)]);
		byte(w, "\x07\x1f"[below(w, 2)]);
		break;
	case 3:
		bytes(w, "\xba",
		      1); /* mov edx, sel; mov seg, dx, as old assemblers write it, too */
		word(w, sel, true);
		if (below(w, 3) == 0)
			byte(w, 0x66);
		byte(w, 0x8e);
		byte(w, to[below(w, 3)] | REG_EDX);
		break;
	case 4: /* push sel; mov seg, [esp]; pop seg */
		byte(w, 0x6a);
		byte(w, sel);
		byte(w, 0x8e);
		byte(w, (to[below(w, 3)] & 0x38) | 4);
		byte(w, 0x24);
		byte(w, "\x07\x1f"[below(w, 2)]);
		break;
	default: /* push 0; pop fs */
		bytes(w, "\x6a\x00\x0f\xa1", 4);
		break;
	}
}

/* What translated code leaves for, and goes on behind, or would if it did not know the answer. */
static void host_calls(struct writer *w)
{
	static const char *const control[] = {
		"\x0f\x20\xd1", /* MOV ECX, CR2; MOV ECX, DR6; MOV DR7, 0 by ECX */
		"\x0f\x21\xf1",
		"\x31\xc9\x0f\x23\xf9",
		"\x0f\x06",	    /* CLTS */
		"\x0f\x01\x7d\x08", /* INVLPG [ebp + 8] */
		"\x0f\x20\xc2",	    /* MOV EDX, CR0; EAX, CR3; ESI, CR4 */
		"\x0f\x20\xd8",
		"\x0f\x20\xe6",
		"\x0f\x20\xc0\x0f\x22\xc0", /* MOV to CR0, CR2 */
		"\x0f\x22\xd1",
		"\x0f\x21\xff", /* MOV EDI, DR7; DR6, EAX */
		"\x0f\x23\xf0",
		"\x31\xc0\x0f\x23\xf8",			/* MOV DR7, 0 */
		"\x6a\x01\x5a\xc1\xe2\x18\x0f\x23\xfa", /* MOV DR7, 1000000h */
	};
	u32 first = w->loop ? 3 : 0; /* without those that change ECX, or it has no end */
	u32 n = first + below(w, ARRAY_SIZE(control) - first + 4);

	if (n < ARRAY_SIZE(control)) {
		bytes(w, control[n], (u32)strlen(control[n]));
		return;
	}
	if (below(w, 3) == 0)
		byte(w, 0x66);
	port(w);
}

static void privileged(struct writer *w)
{
	u32 flags = FLAGS_ARITH | FLAG_IF;

	if (w->p->kind == PROGRAM_USER)
		return;
	if (w->p->kind == PROGRAM_SYSTEM_ID)
		flags |= FLAG_ID;
	switch (below(w, 11)) {
	case 8:
	case 9:
	case 10:
		host_calls(w);
		break;
	case 0:
		byte(w, 0xfa);
		break;
	case 1:
		byte(w, 0xfb);
		break;
	case 2:
		bytes(w, "\x0f\x01\xe0", 3); /* SMSW EAX */
		break;
	case 3:
	case 6:
	case 7:
		segments(w);
		break;
	case 4:
		bytes(w, "\xfb\x90\xfa", 3); /* interrupts for a moment */
		break;
	default:
		if (below(w, 3) == 0)
			flags |= FLAG_IOPL | FLAG_NT;
		byte(w, 0x68); /* push n; popf */
		word(w, rng_next(&w->r) & flags, true);
		byte(w, 0x9d);
		break;
	}
}

static void items(struct writer *w, u32 count, u32 depth)
{
	while (count-- && w->p->len < PROGRAM_SIZE - 1024) {
		u32 which = below(w, depth > 3 ? 8 : 20);

		if (which < 8)
			simple(w);
		else if (which < 11)
			skip(w, depth);
		else if (which < 13)
			loop(w, depth);
		else if (which < 15)
			stack(w, depth);
		else if (which == 15)
			string(w);
		else if (which == 16)
			jump(w);
		else if (which == 17)
			privileged(w);
		else
			call(w);
	}
}

void program_make(struct program *p, u32 seed, enum program_kind kind, u32 mode)
{
	struct writer w = writer_of(p, seed, kind, mode);
	u32 main_call;

	bytes(&w, "\x6a\x00\xe8", 3); /* push 0; call main; hlt */
	main_call = p->len;
	word(&w, 0, true);
	p->end = here(&w);
	bytes(&w, "\xf4\x90\x90\x90\x90", 5);
	for (u32 n = PROGRAM_FUNCTIONS; n-- > 0;) {
		begin_function(&w, n);
		p->function[n] = here(&w);
		items(&w, 4 + below(&w, 10), 0);
		bytes(&w, "\xc2\x04\x00", 3); /* RET 4 */
	}
	*(u32 *)(void *)(p->code + main_call) = p->function[0] - (program_eip(p) + main_call + 4);
}
