// SPDX-License-Identifier: BSD-2-Clause
/* Processes that begin and end: fork, exit, wait. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cycles.h"

#define FORKS 100

int main(void)
{
	unsigned long long start = cycles();
	int done = 0;

	for (int i = 0; i < FORKS; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		if (child > 0 && waitpid(child, NULL, 0) == child)
			done++;
	}
	start = cycles() - start;
	printf("forks done: %d, %llu cycles\n", done, start);
	return 0;
}
