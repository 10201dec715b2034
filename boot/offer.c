/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/offer.h"
#include "boot/access.h"
#include "boot/host.h"
#include "boot/net.h"
#include "boot/trace_offer.h"
#include "devices/timer.h"
#include "lib/fmt.h"
#include "lib/log.h"
#include "lib/str.h"

static struct {
	struct server *server; /* NULL: nothing is offered */
	struct services services;
	u16 seen[SERVICES]; /* sessions that the log knows; 0: none */
	bool stirred;	    /* a frame has come since the server's turn */
	u64 due;	    /* of its next one */
} offer;

u32 offer_size(const struct config *c)
{
	return c->offer.on ? sizeof(*offer.server) + SERVICES * sizeof(*offer.server->lease) : 0;
}

void offer_start(const struct config *c)
{
	struct server_lease *lease;

	if (!c->offer.on || !net_up())
		return;
	offer.server = host_alloc(sizeof(*offer.server));
	lease = host_alloc(SERVICES * sizeof(*lease));
	if (!offer.server || !lease) {
		log_warn("offer: no memory for it");
		offer.server = NULL;
		return;
	}
	net_endpoint(&offer.server->e, c, true);
	services_init(&offer.services, offer.server, NULL);
	server_init(offer.server, c->offer.name, &offer.services.backend, &offer.services);
	server_places(offer.server, lease, SERVICES);
	access_set(offer.server, c);
}

bool offer_add(const struct service_ops *ops, void *ctx)
{
	if (!offer.server)
		return false;
	if (services_add(&offer.services, ops, ctx) == EXPORT_OK)
		return true;
	log_warn("offer: no place for %s", ops->name);
	return false;
}

/* Frames of servers are the remote routes', as is what is none of ours. */
static bool from_client(const u8 *frame, u32 len)
{
	struct frame_view view;

	return frame_parse(frame, len, &view) && view.len > 2 &&
	       !(view.payload[2] & PROTO_FROM_SERVER);
}

bool offer_frame(const u8 *frame, u32 len, u64 now)
{
	u64 began = host_ns();

	if (!offer.server || !from_client(frame, len))
		return false;
	offer.stirred = true;
	server_receive(offer.server, frame, len, now);
	trace_offer_spent(host_ns() - began);
	net_tell_strangers(&offer.server->e);
	return true;
}

static void watch(unsigned i)
{
	const struct service *s = &offer.services.service[i];
	const struct server_lease *l = &offer.server->lease[s->export];
	u16 session = l->active ? l->session : 0;
	char mac[NET_MAC_TEXT];

	if (session == offer.seen[i])
		return;
	offer.seen[i] = session;
	net_mac_text(mac, l->mac);
	log_info("offer: %s %s %s", s->ops->name, session ? "leased to" : "given back by", mac);
}

/*
 * The run loop comes here several times for each of a guest's disk accesses: while no frame has
 * come and nothing is due, there are only the services to look at.
 */
u64 offer_poll(u64 now)
{
	u16 open = offer.services.open;

	if (!offer.server)
		return TIMER_NEVER;
	services_poll(&offer.services, now);
	/* A line that has fired is masked, and its event may have to be sent again. */
	if (!offer.stirred && now < offer.due && open == offer.services.open)
		return offer.due;
	offer.stirred = false;
	server_poll(offer.server, now);
	for (unsigned i = 0; i < offer.services.count; i++)
		watch(i);
	offer.due = server_deadline(offer.server);
	return offer.due;
}

bool offer_describe(unsigned n, char *buf, size_t size)
{
	const struct service *s = &offer.services.service[n];
	const struct server_lease *l;
	char mac[NET_MAC_TEXT];

	if (!offer.server || n >= offer.services.count)
		return false;
	l = &offer.server->lease[s->export];
	net_mac_text(mac, l->mac);
	fmt(buf, size, "offered: %-8s %s%s", s->ops->name, l->active ? "leased to " : "free",
	    l->active ? mac : "");
	return true;
}
