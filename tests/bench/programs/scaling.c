// SPDX-License-Identifier: BSD-2-Clause
/*
 * How costs grow with the memory of processes:
 *     scaling switch PAGES          two processes with so many pages each, in turn
 *     scaling fork PAGES TOUCHED    children of a process with so many pages, which write to some
 *     scaling fill PAGES            a child that reads so many pages, whose A bits fork has cleared
 *     scaling processes COUNT       so many at the same time, until a line is typed
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cycles.h"

#define PAGE_SIZE 4096u
#define ROUNDS	  500
#define FORKS	  20
#define OWN_PAGES 16u /* of one of many processes */

static unsigned char *pages(unsigned count)
{
	unsigned char *memory = mmap(NULL, count * PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	return memory;
}

static void write_all(unsigned char *memory, unsigned count, unsigned value)
{
	for (unsigned i = 0; i < count; i++)
		memset(memory + i * PAGE_SIZE, (int)value, 4);
}

/* One of the pages in each round, so that they all stay in use. */
static int answer(int in, int out, unsigned char *memory, unsigned count)
{
	unsigned char byte;

	for (unsigned n = 0; read(in, &byte, 1) == 1; n++) {
		memory[n % count * PAGE_SIZE]++;
		if (write(out, &byte, 1) != 1)
			return 1;
	}
	return 0;
}

static int run_switch(unsigned count)
{
	unsigned char *memory = pages(count), byte = 0;
	unsigned long long start = 0;
	int there[2], back[2];
	pid_t child;

	if (pipe(there) || pipe(back))
		return 1;
	child = fork();
	write_all(memory, count, 1);
	if (child == 0) {
		close(there[1]);
		_exit(answer(there[0], back[1], memory, count));
	}
	for (int n = 0; n < ROUNDS + 10; n++) {
		if (n == 10)
			start = cycles();
		memory[(unsigned)n % count * PAGE_SIZE]++;
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			return 1;
	}
	start = cycles() - start;
	close(there[1]);
	waitpid(child, NULL, 0);
	printf("switch done: %u pages, %llu cycles\n", count, start / (2 * ROUNDS));
	return 0;
}

static int run_fork(unsigned count, unsigned touched)
{
	unsigned char *memory = pages(count);
	unsigned long long start;

	write_all(memory, count, 1);
	start = cycles();
	for (int n = 0; n < FORKS; n++) {
		pid_t child = fork();

		if (child == 0) {
			write_all(memory, touched, 2);
			_exit(0);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			return 1;
	}
	start = cycles() - start;
	printf("fork done: %u of %u pages, %llu cycles\n", touched, count, start / FORKS);
	return 0;
}

static int run_fill(unsigned count)
{
	unsigned char *memory = pages(count), sum = 0;
	unsigned long long start;
	pid_t child;

	write_all(memory, count, 1);
	child = fork();
	if (child)
		return child < 0 || waitpid(child, NULL, 0) != child;
	start = cycles();
	for (unsigned i = 0; i < count; i++)
		sum = (unsigned char)(sum + *(volatile unsigned char *)(memory + i * PAGE_SIZE));
	start = cycles() - start;
	printf("fill done: %u pages, %llu cycles\n", sum == (unsigned char)count ? count : 0,
	       start / count);
	return 0;
}

/* Ends when `go` is closed; 0: the pages are still its own. */
static int one_process(unsigned number, int ready, int go)
{
	unsigned char *memory = pages(OWN_PAGES), byte = 0;

	write_all(memory, OWN_PAGES, number);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 0)
		return 1;
	for (unsigned i = 0; i < OWN_PAGES; i++)
		if (memory[i * PAGE_SIZE] != (unsigned char)number)
			return 1;
	return 0;
}

static int run_processes(unsigned count)
{
	int ready[2], go[2], status;
	unsigned right = 0;
	char line[8];

	if (pipe(ready) || pipe(go))
		return 1;
	for (unsigned n = 0; n < count; n++)
		if (fork() == 0) {
			close(go[1]);
			_exit(one_process(n, ready[1], go[0]));
		}
	for (unsigned n = 0; n < count; n++)
		if (read(ready[0], line, 1) != 1)
			return 1;
	printf("processes ready: %u\n", count);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	close(go[1]);
	while (wait(&status) > 0)
		right += status == 0;
	printf("processes done: %u\n", right);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned first = argc > 2 ? (unsigned)atoi(argv[2]) : 0;

	if (first && argc == 3 && !strcmp(argv[1], "switch"))
		return run_switch(first);
	if (first && argc == 4 && !strcmp(argv[1], "fork"))
		return run_fork(first, (unsigned)atoi(argv[3]));
	if (first && argc == 3 && !strcmp(argv[1], "processes"))
		return run_processes(first);
	if (first && argc == 3 && !strcmp(argv[1], "fill"))
		return run_fill(first);
	fprintf(stderr,
		"scaling switch PAGES | fill PAGES | fork PAGES TOUCHED | processes COUNT\n");
	return 1;
}
