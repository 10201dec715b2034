/* SPDX-License-Identifier: BSD-2-Clause */
/* Lengths and values of the handshake's bodies (docs/protocol.md, "Greeting"). */
#ifndef FARBUS_NET_GREET_H
#define FARBUS_NET_GREET_H

#include "net-ne2000/export.h"
#include "net-ne2000/session.h"

#define HELLO_BYTES SESSION_NONCE
#define OFFER_FIXED 40u /* then the export records */
#define AUTH1_BYTES (SESSION_NONCE + 4u)
#define AUTH2_BYTES (2u * SESSION_NONCE + 4u)
#define AUTH3_BYTES (SESSION_NONCE + EXPORT_NAME)
#define LEASE_FIXED 24u /* then the export's record when granted */
#define NAK_BYTES   12u /* epoch, tag of the frame it answers */

enum lease_status { LEASE_GRANTED, LEASE_NO_SUCH_EXPORT, LEASE_HELD, LEASE_STATUSES };

#endif
