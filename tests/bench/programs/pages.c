// SPDX-License-Identifier: BSD-2-Clause
/* Page faults: fresh pages, each touched once. */
#include <stdio.h>
#include <sys/mman.h>
#include "cycles.h"

#define PAGES	  2000u
#define PAGE_SIZE 4096u

int main(void)
{
	unsigned long long start = cycles();
	volatile char *memory = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 1;
	for (unsigned i = 0; i < PAGES; i++)
		memory[i * PAGE_SIZE] = 1;
	start = cycles() - start;
	printf("pages done: %u, %llu cycles\n", PAGES, start);
	return 0;
}
