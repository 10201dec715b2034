/* SPDX-License-Identifier: BSD-2-Clause */
/* HELLO and OFFER, AUTH1 to AUTH3, LEASE (docs/protocol.md, "Greeting"). */
#include "lib/str.h"
#include "net-ne2000/greet.h"
#include "net-ne2000/server_parts.h"

#define OFFER_JITTER_US 16384u

static u32 random_u32(struct server *s)
{
	u8 bytes[4];

	s->e.hooks->random(s->e.ctx, bytes, sizeof(bytes));
	return proto_get32(bytes);
}

void server_hello(struct server *s, const struct packet *p, u64 now)
{
	struct server_offer *free = NULL;
	int key = server_key_of(s, p);

	if (key < 0)
		return;
	if (p->h.length != HELLO_BYTES) {
		endpoint_drop(&s->e, DROP_MALFORMED);
		return;
	}
	for (unsigned i = 0; i < SERVER_GREETINGS; i++) {
		struct server_offer *o = &s->offer[i];

		if (!o->active)
			free = o;
		else if (!memcmp(o->mac, p->src, 6) && !memcmp(o->nonce, p->body, SESSION_NONCE))
			return; /* its answer is on the way */
	}
	if (!free) {
		endpoint_drop(&s->e, DROP_BUSY);
		return;
	}
	free->active = true;
	free->at = now + 1000ull * (random_u32(s) % OFFER_JITTER_US);
	free->seq = p->h.seq;
	free->key = (u8)key;
	memcpy(free->mac, p->src, 6);
	memcpy(free->nonce, p->body, SESSION_NONCE);
}

static void send_offer(struct server *s, const struct server_offer *o)
{
	struct proto_header h = {.type = PROTO_OFFER, .seq = o->seq};
	struct proto_writer w;
	u8 fixed[OFFER_FIXED] = {0};

	memcpy(fixed, o->nonce, SESSION_NONCE);
	proto_put32(fixed + 16, s->e.epoch);
	export_put_name(fixed + 20, s->name);
	for (unsigned i = 0; i < s->exports; i++)
		fixed[36] += server_may_lease(s, o->key, i);
	endpoint_begin(&s->e, &w);
	proto_add_bytes(&w, fixed, sizeof(fixed));
	for (unsigned i = 0; i < s->exports; i++)
		if (server_may_lease(s, o->key, i)) {
			struct port_export x = server_seen_by(s, o->key, i);

			export_put(&w, &x);
		}
	endpoint_send(&s->e, &w, &h, s->key[o->key].greeting.to_client, o->mac);
}

void server_offers(struct server *s, u64 now)
{
	for (unsigned i = 0; i < SERVER_GREETINGS; i++) {
		struct server_offer *o = &s->offer[i];

		if (!o->active || o->at > now)
			continue;
		o->active = false;
		send_offer(s, o);
	}
}

static struct server_greeting *find_greeting(struct server *s, const u8 mac[6], const u8 *nonce,
					     u64 now)
{
	for (unsigned i = 0; i < SERVER_GREETINGS; i++) {
		struct server_greeting *g = &s->greeting[i];

		if (g->active && g->expires > now && !memcmp(g->secrets.client_mac, mac, 6) &&
		    !memcmp(g->secrets.client_nonce, nonce, SESSION_NONCE))
			return g;
	}
	return NULL;
}

/* The oldest gives way: who floods us with AUTH1 holds up others, but costs no memory. */
static struct server_greeting *new_greeting(struct server *s)
{
	struct server_greeting *oldest = &s->greeting[0];

	for (unsigned i = 0; i < SERVER_GREETINGS; i++) {
		struct server_greeting *g = &s->greeting[i];

		if (!g->active)
			return g;
		if (g->expires < oldest->expires)
			oldest = g;
	}
	return oldest;
}

void server_auth1(struct server *s, const struct packet *p, u64 now)
{
	struct proto_header h = {.type = PROTO_AUTH2, .seq = p->h.seq, .tries = p->h.tries};
	struct server_greeting *g;
	struct proto_writer w;
	u8 epoch[4];
	int key = server_key_of(s, p);

	if (key < 0)
		return;
	if (p->h.length != AUTH1_BYTES) {
		endpoint_drop(&s->e, DROP_MALFORMED);
		return;
	}
	/* The same nonce again: AUTH2 was lost, and must be the same again. */
	g = find_greeting(s, p->src, p->body, now);
	if (!g) {
		g = new_greeting(s);
		g->active = true;
		g->key = (u8)key;
		memcpy(g->secrets.client_mac, p->src, 6);
		memcpy(g->secrets.server_mac, s->e.mac, 6);
		memcpy(g->secrets.client_nonce, p->body, SESSION_NONCE);
		s->e.hooks->random(s->e.ctx, g->secrets.server_nonce, SESSION_NONCE);
		g->secrets.client_epoch = proto_get32(p->body + SESSION_NONCE);
		g->secrets.server_epoch = s->e.epoch;
		g->expires = now + SERVER_GREETING_NS;
	}
	proto_put32(epoch, s->e.epoch);
	endpoint_begin(&s->e, &w);
	proto_add_bytes(&w, g->secrets.client_nonce, SESSION_NONCE);
	proto_add_bytes(&w, g->secrets.server_nonce, SESSION_NONCE);
	proto_add_bytes(&w, epoch, sizeof(epoch));
	endpoint_send(&s->e, &w, &h, s->key[g->key].greeting.to_client, p->src);
}

static void send_lease(struct server *s, const struct packet *p, const struct session_keys *keys,
		       enum lease_status status, int i)
{
	struct proto_header h = {.type = PROTO_LEASE, .seq = p->h.seq, .tries = p->h.tries};
	struct proto_writer w;
	u8 fixed[LEASE_FIXED] = {0};

	memcpy(fixed, p->body, SESSION_NONCE);
	fixed[16] = (u8)status;
	fixed[17] = LINK_WINDOW;
	proto_put32(fixed + 20, (u32)(SERVER_LEASE_NS / 1000000));
	if (status == LEASE_GRANTED) {
		h.session = s->lease[i].session;
		proto_put16(fixed + 18, h.session);
	}
	endpoint_begin(&s->e, &w);
	proto_add_bytes(&w, fixed, sizeof(fixed));
	if (status == LEASE_GRANTED) {
		struct port_export x = server_seen_by(s, s->lease[i].key, (unsigned)i);

		export_put(&w, &x);
	}
	endpoint_send(&s->e, &w, &h, keys->to_client, p->src);
}

static u16 new_session(struct server *s)
{
	bool again = true;

	while (again) {
		again = ++s->last_session == 0;
		for (unsigned i = 0; i < s->exports; i++)
			if (s->lease[i].active && s->lease[i].session == s->last_session)
				again = true;
	}
	return s->last_session;
}

static void grant(struct server *s, unsigned i, const struct server_greeting *g,
		  const struct session_keys *keys, u64 now)
{
	const struct session_secrets *secrets = &g->secrets;
	struct server_lease *l = &s->lease[i];

	memset(l, 0, sizeof(*l));
	l->active = true;
	l->key = g->key;
	memcpy(l->mac, secrets->client_mac, 6);
	memcpy(l->client_nonce, secrets->client_nonce, SESSION_NONCE);
	l->session = new_session(s);
	l->keys = *keys;
	l->expires = now + SERVER_LEASE_NS;
	l->masked = s->export[i].irqs; /* until the client asks for them */
	link_receiver_init(&l->requests);
	link_sender_init(&l->events, LINK_WINDOW, now);
	s->export[i].held = true;
}

static int find_export(const struct server *s, const u8 *wanted)
{
	u8 name[EXPORT_NAME];

	for (unsigned i = 0; i < s->exports; i++) {
		export_put_name(name, s->export[i].name);
		if (!memcmp(name, wanted, EXPORT_NAME))
			return (int)i;
	}
	return -1;
}

/* AUTH3 of a lease that exists: its LEASE was lost. */
static bool repeat_lease(struct server *s, const struct packet *p)
{
	for (unsigned i = 0; i < s->exports; i++) {
		struct server_lease *l = &s->lease[i];

		if (!l->active || memcmp(l->mac, p->src, 6) ||
		    memcmp(l->client_nonce, p->body, SESSION_NONCE))
			continue;
		if (endpoint_check(&s->e, p, l->keys.to_server))
			send_lease(s, p, &l->keys, LEASE_GRANTED, (int)i);
		return true;
	}
	return false;
}

void server_auth3(struct server *s, const struct packet *p, u64 now)
{
	struct server_greeting *g;
	struct session_keys keys;
	enum lease_status status = LEASE_GRANTED;
	int i;

	if (p->h.length != AUTH3_BYTES) {
		endpoint_drop(&s->e, DROP_MALFORMED);
		return;
	}
	if (repeat_lease(s, p))
		return;
	g = find_greeting(s, p->src, p->body, now);
	if (!g) {
		endpoint_drop(&s->e, DROP_STATE);
		return;
	}
	session_derive(s->key[g->key].access.shared, &g->secrets, &keys);
	if (!endpoint_check(&s->e, p, keys.to_server))
		return;
	g->active = false;
	i = find_export(s, p->body + SESSION_NONCE);
	if (i < 0 || !server_may_lease(s, g->key, (unsigned)i))
		status = LEASE_NO_SUCH_EXPORT;
	else if (s->lease[i].active &&
		 (memcmp(s->lease[i].mac, p->src, 6) || s->lease[i].key != g->key))
		status = LEASE_HELD;
	if (status == LEASE_GRANTED) {
		/* The holder itself asks anew, so it has given up what it had before. */
		server_revoke(s, (unsigned)i);
		grant(s, (unsigned)i, g, &keys, now);
	}
	send_lease(s, p, &keys, status, i);
}
