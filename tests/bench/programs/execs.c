// SPDX-License-Identifier: BSD-2-Clause
/* Programs that begin and end: fork, exec of this program, exit, wait. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cycles.h"

#define EXECS 30

int main(int argc, char **argv)
{
	unsigned long long start = cycles();
	int done = 0;

	if (argc > 1)
		return 0;
	for (int i = 0; i < EXECS; i++) {
		char *arguments[] = {argv[0], "end", NULL};
		pid_t child = fork();
		int status;

		if (child == 0) {
			execv("/proc/self/exe", arguments);
			_exit(1);
		}
		if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
			done++;
	}
	start = cycles() - start;
	printf("execs done: %d, %llu cycles\n", done, start);
	return 0;
}
