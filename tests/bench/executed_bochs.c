// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many instructions Bochs has executed, in a file that is mapped: LD_PRELOAD has this library
 * in Bochs, FARBUS_EXECUTED names the file. Bochs's clock goes on by one tick for each instruction,
 * and for each turn of a repeated one, but also while the CPU is halted. All of that time passes in
 * handleWaitForEvent(), which is called from one place in handleAsyncEvent(): that call comes here.
 * In other programs the library does nothing.
 *
 * FILE: two 64-bit numbers of this machine's byte order, ticks and those of them while the CPU was
 * halted, new each millisecond.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* As C++ names them; the binary exports all of its functions. */
#define ASYNC "_ZN8BX_CPU_C16handleAsyncEventEv"
#define WAIT  "_ZN8BX_CPU_C18handleWaitForEventEv"
#define TSC   "_ZN8BX_CPU_C7get_TSCEv"

#define CALL	    0xe8u
#define CALL_SIZE   5
#define ASYNC_SIZE  4096 /* bytes of handleAsyncEvent() that are searched */
#define JUMP_SIZE   12
#define PAGE	    4096ul
#define REACH	    (1ul << 30) /* of a near call, with room to spare */
#define MILLISECOND 1000000

struct counts {
	volatile uint64_t ticks, halted;
};

typedef int (*wait_function)(void *cpu);

static struct counts *counts;
static uint64_t (*tsc)(void *cpu);
static wait_function wait_for_event;

/* get_TSC() adds what the guest has written to its counter: nothing, in a CPU of zeros. */
static uint8_t no_cpu[1 << 20];

/* Whoever asks from another thread may see a timer's period twice, for a moment. */
static uint64_t ticks(void)
{
	uint64_t first = tsc(no_cpu), second = tsc(no_cpu);

	return first < second ? first : second;
}

static int counted_wait(void *cpu)
{
	uint64_t before = tsc(no_cpu);
	int result = wait_for_event(cpu);

	counts->halted += tsc(no_cpu) - before;
	return result;
}

static void *publish(void *unused)
{
	const struct timespec pause = {.tv_nsec = MILLISECOND};

	for (;;) {
		counts->ticks = ticks();
		nanosleep(&pause, NULL);
	}
	return unused;
}

static _Noreturn void fail(const char *why)
{
	fprintf(stderr, "executed_bochs: %s\n", why);
	exit(1);
}

/* A page that a near call at `from` reaches. */
static uint8_t *page_near(uintptr_t from)
{
	for (uintptr_t distance = REACH / 16; distance < REACH; distance += REACH / 16) {
		void *wanted = (void *)((from - distance) & ~(PAGE - 1));
		void *page = mmap(wanted, PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (page == wanted)
			return page;
		if (page != MAP_FAILED)
			munmap(page, PAGE);
	}
	fail("no memory near Bochs's code");
}

/* MOV RAX, to; JMP RAX. */
static uint8_t *jump_near(uintptr_t from, uintptr_t to)
{
	static const uint8_t code[JUMP_SIZE] = {0x48, 0xb8, [10] = 0xff, [11] = 0xe0};
	uint8_t *jump = page_near(from);

	memcpy(jump, code, sizeof(code));
	memcpy(jump + 2, &to, sizeof(to));
	if (mprotect(jump, PAGE, PROT_READ | PROT_EXEC))
		fail("no code may be made");
	return jump;
}

static uint8_t *call_of(uint8_t *from, uintptr_t target)
{
	for (uint8_t *at = from; at < from + ASYNC_SIZE; at++) {
		int32_t distance;

		memcpy(&distance, at + 1, sizeof(distance));
		if (*at == CALL && (uintptr_t)at + CALL_SIZE + (uintptr_t)distance == target)
			return at;
	}
	fail("handleAsyncEvent() does not call handleWaitForEvent()");
}

static void divert(uint8_t *call)
{
	uint8_t *jump = jump_near((uintptr_t)call, (uintptr_t)counted_wait);
	int32_t distance = (int32_t)(jump - (call + CALL_SIZE));
	uint8_t *page = (uint8_t *)((uintptr_t)call & ~(PAGE - 1));

	if (mprotect(page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
		fail("Bochs's code may not be changed");
	memcpy(call + 1, &distance, sizeof(distance));
	if (mprotect(page, 2 * PAGE, PROT_READ | PROT_EXEC))
		fail("Bochs's code stays writable");
}

static void map_counts(const char *name)
{
	int file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (file < 0 || ftruncate(file, sizeof(*counts)))
		fail("no file for the counts");
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (counts == MAP_FAILED)
		fail("no memory for the counts");
}

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("FARBUS_EXECUTED");
	uint8_t *async = dlsym(RTLD_DEFAULT, ASYNC);
	pthread_t thread;

	if (!async || !name)
		return;
	wait_for_event = (wait_function)dlsym(RTLD_DEFAULT, WAIT);
	tsc = (uint64_t(*)(void *))dlsym(RTLD_DEFAULT, TSC);
	if (!wait_for_event || !tsc)
		fail("not the Bochs that it knows");
	map_counts(name);
	divert(call_of(async, (uintptr_t)wait_for_event));
	if (pthread_create(&thread, NULL, publish, NULL))
		fail("no thread");
}
