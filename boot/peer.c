/* SPDX-License-Identifier: BSD-2-Clause */
/* Peer mode put together: what is lent out, the loop, and the log of who had what. */
#include "boot/peer.h"
#include "boot/access.h"
#include "boot/host.h"
#include "boot/host_pci.h"
#include "boot/log.h"
#include "boot/net.h"
#include "boot/peer_backend.h"
#include "boot/peer_dma.h"
#include "boot/peer_memory.h"
#include "boot/peer_screen.h"
#include "boot/relocate.h"
#include "devices/pci.h"
#include "lib/fmt.h"
#include "lib/str.h"
#include "net-ne2000/server.h"

#define AWAKE BIT(0)
#define MS    1000000ull

/* What the log has last said of a lease. */
struct lease_seen {
	bool active;
	u16 session;
	u8 mac[6];
	u64 operations, expired;
};

static struct {
	struct server *server;
	struct services services;
	volatile u32 events;
	struct lease_seen seen[SERVER_EXPORTS];
	u64 since[SERVER_EXPORTS];
} peer;

/* --- what is lent out --- */

static void forbid_own(const struct config *c, u32 ram_end)
{
	static const struct port_range vga[] = {{0x3b4, 0x3b5}, {0x3ba, 0x3ba}, {0x3c0, 0x3df}};
	static const u16 com_base[] = {0, 0x3f8, 0x2f8};
	struct port_range card;
	u16 com = com_base[c->console_com];
	u8 irq;

	if (net_resources(&card, &irq))
		server_forbid(peer.server, card.first, card.last);
	if (com)
		server_forbid(peer.server, com, com + 7);
	for (unsigned i = 0; i < ARRAY_SIZE(vga); i++)
		server_forbid(peer.server, vga[i].first, vga[i].last);
	server_forbid_memory(peer.server, 0xa0000, 0xbffff); /* VGA */
	server_forbid_memory(peer.server, MB, ram_end - 1);
}

#define PCI_CLASS_DISPLAY 0x03

/* The screen, or the network card. */
static bool own_function(u16 function)
{
	u32 class = host_pci_read(function, PCI_CLASS, 1);
	u32 bar = host_pci_read(function, PCI_BAR0, 4);
	struct port_range card;
	u8 irq;

	if (class == PCI_CLASS_DISPLAY)
		return true;
	return net_resources(&card, &irq) && bar & 1 && (bar & 0xfffc) == card.first;
}

static bool own_functions(const struct config_export *x)
{
	for (unsigned i = 0; i < x->function_count; i++)
		if (own_function(x->function[i]))
			return true;
	return false;
}

/* Lines that Farbus itself listens to, beside those that the server never lends out. */
static u16 own_lines(const struct config *c)
{
	struct port_range card;
	u16 lines = 0;
	u8 irq;

	if (net_resources(&card, &irq) && irq != NET_NO_IRQ)
		lines |= (u16)BIT(irq);
	if (c->console_com)
		lines |= (u16)BIT(c->console_com == 1 ? 4 : 3);
	return lines;
}

static _Noreturn void refuse(struct config *c, const struct config_export *x, const char *word,
			     const char *expected)
{
	config_fail_at(c, x->origin, x->line, word, expected);
	boot_fail("%s", c->error);
}

static bool prohibited_alone(const struct port_export *one)
{
	unsigned before = peer.server->exports;
	bool bad = server_add(peer.server, one) == EXPORT_PROHIBITED;

	peer.server->exports = before;
	return bad;
}

static _Noreturn void refuse_memory(struct config *c, const struct config_export *x,
				    const struct port_export *all)
{
	char word[24] = "";

	for (unsigned i = 0; i < all->memories; i++) {
		struct port_export one = {.name = "one", .memory = {all->memory[i]}, .memories = 1};

		fmt(word, sizeof(word), "0x%x-0x%x", all->memory[i].first, all->memory[i].last);
		if (prohibited_alone(&one))
			refuse(c, x, word, "memory of a device that the peer does not need itself");
	}
	for (unsigned i = 0; i < all->functions; i++) {
		u16 f = all->function[i];
		struct port_export one = {.name = "one", .function = {f}, .functions = 1};

		fmt(word, sizeof(word), "%02x:%02x.%u", f >> 8, f >> 3 & 31, f & 7);
		if (prohibited_alone(&one) || own_function(f))
			break;
	}
	refuse(c, x, word,
	       "a PCI device that is there, and no bridge, no screen and not the network card");
}

/* Says which of the ranges it is that this PC needs itself; failing that, which line. */
static _Noreturn void refuse_own(struct config *c, const struct config_export *x,
				 const struct port_export *all)
{
	char word[24];

	for (unsigned i = 0; i < all->ranges; i++) {
		struct port_export one = {.name = "one", .range = {all->range[i]}, .ranges = 1};

		fmt(word, sizeof(word),
		    one.range[0].first < one.range[0].last ? "0x%x-0x%x" : "0x%x",
		    one.range[0].first, one.range[0].last);
		if (prohibited_alone(&one))
			refuse(c, x, word, "ports that the peer does not need itself");
	}
	if (!(all->irqs & (own_lines(c) | SERVER_VITAL_LINES)))
		refuse_memory(c, x, all);
	for (unsigned line = 0; line < SERVER_LINES; line++)
		if (all->irqs & BIT(line))
			fmt(word, sizeof(word), "irq %u", line);
	refuse(c, x, word, "a line that the peer does not need itself");
}

static void add_export(struct config *c, const struct config_export *x)
{
	struct port_export e = {.ranges = x->range_count,
				.irqs = x->irqs,
				.dma = x->dma,
				.memories = x->memory_count,
				.functions = x->function_count};
	enum export_error error;

	memcpy(e.name, x->name, sizeof(e.name));
	for (unsigned i = 0; i < x->range_count; i++)
		e.range[i] = (struct port_range){x->range[i].first, x->range[i].last};
	for (unsigned i = 0; i < x->memory_count; i++)
		e.memory[i] = (struct memory_range){x->memory[i].first, x->memory[i].last};
	memcpy(e.function, x->function, sizeof(e.function));
	error = server_add(peer.server, &e);
	if (error == EXPORT_PROHIBITED || (!error && (x->irqs & own_lines(c) || own_functions(x))))
		refuse_own(c, x, &e);
	if (error) /* config_check() has seen to that */
		panic("export %s: error %u", x->name, error);
}

/* --- who has what --- */

static void say_ended(unsigned i)
{
	const struct lease_seen *seen = &peer.seen[i];
	const struct server_lease *l = &peer.server->lease[i];
	bool anew = l->active, ran_out = peer.server->expired != seen->expired;
	u64 operations = anew ? seen->operations : l->operations;
	char mac[NET_MAC_TEXT];

	net_mac_text(mac, seen->mac);
	log_info("peer: %s %s %s after %llu s, %llu operations", peer.server->export[i].name,
		 anew	   ? "asked for anew by"
		 : ran_out ? "taken back, silence of"
			   : "given back by",
		 mac, (host_ns() - peer.since[i]) / (1000 * MS), operations);
}

static void say_begun(unsigned i)
{
	char mac[NET_MAC_TEXT];

	net_mac_text(mac, peer.server->lease[i].mac);
	log_info("peer: %s lent to %s", peer.server->export[i].name, mac);
}

static void watch_lease(unsigned i)
{
	const struct server_lease *l = &peer.server->lease[i];
	struct lease_seen *seen = &peer.seen[i];
	bool other = seen->active && l->active && seen->session != l->session;

	if (!seen->active && !l->active)
		return;
	if (seen->active && (!l->active || other))
		say_ended(i);
	if (l->active && (!seen->active || other)) {
		peer.since[i] = host_ns();
		say_begun(i);
	}
	seen->active = l->active;
	seen->session = l->session;
	seen->operations = l->operations;
	seen->expired = peer.server->expired;
	memcpy(seen->mac, l->mac, sizeof(seen->mac));
}

static void watch_leases(const struct server *s)
{
	for (unsigned i = 0; i < s->exports; i++)
		watch_lease(i);
}

/* --- the loop --- */

static void take_frame(void *ctx, const u8 *frame, u32 len)
{
	struct server *s = ctx;

	/* What has interrupted before the frame is told before its answer. */
	peer_backend_poll(s);
	server_receive(s, frame, len, host_ns());
	/* Now: the next frame may begin another lease where this one has ended one. */
	watch_leases(s);
	net_tell_strangers(&s->e);
}

static u64 earlier(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* Returns the host_ns() at which the next turn is due. */
static u64 turn(struct server *s)
{
	u64 due;

	asm volatile("andl %1, %0" : "+m"(peer.events) : "i"(~AWAKE) : "cc");
	due = net_poll(host_ns(), take_frame, s);
	peer_backend_poll(s);
	server_poll(s, host_ns());
	watch_leases(s);
	due = earlier(due, peer_screen_poll(s, peer.since, host_ns()));
	services_poll(&peer.services, host_ns());
	return earlier(due, server_deadline(s));
}

static void start_dma(u32 ram_end)
{
	u8 channels = 0;

	for (unsigned i = 0; i < peer.server->exports; i++)
		channels |= peer.server->export[i].dma;
	if (!peer_dma_start(channels, ram_end))
		boot_fail("boot: out of memory: a DMA channel needs 64 KB (5 to 7: 128 KB) from 1 "
			  "MB to 16 MB");
}

static void *allocate(size_t bytes)
{
	void *p = host_alloc(bytes);

	if (!p)
		boot_fail("boot: out of memory: the peer needs %u KB more", bytes / KB);
	return p;
}

static void start(struct config *c, u32 ram_end)
{
	unsigned places = c->export_count + (c->offer.on ? SERVICES : 0);
	char error[CONFIG_ERROR_MAX];

	if (net_start(c, error, sizeof(error)))
		boot_fail("%s", error);
	peer.server = allocate(sizeof(*peer.server));
	net_endpoint(&peer.server->e, c, true);
	services_init(&peer.services, peer.server, &peer_backend);
	server_init(peer.server, c->peer.name, &peer.services.backend, &peer.services);
	server_places(peer.server, allocate(places * sizeof(*peer.server->lease)), places);
	access_set(peer.server, c);
	forbid_own(c, ram_end);
	for (unsigned i = 0; i < c->export_count; i++)
		add_export(c, &c->export[i]);
	start_dma(ram_end);
	if (!peer_memory_start(peer.server))
		boot_fail("boot: exports: too much device memory: expected at most 768 MB in all");
	peer_backend_start(peer.server);
}

void peer_run(struct config *c, u32 ram_end)
{
	start(c, ram_end);
	host_wake_word(&peer.events, AWAKE);
	log_info("peer: %s lends out %u device%s", peer.server->name, peer.server->exports,
		 peer.server->exports == 1 ? "" : "s");
	peer_screen_init(c, &peer.services);
	for (;;) {
		u64 due = turn(peer.server);

		if (due <= host_ns())
			continue;
		host_timer_set(due);
		host_idle(&peer.events, AWAKE);
	}
}
