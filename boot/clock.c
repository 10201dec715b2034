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

#define PIT_HZ	     1193182u
#define PIT_CH0	     0x40
#define PIT_CH2	     0x42
#define PIT_MODE     0x43
#define PORT_B	     0x61 /* bit 0: channel 2's gate, bit 1: speaker, bit 5: channel 2's output */
#define SHOT_MAX     50000000ull /* ns; the counter ends at 54.9 ms */
#define CALIBRATE_MS 20u

static u64 tsc_start;
static u32 tsc_khz;
/* ns = ticks * ns_whole + (ticks * ns_part >> 32) */
static u32 ns_whole, ns_part;
static u64 shot_at; /* deadline programmed into the PIT; TIMER_NEVER: none */

static u64 rdtsc(void)
{
	u64 v;
	asm volatile("rdtsc" : "=A"(v));
	return v;
}

/* TSC ticks in CALIBRATE_MS of channel 2, mode 0: its output goes high at the end. */
static u64 measure(void)
{
	u32 count = PIT_HZ * CALIBRATE_MS / 1000;
	u8 port_b = inb(PORT_B) & ~3;
	u64 start;

	outb(PORT_B, port_b | 1);
	outb(PIT_MODE, 0xb0);
	outb(PIT_CH2, (u8)count);
	outb(PIT_CH2, (u8)(count >> 8));
	start = rdtsc();
	while (!(inb(PORT_B) & 0x20) && rdtsc() - start < 1ull << 32)
		;
	start = rdtsc() - start;
	outb(PORT_B, port_b);
	return start;
}

static void shot_fired(void *ctx)
{
	(void)ctx;
	shot_at = TIMER_NEVER;
	host_wake();
}

void clock_init(void)
{
	u64 ticks = measure(), again = measure();

	/* Whatever delays the loop (SMM, an emulator's other thread) makes it read too much. */
	if (again < ticks)
		ticks = again;
	tsc_khz = (u32)(ticks / CALIBRATE_MS);
	if (!tsc_khz)
		tsc_khz = 1;
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
