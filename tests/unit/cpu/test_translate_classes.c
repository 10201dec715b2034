// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the translator copies, for random bytes: the disassembler, which decodes for itself, must
 * give the same length, and no name that says privileged, sensitive or control transfer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu/disasm.h"
#include "cpu/translate/private.h"
#include "cpu/vcpu.h"
#include "tests/unit/cpu/support.h"

#define ADDRESS 0x1000u

/* First words of what must never be copied. A final '*' stands for any end. */
static const char *const never[] = {
	"sgdt",	  "sidt",   "sldt",   "str",	 "smsw",  "lgdt",  "lidt",  "lldt",	"ltr",
	"lmsw",	  "lar",    "lsl",    "verr",	 "verw",  "clts",  "hlt",   "cli",	"sti",
	"pushf*", "popf*",  "iret*",  "int*",	 "into",  "in",	   "out",   "ins",	"outs",
	"invd",	  "wbinvd", "invlpg", "rdmsr",	 "wrmsr", "rdpmc", "cpuid", "sysenter", "sysexit",
	"rsm",	  "lds",    "les",    "lss",	 "lfs",	  "lgs",   "call*", "jmp*",	"ret*",
	"j*",	  "loop*",  "fxsave", "fxrstor", "ud*",	  "f*",
};
static const char *const segments[] = {"es", "cs", "ss", "ds", "fs", "gs"};
static const char *const prefixes[] = {"lock ", "repz ", "repnz ", "rep "};

static bool named(const char *word, u32 len, const char *pattern)
{
	u32 n = (u32)strlen(pattern);

	if (pattern[n - 1] == '*')
		return len >= n - 1 && strncmp(word, pattern, n - 1) == 0;
	return len == n && strncmp(word, pattern, n) == 0;
}

/* MOV, PUSH and POP of a segment register: one stands alone as an operand. */
static bool segment_operand(const char *operands)
{
	for (const char *s = operands; *s; s++) {
		bool first = s == operands || s[-1] == ',' || s[-1] == ' ';

		for (u32 n = 0; first && n < ARRAY_SIZE(segments); n++) {
			if (strncmp(s, segments[n], 2) == 0 && (s[2] == 0 || s[2] == ','))
				return true;
		}
	}
	return false;
}

static bool forbidden(const char *text)
{
	const char *word = text;
	u32 len;

	for (u32 n = 0; n < ARRAY_SIZE(prefixes); n++) {
		if (strncmp(word, prefixes[n], strlen(prefixes[n])) == 0) {
			word += strlen(prefixes[n]);
			n = (u32)-1;
		}
	}
	len = (u32)strcspn(word, " ");
	for (u32 n = 0; n < ARRAY_SIZE(never); n++) {
		if (named(word, len, never[n]))
			return true;
	}
	return segment_operand(word + len) || strstr(text, "cs:") || strstr(text, "gs:") ||
	       strstr(text, "(bad)");
}

static u32 failed, copied, copied_two;

static void complain(const u8 *bytes, const struct guest_insn *g, u32 len, const char *text)
{
	if (failed++ > 20)
		return;
	printf("test_translate_classes:");
	for (u32 i = 0; i < 15; i++)
		printf(" %02x", bytes[i]);
	printf(": class %u, length %u; %s, length %u\n", g->class, g->len, text, len);
}

/* mode: TRANSLATE_CODE16, or 0. */
static void look_as(const u8 *bytes, u32 mode)
{
	char text[DISASM_TEXT_MAX];
	struct guest_insn g = classify(bytes, 15, SEG_GS, mode);
	u32 len = disasm(bytes, 15, ADDRESS, !mode, text, sizeof(text));

	if (g.class == INSN_COPY) {
		copied++;
		copied_two += bytes[0] == 0x0f;
		if (g.len != len || forbidden(text))
			complain(bytes, &g, len, text);
	} else if (g.class != INSN_INTERPRET && g.len != len && !strstr(text, "(bad)")) {
		/* What the disassembler does not know may be there for the interpreter. */
		complain(bytes, &g, len, text);
	}
}

static void look(const u8 *bytes)
{
	look_as(bytes, 0);
	look_as(bytes, TRANSLATE_CODE16);
}

/* Every opcode with every ModR/M byte, behind each prefix. */
static void look_at_all(struct rng *r)
{
	static const u8 before[] = {0,	  0x66, 0x67, 0xf0, 0xf2, 0xf3,
				    0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
	u8 bytes[32];

	for (u32 n = 0; n < ARRAY_SIZE(before) * 2 * 256 * 256; n++) {
		u32 prefix = before[n % ARRAY_SIZE(before)], rest = n / ARRAY_SIZE(before), at = 0;

		for (u32 i = 0; i < sizeof(bytes); i++)
			bytes[i] = (u8)rng_next(r);
		if (prefix)
			bytes[at++] = (u8)prefix;
		if (rest & 0x10000)
			bytes[at++] = 0x0f;
		bytes[at++] = (u8)(rest >> 8);
		bytes[at] = (u8)rest;
		look(bytes);
	}
}

int main(int argc, char **argv)
{
	u32 count = argc > 1 ? (u32)strtoul(argv[1], NULL, 0) : 1000000;
	struct rng r = {88172645463325252ull};
	u8 bytes[32];

	look_at_all(&r);
	for (u32 n = 0; n < count; n++) {
		for (u32 i = 0; i < sizeof(bytes); i++)
			bytes[i] = (u8)rng_next(&r);
		look(bytes);
	}
	/* Or this test would say nothing. */
	if (copied < 100000 || copied_two < 10000)
		failed++;
	printf("test_translate_classes: %u copied, %u of them with 0Fh\n", copied, copied_two);
	printf("test_translate_classes: %u passed, %u failed\n", !failed, failed);
	return failed != 0;
}
