/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/fmt.c against the C library's snprintf(). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/fmt.h"

#define SAME(size, ...)                                                                            \
	do {                                                                                       \
		volatile size_t room = size; /* or the compiler warns of what we want to see */    \
		char ours[64], theirs[64];                                                         \
		int a = fmt(ours, room, __VA_ARGS__), b = snprintf(theirs, room, __VA_ARGS__);     \
		assert_int_equal(a, b);                                                            \
		assert_string_equal(ours, theirs);                                                 \
	} while (0)

static void numbers(void **state)
{
	(void)state;
	SAME(64, "%d %d %i", 0, -1, 2147483647);
	SAME(64, "%d", (int)-2147483648);
	SAME(64, "%u %x %X", 4294967295u, 0xdeadbeefu, 0xdeadbeefu);
	SAME(64, "%08x|%8x|%-8x|", 0x1fu, 0x1fu, 0x1fu);
	SAME(64, "%04d|%4d|%-4d|", -7, -7, -7);
	SAME(64, "%llu %llx", 18446744073709551615ull, 1ull << 63);
	SAME(64, "%lld", -9223372036854775807ll);
	SAME(64, "%lu %zu", 123456789ul, (size_t)77);
	SAME(64, "%*d", 6, 42);
}

static void text(void **state)
{
	(void)state;
	SAME(64, "%s|%8s|%-8s|%.2s|", "abc", "abc", "abc", "abc");
	SAME(64, "%c%c%%", 'x', 'y');
	SAME(64, "%.*s", 3, "abcdef");
}

static void truncation(void **state)
{
	char buf[1] = {'x'};

	(void)state;
	SAME(5, "%s", "abcdefgh");
	SAME(4, "%d", 123456);
	SAME(1, "%d", 123456);
	assert_int_equal(fmt(buf, 0, "%s", "abc"), 3);
	assert_int_equal(buf[0], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(text),
		cmocka_unit_test(truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
