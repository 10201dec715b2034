/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of the protocol on one network card: frames out, frames in as far as both sides treat
 * them alike, and a counter for every reason to drop one.
 */
#ifndef FARBUS_NET_ENDPOINT_H
#define FARBUS_NET_ENDPOINT_H

#include "lib/types.h"
#include "net-ne2000/frame.h"
#include "net-ne2000/proto.h"
#include "net-ne2000/session.h"

enum drop {
	DROP_FOREIGN,	/* another protocol, or too short for any */
	DROP_ADDRESS,	/* not to us, or from no single station */
	DROP_SHORT,	/* cut off, or a length that does not fit */
	DROP_VERSION,	/* a version of the protocol that we do not speak */
	DROP_TYPE,	/* no such frame type */
	DROP_DIRECTION, /* a client's frame at a client, a server's at a server */
	DROP_TAG,	/* wrong key, or damaged */
	DROP_SESSION,	/* for no session of ours */
	DROP_STATE,	/* not what a handshake is waiting for */
	DROP_STALE,	/* repeated or out of window */
	DROP_BUSY,	/* no room now; the sender repeats it */
	DROP_MALFORMED, /* good tag, but a body that makes no sense */
	DROPS,
};

/* One lower-case word for the monitor and the server's screen. */
const char *drop_name(enum drop reason);

struct endpoint_hooks {
	/*
	 * A whole frame. False: it could not be sent now; whoever sent it repeats it. Must not call
	 * back into client or server.
	 */
	bool (*send)(void *ctx, const u8 *frame, u32 len);
	/* Unpredictable bytes, for nonces. */
	void (*random)(void *ctx, u8 *buf, u32 len);
};

/* A station whose frames have our magic and another version. */
struct stranger {
	u8 mac[6];
	u8 version;
	bool again; /* in two frames: one alone may be a damaged one of ours */
	bool told;
};

#define STRANGERS 8u /* as many are remembered, the first ones */

struct endpoint {
	const struct endpoint_hooks *hooks;
	void *ctx;
	bool server;
	u8 mac[6];
	enum frame_form form; /* of what we send */
	u32 epoch;	      /* another one with each power-on */
	u8 shared[SESSION_KEY];
	struct session_keys greeting;
	u64 sent, unsent, received;
	u64 drops[DROPS];
	struct stranger stranger[STRANGERS];
	unsigned strangers;
	u8 tag[PROTO_TAG]; /* of the last frame sent */
	u8 frame[FRAME_MAX];
};

void endpoint_init(struct endpoint *e, bool server, const u8 mac[6], u32 epoch,
		   const u8 shared[SESSION_KEY], const struct endpoint_hooks *hooks, void *ctx);

/* A received frame whose form, addresses, lengths and direction are good; the tag is unchecked. */
struct packet {
	struct proto_header h;
	const u8 *dst, *src, *payload, *body; /* into the frame */
};

/* False: dropped and counted. */
bool endpoint_open(struct endpoint *e, const u8 *frame, u32 len, struct packet *p);
/* False: wrong tag, counted. */
bool endpoint_check(struct endpoint *e, const struct packet *p, const u8 key[16]);
static inline const u8 *packet_tag(const struct packet *p)
{
	return p->body + p->h.length;
}
void endpoint_drop(struct endpoint *e, enum drop reason);

/*
 * The version in frames from that station that were dropped because of it. False: there were none,
 * or a single one. Nothing of such a frame is proven: this is for messages.
 */
bool endpoint_odd_version(const struct endpoint *e, const u8 mac[6], u8 *version);
/* Gives each stranger once, for a line in the log; NULL: no new one. */
const struct stranger *endpoint_new_stranger(struct endpoint *e);

/* A frame of up to PROTO_OPS_MAX bytes of operations is built in the endpoint's own buffer. */
void endpoint_begin(struct endpoint *e, struct proto_writer *w);
/* Completes h (flags, length, operations), signs and sends. */
void endpoint_send(struct endpoint *e, struct proto_writer *w, struct proto_header *h,
		   const u8 key[16], const u8 dst[6]);

#endif
