/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818 real-time clock with 128 bytes of CMOS memory, ports 70h and 71h, IRQ 8. */
#ifndef FARBUS_DEVICES_RTC_H
#define FARBUS_DEVICES_RTC_H

#include "devices/irq.h"
#include "devices/timer.h"

struct bus;

#define CMOS_SIZE    128
#define CMOS_CENTURY 0x32

struct rtc_time {
	u16 year;
	u8 month, day, hour, minute, second; /* month and day from 1 */
};

struct rtc {
	u8 cmos[CMOS_SIZE];
	u8 index;
	struct clock *clock;
	struct bus *bus;
	struct irq_pin irq;
	struct timer second;   /* end of the update cycle, once a second */
	struct timer periodic; /* armed while the periodic interrupt is enabled */
	struct timer uip;      /* armed for a guest that waits for the update, see poll_waits() */
	u64 next_update;       /* ns */
	u64 polled, held; /* ns: when it last looked for UIP, since when its access waits; 0: not */
	u32 polls;
	u64 periodic_seen; /* 32768 Hz tick up to which periodic edges are accounted for */
};

void rtc_init(struct rtc *r, struct bus *bus, struct clock *clock, struct irq_pin irq);
/* RESET#: interrupts off; time and memory stay. */
void rtc_reset(struct rtc *r);
void rtc_set_time(struct rtc *r, const struct rtc_time *t);

#endif
