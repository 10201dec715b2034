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

/*
 * What is read along with a read of the guest's, at the peer and in the same request, if that read
 * says that the data is there: (value & mask) == wanted.
 */
struct profile_follow {
	u32 mask, wanted;
	u16 first; /* 8 bits, read once before the data and forgotten; 0: none */
	u16 data;  /* 16 bits wide, */
	u32 bytes; /* even; as many as fit are read ahead */
};

/*
 * A FIFO that the guest empties by reading its status and its data in turn: both are read along
 * with the status, in the same request, as long as (status & mask) == wanted.
 */
struct profile_drain {
	u32 mask, wanted;
	u16 data; /* 8 bits */
	u8 times; /* at most */
};

struct profile {
	const char *name;
	/* NULL, or what the profile needs and these ranges are not ("expected ..."). */
	const char *(*attach)(struct profile_state *st);
	/*
	 * This write may be sent without waiting for its answer. value: of a block, the first
	 * element.
	 */
	bool (*posts)(struct profile_state *st, u16 port, unsigned width, u32 value);
	/*
	 * The guest's read of the port is about to be sent: us that the peer lets pass before it
	 * (a DELAY), because posted writes that go before it in the same frame would otherwise be
	 * closer to it than the device allows. 0: none.
	 */
	u16 (*settle)(struct profile_state *st, u16 port, unsigned width);
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
	 * disk's data block, counted from what the guest has taken (so those already buffered are
	 * among them). They are read ahead. 0: unknown, only what the guest asks for is read.
	 *
	 * While bytes are buffered the device may be further than the guest knows: an interrupt
	 * that arrives meanwhile belongs to what comes after them, and is kept from the guest until
	 * the last byte is taken or dropped.
	 */
	u32 (*ahead)(struct profile_state *st, u16 port);
	/*
	 * The guest's read of the port is about to be sent, as a POLL or not: true: more is read
	 * along. Nothing is buffered. (Without a poll() of its own the read becomes a POLL of 0 us
	 * for *follow's condition: it gives the value in any case and stops the request when it
	 * does not hold. After a POLL a second one of 0 us on the same port does that; the guest
	 * gets the last value read.)
	 */
	bool (*follow)(struct profile_state *st, u16 port, unsigned width,
		       struct profile_follow *follow);
	/*
	 * 0, or a port (8 bits) that is read in the same request right after the last of ahead()'s
	 * or follow()'s bytes: what a guest would see that looks at it at once. peeked() gets the
	 * value with the answer, and known() may give it to the guest when the bytes are taken.
	 */
	u16 (*after_ahead)(struct profile_state *st);
	void (*peeked)(struct profile_state *st, u16 port, u32 value);
	/*
	 * The guest's read of the port, a status, is about to be sent as no POLL: true: the FIFO
	 * behind it is drained. Other reads of d->data wait until the answer is there. drained()
	 * gets the data and the status read after it, pair by pair, before the guest gets its
	 * status; known() gives them to the guest.
	 */
	bool (*drain)(struct profile_state *st, u16 port, unsigned width, struct profile_drain *d);
	void (*drained)(struct profile_state *st, u32 data, u32 status);
	/*
	 * The device would interrupt if what is known here were still in it: asked after the
	 * guest's end of interrupt, and when it has left the device alone for 5 ms.
	 */
	bool (*owes)(struct profile_state *st);
	/* The route's interrupt line has been raised for the guest. */
	void (*interrupted)(struct profile_state *st);
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
