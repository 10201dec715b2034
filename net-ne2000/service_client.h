/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of a service (service.h): a lease on it, what it sends in order, what is sent to
 * it as fast as it has room. Nothing here waits; time comes in as ns.
 */
#ifndef FARBUS_NET_SERVICE_CLIENT_H
#define FARBUS_NET_SERVICE_CLIENT_H

#include "net-ne2000/client.h"
#include "net-ne2000/service.h"

#define SERVICE_OUT 4096u /* bytes that wait to be sent; a power of two */

/* May call service_write(), and nothing else of this client. */
struct service_client_hooks {
	/* Bytes of the service, in order and each once within a lease. */
	void (*data)(void *ctx, const u8 *data, u32 len);
	/* The service's state, as read before the bytes that come next. */
	void (*state)(void *ctx, u32 state);
	/* As client_hooks.changed(). CLIENT_LEASED comes when the service has answered. */
	void (*changed)(void *ctx, enum client_state state);
};

struct service_client {
	struct client c;
	const struct service_client_hooks *hooks;
	void *ctx;
	u64 now;
	u16 port; /* the first of the service's */
	u8 line;
	bool up;	  /* it has said that it is one */
	bool foreign;	  /* it has said that it is none, or of another version */
	bool refused;	  /* what was sent was refused: the key is for reading only */
	bool told;	  /* the line has fired, and its end has not been sent */
	bool counting;	  /* the number of bytes has been asked for */
	bool counted;	  /* and is in waiting */
	u16 generation;	  /* of the line's interrupt */
	u32 waiting;	  /* bytes there that were not asked for yet */
	u32 room;	  /* bytes it would take, as far as known */
	bool asking_room; /* a request for that is under way */
	u64 room_at;	  /* when to ask again */
	u32 head, tail;	  /* of out; free-running */
	u8 out[SERVICE_OUT];
};

void service_client_init(struct service_client *s, struct endpoint *e,
			 const struct service_client_hooks *hooks, void *ctx);
/* As client_lease(). */
bool service_lease(struct service_client *s, const u8 server[6], const char *name, u64 now);
/* Gives the lease back once nothing is under way. False: something is, call again. */
bool service_end(struct service_client *s, u64 now);

/* Bytes that service_write() takes now. */
static inline u32 service_space(const struct service_client *s)
{
	return SERVICE_OUT - (s->head - s->tail);
}
/* Bytes that have not been sent yet. */
static inline u32 service_unsent(const struct service_client *s)
{
	return s->head - s->tail;
}
/* Bytes for the service; returns how many were taken. */
u32 service_write(struct service_client *s, const u8 *data, u32 len, u64 now);

/* As those of client.h. */
bool service_receive(struct service_client *s, const struct packet *p, u64 now);
void service_poll(struct service_client *s, u64 now);
u64 service_deadline(const struct service_client *s);

#endif
