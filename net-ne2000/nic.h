/* SPDX-License-Identifier: BSD-2-Clause */
/* What the link asks of a network card; narrow, so that a second driver is a small thing. */
#ifndef FARBUS_NET_NIC_H
#define FARBUS_NET_NIC_H

#include "lib/types.h"

struct nic_stats {
	u64 sent, received, dropped, overruns, resets, bad;
};

struct nic {
	const char *name;
	u8 mac[6];
	/* A whole frame, FRAME_MIN to FRAME_MAX bytes. False: the card has no room now, or is gone.
	 */
	bool (*send)(struct nic *nic, const u8 *frame, u32 len);
	/* The next received frame into buf (FRAME_MAX bytes); its length, 0: none. Never waits. */
	u32 (*receive)(struct nic *nic, u8 *buf);
	/* Between interrupts: finishes transmissions, recovers from overruns. now: ns. */
	void (*poll)(struct nic *nic, u64 now);
	struct nic_stats stats;
};

#endif
