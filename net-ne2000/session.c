/* SPDX-License-Identifier: BSD-2-Clause */
#include "net-ne2000/session.h"

#include "lib/str.h"
#include "net-ne2000/blake2s.h"
#include "net-ne2000/proto.h"

static void split(const u8 digest[32], struct session_keys *keys)
{
	memcpy(keys->to_server, digest, 16);
	memcpy(keys->to_client, digest + 16, 16);
}

void session_greeting_keys(const u8 shared[SESSION_KEY], struct session_keys *keys)
{
	static const char label[] = "farbus greeting 1";
	struct blake2s b;
	u8 digest[32];

	blake2s_init(&b, shared, SESSION_KEY);
	blake2s_add(&b, label, sizeof(label));
	blake2s_end(&b, digest);
	split(digest, keys);
}

void session_derive(const u8 shared[SESSION_KEY], const struct session_secrets *s,
		    struct session_keys *keys)
{
	static const char label[] = "farbus session 1";
	struct blake2s b;
	u8 digest[32], epochs[8];

	proto_put32(epochs, s->client_epoch);
	proto_put32(epochs + 4, s->server_epoch);
	blake2s_init(&b, shared, SESSION_KEY);
	blake2s_add(&b, label, sizeof(label));
	blake2s_add(&b, s->client_mac, 6);
	blake2s_add(&b, s->server_mac, 6);
	blake2s_add(&b, s->client_nonce, SESSION_NONCE);
	blake2s_add(&b, s->server_nonce, SESSION_NONCE);
	blake2s_add(&b, epochs, sizeof(epochs));
	blake2s_end(&b, digest);
	split(digest, keys);
}
