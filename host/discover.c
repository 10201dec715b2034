/* SPDX-License-Identifier: BSD-2-Clause */
/* `farbus discover`: asks for some time, then prints who has answered. */
#include "net-ne2000/discover.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/command.h"
#include "host/command_line.h"
#include "host/key.h"
#include "host/wire.h"
#include "lib/log.h"

#define PEERS	 64u
#define EVERY_NS 250000000ull /* between two questions */
#define SECOND	 1000000000ull

static const char help[] =
	"usage: farbus discover [-i IF] [-t SECONDS] (-k FILE | --insecure)\n\n"
	"Asks on an Ethernet segment who lends out devices there, and prints a line for each of\n"
	"these: the peer's name and address, the export's name, ports, interrupt lines, DMA\n"
	"channels, whether someone holds it, and how old the answer is.\n\n"
	"  -i, --interface IF   default: the only Ethernet interface that is up\n"
	"  -k, --key FILE       the shared key: 32 bytes or 64 hexadecimal digits\n"
	"      --insecure       peers that run without a key\n"
	"  -t, --time SECONDS   how long to ask, 1 to 60; default 1\n";

struct options {
	const char *interface, *key;
	bool insecure;
	unsigned seconds;
};

struct peer {
	struct offer offer;
	u64 heard;
};

static struct {
	struct wire wire;
	struct endpoint e;
	struct discovery d;
	struct peer peer[PEERS];
	unsigned peers, more; /* more: answers there was no place for */
} seen;

/* --- asking --- */

static void found(void *ctx, const struct offer *offer)
{
	unsigned i = 0;

	(void)ctx;
	while (i < seen.peers && memcmp(seen.peer[i].offer.mac, offer->mac, 6))
		i++;
	if (i == PEERS) {
		seen.more++;
		return;
	}
	seen.peer[i] = (struct peer){*offer, wire_now()};
	if (i == seen.peers)
		seen.peers++;
}

/* False: the interface is gone. */
static bool take_frames(void)
{
	u8 frame[FRAME_MAX];
	struct packet p;
	int len;

	while ((len = wire_receive(&seen.wire, frame)) > 0)
		if (endpoint_open(&seen.e, frame, (u32)len, &p))
			discover_receive(&seen.d, &seen.e, &p);
	return len == 0;
}

static bool ask(unsigned seconds)
{
	u64 end = wire_now() + seconds * SECOND, next = 0, now;

	while ((now = wire_now()) < end) {
		struct pollfd fd = {.fd = seen.wire.fd, .events = POLLIN};
		u64 until;

		if (now >= next) {
			discover(&seen.d, &seen.e);
			next = now + EVERY_NS;
		}
		until = next < end ? next : end;
		poll(&fd, 1, (int)((until - now) / 1000000) + 1);
		if (!take_frames()) {
			log_error("%s: %s", seen.wire.name, strerror(errno));
			return false;
		}
	}
	return true;
}

/* --- the table --- */

/* "3,4" of the bits; "-": none. */
static void bits_text(char *text, size_t size, u32 bits)
{
	size_t len = 0;

	snprintf(text, size, "-");
	for (unsigned i = 0; bits >> i && len < size; i++)
		if (bits >> i & 1)
			len += (size_t)snprintf(text + len, size - len, "%s%u", len ? "," : "", i);
}

static void ports_text(char *text, size_t size, const struct port_export *x)
{
	size_t len = 0;

	snprintf(text, size, "-");
	for (unsigned i = 0; i < x->ranges && len < size; i++) {
		const struct port_range *r = &x->range[i];

		len += (size_t)snprintf(text + len, size - len,
					r->first < r->last ? "%s0x%x-0x%x" : "%s0x%x",
					len ? "," : "", r->first, r->last);
	}
}

/* A peer's own name is any 16 bytes: what is no printable ASCII becomes '?' on the terminal. */
static void name_text(char text[EXPORT_NAME + 1], const char *name)
{
	unsigned i;

	for (i = 0; i < EXPORT_NAME && name[i]; i++)
		text[i] = name[i] > ' ' && name[i] < 127 ? name[i] : '?';
	text[i] = 0;
}

static const char row[] = "%-16s  %-17s  %-16s  %-19s  %-5s  %-5s  %-5s  %s\n";

static void print_peer(const struct peer *p, u64 now)
{
	char peer[EXPORT_NAME + 1], mac[MAC_TEXT], age[24];

	name_text(peer, p->offer.name);
	mac_text(mac, p->offer.mac);
	snprintf(age, sizeof(age), "%llu ms", (unsigned long long)(now - p->heard) / 1000000);
	if (!p->offer.exports)
		printf(row, peer, mac, "-", "-", "-", "-", "-", age);
	for (unsigned i = 0; i < p->offer.exports; i++) {
		const struct port_export *x = &p->offer.export[i];
		char name[EXPORT_NAME + 1], ports[64], irqs[40], dma[24];

		name_text(name, x->name);
		ports_text(ports, sizeof(ports), x);
		bits_text(irqs, sizeof(irqs), x->irqs);
		bits_text(dma, sizeof(dma), x->dma);
		printf(row, peer, mac, name, ports, irqs, dma, x->held ? "held" : "free", age);
	}
}

static int report(unsigned seconds)
{
	u64 other = seen.e.drops[DROP_TAG], now = wire_now();

	if (seen.peers)
		printf(row, "PEER", "ADDRESS", "EXPORT", "PORTS", "IRQ", "DMA", "STATE", "AGE");
	for (unsigned i = 0; i < seen.peers; i++)
		print_peer(&seen.peer[i], now);
	if (seen.more)
		log_warn("discover: only the first %u peers are shown", PEERS);
	if (other)
		log_warn("discover: %llu answers with a wrong tag: another key, or damaged",
			 (unsigned long long)other);
	if (seen.peers)
		return STATUS_OK;
	log_error("discover: nobody with this key answered on %s within %u s", seen.wire.name,
		  seconds);
	return STATUS_FAILED;
}

/* --- options --- */

static bool take_option(void *options, int option)
{
	struct options *o = options;
	char *end;

	switch (option) {
	case 'i':
		o->interface = optarg;
		return true;
	case 'k':
		o->key = optarg;
		return true;
	case 'I':
		o->insecure = true;
		return true;
	case 't':
		o->seconds = (unsigned)strtoul(optarg, &end, 10);
		if (!*end && o->seconds >= 1 && o->seconds <= 60)
			return true;
		log_error("discover: -t '%s': expected 1 to 60 seconds", optarg);
		return false;
	default:
		return false;
	}
}

static bool check_options(void *options, char **words)
{
	const struct options *o = options;

	if (!words[0])
		return command_line_key("discover", o->key, o->insecure);
	log_error("discover: '%s': expected no more words", words[0]);
	return false;
}

static const struct option longs[] = {
	{"interface", required_argument, NULL, 'i'},
	{"key", required_argument, NULL, 'k'},
	{"insecure", no_argument, NULL, 'I'},
	{"time", required_argument, NULL, 't'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct command_line line = {
	.help = help,
	.letters = "i:k:t:h",
	.longs = longs,
	.take = take_option,
	.check = check_options,
};

int command_discover(int argc, char **argv)
{
	struct options o = {.seconds = 1};
	u8 key[SESSION_KEY] = {0};
	int status = command_line_read(&line, &o, argc, argv);

	if (status >= 0)
		return status;
	if ((o.key && !key_from_file(o.key, key)) || !wire_open(&seen.wire, o.interface))
		return STATUS_FAILED;
	wire_endpoint(&seen.wire, &seen.e, false, key, FRAME_SNAP_FORM);
	seen.d.found = found;
	status = ask(o.seconds) ? report(o.seconds) : STATUS_FAILED;
	wire_close(&seen.wire);
	return status;
}
