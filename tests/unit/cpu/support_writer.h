/* SPDX-License-Identifier: BSD-2-Clause */
/* What random programs are written with, of 32 bits (support_program.c) and of 16. */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_WRITER_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_WRITER_H

#include <string.h>
#include "tests/unit/cpu/support_translate.h"

struct writer {
	struct program *p;
	struct rng r;
	u32 function;  /* being written */
	u32 calls;     /* left in it */
	bool loop;     /* (E)CX counts */
	bool o32, a32; /* in 16-bit code: of the instruction being written */
};

static inline struct writer writer_of(struct program *p, u32 seed, enum program_kind kind, u32 mode)
{
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->mode = mode;
	p->seed = seed;
	return (struct writer){.p = p, .r = {((u64)seed + 1) * 0x9e3779b97f4a7c15ull | 1}};
}

static inline void byte(struct writer *w, u32 value)
{
	w->p->code[w->p->len++] = (u8)value;
}

static inline void bytes(struct writer *w, const char *s, u32 n)
{
	memcpy(w->p->code + w->p->len, s, n);
	w->p->len += n;
}

/* Of 2 or 4 bytes. */
static inline void word(struct writer *w, u32 value, bool wide)
{
	bytes(w, (const char *)&value, wide ? 4 : 2);
}

static inline u32 below(struct writer *w, u32 n)
{
	return rng_below(&w->r, n);
}

/* A register that may change. */
static inline u32 any_reg(struct writer *w)
{
	static const u8 regs[] = {REG_EAX, REG_EDX, REG_EBX, REG_ESI, REG_EDI, REG_ECX};

	return regs[below(w, w->loop ? 5 : 6)];
}

/* IN and OUT: E4h to E7h, ECh to EFh. */
static inline void port(struct writer *w)
{
	u32 n = below(w, 8);

	byte(w, 0xe4 | (n & 3) | (n & 4) << 1);
	if (n < 4)
		byte(w, rng_next(&w->r));
}

/* A function begins, now and then across the next page's start. */
static inline void begin_function(struct writer *w, u32 n)
{
	if (below(w, 3) == 0 && w->p->len < PROGRAM_SIZE / 2)
		w->p->len = ((w->p->len + 4095 + 40) & ~4095u) - below(w, 40);
	w->function = n;
	w->calls = 3;
}

#endif
