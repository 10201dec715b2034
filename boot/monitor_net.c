/* SPDX-License-Identifier: BSD-2-Clause */
/* Monitor commands about other PCs' devices: who offers what, and what this guest has of it. */
#include "boot/console.h"
#include "boot/monitor_cmd.h"
#include "boot/offer.h"
#include "boot/net.h"
#include "boot/remote.h"
#include "lib/fmt.h"
#include "lib/str.h"

#define OFFERS	  16u
#define PINGS_MAX 10000u

/* Those that were shown: an offer may come twice. */
struct shown {
	struct monitor *m;
	unsigned count;
	u8 mac[OFFERS][6];
};

static bool again(const struct shown *s, const u8 mac[6])
{
	for (unsigned i = 0; i < s->count; i++)
		if (!memcmp(s->mac[i], mac, 6))
			return true;
	return false;
}

static void show_export(struct monitor *m, const struct port_export *x)
{
	char text[128];
	int n = 0;

	for (unsigned i = 0; i < x->ranges; i++)
		n += fmt(text + n, sizeof(text) - (size_t)n, "%s0x%x-0x%x", i ? "," : "",
			 x->range[i].first, x->range[i].last);
	for (unsigned line = 0; line < 16; line++)
		if (x->irqs & BIT(line))
			n += fmt(text + n, sizeof(text) - (size_t)n, " irq %u", line);
	for (unsigned channel = 0; channel < 8; channel++)
		if (x->dma & BIT(channel))
			n += fmt(text + n, sizeof(text) - (size_t)n, " dma %u", channel);
	mon_print(m, "  %-16s %s%s\n", x->name, text, x->held ? "  held" : "");
}

static void found(void *ctx, const struct offer *o)
{
	struct shown *s = ctx;

	if (s->count == OFFERS || again(s, o->mac))
		return;
	memcpy(s->mac[s->count++], o->mac, 6);
	mon_print(s->m, "%02x:%02x:%02x:%02x:%02x:%02x  %s\n", o->mac[0], o->mac[1], o->mac[2],
		  o->mac[3], o->mac[4], o->mac[5], o->name);
	for (unsigned i = 0; i < o->exports; i++)
		show_export(s->m, &o->export[i]);
}

void mon_discover(struct monitor *m, const struct command *c)
{
	struct shown s = {.m = m};
	char error[CONFIG_ERROR_MAX];

	(void)c;
	if (remote_route_discover(m->vm, found, &s, error, sizeof(error)))
		mon_print(m, "discover: %s\n", error);
	else if (!s.count)
		mon_print(m, "no peer answered\n");
}

void mon_leases(struct monitor *m, const struct command *c)
{
	char text[384];
	unsigned n = 0;

	(void)c;
	while (remote_route_describe(m->vm, n, text, sizeof(text))) {
		console_print(m->vm, text); /* longer than mon_print() takes */
		console_print(m->vm, "\n");
		n++;
	}
	if (!n)
		mon_print(m, "no remote routes\n");
	net_describe_card(text, sizeof(text));
	mon_print(m, "%s\n", text);
	if (!m->vm->remotes)
		return;
	net_describe(text, sizeof(text));
	mon_print(m, "%s\n", text);
	remote_route_drops(m->vm, text, sizeof(text));
	mon_print(m, "%s\n", text);
	for (n = 0; offer_describe(n, text, sizeof(text)); n++)
		mon_print(m, "%s\n", text);
}

void mon_ping(struct monitor *m, const struct command *c)
{
	u64 average, longest;
	u32 count = 10;
	unsigned n = 0;
	int back;

	if (c->words > 1 && !mon_count(c->word[1], PINGS_MAX, &count)) {
		mon_print(m, "ping: '%s': expected a count from 1 to %u\n", c->word[1], PINGS_MAX);
		return;
	}
	for (; (back = remote_route_ping(m->vm, n, count, &average, &longest)) >= 0; n++) {
		char text[384];

		remote_route_describe(m->vm, n, text, sizeof(text));
		*strchr(text, '\n') = 0; /* the route, without what it cost */
		mon_print(m, "%s: %d of %u echoes, %llu us on average, %llu us at most\n", text,
			  back, count, average / 1000, longest / 1000);
	}
	if (!n)
		mon_print(m, "no remote routes\n");
}
