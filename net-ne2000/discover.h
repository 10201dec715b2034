/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is out there: HELLO to all, and what the servers offer (docs/protocol.md, "Greeting"). */
#ifndef FARBUS_NET_DISCOVER_H
#define FARBUS_NET_DISCOVER_H

#include "net-ne2000/endpoint.h"
#include "net-ne2000/greet.h"

#define DISCOVER_EXPORTS 24u

struct offer {
	u8 mac[6];
	u32 epoch;
	char name[EXPORT_NAME + 1];
	unsigned exports;
	struct port_export export[DISCOVER_EXPORTS];
};

struct discovery {
	u8 nonce[SESSION_NONCE];
	u32 round;
	/* May come twice for one server. */
	void (*found)(void *ctx, const struct offer *offer);
	void *ctx;
};

/* Asks once; the caller repeats it as it likes. Answers come within 20 ms of reaching a server. */
void discover(struct discovery *d, struct endpoint *e);
/* False: not an OFFER to this discovery's last question; nothing is counted then. */
bool discover_receive(struct discovery *d, struct endpoint *e, const struct packet *p);

#endif
