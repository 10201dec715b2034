/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/endpoint.h"

#include "lib/str.h"

static const u8 broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

const char *drop_name(enum drop reason)
{
	static const char *const names[DROPS] = {
		"foreign", "address", "short", "version", "type", "direction",
		"tag",	   "session", "state", "stale",	  "busy", "malformed",
	};

	return reason < DROPS ? names[reason] : "?";
}

void endpoint_init(struct endpoint *e, bool server, const u8 mac[6], u32 epoch,
		   const u8 shared[SESSION_KEY], const struct endpoint_hooks *hooks, void *ctx)
{
	memset(e, 0, sizeof(*e));
	e->hooks = hooks;
	e->ctx = ctx;
	e->server = server;
	e->epoch = epoch;
	memcpy(e->mac, mac, 6);
	memcpy(e->shared, shared, SESSION_KEY);
	session_greeting_keys(shared, &e->greeting);
}

void endpoint_drop(struct endpoint *e, enum drop reason)
{
	e->drops[reason]++;
}

static bool for_us(const struct endpoint *e, const struct frame_view *view)
{
	if (view->src[0] & 1 || !memcmp(view->src, e->mac, 6))
		return false;
	return !memcmp(view->dst, e->mac, 6) || !memcmp(view->dst, broadcast, 6);
}

static int find_stranger(const struct endpoint *e, const u8 mac[6])
{
	for (unsigned i = 0; i < e->strangers; i++)
		if (!memcmp(e->stranger[i].mac, mac, 6))
			return (int)i;
	return -1;
}

static void note_stranger(struct endpoint *e, const u8 mac[6], u8 version)
{
	int i = find_stranger(e, mac);

	if (i >= 0) {
		e->stranger[i].again |= e->stranger[i].version == version;
		return;
	}
	if (e->strangers == STRANGERS)
		return;
	e->stranger[e->strangers] = (struct stranger){.version = version};
	memcpy(e->stranger[e->strangers++].mac, mac, 6);
}

/* It speaks our version: what seemed to be another was damage, or it has been replaced. */
static void forget_stranger(struct endpoint *e, const u8 mac[6])
{
	int i = find_stranger(e, mac);

	if (i >= 0)
		e->stranger[i] = e->stranger[--e->strangers];
}

bool endpoint_odd_version(const struct endpoint *e, const u8 mac[6], u8 *version)
{
	int i = find_stranger(e, mac);

	if (i < 0 || !e->stranger[i].again)
		return false;
	*version = e->stranger[i].version;
	return true;
}

const struct stranger *endpoint_new_stranger(struct endpoint *e)
{
	for (unsigned i = 0; i < e->strangers; i++) {
		if (!e->stranger[i].again || e->stranger[i].told)
			continue;
		e->stranger[i].told = true;
		return &e->stranger[i];
	}
	return NULL;
}

/*
 * Magic, version and direction are where they are in every version. A client hears from a server
 * which one that speaks; clients answer to none of this, so no two ends can go on for ever.
 */
static void other_version(struct endpoint *e, const struct frame_view *view)
{
	static const u8 no_tag[PROTO_TAG];
	struct proto_header h = {.type = PROTO_NAK};
	struct proto_writer w;
	u8 epoch[4];

	note_stranger(e, view->src, view->payload[2] >> 4);
	if (!e->server || view->payload[2] & PROTO_FROM_SERVER)
		return;
	proto_put32(epoch, e->epoch);
	endpoint_begin(e, &w);
	proto_add_bytes(&w, epoch, sizeof(epoch));
	proto_add_bytes(&w, no_tag, sizeof(no_tag));
	endpoint_send(e, &w, &h, e->greeting.to_client, view->src);
}

static enum drop reason_of(enum proto_error error)
{
	return error == PROTO_BAD_VERSION ? DROP_VERSION
	       : error == PROTO_BAD_TYPE  ? DROP_TYPE
					  : DROP_SHORT;
}

bool endpoint_open(struct endpoint *e, const u8 *frame, u32 len, struct packet *p)
{
	struct frame_view view;
	enum proto_error error;
	enum drop reason = DROPS;

	e->received++;
	if (!frame_parse(frame, len, &view)) {
		endpoint_drop(e, DROP_FOREIGN);
		return false;
	}
	error = proto_peek(view.payload, view.len, &p->h);
	if (!for_us(e, &view))
		reason = DROP_ADDRESS;
	else if (error != PROTO_GOOD)
		reason = reason_of(error);
	else if (!(p->h.flags & PROTO_FROM_SERVER) != e->server)
		reason = DROP_DIRECTION;
	else if (p->h.type != PROTO_HELLO && view.dst[0] & 1)
		reason = DROP_ADDRESS; /* only HELLO is for all */
	if (reason != DROPS) {
		if (reason == DROP_VERSION)
			other_version(e, &view);
		endpoint_drop(e, reason);
		return false;
	}
	p->dst = view.dst;
	p->src = view.src;
	p->payload = view.payload;
	p->body = proto_body(view.payload);
	return true;
}

bool endpoint_check(struct endpoint *e, const struct packet *p, const u8 key[16])
{
	if (proto_check(p->payload, &p->h, key, p->dst, p->src) == PROTO_GOOD) {
		forget_stranger(e, p->src);
		return true;
	}
	endpoint_drop(e, DROP_TAG);
	return false;
}

void endpoint_begin(struct endpoint *e, struct proto_writer *w)
{
	proto_begin(w, e->frame + frame_overhead(e->form), PROTO_OPS_MAX);
}

void endpoint_send(struct endpoint *e, struct proto_writer *w, struct proto_header *h,
		   const u8 key[16], const u8 dst[6])
{
	u32 len;

	h->flags = e->server ? PROTO_FROM_SERVER : 0;
	len = proto_seal(w, h, key, dst, e->mac);
	memcpy(e->tag, w->buf + len - PROTO_TAG, PROTO_TAG);
	len = frame_finish(e->frame, e->form, dst, e->mac, len);
	if (e->hooks->send(e->ctx, e->frame, len))
		e->sent++;
	else
		e->unsent++;
}
