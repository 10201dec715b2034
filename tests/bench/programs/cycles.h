/* SPDX-License-Identifier: BSD-2-Clause */
/* The time-stamp counter: host cycles, also under Farbus. */
#ifndef FARBUS_TESTS_BENCH_CYCLES_H
#define FARBUS_TESTS_BENCH_CYCLES_H

static inline unsigned long long cycles(void)
{
	unsigned low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (unsigned long long)high << 32;
}

#endif
