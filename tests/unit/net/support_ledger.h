/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server was asked for, kept apart from it: every access at the device is compared with the
 * requests that it accepted. So nothing runs that nobody asked for, twice, out of order, or
 * otherwise than asked, and nothing is left out.
 */
#ifndef FARBUS_TEST_NET_LEDGER_H
#define FARBUS_TEST_NET_LEDGER_H

#include "tests/unit/net/support.h"

/* Puts itself between the world's server and its device. One at a time. */
void ledger_attach(struct world *w);
/* Before a frame with a good tag arrives that is a request of that sequence and body. */
void ledger_offer(u32 seq, const u8 *body, u32 len);
/* After it arrived; accepted: the server did not count it as dropped. */
void ledger_settle(bool accepted);
/* After time went on. Follows the server over requests that need no access. */
void ledger_follow(void);
/* NULL, or the first thing that was wrong. */
const char *ledger_wrong(void);
/* Accesses compared. */
u64 ledger_accesses(void);

#endif
