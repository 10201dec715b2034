/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card in the kernel. Its interrupt handler only masks the line and leaves a note: the driver
 * is in the midst of its registers at any time, so all work is done from the run loop, which lets
 * the line through again afterwards. That is right for both triggers: an edge that comes meanwhile
 * is remembered by the 8259A, a level is still there.
 */
#include "boot/net.h"
#include "boot/entropy.h"
#include "boot/host.h"
#include "boot/net_pci.h"
#include "boot/port.h"
#include "devices/timer.h"
#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/str.h"
#include "net-ne2000/dp8390.h"
#include "net-ne2000/ne2000.h"

#define MS 1000000ull

#define POLLED_NS     (1 * MS)
#define WITH_IRQ_NS   (10 * MS) /* an interrupt that got lost is no hang */
#define FRAMES_A_TURN 32u
/* How long an interrupt that the card was asked for may take. */
#define ARRIVAL_NS (20 * MS)
/* Interrupts in a row without any work: another device has the line, and does not let go of it. */
#define EMPTY_MAX 1000u
/* Frames that wait for one of the card's two buffers. */
#define QUEUE 8u

static struct {
	struct ne2000 card;
	bool up;
	bool level; /* a PCI card's line */
	s8 irq;	    /* -1: polled */
	volatile bool interrupted;
	u32 empty; /* interrupts in a row that found nothing */
	u64 due;
	u32 epoch;
	u32 head, tail; /* of the queue; free-running */
	struct {
		u16 len;
		u8 frame[FRAME_MAX];
	} queue[QUEUE];
	u8 frame[FRAME_MAX];
} net;

/* --- the driver's way to the card --- */

static u8 card_inb(void *ctx, u16 port)
{
	(void)ctx;
	return inb(port);
}

static void card_outb(void *ctx, u16 port, u8 value)
{
	(void)ctx;
	outb(port, value);
}

static void card_ins(void *ctx, u16 port, unsigned width, void *buf, u32 count)
{
	(void)ctx;
	port_ins(port, width, buf, count);
}

static void card_outs(void *ctx, u16 port, unsigned width, const void *buf, u32 count)
{
	(void)ctx;
	port_outs(port, width, buf, count);
}

static u64 card_now(void *ctx)
{
	(void)ctx;
	return host_ns();
}

static void card_say(void *ctx, const char *text)
{
	(void)ctx;
	log_error("nic: %s", text);
}

static const struct ne2000_ops card_ops = {
	.inb = card_inb,
	.outb = card_outb,
	.ins = card_ins,
	.outs = card_outs,
	.now = card_now,
	.say = card_say,
};

/* --- the interrupt line --- */

static void interrupt(void *ctx)
{
	(void)ctx;
	host_irq_mask((unsigned)net.irq, true);
	net.interrupted = true;
	entropy_stir();
	host_wake();
}

static void unhook(void)
{
	host_irq_mask((unsigned)net.irq, true);
	host_irq_hook((unsigned)net.irq, NULL, NULL);
	net.interrupted = false;
}

/* Nothing may come on the line that the card was not asked for. */
static bool line_is_quiet(void)
{
	net.interrupted = false;
	host_irq_mask((unsigned)net.irq, false);
	host_delay_us(500);
	if (!net.interrupted)
		return true;
	/* An edge from before, that the PIC has kept, comes once. */
	net.interrupted = false;
	host_irq_mask((unsigned)net.irq, false);
	host_delay_us(500);
	return !net.interrupted;
}

/* *lines: those that began to ask when the card did. */
static bool interrupt_arrives(u16 *lines)
{
	u16 before = host_irq_requests();
	u64 end = host_ns() + ARRIVAL_NS;

	ne2000_raise(&net.card);
	while (!net.interrupted && host_ns() < end)
		asm volatile("pause");
	*lines = (u16)(host_irq_requests() & ~before);
	ne2000_lower(&net.card);
	return net.interrupted;
}

static void warn_wrong_line(bool quiet, u16 lines)
{
	char found[32] = "";

	lines &= (u16) ~(BIT(0) | BIT(2)); /* the timer and the cascade */
	for (unsigned line = 0; line < 16; line++)
		if (lines == BIT(line))
			fmt(found, sizeof(found), " (it is on irq %u)", line);
	if (quiet)
		log_warn("nic: no interrupt on irq %d: expected the line that the card is set "
			 "to%s; it is polled",
			 net.irq, found);
	else
		log_warn("nic: interrupts on irq %d that are not the card's: expected a line of "
			 "its own; it is polled",
			 net.irq);
}

/* False: the line is not the card's. */
static bool try_line(void)
{
	u16 lines = 0;
	bool quiet;

	host_irq_hook((unsigned)net.irq, interrupt, NULL);
	if (net.level)
		host_irq_level((unsigned)net.irq, true);
	quiet = line_is_quiet();
	if (quiet && interrupt_arrives(&lines)) {
		net.interrupted = false;
		host_irq_mask((unsigned)net.irq, false);
		return true;
	}
	unhook();
	warn_wrong_line(quiet, lines);
	return false;
}

/* The line keeps calling and the card wants nothing: without this the guest would not get on. */
static void give_up_line(void)
{
	log_warn("nic: irq %d interrupts without end, and not for the card: it is polled", net.irq);
	unhook();
	net.irq = -1;
	ne2000_interrupts(&net.card, false);
}

/* --- starting --- */

static int find_card(const struct config_nic *nic, u16 *port, char *error, size_t size)
{
	net.irq = nic->irq;
	*port = nic->port;
	if (nic->kind == CONFIG_NIC_PCI) {
		net.level = true;
		return net_pci_find(port, &net.irq, error, size);
	}
	if (nic->kind == CONFIG_NIC_PROBE)
		*port = ne2000_probe(&card_ops, NULL);
	if (*port)
		return 0;
	fmt(error, size,
	    "nic: no NE2000 at the usual ports 0x300, 0x280, 0x320, 0x340, 0x360: expected a "
	    "card there, or its port, as in 'nic ne2000 0x240'");
	return -1;
}

static const char *start_card(const struct config_nic *nic, u16 port)
{
	unsigned width = nic->kind == CONFIG_NIC_PCI ? 4 : 2;
	const char *why = ne2000_start(&net.card, &card_ops, NULL, port, width, false);

	if (why || net.irq < 0)
		return why;
	if (try_line())
		ne2000_interrupts(&net.card, true);
	else
		net.irq = -1;
	return NULL;
}

void net_describe_card(char *buf, size_t size)
{
	char mac[NET_MAC_TEXT], line[16] = "polled";

	if (!net.card.base) {
		fmt(buf, size, "no card");
		return;
	}
	net_mac_text(mac, net.card.nic.mac);
	if (net.irq >= 0)
		fmt(line, sizeof(line), "irq %d", net.irq);
	fmt(buf, size, "ne2000 at 0x%x, %u-bit, %s, %s", net.card.base, 8 * net.card.width, line,
	    mac);
}

int net_start(const struct config *c, char *error, size_t size)
{
	char card[64];
	const char *why;
	u16 port;

	if (find_card(&c->nic, &port, error, size))
		return -1;
	why = start_card(&c->nic, port);
	if (why) {
		fmt(error, size, "nic: no NE2000 at 0x%x: %s", port, why);
		net.card.base = 0;
		return -1;
	}
	net.up = true;
	entropy_init();
	entropy_add(net.card.nic.mac, sizeof(net.card.nic.mac));
	entropy_bytes((u8 *)&net.epoch, sizeof(net.epoch));
	net_describe_card(card, sizeof(card));
	log_info("nic: %s", card);
	return 0;
}

bool net_up(void)
{
	return net.up;
}

/* --- frames out --- */

static void flush_queue(void)
{
	struct nic *nic = &net.card.nic;

	while (net.head != net.tail &&
	       nic->send(nic, net.queue[net.tail % QUEUE].frame, net.queue[net.tail % QUEUE].len))
		net.tail++;
}

static bool send(void *ctx, const u8 *frame, u32 len)
{
	u32 slot = net.head % QUEUE;

	(void)ctx;
	if (!net.up || len > FRAME_MAX)
		return false;
	flush_queue();
	if (net.head == net.tail && net.card.nic.send(&net.card.nic, frame, len))
		return true;
	if (net.card.state == NE2000_GONE || net.head - net.tail == QUEUE)
		return false;
	memcpy(net.queue[slot].frame, frame, len);
	net.queue[slot].len = (u16)len;
	net.head++;
	return true;
}

static void random(void *ctx, u8 *buf, u32 len)
{
	(void)ctx;
	entropy_bytes(buf, len);
}

void net_endpoint(struct endpoint *e, const struct config *c, bool server)
{
	static const struct endpoint_hooks hooks = {.send = send, .random = random};

	endpoint_init(e, server, net.card.nic.mac, net.epoch, c->key_bytes, &hooks, NULL);
	e->form = (enum frame_form)c->nic.form;
}

/* --- the regular look --- */

/* Frames handed on. */
static unsigned take_frames(void (*frame)(void *ctx, const u8 *frame, u32 len), void *ctx)
{
	struct nic *nic = &net.card.nic;

	for (unsigned n = 0; n < FRAMES_A_TURN; n++) {
		u32 len = nic->receive(nic, net.frame);

		if (!len)
			return n;
		frame(ctx, net.frame, len);
	}
	return FRAMES_A_TURN;
}

/* After a look that was due to an interrupt. */
static void open_line(bool worked)
{
	net.empty = worked ? 0 : net.empty + 1;
	if (net.empty > EMPTY_MAX)
		give_up_line();
	else
		host_irq_mask((unsigned)net.irq, false);
}

static void lost(void)
{
	if (net.irq >= 0)
		unhook();
	net.up = false;
	net.head = net.tail;
}

static u64 work_done(const struct nic_stats *s)
{
	return s->sent + s->received + s->dropped + s->overruns + s->resets + s->bad;
}

u64 net_poll(u64 now, void (*frame)(void *ctx, const u8 *frame, u32 len), void *ctx)
{
	struct nic *nic = &net.card.nic;
	bool interrupted = net.interrupted, busy;
	u64 before;

	if (!net.up)
		return TIMER_NEVER;
	if (!interrupted && now < net.due)
		return net.due;
	net.interrupted = false;
	before = work_done(&nic->stats);
	nic->poll(nic, now);
	flush_queue();
	busy = take_frames(frame, ctx) == FRAMES_A_TURN;
	if (net.card.state == NE2000_GONE) {
		lost();
		return TIMER_NEVER;
	}
	if (interrupted)
		open_line(work_done(&nic->stats) != before);
	/* An overrun's procedure and a queue go on by the clock, too. */
	net.due = now + (net.irq < 0 || net.card.state != NE2000_RUNNING || net.head != net.tail
				 ? POLLED_NS
				 : WITH_IRQ_NS);
	if (busy)
		net.due = now;
	return net.due;
}

/* --- what others ask --- */

bool net_resources(struct port_range *ports, u8 *irq)
{
	if (!net.up)
		return false;
	*ports = (struct port_range){net.card.base, (u16)(net.card.base + NE_PORTS - 1)};
	*irq = net.irq < 0 ? NET_NO_IRQ : (u8)net.irq;
	return true;
}

const u8 *net_mac(void)
{
	return net.card.nic.mac;
}

void net_mac_text(char buf[NET_MAC_TEXT], const u8 mac[6])
{
	fmt(buf, NET_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
	    mac[4], mac[5]);
}

void net_tell_strangers(struct endpoint *e)
{
	const struct stranger *s;
	char mac[NET_MAC_TEXT];

	while ((s = endpoint_new_stranger(e))) {
		net_mac_text(mac, s->mac);
		log_warn("net: %s speaks version %u of the protocol: expected version %u", mac,
			 s->version, PROTO_VERSION);
	}
}

void net_describe(char *buf, size_t size)
{
	const struct nic_stats *s = &net.card.nic.stats;

	fmt(buf, size,
	    "%s%llu sent, %llu received, %llu dropped, %llu overruns, %llu resets, %llu bad",
	    net.up ? "" : "lost; ", s->sent, s->received, s->dropped, s->overruns, s->resets,
	    s->bad);
}
