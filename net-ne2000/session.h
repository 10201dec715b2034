/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and handshake bodies (docs/protocol.md, "Sessions"). Both sides know a shared key; a
 * session's own keys come from it and from a nonce and an epoch of either side, so that no frame of
 * one session, direction or power-on is good in another.
 */
#ifndef FARBUS_NET_SESSION_H
#define FARBUS_NET_SESSION_H

#include "lib/types.h"

#define SESSION_KEY   32u /* bytes of a shared key; all zero: insecure, tags only find damage */
#define SESSION_NONCE 16u

struct session_keys {
	u8 to_server[16], to_client[16];
};

/* What both sides have learnt when AUTH2 was sent. */
struct session_secrets {
	u8 client_mac[6], server_mac[6];
	u8 client_nonce[SESSION_NONCE], server_nonce[SESSION_NONCE];
	u32 client_epoch, server_epoch;
};

/* For frames before there is a session: HELLO, OFFER, AUTH1, AUTH2, NAK. Both directions' keys. */
void session_greeting_keys(const u8 shared[SESSION_KEY], struct session_keys *keys);
void session_derive(const u8 shared[SESSION_KEY], const struct session_secrets *s,
		    struct session_keys *keys);

#endif
