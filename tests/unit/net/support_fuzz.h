/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames made from recorded ones: damaged, forged, invented, with and without a good tag. */
#ifndef FARBUS_TEST_NET_FUZZ_H
#define FARBUS_TEST_NET_FUZZ_H

#include "tests/unit/net/support.h"

/* What one must know to sign a frame of a session, and the numbers that are next in it. */
struct fuzz_target {
	const struct session_keys *session, *greeting;
	u16 id;
	u32 request, reply, event, renewal;
	const u8 *nonce;    /* of a client's greeting, or NULL */
	const u8 *question; /* its HELLO's nonce, or NULL, */
	u32 round;	    /* and sequence */
};

/* One to node `to`, 0 or 1, of what the world has recorded. */
void fuzz_frame(struct world *w, const struct fuzz_target *t, unsigned to, struct flying *f);
/* Whether its tag is good in one of the target's keys: only padding may have been hit. */
bool fuzz_good_tag(const struct fuzz_target *t, const struct flying *f);
/* Gives the export "device" DMA channels 1 and 5, and the world a device for them. */
void fuzz_channels(struct world *w);
/* Frames that the endpoint has counted as dropped. */
u64 fuzz_dropped(const struct endpoint *e);

#endif
