// SPDX-License-Identifier: BSD-2-Clause
/*
 * Integer work in user mode: primes up to LIMIT by a sieve, then a multiply-and-shift chain; as many
 * times as its argument says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cycles.h"

#define LIMIT  200000u
#define ROUNDS 10

static unsigned char composite[LIMIT];

int main(int argc, char **argv)
{
	unsigned long long start = cycles();
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : ROUNDS, primes = 0, mix = 1;

	for (unsigned round = 0; round < rounds; round++) {
		memset(composite, 0, sizeof(composite));
		primes = 0;
		for (unsigned i = 2; i < LIMIT; i++) {
			if (composite[i])
				continue;
			primes++;
			for (unsigned long long j = (unsigned long long)i * i; j < LIMIT; j += i)
				composite[j] = 1;
		}
		for (unsigned i = 0; i < LIMIT; i++)
			mix = mix * 2654435761u ^ mix >> 15;
	}
	start = cycles() - start;
	printf("compute done: %u primes, %08x, %llu cycles\n", primes, mix, start);
	return 0;
}
