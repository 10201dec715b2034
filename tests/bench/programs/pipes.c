// SPDX-License-Identifier: BSD-2-Clause
/* Context switches: two processes that send each other a byte in turn. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cycles.h"

#define ROUNDS 1000

static int echo(int in, int out)
{
	char byte;

	while (read(in, &byte, 1) == 1)
		if (write(out, &byte, 1) != 1)
			return 1;
	return 0;
}

int main(void)
{
	unsigned long long start = cycles();
	int there[2], back[2], done = 0;
	char byte = 0;
	pid_t child;

	if (pipe(there) || pipe(back))
		return 1;
	child = fork();
	if (child == 0) {
		close(there[1]);
		_exit(echo(there[0], back[1]));
	}
	while (done < ROUNDS && write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1)
		done++;
	close(there[1]);
	waitpid(child, NULL, 0);
	start = cycles() - start;
	printf("pipes done: %d, %llu cycles\n", done, start);
	return 0;
}
