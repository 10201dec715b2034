/* SPDX-License-Identifier: BSD-2-Clause */
/* The card in the kernel: its driver's ports, frames out and in, and when it is looked at. */
#include "boot/net.h"
#include "boot/entropy.h"
#include "boot/host.h"
#include "boot/net_line.h"
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
/* From one line about a stranger to the next. */
#define TELL_NS (10000 * MS)
/* Frames that wait for one of the card's two buffers. */
#define QUEUE 8u

static struct {
	struct ne2000 card;
	bool up;
	s8 irq; /* -1: polled */
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

/* --- starting --- */

/* COM1 has line 4, COM2 line 3; config_check() has seen to an ISA card. */
static bool is_serial_line(const struct config *c, int irq)
{
	unsigned com = irq == 4 ? 1 : irq == 3 ? 2 : 0;
	bool used = c->console_com == com || c->trace.com == com;

	for (unsigned i = 0; i < CONFIG_SERIALS; i++)
		used |= c->serial_com[i] == com;
	return com && used;
}

static int find_card(const struct config *c, u16 *port, char *error, size_t size)
{
	const struct config_nic *nic = &c->nic;

	net.irq = nic->irq;
	*port = nic->port;
	if (nic->kind == CONFIG_NIC_PCI) {
		if (net_pci_find(port, &net.irq, error, size))
			return -1;
		if (is_serial_line(c, net.irq))
			net.irq = -1;
		return 0;
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
	if (net_line_start(&net.card, (unsigned)net.irq, nic->kind == CONFIG_NIC_PCI))
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

	if (find_card(c, &port, error, size))
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
	if (net_line_open(worked))
		return;
	net.irq = -1;
	ne2000_interrupts(&net.card, false);
}

static void lost(void)
{
	if (net.irq >= 0)
		net_line_stop();
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
	bool interrupted, busy;
	u64 before;

	if (!net.up)
		return TIMER_NEVER;
	interrupted = net_line_take();
	if (!interrupted && now < net.due)
		return net.due;
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
	static u64 next;
	const struct stranger *s;
	char mac[NET_MAC_TEXT];

	/* Frames that anybody can send must not fill the log. */
	if (host_ns() < next)
		return;
	s = endpoint_new_stranger(e);
	if (!s)
		return;
	next = host_ns() + TELL_NS;
	net_mac_text(mac, s->mac);
	log_warn("net: %s speaks version %u of the protocol: expected version %u", mac, s->version,
		 PROTO_VERSION);
}

void net_describe(char *buf, size_t size)
{
	const struct nic_stats *s = &net.card.nic.stats;

	fmt(buf, size,
	    "%s%llu sent, %llu received, %llu dropped, %llu overruns, %llu resets, %llu bad",
	    net.up ? "" : "lost; ", s->sent, s->received, s->dropped, s->overruns, s->resets,
	    s->bad);
}
