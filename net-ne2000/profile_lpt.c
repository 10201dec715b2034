/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A parallel port: data, status, control, and up to five EPP registers. Writes to data and control
 * are posted with the guest's pauses between them: the printer needs the strobe's length and the
 * data before it. An EPP access is a handshake with the device and is posted by nobody.
 */
#include "net-ne2000/profile.h"

enum { DATA, STATUS, CONTROL };

#define POLL_FROM 2u /* repetitions: the third read of the same */
#define POLL_US	  50000u

/* A printer is busy with a byte for some microseconds. Whoever looks after a strobe waits for it.
 */
#define NOT_BUSY  0x80u
#define STROBE_US 500u

#define STROBE	0x01u /* in control */
#define NOT_ACK 0x40u /* in status: low for some microseconds when the printer has taken a byte */

static const char *attach(struct profile_state *st)
{
	unsigned last = (unsigned)(st->range[0].last - st->range[0].first);

	if (st->ranges < 1 || (last != 2 && last != 3 && last != 7))
		return "expected 3, 4 or 8 ports first, such as 378-37f";
	return NULL;
}

/* Of the first range; a second one is the ECP's, of which nothing is known. */
static unsigned reg(const struct profile_state *st, u16 port)
{
	return port - (unsigned)st->range[0].first;
}

static bool posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	(void)value;
	return width == 1 && (reg(st, port) == DATA || reg(st, port) == CONTROL);
}

/* Control was written and the status not read since. */
static u32 *strobed(struct profile_state *st)
{
	return &st->word[0];
}

static u32 *control(struct profile_state *st)
{
	return &st->word[1];
}

/* A strobe has ended whose acknowledgement the guest has not seen. */
static u32 *unacknowledged(struct profile_state *st)
{
	return &st->word[2];
}

static void wrote(struct profile_state *st, u16 port, unsigned width, const u8 *data, u32 count)
{
	(void)width;
	if (reg(st, port) != CONTROL || !count)
		return;
	*strobed(st) = 1;
	if (*control(st) & ~data[0] & STROBE)
		*unacknowledged(st) = 1;
	*control(st) = data[0];
}

/*
 * A printer that is ready after a strobe has acknowledged the byte, too briefly to be seen from
 * here, or seen by the wait for it: a BIOS waits for that, so the pulse lasts until it is read.
 */
static void got(struct profile_state *st, u16 port, unsigned width, u8 *data, u32 count)
{
	if (reg(st, port) != STATUS)
		return;
	*strobed(st) = 0;
	if (width != 1 || count != 1 || !*unacknowledged(st) || !(data[0] & NOT_BUSY))
		return;
	data[0] &= (u8)~NOT_ACK;
	*unacknowledged(st) = 0;
}

static bool poll(struct profile_state *st, u16 port, unsigned width, u32 repeats, u32 last,
		 struct profile_poll *poll)
{
	if (width != 1 || reg(st, port) != STATUS)
		return false;
	if (!repeats && *strobed(st)) {
		*poll = (struct profile_poll){
			.mask = NOT_BUSY, .value = NOT_BUSY, .max_us = STROBE_US};
		return true;
	}
	if (repeats < POLL_FROM)
		return false;
	*poll = (struct profile_poll){
		.mask = 0xff, .value = last, .unequal = true, .max_us = POLL_US};
	return true;
}

/* A printer that is switched off: not busy, not selected, error. */
static u32 error(struct profile_state *st, u16 port, unsigned width)
{
	if (width != 1)
		return width == 2 ? 0xffff : 0xffffffff;
	return reg(st, port) == STATUS ? 0xc7 : 0xff;
}

const struct profile profile_lpt = {.name = "lpt",
				    .attach = attach,
				    .posts = posts,
				    .timed = true,
				    .poll = poll,
				    .wrote = wrote,
				    .read = got,
				    .error = error};
