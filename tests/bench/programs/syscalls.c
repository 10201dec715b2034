// SPDX-License-Identifier: BSD-2-Clause
/* System calls that do next to nothing, by int 80h. */
#include <stdio.h>
#include <sys/syscall.h>
#include "cycles.h"

#define CALLS 20000

int main(void)
{
	unsigned long long start = cycles();
	long pid = 0;

	for (int i = 0; i < CALLS; i++)
		asm volatile("int $0x80" : "=a"(pid) : "0"(SYS_getppid) : "memory");
	start = cycles() - start;
	printf("syscalls done: %d, %llu cycles\n", pid > 0 ? CALLS : 0, start);
	return 0;
}
