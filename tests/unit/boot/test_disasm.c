/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu/disasm.c against objdump: each opcode with random operands and sensible prefixes, in 16 and
 * 32-bit code, has to read the same.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cpu/disasm.h"

/* Each instruction gets so many bytes; NOPs fill the rest. */
#define SLOT   32u
#define SLOTS  2048u /* 64 KB, what 16-bit code can reach */
#define ROUNDS 16

static u8 image[SLOTS * SLOT];
static char ours[SLOTS][DISASM_TEXT_MAX];
static bool used[SLOTS];

static u8 random_byte(void)
{
	return (u8)(rand() >> 8);
}

static bool one_of(u8 byte, const char *set, size_t n)
{
	return memchr(set, byte, n) != NULL;
}

#define ONE_OF(byte, set) one_of(byte, set, sizeof(set) - 1)

/* Opcodes that objdump shows otherwise with 66h (which CPUs differ on, or which makes them SSE2).
 */
static bool takes_opsize(bool two_byte, u8 opcode)
{
	if (two_byte)
		return !(opcode == 0x08 || opcode == 0x09 || (opcode >= 0x10 && opcode < 0x18) ||
			 (opcode >= 0x28 && opcode < 0x30) || (opcode >= 0x50 && opcode < 0x80) ||
			 opcode == 0xae || (opcode >= 0xc2 && opcode < 0xc8) || opcode >= 0xd0);
	return !((opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0 || opcode == 0xeb ||
		 opcode == 0x90);
}

/* Prefixes that mean something with the opcode, now and then. Returns their number. */
static unsigned put_prefixes(u8 *code, bool two_byte, u8 opcode)
{
	static const char strings[] = "\x6c\x6d\x6e\x6f\xa4\xa5\xa6\xa7\xaa\xab\xac\xad\xae\xaf";
	static const char scalar[] = "\x10\x11\x2a\x2c\x2d\x51\x52\x53\x58\x59\x5c\x5d\x5e\x5f\xc2";
	static const char segment[] = "\x26\x2e\x36\x3e\x64\x65";
	unsigned n = 0;

	if (!two_byte && ONE_OF(opcode, strings) && rand() % 2)
		code[n++] = rand() % 2 ? 0xf3 : 0xf2;
	if (two_byte && ONE_OF(opcode, scalar) && rand() % 2)
		code[n++] = 0xf3;
	if (takes_opsize(two_byte, opcode) && rand() % 4 == 0)
		code[n++] = 0x66;
	if (rand() % 4 == 0)
		code[n++] = 0x67;
	if (rand() % 8 == 0)
		code[n++] = (u8)segment[rand() % 6];
	return n;
}

/* Random bytes that begin with `opcode`, in slot i. */
static void fill_slot(unsigned i, unsigned opcode, bool big)
{
	u8 *code = image + i * SLOT;
	unsigned len = put_prefixes(code, opcode >= 0x100, (u8)opcode), n;

	if (opcode >= 0x100)
		code[len++] = 0x0f;
	code[len++] = (u8)opcode;
	while (len < 15)
		code[len++] = random_byte();
	n = disasm(code, 15, i * SLOT, big, ours[i], sizeof(ours[i]));
	assert_true(n >= 1 && n <= 15);
	/* Prefixes are no opcodes, and SALC is in no manual and not in objdump. */
	used[i] = strcmp(ours[i], "(bad)") != 0 &&
		  (opcode >= 0x100 || !ONE_OF((u8)opcode, "\x0f\x26\x2e\x36\x3e\x64\x65\x66\x67\xd6"
							  "\xf0\xf2\xf3"));
	if (!used[i])
		n = 0;
	memset(code + n, 0x90, SLOT - n);
}

/* Prefixes without effect, which objdump shows and we do not, and an index that is none. */
static void take_out(char *s)
{
	static const char *const word[] = {"addr16 ", "addr32 ", "data16 ", "data32 ", "cs ",
					   "ds ",     "es ",	 "fs ",	    "gs ",     "ss "};

	for (unsigned i = 0; i < ARRAY_SIZE(word); i++) {
		char *at = strstr(s, word[i]);

		if (!at || (at > s && at[-1] != ' '))
			continue;
		memmove(at, at + strlen(word[i]), strlen(at + strlen(word[i])) + 1);
		i = ~0u;
	}
}

/* The index that is none, and the operand size in the names of LGDT and its like. */
static void simplify(char *s)
{
	static const char *const table[] = {"lgdt", "lidt", "sgdt", "sidt"};
	char *eiz = strstr(s, "eiz*");

	if (eiz) {
		char *from = eiz[-1] == '+' ? eiz - 1 : eiz;

		memmove(from, eiz + 5, strlen(eiz + 5) + 1);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
		if (!strncmp(s, table[i], 4) && s[4] != ' ')
			memmove(s + 4, s + 5, strlen(s + 5) + 1);
}

/* objdump's text of one line, its spaces squeezed and its own notations taken out. */
static void normalize(char *s)
{
	char *to = s, *hash = strchr(s, '#');

	if (hash)
		*hash = 0;
	for (char *from = s; *from && *from != '\n'; from++) {
		if ((*from == ' ' || *from == '\t') && (to == s || to[-1] == ' '))
			continue;
		*to++ = *from == '\t' ? ' ' : *from;
	}
	while (to > s && to[-1] == ' ')
		to--;
	*to = 0;
	take_out(s);
	simplify(s);
}

static unsigned compare(bool big)
{
	char command[256], line[512];
	unsigned wrong = 0, seen = 0;
	FILE *file = tmpfile(), *pipe;

	assert_non_null(file);
	assert_int_equal(fwrite(image, 1, sizeof(image), file), sizeof(image));
	assert_int_equal(fflush(file), 0);
	snprintf(command, sizeof(command),
		 "objdump -D -b binary -m %s -M intel --no-show-raw-insn /proc/%d/fd/%d",
		 big ? "i386" : "i8086", (int)getpid(), fileno(file));
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe)) {
		unsigned at, end;
		char *text = strchr(line, '\t');

		if (!text || sscanf(line, " %x:%n", &at, &end) != 1 || at % SLOT ||
		    !used[at / SLOT])
			continue;
		normalize(text);
		/* "[eiz*1+0x1234]" is its way to write a superfluous SIB byte. */
		if (strstr(text, "[+") || strstr(text, "[-"))
			continue;
		seen++;
		if (strcmp(text, ours[at / SLOT]) && wrong++ < 20)
			printf("%02x%02x%02x%02x%02x: '%s', objdump: '%s'\n", image[at],
			       image[at + 1], image[at + 2], image[at + 3], image[at + 4],
			       ours[at / SLOT], text);
	}
	pclose(pipe);
	fclose(file);
	assert_true(seen > SLOTS / 4);
	return wrong;
}

static void all_opcodes(bool big)
{
	unsigned wrong = 0;

	srand(7);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < SLOTS; i++)
			fill_slot(i, i % 512, big);
		wrong += compare(big);
	}
	assert_int_equal(wrong, 0);
}

static void code32(void **state)
{
	(void)state;
	all_opcodes(true);
}

static void code16(void **state)
{
	(void)state;
	all_opcodes(false);
}

static void check(const char *bytes, unsigned len, unsigned used_bytes, const char *expected)
{
	char text[DISASM_TEXT_MAX];

	assert_int_equal(disasm((const u8 *)bytes, len, 0, true, text, sizeof(text)), used_bytes);
	assert_string_equal(text, expected);
}

static void odd_cases(void **state)
{
	(void)state;
	check("\xf0\x0f\xb1\x0b", 4, 4, "lock cmpxchg DWORD PTR [ebx],ecx");
	check("\xd6", 1, 1, "salc");
	check("\x0f\xff", 2, 1, "(bad)");
	check("\xb8\x01\x02", 3, 1, "(bad)");
	check("", 0, 1, "(bad)");
	check("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", 16, 1, "(bad)");
	check("\xf3\x90", 2, 2, "pause");
}

/* Whatever the bytes and however small the buffer: a terminated text and a length within bounds. */
static void random_bytes(void **state)
{
	(void)state;
	srand(3);
	for (unsigned turn = 0; turn < 500000; turn++) {
		char text[DISASM_TEXT_MAX];
		u8 code[16];
		unsigned len = (unsigned)rand() % 16, size = 1 + (unsigned)rand() % sizeof(text), n;

		for (unsigned i = 0; i < sizeof(code); i++)
			code[i] = random_byte();
		memset(text, 'x', sizeof(text));
		n = disasm(code, len, (u32)rand(), rand() % 2, text, size);
		assert_true(n >= 1 && n <= (len ? len : 1));
		assert_non_null(memchr(text, 0, size));
		assert_true(size == sizeof(text) || text[size] == 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code32),
		cmocka_unit_test(code16),
		cmocka_unit_test(odd_cases),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
