/* SPDX-License-Identifier: BSD-2-Clause */
/* The date in this PC's MC146818 clock (Motorola datasheet, 1984), read once at boot. */
#include "boot/host.h"
#include "boot/port.h"

#define INDEX 0x70
#define DATA  0x71

#define REG_A	    0x0a
#define REG_A_UIP   BIT(7)
#define REG_B	    0x0b
#define REG_B_24H   BIT(1)
#define REG_B_BIN   BIT(2)
#define HOUR_PM	    BIT(7)
#define REG_CENTURY 0x32

static u8 cmos(u8 reg)
{
	outb(INDEX, reg);
	return inb(DATA);
}

static u8 number(u8 raw, bool binary)
{
	return binary ? raw : (u8)((raw >> 4) * 10 + (raw & 15));
}

static void read_raw(u8 raw[6])
{
	static const u8 reg[6] = {0, 2, 4, 7, 8, 9};

	for (unsigned i = 0; i < 6; i++)
		raw[i] = cmos(reg[i]);
}

void host_rtc_read(struct host_date *d)
{
	u8 raw[6], again[6], reg_b = cmos(REG_B), hour, century;
	bool binary = reg_b & REG_B_BIN, same = false;

	/* Two equal readings outside an update are one moment's; a dead clock ends the tries. */
	for (unsigned tries = 0; tries < 100 && !same; tries++) {
		for (unsigned n = 0; n < 300 && cmos(REG_A) & REG_A_UIP; n++)
			host_delay_us(10);
		read_raw(raw);
		read_raw(again);
		same = true;
		for (unsigned i = 0; i < 6; i++)
			same &= raw[i] == again[i];
	}
	hour = number(raw[2] & (u8)~HOUR_PM, binary);
	if (!(reg_b & REG_B_24H))
		hour = (u8)(hour % 12 + (raw[2] & HOUR_PM ? 12 : 0));
	century = number(cmos(REG_CENTURY), binary);
	d->second = number(raw[0], binary);
	d->minute = number(raw[1], binary);
	d->hour = hour;
	d->day = number(raw[3], binary);
	d->month = number(raw[4], binary);
	d->year = number(raw[5], binary);
	d->year += century >= 19 && century <= 21 ? century * 100 : 2000;
	if (d->month < 1 || d->month > 12 || d->day < 1 || d->day > 31 || d->hour > 23 ||
	    d->minute > 59 || d->second > 59)
		*d = (struct host_date){2000, 1, 1, 0, 0, 0};
}
