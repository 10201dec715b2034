/* SPDX-License-Identifier: BSD-2-Clause */
/* One lease on a peer's export, used step by step: each call waits until its answer is there. */
#ifndef FARBUS_HOST_LEASE_H
#define FARBUS_HOST_LEASE_H

#include <signal.h>

#include "host/wire.h"
#include "net-ne2000/client.h"
#include "net-ne2000/discover.h"

#define LEASE_LOST 255u /* instead of a proto_status: the lease is gone (logged) */

struct lease {
	const char *what; /* in front of each line in the log */
	/* Set by a signal's handler: all waits end. NULL: none. */
	const volatile sig_atomic_t *stop;
	bool ending; /* the lease is given back nevertheless */
	struct wire wire;
	struct endpoint e;
	struct discovery d;
	struct client c;
	/* Whom discovery looks for, and what it has found. */
	const char *export, *peer; /* peer NULL: whoever has the export */
	bool found;
	struct offer offer;
	/* The request under way. */
	bool over;
	enum client_outcome outcome;
	u32 answer_len;
	u8 answer[PROTO_OPS_MAX];
	/* Lines that fired and were not taken yet; their generations. */
	u16 fired;
	u16 generation[CLIENT_LINES];
};

/* interface NULL: the only one that is up. False with a line in the log. */
bool lease_open(struct lease *l, const char *what, const char *interface,
		const u8 key[SESSION_KEY]);
void lease_close(struct lease *l);

/* Finds the export (1 s) and leases it. False with a line in the log. */
bool lease_begin(struct lease *l, const char *export, const char *peer);
/* Gives it back, if there is one. */
void lease_end(struct lease *l);

/*
 * Has an operation carried out; its answer's data is good until the next call. Returns a
 * proto_status, or LEASE_LOST.
 */
unsigned lease_run(struct lease *l, const struct proto_op *op, struct proto_op *answer);
/* Whether the line fires, or has fired, within so many ns. */
enum lease_wait {
	LEASE_FIRED,
	LEASE_SILENT,
	LEASE_OVER
} lease_await_irq(struct lease *l, unsigned line, u64 ns);
/* Its interrupt has been dealt with. */
void lease_eoi(struct lease *l, unsigned line);

#endif
