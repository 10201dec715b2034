// SPDX-License-Identifier: BSD-2-Clause
/* See support_check.h. */
#include <stdio.h>
#include "tests/unit/cpu/support_check.h"

void (*report_more)(void);
static u32 passed, failed;

static bool count(bool ok)
{
	passed += ok;
	failed += !ok;
	return ok;
}

void check(bool ok, const char *what, const char *file, int line)
{
	if (!count(ok))
		printf("%s:%d: %s\n", file, line, what);
}

void check_eq(u32 got, u32 expected, const char *what, const char *file, int line)
{
	if (!count(got == expected))
		printf("%s:%d: %s: got %xh, expected %xh\n", file, line, what, got, expected);
}

void report(bool ok, const char *what)
{
	if (count(ok))
		return;
	printf("%s\n", what);
	if (report_more)
		report_more();
}

u32 checks_failed(void)
{
	return failed;
}

int check_done(void)
{
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
