// SPDX-License-Identifier: BSD-2-Clause
/* System calls that do next to nothing, by int 80h. */
#include <stdio.h>
#include <sys/syscall.h>

#define CALLS 20000

int main(void)
{
	long pid = 0;

	for (int i = 0; i < CALLS; i++)
		asm volatile("int $0x80" : "=a"(pid) : "0"(SYS_getppid) : "memory");
	printf("syscalls done: %d\n", pid > 0 ? CALLS : 0);
	return 0;
}
