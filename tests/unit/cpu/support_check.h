/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks that are counted, and said when they fail; the test goes on. */
#ifndef FARBUS_TESTS_UNIT_CPU_SUPPORT_CHECK_H
#define FARBUS_TESTS_UNIT_CPU_SUPPORT_CHECK_H

#include "lib/types.h"

#define CHECK(cond)    check(cond, #cond, __FILE__, __LINE__)
#define CHECK_EQ(a, b) check_eq(a, b, #a, __FILE__, __LINE__)
void check(bool ok, const char *what, const char *file, int line);
void check_eq(u32 got, u32 expected, const char *what, const char *file, int line);

/* A check that many lines make: `what` says which. */
void report(bool ok, const char *what);
/* What is said below that when it has failed; NULL: nothing. */
extern void (*report_more)(void);

u32 checks_failed(void);
int check_done(void); /* prints "N passed, N failed"; the exit status */

#endif
