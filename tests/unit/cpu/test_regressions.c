// SPDX-License-Identifier: BSD-2-Clause
/* What the random cases once found, one by one, by the interpreter and by the real CPU. */
#include <stdio.h>
#include <string.h>
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support.h"
#include "tests/unit/cpu/support_check.h"

#define PREFIXES_12 "3e3e3e3e3e3e3e3e3e3e3e3e"
#define END	    (CODE_LIN + CODE_SIZE)
#define END_16	    (CODE_LIN + 0x10000)

struct fixed {
	const char *what, *code; /* hexadecimal */
	u32 eflags;
	struct {
		u8 reg;
		u32 value;
	} set[4];
	u32 end;	  /* not 0: the code ends there */
	u16 cs, ss;	  /* 0: the usual ones; otherwise a special case */
	u32 at, words[4]; /* in memory at `at`, when not 0 */
};

static const struct fixed cases[] = {
	{.what = "REP STOSW: the last word of an odd run",
	 .code = "66f3ab",
	 .set = {{REG_EAX, 0xa265}, {REG_ECX, 0x17}, {REG_EDI, DATA_LIN + 0x609}}},
	{.what = "LSS holds no trap off",
	 .code = "0fb223",
	 .eflags = FLAG_TF,
	 .set = {{REG_EBX, DATA_LIN + 0x100}},
	 .cs = SEL_CODE,
	 .at = DATA_LIN + 0x100,
	 .words = {DATA_LIN + 0x800, SEL_DATA}},
	{.what = "MOV SS does",
	 .code = "8ed090",
	 .eflags = FLAG_TF,
	 .set = {{REG_EAX, SEL_DATA}},
	 .cs = SEL_CODE},
	{.what = "15 bytes are an instruction",
	 .code = PREFIXES_12 "660fa0",
	 .set = {{REG_ESP, DATA_LIN + 0x800}}},
	{.what = "16 are not",
	 .code = PREFIXES_12 "3e660fa0",
	 .set = {{REG_ESP, DATA_LIN + 0x800}}},
	{.what = "16 bytes of an FPU opcode that does not exist", .code = PREFIXES_12 "0f506100"},
	{.what = "PUSH FS at the end of a page reads no further",
	 .code = "0fa0",
	 .set = {{REG_ESP, DATA_LIN + 0x800}},
	 .end = END},
	{.what = "ARPL that changes nothing writes nothing",
	 .code = "6308",
	 .set = {{REG_EAX, DATA_LIN + DATA_RW}, {REG_ECX, 0}}},
	{.what = "ARPL reads before it writes",
	 .code = "6308",
	 .set = {{REG_EAX, DATA_LIN - 16}, {REG_ECX, 3}}},
	{.what = "AAD: the flags of the addition", .code = "d5c7", .set = {{REG_EAX, 0xa2b5}}},
	{.what = "16-bit code does not run from FFFFh to 0",
	 .code = "43",
	 .end = END_16,
	 .cs = SEL_LDT(LDT_CODE_16)},
	{.what = "nor when it is traced",
	 .code = "43",
	 .eflags = FLAG_TF,
	 .end = END_16,
	 .cs = SEL_LDT(LDT_CODE_16)},
	{.what = "CMPXCHG8B wants 8-byte alignment",
	 .code = "0fc70b",
	 .eflags = FLAG_AC,
	 .set = {{REG_EBX, DATA_LIN + 0x104}}},
	{.what = "CMPXCHG8B: the page fault of the first half",
	 .code = "0fc70b",
	 .set = {{REG_EBX, DATA_LIN - 4}}},
	{.what = "PUSHA pushes from above", .code = "60", .set = {{REG_ESP, DATA_LIN + 0x12}}},
	{.what = "FISTP that is not aligned pops nothing",
	 .code = "df3b",
	 .eflags = FLAG_AC,
	 .set = {{REG_EBX, DATA_LIN + 0x104}}},
	{.what = "MOVUPS is checked for 16 bytes with AC",
	 .code = "0f1003",
	 .eflags = FLAG_AC,
	 .set = {{REG_EBX, DATA_LIN + 0x108}}},
	{.what = "FRSTOR is checked for 4 with AC",
	 .code = "dd23",
	 .eflags = FLAG_AC,
	 .set = {{REG_EBX, DATA_LIN + 0x102}}},
	{.what = "INS of nothing still needs the port",
	 .code = "f36c",
	 .set = {{REG_EDI, DATA_LIN + 0x100}}},
	{.what = "a far pointer's offset is read first",
	 .code = "ff2b",
	 .set = {{REG_EBX, DATA_LIN - 6}},
	 .cs = SEL_CODE},
	{.what = "MOVAPS beyond the stack segment and not aligned",
	 .code = "360f2803",
	 .set = {{REG_EBX, 0x1d08}},
	 .cs = SEL_CODE,
	 .ss = SEL_LDT(LDT_SMALL)},
};

static u32 decode_hex(const char *text, u8 *code)
{
	u32 n = 0;
	unsigned value;

	while (sscanf(text + 2 * n, "%2x", &value) == 1)
		code[n++] = (u8)value;
	return n;
}

static void make_case(const struct fixed *f, struct test_case *t)
{
	struct rng r = {12345};

	memset(t, 0, sizeof(*t));
	t->len = decode_hex(f->code, t->code);
	t->two_byte = t->code[0] == 0x0f;
	t->opcode = t->code[t->two_byte];
	t->special = f->cs;
	t->uses_fpu = true;
	t->lin = f->end ? f->end - t->len : CODE_LIN + 0x400;
	for (unsigned i = 0; i < EXITS - 1; i++)
		t->exit_lin[i] = t->lin - 40 + i * 8;
	if (!f->end)
		t->exit_lin[EXITS - 1] = t->lin + t->len;
	memset(t->fx, 0, FX_BYTES);
	gen_fpu_state(&r, t->fx);
	memcpy(t->fx, "\x7f\x03\0\0\xff", 5);
	memcpy(t->fx + 24, "\x80\x1f", 2);
	memcpy(t->in.seg, (u16[]){SEL_DATA, SEL_CODE, SEL_DATA, SEL_DATA, 0, SEL_TLS}, 12);
	if (f->cs)
		t->in.seg[SEG_CS] = f->cs;
	if (f->ss)
		t->in.seg[SEG_SS] = f->ss;
	for (unsigned i = 0; i < 8; i++)
		t->in.gpr[i] = i * 0x1010101;
	t->in.gpr[REG_ECX] = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(f->set); i++) {
		if (f->set[i].reg || f->set[i].value)
			t->in.gpr[f->set[i].reg] = f->set[i].value;
	}
	t->in.eflags = f->eflags | FLAGS_FIXED | FLAG_IF;
	t->in.eip = t->lin - segment_base(t->in.seg[SEG_CS]);
	if (f->at) {
		t->patches = 1;
		t->patch[0].lin = f->at;
		t->patch[0].len = sizeof(f->words);
		memcpy(t->patch[0].bytes, f->words, sizeof(f->words));
	}
}

/* String stores and copies of every size, count and direction, near and across a page border. */
static void check_strings(void)
{
	static const char *const codes[] = {"f3aa", "66f3ab", "f3ab", "f3a4", "66f3a5", "f3a5"};
	struct fixed f = {.what = "string"};
	struct test_case t;

	for (u32 n = 0; n < ARRAY_SIZE(codes) * 40 * 2 * 8; n++) {
		u32 count = n / 12 % 40, shift = n / 480;

		f.code = codes[n % 6];
		f.eflags = n / 6 % 2 ? FLAG_DF : 0;
		make_case(&f, &t);
		t.in.gpr[REG_ECX] = count;
		t.in.gpr[REG_ESI] = DATA_LIN + PAGE_SIZE - 0x20 + shift * 3;
		t.in.gpr[REG_EDI] = DATA_LIN + PAGE_SIZE - 0x1f + shift * 7;
		report(run_both(&t, true), f.what);
	}
}

int main(void)
{
	static struct test_case t;

	native_init();
	guest_init();
	native_watch();
	memcpy(guest_data(), (void *)(uintptr_t)DATA_LIN, DATA_RW);
	check_strings();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		make_case(&cases[i], &t);
		report(run_both(&t, true), cases[i].what);
	}
	return check_done();
}
