/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exports that are no device but a stream of bytes in each direction: the console of a PC, a trace
 * (docs/protocol.md, "Services"). They are leased and used as any export: a few ports of their own,
 * which are on no bus, and a line that fires while there is something to take.
 */
#ifndef FARBUS_NET_SERVICE_H
#define FARBUS_NET_SERVICE_H

#include "net-ne2000/server.h"

#define SERVICES       4u
#define SERVICE_FIRST  0xfb00u /* the first one's ports */
#define SERVICE_PORTS  0x20u
#define SERVICE_ID_NOW 0x31534246u /* "FBS1" */

/* Offsets; all but DATA take accesses of 4 bytes. */
enum service_port {
	SERVICE_ID = 0x00,	/* IN: SERVICE_ID_NOW; and the service begins */
	SERVICE_WAITING = 0x04, /* IN: bytes that can be taken now */
	SERVICE_ROOM = 0x08,	/* IN: bytes that can be given now */
	SERVICE_STATE = 0x0c,	/* IN: the service's own state */
	SERVICE_DATA = 0x10,	/* IN, INS: takes bytes, zeros behind the end; OUT, OUTS: gives */
};

/* A service's own part. Called while frames are looked at: nothing here may send or wait. */
struct service_ops {
	const char *name;	  /* of the export */
	void (*begin)(void *ctx); /* the holder of the lease wants all from now on */
	u32 (*waiting)(void *ctx);
	void (*take)(void *ctx, u8 *buf, u32 len); /* len: at most waiting() */
	u32 (*room)(void *ctx);
	void (*give)(void *ctx, const u8 *buf, u32 len); /* len: at most room() */
	u32 (*state)(void *ctx);
	void (*end)(void *ctx); /* the lease has ended, or RESET or QUIESCE came */
};

struct service {
	const struct service_ops *ops;
	void *ctx;
	u8 export; /* its index at the server */
	u8 line;
	u16 port; /* the first of its ports */
};

struct services {
	struct server *server;
	const struct server_backend *inner; /* of the devices; its ctx is never used */
	struct server_backend backend;
	struct service service[SERVICES];
	unsigned count;
	u16 open; /* lines that may fire */
};

/*
 * Before server_init(server, name, &v->backend, v). inner: who carries out accesses to the server's
 * other exports, NULL: there are none. What it is called with as ctx means nothing.
 */
void services_init(struct services *v, struct server *server, const struct server_backend *inner);
/* After the devices' server_add(): takes a line that no export has. */
enum export_error services_add(struct services *v, const struct service_ops *ops, void *ctx);
/* Whether that export of the server is a service. */
bool services_has(const struct services *v, unsigned export);
/* Tells holders of leases that there is something to take. Cheap when nobody has a lease. */
void services_poll(struct services *v, u64 now);

#endif
