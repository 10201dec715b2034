// SPDX-License-Identifier: BSD-2-Clause
/*
 * The interpreter against the real CPU: random instructions run natively in this process and by the
 * interpreter; registers, flags, memory, FPU state and faults have to be equal.
 *   oracle [--count N] [--seed N] [--show N] [--from N]
 * --from starts with the block of cases that N is in: with the same seed a case repeats exactly.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/cpu/support.h"

#define BLOCK 1024u /* cases that follow each other in the same memory */

struct options {
	u32 count, seed, show, from;
};

static u32 number_after(int argc, char **argv, int i)
{
	if (i + 1 >= argc) {
		fprintf(stderr, "%s: a number must follow %s\n", argv[0], argv[i]);
		exit(2);
	}
	return (u32)strtoul(argv[i + 1], NULL, 0);
}

static struct options parse(int argc, char **argv)
{
	struct options o = {.count = 10000000, .seed = 1, .show = 10};

	for (int i = 1; i < argc; i += 2) {
		u32 value = number_after(argc, argv, i);

		if (strcmp(argv[i], "--count") == 0)
			o.count = value;
		else if (strcmp(argv[i], "--seed") == 0)
			o.seed = value;
		else if (strcmp(argv[i], "--show") == 0)
			o.show = value;
		else if (strcmp(argv[i], "--from") == 0)
			o.from = value;
		else
			fprintf(stderr, "%s: expected --count, --seed, --show or --from\n",
				argv[0]);
	}
	return o;
}

static void fill_memory(struct rng *r)
{
	u32 *data = (u32 *)(uintptr_t)DATA_LIN;

	for (u32 i = 0; i < DATA_RW / 4; i++)
		data[i] = rng_value(r);
	memcpy(guest_data(), data, DATA_RW);
}

/* Which opcodes differ, and how often. */
static u32 tally[2][256];

static void print_tally(void)
{
	for (unsigned i = 0; i < 512; i++) {
		if (tally[i >> 8][i & 255])
			printf("  %s%02x differs %u times\n", i >> 8 ? "0f " : "", i & 255,
			       tally[i >> 8][i & 255]);
	}
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	static struct test_case t;
	u32 passed = 0, failed = 0;

	native_init();
	guest_init();
	native_watch();
	o.from &= ~(BLOCK - 1);
	for (u32 i = o.from; i < o.from + o.count; i++) {
		/* Each case by its own number: any one can be run alone. */
		struct rng r = {((u64)o.seed << 32 | i) * 0x9e3779b97f4a7c15ull | 1};

		rng_next(&r);
		if (i % BLOCK == 0)
			fill_memory(&(struct rng){r.state ^ 0x55});
		gen_case(&r, i, &t);
		if (run_both(&t, failed < o.show)) {
			passed++;
			continue;
		}
		tally[t.two_byte][t.opcode]++;
		if (failed++ < o.show)
			printf("case %u of seed %u differs\n\n", i, o.seed);
	}
	print_tally();
	printf("oracle: %u passed, %u failed\n", passed, failed);
	return failed != 0;
}
