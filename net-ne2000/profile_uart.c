/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550 UART: eight ports. All its writes may be posted: none has an effect that the guest could
 * see but through a read, which sends them first, or an interrupt, whose end does.
 */
#include "net-ne2000/profile.h"

#define PORTS 8u
#define LINE  5u /* status: bits cleared by a read are set again only by something new */
#define MODEM 6u
#define IIR   2u

#define POLL_FROM 2u /* repetitions: the third read of the same */
#define POLL_US	  50000u

static const char *attach(struct profile_state *st)
{
	if (st->ranges != 1 || st->range[0].last - st->range[0].first != PORTS - 1)
		return "expected one range of 8 ports, such as 2f8-2ff";
	return NULL;
}

static unsigned reg(const struct profile_state *st, u16 port)
{
	return (unsigned)(port - st->range[0].first);
}

static bool posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)st;
	(void)port;
	(void)value;
	return width == 1;
}

/*
 * Never the data register: equal bytes may follow each other. Of the status registers a read that
 * gives the same again has taken nothing.
 */
static bool poll(struct profile_state *st, u16 port, unsigned width, u32 repeats, u32 last,
		 struct profile_poll *poll)
{
	unsigned r = reg(st, port);

	if (width != 1 || repeats < POLL_FROM || (r != LINE && r != MODEM))
		return false;
	*poll = (struct profile_poll){
		.mask = 0xff, .value = last, .unequal = true, .max_us = POLL_US};
	return true;
}

/* A line that was hung up: ready to send into the void, nothing received, no interrupt. */
static u32 error(struct profile_state *st, u16 port, unsigned width)
{
	if (width != 1)
		return width == 2 ? 0xffff : 0xffffffff;
	switch (reg(st, port)) {
	case LINE:
		return 0x60;
	case IIR:
		return 0x01;
	default:
		return 0;
	}
}

const struct profile profile_uart = {
	.name = "uart", .attach = attach, .posts = posts, .poll = poll, .error = error};
