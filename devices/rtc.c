/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chip: MC146818 real-time clock as in the PIIX3. Datasheet: Motorola MC146818A (ADI850R2).
 * Modelled: time, date and century in BCD or binary, 12 and 24 hours, alarm with wildcards, update
 * cycle (UIP, SET, divider reset), periodic, alarm and update-ended interrupts.
 * Not modelled: daylight saving, square wave output, the extended bank (72h, 73h), NMI masking.
 */
#include "devices/rtc.h"
#include "devices/bus.h"
#include "lib/str.h"

enum {
	SECONDS = 0x00,
	SECONDS_ALARM = 0x01,
	MINUTES = 0x02,
	MINUTES_ALARM = 0x03,
	HOURS = 0x04,
	HOURS_ALARM = 0x05,
	WEEKDAY = 0x06,
	DAY = 0x07,
	MONTH = 0x08,
	YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
};

#define A_UIP	   0x80u
#define A_DIVIDER  0x70u
#define A_RUNNING  0x20u /* 32768 Hz time base */
#define A_RESET	   0x60u /* either of the two divider reset codes has these bits */
#define B_SET	   0x80u
#define B_PERIODIC 0x40u
#define B_ALARM	   0x20u
#define B_UPDATE   0x10u
#define B_SQUARE   0x08u
#define B_BINARY   0x04u
#define B_24H	   0x02u
#define C_IRQ	   0x80u
#define C_FLAGS	   0x70u
#define D_VALID	   0x80u

/* UIP rises 244 us before the update, which takes 1984 us (datasheet, table 6 and figure 15). */
#define UIP_NS	     2228000u
#define CATCH_UP_MAX 86400u /* seconds; a clock left behind longer than a day skips the rest */

/* 2^64 * 32768 / 10^9, rounded up */
#define TICKS_PER_NS 604462909807315ull

static u64 now_32k(const struct rtc *r)
{
	return mul_hi64(clock_now(r->clock), TICKS_PER_NS);
}

static u64 moment_of(u64 tick)
{
	return (tick >> 15) * NS_PER_SEC + (((tick & 32767) * NS_PER_SEC + 32767) >> 15);
}

static u8 encode(const struct rtc *r, unsigned value)
{
	if (r->cmos[REG_B] & B_BINARY)
		return (u8)value;
	return (u8)(value / 10 % 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc *r, u8 raw)
{
	if (r->cmos[REG_B] & B_BINARY)
		return raw;
	return (raw >> 4) * 10u + (raw & 15);
}

static u8 encode_hour(const struct rtc *r, unsigned hour)
{
	if (r->cmos[REG_B] & B_24H)
		return encode(r, hour);
	return encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0);
}

static unsigned decode_hour(const struct rtc *r, u8 raw)
{
	if (r->cmos[REG_B] & B_24H)
		return decode(r, raw);
	return decode(r, raw & 0x7f) % 12 + (raw & 0x80 ? 12 : 0);
}

static unsigned days_in_month(unsigned month, unsigned year)
{
	static const u8 days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month < 1 || month > 12)
		return 31;
	return days[month - 1] + (month == 2 && year % 4 == 0);
}

/* Counts a register up; true when it wrapped from `last` to `first`. */
static bool count_up(struct rtc *r, u8 reg, unsigned first, unsigned last)
{
	unsigned value = decode(r, r->cmos[reg]);
	bool wrap = value >= last;

	r->cmos[reg] = encode(r, wrap ? first : value + 1);
	return wrap;
}

static bool count_hour(struct rtc *r)
{
	unsigned hour = decode_hour(r, r->cmos[HOURS]);

	r->cmos[HOURS] = encode_hour(r, hour >= 23 ? 0 : hour + 1);
	return hour >= 23;
}

static void count_second(struct rtc *r)
{
	unsigned month, year;

	if (!count_up(r, SECONDS, 0, 59) || !count_up(r, MINUTES, 0, 59) || !count_hour(r))
		return;
	count_up(r, WEEKDAY, 1, 7);
	month = decode(r, r->cmos[MONTH]);
	year = decode(r, r->cmos[YEAR]);
	if (count_up(r, DAY, 1, days_in_month(month, year)) && count_up(r, MONTH, 1, 12) &&
	    count_up(r, YEAR, 0, 99))
		count_up(r, CMOS_CENTURY, 0, 99);
}

/* An alarm register with its two high bits set matches anything. */
static bool alarm_matches(const struct rtc *r, u8 reg, u8 alarm)
{
	return r->cmos[alarm] >= 0xc0 || r->cmos[alarm] == r->cmos[reg];
}

static void raise_flags(struct rtc *r, u8 flags)
{
	r->cmos[REG_C] |= flags;
	if (r->cmos[REG_C] & r->cmos[REG_B] & C_FLAGS) {
		r->cmos[REG_C] |= C_IRQ;
		irq_set(&r->irq, true);
	}
}

static bool counting(const struct rtc *r)
{
	return !(r->cmos[REG_B] & B_SET) && (r->cmos[REG_A] & A_RESET) != A_RESET;
}

static void update_once(struct rtc *r)
{
	u8 flags = B_UPDATE;

	if (!counting(r))
		return;
	count_second(r);
	if (alarm_matches(r, SECONDS, SECONDS_ALARM) && alarm_matches(r, MINUTES, MINUTES_ALARM) &&
	    alarm_matches(r, HOURS, HOURS_ALARM))
		flags |= B_ALARM;
	raise_flags(r, flags);
}

/* Brings the registers to the present. */
static void catch_up(struct rtc *r)
{
	u64 now = clock_now(r->clock);

	for (u32 i = 0; i < CATCH_UP_MAX && r->next_update <= now; i++) {
		r->next_update += NS_PER_SEC;
		update_once(r);
	}
	if (r->next_update <= now)
		r->next_update = now + NS_PER_SEC;
}

static void second_due(void *ctx)
{
	struct rtc *r = ctx;

	catch_up(r);
	timer_arm(r->clock, &r->second, r->next_update);
}

/* Periodic rate in ticks of 32768 Hz, 0: off (datasheet, table 5). */
static u32 period(const struct rtc *r)
{
	unsigned rate = r->cmos[REG_A] & 15;

	if ((r->cmos[REG_A] & A_DIVIDER) != A_RUNNING || rate == 0)
		return 0;
	return 1u << (rate <= 2 ? rate + 6 : rate - 1);
}

static void periodic_edges(struct rtc *r)
{
	u32 ticks = period(r);
	u64 now = now_32k(r);

	/* The period is a power of two: an edge lies where the divider's bit changes. */
	if (ticks && ((now ^ r->periodic_seen) & ~(u64)(ticks - 1)))
		raise_flags(r, B_PERIODIC);
	r->periodic_seen = now;
}

static void arm_periodic(struct rtc *r)
{
	u32 ticks = period(r);

	/* Nothing new can happen while the flag is still up. */
	if (!ticks || !(r->cmos[REG_B] & B_PERIODIC) || (r->cmos[REG_C] & B_PERIODIC))
		timer_cancel(r->clock, &r->periodic);
	else
		timer_arm(r->clock, &r->periodic, moment_of((r->periodic_seen | (ticks - 1)) + 1));
}

static void periodic_due(void *ctx)
{
	struct rtc *r = ctx;

	periodic_edges(r);
	arm_periodic(r);
}

static u8 read_flags(struct rtc *r)
{
	u8 flags;

	periodic_edges(r);
	flags = r->cmos[REG_C];
	r->cmos[REG_C] = 0;
	irq_set(&r->irq, false);
	arm_periodic(r);
	return flags;
}

/*
 * A guest that waits for the next second reads register A a million times. After so many reads,
 * with no more than that between two of them, each is answered only when something has happened,
 * but not before this time: an access may take long, and the run loop sleeps meanwhile.
 */
#define POLLS	    256u
#define POLL_GAP_NS 50000u
#define HELD_NS	    1000000u

static void polls_end(struct rtc *r)
{
	r->polls = 0;
	r->held = 0;
	timer_cancel(r->clock, &r->uip);
}

static bool poll_waits(struct rtc *r, u64 now)
{
	if (r->held && now - r->held < HELD_NS)
		return true;
	if (!r->held && now - r->polled > POLL_GAP_NS)
		r->polls = 0;
	r->polled = now;
	if (r->held || ++r->polls < POLLS) {
		r->held = 0;
		return false;
	}
	r->held = now;
	timer_arm(r->clock, &r->uip, r->next_update - UIP_NS);
	return true;
}

/* The timer is there to end the run loop's sleep. */
static void uip_due(void *ctx)
{
	(void)ctx;
}

static u8 read_a(struct rtc *r)
{
	u64 now = clock_now(r->clock);

	if (!counting(r) || now + UIP_NS >= r->next_update)
		polls_end(r);
	else if (poll_waits(r, now))
		r->bus->wait = true;
	return counting(r) && now + UIP_NS >= r->next_update ? r->cmos[REG_A] | A_UIP
							     : r->cmos[REG_A];
}

static u8 read_register(struct rtc *r)
{
	if (r->index > REG_D && r->index != CMOS_CENTURY)
		return r->cmos[r->index];
	catch_up(r);
	switch (r->index) {
	case REG_A:
		return read_a(r);
	case REG_C:
		return read_flags(r);
	default:
		return r->cmos[r->index];
	}
}

static void write_a(struct rtc *r, u8 value)
{
	bool was_held = (r->cmos[REG_A] & A_RESET) == A_RESET;
	bool held = (value & A_RESET) == A_RESET;

	periodic_edges(r);
	r->cmos[REG_A] = value & ~A_UIP;
	/* The first update comes half a second after the divider is released (datasheet p. 15). */
	if (was_held && !held) {
		r->next_update = clock_now(r->clock) + NS_PER_SEC / 2;
		timer_arm(r->clock, &r->second, r->next_update);
	}
	arm_periodic(r);
}

static void write_b(struct rtc *r, u8 value)
{
	periodic_edges(r);
	if (value & B_SET)
		value &= ~B_UPDATE;
	r->cmos[REG_B] = value;
	if (!(r->cmos[REG_C] & value & C_FLAGS)) {
		r->cmos[REG_C] &= ~C_IRQ;
		irq_set(&r->irq, false);
	}
	raise_flags(r, 0);
	arm_periodic(r);
}

static void write_register(struct rtc *r, u8 value)
{
	if (r->index <= REG_D)
		catch_up(r);
	switch (r->index) {
	case REG_A:
		write_a(r, value);
		break;
	case REG_B:
		write_b(r, value);
		break;
	case REG_C:
	case REG_D:
		break;
	default:
		r->cmos[r->index] = value;
		break;
	}
}

static u32 rtc_in(void *dev, u16 port, unsigned width)
{
	(void)width;
	return port & 1 ? read_register(dev) : 0xff;
}

static void rtc_out(void *dev, u16 port, unsigned width, u32 value)
{
	struct rtc *r = dev;

	(void)width;
	if (port & 1)
		write_register(r, (u8)value);
	else
		r->index = value & (CMOS_SIZE - 1);
	if (r->polls && r->index != REG_A)
		polls_end(r);
}

static const struct port_ops rtc_ops = {.in = rtc_in, .out = rtc_out, .widths = 1};

/* 1 is Sunday; Sakamoto's rule. */
static unsigned weekday_of(const struct rtc_time *t)
{
	static const u8 offset[12] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
	unsigned year = t->year - (t->month < 3);

	return (year + year / 4 - year / 100 + year / 400 + offset[(t->month - 1) % 12] + t->day) %
		       7 +
	       1;
}

void rtc_set_time(struct rtc *r, const struct rtc_time *t)
{
	r->cmos[SECONDS] = encode(r, t->second);
	r->cmos[MINUTES] = encode(r, t->minute);
	r->cmos[HOURS] = encode_hour(r, t->hour);
	r->cmos[WEEKDAY] = encode(r, weekday_of(t));
	r->cmos[DAY] = encode(r, t->day);
	r->cmos[MONTH] = encode(r, t->month);
	r->cmos[YEAR] = encode(r, t->year % 100);
	r->cmos[CMOS_CENTURY] = encode(r, t->year / 100);
}

void rtc_reset(struct rtc *r)
{
	r->cmos[REG_B] &= ~(B_PERIODIC | B_ALARM | B_UPDATE | B_SQUARE);
	r->cmos[REG_C] = 0;
	r->index = 0;
	polls_end(r);
	irq_set(&r->irq, false);
	arm_periodic(r);
}

void rtc_init(struct rtc *r, struct bus *bus, struct clock *clock, struct irq_pin irq)
{
	static const struct rtc_time epoch = {2000, 1, 1, 0, 0, 0};

	memset(r, 0, sizeof(*r));
	r->clock = clock;
	r->bus = bus;
	r->irq = irq;
	timer_init(&r->second, second_due, r);
	timer_init(&r->periodic, periodic_due, r);
	timer_init(&r->uip, uip_due, r);
	r->cmos[REG_A] = 0x26; /* 32768 Hz time base, 1024 Hz periodic rate */
	r->cmos[REG_B] = B_24H;
	r->cmos[REG_D] = D_VALID;
	rtc_set_time(r, &epoch);
	r->next_update = clock_now(clock) + NS_PER_SEC;
	r->periodic_seen = now_32k(r);
	timer_arm(clock, &r->second, r->next_update);
	bus_register(bus, 0x70, 0x71, ROUTE_VIRTUAL, &rtc_ops, r, "rtc");
}
