/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a class of devices, and lets a remote route do better than one round trip for
 * each access: which writes may be posted, which reads wait for something, what a data port will
 * give. A profile is pure: it is told of the guest's accesses in their order, and asked. `port` is
 * always one of the route's. The strict profile knows nothing.
 */
#ifndef FARBUS_NET_PROFILE_H
#define FARBUS_NET_PROFILE_H

#include "lib/types.h"
#include "net-ne2000/export.h"

/* The device's own state as far as a profile follows it. */
struct profile_state {
	struct port_range range[EXPORT_RANGES]; /* of the route, in its order */
	u8 ranges;
	u32 word[16]; /* private to the profile, zero at attach() and lost() */
};

/* A read that is to be carried out as "read until", at the peer. */
struct profile_poll {
	u32 mask, value;
	bool unequal; /* until (read & mask) != value instead of == */
	u16 max_us;
};

struct profile {
	const char *name;
	/* NULL, or what the profile needs and these ranges are not ("expected ..."). */
	const char *(*attach)(struct profile_state *st);
	/* A write to this port may be sent without waiting for its answer. */
	bool (*posts)(struct profile_state *st, u16 port, unsigned width);
	/* Posted writes keep the guest's pauses between them (a strobe's length), as DELAY. */
	bool timed;
	/*
	 * The guest is about to read the port for the (repeats + 1)th time in a row, from the same
	 * instruction and always with the value `last` (0 and repeats 0: for the first time).
	 * True: as a POLL.
	 */
	bool (*poll)(struct profile_state *st, u16 port, unsigned width, u32 repeats, u32 last,
		     struct profile_poll *poll);
	/*
	 * Bytes that reads of this port will still give whatever happens, such as the rest of a
	 * disk's data block. They are read ahead. 0: unknown, only what the guest asks for is read.
	 */
	u32 (*ahead)(struct profile_state *st, u16 port);
	/* A read that needs no round trip: true with *value. `buffered`: bytes read ahead and not
	 * yet taken by the guest. */
	bool (*known)(struct profile_state *st, u16 port, unsigned width, u32 buffered, u32 *value);
	/*
	 * Carried out, in the guest's order: a write when it is sent or posted, a read when the
	 * guest gets it; blocks as one call. count elements of width bytes. read() may change the
	 * data (what a drive says of itself) before the guest sees it.
	 */
	void (*wrote)(struct profile_state *st, u16 port, unsigned width, const u8 *data,
		      u32 count);
	void (*read)(struct profile_state *st, u16 port, unsigned width, u8 *data, u32 count);
	/* What was read ahead is void: the guest has reset the device or given another command. */
	bool (*drops_ahead)(struct profile_state *st, u16 port, unsigned width, u32 value);
	/* What a read gives while the peer is lost and the route says `on-loss error`. */
	u32 (*error)(struct profile_state *st, u16 port, unsigned width);
};

/* Every member but name may be NULL: no, nothing, all ones. */
extern const struct profile profile_strict, profile_ata, profile_uart, profile_lpt, profile_sb16;

/* By its name in the configuration: strict, ata, uart, lpt, sb16; NULL: none of that name. */
const struct profile *profile_find(const char *name);

#endif
