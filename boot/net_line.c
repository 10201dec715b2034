/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/net_line.h"
#include "boot/entropy.h"
#include "boot/host.h"
#include "lib/fmt.h"
#include "lib/log.h"

/* How long an interrupt that the card was asked for may take. */
#define ARRIVAL_NS 20000000ull
/* How long no other one may come before that. */
#define QUIET_US 500u
/* Interrupts in a row without any work: another device has the line, and does not let go of it. */
#define EMPTY_MAX 1000u

static struct {
	unsigned irq;
	volatile bool interrupted;
	u32 empty; /* interrupts in a row that found nothing */
} line;

static void interrupt(void *ctx)
{
	(void)ctx;
	host_irq_mask(line.irq, true);
	line.interrupted = true;
	entropy_stir();
	host_wake();
}

static bool quiet_for_a_while(void)
{
	line.interrupted = false;
	host_irq_mask(line.irq, false);
	host_delay_us(QUIET_US);
	return !line.interrupted;
}

/* An edge from before, that the PIC has kept, comes once. */
static bool is_quiet(void)
{
	return quiet_for_a_while() || quiet_for_a_while();
}

/* *lines: those that began to ask when the card did. */
static bool arrives(struct ne2000 *card, u16 *lines)
{
	u16 before = host_irq_requests();
	u64 end = host_ns() + ARRIVAL_NS;

	ne2000_raise(card);
	while (!line.interrupted && host_ns() < end)
		asm volatile("pause");
	*lines = (u16)(host_irq_requests() & ~before);
	ne2000_lower(card);
	return line.interrupted;
}

static void warn_wrong(u16 lines)
{
	char found[32] = "";

	lines &= (u16) ~(BIT(0) | BIT(2)); /* the timer and the cascade */
	for (unsigned irq = 0; irq < 16; irq++)
		if (lines == BIT(irq))
			fmt(found, sizeof(found), " (it is on irq %u)", irq);
	log_warn("nic: no interrupt on irq %u: expected the line that the card is set to%s; it is "
		 "polled",
		 line.irq, found);
}

bool net_line_start(struct ne2000 *card, unsigned irq, bool level)
{
	bool quiet;
	u16 lines;

	line.irq = irq;
	host_irq_hook(irq, interrupt, NULL);
	if (level)
		host_irq_level(irq, true);
	quiet = is_quiet();
	if (quiet && arrives(card, &lines)) {
		line.interrupted = false;
		host_irq_mask(irq, false);
		return true;
	}
	net_line_stop();
	if (quiet)
		warn_wrong(lines);
	else
		log_warn("nic: interrupts on irq %u that are not the card's: expected a line of "
			 "its own; it is polled",
			 irq);
	return false;
}

void net_line_stop(void)
{
	host_irq_mask(line.irq, true);
	host_irq_hook(line.irq, NULL, NULL);
	line.interrupted = false;
}

bool net_line_take(void)
{
	/*
	 * Once it is set, the line is masked, and nothing can be lost here. While it is not, it
	 * must not be written: an interrupt in between would leave the line masked for ever.
	 */
	if (!line.interrupted)
		return false;
	line.interrupted = false;
	return true;
}

bool net_line_open(bool worked)
{
	line.empty = worked ? 0 : line.empty + 1;
	if (line.empty <= EMPTY_MAX) {
		host_irq_mask(line.irq, false);
		return true;
	}
	log_warn("nic: irq %u interrupts without end, and not for the card: it is polled",
		 line.irq);
	net_line_stop();
	return false;
}
