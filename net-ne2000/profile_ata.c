/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profile of an ATA/ATAPI channel: the task file and what is written through the data port are
 * posted, loops that wait for BSY to end or for DRQ are one POLL, and a block of data is read as a
 * whole, with the status before it and the alternate status after it, however the guest takes it.
 *
 * Two things must stay as with a drive in this PC. The status register takes INTRQ back, so a block
 * is read ahead only when its interrupt is over: the one that reports the next block would be no
 * new edge otherwise. And a driver that works with interrupts looks at the alternate status now and
 * then only to let 400 ns pass: it must not wait there for the drive.
 */
#include "lib/str.h"
#include "net-ne2000/profile_ata.h"

#define SHORT_US 500u
#define LONG_US	 50000u

/* Reads with the same value in a row: so many are a loop, so many are no pause either. */
#define LOOP	 2u
#define NO_PAUSE 16u

#define FLOATING 0xffu /* no drive */

static u16 command_base(const struct profile_state *st)
{
	return st->range[0].first;
}

/* The control block has four ports with the device control register third; ISA decodes one. */
static bool is_control(const struct profile_state *st, u16 port)
{
	for (unsigned i = 1; i < st->ranges; i++)
		if (port >= st->range[i].first && port <= st->range[i].last)
			return (port & 3) == 2;
	return false;
}

static u16 control_port(const struct profile_state *st)
{
	for (unsigned i = 1; i < st->ranges; i++)
		for (u32 port = st->range[i].first; port <= st->range[i].last; port++)
			if (is_control(st, (u16)port))
				return (u16)port;
	return 0;
}

static unsigned register_of(const struct profile_state *st, u16 port)
{
	if (port >= st->range[0].first && port <= st->range[0].last)
		return port - command_base(st);
	return is_control(st, port) ? ATA_CONTROL : ATA_NONE;
}

static bool is_status(const struct profile_state *st, u16 port, unsigned width)
{
	unsigned reg = register_of(st, port);

	return width == 1 && (reg == ATA_STATUS || reg == ATA_CONTROL);
}

static const char *ata_attach(struct profile_state *st)
{
	if (st->ranges < 2 || st->range[0].last - st->range[0].first != 7 || !control_port(st))
		return "expected the 8 ports of the command block and then the control port, as in "
		       "0x170-0x177,0x376";
	return NULL;
}

/* The time that SRST is set must be the guest's: 5 us at least (ATA-6, 9.2). */
static bool ata_posts(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	unsigned reg = register_of(st, port);

	(void)width;
	return reg != ATA_NONE && (reg != ATA_CONTROL || !(value & ATA_SRST));
}

/* The status is good 400 ns after a command or a change of drive (ATA-6, 9.2 and following). */
static u16 ata_settle(struct profile_state *st, u16 port, unsigned width)
{
	(void)port;
	(void)width;
	return ata_of(st)->unsettled ? 1 : 0;
}

/* The drive will ask for data without an interrupt. */
static bool asks_silently(const struct ata *a)
{
	return a->transfer == ATA_PACKET || (a->transfer == ATA_OUT && a->moved == 0);
}

/* us to wait for BSY to end, 0: none. Without interrupts there is nothing but to look. */
static u16 patience_busy(const struct ata *a, bool alternate, u32 repeats)
{
	if (ata_polled(a))
		return LONG_US;
	if (repeats == 0)
		return a->fresh && asks_silently(a) ? SHORT_US : 0;
	if (!alternate)
		return LONG_US;
	if (repeats < LOOP)
		return 0;
	return repeats < NO_PAUSE ? SHORT_US : LONG_US;
}

/* us to wait for DRQ after BSY has ended. */
static u16 patience_data(const struct ata *a, bool alternate, u32 repeats)
{
	if (!ata_selected(a) || a->block || a->drq)
		return 0;
	if (a->transfer == ATA_NO_DATA || a->transfer == ATA_REPLY)
		return 0;
	if (!ata_polled(a) && !asks_silently(a) && repeats < LOOP)
		return 0;
	return ata_polled(a) || !alternate || repeats >= NO_PAUSE ? LONG_US : SHORT_US;
}

static bool ata_poll(struct profile_state *st, u16 port, unsigned width, u32 repeats, u32 last,
		     struct profile_poll *poll)
{
	const struct ata *a = ata_of(st);
	bool alternate = register_of(st, port) == ATA_CONTROL;
	u32 seen = repeats ? last : a->status;

	if (!is_status(st, port, width) || (repeats == 0 && !a->fresh && seen == FLOATING))
		return false;
	if (seen & ATA_BSY || (repeats == 0 && a->fresh)) {
		*poll = (struct profile_poll){.mask = ATA_BSY, .value = 0};
		poll->max_us = patience_busy(a, alternate, repeats);
	} else if (repeats && !(seen & (ATA_DRQ | ATA_DF | ATA_ERR))) {
		*poll = (struct profile_poll){
			.mask = ATA_BSY | ATA_DRQ | ATA_DF | ATA_ERR, .value = 0, .unequal = true};
		poll->max_us = patience_data(a, alternate, repeats);
	} else {
		return false;
	}
	return poll->max_us != 0;
}

static u32 ata_ahead(struct profile_state *st, u16 port)
{
	const struct ata *a = ata_of(st);

	if (register_of(st, port) != ATA_DATA || !ata_selected(a) || !a->exact)
		return 0;
	return a->transfer == ATA_IN || a->transfer == ATA_REPLY ? a->block : 0;
}

/* A block whose size is known without asking, of which the guest has nothing yet. */
static bool block_expected(const struct ata *a)
{
	return a->transfer == ATA_IN && ata_selected(a) &&
	       (a->block == 0 || a->block == ata_block_size(a));
}

static bool ata_follow(struct profile_state *st, u16 port, unsigned width,
		       struct profile_follow *follow)
{
	struct ata *a = ata_of(st);
	bool alternate = register_of(st, port) == ATA_CONTROL;

	a->follows = false;
	if (!is_status(st, port, width) || !block_expected(a))
		return false;
	if (alternate && !ata_polled(a) && !a->interrupted)
		return false;
	*follow = (struct profile_follow){
		.mask = ATA_BSY | ATA_DRQ | ATA_DF | ATA_ERR,
		.wanted = ATA_DRQ,
		.first = alternate && !ata_polled(a) ? command_base(st) + ATA_STATUS : 0,
		.data = command_base(st),
		.bytes = ata_block_size(a),
	};
	a->follows = true;
	a->peeked = false;
	return true;
}

static u16 ata_after_ahead(struct profile_state *st)
{
	return control_port(st);
}

static void ata_peeked(struct profile_state *st, u16 port, u32 value)
{
	struct ata *a = ata_of(st);

	(void)port;
	a->peek = (u8)value;
	a->peeked = true;
}

/* It tells of what the drive has done since that look. */
static void ata_interrupted(struct profile_state *st)
{
	struct ata *a = ata_of(st);

	a->interrupted = true;
	a->peeked = false;
	a->idle_reads = 0;
}

static bool ata_known(struct profile_state *st, u16 port, unsigned width, u32 buffered, u32 *value)
{
	struct ata *a = ata_of(st);

	a->told = false;
	if (!is_status(st, port, width))
		return false;
	if (!buffered && ata_idle(a)) {
		*value = a->idle;
		a->told = true;
		return true;
	}
	if (!ata_selected(a))
		return false;
	if (buffered) {
		*value = a->block_status;
		return a->block != 0;
	}
	*value = a->peek;
	return a->peeked && a->block == 0 && register_of(st, port) == ATA_CONTROL;
}

static void ata_wrote(struct profile_state *st, u16 port, unsigned width, const u8 *data, u32 count)
{
	struct ata *a = ata_of(st);

	if (register_of(st, port) == ATA_DATA) {
		ata_data_written(a, count * width);
		return;
	}
	for (u32 i = 0; i < count * width; i++)
		ata_register_written(a, register_of(st, (u16)(port + i % width)), data[i]);
}

static void ata_read(struct profile_state *st, u16 port, unsigned width, u8 *data, u32 count)
{
	struct ata *a = ata_of(st);

	if (register_of(st, port) == ATA_DATA) {
		ata_data_read(a, data, count * width);
		return;
	}
	for (u32 i = 0; i < count * width; i++)
		ata_register_read(a, register_of(st, (u16)(port + i % width)), data[i]);
}

static bool ata_drops_ahead(struct profile_state *st, u16 port, unsigned width, u32 value)
{
	for (unsigned i = 0; i < width; i++) {
		unsigned reg = register_of(st, (u16)(port + i));

		if (reg == ATA_STATUS || (reg == ATA_CONTROL && value >> 8 * i & ATA_SRST))
			return true;
	}
	return false;
}

/* The command was aborted. What was under way is over for the driver. */
static u8 error_of(unsigned reg)
{
	switch (reg) {
	case ATA_STATUS:
	case ATA_CONTROL:
		return ATA_DRDY | ATA_ERR;
	case ATA_ERROR:
		return ATA_ABRT;
	default:
		return FLOATING;
	}
}

static u32 ata_error(struct profile_state *st, u16 port, unsigned width)
{
	u32 value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (u32)error_of(register_of(st, (u16)(port + i))) << 8 * i;
	return value;
}

const struct profile profile_ata = {
	.name = "ata",
	.attach = ata_attach,
	.posts = ata_posts,
	.settle = ata_settle,
	.poll = ata_poll,
	.ahead = ata_ahead,
	.follow = ata_follow,
	.after_ahead = ata_after_ahead,
	.peeked = ata_peeked,
	.interrupted = ata_interrupted,
	.known = ata_known,
	.wrote = ata_wrote,
	.read = ata_read,
	.drops_ahead = ata_drops_ahead,
	.error = ata_error,
};
