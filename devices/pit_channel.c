/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: one counter of an 8254. Datasheet: Intel 8254 (231164).
 * Counting is arithmetic on the tick at which the counter was loaded; nothing runs in between.
 */
#include "devices/pit_channel.h"

static u32 modulus(const struct pit_channel *c)
{
	return c->bcd ? 10000 : 65536;
}

bool pit_channel_is_periodic(const struct pit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* Mode 3: how long the output stays high in a period of `count` (datasheet, figure 18). */
static u32 high_part(u32 count)
{
	return (count + 1) / 2;
}

static u64 elapsed(const struct pit_channel *c, u64 tick)
{
	if (!c->running)
		return c->stopped_at;
	return tick > c->start ? tick - c->start : 0;
}

/* A count written in mode 2 or 3 takes over at the end of the period or half period. */
static void settle(struct pit_channel *c, u64 tick)
{
	bool was_high;

	if (!pit_channel_is_periodic(c) || !c->next_at || tick < c->next_at || !c->running)
		return;
	was_high = (c->next_at - 1 - c->start) % c->count < high_part(c->count);
	c->count = c->next_count;
	c->start = c->next_at;
	if (c->mode == 3 && was_high)
		c->start -= high_part(c->count);
	c->next_at = 0;
}

static bool output(const struct pit_channel *c, u64 tick)
{
	u64 done = elapsed(c, tick);

	switch (c->mode) {
	case 0:
		return c->loaded && done >= c->count;
	case 1:
		return !c->triggered || done >= c->count;
	case 2:
		return !c->loaded || !c->gate || done % c->count != c->count - 1;
	case 3:
		return !c->loaded || !c->gate || done % c->count < high_part(c->count);
	case 4:
		return !c->loaded || done != c->count;
	default:
		return !c->triggered || done != c->count;
	}
}

static u16 to_register(const struct pit_channel *c, u32 value)
{
	value %= modulus(c);
	if (!c->bcd)
		return (u16)value;
	return (u16)(value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 |
		     value % 10);
}

static u32 from_register(const struct pit_channel *c, u16 raw)
{
	u32 value = raw;

	if (c->bcd)
		value = (raw >> 12) * 1000 + (raw >> 8 & 15) * 100 + (raw >> 4 & 15) * 10 +
			(raw & 15);
	value %= modulus(c);
	return value ? value : modulus(c);
}

static u16 counter(const struct pit_channel *c, u64 tick)
{
	u64 done = elapsed(c, tick);
	u32 phase;

	if (!c->count)
		return 0;
	if (!pit_channel_is_periodic(c))
		return to_register(c, c->count + modulus(c) - (u32)(done % modulus(c)));
	phase = (u32)(done % c->count);
	if (c->mode == 2)
		return to_register(c, c->count - phase);
	if (phase >= high_part(c->count))
		phase -= high_part(c->count);
	return to_register(c, (c->count & ~1u) - 2 * phase);
}

u64 pit_channel_next_edge(struct pit_channel *c, u64 tick)
{
	u64 done = elapsed(c, tick), period, phase;

	if (!c->loaded || !c->running)
		return PIT_NO_EDGE;
	if (tick < c->start)
		tick = c->start;
	switch (c->mode) {
	case 0:
		return done < c->count ? c->start + c->count : PIT_NO_EDGE;
	case 1:
		return c->triggered && done < c->count ? c->start + c->count : PIT_NO_EDGE;
	case 4:
		return done <= c->count ? c->start + c->count + 1 : PIT_NO_EDGE;
	case 5:
		return c->triggered && done <= c->count ? c->start + c->count + 1 : PIT_NO_EDGE;
	default:
		period = c->count;
		phase = done % period;
		if (c->mode == 3 && phase < high_part(c->count) && period > 1)
			return tick - phase + high_part(c->count);
		return tick - phase + period;
	}
}

u64 pit_channel_steady_until(struct pit_channel *c, u64 tick)
{
	u64 edge = pit_channel_next_edge(c, tick);

	if (edge == PIT_NO_EDGE)
		return edge;
	if ((c->mode == 2 || c->mode >= 4) && output(c, tick))
		edge--; /* low for one clock before it rises */
	return c->next_at > tick && c->next_at < edge ? c->next_at : edge;
}

static u8 status(const struct pit_channel *c, u64 tick)
{
	bool null = !c->loaded || c->next_at || (c->running && tick < c->start);

	return (u8)(output(c, tick) << 7 | null << 6 | c->access << 4 | c->mode << 1 | c->bcd);
}

bool pit_channel_output(struct pit_channel *c, u64 tick)
{
	settle(c, tick);
	return output(c, tick);
}

static void load_count(struct pit_channel *c, u16 raw, u64 tick)
{
	u32 count = from_register(c, raw);
	bool first = !c->loaded;

	c->loaded = true;
	if (c->mode == 1 || c->mode == 5) {
		c->next_count = count;
		c->next_at = 1;
		return;
	}
	/* Up to the clock that loads the first count, another one takes its place. */
	if (pit_channel_is_periodic(c) && !first && c->gate && tick >= c->start) {
		c->next_count = count;
		c->next_at = pit_channel_next_edge(c, tick);
		return;
	}
	c->count = count;
	c->start = tick + 1;
	c->running = c->gate;
	c->stopped_at = 0;
	c->next_at = 0;
}

void pit_channel_write(struct pit_channel *c, u8 byte, u64 tick)
{
	settle(c, tick);
	switch (c->access) {
	case 1:
		load_count(c, byte, tick);
		break;
	case 2:
		load_count(c, (u16)(byte << 8), tick);
		break;
	default:
		if (!c->write_high) {
			c->write_low = byte;
			/* Mode 0: the first byte stops the counter and drops the output. */
			if (c->mode == 0)
				c->loaded = false;
		} else {
			load_count(c, (u16)(byte << 8 | c->write_low), tick);
		}
		c->write_high = !c->write_high;
		break;
	}
}

void pit_channel_latch_count(struct pit_channel *c, u64 tick)
{
	settle(c, tick);
	if (c->count_latched)
		return;
	c->latched_count = counter(c, tick);
	c->count_latched = true;
	/* The low byte comes first even when half a count was read before, as in Bochs. */
	c->read_high = false;
}

void pit_channel_latch_status(struct pit_channel *c, u64 tick)
{
	if (c->status_latched)
		return;
	settle(c, tick);
	c->latched_status = status(c, tick);
	c->status_latched = true;
}

void pit_channel_control(struct pit_channel *c, u8 command, u64 tick)
{
	settle(c, tick);
	c->access = command >> 4 & 3;
	c->mode = command >> 1 & 7;
	if (c->mode > 5)
		c->mode &= 3;
	c->bcd = command & 1;
	c->loaded = c->triggered = false;
	c->write_high = c->read_high = false;
	c->count_latched = c->status_latched = false;
	c->next_at = 0;
}

u8 pit_channel_read(struct pit_channel *c, u64 tick)
{
	u16 value;
	bool high;

	settle(c, tick);
	if (c->status_latched) {
		c->status_latched = false;
		return c->latched_status;
	}
	value = c->count_latched ? c->latched_count : counter(c, tick);
	high = c->access == 2 || (c->access == 3 && c->read_high);
	if (c->access == 3)
		c->read_high = !c->read_high;
	if (c->access != 3 || high)
		c->count_latched = false;
	return (u8)(high ? value >> 8 : value);
}

void pit_channel_gate(struct pit_channel *c, bool gate, u64 tick)
{
	if (gate == c->gate)
		return;
	settle(c, tick);
	if (!gate && c->running && c->mode != 1 && c->mode != 5) {
		c->stopped_at = elapsed(c, tick);
		c->running = false;
	}
	c->gate = gate;
	if (!gate || !c->loaded)
		return;
	if (c->mode == 0 || c->mode == 4) {
		/* The count is loaded without the gate; it may still be on its way. */
		if (c->stopped_at || tick > c->start)
			c->start = tick - c->stopped_at;
	} else {
		if (c->next_at)
			c->count = c->next_count;
		c->next_at = 0;
		c->start = tick + 1;
		c->triggered = true;
	}
	c->running = true;
}

void pit_channel_reset(struct pit_channel *c, bool gate)
{
	*c = (struct pit_channel){.access = 3, .count = 65536, .gate = gate};
}
