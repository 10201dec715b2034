/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator: a state of 32 bytes, from which each block of output and the next state are keyed
 * BLAKE2s values. What was given out does not tell what comes, nor what was before.
 */
#include "boot/entropy.h"
#include "boot/host.h"
#include "boot/port.h"
#include "lib/str.h"
#include "net-ne2000/blake2s.h"

#define STATE	   32u
#define SAMPLES	   1024u
#define PIT_CH0	   0x40
#define PIT_MODE   0x43
#define PIT_LATCH0 0x00

/* BIOS data, and memory that firmware and loader have left alone. */
#define BIOS_DATA     0x400u
#define BIOS_DATA_LEN 0x100u
#define OLD_RAM	      0x70000u
#define OLD_RAM_LEN   (32 * KB)

static u8 state[STATE];
static volatile u32 moments; /* of interrupts since the last use */

/* The next state: of this one, a label and what is new. */
static void next_state(const char *label, const void *data, u32 len)
{
	struct blake2s b;
	u64 now = rdtsc();

	blake2s_init(&b, state, STATE);
	blake2s_add(&b, label, (u32)strlen(label));
	blake2s_add(&b, &now, sizeof(now));
	blake2s_add(&b, data, len);
	blake2s_end(&b, state);
}

/* How long a port access takes, and where the PIT is then: the low bits are the jitter. */
static void add_jitter(void)
{
	struct {
		u32 tsc;
		u16 count;
	} sample[32];

	memset(sample, 0, sizeof(sample));
	for (unsigned n = 0; n < SAMPLES; n++) {
		unsigned i = n % ARRAY_SIZE(sample);

		outb(PIT_MODE, PIT_LATCH0);
		sample[i].count = inb(PIT_CH0);
		sample[i].count |= (u16)(inb(PIT_CH0) << 8);
		sample[i].tsc = (u32)rdtsc();
		if (i == ARRAY_SIZE(sample) - 1)
			next_state("jitter", sample, sizeof(sample));
	}
}

void entropy_init(void)
{
	struct host_date date;

	memset(&date, 0, sizeof(date));
	host_rtc_read(&date);
	next_state("date", &date, sizeof(date));
	next_state("bios data", phys_ptr(BIOS_DATA), BIOS_DATA_LEN);
	next_state("old ram", phys_ptr(OLD_RAM), OLD_RAM_LEN);
	add_jitter();
}

void entropy_add(const void *data, u32 len)
{
	next_state("add", data, len);
}

void entropy_stir(void)
{
	moments = (moments << 5 | moments >> 27) ^ (u32)rdtsc();
}

void entropy_bytes(u8 *buf, u32 len)
{
	u32 latest = moments;

	next_state("moments", &latest, sizeof(latest));
	for (u32 block = 0; len; block++) {
		u32 part = len < STATE ? len : STATE;
		u8 out[STATE];
		struct blake2s b;

		blake2s_init(&b, state, STATE);
		blake2s_add(&b, "out", 3);
		blake2s_add(&b, &block, sizeof(block));
		blake2s_end(&b, out);
		memcpy(buf, out, part);
		buf += part;
		len -= part;
	}
	next_state("after", NULL, 0);
}
