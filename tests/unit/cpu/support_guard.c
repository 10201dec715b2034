// SPDX-License-Identifier: BSD-2-Clause
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include "tests/unit/cpu/support_guard.h"

#define GUARD MB

static void (*on_tick)(void);
static void (*on_fault)(const void *address);

void *guarded_memory(size_t size)
{
	size_t pages = (size + PAGE_SIZE - 1) & PAGE_MASK;
	u8 *p = mmap(NULL, pages + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + GUARD, pages, PROT_READ | PROT_WRITE)) {
		perror("mmap");
		exit(2);
	}
	return p + GUARD + ((pages - size) & ~15u);
}

static void tick_signal(int sig)
{
	(void)sig;
	on_tick();
}

static void fault_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	on_fault(info->si_addr);
}

void guard_start(u32 us, void (*tick)(void), void (*fault)(const void *address))
{
	struct itimerval every = {{0, (suseconds_t)us}, {0, (suseconds_t)us}};
	struct sigaction action = {.sa_sigaction = fault_signal, .sa_flags = SA_SIGINFO};

	on_tick = tick;
	on_fault = fault;
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	signal(SIGALRM, tick_signal);
	setitimer(ITIMER_REAL, &every, NULL);
}
