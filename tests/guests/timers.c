/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254's modes, gates, latches and read-back, and the MC146818's time, alarm, periodic and
 * update interrupts. Durations are compared with each other, never printed.
 */
#include "tests/guests/rt/rt.h"

#define SHORT_WAIT 40000u /* polls: more than 20 ms on any host */

enum { PORT_B = 0x61, GATE2 = 1, SPEAKER = 2, OUT2 = 0x20 };

static void set_gate2(bool on)
{
	outb(PORT_B, (u8)((inb(PORT_B) & 0x0c) | (on ? GATE2 : 0)));
}

static bool out2(void)
{
	return inb(PORT_B) & OUT2;
}

static u8 status(unsigned channel)
{
	outb(0x43, (u8)(0xe0 | 2 << channel));
	return inb((u16)(0x40 + channel));
}

static u16 latched(unsigned channel)
{
	u8 low;

	outb(0x43, (u8)(channel << 6));
	low = inb((u16)(0x40 + channel));
	return (u16)(low | inb((u16)(0x40 + channel)) << 8);
}

static void load(unsigned channel, unsigned mode, u16 count)
{
	outb(0x43, (u8)(channel << 6 | 0x30 | mode << 1));
	outb((u16)(0x40 + channel), (u8)count);
	outb((u16)(0x40 + channel), (u8)(count >> 8));
}

/* Waits until OUT2 is that level; bounded, so that a dead timer shows as a line and not as a hang.
 */
static bool wait_out2(bool level)
{
	for (u32 i = 0; i < SHORT_WAIT; i++)
		if (out2() == level)
			return true;
	return false;
}

static bool counts_down(unsigned channel)
{
	u16 first = latched(channel);

	for (u32 i = 0; i < SHORT_WAIT; i++)
		if (latched(channel) != first)
			return true;
	return false;
}

static void channel2_mode(unsigned mode)
{
	bool a, b, c, d;

	set_gate2(false);
	outb(0x43, (u8)(0xb0 | mode << 1));
	print("mode %u: control word out %u status %02x\n", mode, out2(), status(2) & 0xff);
	outb(0x42, 0x00);
	outb(0x42, 0x10);
	print("  loaded, gate low: out %u\n", out2());
	set_gate2(true);
	a = counts_down(2);
	/* The strobe of modes 2, 4 and 5 is one clock long: too short to be polled for. */
	b = mode == 2 || mode > 3 || wait_out2(false);
	c = wait_out2(true);
	d = mode == 3 && wait_out2(false);
	print("  gate high: counts %u low %u high %u low again %u\n", a, b, c, d);
	set_gate2(false);
	print("  gate low: out %u counts %u status mode %x\n", mode == 0 ? out2() : 0,
	      mode == 1 || mode == 5 ? 0 : counts_down(2), status(2) & 0x3f);
}

static void access_modes(void)
{
	set_gate2(false);
	outb(0x43, 0x90); /* LSB only, mode 0 */
	outb(0x42, 0x34);
	print("lsb only: status %02x\n", status(2) & 0x3f);
	outb(0x43, 0xa0); /* MSB only */
	outb(0x42, 0x12);
	print("msb only: status %02x\n", status(2) & 0x3f);
	outb(0x43, 0xb1); /* BCD */
	outb(0x42, 0x99);
	outb(0x42, 0x99);
	print("bcd: status %02x\n", status(2) & 0x3f);
	outb(0x43, 0xb0);
	outb(0x42, 0x34);
	print("null count with half a load %u\n", status(2) >> 6 & 1);
	outb(0x42, 0x12);
	set_gate2(true);
	counts_down(2);
	print("null count once it runs %u\n", status(2) >> 6 & 1);
}

static void latches(void)
{
	u16 first, second;
	u8 low, high, st;

	load(2, 2, 0xffff);
	set_gate2(true);
	counts_down(2);
	outb(0x43, 0x80);
	outb(0x43, 0x80); /* a second latch before the read is ignored */
	low = inb(0x42);
	high = inb(0x42);
	first = (u16)(low | high << 8);
	counts_down(2);
	second = latched(2);
	print("latch: later is lower %u\n", second < first);
	outb(0x43, 0xc8); /* read back: count and status of channel 2 */
	st = inb(0x42);
	low = inb(0x42);
	high = inb(0x42);
	print("read-back: status first %02x, count lower %u\n", st & 0x3f,
	      (u16)(low | high << 8) <= second);
}

/* The counter stands still, so all that changes is which byte of it comes. */
static void half_reads(void)
{
	u8 half, first, second, third;

	set_gate2(false);
	load(2, 0, 0x1234);
	while (status(2) & 0x40) /* until it is in the counter */
		;
	half = inb(0x42);
	outb(0x43, 0x80);
	first = inb(0x42);
	second = inb(0x42);
	third = inb(0x42);
	print("half a read %02x, then a latch: %02x %02x, then %02x\n", half, first, second, third);
	inb(0x42);
	outb(0x43, 0x80);
	first = inb(0x42);
	outb(0x43, 0x80); /* half of it is still to be read */
	second = inb(0x42);
	outb(0x43, 0xe8); /* status in the middle of an unlatched read */
	half = inb(0x42) & 0x3f;
	third = inb(0x42);
	print("a latch read in halves: %02x %02x, status %02x, then %02x\n", first, second, half,
	      third);
	inb(0x42);
	outb(0x43, 0xc8);
	outb(0x43, 0xd8);
	half = inb(0x42) & 0x3f;
	first = inb(0x42);
	second = inb(0x42);
	print("two read-backs: %02x %02x %02x\n", half, first, second);
}

/* Half of the ticks of one channel are half the time of another: the channels share one clock. */
static void proportions(void)
{
	u16 before, after;
	u32 elapsed;

	load(0, 2, 0); /* 65536 */
	set_gate2(false);
	load(2, 0, 20000);
	before = latched(0);
	set_gate2(true);
	wait_out2(true);
	after = latched(0);
	elapsed = (u16)(before - after);
	print("20000 ticks measured within 10%%: %u\n", elapsed > 19900 && elapsed < 22000);
	load(0, 2, 0);
	load(2, 3, 10000);
	wait_out2(false);
	wait_out2(true);
	before = latched(0);
	wait_out2(false);
	wait_out2(true);
	wait_out2(false);
	wait_out2(true);
	elapsed = (u16)(before - latched(0));
	print("two periods of a square wave within 10%%: %u\n", elapsed > 18000 && elapsed < 22000);
}

static u8 cmos(u8 index)
{
	outb(0x70, index);
	return inb(0x71);
}

static void set_cmos(u8 index, u8 value)
{
	outb(0x70, index);
	outb(0x71, value);
}

static void set_time(u8 mode, u8 hour)
{
	set_cmos(0x0b, mode | 0x80);
	set_cmos(0, 0x58);
	set_cmos(2, 0x34);
	set_cmos(4, hour);
	set_cmos(6, 2);
	set_cmos(7, 0x28);
	set_cmos(8, 0x02);
	set_cmos(9, 0x96);
}

static void show_time(const char *label)
{
	/* No hour: Bochs 2.7 carries the one that was set by an hour of its own. */
	print("%s: %02x-%02x-%02x minute %02x\n", label, cmos(9), cmos(8), cmos(7), cmos(2));
}

static bool wait_flag(u8 mask)
{
	for (u32 i = 0; i < 1000000; i++)
		if (cmos(0x0c) & mask)
			return true;
	return false;
}

static void clock_time(void)
{
	set_time(0x02, 0x23);
	show_time("set");
	set_cmos(0x0b, 0x12);
	cmos(0x0c);
	print("update ended %u\n", wait_flag(0x10));
	show_time("running");
	set_cmos(0x0b, 0x82);
	set_cmos(0, 0x59);
	set_cmos(2, 0x59);
	set_cmos(0x0b, 0x12);
	cmos(0x0c);
	wait_flag(0x10);
	print("minute of the next hour %02x\n", cmos(2));
	print("register a %02x b %02x d %02x\n", cmos(0x0a) & 0x7f, cmos(0x0b), cmos(0x0d));
}

static void clock_interrupts(void)
{
	u32 periods = 0;

	set_time(0x02, 0x10);
	set_cmos(1, 0x59);
	set_cmos(3, 0x34);
	set_cmos(5, 0xff);
	set_cmos(0x0b, 0x22); /* alarm interrupt */
	cmos(0x0c);
	print("alarm %u\n", wait_flag(0x20));
	set_cmos(1, 0xff);
	set_cmos(3, 0xff);
	set_cmos(5, 0xff);
	cmos(0x0c);
	print("every second %u\n", wait_flag(0x20));
	set_cmos(0x0a, 0x2f); /* 2 Hz */
	set_cmos(0x0b, 0x42);
	cmos(0x0c);
	wait_flag(0x40);
	load(0, 2, 0);
	{
		u16 last = latched(0);
		u32 ticks = 0;

		for (u32 i = 0; i < 20000000 && periods < 1; i++) {
			u16 now = latched(0);

			ticks += (u16)(last - now);
			last = now;
			if (cmos(0x0c) & 0x40)
				periods++;
		}
		print("half a second on the PIT within 10%%: %u\n",
		      ticks > 537000 && ticks < 656000);
	}
	set_cmos(0x0a, 0x26);
	print("irq flag with interrupt enabled %u\n", wait_flag(0x80));
	set_cmos(0x0b, 0x02);
	cmos(0x0c);
	wait_flag(0x40);
	print("irq flag without %u\n", cmos(0x0c) >> 7);
}

int main(void)
{
	rt_init("timers");
	for (unsigned mode = 0; mode < 6; mode++)
		channel2_mode(mode);
	access_modes();
	latches();
	half_reads();
	proportions();
	clock_time();
	clock_interrupts();
	print("[end]\n");
	return 0;
}
