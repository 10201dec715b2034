/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's frames by type, and what time brings. */
#include "lib/str.h"
#include "net-ne2000/server_parts.h"

void server_init(struct server *s, const char *name, const struct server_backend *backend,
		 void *ctx)
{
	struct server_access own = {.names = 0};
	struct endpoint e = s->e;
	u8 start[2];

	memset(s, 0, sizeof(*s));
	s->e = e;
	s->backend = backend;
	s->ctx = ctx;
	export_put_name((u8 *)s->name, name);
	/* Numbers differ from those of the last power-on, so that a stranger is told at once. */
	s->e.hooks->random(s->e.ctx, start, sizeof(start));
	s->last_session = proto_get16(start);
	memcpy(own.shared, s->e.shared, SESSION_KEY);
	server_set_access(s, &own);
}

void server_places(struct server *s, struct server_lease *lease, unsigned places)
{
	memset(lease, 0, places * sizeof(*lease));
	s->lease = lease;
	s->places = places < SERVER_EXPORTS ? places : SERVER_EXPORTS;
}

void server_say(struct server *s, unsigned i, u8 type, u32 seq, u8 tries)
{
	struct server_lease *l = &s->lease[i];
	struct proto_header h = {
		.type = type, .session = l->session, .seq = seq, .irq = l->unended, .tries = tries};
	struct proto_writer w;

	endpoint_begin(&s->e, &w);
	endpoint_send(&s->e, &w, &h, l->keys.to_client, l->mac);
}

void server_revoke(struct server *s, unsigned i)
{
	if (i >= s->exports || !s->lease[i].active)
		return;
	s->lease[i].active = false;
	s->export[i].held = false;
	server_irq_end(s, i);
	server_dma_end(s, i);
	s->backend->quiesce(s->ctx, i);
	memset(&s->lease[i].keys, 0, sizeof(s->lease[i].keys));
}

/*
 * The session is unknown and so is its key: all that can be said is who we are now. The frame's own
 * tag goes back, so that an old NAK is no answer to a new frame.
 */
static void send_nak(struct server *s, const struct packet *p)
{
	struct proto_header h = {
		.type = PROTO_NAK, .session = p->h.session, .seq = p->h.seq, .tries = p->h.tries};
	struct proto_writer w;
	u8 epoch[4];

	proto_put32(epoch, s->e.epoch);
	for (unsigned k = 0; k < s->keys; k++) { /* the client believes the one of its own key */
		endpoint_begin(&s->e, &w);
		proto_add_bytes(&w, epoch, sizeof(epoch));
		proto_add_bytes(&w, packet_tag(p), PROTO_TAG);
		endpoint_send(&s->e, &w, &h, s->key[k].greeting.to_client, p->src);
	}
	s->naks++;
}

static int find_session(const struct server *s, const struct packet *p)
{
	for (unsigned i = 0; i < s->exports; i++)
		if (s->lease[i].active && s->lease[i].session == p->h.session &&
		    !memcmp(s->lease[i].mac, p->src, 6))
			return (int)i;
	return -1;
}

/* RENEW and RELEASE count upwards: a recorded one keeps or ends nobody's lease. */
static bool is_new(struct server *s, unsigned i, const struct packet *p)
{
	if ((s32)(p->h.seq - s->lease[i].renewals) <= 0) {
		endpoint_drop(&s->e, DROP_STALE);
		return false;
	}
	s->lease[i].renewals = p->h.seq;
	return true;
}

static void session_frame(struct server *s, const struct packet *p, u64 now)
{
	int found = find_session(s, p);
	unsigned i = (unsigned)found;

	if (found < 0) {
		endpoint_drop(&s->e, DROP_SESSION);
		send_nak(s, p);
		return;
	}
	if (!endpoint_check(&s->e, p, s->lease[i].keys.to_server))
		return;
	switch (p->h.type) {
	case PROTO_REQ:
		server_request(s, i, p, now);
		break;
	case PROTO_CANCEL:
		server_cancel(s, i, p, now);
		break;
	case PROTO_EVACK:
		server_event_ack(s, i, p, now);
		break;
	case PROTO_RENEW:
		if (!is_new(s, i, p))
			break;
		s->lease[i].expires = now + SERVER_LEASE_NS;
		server_say(s, i, PROTO_PONG, p->h.seq, p->h.tries);
		break;
	case PROTO_RELEASE:
		if (!is_new(s, i, p))
			break;
		server_say(s, i, PROTO_RELEASE, p->h.seq, p->h.tries);
		server_revoke(s, i);
		break;
	default: /* PING: an echo, which keeps nothing alive */
		server_say(s, i, PROTO_PONG, p->h.seq, p->h.tries);
		break;
	}
}

void server_receive(struct server *s, const u8 *frame, u32 len, u64 now)
{
	struct packet p;

	if (!endpoint_open(&s->e, frame, len, &p))
		return;
	server_poll(s, now); /* a lease that has run out is over for this frame too */
	switch (p.h.type) {
	case PROTO_HELLO:
		server_hello(s, &p, now);
		break;
	case PROTO_AUTH1:
		server_auth1(s, &p, now);
		break;
	case PROTO_AUTH3:
		server_auth3(s, &p, now);
		break;
	case PROTO_RENEW:
	case PROTO_RELEASE:
	case PROTO_REQ:
	case PROTO_CANCEL:
	case PROTO_EVACK:
	case PROTO_PING:
		session_frame(s, &p, now);
		break;
	default:
		endpoint_drop(&s->e, DROP_DIRECTION);
		break;
	}
}

void server_poll(struct server *s, u64 now)
{
	server_offers(s, now);
	for (unsigned i = 0; i < s->exports; i++) {
		if (!s->lease[i].active)
			continue;
		if (s->lease[i].expires <= now) {
			s->expired++;
			server_revoke(s, i);
			continue;
		}
		server_run_poll(s, i, now);
		server_dma_poll(s, i, now);
		server_events(s, i, now);
	}
}

static u64 earlier(u64 a, u64 b)
{
	return a < b ? a : b;
}

u64 server_deadline(const struct server *s)
{
	u64 first = ~0ull;

	for (unsigned i = 0; i < SERVER_GREETINGS; i++)
		if (s->offer[i].active)
			first = earlier(first, s->offer[i].at);
	for (unsigned i = 0; i < s->exports; i++) {
		const struct server_lease *l = &s->lease[i];

		if (!l->active)
			continue;
		first = earlier(first, earlier(l->expires, link_deadline(&l->events)));
		first = earlier(first, server_dma_deadline(s, i));
		if (l->requests.running)
			first = earlier(first, earlier(l->run.next_step, l->run.next_pending));
	}
	return first;
}
