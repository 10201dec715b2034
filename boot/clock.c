/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host time: the time-stamp counter, calibrated once against PIT channel 2, and interrupts from
 * PIT channel 0 in one-shot mode (Intel 8254 datasheet, 231164).
 */
#include "boot/host.h"
#include "boot/port.h"
#include "boot/trap.h"
#include "devices/timer.h"
#include "lib/log.h"

#define PIT_HZ		 1193182u
#define PIT_CH0		 0x40
#define PIT_CH2		 0x42
#define PIT_MODE	 0x43
#define PORT_B		 0x61 /* bit 0: channel 2's gate, bit 1: speaker, bit 5: channel 2's output */
#define SHOT_MAX	 50000000ull   /* ns; the counter ends at 54.9 ms */
#define CALIBRATE_COUNTS (PIT_HZ / 50) /* 20 ms */

static u64 tsc_start;
static u32 tsc_khz;
/* ns = ticks * ns_whole + (ticks * ns_part >> 32) */
static u32 ns_whole, ns_part;
static u64 shot_at; /* deadline programmed into the PIT; TIMER_NEVER: none */

/* One moment on both clocks. */
struct moment {
	u64 tsc;
	u32 count; /* of channel 2, counting down */
};

/* The reading that was interrupted least (by SMM, by an emulator's other threads). */
static struct moment read_both(void)
{
	struct moment best = {0, 0};
	u64 best_gap = ~0ull;

	for (unsigned i = 0; i < 16; i++) {
		u64 before = rdtsc(), gap;
		u32 count;

		outb(PIT_MODE, 0x80); /* latch channel 2 */
		gap = rdtsc() - before;
		count = inb(PIT_CH2);
		count |= (u32)inb(PIT_CH2) << 8;
		if (gap < best_gap) {
			best_gap = gap;
			best = (struct moment){before + gap / 2, count};
		}
	}
	return best;
}

/* kHz of the TSC, or 0 when something held us up for so long that channel 2 ran out. */
static u32 measure(void)
{
	u8 port_b = inb(PORT_B) & ~3;
	struct moment start, end;
	bool ran_out;
	u64 limit;

	outb(PORT_B, port_b | 1);
	outb(PIT_MODE, 0xb0); /* channel 2, both bytes, mode 0: its output goes high at 0 */
	outb(PIT_CH2, 0xff);
	outb(PIT_CH2, 0xff);
	start = read_both();
	limit = start.tsc + (1ull << 32); /* a PIT that does not count must not hang us */
	do
		end = read_both();
	while (start.count - end.count < CALIBRATE_COUNTS && !(inb(PORT_B) & 0x20) &&
	       end.tsc < limit);
	ran_out = inb(PORT_B) & 0x20;
	outb(PORT_B, port_b);
	if (ran_out || start.count - end.count < CALIBRATE_COUNTS)
		return 0;
	return (u32)((end.tsc - start.tsc) * PIT_HZ / (start.count - end.count) / 1000);
}

static void shot_fired(void *ctx)
{
	(void)ctx;
	shot_at = TIMER_NEVER;
	host_wake();
}

void clock_init(void)
{
	for (unsigned tries = 0; tries < 5 && !tsc_khz; tries++)
		tsc_khz = measure();
	if (!tsc_khz) {
		tsc_khz = 1000000;
		log_warn("the PIT does not count: the CPU is taken to run at 1 GHz");
	}
	ns_whole = 1000000 / tsc_khz;
	ns_part = (u32)(((u64)(1000000 % tsc_khz) << 32) / tsc_khz);
	tsc_start = rdtsc();
	shot_at = TIMER_NEVER;
	host_irq_hook(0, shot_fired, NULL);
	host_irq_mask(0, false);
}

u64 host_ns(void)
{
	u64 ticks = rdtsc() - tsc_start;

	return ticks * ns_whole + (ticks >> 32) * ns_part + ((ticks & 0xffffffff) * ns_part >> 32);
}

u32 host_tsc_khz(void)
{
	return tsc_khz;
}

void host_timer_set(u64 deadline)
{
	u32 flags = irq_save();
	u64 now = host_ns(), wait = deadline > now ? deadline - now : 0;
	u32 count;

	if (wait > SHOT_MAX)
		wait = SHOT_MAX;
	/* An earlier shot, still to come, is good enough: the run loop sets the next one then. */
	if (shot_at != TIMER_NEVER && shot_at <= now + wait && shot_at + SHOT_MAX > now) {
		irq_restore(flags);
		return;
	}
	shot_at = now + wait;
	count = (u32)wait / 1000 * (PIT_HZ / 1000) / 1000 + 2;
	outb(PIT_MODE, 0x30); /* channel 0, both bytes, mode 0 */
	outb(PIT_CH0, (u8)count);
	outb(PIT_CH0, (u8)(count >> 8));
	irq_restore(flags);
}

void host_delay_us(u32 us)
{
	u64 end = host_ns() + us * 1000ull;

	while (host_ns() < end)
		asm volatile("pause");
}
