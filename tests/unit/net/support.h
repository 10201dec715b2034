/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One server and two clients on a segment that loses, repeats, delays and damages frames as told,
 * all from one seed and in virtual time. The server's device counts: every operation carries or
 * returns the next number of one series, so one that ran twice, never or too early is seen at once.
 */
#ifndef FARBUS_TEST_NET_SUPPORT_H
#define FARBUS_TEST_NET_SUPPORT_H

#include "net-ne2000/client.h"
#include "net-ne2000/discover.h"
#include "net-ne2000/remote.h"
#include "net-ne2000/server.h"
#include "net-ne2000/service_client.h"

#define MS 1000000ull

#define DEVICE_PORT  0x300 /* the series: IN and INS return it, OUT and OUTS must bring it */
#define DEVICE_IRQS  0x304 /* how often the line has fired */
#define DEVICE_READY 0x308 /* a status: 80h from world.ready_at on */
#define DEVICE_FIRE  0x309 /* OUT: the line fires */
#define DEVICE_LAST  0x30f
#define DEVICE_LINE  5
#define OTHER_PORT   0x3f8

#define DEVICE_MEMORY	    0xd0000u /* 256 bytes of it are exported */
#define DEVICE_FUNCTION	    0x0028   /* 00:05.0 */
#define BRIDGE_FUNCTION	    0x0008
#define ISA_BRIDGE_FUNCTION 0x0010

#define NODES	      3 /* the server, then the clients */
#define ROUTES	      2 /* that share a client's card */
#define WORLD_EXPORTS 8
#define FLYING	      512
#define RECORDED      4096

struct flying {
	bool used;
	u64 at;
	unsigned to;
	u32 len;
	u8 bytes[FRAME_MAX];
};

struct world;

struct station {
	struct world *w;
	unsigned node;
	struct client c;
	struct remote *remote[ROUTES];	/* NULL: none there */
	struct service_client *service; /* NULL: none */
	struct endpoint e;
	u32 submitted; /* numbers of the series in requests, answered or not */
	u32 done, unknown, last_cookie, last_status;
	u32 interrupts;
	bool no_eoi;
	u16 generation;
	unsigned changes[CLIENT_FAILED + 1];
	void (*on_done)(struct station *st, u32 cookie, enum client_outcome outcome,
			const struct proto_header *h, const u8 *body);
	void (*on_irq)(struct station *st); /* before the EOI */
	struct player *player;		    /* support_sound.h: a guest with DMA, or NULL */
};

struct world {
	u64 now;
	u64 random;
	unsigned loss, twice, damage; /* of 1000 frames */
	u64 delay;		      /* at most, beyond 50 us */
	bool cut[NODES];	      /* nothing to or from it */
	bool mute;		      /* the server's answers to requests vanish */
	struct flying flying[FLYING];
	struct server server;
	struct server_lease lease[WORLD_EXPORTS];
	struct station station[NODES];
	u32 epoch;
	/* the device */
	u32 series, wrong, outside;
	u32 fired, dropped_irqs, quiesced, resets;
	u8 memory[256];
	u8 pci[256];	    /* of DEVICE_FUNCTION */
	bool masked, dirty; /* dirty: used since it was brought to rest */
	u16 user;	    /* the session that used it last */
	u32 unclean;	    /* how often the next one found it dirty */
	u64 ready_at;
	struct sound *sound;	   /* support_sound.h: another device, or NULL */
	struct services *services; /* what the server offers beside it, or NULL */
	/* what went by, in order, when recording */
	bool record;
	u32 recorded;
	struct flying *recording;
	u64 overflow;
};

extern const struct server_backend world_device;
extern const u8 world_key[SESSION_KEY]; /* that both sides have */

/* Fresh, with the server up and nothing lost. */
struct world *world_new(u64 seed);
void world_free(struct world *w);
void world_hostile(struct world *w); /* 10% lost, 10% twice, 1% damaged, up to 50 ms */
void world_peaceful(struct world *w);
/* The server loses all it knew and comes back with another epoch. */
void world_restart_server(struct world *w);
u32 world_random(struct world *w);
/* One event. False: nothing is going to happen before `until`; the time is `until` then. */
bool world_step(struct world *w, u64 until);
void world_run(struct world *w, u64 ns);
/* Puts a frame on the segment for that node, now and as it is. */
void world_inject(struct world *w, unsigned node, const u8 *frame, u32 len);
/* Station n gets the lease of "device" within that time. */
bool world_lease(struct world *w, unsigned n, u64 ns);

void node_mac(u8 mac[6], unsigned node);
/* A request of one operation; value for OUT and EOI. False: no room. */
bool ask(struct station *st, u8 opcode, u32 addr, u16 count, u32 value, u32 cookie);

#endif
