/* SPDX-License-Identifier: BSD-2-Clause */
/* AUTH1 to LEASE, from the client's side (docs/protocol.md, "Greeting"). */
#include "lib/str.h"
#include "net-ne2000/client_parts.h"
#include "net-ne2000/greet.h"

static void send_auth1(struct client *c)
{
	struct proto_header h = {.type = PROTO_AUTH1, .tries = c->tries};
	struct proto_writer w;
	u8 epoch[4];

	proto_put32(epoch, c->e->epoch);
	endpoint_begin(c->e, &w);
	proto_add_bytes(&w, c->secrets.client_nonce, SESSION_NONCE);
	proto_add_bytes(&w, epoch, sizeof(epoch));
	endpoint_send(c->e, &w, &h, c->e->greeting.to_server, c->secrets.server_mac);
}

static void send_auth3(struct client *c)
{
	struct proto_header h = {.type = PROTO_AUTH3, .tries = c->tries};
	struct proto_writer w;
	u8 name[EXPORT_NAME];

	export_put_name(name, c->name);
	endpoint_begin(c->e, &w);
	proto_add_bytes(&w, c->secrets.client_nonce, SESSION_NONCE);
	proto_add_bytes(&w, name, sizeof(name));
	endpoint_send(c->e, &w, &h, c->keys.to_server, c->secrets.server_mac);
}

bool client_lease(struct client *c, const u8 server[6], const char *name, u64 now)
{
	if (c->state != CLIENT_IDLE && c->state != CLIENT_FAILED)
		return false;
	memset(&c->secrets, 0, sizeof(c->secrets));
	memcpy(c->secrets.client_mac, c->e->mac, 6);
	memcpy(c->secrets.server_mac, server, 6);
	c->e->hooks->random(c->e->ctx, c->secrets.client_nonce, SESSION_NONCE);
	c->secrets.client_epoch = c->e->epoch;
	memset(c->name, 0, sizeof(c->name));
	export_put_name((u8 *)c->name, name);
	c->tries = 0;
	c->again = now + CLIENT_GREETING_NS;
	client_enter(c, CLIENT_CALLING);
	send_auth1(c);
	return true;
}

static void fail(struct client *c, enum client_why why)
{
	c->why = why;
	client_enter(c, CLIENT_FAILED);
}

void client_auth2(struct client *c, const struct packet *p, u64 now)
{
	if (!endpoint_check(c->e, p, c->e->greeting.to_client))
		return;
	if (c->state != CLIENT_CALLING || p->h.length != AUTH2_BYTES) {
		endpoint_drop(c->e, c->state == CLIENT_CALLING ? DROP_MALFORMED : DROP_STALE);
		return;
	}
	memcpy(c->secrets.server_nonce, p->body + SESSION_NONCE, SESSION_NONCE);
	c->secrets.server_epoch = proto_get32(p->body + 2 * SESSION_NONCE);
	session_derive(c->e->shared, &c->secrets, &c->keys);
	c->tries = 0;
	c->again = now + CLIENT_GREETING_NS;
	client_enter(c, CLIENT_ASKING);
	send_auth3(c);
}

static void take_lease(struct client *c, const struct packet *p, u64 now)
{
	u8 window = p->body[17];

	if (!export_get(p->body + LEASE_FIXED, p->h.length - LEASE_FIXED, &c->export)) {
		endpoint_drop(c->e, DROP_MALFORMED);
		return;
	}
	c->session = p->h.session;
	c->lease_ms = proto_get32(p->body + 20);
	c->renewals = 0;
	c->silent_since = 0;
	c->renew_at = now + CLIENT_RENEW_NS;
	client_link_start(c, window, now);
	client_enter(c, CLIENT_LEASED);
}

void client_granted(struct client *c, const struct packet *p, u64 now)
{
	if (c->state != CLIENT_ASKING) {
		endpoint_drop(c->e, DROP_STATE);
		return;
	}
	if (!endpoint_check(c->e, p, c->keys.to_client))
		return;
	if (p->h.length < LEASE_FIXED || p->body[16] >= LEASE_STATUSES) {
		endpoint_drop(c->e, DROP_MALFORMED);
		return;
	}
	switch ((enum lease_status)p->body[16]) {
	case LEASE_GRANTED:
		take_lease(c, p, now);
		break;
	case LEASE_HELD:
		fail(c, CLIENT_HELD);
		break;
	default:
		fail(c, CLIENT_NO_SUCH_EXPORT);
		break;
	}
}

void client_greet_again(struct client *c, u64 now)
{
	u64 wait = CLIENT_GREETING_NS;

	if (c->again > now)
		return;
	if (++c->tries >= CLIENT_GREETING_TRIES) {
		fail(c, CLIENT_NO_ANSWER);
		return;
	}
	for (unsigned i = 0; i < c->tries && i < 3; i++)
		wait *= 2;
	c->again = now + wait;
	if (c->state == CLIENT_CALLING)
		send_auth1(c);
	else
		send_auth3(c);
}
