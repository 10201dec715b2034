/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The peer's side of the remote-port protocol (docs/protocol.md): lends out devices, one lease
 * each, and carries out what the holder asks for, every operation once. It knows no hardware: a
 * backend does the accesses. Nothing here waits; time comes in as ns of any clock that never goes
 * back.
 *
 * Done: ports, memory, PCI configuration, POLL, DELAY, interrupt lines, ISA DMA, RESET and QUIESCE.
 */
#ifndef FARBUS_NET_SERVER_H
#define FARBUS_NET_SERVER_H

#include "lib/types.h"
#include "net-ne2000/endpoint.h"
#include "net-ne2000/export.h"
#include "net-ne2000/link.h"
#include "net-ne2000/server_dma.h"

#define SERVER_EXPORTS	 24u /* at most; struct server_lease, 24 KB each, for those there are */
#define SERVER_FORBIDDEN 16u /* port ranges; memory ranges likewise */
#define SERVER_GREETINGS 8u  /* handshakes and offers under way */
#define SERVER_LINES	 16u
/* Lines that no server exports: timer, keyboard, cascade. */
#define SERVER_VITAL_LINES (BIT(0) | BIT(1) | BIT(2))
#define SERVER_KEYS	   4u
#define SERVER_KEY_RANGES  4u

#define SERVER_LEASE_NS	   10000000000ull
#define SERVER_GREETING_NS 5000000000ull
#define SERVER_POLL_NS	   20000ull	/* between two reads of a POLL */
#define SERVER_BURST_NS	   100000000ull /* accesses of so much time at once, with a limited rate */

/* Carries out accesses; all of them inside exports. Each may call server_irq(). */
struct server_backend {
	u32 (*in)(void *ctx, u16 port, unsigned width);
	void (*out)(void *ctx, u16 port, unsigned width, u32 value);
	/* count elements of width bytes, in buf in the order of the accesses. */
	void (*ins)(void *ctx, u16 port, unsigned width, u8 *buf, u32 count);
	void (*outs)(void *ctx, u16 port, unsigned width, const u8 *buf, u32 count);
	/*
	 * Memory, count elements of width bytes at rising addresses, each one access. May be NULL,
	 * both, as the next two: exports have no memory, no PCI functions then.
	 */
	void (*mem_read)(void *ctx, u32 addr, unsigned width, u8 *buf, u32 count);
	void (*mem_write)(void *ctx, u32 addr, unsigned width, const u8 *buf, u32 count);
	/* Configuration space; addr as export_covers_pci() has it. */
	u32 (*pci_read)(void *ctx, u32 addr, unsigned width);
	void (*pci_write)(void *ctx, u32 addr, unsigned width, u32 value);
	void (*irq_mask)(void *ctx, unsigned line, bool masked);
	/*
	 * ISA DMA channels of exports; NULL, all five, when no export has one. dma_arm() prepares
	 * the masked channel for a block in the backend's own buffer: mode is an 8237 mode byte
	 * without channel, bytes at most 64 KB, on word channels 128 KB. False: it cannot.
	 * dma_run() unmasks and masks it. dma_position() says how many bytes of the block the
	 * device has moved; with auto-init, of this round. dma_put() and dma_get() reach the
	 * buffer.
	 */
	bool (*dma_arm)(void *ctx, unsigned channel, u32 bytes, u8 mode);
	void (*dma_run)(void *ctx, unsigned channel, bool run);
	u32 (*dma_position)(void *ctx, unsigned channel);
	void (*dma_put)(void *ctx, unsigned channel, u32 at, const u8 *data, u32 len);
	void (*dma_get)(void *ctx, unsigned channel, u32 at, u8 *data, u32 len);
	void (*reset)(void *ctx, unsigned export);
	/* Brings the device to rest: no interrupt, no DMA. Before anyone else gets the lease. */
	void (*quiesce)(void *ctx, unsigned export);
};

/* An answer, kept for LINK_WINDOW requests. */
struct server_reply {
	struct proto_header h;
	struct proto_writer w;
	u8 buf[PROTO_HEADER + PROTO_OPS_MAX + PROTO_TAG];
};

/* A request from its arrival until it has been carried out. */
struct server_request {
	struct proto_header h;
	bool cancelled;
	u8 body[PROTO_OPS_MAX];
};

/* The one that is being carried out, as far as POLL and DELAY stretch it. */
struct server_run {
	struct proto_header h;
	struct proto_op op; /* the operation it stands at, */
	bool has_op, in_op; /* if it has one; and it has begun */
	bool paced;	    /* op_began is when it may begin */
	bool cancelled;
	u32 at; /* in body */
	u64 op_began, next_step, next_pending;
	const u8 *body; /* of the lease's request[] */
};

/* An event under way, or (len then for more than one) queued. */
struct server_event {
	u8 opcode;  /* PROTO_IRQ_MASK, PROTO_DMA_TAKEN or PROTO_DMA_GIVEN */
	u8 unit;    /* line or channel */
	u16 number; /* generation or arming */
	u32 len;    /* bytes */
	u32 at;	    /* their place in the channel's buffer */
};

/* Each line waits once at most, and a channel once between two lines. */
#define SERVER_QUEUE (SERVER_LINES + (SERVER_LINES + 1) * SERVER_CHANNELS)

struct server_lease {
	bool active;
	u8 mac[6];
	u8 key; /* of server.key[]: who made it */
	u8 client_nonce[SESSION_NONCE];
	u16 session;
	struct session_keys keys;
	u64 expires;
	u32 renewals; /* the newest RENEW or RELEASE seen */
	struct link_receiver requests;
	struct server_request request[LINK_WINDOW]; /* by seq % LINK_WINDOW, as reply[] */
	struct server_reply reply[LINK_WINDOW];
	struct server_run run;
	struct link_sender events;
	struct server_event event[LINK_WINDOW];	 /* under way */
	struct server_event queue[SERVER_QUEUE]; /* no place in the window yet */
	u16 queue_first, queued;
	u16 waiting; /* lines whose event has no place in the window yet */
	u16 unended; /* lines that interrupted and whose EOI has not come */
	u16 masked;  /* lines that the client wants masked */
	u16 generation[SERVER_LINES];
	u64 operations, refused;
};

/* A client between AUTH1 and AUTH3. */
struct server_greeting {
	bool active;
	u8 key;
	u64 expires;
	struct session_secrets secrets;
};

/* An OFFER that waits for its turn: not all servers answer a HELLO at once. */
struct server_offer {
	bool active;
	u8 key;
	u64 at;
	u32 seq;
	u8 mac[6];
	u8 nonce[SESSION_NONCE];
};

/* What whoever has a shared key may do. */
struct server_access {
	u8 shared[SESSION_KEY];
	char name[SERVER_EXPORTS][EXPORT_NAME + 1]; /* of the exports that it may lease */
	u8 names;				    /* 0: all of them */
	struct port_range range[SERVER_KEY_RANGES]; /* what it may access of their ports */
	u8 ranges;				    /* 0: all of them */
	u16 no_irqs;				    /* lines that it may not use, a bit each */
	u8 no_dma;				    /* channels, likewise */
	/* No writes to the device, no reset, no DMA. Reads may have their effects, too. */
	bool read_only;
	u32 rate; /* accesses a second, each element of a block is one; 0: as fast as it can */
};

struct server_key {
	struct server_access access;
	u64 paced; /* when all that its clients have asked for would be over at its rate */
	struct session_keys greeting;
};

struct server {
	struct endpoint e;
	struct server_key key[SERVER_KEYS]; /* the first is the endpoint's */
	unsigned keys;
	const struct server_backend *backend;
	void *ctx;
	char name[EXPORT_NAME + 1];
	struct port_export export[SERVER_EXPORTS];
	struct server_lease *lease; /* of the export with the same index, */
	unsigned places;	    /* so many */
	unsigned exports;
	struct port_range forbidden[SERVER_FORBIDDEN];
	unsigned forbidden_count;
	struct memory_range forbidden_memory[SERVER_FORBIDDEN];
	unsigned forbidden_memories;
	struct server_greeting greeting[SERVER_GREETINGS];
	struct server_offer offer[SERVER_GREETINGS];
	u16 last_session;
	struct server_dma dma[SERVER_CHANNELS];
	u64 spurious, naks, expired;
};

/*
 * endpoint_init(&s->e, true, ...) comes first, server_places() next. name: of this PC, at most
 * EXPORT_NAME bytes.
 */
void server_init(struct server *s, const char *name, const struct server_backend *backend,
		 void *ctx);

/* Memory of the caller's for that many leases, so exports; SERVER_EXPORTS at most. */
void server_places(struct server *s, struct server_lease *lease, unsigned places);

enum export_error {
	EXPORT_OK,
	EXPORT_FULL,	  /* no place for one more lease, range, or record in OFFER */
	EXPORT_BAD,	  /* no name, nothing in it, or a range that ends before it begins */
	EXPORT_TAKEN,	  /* name, ports, memory, function, line or channel of another export */
	EXPORT_PROHIBITED /* what the server itself lives on, or its backend cannot do */
};

/*
 * More ports that may not be exported (this PC's network card, its console). Interrupt controllers,
 * timer, DMA, PCI configuration, keyboard controller and the reset port are so from the start.
 */
enum export_error server_forbid(struct server *s, u16 first, u16 last);
/* More memory that may not be exported: above all the RAM from 1 MB on. */
enum export_error server_forbid_memory(struct server *s, u32 first, u32 last);
/* A PCI bridge is prohibited; the backend is asked. */
enum export_error server_add(struct server *s, const struct port_export *x);
/*
 * Takes an export back, with its lease. The others keep their index; the place, without a name, is
 * the next new one's.
 */
void server_remove(struct server *s, unsigned export);

/*
 * The limits of a shared key; one that is not known yet is added. The endpoint's own key is known
 * from the start, without limits. False: SERVER_KEYS are there. Before the first frame.
 */
bool server_set_access(struct server *s, const struct server_access *a);

/* A frame from the card, any bytes. */
void server_receive(struct server *s, const u8 *frame, u32 len, u64 now);
/* What time brings: requests that wait, PENDING, repeated events, leases that end. */
void server_poll(struct server *s, u64 now);
/* When server_poll() is due next, ~0: not before the next frame. */
u64 server_deadline(const struct server *s);
/* The device of an export may look different now: a POLL reads at the next server_poll(). */
void server_look(struct server *s, unsigned export);
/* A line interrupted, and the caller or the backend's irq_mask() keeps it from doing so again. */
void server_irq(struct server *s, unsigned line, u64 now);
/* Takes the lease away, if anyone has it. */
void server_revoke(struct server *s, unsigned export);

#endif
