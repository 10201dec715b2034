/* SPDX-License-Identifier: BSD-2-Clause */
/* An Ethernet interface of this machine, for frames of our protocol alone (packet(7)). */
#ifndef FARBUS_HOST_WIRE_H
#define FARBUS_HOST_WIRE_H

#include <net/if.h>

#include "net-ne2000/endpoint.h"

struct wire {
	int fd;	       /* to be awaited with POLLIN */
	u8 *ring;      /* of received frames, shared with the kernel */
	unsigned next; /* slot of it */
	int index;
	char name[IFNAMSIZ];
	u8 mac[6];
};

/*
 * interface NULL: the only Ethernet interface that is up. Needs CAP_NET_RAW. False with a line in
 * the log.
 */
bool wire_open(struct wire *w, const char *interface);
void wire_close(struct wire *w);
/* The length of the next frame, 0: none is there, -1: the interface is gone or down (errno). */
int wire_receive(struct wire *w, u8 frame[FRAME_MAX]);
/* The same without a system call: it does not see what has become of the interface. */
u32 wire_next(struct wire *w, u8 frame[FRAME_MAX]);
/* Whether wire_next() would give a frame. */
bool wire_has_frame(const struct wire *w);
/* False: the interface is gone or down (errno), which is told once. fd awaited gives POLLERR. */
bool wire_good(struct wire *w);

/* Sends through, and takes nonces from getrandom(2); ctx is the struct wire. */
extern const struct endpoint_hooks wire_hooks;

/* An endpoint on it, with a new epoch. */
void wire_endpoint(struct wire *w, struct endpoint *e, bool server, const u8 key[SESSION_KEY],
		   enum frame_form form);

/* ns of a clock that never goes back. */
u64 wire_now(void);

#define MAC_TEXT 18
void mac_text(char text[MAC_TEXT], const u8 mac[6]);

#endif
