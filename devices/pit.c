/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: 8254 programmable interval timer, and the PC's port 61h. Datasheet: Intel 8254 (231164);
 * 82371SB (290550), 2.5.4.
 * Modelled: three channels, six modes, BCD, latch and read-back commands, channel 2's gate, the
 * refresh bit. Channel 0's output is IRQ 0; ticks that pass while Farbus is away from the guest are
 * given to it afterwards, no faster than it takes them and no more than BACKLOG_NS of them.
 * Not modelled: the sound of the speaker; refresh (channel 1) does nothing.
 */
#include "devices/pit.h"
#include "devices/bus.h"
#include "lib/str.h"

/* 2^64 * 1.193181818 MHz in ticks per ns (21 / 17600), rounded up; one tick lasts 17600 / 21 ns. */
#define TICKS_PER_NS 0x4e3244e3244e33ull

#define BACKLOG_NS    250000000u
#define EDGES_A_CALL  256u
#define EVENT_MIN_NS  50000u /* a faster channel 0 is served several edges at a time */
#define REFRESH_TICKS 18u    /* the refresh bit toggles every 15.085 us */

/* Ticks start here, so that "half a period ago" is never before the first tick. */
#define FIRST_TICK 0x100000u

/* How long `ticks` last in ns, rounded up. */
static u64 ns_of(u64 ticks)
{
	return (ticks * 17600 + 20) / 21;
}

static u64 now_ticks(const struct pit *p)
{
	return mul_hi64(clock_now(p->clock), TICKS_PER_NS) + FIRST_TICK;
}

/* The first moment of the clock at which now_ticks() gives `tick`. */
static u64 moment_of(u64 tick)
{
	return ns_of(tick - FIRST_TICK);
}

static u32 modulus(const struct pit_channel *c)
{
	return c->bcd ? 10000 : 65536;
}

static bool is_periodic(const struct pit_channel *c)
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

	if (!is_periodic(c) || !c->next_at || tick < c->next_at || !c->running)
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
	if (!is_periodic(c))
		return to_register(c, c->count + modulus(c) - (u32)(done % modulus(c)));
	phase = (u32)(done % c->count);
	if (c->mode == 2)
		return to_register(c, c->count - phase);
	if (phase >= high_part(c->count))
		phase -= high_part(c->count);
	return to_register(c, (c->count & ~1u) - 2 * phase);
}

/* The next tick after `tick` at which the output changes; mode 2 and 4's low clock is left out. */
static u64 next_edge(const struct pit_channel *c, u64 tick)
{
	u64 done = elapsed(c, tick), period, phase;

	if (!c->loaded || !c->running)
		return TIMER_NEVER;
	if (tick < c->start)
		tick = c->start;
	switch (c->mode) {
	case 0:
		return done < c->count ? c->start + c->count : TIMER_NEVER;
	case 1:
		return c->triggered && done < c->count ? c->start + c->count : TIMER_NEVER;
	case 4:
		return done <= c->count ? c->start + c->count + 1 : TIMER_NEVER;
	case 5:
		return c->triggered && done <= c->count ? c->start + c->count + 1 : TIMER_NEVER;
	default:
		period = c->count;
		phase = done % period;
		if (c->mode == 3 && phase < high_part(c->count) && period > 1)
			return tick - phase + high_part(c->count);
		return tick - phase + period;
	}
}

static u8 status(const struct pit_channel *c, u64 tick)
{
	bool null = !c->loaded || c->next_at || (c->running && tick < c->start);

	return (u8)(output(c, tick) << 7 | null << 6 | c->access << 4 | c->mode << 1 | c->bcd);
}

static void arm_edge(struct pit *p)
{
	u64 edge = next_edge(&p->channel[0], p->position), at, floor;

	if (edge == TIMER_NEVER) {
		timer_cancel(p->clock, &p->edge);
		return;
	}
	at = moment_of(edge);
	floor = is_periodic(&p->channel[0]) ? moment_of(p->position) + EVENT_MIN_NS : 0;
	timer_arm(p->clock, &p->edge, at > floor ? at : floor);
}

static void pulse(struct pit *p, u64 now)
{
	p->raised_at = now;
	p->taken = false;
	irq_set(&p->irq, false);
	irq_set(&p->irq, true);
}

/*
 * Ticks that the guest had no chance to take: those that came together, and one whose predecessor
 * came too late to be taken before it.
 */
static void keep_missed(struct pit *p, u32 rises, u64 now)
{
	u32 count = p->channel[0].count, backlog_max = BACKLOG_NS / (u32)ns_of(count) + 1;

	if (rises && !p->taken && now - p->raised_at < count / 2)
		p->backlog++;
	if (rises > 1)
		p->backlog += rises - 1;
	if (p->backlog > backlog_max)
		p->backlog = backlog_max;
}

static void edge_due(void *ctx)
{
	struct pit *p = ctx;
	struct pit_channel *c = &p->channel[0];
	u64 now = now_ticks(p), edge = 0;
	u32 rises = 0;

	for (unsigned i = 0; i < EDGES_A_CALL; i++) {
		edge = next_edge(c, p->position);
		if (edge > now)
			break;
		p->position = edge;
		settle(c, edge);
		rises += output(c, edge);
	}
	/* Behind by more than a call may serve: those ticks are lost. */
	if (edge <= now)
		p->position = now;
	settle(c, now);

	/*
	 * A late rise keeps the line up for a while even when the output falls again: otherwise
	 * the guest would lose a tick that it had no chance to take.
	 */
	keep_missed(p, rises, now);
	if (rises)
		pulse(p, now);
	else if (now - p->raised_at >= c->count / 4)
		irq_set(&p->irq, output(c, p->position));
	arm_edge(p);
}

/*
 * Before the guest sees the chip: an edge that is due has happened, even when the run loop has not
 * come round to it yet. Otherwise a guest could read an output as high whose IRQ 0 is not there.
 */
static void serve_edges(struct pit *p)
{
	if (p->edge.deadline <= clock_now(p->clock)) {
		timer_cancel(p->clock, &p->edge);
		edge_due(p);
	}
}

static void catch_up_due(void *ctx)
{
	struct pit *p = ctx;

	if (!p->backlog || !p->taken)
		return;
	p->backlog--;
	pulse(p, now_ticks(p));
}

void pit_irq_taken(struct pit *p)
{
	u64 wait = ns_of(p->channel[0].count) / 3;

	p->taken = true;
	if (!p->backlog || p->catch_up.deadline != TIMER_NEVER)
		return;
	if (wait < EVENT_MIN_NS)
		wait = EVENT_MIN_NS;
	timer_arm(p->clock, &p->catch_up, clock_now(p->clock) + wait);
}

/* Channel 0 was programmed: its line follows the output from here on. */
static void restart_irq(struct pit *p, u64 tick)
{
	p->backlog = 0;
	p->taken = true;
	timer_cancel(p->clock, &p->catch_up);
	p->position = tick;
	irq_set(&p->irq, output(&p->channel[0], tick));
	arm_edge(p);
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
	if (is_periodic(c) && !first && c->gate) {
		c->next_count = count;
		c->next_at = c->start;
		if (tick >= c->start)
			c->next_at = next_edge(c, tick);
		return;
	}
	c->count = count;
	c->start = tick + 1;
	c->running = c->gate;
	c->stopped_at = 0;
	c->next_at = 0;
}

static void write_count(struct pit_channel *c, u8 byte, u64 tick)
{
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

static void latch_count(struct pit_channel *c, u64 tick)
{
	if (c->count_latched)
		return;
	c->latched_count = counter(c, tick);
	c->count_latched = true;
}

static void read_back(struct pit *p, u8 command, u64 tick)
{
	for (unsigned i = 0; i < 3; i++) {
		struct pit_channel *c = &p->channel[i];

		if (!(command & BIT(i + 1)))
			continue;
		settle(c, tick);
		if (!(command & 0x20))
			latch_count(c, tick);
		if (!(command & 0x10) && !c->status_latched) {
			c->latched_status = status(c, tick);
			c->status_latched = true;
		}
	}
}

static void write_control(struct pit *p, u8 command, u64 tick)
{
	struct pit_channel *c;

	if (command >> 6 == 3) {
		read_back(p, command, tick);
		return;
	}
	c = &p->channel[command >> 6];
	settle(c, tick);
	if (!(command & 0x30)) {
		latch_count(c, tick);
		return;
	}
	c->access = command >> 4 & 3;
	c->mode = command >> 1 & 7;
	if (c->mode > 5)
		c->mode &= 3;
	c->bcd = command & 1;
	c->loaded = c->triggered = false;
	c->write_high = c->read_high = false;
	c->count_latched = c->status_latched = false;
	c->next_at = 0;
	if (c == &p->channel[0])
		restart_irq(p, tick);
}

static u8 read_count(struct pit_channel *c, u64 tick)
{
	u16 value;
	bool high;

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

static void set_gate(struct pit_channel *c, bool gate, u64 tick)
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

static u32 pit_in(void *dev, u16 port, unsigned width)
{
	struct pit *p = dev;
	struct pit_channel *c = &p->channel[port & 3];
	u64 tick;

	(void)width;
	if ((port & 3) == 3)
		return 0xff;
	serve_edges(p);
	tick = now_ticks(p);
	settle(c, tick);
	return read_count(c, tick);
}

static void pit_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct pit *p = dev;
	struct pit_channel *c;
	u64 tick;

	(void)width;
	serve_edges(p);
	tick = now_ticks(p);
	if ((port & 3) == 3) {
		write_control(p, (u8)value, tick);
		return;
	}
	c = &p->channel[port & 3];
	settle(c, tick);
	write_count(c, (u8)value, tick);
	if (c == &p->channel[0] && !c->next_at)
		restart_irq(p, tick);
}

static u32 port61_in(void *dev, u16 port, unsigned width)
{
	struct pit *p = dev;
	u64 tick = now_ticks(p);

	(void)port;
	(void)width;
	settle(&p->channel[2], tick);
	return p->port61 | (u32)(tick / REFRESH_TICKS & 1) << 4 |
	       (u32)output(&p->channel[2], tick) << 5;
}

static void port61_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct pit *p = dev;

	(void)port;
	(void)width;
	p->port61 = value & 0x0f;
	set_gate(&p->channel[2], value & 1, now_ticks(p));
}

static const struct port_ops pit_ops = {.in = pit_in, .out = pit_out, .widths = 1};
static const struct port_ops port61_ops = {.in = port61_in, .out = port61_out, .widths = 1};

void pit_reset(struct pit *p)
{
	timer_cancel(p->clock, &p->edge);
	timer_cancel(p->clock, &p->catch_up);
	for (unsigned i = 0; i < 3; i++) {
		p->channel[i] = (struct pit_channel){
			.access = 3,
			.count = 65536,
			.gate = i != 2,
		};
	}
	p->backlog = 0;
	p->taken = true;
	p->port61 = 0;
	irq_set(&p->irq, false);
}

void pit_init(struct pit *p, struct bus *bus, struct clock *clock, struct irq_pin irq)
{
	memset(p, 0, sizeof(*p));
	p->clock = clock;
	p->irq = irq;
	timer_init(&p->edge, edge_due, p);
	timer_init(&p->catch_up, catch_up_due, p);
	pit_reset(p);
	bus_register(bus, 0x40, 0x43, ROUTE_VIRTUAL, &pit_ops, p, "pit");
	bus_register(bus, 0x61, 0x61, ROUTE_VIRTUAL, &port61_ops, p, "port61");
}
