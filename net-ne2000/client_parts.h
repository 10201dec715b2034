/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the client. */
#ifndef FARBUS_NET_CLIENT_PARTS_H
#define FARBUS_NET_CLIENT_PARTS_H

#include "net-ne2000/client.h"

/* client.c */
void client_enter(struct client *c, enum client_state state);
/* A frame of the session without a body. */
void client_say(struct client *c, u8 type, u32 seq, u8 tries);

/* client_greet.c */
void client_auth2(struct client *c, const struct packet *p, u64 now);
void client_granted(struct client *c, const struct packet *p, u64 now);
void client_greet_again(struct client *c, u64 now);

/* client_link.c: frames of a session */
void client_link_start(struct client *c, unsigned window, u64 now);
void client_reply(struct client *c, const struct packet *p, u64 now);
void client_pending(struct client *c, const struct packet *p, u64 now);
void client_event(struct client *c, const struct packet *p, u64 now);
void client_send_slot(struct client *c, unsigned slot);
void client_say_cancel(struct client *c, unsigned slot);
/* Whether the tag is that of a frame whose answer is still awaited. */
bool client_awaits(const struct client *c, const u8 *tag);
/* The session is over: reports every request, open ones as of unknown outcome. */
void client_report_rest(struct client *c);

/* client_op.c */
void client_send_eois(struct client *c, u64 now);

#endif
