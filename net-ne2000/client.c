/* SPDX-License-Identifier: BSD-2-Clause */
/* A client's frames by type, what time brings, and the end of a session. */
#include "lib/str.h"
#include "net-ne2000/client_parts.h"
#include "net-ne2000/greet.h"

void client_init(struct client *c, struct endpoint *e, const struct client_hooks *hooks, void *ctx)
{
	memset(c, 0, sizeof(*c));
	c->e = e;
	c->hooks = hooks;
	c->ctx = ctx;
}

void client_enter(struct client *c, enum client_state state)
{
	c->state = state;
	c->hooks->changed(c->ctx, state);
}

void client_say(struct client *c, u8 type, u32 seq, u8 tries)
{
	struct proto_header h = {.type = type, .session = c->session, .seq = seq, .tries = tries};
	struct proto_writer w;

	endpoint_begin(c->e, &w);
	endpoint_send(c->e, &w, &h, c->keys.to_server, c->secrets.server_mac);
}

static void renew(struct client *c, u64 now)
{
	if (!c->silent_since)
		c->silent_since = now;
	c->renew_at = now + CLIENT_RENEW_AGAIN_NS;
	client_say(c, PROTO_RENEW, ++c->renewals, 0);
	memcpy(c->renew_tag, c->e->tag, PROTO_TAG);
}

static void renewed(struct client *c, const struct packet *p, u64 now)
{
	if (!c->silent_since || p->h.seq != c->renewals) {
		endpoint_drop(c->e, DROP_STALE);
		return;
	}
	c->silent_since = 0;
	c->renew_at = now + CLIENT_RENEW_NS;
}

/* PINGs have numbers of their own: an echo is no answer to RENEW. */
#define PING_SEQ BIT(31)

bool client_ping(struct client *c, u64 now)
{
	if (c->state != CLIENT_LEASED)
		return false;
	c->pinged_at = now;
	c->echo_ns = 0;
	client_say(c, PROTO_PING, ++c->pings | PING_SEQ, 0);
	return true;
}

u64 client_echo(const struct client *c)
{
	return c->echo_ns;
}

static void echoed(struct client *c, const struct packet *p, u64 now)
{
	if (!c->pinged_at || p->h.seq != (c->pings | PING_SEQ)) {
		endpoint_drop(c->e, DROP_STALE);
		return;
	}
	c->echo_ns = now > c->pinged_at ? now - c->pinged_at : 1;
	c->pinged_at = 0;
}

/* RELEASE counts on from RENEW, so a recorded one is as useless as a recorded RENEW. */
static void send_release(struct client *c, u64 now)
{
	c->again = now + CLIENT_GREETING_NS;
	client_say(c, PROTO_RELEASE, ++c->renewals, c->tries);
	memcpy(c->renew_tag, c->e->tag, PROTO_TAG);
}

bool client_release(struct client *c, u64 now)
{
	if (c->state != CLIENT_LEASED || c->complete != c->requests.next)
		return false;
	c->tries = 0;
	client_enter(c, CLIENT_RELEASING);
	send_release(c, now);
	return true;
}

static void end_session(struct client *c, enum client_state state)
{
	c->state = state; /* no hook may submit to a session that is over */
	client_report_rest(c);
	memset(&c->keys, 0, sizeof(c->keys));
	c->session = 0;
	client_enter(c, state);
}

void client_abandon(struct client *c)
{
	if (c->state == CLIENT_IDLE || c->state == CLIENT_FAILED)
		return;
	if (c->state == CLIENT_CALLING || c->state == CLIENT_ASKING)
		client_enter(c, CLIENT_IDLE); /* no session yet */
	else
		end_session(c, CLIENT_IDLE);
}

/* Not signed by the session's key, so it counts only with the tag of a frame we wait for. */
static void refused(struct client *c, const struct packet *p)
{
	bool leaving = c->state == CLIENT_RELEASING;
	u32 epoch = proto_get32(p->body);

	if (!endpoint_check(c->e, p, c->e->greeting.to_client))
		return;
	if (p->h.length != NAK_BYTES) {
		endpoint_drop(c->e, DROP_MALFORMED);
		return;
	}
	if (!client_awaits(c, p->body + 4)) {
		endpoint_drop(c->e, DROP_STALE);
		return;
	}
	c->why = epoch != c->secrets.server_epoch ? CLIENT_RESTARTED : CLIENT_EXPIRED;
	end_session(c, leaving ? CLIENT_IDLE : CLIENT_FAILED);
}

static void session_frame(struct client *c, const struct packet *p, u64 now)
{
	if (!endpoint_check(c->e, p, c->keys.to_client))
		return;
	switch (p->h.type) {
	case PROTO_REP:
		client_reply(c, p, now);
		break;
	case PROTO_PENDING:
		client_pending(c, p, now);
		break;
	case PROTO_EVT:
		client_event(c, p, now);
		break;
	case PROTO_PONG:
		if (p->h.seq & PING_SEQ)
			echoed(c, p, now);
		else
			renewed(c, p, now);
		break;
	case PROTO_RELEASE:
		if (c->state == CLIENT_RELEASING)
			end_session(c, CLIENT_IDLE);
		else
			endpoint_drop(c->e, DROP_STATE);
		break;
	case PROTO_LEASE: /* a repetition of the one that began this session */
		endpoint_drop(c->e, DROP_STALE);
		break;
	default:
		endpoint_drop(c->e, DROP_DIRECTION);
		break;
	}
}

bool client_receive(struct client *c, const struct packet *p, u64 now)
{
	if (c->state == CLIENT_IDLE || c->state == CLIENT_FAILED ||
	    memcmp(p->src, c->secrets.server_mac, 6))
		return false;
	if (c->state == CLIENT_LEASED || c->state == CLIENT_RELEASING) {
		if (p->h.session != c->session)
			return false;
		if (p->h.type == PROTO_NAK)
			refused(c, p);
		else
			session_frame(c, p, now);
		return true;
	}
	/* Other clients of this PC may be in a handshake with the same server: the nonce tells. */
	if (p->h.length < SESSION_NONCE || memcmp(p->body, c->secrets.client_nonce, SESSION_NONCE))
		return false;
	if (p->h.type == PROTO_AUTH2)
		client_auth2(c, p, now);
	else if (p->h.type == PROTO_LEASE)
		client_granted(c, p, now);
	else
		return false;
	return true;
}

static void poll_session(struct client *c, u64 now)
{
	int slot;

	while ((slot = link_due(&c->requests, now)) >= 0) {
		client_send_slot(c, (unsigned)slot);
		if (c->slot[slot].cancelled)
			client_say_cancel(c, (unsigned)slot);
	}
	if (c->renew_at <= now)
		renew(c, now);
	client_send_eois(c, now);
}

static void poll_release(struct client *c, u64 now)
{
	if (c->again > now)
		return;
	if (++c->tries < CLIENT_GREETING_TRIES)
		send_release(c, now);
	else
		end_session(c, CLIENT_IDLE); /* the lease runs out by itself */
}

void client_poll(struct client *c, u64 now)
{
	switch (c->state) {
	case CLIENT_CALLING:
	case CLIENT_ASKING:
		client_greet_again(c, now);
		break;
	case CLIENT_LEASED:
		poll_session(c, now);
		break;
	case CLIENT_RELEASING:
		poll_release(c, now);
		break;
	case CLIENT_IDLE:
	case CLIENT_FAILED:
		break;
	}
}

u64 client_deadline(const struct client *c)
{
	u64 first;

	switch (c->state) {
	case CLIENT_CALLING:
	case CLIENT_ASKING:
	case CLIENT_RELEASING:
		return c->again;
	case CLIENT_LEASED:
		first = link_deadline(&c->requests);
		return first < c->renew_at ? first : c->renew_at;
	default:
		return ~0ull;
	}
}

enum link_health client_health(const struct client *c, u64 now)
{
	u64 silence;

	if (c->state != CLIENT_LEASED)
		return LINK_GOOD;
	if (!link_idle(&c->requests) || !c->silent_since)
		return link_health(&c->requests, now);
	/* An answer to a request is a sign of life as good as one to RENEW. */
	silence = now - (c->silent_since > c->requests.heard ? c->silent_since : c->requests.heard);
	return silence < LINK_SUSPECT_NS ? LINK_GOOD
	       : silence < LINK_LOST_NS	 ? LINK_SUSPECT
					 : LINK_LOST;
}
