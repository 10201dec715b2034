/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the clients of a server have asked for, kept apart from it: each access at its devices is
 * compared with the requests that were signed, in their order. So nothing runs that nobody asked
 * for, twice, out of order, otherwise than asked, or beyond what its key may.
 */
#ifndef FARBUS_TEST_HOST_BOOK_H
#define FARBUS_TEST_HOST_BOOK_H

#include "net-ne2000/server.h"

/* Puts itself between the server and its backend. One at a time. */
void book_attach(struct server *s);
/* That key's (as the server counts) leases: reads only, and of these ports. */
void book_limits(unsigned key, const struct port_range *range, unsigned ranges);
/* LEASE of that export, if it is granted now, begins a session with these keys. */
void book_expect(unsigned export, unsigned key, const struct session_keys *keys);
/* A frame of the server's. */
void book_answer(const u8 *frame, u32 len);
/* Before a frame arrives, and after: accepted, when the server did not count it as dropped. */
void book_offer(const u8 *frame, u32 len);
void book_settle(bool accepted);
/* Whether a frame has the tag of a session that there is. */
bool book_signed(const struct frame_view *view, const struct proto_header *h);
/* The number of that export's request that has its turn next. */
u32 book_next(unsigned export);
/* NULL, or the first thing that was wrong. */
const char *book_wrong(void);
u64 book_accesses(void);
u64 book_requests(void); /* that were answered */

#endif
