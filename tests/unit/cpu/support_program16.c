// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random programs as support_program.c makes them, as 16-bit code: operands and addresses of both
 * sizes, calls and returns of 16 and 32 bits. (E)BP leads to memory.
 */
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support_writer.h"

/* An instruction begins, with these sizes. */
static void sized(struct writer *w, bool o32, bool a32)
{
	bool first = below(w, 2);

	w->o32 = o32;
	w->a32 = a32;
	if (o32 && first)
		byte(w, 0x66);
	if (a32)
		byte(w, 0x67);
	if (o32 && !first)
		byte(w, 0x66);
}

static void any_size(struct writer *w)
{
	sized(w, below(w, 3) == 0, below(w, 3) == 0);
}

/* ModR/M for `reg` and memory, or now and then a register. */
static void operand(struct writer *w, u32 reg)
{
	u32 rm = w->a32 ? 5 : 6; /* [ebp + n], [bp + n] */

	switch (below(w, 4)) {
	case 0:
		byte(w, 0xc0 | reg << 3 | any_reg(w));
		break;
	case 1:
		byte(w, 0x80 | reg << 3 | rm);
		word(w, below(w, 0x2000), w->a32);
		break;
	default:
		byte(w, 0x40 | reg << 3 | rm);
		byte(w, below(w, 256));
		break;
	}
}

static void mov_imm(struct writer *w, u32 reg, u32 value, bool wide)
{
	sized(w, wide, false);
	byte(w, 0xb8 | reg);
	word(w, value, wide);
}

static void arithmetic(struct writer *w)
{
	u32 op = below(w, 8) << 3;

	any_size(w);
	switch (below(w, 4)) {
	case 0:
	case 1:
		byte(w, op | (below(w, 2) ? 1 : 3));
		operand(w, any_reg(w));
		break;
	case 2:
		byte(w, 0x81);
		byte(w, 0xc0 | op | any_reg(w));
		word(w, rng_value(&w->r), w->o32);
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
	any_size(w);
	switch (below(w, 5)) {
	case 0:
		byte(w, 0xb8 | any_reg(w));
		word(w, rng_value(&w->r), w->o32);
		break;
	case 1:
		byte(w, 0x8b);
		operand(w, any_reg(w));
		break;
	case 2:
		byte(w, 0x89);
		operand(w, any_reg(w));
		break;
	case 3:
		byte(w, "\xa1\xa3"[below(w, 2)]); /* MOV with an address of its own */
		word(w, 0x800 + below(w, 0x1000), w->a32);
		break;
	default:
		byte(w, 0x8d); /* LEA reg, [bp + si + n] or [ebp + n] */
		byte(w, (w->a32 ? 0x45 : 0x42) | any_reg(w) << 3);
		byte(w, below(w, 256));
		break;
	}
}

static void other(struct writer *w)
{
	u32 reg = any_reg(w);

	any_size(w);
	switch (below(w, 10)) {
	case 0:
		byte(w, (below(w, 2) ? 0x40 : 0x48) | reg);
		break;
	case 1:
		byte(w, 0xf7); /* NOT, NEG */
		byte(w, 0xd0 | below(w, 2) << 3 | reg);
		break;
	case 2:
		byte(w, 0xd1); /* shifts and rotations by one */
		byte(w, 0xc0 | (below(w, 2) ? 4 : below(w, 4)) << 3 | reg);
		break;
	case 3:
		byte(w, 0x0f); /* SETcc [bp + n] */
		byte(w, 0x90 | below(w, 16));
		byte(w, w->a32 ? 0x45 : 0x46);
		byte(w, below(w, 256));
		break;
	case 4:
		byte(w, 0x0f); /* CMOVcc */
		byte(w, 0x40 | below(w, 16));
		operand(w, reg);
		break;
	case 5:
		byte(w, 0x0f); /* MOVZX, MOVSX */
		byte(w, "\xb6\xb7\xbe\xbf"[below(w, 4)]);
		operand(w, reg);
		break;
	case 6:
		byte(w, "\xf5\xf8\xf9\x99\x98\x9e\x9f\x90"[below(w, 8)]);
		break;
	case 7:
		byte(w, 0xf0); /* LOCK XADD [bp + n] */
		bytes(w, "\x0f\xc1", 2);
		byte(w, (w->a32 ? 0x45 : 0x46) | reg << 3);
		byte(w, below(w, 256));
		break;
	case 8:
		byte(w, 0x36); /* another segment, of the same memory */
		byte(w, 0x8b);
		operand(w, reg);
		break;
	default:
		byte(w, 0x69); /* IMUL, of which flags are undefined; then SUB defines them */
		byte(w, 0xc0 | reg << 3 | reg);
		word(w, 2 + below(w, 100), w->o32);
		byte(w, 0x29);
		byte(w, 0xc0 | reg << 3 | reg);
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

static void set_distance(struct writer *w, u32 from, bool wide)
{
	u32 distance = w->p->len - from;

	memcpy(w->p->code + from - (wide ? 4 : 2), &distance, wide ? 4 : 2);
}

static void skip(struct writer *w, u32 depth)
{
	bool wide = below(w, 3) == 0;
	u32 from;

	sized(w, wide, below(w, 2));
	if (below(w, 8) == 0) { /* JCXZ, JECXZ */
		byte(w, 0xe3);
		byte(w, 0);
		from = w->p->len;
		simple(w);
		w->p->code[from - 1] = (u8)(w->p->len - from);
		return;
	}
	byte(w, 0x0f);
	byte(w, 0x80 | below(w, 16));
	word(w, 0, wide);
	from = w->p->len;
	items(w, 1 + below(w, 4), depth + 1);
	set_distance(w, from, wide);
}

static void loop(struct writer *w, u32 depth)
{
	static const u8 kind[] = {0xe0, 0xe1, 0xe2, 0xe2};
	u32 start, calls = w->calls, a32 = below(w, 2);

	if (w->loop)
		return;
	mov_imm(w, REG_ECX, 1 + below(w, 6), a32);
	start = w->p->len;
	w->loop = true;
	w->calls = 0; /* functions change ECX */
	items(w, 1 + below(w, 3), depth + 2);
	w->loop = false;
	w->calls = calls;
	if (w->p->len - start < 120) {
		sized(w, below(w, 4) == 0, a32);
		byte(w, kind[below(w, 4)]);
		byte(w, start - w->p->len - 1);
		return;
	}
	bytes(w, "\x49\x0f\x85", 3); /* dec cx; jnz */
	word(w, start - w->p->len - 2, false);
}

static void stack(struct writer *w, u32 depth)
{
	static const char *const around[][2] = {{"\x50", "\x5a"},
						{"\x56", "\x5f"},
						{"\x9c", "\x9d"},
						{"\x9c", "\x5b"},
						{"\x60", "\x61"}};
	u32 which = below(w, 5);
	bool wide = below(w, 2);

	sized(w, wide, false);
	byte(w, (u8)around[which][0][0]);
	if (which == 2 && w->p->kind != PROGRAM_USER)
		byte(w, 0xfa); /* CLI */
	items(w, below(w, 3), depth + 1);
	sized(w, wide, false);
	byte(w, (u8)around[which][1][0]);
}

/* ENTER 4, 0 and LEAVE, where BP and SP are of one size. */
static void frame(struct writer *w)
{
	if (w->p->mode & TRANSLATE_STACK16)
		bytes(w, "\xc8\x04\x00\x00\x40\xc9", 6);
	else
		bytes(w, "\x66\xc8\x04\x00\x00\x40\x66\xc9", 8);
}

static void string(struct writer *w)
{
	bool a32 = below(w, 2);

	if (w->loop)
		return;
	for (u32 reg = REG_ESI; reg <= REG_EDI; reg++) { /* lea (e)si, [(e)bp + n] */
		sized(w, a32, a32);
		byte(w, 0x8d);
		byte(w, (a32 ? 0x85 : 0x86) | reg << 3);
		word(w, below(w, 0x1000), a32);
	}
	mov_imm(w, REG_ECX, below(w, 20), a32);
	byte(w, 0xfc); /* cld; rep movs or stos */
	byte(w, 0xf3);
	sized(w, below(w, 2), a32);
	byte(w, "\xa4\xa5\xaa\xab"[below(w, 4)]);
}

/* Functions are written from the last one on: those after this one have an address. */
static void call(struct writer *w)
{
	u32 n = w->function + 1;
	bool wide;

	if (w->calls == 0 || n >= PROGRAM_FUNCTIONS)
		return;
	w->calls--;
	n += below(w, PROGRAM_FUNCTIONS - n);
	wide = n & 1;
	byte(w, 0x68); /* the argument that the callee's RET 2 drops */
	word(w, rng_next(&w->r), false);
	switch (below(w, 4)) {
	case 0:
		sized(w, wide, false);
		byte(w, 0xe8);
		word(w, w->p->function[n] - w->p->len - (wide ? 4 : 2), wide);
		break;
	case 1:
		mov_imm(w, REG_EBX, n * 4, false); /* call [bx + table] */
		sized(w, wide, false);
		bytes(w, "\xff\x97", 2);
		word(w, TABLE_LIN - MEMORY_LIN, false);
		break;
	case 2:
		mov_imm(w, REG_ECX, n, true); /* call [ecx * 4 + table] */
		sized(w, wide, true);
		bytes(w, "\xff\x14\x8d", 3);
		word(w, TABLE_LIN - MEMORY_LIN, true);
		break;
	default:
		mov_imm(w, REG_EAX, w->p->function[n], wide);
		sized(w, wide, false);
		bytes(w, "\xff\xd0", 2);
		break;
	}
}

static void jump(struct writer *w)
{
	bool wide = below(w, 2);

	if (below(w, 2)) { /* jmp over garbage */
		sized(w, wide, false);
		bytes(w, "\xeb\x02\x0f\x0b", 4);
		return;
	}
	mov_imm(w, REG_EDX, w->p->len + (wide ? 6 + 3 : 3 + 2) + 1, wide);
	sized(w, wide, false);
	bytes(w, "\xff\xe2\xcc", 3);
}

static void segments(struct writer *w)
{
	static const char *const push[] = {"\x06", "\x0e", "\x16", "\x1e", "\x0f\xa0", "\x0f\xa8"};
	static const u8 to[] = {0xd8, 0xc0, 0xe0}; /* DS, ES, FS */
	u32 sel = SEL_FIRST + 8 * below(w, (SEL_LAST - SEL_FIRST) / 8 + 1), n = below(w, 6);
	bool wide = below(w, 2);

	sized(w, wide, false);
	switch (below(w, 5)) {
	case 0:
		bytes(w, push[n], (u32)strlen(push[n]));
		sized(w, wide, false);
		byte(w, 0x58 | any_reg(w));
		break;
	case 1:
		byte(w, 0x8c); /* MOV reg, seg */
		byte(w, 0xc0 | n << 3 | any_reg(w));
		break;
	case 2: /* push ds or es or ss; pop es or ds */
		byte(w, "\x06\x16\x1e"[below(w, 3)]);
		sized(w, wide, false);
		byte(w, "\x07\x1f"[below(w, 2)]);
		break;
	case 3:
		byte(w, 0xba); /* mov edx, sel; mov seg, dx */
		word(w, sel, wide);
		sized(w, below(w, 3) == 0, false);
		byte(w, 0x8e);
		byte(w, to[below(w, 3)] | REG_EDX);
		break;
	default: /* push sel; pop seg */
		byte(w, 0x6a);
		byte(w, sel);
		sized(w, wide, false);
		byte(w, "\x07\x1f"[below(w, 2)]);
		break;
	}
}

static void host_calls(struct writer *w)
{
	static const char *const control[] = {"\x0f\x06", "\x0f\x20\xc2", "\x0f\x01\x7e\x08",
					      "\x0f\x20\xd8", "\x0f\x01\xe0"};
	u32 n = below(w, 8);

	if (n < ARRAY_SIZE(control)) { /* CLTS, MOV from CR0, INVLPG [bp + 8], SMSW AX */
		bytes(w, control[n], (u32)strlen(control[n]));
		return;
	}
	sized(w, below(w, 3) == 0, false);
	port(w);
}

static void privileged(struct writer *w)
{
	u32 flags = FLAGS_ARITH | FLAG_IF;
	bool wide = below(w, 2);

	if (w->p->kind == PROGRAM_USER)
		return;
	switch (below(w, 8)) {
	case 0:
		byte(w, 0xfa);
		break;
	case 1:
		byte(w, 0xfb);
		break;
	case 2:
	case 3:
		segments(w);
		break;
	case 4:
		bytes(w, "\xfb\x90\xfa", 3); /* interrupts for a moment */
		break;
	case 5:
	case 6:
		host_calls(w);
		break;
	default:
		if (below(w, 3) == 0)
			flags |= FLAG_IOPL | FLAG_NT;
		sized(w, wide, false);
		byte(w, 0x68); /* push n; popf */
		word(w, rng_next(&w->r) & flags, wide);
		sized(w, wide, false);
		byte(w, 0x9d);
		break;
	}
}

static void items(struct writer *w, u32 count, u32 depth)
{
	while (count-- && w->p->len < PROGRAM_SIZE - 1024) {
		u32 which = below(w, depth > 3 ? 8 : 21);

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
			frame(w);
		else if (which == 18)
			privileged(w);
		else
			call(w);
	}
}

void program_make16(struct program *p, u32 seed, enum program_kind kind, u32 mode)
{
	struct writer w = writer_of(p, seed, kind, mode | TRANSLATE_CODE16 | PROGRAM_SEGMENTS);
	u32 main_call, distance;

	bytes(&w, "\x6a\x00\xe8", 3); /* push 0; call main; hlt */
	main_call = p->len;
	word(&w, 0, false);
	p->end = p->len;
	bytes(&w, "\xf4\x90\x90\x90\x90", 5);
	for (u32 n = PROGRAM_FUNCTIONS; n-- > 0;) {
		begin_function(&w, n); /* those with odd numbers return by 4 bytes */
		p->function[n] = p->len;
		items(&w, 4 + below(&w, 10), 0);
		sized(&w, n & 1, false);
		bytes(&w, "\xc2\x02\x00", 3); /* RET 2 */
	}
	distance = p->function[0] - (main_call + 2);
	memcpy(p->code + main_call, &distance, 2);
}
