// SPDX-License-Identifier: BSD-2-Clause
/* timed NAME COMMAND...: runs a command and says on standard error what it took. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cycles.h"

int main(int argc, char **argv)
{
	unsigned long long start = cycles();
	int status;
	pid_t child;

	if (argc < 3)
		return 1;
	child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	start = cycles() - start;
	fprintf(stderr, "%s done: status %d, %llu cycles\n", argv[1], status, start);
	return status != 0;
}
