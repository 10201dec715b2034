/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/discover.h"

#include "lib/str.h"

static const u8 everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void discover(struct discovery *d, struct endpoint *e)
{
	struct proto_header h = {.type = PROTO_HELLO, .seq = ++d->round};
	struct proto_writer w;

	e->hooks->random(e->ctx, d->nonce, SESSION_NONCE);
	endpoint_begin(e, &w);
	proto_add_bytes(&w, d->nonce, SESSION_NONCE);
	endpoint_send(e, &w, &h, e->greeting.to_server, everyone);
}

static bool parse(const struct packet *p, struct offer *o)
{
	u32 at = OFFER_FIXED, taken;

	memset(o, 0, sizeof(*o));
	if (p->h.length < OFFER_FIXED || p->body[36] > DISCOVER_EXPORTS)
		return false;
	memcpy(o->mac, p->src, 6);
	o->epoch = proto_get32(p->body + 16);
	memcpy(o->name, p->body + 20, EXPORT_NAME);
	o->exports = p->body[36];
	for (unsigned i = 0; i < o->exports; i++) {
		taken = export_get(p->body + at, p->h.length - at, &o->export[i]);
		if (!taken)
			return false;
		at += taken;
	}
	return true;
}

bool discover_receive(struct discovery *d, struct endpoint *e, const struct packet *p)
{
	struct offer o;

	/* Others on this PC may be asking, too: the nonce tells whose answer it is. */
	if (p->h.type != PROTO_OFFER || !d->round || p->h.seq != d->round ||
	    p->h.length < SESSION_NONCE || memcmp(p->body, d->nonce, SESSION_NONCE))
		return false;
	if (!endpoint_check(e, p, e->greeting.to_client))
		return true;
	if (parse(p, &o))
		d->found(d->ctx, &o);
	else
		endpoint_drop(e, DROP_MALFORMED);
	return true;
}
