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

/* 2^64 of it are two toggles: the bit is the product's highest one, whatever overflows. */
#define REFRESH_PER_NS (TICKS_PER_NS / (2 * REFRESH_TICKS))

/* Ticks start here, so that "half a period ago" is never before the first tick. */
#define FIRST_TICK 0x100000u

/* How long `ticks` last in ns, rounded up. */
static u64 ns_of(u64 ticks)
{
	return (ticks * 17600 + 20) / 21;
}

static u64 ticks_at(u64 moment)
{
	return mul_hi64(moment, TICKS_PER_NS) + FIRST_TICK;
}

static u64 now_ticks(const struct pit *p)
{
	return ticks_at(clock_now(p->clock));
}

/* The first moment of the clock at which now_ticks() gives `tick`. */
static u64 moment_of(u64 tick)
{
	return ns_of(tick - FIRST_TICK);
}

static void arm_edge(struct pit *p)
{
	u64 edge = pit_channel_next_edge(&p->channel[0], p->position), at, floor;

	if (edge == PIT_NO_EDGE) {
		timer_cancel(p->clock, &p->edge);
		return;
	}
	at = moment_of(edge);
	floor = pit_channel_is_periodic(&p->channel[0]) ? moment_of(p->position) + EVENT_MIN_NS : 0;
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
		edge = pit_channel_next_edge(c, p->position);
		if (edge > now)
			break;
		p->position = edge;
		rises += pit_channel_output(c, edge);
	}
	/* Behind by more than a call may serve: those ticks are lost. */
	if (edge <= now)
		p->position = now;

	/*
	 * A late rise keeps the line up for a while even when the output falls again: otherwise
	 * the guest would lose a tick that it had no chance to take.
	 */
	keep_missed(p, rises, now);
	if (rises)
		pulse(p, now);
	else if (now - p->raised_at >= c->count / 4)
		irq_set(&p->irq, pit_channel_output(c, p->position));
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
	irq_set(&p->irq, pit_channel_output(&p->channel[0], tick));
	arm_edge(p);
}

static void read_back(struct pit *p, u8 command, u64 tick)
{
	for (unsigned i = 0; i < 3; i++) {
		if (!(command & BIT(i + 1)))
			continue;
		if (!(command & 0x20))
			pit_channel_latch_count(&p->channel[i], tick);
		if (!(command & 0x10))
			pit_channel_latch_status(&p->channel[i], tick);
	}
}

static void write_control(struct pit *p, u8 command, u64 tick)
{
	unsigned n = command >> 6;

	if (n == 3) {
		read_back(p, command, tick);
	} else if (!(command & 0x30)) {
		pit_channel_latch_count(&p->channel[n], tick);
	} else {
		pit_channel_control(&p->channel[n], command, tick);
		if (n == 0)
			restart_irq(p, tick);
	}
}

static u32 pit_in(void *dev, u16 port, unsigned width)
{
	struct pit *p = dev;
	u64 tick;

	(void)width;
	if ((port & 3) == 3)
		return 0xff;
	serve_edges(p);
	tick = now_ticks(p);
	return pit_channel_read(&p->channel[port & 3], tick);
}

static void pit_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct pit *p = dev;
	struct pit_channel *c;
	u64 tick;

	(void)width;
	p->steady_until = 0;
	serve_edges(p);
	tick = now_ticks(p);
	if ((port & 3) == 3) {
		write_control(p, (u8)value, tick);
		return;
	}
	c = &p->channel[port & 3];
	pit_channel_write(c, (u8)value, tick);
	if (c == &p->channel[0] && !c->next_at)
		restart_irq(p, tick);
}

/* Programs wait for channel 2 by reading port 61h: they need not wait for the arithmetic as well.
 */
static __attribute__((noinline)) void look_at_channel2(struct pit *p, u64 now)
{
	u64 tick = ticks_at(now), until;

	p->port61_reads = p->port61 | (u8)(pit_channel_output(&p->channel[2], tick) << 5);
	until = pit_channel_steady_until(&p->channel[2], tick);
	p->steady_until = until == PIT_NO_EDGE ? TIMER_NEVER : moment_of(until);
}

static u32 port61_in(void *dev, u16 port, unsigned width)
{
	struct pit *p = dev;
	u64 now = clock_now(p->clock);

	(void)port;
	(void)width;
	if (unlikely(now >= p->steady_until))
		look_at_channel2(p, now);
	return p->port61_reads | (u32)(now * REFRESH_PER_NS >> 63) << 4;
}

static void port61_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct pit *p = dev;

	(void)port;
	(void)width;
	p->port61 = value & 0x0f;
	p->steady_until = 0;
	pit_channel_gate(&p->channel[2], value & 1, now_ticks(p));
}

static const struct port_ops pit_ops = {.in = pit_in, .out = pit_out, .widths = 1};
static const struct port_ops port61_ops = {.in = port61_in, .out = port61_out, .widths = 1};

void pit_reset(struct pit *p)
{
	timer_cancel(p->clock, &p->edge);
	timer_cancel(p->clock, &p->catch_up);
	for (unsigned i = 0; i < 3; i++)
		pit_channel_reset(&p->channel[i], i != 2);
	p->backlog = 0;
	p->taken = true;
	p->port61 = 0;
	p->steady_until = 0;
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
